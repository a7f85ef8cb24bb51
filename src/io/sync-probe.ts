/**
 * Trying out what a directory can do, with a temporary file of our own: create, write, sync, rename,
 * sync the directory, lock. The names are such that a recovery removes them, should this process be
 * killed in between; otherwise nothing is left, also after an error and an interruption.
 */
import { CheckpointError } from '../errors.js';
import { closeQuietly, writeAll } from './file-content.js';
import type { FileHandle, FileLock, FileSystem } from './file-system.js';
import { createFile, temporaryFor, unlinkIfThere } from './files.js';
import { readError, syncError, writeError } from './io-error.js';
import { join, type StorePaths } from './store-paths.js';
import type { SystemProbe } from './system-probe.js';

/** Times of one kind of sync, in milliseconds. */
export interface SyncTimes {
  readonly samples: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** What was found by trying. */
export interface ProbeFacts {
  /** Small writes at the end of a file, each with its sync. */
  readonly file: SyncTimes;
  /** Renames in the directory, each with its sync; absent where directories can't be synced. */
  readonly directory?: SyncTimes;
  /** How the store's lock would be held here; absent where locking failed. */
  readonly lock?: FileLock['kind'];
  /** How far the file system's time stamps are ahead of the clock, in milliseconds; negative: behind. */
  readonly stampsAheadMs: number;
}

/** Settings of {@link probeDirectory}. */
export interface ProbeOptions {
  readonly fs: FileSystem;
  readonly system: SystemProbe;
  readonly paths: Pick<StorePaths, 'directory' | 'targetName'>;
  readonly signal?: AbortSignal | undefined;
}

/** A log grows by some such amount for each record of a small save. */
const WRITE_BYTES = 512;
const SAMPLES = 40;
/** A slow disk is not tried for longer than this; a few samples are taken in any case. */
const BUDGET_MS = 4000;
const SAMPLES_MIN = 3;
/** Reserved by its beginning, as all names of the store's own files are. */
const PROBE_LOCK = '.checkpoint.doctor';
const LOCK_ATTEMPTS = 20;

/**
 * Tries the directory out. Ends within some seconds on a disk that answers.
 * @throws CheckpointError `WRITE_FAILED`, `NO_SPACE`, `SYNC_FAILED`; the reason of `signal` if aborted
 */
export async function probeDirectory(options: ProbeOptions): Promise<ProbeFacts> {
  const { fs, system, paths } = options;
  const target = join(paths.directory, paths.targetName);
  const names = [temporaryFor(target, system.random), temporaryFor(target, system.random)] as const;
  let handle: FileHandle | undefined;
  try {
    handle = createFile(fs, names[0], { mode: 0o600 });
    const stampsAheadMs = stampAfterWrite(handle, names[0]) - system.now();
    const file = await timeFileSyncs(options, handle, names[0]);
    const directory = await timeDirectorySyncs(options, names);
    const lock = await tryLock(options);
    return { file, ...(directory && { directory }), ...(lock && { lock }), stampsAheadMs };
  } finally {
    closeQuietly(handle);
    for (const name of names) removeQuietly(fs, name);
  }
}

function stampAfterWrite(handle: FileHandle, file: string): number {
  writeAll(handle, new Uint8Array(WRITE_BYTES), 0, file);
  try {
    return handle.stat().modifiedMs;
  } catch (error) {
    throw readError(error, file);
  }
}

async function timeFileSyncs(
  options: ProbeOptions,
  handle: FileHandle,
  file: string,
): Promise<SyncTimes> {
  const bytes = new Uint8Array(WRITE_BYTES).fill(0x2e);
  return await sample(options, async (index) => {
    writeAll(handle, bytes, (index + 1) * WRITE_BYTES, file);
    try {
      await handle.sync();
    } catch (error) {
      throw syncError(error, file, 'file');
    }
  });
}

async function timeDirectorySyncs(
  options: ProbeOptions,
  names: readonly [string, string],
): Promise<SyncTimes | undefined> {
  const { fs, paths } = options;
  let canSync = true;
  const times = await sample(options, async (index) => {
    const [from, to] = index % 2 === 0 ? names : [names[1], names[0]];
    try {
      fs.rename(from, to);
    } catch (error) {
      throw writeError(error, from, 'renaming');
    }
    try {
      canSync &&= await fs.syncDirectory(paths.directory);
    } catch (error) {
      throw syncError(error, paths.directory, 'directory');
    }
  });
  return canSync ? times : undefined;
}

async function sample(
  { system, signal }: ProbeOptions,
  attempt: (index: number) => Promise<void>,
): Promise<SyncTimes> {
  const times: number[] = [];
  const startedMs = system.elapsedMs();
  while (times.length < SAMPLES) {
    // Between two samples signals and the progress line have their turn.
    await system.pause();
    signal?.throwIfAborted();
    const beforeMs = system.elapsedMs();
    if (times.length >= SAMPLES_MIN && beforeMs - startedMs > BUDGET_MS / 2) break;
    await attempt(times.length);
    times.push(system.elapsedMs() - beforeMs);
  }
  times.sort((left, right) => left - right);
  const at = (share: number) => times[Math.ceil(times.length * share) - 1] ?? 0;
  return { samples: times.length, medianMs: at(0.5), p99Ms: at(0.99) };
}

/**
 * Takes a lock of our own beside the store's files, never the store's, and gives it back at once. One
 * name for all, so that whatever a killed process left of it is cleared by the next.
 */
async function tryLock({ fs, system, paths }: ProbeOptions): Promise<FileLock['kind'] | undefined> {
  const path = join(paths.directory, PROBE_LOCK);
  for (let attempt = 1; attempt <= LOCK_ATTEMPTS; attempt += 1) {
    try {
      const result = fs.lock(path);
      if (result.acquired) {
        result.lock.release();
        return result.lock.kind;
      }
    } catch {
      // What is told is that no lock can be had; why, the system knows.
      return undefined;
    }
    // Another diagnosis of this directory has it for a moment.
    await system.pause();
  }
  return undefined;
}

/** What can't be removed stays a temporary file, which the next recovery removes. */
function removeQuietly(fs: FileSystem, path: string): void {
  try {
    unlinkIfThere(fs, path);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
  }
}
