/**
 * What the crash lab lets a store do: plain data, so that a scenario can be read from a file, saved
 * with a failing case and shrunk. Runs it, and tells the reference model in `expectation.ts` of it.
 */

import { getAt, setAt } from '../format/yaml/path-access.js';
import { parsePath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { RuleData } from '../io/fault-rules.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import type { Durability } from '../machines/checkpoint-messages.js';
import type { ExternalEditPolicy } from '../machines/recovery-decision.js';
import type { CheckpointStore } from '../store.js';
import type { Expectation } from './expectation.js';
import type { SealedWith } from './seal-promises.js';
import type { Turns } from './turns.js';

/** How a save is asked for. */
export interface Asking extends SealedWith {
  /** After which step the save counts as promised; `committed` by default. */
  readonly durability?: Durability;
  /** The caller gives up: right after all saves of the step were asked for, or when the schedule says. */
  readonly abort?: true;
}

/** A step that saves. */
export type SaveStep = Asking &
  (
    | /** Saves a whole state. */
    { readonly do: 'save'; readonly state: YamlValue }
    /** Saves a text verbatim. */
    | { readonly do: 'saveText'; readonly text: string }
    /** Changes one value. */
    | { readonly do: 'set'; readonly path: string; readonly value: YamlValue }
    /** Adds to the number at a path, by a recipe; 0 where there is none. */
    | { readonly do: 'update'; readonly path: string; readonly add: number }
  );

/** One of the things that are asked for at once. */
export type TogetherStep =
  | SaveStep
  /** Closes the store; it is opened again when the whole step is over. */
  | { readonly do: 'close' };

/** One step of a scenario. */
export type ScenarioStep =
  | SaveStep
  /**
   * Asks for several things at once, without waiting in between: one after the other, or, with
   * `schedule`, in an order drawn by that seed, between the syncs that are on their way.
   */
  | {
      readonly do: 'together';
      readonly steps: readonly TogetherStep[];
      readonly schedule?: number;
    }
  /** Somebody replaces the file's text, in place or by a rename; the edit is durable at once. */
  | { readonly do: 'edit'; readonly text: string; readonly how?: 'inPlace' | 'rename' }
  /** Somebody leaves the file in a state that is no state; durable at once. Under `restore` nothing is lost. */
  | { readonly do: 'damage'; readonly text: string }
  /** Publishes what waits in the log. */
  | { readonly do: 'flush' }
  /** Closes the store and opens it again. */
  | { readonly do: 'reopen' };

/** Faults of the file system, as the data of rules: see `checkpoint-wal/testing`'s `failNth` and its kin. */
export interface ScenarioFaults {
  /** What goes wrong while the scenario runs. */
  readonly run?: RuleData;
  /** What goes wrong in the first recovery of each crash; those after it find a disk that works. */
  readonly recovery?: RuleData;
}

/** A named run. */
export interface Scenario {
  /** Names the scenario in messages and cases. */
  readonly name: string;
  /** What is in the file before the store is first opened; no file if absent. */
  readonly file?: string;
  /** Further files in the store's directory, by plain name: what saves may name as artifacts. */
  readonly files?: Readonly<Record<string, string>>;
  /** What to do about edits made outside of the store; `adopt` by default. */
  readonly externalEdits?: ExternalEditPolicy;
  /**
   * Lets saves wait in the log until there are so many, or bytes of so many; by default each is published at
   * once. Time publishes nothing in the lab. History then holds only what was published.
   */
  readonly publish?: { readonly afterSaves?: number; readonly afterBytes?: number };
  /** How many earlier checkpoints are kept; then history is not asked to be complete. */
  readonly maxCheckpoints?: number;
  /** What goes wrong below the store. */
  readonly faults?: ScenarioFaults;
  /** What is done, in order. */
  readonly steps: readonly ScenarioStep[];
}

/** Where the lab's stores lie on their disks. */
export const LAB_DIRECTORY = '/lab';
/** Their checkpoint file. */
export const LAB_FILE = 'ORCHESTRATION.yaml';
const TARGET = `${LAB_DIRECTORY}/${LAB_FILE}`;

/** What a running scenario works on. */
export interface ScenarioWorld {
  readonly disk: SimulatedDisk;
  readonly expectation: Expectation;
  /** Opens the store on whatever file system the lab has put over the disk. */
  readonly open: () => Promise<CheckpointStore<YamlValue>>;
  /** Runs something that is not the protocol's doing: no crash inside it is looked at. */
  readonly outside: (act: () => void) => void;
  /** The turns in which that file system answers syncs. */
  readonly turns: Turns;
}

/** Puts the scenario's first file on the disk. */
export function prepare(
  { file, files = {} }: Scenario,
  { disk, expectation }: ScenarioWorld,
): void {
  disk.makeDirectory(LAB_DIRECTORY);
  for (const [name, content] of Object.entries(files)) {
    writeWhole(disk, `${LAB_DIRECTORY}/${name}`, content);
  }
  if (file !== undefined) {
    writeWhole(disk, TARGET, file);
    const { value } = parseYaml(file);
    expectation.ask(() => value).acknowledged(0);
  }
  disk.settle();
}

/** Runs a scenario to its end, or to where a store can't be opened. */
export async function runScenario(scenario: Scenario, world: ScenarioWorld): Promise<void> {
  try {
    await runSteps(scenario, world);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'CheckpointError') throw error;
  }
}

async function runSteps(scenario: Scenario, world: ScenarioWorld): Promise<void> {
  let store = await openIn(world);
  for (const step of scenario.steps) {
    if (step.do === 'reopen') {
      await store.close();
      store = await openIn(world);
    } else if (step.do === 'edit') {
      await idle(store, world.expectation);
      world.outside(() => edit(step, world, scenario.externalEdits));
    } else if (step.do === 'damage') {
      await idle(store, world.expectation);
      world.outside(() => {
        writeInPlace(world.disk, step.text);
        world.expectation.edited(undefined);
      });
    } else if (step.do === 'flush') {
      await store.flush();
    } else if (step.do === 'together') {
      await together(step, store, world);
      if (step.steps.some((one) => one.do === 'close')) store = await openIn(world);
    } else {
      await save(step, store, world);
    }
  }
  await store.close();
}

async function openIn({ open, expectation }: ScenarioWorld): Promise<CheckpointStore<YamlValue>> {
  expectation.opened();
  return await open();
}

/**
 * Waits for the end of a round that was acknowledged when logged: an edit that meets it on its way
 * would be set aside, by the store's own rule, and nothing could be said of it.
 */
async function idle(store: CheckpointStore<YamlValue>, expectation: Expectation): Promise<void> {
  await store.flush().catch(() => {});
  while (store.actor.getSnapshot().matches('saving')) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  // A round that was acknowledged when logged can end so without anybody being told.
  if (store.actor.getSnapshot().matches('halted')) expectation.hasLogLeft = true;
}

async function together(
  { steps, schedule }: Extract<ScenarioStep, { do: 'together' }>,
  store: CheckpointStore<YamlValue>,
  world: ScenarioWorld,
): Promise<void> {
  const answers: Promise<void>[] = [];
  const calls = steps.map((step) => () => {
    answers.push(step.do === 'close' ? store.close() : save(step, store, world));
  });
  if (schedule === undefined) for (const call of calls) call();
  else await world.turns.interleave(schedule, calls);
  await Promise.all(answers);
}

async function save(
  step: SaveStep,
  store: CheckpointStore<YamlValue>,
  { expectation, turns }: ScenarioWorld,
): Promise<void> {
  const answer = expectation.ask((before) => outcomeOf(step, before));
  const seal = expectation.seals.ask(step);
  const controller = new AbortController();
  const asked = ask(step, store, controller.signal);
  if (step.abort === true) turns.soon(() => controller.abort());
  try {
    const { sequence } = await asked;
    answer.acknowledged(sequence);
    seal.acknowledged(sequence);
  } catch (error) {
    const { details } = error as { details?: { outcome?: string } };
    const isAborted = controller.signal.aborted && error === controller.signal.reason;
    if (isAborted || details?.outcome === 'notSaved') {
      answer.notSaved();
      seal.notSaved();
    } else {
      expectation.hasLogLeft = true;
    }
  }
}

function ask(step: SaveStep, store: CheckpointStore<YamlValue>, signal: AbortSignal) {
  const { durability, label, pinned, artifacts } = step;
  const options = { durability, label, pinned, artifacts, ...(step.abort && { signal }) };
  switch (step.do) {
    case 'save':
      return store.save(step.state, options);
    case 'saveText':
      return store.saveText(step.text, options);
    case 'set':
      return store.set(step.path, step.value, options);
    case 'update':
      return store.update((draft) => outcomeOf(step, draft), options);
  }
}

/** What the step makes of a value, computed without the store. */
function outcomeOf(step: SaveStep, before: YamlValue | undefined): YamlValue {
  switch (step.do) {
    case 'save':
      return step.state;
    case 'saveText':
      return parseYaml(step.text).value;
    case 'set':
      return setAt(before ?? {}, parsePath(step.path), step.value);
    case 'update': {
      const path = parsePath(step.path);
      const found = getAt(before ?? {}, path);
      return setAt(before ?? {}, path, (typeof found === 'number' ? found : 0) + step.add);
    }
  }
}

function edit(
  { text, how = 'inPlace' }: Extract<ScenarioStep, { do: 'edit' }>,
  { disk, expectation }: ScenarioWorld,
  policy: ExternalEditPolicy = 'adopt',
): void {
  if (how === 'rename') {
    writeWhole(disk, `${TARGET}.editor`, text);
    disk.rename(`${TARGET}.editor`, TARGET);
    disk.settle();
  } else {
    writeInPlace(disk, text);
  }
  // Under the policy `adopt` the edit becomes the state, and no recovery may fall behind it.
  // A log that a halted store left behind comes before it: then the edit is kept aside.
  if (policy !== 'adopt') return;
  const { value } = parseYaml(text);
  expectation.edited(() => value);
}

function writeInPlace(disk: SimulatedDisk, text: string): void {
  // A store that could not even be opened has made no file yet.
  const how = disk.stat(TARGET) === undefined ? 'create' : 'readWrite';
  const handle = disk.open(TARGET, how);
  handle.truncate(0);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
  disk.settle();
}

function writeWhole(disk: SimulatedDisk, path: string, text: string): void {
  const handle = disk.open(path, 'create', 0o644);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
}
