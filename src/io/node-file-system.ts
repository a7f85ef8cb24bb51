/**
 * The real file system, over `node:fs`. Small operations are synchronous system calls; only syncs go
 * to the thread pool (design: a hop costs as much as a small write). Assumes a local file system;
 * what platforms don't offer is reported, not pretended: `docs/fault-model.md`.
 */

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { isAbsolute } from 'node:path';
import type {
  FileHandle,
  FileStat,
  FileSystem,
  LockOwner,
  LockResult,
  MaybePromise,
  OpenMode,
} from './file-system.js';
import { NodeFileHandle, statOf } from './node-file-handle.js';
import { createNodeLocks, type NodeLocks } from './node-lock.js';
import { pause } from './pause.js';
import { checkMode, checkPath, errorCode, isMissing, systemError } from './system-error.js';

/** Options of {@link createNodeFileSystem}. */
export interface NodeFileSystemOptions {
  /**
   * Where syncs run: `threadPool` (default) returns a promise and leaves the event loop free;
   * `blocking` returns when the disk has answered, for short-lived programs.
   */
  readonly sync?: SyncMode;
  /**
   * How {@link FileSystem.lock} locks: with the kernel's lock where there is one (`kernel`, the
   * default), or by the owner's record alone. Both exclude each other.
   */
  readonly lock?: 'kernel' | 'owner-file';
}

/** Where syncs run. */
export type SyncMode = 'threadPool' | 'blocking';

/**
 * The {@link FileSystem} of this machine.
 *
 * - Modes are exact, whatever the umask is. Defaults: `0o600` for files, `0o700` for directories.
 * - `open` never follows a symbolic link for `create`, never blocks on a pipe, and refuses everything
 *   that is not a regular file (`EISDIR`, else `EINVAL`).
 * - Closing a handle while its sync is in flight is safe: the descriptor is given back afterwards.
 * - `syncDirectory` returns `false` on Windows, and where the file system says that it can't.
 */
export function createNodeFileSystem(options: NodeFileSystemOptions = {}): FileSystem {
  return new NodeFileSystem(
    options.sync ?? 'threadPool',
    createNodeLocks({ kind: options.lock ?? 'kernel' }),
  );
}

/** Renames tried on Windows, where scanners and indexers hold files open for moments. */
const renameAttemptsMax = 10;
const isWindows = process.platform === 'win32';

class NodeFileSystem implements FileSystem {
  readonly #sync: SyncMode;
  readonly #locks: NodeLocks;

  constructor(sync: SyncMode, locks: NodeLocks) {
    this.#sync = sync;
    this.#locks = locks;
  }

  open(path: string, how: OpenMode, mode = 0o600): FileHandle {
    check(path);
    checkMode(mode);
    const descriptor = openSync(path, openFlags(how), mode);
    try {
      // The umask has taken bits from the mode given to open; only fchmod sets it exactly.
      if (how === 'create') fchmodSync(descriptor, mode);
      else refuseIrregular(descriptor, path);
    } catch (error) {
      closeSync(descriptor);
      if (how === 'create') unlinkSync(path);
      throw error;
    }
    return new NodeFileHandle(descriptor, this.#sync, how);
  }

  rename(from: string, to: string): void {
    check(from, to);
    for (let attempt = 1; ; attempt++) {
      try {
        renameSync(from, to);
        return;
      } catch (error) {
        const code = errorCode(error);
        const transient = code === 'EPERM' || code === 'EACCES' || code === 'EBUSY';
        if (!isWindows || !transient || attempt >= renameAttemptsMax) throw error;
        pause(attempt * 10);
      }
    }
  }

  link(existing: string, path: string): void {
    check(existing, path);
    linkSync(existing, path);
  }

  unlink(path: string): void {
    check(path);
    unlinkSync(path);
  }

  makeDirectory(path: string, mode = 0o700): void {
    check(path);
    checkMode(mode);
    mkdirSync(path, mode);
    const actual = lstatSync(path).mode;
    // Bits beyond the permissions stay: a directory inherits set-group-id, which shared folders need.
    if ((actual & 0o777) !== mode && !isWindows) chmodSync(path, (actual & 0o7000) | mode);
  }

  removeDirectory(path: string): void {
    check(path);
    rmdirSync(path);
  }

  list(path: string): string[] {
    check(path);
    return readdirSync(path).sort();
  }

  stat(path: string): FileStat | undefined {
    check(path);
    return statIfPresent(() => statSync(path, { throwIfNoEntry: false }));
  }

  statLink(path: string): FileStat | undefined {
    check(path);
    return statIfPresent(() => lstatSync(path, { throwIfNoEntry: false }));
  }

  realPath(path: string): string {
    check(path);
    return realpathSync.native(path);
  }

  readLink(path: string): string {
    check(path);
    return readlinkSync(path);
  }

  syncDirectory(path: string): MaybePromise<boolean> {
    check(path);
    const descriptor = openDirectory(path);
    if (descriptor === undefined) return false;
    if (this.#sync === 'blocking') {
      try {
        fsyncSync(descriptor);
        return true;
      } catch (error) {
        return directorySyncFailed(error);
      } finally {
        closeSync(descriptor);
      }
    }
    return new Promise((resolve, reject) => {
      fsync(descriptor, (error) => {
        try {
          closeSync(descriptor);
          resolve(error === null ? true : directorySyncFailed(error));
        } catch (failure) {
          reject(failure);
        }
      });
    });
  }

  lock(path: string): LockResult {
    check(path);
    return this.#locks.lock(path);
  }

  lockHolder(path: string): LockOwner | undefined {
    check(path);
    return this.#locks.holder(path);
  }
}

function check(...paths: string[]): void {
  for (const path of paths) checkPath(path, isAbsolute);
}

/** These flags are undefined on Windows, where `|` makes them 0. */
function openFlags(how: OpenMode): number {
  const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;
  if (how === 'create') return O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW;
  return (how === 'read' ? O_RDONLY : O_RDWR) | O_NONBLOCK;
}

function refuseIrregular(descriptor: number, path: string): void {
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return;
  throw systemError(stats.isDirectory() ? 'EISDIR' : 'EINVAL', 'open', path);
}

function statIfPresent(read: () => Stats | undefined): FileStat | undefined {
  try {
    const stats = read();
    return stats && statOf(stats);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const code = errorCode(error);
    if (isWindows && (code === 'EISDIR' || code === 'EPERM' || code === 'EACCES')) return undefined;
    throw error;
  }
}

/** `false` for "this file system has no such thing"; everything else is a failed sync. */
function directorySyncFailed(error: unknown): false {
  const code = errorCode(error);
  const unsupported = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
  if (code !== undefined && unsupported.includes(code)) return false;
  if (isWindows && (code === 'EPERM' || code === 'EACCES' || code === 'EISDIR')) return false;
  throw error;
}
