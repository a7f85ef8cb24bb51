/**
 * A file system that passes everything on to another one and records each operation in order, so that
 * tests can assert exact I/O; its hooks can make any operation fail, fall short or be watched. It adds
 * no behaviour of its own. Assumes that the wrapped one keeps the contract of `file-system.ts`.
 */

import type {
  FileHandle,
  FileLock,
  FileStat,
  FileSystem,
  LockOwner,
  LockResult,
  MaybePromise,
  OpenMode,
} from './file-system.js';

/** What was done. Operations of handles and locks stand beside those of the file system. */
export type OperationName =
  | keyof FileSystem
  | Exclude<keyof FileHandle, 'stat'>
  | Exclude<keyof FileLock, 'kind'>
  | 'handleStat';

/** One operation, about to run or done. */
export interface RecordedOperation {
  /** Place in the order in which operations were started, from 0. */
  readonly index: number;
  /** Which operation it was. */
  readonly operation: OperationName;
  /** The path; for handles and locks the one they were opened with. */
  readonly path: string;
  /** `rename`, `link`: the second path. */
  readonly to?: string;
  /** `open`: how. */
  readonly how?: OpenMode;
  /** `open`, `makeDirectory`, `setMode`: permission bits, where given. */
  readonly mode?: number;
  /** `read`, `write`: where, in bytes. */
  readonly position?: number;
  /** `read`, `write`: bytes asked for; `truncate`: the size. What was done is in `result`. */
  readonly bytes?: number;
  /** `pending` while a promise is out. */
  readonly state: 'pending' | 'done' | 'failed';
  /** What it returned (absent for handles and locks, which are wrapped). */
  readonly result?: unknown;
  /** What it threw or rejected with. */
  readonly error?: unknown;
}

/** Hooks around each operation. */
export interface RecordingHooks {
  /**
   * Called before the operation runs. Throwing makes it fail without being done. For `read` and
   * `write`, returned `bytes` cap what is passed on: a short read or write.
   */
  readonly before?: (operation: RecordedOperation) => { readonly bytes: number } | undefined;
  /**
   * Called once the operation has succeeded, for promises when they resolve. Throwing makes it report
   * a failure although it was done: a rejection where the result was a promise.
   */
  readonly after?: (operation: RecordedOperation) => void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Facts = Pick<RecordedOperation, 'operation' | 'path'> &
  Partial<Pick<RecordedOperation, 'to' | 'how' | 'mode' | 'position' | 'bytes'>>;

/** Keeps the list and calls the hooks; shared by the file system and everything it opened. */
class Recorder {
  readonly operations: RecordedOperation[] = [];
  hooks: RecordingHooks;

  constructor(hooks: RecordingHooks) {
    this.hooks = hooks;
  }

  /** Records an operation that may answer later around `act`. */
  run<T>(facts: Facts, act: () => MaybePromise<T>): MaybePromise<T> {
    const entry = this.#start(facts);
    try {
      this.hooks.before?.(entry);
      const result = act();
      if (!(result instanceof Promise)) return this.#succeed(entry, result);
      return result
        .then((value) => this.#succeed(entry, value))
        .catch((error: unknown) => this.#fail(entry, error));
    } catch (error) {
      return this.#fail(entry, error);
    }
  }

  /** As {@link run}, for operations that answer at once; `act` gets the cap that `before` set. */
  now<T>(facts: Facts, act: (cap: number | undefined) => T): T {
    const entry = this.#start(facts);
    try {
      const cap = this.hooks.before?.(entry)?.bytes;
      return this.#succeed(entry, act(cap));
    } catch (error) {
      return this.#fail(entry, error);
    }
  }

  #start(facts: Facts): Mutable<RecordedOperation> {
    const entry = { index: this.operations.length, ...facts, state: 'pending' } as const;
    this.operations.push(entry);
    return entry;
  }

  #succeed<T>(entry: Mutable<RecordedOperation>, result: T): T {
    entry.state = 'done';
    if (isPlainResult(result)) entry.result = result;
    this.hooks.after?.(entry);
    return result;
  }

  #fail(entry: Mutable<RecordedOperation>, error: unknown): never {
    entry.state = 'failed';
    delete entry.result;
    entry.error = error;
    throw error;
  }
}

/** A {@link FileSystem} that records. */
export class RecordingFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #recorder: Recorder;

  /** Passes every operation on to `inner`; `hooks` may look at each before and after. */
  constructor(inner: FileSystem, hooks: RecordingHooks = {}) {
    this.#inner = inner;
    this.#recorder = new Recorder(hooks);
  }

  /** Everything so far, in the order in which it was started. */
  get operations(): readonly RecordedOperation[] {
    return this.#recorder.operations;
  }

  /** Replaces the hooks, also for handles and locks that are open already. */
  setHooks(hooks: RecordingHooks): void {
    this.#recorder.hooks = hooks;
  }

  /** Forgets what was recorded; indices start at 0 again. */
  clear(): void {
    this.#recorder.operations.length = 0;
  }

  open(path: string, how: OpenMode, mode?: number): FileHandle {
    const facts = {
      operation: 'open',
      path,
      how,
      ...(mode === undefined ? {} : { mode }),
    } as const;
    const handle = this.#recorder.now(facts, () => this.#inner.open(path, how, mode));
    return new RecordingFileHandle(handle, path, this.#recorder);
  }

  rename(from: string, to: string): void {
    this.#recorder.now({ operation: 'rename', path: from, to }, () => this.#inner.rename(from, to));
  }

  link(existing: string, path: string): void {
    const facts = { operation: 'link', path: existing, to: path } as const;
    this.#recorder.now(facts, () => this.#inner.link(existing, path));
  }

  /** Recorded as `unlink`, then done below. */
  unlink(path: string): void {
    this.#recorder.now({ operation: 'unlink', path }, () => this.#inner.unlink(path));
  }

  makeDirectory(path: string, mode?: number): void {
    const facts = {
      operation: 'makeDirectory',
      path,
      ...(mode === undefined ? {} : { mode }),
    } as const;
    this.#recorder.now(facts, () => this.#inner.makeDirectory(path, mode));
  }

  /** Recorded as `removeDirectory`, then done below. */
  removeDirectory(path: string): void {
    const facts = { operation: 'removeDirectory', path } as const;
    this.#recorder.now(facts, () => this.#inner.removeDirectory(path));
  }

  list(path: string): string[] {
    return this.#recorder.now({ operation: 'list', path }, () => this.#inner.list(path));
  }

  stat(path: string): FileStat | undefined {
    return this.#recorder.now({ operation: 'stat', path }, () => this.#inner.stat(path));
  }

  statLink(path: string): FileStat | undefined {
    return this.#recorder.now({ operation: 'statLink', path }, () => this.#inner.statLink(path));
  }

  realPath(path: string): string {
    return this.#recorder.now({ operation: 'realPath', path }, () => this.#inner.realPath(path));
  }

  readLink(path: string): string {
    return this.#recorder.now({ operation: 'readLink', path }, () => this.#inner.readLink(path));
  }

  syncDirectory(path: string): MaybePromise<boolean> {
    const facts = { operation: 'syncDirectory', path } as const;
    return this.#recorder.run(facts, () => this.#inner.syncDirectory(path));
  }

  lock(path: string): LockResult {
    const result = this.#recorder.now({ operation: 'lock', path }, () => this.#inner.lock(path));
    if (!result.acquired) return result;
    return { acquired: true, lock: new RecordingFileLock(result.lock, path, this.#recorder) };
  }

  lockHolder(path: string): LockOwner | undefined {
    return this.#recorder.now({ operation: 'lockHolder', path }, () =>
      this.#inner.lockHolder(path),
    );
  }
}

class RecordingFileHandle implements FileHandle {
  readonly #inner: FileHandle;
  readonly #path: string;
  readonly #recorder: Recorder;

  constructor(inner: FileHandle, path: string, recorder: Recorder) {
    this.#inner = inner;
    this.#path = path;
    this.#recorder = recorder;
  }

  read(target: Uint8Array, position: number): number {
    const facts = { operation: 'read', path: this.#path, position, bytes: target.length } as const;
    return this.#recorder.now(facts, (cap) =>
      this.#inner.read(cap === undefined ? target : target.subarray(0, cap), position),
    );
  }

  write(data: Uint8Array, position: number): number {
    const facts = { operation: 'write', path: this.#path, position, bytes: data.length } as const;
    return this.#recorder.now(facts, (cap) =>
      this.#inner.write(cap === undefined ? data : data.subarray(0, cap), position),
    );
  }

  size(): number {
    return this.#now('size', () => this.#inner.size());
  }

  stat(): FileStat {
    return this.#now('handleStat', () => this.#inner.stat());
  }

  truncate(size: number): void {
    const facts = { operation: 'truncate', path: this.#path, bytes: size } as const;
    this.#recorder.now(facts, () => this.#inner.truncate(size));
  }

  setMode(mode: number): void {
    const facts = { operation: 'setMode', path: this.#path, mode } as const;
    this.#recorder.now(facts, () => this.#inner.setMode(mode));
  }

  setOwner(uid: number, gid: number): void {
    this.#now('setOwner', () => this.#inner.setOwner(uid, gid));
  }

  sync(scope?: 'data'): MaybePromise<void> {
    const facts = { operation: 'sync', path: this.#path } as const;
    return this.#recorder.run(facts, () => this.#inner.sync(scope));
  }

  close(): void {
    this.#now('close', () => this.#inner.close());
  }

  #now<T>(operation: OperationName, act: () => T): T {
    return this.#recorder.now({ operation, path: this.#path }, act);
  }
}

class RecordingFileLock implements FileLock {
  readonly kind: FileLock['kind'];
  readonly #inner: FileLock;
  readonly #path: string;
  readonly #recorder: Recorder;

  constructor(inner: FileLock, path: string, recorder: Recorder) {
    this.kind = inner.kind;
    this.#inner = inner;
    this.#path = path;
    this.#recorder = recorder;
  }

  isHeld(): boolean {
    return this.#recorder.now({ operation: 'isHeld', path: this.#path }, () =>
      this.#inner.isHeld(),
    );
  }

  release(): void {
    this.#recorder.now({ operation: 'release', path: this.#path }, () => this.#inner.release());
  }
}

/** Plain data is worth recording; handles and locks are wrapped, and `undefined` says nothing. */
function isPlainResult(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return result !== undefined;
  return Array.isArray(result) || 'kind' in result || 'pid' in result;
}
