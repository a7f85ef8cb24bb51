/**
 * The file system as this package needs it: small enough that a simulated disk can implement all of
 * it faithfully. Paths are absolute. Writing and naming are synchronous, because a thread-pool hop
 * costs as much as a small write; only syncs may return a promise, and implementations that can
 * sync at once (a simulated disk) return nothing.
 *
 * Errors are `Error`s with the usual `code` (`ENOENT`, `EEXIST`, `ENOSPC`, `EIO`, …), as node's are.
 */

/** A value now, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** How a file is opened. `create` is always exclusive and fails with `EEXIST`; `readWrite` needs the file to exist. */
export type OpenMode = 'read' | 'readWrite' | 'create';

/** What {@link FileSystem.stat} reports. */
export interface FileStat {
  /** What the name leads to. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Permission bits, `0o777` at most. */
  readonly mode: number;
  /** Number of the user who owns it. */
  readonly uid: number;
  /** Number of its group. */
  readonly gid: number;
  /** Identity: equal `device` and `inode` mean the same file. */
  readonly device: number;
  /** Equal for two names of one file. */
  readonly inode: number;
  /** How many names the file has. */
  readonly links: number;
  /** Last modification, milliseconds since the epoch, with sub-millisecond fraction where known. */
  readonly modifiedMs: number;
  /** Last change of content or metadata, milliseconds since the epoch. */
  readonly changedMs: number;
}

/** An open file. Reads and writes are positioned; there is no implicit offset. */
export interface FileHandle {
  /** Reads into `target` from byte `position`; returns the bytes read, 0 at the end. */
  read(target: Uint8Array, position: number): number;
  /** Writes `data` at byte `position`; returns the bytes written, which may be fewer (a short write). */
  write(data: Uint8Array, position: number): number;
  /** Current size in bytes. */
  size(): number;
  /** Identity and metadata of the open file, whatever its name is now. */
  stat(): FileStat;
  /** Cuts or zero-extends to `size` bytes. */
  truncate(size: number): void;
  /** Sets permission bits. */
  setMode(mode: number): void;
  /** Gives the file to another user and group; what the system forbids is an error (`EPERM`). */
  setOwner(uid: number, gid: number): void;
  /**
   * Makes content and size durable (not the name: that is {@link FileSystem.syncDirectory}). With `data`
   * times and modes may be left out, which costs less where the file keeps its size (`fdatasync`).
   */
  sync(scope?: 'data'): MaybePromise<void>;
  /** Closes, also while a sync is in flight. Any later operation, a second close too, is `EBADF`. */
  close(): void;
}

/** Who holds a lock: enough to tell a living holder from a dead one, and to name it in an error. */
export interface LockOwner {
  /** Process id. */
  readonly pid: number;
  /** When that process started, in the system's own unit, to tell a reused pid; absent where unknown. */
  readonly startedAt?: string;
  /** Which boot of the machine; absent where unknown. */
  readonly bootId?: string;
  /** Host name: on another host a process id says nothing. */
  readonly host: string;
  /** When the lock was taken, ISO 8601. */
  readonly since: string;
}

/** A held lock. */
export interface FileLock {
  /** `kernel`: released by the system when the process ends. `owner-file`: liveness is judged from the owner record. */
  readonly kind: 'kernel' | 'owner-file' | 'memory';
  /** Whether the lock is still ours: its file is still the one we locked. */
  isHeld(): boolean;
  /** Gives the lock up. Safe to call twice. */
  release(): void;
}

/** Outcome of {@link FileSystem.lock}: a held lock, or who holds it instead (an expected outcome, not an exception). */
export type LockResult =
  | { readonly acquired: true; readonly lock: FileLock }
  | { readonly acquired: false; readonly holder: LockOwner | undefined };

/** The operations. Every implementation passes the suite in `test/conformance`. */
export interface FileSystem {
  /**
   * Opens a regular file (`EISDIR` for a directory). `mode` is for `create`: permission bits, applied
   * exactly (no umask), `0o600` unless given. `create` does not follow a final symbolic link.
   */
  open(path: string, how: OpenMode, mode?: number): FileHandle;
  /** Atomically replaces `to` by `from`. */
  rename(from: string, to: string): void;
  /** Gives the file at `existing` the further name `path`; `EEXIST` if taken. */
  link(existing: string, path: string): void;
  /** Removes a name of a file; open handles stay usable. Throws `ENOENT`. */
  unlink(path: string): void;
  /** Creates one directory; `EEXIST` if there is one already. `mode` is exact, `0o700` unless given. */
  makeDirectory(path: string, mode?: number): void;
  /** Removes an empty directory. Throws `ENOTEMPTY`. */
  removeDirectory(path: string): void;
  /** Names in a directory, sorted by code unit. */
  list(path: string): string[];
  /** Follows symbolic links. `undefined` where nothing is there. */
  stat(path: string): FileStat | undefined;
  /** Does not follow a final symbolic link. `undefined` where nothing is there. */
  statLink(path: string): FileStat | undefined;
  /** The absolute path with every symbolic link resolved; `ENOENT` if it leads nowhere, `ELOOP` if in circles. */
  realPath(path: string): string;
  /** The text of a symbolic link. */
  readLink(path: string): string;
  /** Makes the names in a directory durable. Returns `false` where the platform can't. */
  syncDirectory(path: string): MaybePromise<boolean>;
  /**
   * Takes the exclusive lock at `path`, without waiting. The file exists while the lock is held, and
   * after a crash; beside it, names of the form `<path>.<16 hex digits>[.tmp]` belong to the lock.
   * Not even another lock of the same process gets it.
   */
  lock(path: string): LockResult;
  /** Who holds the lock at `path`, if a living process does, without taking it. */
  lockHolder(path: string): LockOwner | undefined;
}
