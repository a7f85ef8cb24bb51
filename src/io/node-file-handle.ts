/**
 * An open file of the real file system. It owns the descriptor: nothing else closes it, and it is
 * given back only when no sync uses it any more. Assumes that one thread uses the handle.
 */

import {
  close,
  closeSync,
  fchmodSync,
  fchownSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  readSync,
  type Stats,
  writeSync,
} from 'node:fs';
import type { FileHandle, FileStat, OpenMode } from './file-system.js';
import { pause } from './pause.js';
import { checkByteCount, checkMode, errorCode, systemError } from './system-error.js';

/** Calls tried in all when the system says "interrupted" or "try again". */
const interruptedAttemptsMax = 20;

/** Metadata as this package words it. */
export function statOf(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    size: stats.size,
    mode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
    device: stats.dev,
    inode: stats.ino,
    links: stats.nlink,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
  };
}

/** A {@link FileHandle} on a descriptor that it takes over. */
export class NodeFileHandle implements FileHandle {
  readonly #descriptor: number;
  readonly #syncMode: 'threadPool' | 'blocking';
  /** Whether closing it may take long. */
  readonly #closesLater: boolean;
  #closed = false;
  #syncsInFlight = 0;

  constructor(descriptor: number, syncMode: 'threadPool' | 'blocking', how: OpenMode) {
    this.#descriptor = descriptor;
    this.#syncMode = syncMode;
    this.#closesLater = syncMode === 'threadPool' && how !== 'read';
  }

  read(target: Uint8Array, position: number): number {
    checkByteCount('position', position);
    const descriptor = this.#use('read');
    return retryInterrupted(() => readSync(descriptor, target, 0, target.length, position));
  }

  write(data: Uint8Array, position: number): number {
    checkByteCount('position', position);
    const descriptor = this.#use('write');
    return retryInterrupted(() => writeSync(descriptor, data, 0, data.length, position));
  }

  size(): number {
    return fstatSync(this.#use('fstat')).size;
  }

  stat(): FileStat {
    return statOf(fstatSync(this.#use('fstat')));
  }

  truncate(size: number): void {
    checkByteCount('size', size);
    ftruncateSync(this.#use('ftruncate'), size);
  }

  setMode(mode: number): void {
    checkMode(mode);
    fchmodSync(this.#use('fchmod'), mode);
  }

  setOwner(uid: number, gid: number): void {
    checkByteCount('uid', uid);
    checkByteCount('gid', gid);
    fchownSync(this.#use('fchown'), uid, gid);
  }

  /** Never retried here: after a failed fsync the pages count as clean, and a second call would lie. */
  sync(scope?: 'data'): void | Promise<void> {
    const isData = scope === 'data';
    const descriptor = this.#use(isData ? 'fdatasync' : 'fsync');
    if (this.#syncMode === 'blocking') return (isData ? fdatasyncSync : fsyncSync)(descriptor);
    this.#syncsInFlight += 1;
    return new Promise((resolve, reject) => {
      (isData ? fdatasync : fsync)(descriptor, (error) => {
        this.#syncsInFlight -= 1;
        if (this.#closed && this.#syncsInFlight === 0) closeQuietly(descriptor);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /**
   * Closes; what may have been written in the thread pool, where syncs go there. While a sync is in flight the
   * descriptor stays open until the sync has ended: a number closed too early may be given to another file,
   * and the sync would then reach that one.
   */
  close(): void {
    const descriptor = this.#use('close');
    this.#closed = true;
    if (this.#syncsInFlight > 0) return;
    if (this.#closesLater) closeLater(descriptor);
    else closeSync(descriptor);
  }

  /** The number of a closed descriptor may be another file's by now, so it is never handed out again. */
  #use(syscall: string): number {
    if (this.#closed) throw systemError('EBADF', syscall);
    return this.#descriptor;
  }
}

/**
 * Closing the last handle of a file that has no name any more frees its blocks, which takes as long as
 * a sync: it is not waited for. What was only read is closed in less time than a thread is woken. That data is durable only its sync can say, so an error tells nothing.
 */
function closeLater(descriptor: number): void {
  close(descriptor, () => {});
}

/** The sync has said already whether the data is durable; a late error of close adds nothing to it. */
function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // Linux gives the descriptor back even when close reports an error.
  }
}

function retryInterrupted<T>(call: () => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return call();
    } catch (error) {
      const code = errorCode(error);
      if ((code !== 'EINTR' && code !== 'EAGAIN') || attempt >= interruptedAttemptsMax) throw error;
      if (code === 'EAGAIN') pause(1);
    }
  }
}

function kindOf(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}
