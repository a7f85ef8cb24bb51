/**
 * What the crash lab lets a store do: plain data, so that a scenario can be read from a file, saved
 * with a failing case and shrunk. Also keeps the reference: which states may be found after a crash.
 */
import { setAt } from '../format/yaml/path-access.js';
import { printYaml } from '../format/yaml/yaml-edit.js';
import { parsePath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import type { Durability } from '../machines/checkpoint-messages.js';
import type { ExternalEditPolicy } from '../machines/recovery-decision.js';
import type { CheckpointStore } from '../store.js';

/** One step of a scenario. */
export type ScenarioStep =
  /** Saves a whole state. */
  | { readonly do: 'save'; readonly state: YamlValue; readonly durability?: Durability }
  /** Saves a text verbatim. */
  | { readonly do: 'saveText'; readonly text: string; readonly durability?: Durability }
  /** Changes one value. */
  | {
      readonly do: 'set';
      readonly path: string;
      readonly value: YamlValue;
      readonly durability?: Durability;
    }
  /** Asks for several saves at once, without waiting in between. */
  | { readonly do: 'together'; readonly steps: readonly SaveStep[] }
  /** Somebody replaces the file's text, in place or by a rename; the edit is durable at once. */
  | { readonly do: 'edit'; readonly text: string; readonly how?: 'inPlace' | 'rename' }
  /** Somebody leaves the file in a state that is no state; durable at once. Under `restore` nothing is lost. */
  | { readonly do: 'damage'; readonly text: string }
  /** Closes the store and opens it again. */
  | { readonly do: 'reopen' };

/** A step that saves. */
export type SaveStep = Extract<ScenarioStep, { do: 'save' | 'saveText' | 'set' }>;

/** A named run. */
export interface Scenario {
  readonly name: string;
  /** What is in the file before the store is first opened; no file if absent. */
  readonly file?: string;
  readonly externalEdits?: ExternalEditPolicy;
  readonly steps: readonly ScenarioStep[];
}

/** Where the lab's stores lie on their disks. */
export const LAB_DIRECTORY = '/lab';
/** Their checkpoint file. */
export const LAB_FILE = 'ORCHESTRATION.yaml';
const TARGET = `${LAB_DIRECTORY}/${LAB_FILE}`;

/**
 * The reference model: what may be found after a crash, by value. Kept apart from everything it
 * checks: it knows saves, not files.
 */
export class Expectation {
  readonly #asked: Asked[] = [];
  /** The highest sequence number that was acknowledged. */
  sequence = 0;
  /** Whether a save ended in a way that leaves its log for the next recovery. */
  hasLogLeft = false;

  /** Notes a change before it is asked for; returns what to call when it is answered. */
  ask(change: ValueChange): Answer {
    const entry: Asked = { change, promised: false };
    this.#asked.push(entry);
    return {
      acknowledged: (sequence) => {
        entry.promised = true;
        this.sequence = Math.max(this.sequence, sequence);
      },
      notSaved: () => {
        this.#asked.splice(this.#asked.indexOf(entry), 1);
      },
    };
  }

  /**
   * What may be found now: all that was promised, in order, with or without each of the others. A
   * change that failed may be known to have failed by the store before its caller hears of it, and what
   * comes after it is then rendered without it.
   */
  allowed(): Allowed {
    const open = this.#asked.filter(({ promised }) => !promised).slice(-OPEN_MAX);
    const values = new Set<string>();
    for (let kept = 0; kept < 2 ** open.length; kept += 1) {
      const left = new Set(open.filter((_, index) => (kept >> index) % 2 === 0));
      values.add(canonical(valueAfter(this.#asked.filter((entry) => !left.has(entry)))));
    }
    return { values: [...values], sequence: this.sequence };
  }
}

/** What a change makes of a value; `undefined` is a store without state. */
export type ValueChange = (before: YamlValue | undefined) => YamlValue;

interface Answer {
  readonly acknowledged: (sequence: number) => void;
  /** Answered with an error that says that nothing was saved. */
  readonly notSaved: () => void;
}

interface Asked {
  readonly change: ValueChange;
  promised: boolean;
}

/** More changes than this are never under way at once; each doubles what has to be considered. */
const OPEN_MAX = 6;

function valueAfter(asked: readonly Asked[]): YamlValue | undefined {
  let value: YamlValue | undefined;
  for (const { change } of asked) value = change(value);
  return value;
}

/** What a recovery may come to, frozen at one moment. */
export interface Allowed {
  /** Canonical texts of values; `(none)` for a store without state. */
  readonly values: readonly string[];
  /** No lower sequence number may be found. */
  readonly sequence: number;
}

/** A value as text that is equal for equal values. */
export function canonical(value: unknown): string {
  if (value === undefined) return '(none)';
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What a running scenario works on. */
export interface ScenarioWorld {
  readonly disk: SimulatedDisk;
  readonly expectation: Expectation;
  /** Opens the store on whatever file system the lab has put over the disk. */
  readonly open: () => Promise<CheckpointStore<YamlValue>>;
  /** Runs something that is not the protocol's doing: no crash inside it is looked at. */
  readonly outside: (act: () => void) => void;
}

/** Puts the scenario's first file on the disk. */
export function prepare({ file }: Scenario, { disk, expectation }: ScenarioWorld): void {
  disk.makeDirectory(LAB_DIRECTORY);
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
  let store = await world.open();
  for (const step of scenario.steps) {
    if (step.do === 'reopen') {
      await store.close();
      store = await world.open();
    } else if (step.do === 'edit') {
      await idle(store, world.expectation);
      world.outside(() => edit(step, world, scenario.externalEdits));
    } else if (step.do === 'damage') {
      await idle(store, world.expectation);
      world.outside(() => writeInPlace(world.disk, step.text));
    } else if (step.do === 'together') {
      await Promise.all(step.steps.map((one) => save(one, store, world.expectation)));
    } else {
      await save(step, store, world.expectation);
    }
  }
  await store.close();
}

/**
 * Waits for the end of a round that was acknowledged when logged: an edit that meets it on its way
 * would be set aside, by the store's own rule, and nothing could be said of it.
 */
async function idle(store: CheckpointStore<YamlValue>, expectation: Expectation): Promise<void> {
  while (store.actor.getSnapshot().matches('saving')) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  // A round that was acknowledged when logged can end so without anybody being told.
  if (store.actor.getSnapshot().matches('halted')) expectation.hasLogLeft = true;
}

async function save(
  step: SaveStep,
  store: CheckpointStore<YamlValue>,
  expectation: Expectation,
): Promise<void> {
  const { durability } = step;
  const answer = expectation.ask((before) => outcomeOf(step, before));
  const options = { durability };
  try {
    const { sequence } = await (step.do === 'save'
      ? store.save(step.state, options)
      : step.do === 'saveText'
        ? store.saveText(step.text, options)
        : store.set(step.path, step.value, options));
    answer.acknowledged(sequence);
  } catch (error) {
    const { details } = error as { details?: { outcome?: string } };
    if (details?.outcome === 'notSaved') answer.notSaved();
    else expectation.hasLogLeft = true;
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
  } else {
    const handle = disk.open(TARGET, 'readWrite');
    handle.truncate(0);
    handle.write(new TextEncoder().encode(text), 0);
    handle.close();
  }
  disk.settle();
  // Under the policy `adopt` the edit becomes the state, and no recovery may fall behind it.
  // A log that a halted store left behind comes before it: then the edit is kept aside.
  if (policy !== 'adopt') return;
  const { value } = parseYaml(text);
  const answer = expectation.ask(() => value);
  if (!expectation.hasLogLeft) answer.acknowledged(0);
}

function writeInPlace(disk: SimulatedDisk, text: string): void {
  const handle = disk.open(TARGET, 'readWrite');
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

/** A step as one line, for traces. */
export function describeStep(step: ScenarioStep): string {
  switch (step.do) {
    case 'save':
      return `save ${printYaml(step.state).trim()}`;
    case 'saveText':
      return `saveText ${JSON.stringify(step.text)}`;
    case 'set':
      return `set ${step.path} ${printYaml(step.value).trim()}`;
    case 'together':
      return `together: ${step.steps.map(describeStep).join('; ')}`;
    case 'edit':
      return `edit ${step.how ?? 'inPlace'} ${JSON.stringify(step.text)}`;
    case 'damage':
      return `damage ${JSON.stringify(step.text)}`;
    case 'reopen':
      return 'reopen';
  }
}
