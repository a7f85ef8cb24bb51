/**
 * A file system that lets only so many syncs run at once, over all who share one {@link SyncSchedule}:
 * the others wait, first come first served, and keep no thread while they do. Everything else is passed
 * on. Adds no wait where syncs answer at once. What it is for: `docs/many-stores.md`.
 */
import { closeQuietly } from './file-content.js';
import type { FileHandle, FileStat, FileSystem, MaybePromise, OpenMode } from './file-system.js';
import { isPromiseLike } from './run.js';
import { SyncWatchingFileSystem } from './sync-watching-file-system.js';
import { systemError } from './system-error.js';

/** What a schedule has to do, and had at most. */
export interface SyncScheduleStats {
  /** Syncs that run now. */
  readonly running: number;
  readonly runningMax: number;
  /** Syncs that wait for their turn. */
  readonly waiting: number;
  readonly waitingMax: number;
}

/** Lets at most so many syncs run at once; a failed one makes room as any other. */
export class SyncSchedule {
  readonly #runningLimit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #runningMax = 0;
  #waitingMax = 0;

  /** @param runningLimit an integer from 1 */
  constructor(runningLimit: number) {
    this.#runningLimit = runningLimit;
  }

  /** The numbers now. */
  stats(): SyncScheduleStats {
    const [running, runningMax] = [this.#running, this.#runningMax];
    return { running, runningMax, waiting: this.#waiting.length, waitingMax: this.#waitingMax };
  }

  /** Performs a sync, at once if there is room; passes on what it returns and throws. */
  run<T>(act: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#running < this.#runningLimit) return this.#start(act);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          Promise.resolve(this.#start(act)).then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      });
      this.#waitingMax = Math.max(this.#waitingMax, this.#waiting.length);
    });
  }

  #start<T>(act: () => MaybePromise<T>): MaybePromise<T> {
    this.#running += 1;
    this.#runningMax = Math.max(this.#runningMax, this.#running);
    let result: MaybePromise<T>;
    try {
      result = act();
    } catch (error) {
      this.#end();
      throw error;
    }
    if (!isPromiseLike(result)) {
      this.#end();
      return result;
    }
    const end = () => this.#end();
    result.then(end, end);
    return result;
  }

  #end(): void {
    this.#running -= 1;
    while (this.#running < this.#runningLimit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }
}

/** See the head of this file. */
export class SyncSchedulingFileSystem extends SyncWatchingFileSystem {
  readonly #below: FileSystem;
  readonly #schedule: SyncSchedule;

  constructor(below: FileSystem, schedule: SyncSchedule) {
    super(below, (_kind, _path, act) => schedule.run(act));
    this.#below = below;
    this.#schedule = schedule;
  }

  override open(path: string, how: OpenMode, mode?: number): FileHandle {
    return new ScheduledHandle(this.#below.open(path, how, mode), this.#schedule);
  }
}

/** A handle that is closed for its user at once, and really when no sync of it waits any more. */
class ScheduledHandle implements FileHandle {
  readonly #below: FileHandle;
  readonly #schedule: SyncSchedule;
  #waiting = 0;
  #closed = false;

  constructor(below: FileHandle, schedule: SyncSchedule) {
    this.#below = below;
    this.#schedule = schedule;
  }

  read(target: Uint8Array, position: number): number {
    return this.#open('read').read(target, position);
  }

  write(data: Uint8Array, position: number): number {
    return this.#open('write').write(data, position);
  }

  size(): number {
    return this.#open('fstat').size();
  }

  stat(): FileStat {
    return this.#open('fstat').stat();
  }

  truncate(size: number): void {
    this.#open('ftruncate').truncate(size);
  }

  setMode(mode: number): void {
    this.#open('fchmod').setMode(mode);
  }

  setOwner(uid: number, gid: number): void {
    this.#open('fchown').setOwner(uid, gid);
  }

  sync(scope?: 'data'): MaybePromise<void> {
    const below = this.#open('fsync');
    this.#waiting += 1;
    return this.#schedule.run(() => {
      this.#waiting -= 1;
      try {
        return below.sync(scope);
      } finally {
        // From here on the handle below sees to it that closing does not disturb the sync.
        if (this.#closed && this.#waiting === 0) closeQuietly(below);
      }
    });
  }

  close(): void {
    const below = this.#open('close');
    this.#closed = true;
    if (this.#waiting === 0) below.close();
  }

  #open(syscall: string): FileHandle {
    if (this.#closed) throw systemError('EBADF', syscall);
    return this.#below;
  }
}
