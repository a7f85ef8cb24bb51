/**
 * What must hold after any recovery: the property of the package, as named checks. A failed check
 * names itself and says what was found; `docs/testing.md` lists them.
 */
import { CheckpointError } from '../errors.js';
import { readSeal } from '../format/seal.js';
import { scanWal } from '../format/wal-scanner.js';
import { fingerprintOf } from '../io/crash-images.js';
import type { DiskState } from '../io/disk-state.js';
import { describeState, SimulatedDisk } from '../io/simulated-disk.js';
import type { CheckpointStoreOptions } from '../store/store-options.js';
import type { CheckpointStore, openCheckpointStore } from '../store.js';
import { digestOf } from './digest.js';
import type { Failure } from './explore-program.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { fixedWorld } from './fixed-world.js';
import { type Allowed, canonical, LAB_DIRECTORY, LAB_FILE } from './scenario.js';

/** The names of the checks. */
export type CheckName =
  /** Recovery ends ready; a power failure alone never makes a store refuse. */
  | 'recovers'
  /** The state found is the last acknowledged one or a later one that was being saved. */
  | 'finds-an-allowed-state'
  /** The sequence number is not below the last acknowledged one. */
  | 'sequence-never-goes-back'
  /** No log and no temporary file is left. */
  | 'leaves-nothing-behind'
  /** The bytes of every file that was not ours to delete are still somewhere. */
  | 'keeps-what-it-cannot-explain'
  /** A second recovery finds the same and changes nothing. */
  | 'is-idempotent';

interface StoreFailure extends Failure {
  readonly check: CheckName;
}

/** What second recoveries came to, by what they started from: many images share one. */
export type SettledChecks = Map<string, readonly StoreFailure[]>;

/** How to open the store under test. */
export interface OpenSettings {
  readonly open: typeof openCheckpointStore;
  readonly externalEdits: CheckpointStoreOptions['externalEdits'];
  /** Failures that are made to happen. */
  readonly faults?: readonly PortFault[] | undefined;
}

/** What a recovery came to. */
export type Outcome =
  | { readonly ready: true; readonly store: CheckpointStore<unknown> }
  | { readonly ready: false; readonly error: unknown };

/** Opens the store on a disk. It is never closed: a crashed program doesn't. */
export async function recover(
  disk: SimulatedDisk,
  settings: OpenSettings & Pick<CheckpointStoreOptions, 'inspect' | 'clock' | 'random'>,
): Promise<Outcome> {
  const { open, externalEdits, inspect, clock, random, faults = [] } = settings;
  try {
    const store = await open<unknown>({
      directory: LAB_DIRECTORY,
      file: LAB_FILE,
      fileSystem: disk,
      externalEdits,
      inspect,
      clock,
      random,
      ...(faults.length > 0 && { around: (io) => faultyIo(io, faults) }),
    });
    return { ready: true, store };
  } catch (error) {
    return { ready: false, error };
  }
}

interface Case {
  /** What the recovery started from. */
  readonly before: DiskState;
  readonly disk: SimulatedDisk;
  readonly outcome: Outcome;
  readonly allowed: Allowed;
}

/** Runs every check. `settled` remembers second recoveries, which many images share. */
export async function checkRecovery(
  { before, disk, outcome, allowed }: Case,
  settings: OpenSettings,
  settled: SettledChecks,
): Promise<StoreFailure[]> {
  if (!outcome.ready) {
    return [{ check: 'recovers', message: `refused: ${describeError(outcome.error)}` }];
  }
  const { store } = outcome;
  const failures: StoreFailure[] = [];
  const found = valueIn(store);
  if (!allowed.values.includes(found)) {
    const message = `found ${found}, allowed were ${allowed.values.join(' or ')}`;
    failures.push({ check: 'finds-an-allowed-state', message });
  }
  if (store.sequence < allowed.sequence) {
    const message = `found ${store.sequence}, acknowledged was ${allowed.sequence}`;
    failures.push({ check: 'sequence-never-goes-back', message });
  }
  const after = disk.visible();
  const files = describeState(after);
  failures.push(...checkLeftovers(files), ...checkKept(describeState(before), files));
  const key = `${store.sequence}|${found}|${fingerprintOf(files, digestOf)}`;
  let again = settled.get(key);
  if (again === undefined) {
    again = await checkAgain(after, store, settings);
    settled.set(key, again);
  }
  return [...failures, ...again];
}

const values = new Map<string, string>();
const VALUES_MAX = 10_000;

/** The canonical value of a store's state; parsed once for each text. */
function valueIn(store: CheckpointStore<unknown>): string {
  const { text } = store;
  if (text === undefined) return canonical(undefined);
  let value = values.get(text);
  if (value === undefined) {
    if (values.size >= VALUES_MAX) values.clear();
    value = canonical(store.state);
    values.set(text, value);
  }
  return value;
}

const isLog = (path: string) => path.endsWith('/.checkpoint.wal');
const isTemporary = (path: string) => path.endsWith('.tmp');
const isLock = (path: string) => path.includes('/.checkpoint.lock');

type Files = ReturnType<typeof describeState>;

function checkLeftovers(after: Files): StoreFailure[] {
  const left = after.filter(({ path }) => isLog(path) || isTemporary(path));
  return left.map(({ path }) => ({ check: 'leaves-nothing-behind', message: `left ${path}` }));
}

/**
 * Everything but temporary files, locks and logs that promised nothing, or were applied, is still
 * there: byte for byte, or as the same text under another seal.
 */
function checkKept(before: Files, after: Files): StoreFailure[] {
  const kept = new Set(after.flatMap(({ content }) => digestsOf(content)));
  return before.flatMap(({ path, content }): StoreFailure[] => {
    if (content === undefined || isTemporary(path) || isLock(path)) return [];
    if (digestsOf(content).some((digest) => kept.has(digest))) return [];
    if (isLog(path) && isSpent(content, kept)) return [];
    return [{ check: 'keeps-what-it-cannot-explain', message: `the bytes of ${path} are gone` }];
  });
}

const digests = new WeakMap<Uint8Array, readonly string[]>();

/** Digests of a file's bytes and of its text without the seal. */
function digestsOf(content: Uint8Array | undefined): readonly string[] {
  if (content === undefined) return [];
  let found = digests.get(content);
  if (found === undefined) {
    const reading = readSeal(content);
    const whole = digestOf(content);
    found = 'text' in reading ? [whole, `text ${reading.text}`] : [whole];
    digests.set(content, found);
  }
  return found;
}

function isSpent(log: Uint8Array, kept: ReadonlySet<string>): boolean {
  const scan = scanWal(log, { target: LAB_FILE });
  if (scan.kind === 'torn' || scan.kind === 'unsealed') return true;
  return scan.kind === 'sealed' && kept.has(digestOf(scan.image));
}

async function checkAgain(
  after: DiskState,
  first: CheckpointStore<unknown>,
  settings: OpenSettings,
): Promise<StoreFailure[]> {
  const disk = new SimulatedDisk({ state: after });
  const outcome = await recover(disk, { ...settings, ...fixedWorld('a second recovery') });
  const fail = (message: string): StoreFailure[] => [{ check: 'is-idempotent', message }];
  if (!outcome.ready) return fail(`a second recovery refused: ${describeError(outcome.error)}`);
  const { store } = outcome;
  if (store.text !== first.text) return fail(`a second recovery found ${valueIn(store)}`);
  if (store.sequence !== first.sequence) {
    return fail(`a second recovery came to ${store.sequence} after ${first.sequence}`);
  }
  const finding = store.recovery.decisions.find(({ finding }) => finding);
  if (finding !== undefined) return fail(`a second recovery decided ${finding.label}`);
  const isStable = (state: DiskState) =>
    describeState(state)
      .filter(({ path }) => !isLock(path))
      .map(({ path, content }) => `${path}=${content && digestOf(content)}`)
      .join();
  return isStable(disk.visible()) === isStable(after)
    ? []
    : fail('a second recovery changed files');
}

function describeError(error: unknown): string {
  if (error instanceof CheckpointError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
