/**
 * The failure detector in the crash lab: stores that count failures, restore and are looked at, crashed
 * at every point of it. What may be found then is less strict than without a detector (an earlier
 * checkpoint, if enough has failed) and more: counts are never lost, and restores never made without
 * need. The checks are listed in `docs/testing.md`.
 */
import { SimulatedClock } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import type { HealthReport } from '../machines/health-report.js';
import type { RestoreOptions } from '../store/restore-options.js';
import type { CheckpointStoreOptions } from '../store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../store.js';
import { checkKept, checkLeftovers, labFiles } from './check-files.js';
import { type Probe, type Program, unwatched } from './explore-program.js';
import type { Failure } from './explore-report.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { fixedWorld } from './fixed-world.js';
import { LAB_DIRECTORY, LAB_FILE } from './scenario.js';
import { slowSyncs } from './slow-syncs.js';

/** One thing that is done; values are the numbers under `v`. */
export type DetectorStep =
  | { readonly do: 'save'; readonly v: number }
  | { readonly do: 'report' }
  | { readonly do: 'markHealthy' }
  | { readonly do: 'check' }
  | { readonly do: 'restore'; readonly sequence: number }
  /** Time passes, in milliseconds: timers fire. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'heartbeat' }
  /** Somebody writes the file; durable at once. `v` is its value, if it has one. */
  | { readonly do: 'write'; readonly text: string; readonly v?: number }
  | { readonly do: 'delete' }
  | { readonly do: 'reopen' }
  /** These are asked for at once, and so many turns of the event loop later the store is closed. */
  | { readonly do: 'closeAmid'; readonly steps: readonly DetectorStep[]; readonly turns?: number };

/** A run of the lab. */
export interface DetectorScenario {
  /** Names the scenario in messages. */
  readonly name: string;
  /** The threshold and what follows, as the store's option. */
  readonly restore: RestoreOptions;
  /** How often heartbeats are expected, in milliseconds. */
  readonly heartbeatMs?: number;
  /** What to do about edits made outside of the store. */
  readonly externalEdits?: CheckpointStoreOptions['externalEdits'];
  /** Values above this are refused by a schema… */
  readonly schemaMax?: number;
  /** …from this opening of the store on, counted from 1; at every one if absent. */
  readonly schemaFrom?: number;
  /** What is done, in order. */
  readonly steps: readonly DetectorStep[];
  /** What is made to fail in the port during the run. */
  readonly runFaults?: readonly PortFault[];
  /** They count from this opening of the store on, from 1; at every one if absent. */
  readonly runFaultsFrom?: number;
  /** What is made to fail in the port during the first recovery. */
  readonly recoveryFaults?: readonly PortFault[];
}

/** What has been asked for and promised by a moment. */
export interface DetectorPromise {
  /** Every value that was ever asked for, or written by somebody. */
  readonly ever: readonly number[];
  /** The newest values: the last that was acknowledged, and what came after it. */
  readonly newest: readonly number[];
  /** The last sequence number that was promised. */
  readonly sequence: number;
  /** Failures that were asked to be counted, since something was asked that forgets or restores. */
  readonly asked: number;
  /** Of them those whose counting was acknowledged. */
  readonly counted: number;
  /** Whether a store was open and had not begun to close. */
  readonly isRunning: boolean;
  /** Whether a restore was asked for, or the file was written by somebody. */
  readonly isDisturbed: boolean;
}

type Store = CheckpointStore<{ v: number }>;

/** What a recovery came to. */
export interface DetectorFound {
  /** The store, where it could be opened. */
  readonly store?: Pick<CheckpointStore<{ v: number }>, 'sequence' | 'text' | 'state' | 'recovery'>;
  /** Why it could not be opened. */
  readonly error?: unknown;
  /** What its failure detector says. */
  readonly health?: HealthReport | undefined;
  /** How many crashes there were before. */
  readonly crashes: number;
}

/** A scenario as a program for the explorer. */
export function detectorProgram(
  scenario: DetectorScenario,
): Program<DetectorPromise, DetectorFound> {
  return {
    run: (disk, probe) => new DetectorRun(scenario, disk, probe).run(),
    async recover(disk, { inspect: watch }, crashes) {
      const inspect = watch === unwatched ? undefined : watch;
      const faults = crashes === 1 ? (scenario.recoveryFaults ?? []) : [];
      try {
        const store = await open(scenario, disk, {
          ...fixedWorld(`recovery ${crashes}`),
          inspect,
          around: (io) => faultyIo(io, faults),
        });
        const { sequence, text, state, recovery, health } = store;
        return { store: { sequence, text, state, recovery }, health, crashes };
      } catch (error) {
        return { error, crashes };
      }
    },
    ignores: (path) => path === `${LAB_DIRECTORY}/.checkpoint.lock`,
    decidedBy: (crashes) => {
      const { steps, name, runFaults, runFaultsFrom, recoveryFaults, schemaFrom, ...rest } =
        scenario;
      return JSON.stringify([crashes, rest, ...(crashes === 1 ? [recoveryFaults] : [])]);
    },
    check: (recovered) => {
      const { before, found, promised, after = recovered.disk.visible() } = recovered;
      return [
        ...checkFound(scenario, found, promised),
        ...(found.store === undefined ? [] : checkLeftovers(after)),
        // What the detector remembers changes: that is what it is for.
        ...checkKept(
          labFiles(before).filter(({ path }) => !path.endsWith('/.checkpoint.health')),
          after,
          'keeps-what-it-cannot-explain',
        ),
      ];
    },
  };
}

function open(
  { restore, heartbeatMs, externalEdits, schemaMax }: DetectorScenario,
  fileSystem: CheckpointStoreOptions['fileSystem'],
  options: Partial<CheckpointStoreOptions<undefined>>,
): Promise<Store> {
  return openCheckpointStore<{ v: number }>({
    directory: LAB_DIRECTORY,
    file: LAB_FILE,
    fileSystem,
    restore,
    heartbeatMs,
    externalEdits,
    maxAgeHours: Number.POSITIVE_INFINITY,
    audit: false,
    ...(schemaMax !== undefined && { schema: atMost(schemaMax) as never }),
    ...options,
  });
}

/** A schema that refuses larger values. */
function atMost(max: number) {
  return {
    '~standard': {
      version: 1,
      vendor: 'lab',
      validate: (value: unknown) => {
        const v = (value as { v?: unknown } | null)?.v;
        return typeof v === 'number' && v <= max
          ? { value }
          : { issues: [{ message: `above ${max}`, path: ['v'] }] };
      },
    },
  };
}

/** The first run, and what it promises on the way. */
class DetectorRun {
  readonly #scenario: DetectorScenario;
  readonly #disk: SimulatedDisk;
  readonly #probe: Probe<DetectorPromise>;
  readonly #clock = new SimulatedClock();
  readonly #ever: number[] = [];
  #newest: number[] = [];
  #sequence = 0;
  #asked = 0;
  #counted = 0;
  #isRunning = false;
  #isDisturbed = false;
  #openings = 0;

  constructor(scenario: DetectorScenario, disk: SimulatedDisk, probe: Probe<DetectorPromise>) {
    this.#scenario = scenario;
    this.#disk = disk;
    this.#probe = probe;
  }

  async run(): Promise<void> {
    const { steps } = this.#scenario;
    this.#disk.makeDirectory(LAB_DIRECTORY);
    this.#disk.settle();
    this.#probe.promises(() => this.#promised());
    try {
      let store = await this.#tryOpen();
      for (const step of steps) {
        if (step.do === 'reopen') {
          this.#isRunning = false;
          await store?.close();
          store = await this.#tryOpen();
        } else if (store === undefined) {
          // What could not be opened takes nothing until it is opened again.
        } else if (step.do === 'closeAmid') {
          await this.#closeAmid(step, store);
          store = await this.#tryOpen();
        } else {
          await this.#do(step, store);
        }
      }
      this.#isRunning = false;
      await store?.close();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }

  async #closeAmid(
    { steps, turns = 0 }: Extract<DetectorStep, { do: 'closeAmid' }>,
    store: Store,
  ): Promise<void> {
    const asked = steps.map((one) => this.#do(one, store));
    for (let turn = 0; turn < turns; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#isRunning = false;
    await Promise.all([...asked, store.close()]);
  }

  async #tryOpen(): Promise<Store | undefined> {
    try {
      return await this.#open();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return undefined;
    }
  }

  async #open(): Promise<Store> {
    const { clock, random } = fixedWorld('the run');
    const timers = this.#clock;
    this.#openings += 1;
    const { schemaFrom = 1, schemaMax, runFaults = [], ...rest } = this.#scenario;
    const faults = this.#openings >= (rest.runFaultsFrom ?? 1) ? runFaults : [];
    const isRefusing = schemaMax !== undefined && this.#openings >= schemaFrom;
    // A checkpoint that the schema refuses is a failure, at each opening.
    if (isRefusing) this.#asked += 1;
    const scenario = isRefusing ? this.#scenario : rest;
    const store = await open(scenario, slowSyncs(this.#disk), {
      random,
      clock: {
        now: () => (clock?.now() ?? 0) + timers.now(),
        setTimeout: (action, afterMs) => timers.setTimeout(action, afterMs),
        clearTimeout: (id) => timers.clearTimeout(id as number),
      },
      inspect: this.#probe.inspect,
      around: (io) => faultyIo(io, faults),
    });
    this.#isRunning = true;
    return store;
  }

  async #do(step: DetectorStep, store: Store): Promise<void> {
    try {
      await this.#try(step, store);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }

  async #try(step: DetectorStep, store: Store): Promise<void> {
    switch (step.do) {
      case 'save': {
        this.#ever.push(step.v);
        this.#newest.push(step.v);
        const { sequence } = await store.save({ v: step.v });
        this.#sequence = Math.max(this.#sequence, sequence);
        this.#newest = this.#newest.slice(this.#newest.indexOf(step.v));
        return;
      }
      case 'report': {
        this.#asked += 1;
        const { restores } = await store.reportFailure('reported');
        if (restores > 0) this.#isDisturbed = true;
        else this.#counted += 1;
        return;
      }
      case 'markHealthy':
        this.#counted = 0;
        await store.markHealthy();
        return;
      case 'check':
        await store.check({ countAgain: true });
        return;
      case 'restore':
        this.#isDisturbed = true;
        await store.restore({ sequence: step.sequence, allowMissingArtifacts: true });
        return;
      case 'wait':
        this.#asked += 1;
        this.#clock.increment(step.ms);
        await settled();
        return;
      case 'heartbeat':
        store.heartbeat();
        return;
      case 'write':
      case 'delete':
        this.#isDisturbed = true;
        if (step.do === 'write' && step.v !== undefined) this.#ever.push(step.v);
        this.#probe.outside(() => this.#write(step.do === 'write' ? step.text : undefined));
        return;
      default:
    }
  }

  #write(text: string | undefined): void {
    const path = `${LAB_DIRECTORY}/${LAB_FILE}`;
    if (text === undefined) {
      this.#disk.unlink(path);
    } else {
      const handle = this.#disk.open(path, this.#disk.stat(path) ? 'readWrite' : 'create');
      handle.truncate(0);
      handle.write(new TextEncoder().encode(text), 0);
      handle.close();
    }
    this.#disk.settle();
  }

  #promised(): DetectorPromise {
    return {
      ever: [...this.#ever],
      newest: [...this.#newest],
      sequence: this.#sequence,
      asked: this.#asked,
      counted: this.#counted,
      isRunning: this.#isRunning,
      isDisturbed: this.#isDisturbed,
    };
  }
}

/** Some turns of the event loop, in which everything that has begun comes to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** What does not hold of what was found. */
function checkFound(
  scenario: DetectorScenario,
  found: DetectorFound,
  promised: DetectorPromise,
): Failure[] {
  const { threshold = 3, maxRestores = 3, mode = 'automatic' } = scenario.restore;
  const { store, error, health, crashes } = found;
  const failures: Failure[] = [];
  const fail = (check: string, message: string) => failures.push({ check, message });
  // Each crash may count, and so may a schema that refuses, at each start.
  const possible = promised.asked + 2 * crashes;
  const mayRestore = mode === 'automatic' && possible >= threshold;
  if (store === undefined) {
    const code = error instanceof CheckpointError ? error.code : undefined;
    const isMadeToFail = error instanceof Error && error.message.includes('was made to fail');
    const isExhausted = code === 'RESTORES_EXHAUSTED' && mayRestore;
    const isSchema = code === 'SCHEMA_INVALID' && scenario.schemaMax !== undefined;
    const isRejected = code === 'EDITED_OUTSIDE' && scenario.externalEdits === 'reject';
    if (!isMadeToFail && !isExhausted && !isSchema && !isRejected)
      fail('recovers', `refused: ${String(error)}`);
    return failures;
  }
  const v = store.state?.v;
  const isCalm = !promised.isDisturbed && !mayRestore;
  const allowed = isCalm ? promised.newest : promised.ever;
  if (v === undefined ? isCalm && promised.sequence > 0 : !allowed.includes(v)) {
    fail('finds-an-allowed-state', `found ${v}, allowed were ${allowed.join(', ')}`);
  }
  if (store.sequence < promised.sequence) {
    fail('sequence-never-goes-back', `${store.sequence} after ${promised.sequence}`);
  }
  if (health === undefined) return [...failures, { check: 'tells-its-health', message: 'none' }];
  if (health.restores > maxRestores) fail('restores-are-bounded', `${health.restores} were made`);
  if (!mayRestore && health.restores > 0) fail('restores-only-at-the-threshold', 'one was made');
  const reported = health.failures.filter(({ signal }) => signal === 'reported').length;
  const hasRestored = health.restores > 0 || promised.isDisturbed;
  if (reported < promised.counted && !hasRestored) {
    fail('counts-are-never-lost', `${reported} of ${promised.counted} failures are known`);
  }
  const isCrashKnown = health.failures.some(({ signal }) => signal === 'crashed');
  const isCounting = scenario.restore.countCrashes !== false;
  if (promised.isRunning && isCounting && !isCrashKnown && !hasRestored) {
    fail('a-crash-is-counted', 'the run is not known to have crashed');
  }
  return failures;
}
