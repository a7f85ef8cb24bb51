/**
 * Files and directories of a store, created and named with care: creation is exclusive, names are
 * durable before anything relies on them. Assumes the lock is held, so that nobody else writes our files.
 */
import { CheckpointError } from '../errors.js';
import { toHex } from '../format/bytes.js';
import { checkSize, closeQuietly, type Ownership, writeAll } from './file-content.js';
import type { FileHandle, FileSystem } from './file-system.js';
import { isMissing, readError, syncError, systemCode, writeError } from './io-error.js';
import { type Steps, settle, wait } from './run.js';
import { join, nameOf, parentOf } from './store-paths.js';

const READ_ONLY = 0o444;

/**
 * Creates a file that must not exist yet. The owner is set before the mode is final, as changing the
 * owner may clear permission bits; an owner that this user may not give is left as it is.
 * @throws CheckpointError `WRITE_FAILED`, `NO_SPACE`
 */
export function createFile(fs: FileSystem, path: string, ownership: Ownership): FileHandle {
  let handle: FileHandle;
  try {
    handle = fs.open(path, 'create', ownership.mode);
  } catch (error) {
    // An error may come after the file was made. An empty file that nobody else can have made since
    // (the lock is held) promises nothing, and would stand in the way of the next attempt.
    if (systemCode(error) !== 'EEXIST') removeIfEmpty(fs, path);
    throw writeError(error, path, 'creating');
  }
  try {
    takeOwner(handle, ownership);
  } catch (error) {
    closeQuietly(handle);
    unlinkIfThere(fs, path);
    throw writeError(error, path, 'creating');
  }
  return handle;
}

function removeIfEmpty(fs: FileSystem, path: string): void {
  try {
    if (fs.statLink(path)?.size === 0) fs.unlink(path);
  } catch {
    // The error that led here is the one to report.
  }
}

function takeOwner(handle: FileHandle, { mode, owner }: Ownership): void {
  if (owner === undefined) return;
  const now = handle.stat();
  if (now.uid === owner.uid && now.gid === owner.gid) return;
  try {
    handle.setOwner(owner.uid, owner.gid);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
  }
  handle.setMode(mode);
}

/** Syncs a file, or its data alone. @throws CheckpointError `SYNC_FAILED` */
export function* syncFile(handle: FileHandle, file: string, scope?: 'data'): Steps<void> {
  try {
    yield* wait(handle.sync(scope));
  } catch (error) {
    throw syncError(error, file, 'file');
  }
}

/** Syncs a directory; where the platform can't, nothing happens (reported when the store is opened). */
export function* syncDirectory(fs: FileSystem, path: string): Steps<void> {
  try {
    yield* wait(fs.syncDirectory(path));
  } catch (error) {
    throw syncError(error, path, 'directory');
  }
}

/**
 * Puts a complete, durable file at `path`, which nothing else writes while the lock is held: written
 * under a temporary name, synced, renamed, its directory synced.
 * @returns `false` if `path` is taken already; then nothing was changed
 */
export function* publishNew(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  ownership: Ownership,
  temporary: string,
): Steps<boolean> {
  yield* writeSynced(fs, temporary, bytes, ownership);
  let isTaken: boolean;
  try {
    isTaken = fs.statLink(path) !== undefined;
  } catch (error) {
    unlinkIfThere(fs, temporary);
    throw writeError(error, path, 'naming');
  }
  if (isTaken) {
    unlinkIfThere(fs, temporary);
    return false;
  }
  yield* giveName(fs, temporary, path);
  return true;
}

/** The same, in the place of whatever is at `path`. */
export function* replaceFile(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  ownership: Ownership,
  temporary: string,
): Steps<void> {
  yield* writeSynced(fs, temporary, bytes, ownership);
  yield* giveName(fs, temporary, path);
}

function* writeSynced(
  fs: FileSystem,
  temporary: string,
  bytes: Uint8Array,
  ownership: Ownership,
): Steps<void> {
  const handle = createFile(fs, temporary, ownership);
  try {
    writeAll(handle, bytes, 0, temporary);
    checkSize(handle, bytes.length, temporary);
    yield* syncFile(handle, temporary);
  } catch (error) {
    closeQuietly(handle);
    unlinkIfThere(fs, temporary);
    throw error;
  }
  closeQuietly(handle);
}

function* giveName(fs: FileSystem, temporary: string, path: string): Steps<void> {
  try {
    fs.rename(temporary, path);
  } catch (error) {
    unlinkIfThere(fs, temporary);
    throw writeError(error, path, 'naming');
  }
  yield* syncDirectory(fs, parentOf(path));
}

/**
 * Creates a directory of the store's own. A symbolic link in its place is refused: what is kept in it
 * must not leave the store's directory.
 */
export function* ensureOwnDirectory(fs: FileSystem, path: string): Steps<void> {
  if (fs.statLink(path)?.kind === 'symlink') {
    throw new CheckpointError(
      'PATH_OUTSIDE_STORE',
      `${path} is a symbolic link: the store keeps its files in its own directory only. Put a directory in its place.`,
      { file: path },
    );
  }
  yield* ensureDirectory(fs, path);
}

/** Creates a directory and its parents, each durable in its own parent. */
export function* ensureDirectory(fs: FileSystem, path: string, mode?: number): Steps<boolean> {
  const found = fs.stat(path);
  if (found?.kind === 'directory') return false;
  if (found !== undefined) {
    throw new CheckpointError('WRITE_FAILED', `${path} is in the way: it is not a directory.`, {
      file: path,
    });
  }
  const parent = parentOf(path);
  if (parent !== path) yield* ensureDirectory(fs, parent, mode);
  try {
    fs.makeDirectory(path, mode);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw writeError(error, path, 'creating directory');
  }
  yield* syncDirectory(fs, parent);
  return true;
}

/**
 * Makes the names of a directory and of all above it durable: who made them may have been killed before it
 * could. One that may not be opened was not made by us.
 * @throws CheckpointError `SYNC_FAILED`
 */
export function* syncAncestors(fs: FileSystem, path: string): Steps<void> {
  for (let one = path; parentOf(one) !== one; one = parentOf(one)) {
    try {
      yield* wait(fs.syncDirectory(parentOf(one)));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') continue;
      throw syncError(error, parentOf(one), 'directory');
    }
  }
}

/** Removes a file if it is there. @throws CheckpointError `WRITE_FAILED` */
export function unlinkIfThere(fs: FileSystem, path: string): boolean {
  try {
    fs.unlink(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw writeError(error, path, 'removing');
  }
}

/** Errors that mean that there are no hard links here, or nothing to link: then a copy is made. */
const NO_LINKS = new Set(['EPERM', 'EMLINK', 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'ENOENT']);

/** Gives a file a further name; `false` where that can't be done. @throws CheckpointError `WRITE_FAILED` */
export function linkOrNot(fs: FileSystem, existing: string, path: string): boolean {
  try {
    fs.link(existing, path);
    return true;
  } catch (error) {
    if (NO_LINKS.has(systemCode(error) ?? '')) return false;
    throw writeError(error, path, 'linking');
  }
}

/** Takes the write permission away, as far as this user may; history is read-only. */
export function makeReadOnly(fs: FileSystem, path: string): void {
  let handle: FileHandle | undefined;
  try {
    handle = fs.open(path, 'read');
    handle.setMode(handle.stat().mode & READ_ONLY);
  } catch {
    // A courtesy against slips of the hand; history entries verify themselves.
  } finally {
    closeQuietly(handle);
  }
}

/** Syncs a file by name, through a handle that may write where the system allows it. */
export function* syncPath(fs: FileSystem, path: string): Steps<void> {
  let handle: FileHandle;
  try {
    handle = fs.open(path, 'readWrite');
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) {
      throw readError(error, path);
    }
    handle = fs.open(path, 'read');
  }
  try {
    yield* syncFile(handle, path);
  } finally {
    closeQuietly(handle);
  }
}

const RANDOM_DIGITS = 12;

/** The name of a temporary file for `path`: hidden, in the same directory, not to be guessed. */
export function temporaryFor(path: string, random: (length: number) => Uint8Array): string {
  const digits = toHex(random(RANDOM_DIGITS / 2));
  return join(parentOf(path), `.${nameOf(path)}.${digits}.tmp`);
}

/** Whether a name is one that {@link temporaryFor} makes for files that `isOurs` accepts. */
export function isTemporaryName(name: string, isOurs: (name: string) => boolean): boolean {
  const found = /^\.(.+)\.[0-9a-f]{12}\.tmp$/s.exec(name);
  return found?.[1] !== undefined && isOurs(found[1]);
}

/** Runs steps for two independent things at once where they have to wait; fails with the first failure. */
export function* both(first: () => Steps<void>, second: () => Steps<void>): Steps<void> {
  const one = settle(first);
  const two = settle(second);
  for (const outcome of [yield* wait(one), yield* wait(two)]) {
    if (outcome.failed) throw outcome.error;
  }
}
