/**
 * What must hold after any recovery: the property of the package, as named checks. A failed check
 * names itself and says what was found; `docs/testing.md` lists them. Those of the files alone are in
 * `check-files.ts`.
 */
import { CheckpointError } from '../errors.js';
import { fingerprintOf } from '../io/crash-images.js';
import type { DiskState } from '../io/disk-state.js';
import type { Decide } from '../io/fault-rules.js';
import { FaultyFileSystem } from '../io/faulty-file-system.js';
import { SimulatedDisk } from '../io/simulated-disk.js';
import type { CheckpointStoreOptions } from '../store/store-options.js';
import type { CheckpointStore, openCheckpointStore } from '../store.js';
import {
  checkEpochs,
  checkHistory,
  checkKept,
  checkLeftovers,
  checkReaders,
  checkSeals,
  isLock,
  type LabFiles,
  labFiles,
  onceForEach,
} from './check-files.js';
import { digestOf } from './digest.js';
import { type Allowed, canonical } from './expectation.js';
import type { Failure } from './explore-report.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { type FixedWorld, fixedWorld } from './fixed-world.js';
import { LAB_DIRECTORY, LAB_FILE, type Scenario } from './scenario.js';

/** The names of the checks. */
export type CheckName =
  /** Recovery ends ready; a power failure alone never makes a store refuse. */
  | 'recovers'
  /** A recovery that was made to fail refuses with a coded error, never with another. */
  | 'refuses-with-a-code'
  /** The state found is the last acknowledged one or a later one that was being saved. */
  | 'finds-an-allowed-state'
  /** The sequence number is not below the last acknowledged one. */
  | 'sequence-never-goes-back'
  /** No log and no temporary file is left. */
  | 'leaves-nothing-behind'
  /** The bytes of every file that was not ours to delete are still somewhere. */
  | 'keeps-what-it-cannot-explain'
  /** They are so also when recoveries are cut off in between. */
  | 'evidence-survives-crashes'
  /** Every acknowledged state that was replaced is in history, and verifies. */
  | 'history-is-complete'
  /** Labels, pins and lists of artifacts are those that were asked for, and what is pinned is there. */
  | 'keeps-labels-pins-and-artifacts'
  /** Epochs rise with each opening, and never fall. */
  | 'epochs-rise'
  /** The file, as a crash leaves it, is all of some checkpoint or what somebody put there. */
  | 'readers-find-a-whole-checkpoint'
  /** A second recovery finds the same and changes nothing. */
  | 'is-idempotent';

/** What second recoveries came to, by what they started from: many images share one. */
export type SettledChecks = Map<string, readonly Failure[]>;

/** What of a scenario the store under test is opened with, in the run and in each recovery. */
type Opening = {
  readonly [Option in 'externalEdits' | 'publish']?: Scenario[Option] | undefined;
};

/** The same as options of a store. All of it decides what a recovery does, so no two share what is known. */
export function openOptionsOf({ externalEdits = 'adopt', publish }: Opening) {
  // Time publishes nothing in the lab.
  const waiting = publish && { publish: { ...publish, afterMs: Number.POSITIVE_INFINITY } };
  return { externalEdits, ...waiting };
}

/** How to open the store under test. */
export interface OpenSettings extends Opening {
  readonly open: typeof openCheckpointStore;
}

/** What the store is opened with besides: who looks on, and the lab's world in place of this machine's. */
export interface LabWorld extends Partial<FixedWorld> {
  readonly inspect?: CheckpointStoreOptions['inspect'];
}

/** What goes wrong while it is opened. */
export interface Disturbances {
  /** Operations of the port that are made to fail. */
  readonly faults?: readonly PortFault[] | undefined;
  /** Faults of the file system. */
  readonly decide?: Decide | undefined;
}

/** What a store was like when it had been opened. */
export type RecoveredStore = Pick<
  CheckpointStore<unknown>,
  'sequence' | 'text' | 'state' | 'recovery'
>;

/** What a recovery came to. */
export type Outcome = MetInRecovery &
  (
    | { readonly ready: true; readonly store: RecoveredStore }
    | { readonly ready: false; readonly error: unknown }
  );

/** What it met on the way. */
export interface MetInRecovery {
  /** The file system has done something else than it should. */
  readonly hasMetFaults?: boolean;
  /** A sync has been confirmed that was not done. */
  readonly hasLied?: boolean;
}

/** Opens the store on a disk. It is never closed: a crashed program doesn't. */
export async function recover(
  disk: SimulatedDisk,
  settings: OpenSettings & Disturbances & LabWorld,
): Promise<Outcome> {
  const { open, inspect, clock, random, faults = [], decide } = settings;
  const faulty = decide && new FaultyFileSystem(disk, decide);
  const met = () => faulty !== undefined && whatWasMet(faulty);
  try {
    const store = await open<unknown>({
      directory: LAB_DIRECTORY,
      file: LAB_FILE,
      fileSystem: faulty ?? disk,
      ...openOptionsOf(settings),
      restore: false,
      audit: false,
      // The lab's clock is far from the stamps of its disks.
      maxAgeHours: Number.POSITIVE_INFINITY,
      inspect,
      clock,
      random,
      ...(faults.length > 0 && { around: (io) => faultyIo(io, faults) }),
    });
    return { ready: true, store: whatIsIn(store), ...met() };
  } catch (error) {
    return { ready: false, error, ...met() };
  }
}

function whatWasMet({ injected }: FaultyFileSystem): MetInRecovery {
  const hasLied = injected.some(({ fault }) => fault.kind === 'lie');
  return { hasMetFaults: injected.length > 0, hasLied };
}

/** A recovery that is to be checked. */
export interface RecoveryCase {
  /** What the recovery started from. */
  readonly before: DiskState;
  /** What the first crash left for good, if recoveries were crashed since. */
  readonly origin?: LabFiles | undefined;
  /** What is seen on the disk after it. */
  readonly after: DiskState;
  readonly outcome: Outcome;
  readonly allowed: Allowed;
  /** What was run; without it nothing is known of who wrote the file, and readers are not asked. */
  readonly scenario?: Scenario | undefined;
}

const textOf = onceForEach((state) => fingerprintOf(labFiles(state), digestOf));

/** Runs every check. `settled` remembers second recoveries, which many images share. */
export async function checkRecovery(
  tried: RecoveryCase,
  settings: OpenSettings,
  settled: SettledChecks,
): Promise<readonly Failure[]> {
  const { before, origin, after, outcome, allowed, scenario } = tried;
  if (!outcome.ready) return await checkRefusal(tried, settings, settled);
  const { store } = outcome;
  const isAsked = scenario !== undefined && allowed.lied !== true;
  const failures = [
    ...(isAsked ? checkReaders(before, allowed, scenario) : []),
    ...(allowed.lied === true ? [] : checkPromises(store, after, allowed)),
    ...checkLeftovers(after),
    ...checkKept(labFiles(before), after, 'keeps-what-it-cannot-explain'),
    ...(origin === undefined || allowed.lied === true
      ? []
      : checkKept(origin, after, 'evidence-survives-crashes')),
  ];
  const opening = JSON.stringify(openOptionsOf(settings));
  const key = `${opening}|${store.sequence}|${valueIn(store)}|${textOf(after)}`;
  let again = settled.get(key);
  if (again === undefined) {
    again = await checkAgain(after, store, settings);
    settled.set(key, again);
  }
  return [...failures, ...again];
}

function checkPromises(store: RecoveredStore, after: DiskState, allowed: Allowed): Failure[] {
  const failures: Failure[] = [];
  const found = valueIn(store);
  if (!allowed.values.includes(found)) {
    const message = `found ${found}, allowed were ${allowed.values.join(' or ')}`;
    failures.push({ check: 'finds-an-allowed-state', message });
  }
  if (store.sequence < allowed.sequence) {
    const message = `found ${store.sequence}, acknowledged was ${allowed.sequence}`;
    failures.push({ check: 'sequence-never-goes-back', message });
  }
  return [
    ...failures,
    ...checkHistory(after, allowed),
    ...checkSeals(after, allowed.seals ?? []),
    ...checkEpochs(after, allowed),
  ];
}

/**
 * A refusal is right under the policy `reject`, and where something was made to fail: then with a code,
 * and the next recovery, on a disk that works, must bring everything back.
 */
async function checkRefusal(
  tried: RecoveryCase,
  settings: OpenSettings,
  settled: SettledChecks,
): Promise<readonly Failure[]> {
  const { before, after, outcome, allowed } = tried;
  if (outcome.ready) return [];
  const { error, hasMetFaults } = outcome;
  if (settings.externalEdits === 'reject' && codeOf(error) === 'EDITED_OUTSIDE') return [];
  const isMadeToFail = hasMetFaults === true || describeError(error).includes('was made to fail');
  if (!isMadeToFail && allowed.lied !== true) {
    return [{ check: 'recovers', message: `refused: ${describeError(error)}` }];
  }
  if (codeOf(error) === undefined) {
    return [{ check: 'refuses-with-a-code', message: describeError(error) }];
  }
  if (!isMadeToFail) return checkKept(labFiles(before), after, 'keeps-what-it-cannot-explain');
  const next = new SimulatedDisk({ state: after });
  const world = fixedWorld('a recovery after a refusal');
  const found = await recover(next, { ...settings, ...world });
  const second = { ...tried, after: next.visible(), outcome: found };
  const failures = await checkRecovery(second, settings, settled);
  const refused = `after a recovery that refused (${describeError(error)}): `;
  return failures.map(({ check, message }) => ({ check, message: `${refused}${message}` }));
}

const states = new Map<string, { readonly state: unknown; readonly value: string }>();
const STATES_MAX = 10_000;

/** A store's state with its canonical value; parsed once for each text. */
function stateIn(store: RecoveredStore): { readonly state: unknown; readonly value: string } {
  const { text } = store;
  if (text === undefined) return { state: undefined, value: canonical(undefined) };
  let known = states.get(text);
  if (known === undefined) {
    if (states.size >= STATES_MAX) states.clear();
    known = { state: store.state, value: canonical(store.state) };
    states.set(text, known);
  }
  return known;
}

const valueIn = (store: RecoveredStore): string => stateIn(store).value;

/** What is asked of a store after its recovery, without the store, which is large. */
export function whatIsIn(store: CheckpointStore<unknown>): RecoveredStore {
  const { sequence, text, recovery } = store;
  return { sequence, text, recovery, state: stateIn(store).state };
}

async function checkAgain(
  after: DiskState,
  first: RecoveredStore,
  settings: OpenSettings,
): Promise<Failure[]> {
  const disk = new SimulatedDisk({ state: after });
  const outcome = await recover(disk, { ...settings, ...fixedWorld('a second recovery') });
  const fail = (message: string): Failure[] => [{ check: 'is-idempotent', message }];
  if (!outcome.ready) return fail(`a second recovery refused: ${describeError(outcome.error)}`);
  const { store } = outcome;
  if (store.text !== first.text) return fail(`a second recovery found ${valueIn(store)}`);
  if (store.sequence !== first.sequence) {
    return fail(`a second recovery came to ${store.sequence} after ${first.sequence}`);
  }
  const finding = store.recovery.decisions.find(({ finding }) => finding);
  if (finding !== undefined) return fail(`a second recovery decided ${finding.label}`);
  const isStable = (state: DiskState) =>
    labFiles(state)
      .filter(({ path }) => !isLock(path))
      .map(({ path, content }) => `${path}=${content && digestOf(content)}`)
      .join();
  return isStable(disk.visible()) === isStable(after)
    ? []
    : fail('a second recovery changed files');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && error.name === 'CheckpointError' && 'code' in error
    ? String(error.code)
    : undefined;
}

function describeError(error: unknown): string {
  if (error instanceof CheckpointError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
