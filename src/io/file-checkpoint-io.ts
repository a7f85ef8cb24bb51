/**
 * The port on files: locking, observing and closing here; the six steps in `write-operations.ts`,
 * recovery's in `recovery-operations.ts`. Runs on any {@link FileSystem}.
 */
import { CheckpointError } from '../errors.js';
import { problemWith, seeChange } from './checkpoint-file.js';
import type { CheckpointIo, HistorySearch, IoOperations, Observation } from './checkpoint-io.js';
import { closeQuietly } from './file-content.js';
import type { LockOwner, LockResult } from './file-system.js';
import { ensureDirectory, syncAncestors, syncDirectory } from './files.js';
import { readHealth, textDigest, writeHealth } from './health-files.js';
import { keepInHistory } from './history-files.js';
import { findInHistory } from './history-search.js';
import { syncError, writeError } from './io-error.js';
import {
  adoptCheckpoint,
  checkCheckpoint,
  checkWal,
  finishWal,
  keepCheckpoint,
  loadWal,
  quarantineWal,
  readWal,
  removeLeftovers,
  verifyWal,
} from './recovery-operations.js';
import { run, type Steps, wait } from './run.js';
import { checkLock, createSession, pathsOf, type Session, type SessionOptions } from './session.js';
import { checkFileName, resolvePaths, type StorePaths } from './store-paths.js';
import {
  abandonRound,
  deleteWal,
  dropTemporary,
  dropWal,
  syncCheckpoint,
  syncWal,
  writeCheckpoint,
  writeData,
  writeIntent,
} from './write-operations.js';

/** Settings of {@link createFileCheckpointIo}. */
export type FileCheckpointIoOptions = SessionOptions;

/** The operations of the protocol on files. One instance serves one open store, once. */
export function createFileCheckpointIo(options: FileCheckpointIoOptions): CheckpointIo {
  const session = createSession(options);
  return {
    acquireLock: () => run(acquireLock(session)),
    releaseLock: () => run(releaseLock(session)),
    checkWal: () => checkWal(session),
    readWal: () => readWal(session),
    verifyWal: () => verifyWal(session),
    quarantineWal: (input) => run(quarantineWal(session, input)),
    finishWal: () => run(finishWal(session)),
    loadWal: () => run(loadWal(session)),
    checkCheckpoint: () => run(checkCheckpoint(session)),
    findInHistory: (input) => run(findInHistory(session, input)),
    keepCheckpoint: (input) => run(keepCheckpoint(session, input)),
    adoptCheckpoint: (input) => run(adoptCheckpoint(session, input)),
    removeLeftovers: () => removeLeftovers(session),
    readHealth: () => run(readHealth(session)),
    writeHealth: (input) => run(writeHealth(session, input)),
    observeCheckpoint: () => run(observeCheckpoint(session)),
    writeIntent: (input) => run(writeIntent(session, input)),
    writeData: () => writeData(session),
    syncWal: () => run(syncWal(session)),
    writeCheckpoint: () => writeCheckpoint(session),
    syncCheckpoint: () => run(syncCheckpoint(session)),
    deleteWal: () => deleteWal(session),
    dropWal: () => run(dropWal(session)),
    dropTemporary: () => dropTemporary(session),
    abandonRound: () => run(abandonRound(session)),
  };
}

/**
 * The read-only half of the port, without the lock: for looking at a store that somebody else may
 * have open.
 * @throws CheckpointError `NO_STORE` where there is no directory
 */
export function createFileInspection(options: FileCheckpointIoOptions) {
  const session = createSession(options);
  const paths = resolvePaths(options.fs, options.directory, options.file);
  session.located = paths;
  return {
    paths,
    lockHolder: (): LockOwner | undefined => options.fs.lockHolder(paths.lock),
    checkWal: () => checkWal(session),
    readWal: () => readWal(session),
    verifyWal: () => verifyWal(session),
    checkCheckpoint: () => run(checkCheckpoint(session)),
    findInHistory: (search?: HistorySearch) => run(findInHistory(session, search)),
    currentDigest: () => session.current && textDigest(session.current),
    walBytes: () => session.walBytes,
    current: () => session.current,
    entries: () => session.entries,
  };
}

function* acquireLock(session: Session): Steps<IoOperations['acquireLock']['output']> {
  const { fs, directory, file } = session;
  checkFileName(file);
  yield* ensureDirectory(fs, directory);
  const paths = resolvePaths(fs, directory, file);
  session.located = paths;
  let result: LockResult;
  try {
    result = fs.lock(paths.lock);
  } catch (error) {
    throw writeError(error, paths.lock, 'locking');
  }
  if (!result.acquired) throw lockedBy(result.holder, paths);
  session.lock = result.lock;
  try {
    if (fs.stat(paths.target) === undefined) yield* syncAncestors(fs, paths.directory);
    const canSyncDirectories = yield* wait(fs.syncDirectory(paths.directory));
    return {
      directory: paths.directory,
      target: paths.target,
      lock: result.lock.kind,
      warnings: warningsOf(session, paths, canSyncDirectories),
    };
  } catch (error) {
    result.lock.release();
    session.lock = undefined;
    throw syncError(error, paths.directory, 'directory');
  }
}

function warningsOf({ fs, lock }: Session, paths: StorePaths, canSync: boolean): string[] {
  const warnings: string[] = [];
  const links = fs.stat(paths.target)?.links ?? 1;
  if (links > 1) {
    warnings.push(
      `${paths.targetName} has ${links} names (hard links): a save replaces this one only, the others keep the old content.`,
    );
  }
  if (!canSync) {
    warnings.push(
      'This platform can not sync directories: after a power failure the last save may be missing.',
    );
  }
  if (lock?.kind === 'owner-file') {
    warnings.push(
      'No kernel lock here (fs-native-extensions is not installed): the lock is an owner file, judged by process id, start time and boot.',
    );
  }
  return warnings;
}

function lockedBy(holder: LockOwner | undefined, { lock, directory }: StorePaths): CheckpointError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host}, since ${holder.since}`
    : 'another process';
  return new CheckpointError(
    'LOCKED',
    `The store in ${directory} is open in ${who}. Close it there, or end that process; its lock then frees itself.`,
    { file: lock, ...(holder && { holder: { ...holder } }) },
  );
}

/**
 * Leaves a second copy of the current checkpoint in history, so that an edit in place while nobody
 * watches can't destroy the only one; makes the last unlink durable; gives up the lock.
 */
function* releaseLock(session: Session): Steps<undefined> {
  const { lock, current, recovered, untrusted, round } = session;
  closeQuietly(round?.wal?.handle);
  closeQuietly(round?.temporary?.handle);
  if (lock === undefined) return undefined;
  try {
    if (recovered && !untrusted && lock.isHeld()) {
      if (current?.historic && current.reading.kind === 'sealed' && seeChange(session) === 'same') {
        yield* keepInHistory(session, current, current.reading.sequence, 'copy');
      }
      yield* syncDirectory(session.fs, pathsOf(session).directory);
    }
  } finally {
    session.lock = undefined;
    if (session.unlock === undefined) lock.release();
    else session.unlock(lock);
  }
  return undefined;
}

function* observeCheckpoint(session: Session): Steps<Observation> {
  checkLock(session);
  const seen = seeChange(session);
  if (seen === 'same') {
    return { change: 'unchanged', sealed: session.current?.reading.kind === 'sealed' };
  }
  session.observed = seen;
  if (seen === undefined) return { change: 'missing' };
  const before = session.current?.reading;
  const known = before !== undefined && 'text' in before ? before.text : undefined;
  const problem = yield* problemWith(session, seen, known);
  const size = seen.bytes.length;
  return problem === undefined ? { change: 'edited', size } : { change: 'damaged', size, problem };
}
