/**
 * A file system on which things go wrong: passes everything on to another one, and asks one decision
 * function at each operation which fault it meets (`fault-rules.ts`). Stands on the hooks of the
 * recording file system, so that it also has the list of what was done; a thin layer beneath does
 * what hooks can't: lie, be late, lose pages, return wrong bytes. Ruled by `docs/fault-model.md`.
 */
import type { Decide, FaultRule } from './fault-rules.js';
import { describeFault, type Fault, isApplicable } from './faults.js';
import type { FileHandle, FileLock, FileSystem, LockResult, MaybePromise } from './file-system.js';
import {
  type OperationName,
  type RecordedOperation,
  RecordingFileSystem,
  type RecordingHooks,
} from './recording-file-system.js';
import { type SystemError, systemError } from './system-error.js';

/** Runs `resume` after `delayMs` milliseconds of whatever time it keeps. */
export type Schedule = (resume: () => void, delayMs: number) => void;

/** A disk that can forget what it was not yet told to keep; `SimulatedDisk` is one. */
export interface ForgetfulDisk {
  /** Never lets what was written to this inode and not synced become durable; processes still see it. */
  dropPending(inode: number): void;
}

/** Options of a {@link FaultyFileSystem}. */
export interface FaultyOptions {
  /** Time for the fault `delay`. Default: `setTimeout`. */
  readonly schedule?: Schedule;
  /** Whose pages the fault `dropPages` drops. Default: the wrapped file system, if it can. */
  readonly disk?: ForgetfulDisk;
}

/** A fault that an operation met. */
export interface InjectedFault {
  /** Index of the operation in `operations`. */
  readonly index: number;
  /** The operation that met it. */
  readonly operation: OperationName;
  /** The path that it was asked for. */
  readonly path: string;
  /** What was done to it. */
  readonly fault: Fault;
}

/** See the head of this file. Recording goes on as in its base; hooks set by others run besides. */
export class FaultyFileSystem extends RecordingFileSystem {
  readonly #injector: Injector;

  /**
   * `faults` is a rule, of which this takes a fresh decision function, or a decision function itself.
   * It may name only faults that mean something for the operation; others are a `TypeError`.
   */
  constructor(inner: FileSystem, faults?: FaultRule | Decide, options: FaultyOptions = {}) {
    const injector = new Injector(options.disk ?? forgetful(inner), options.schedule);
    super(layer(inner, injector), injector.hooks);
    this.#injector = injector;
    this.setFaults(faults);
  }

  /** The faults that were met so far, in order. */
  get injected(): readonly InjectedFault[] {
    return this.#injector.injected;
  }

  /** Goes on with other faults, counted afresh; with none if absent. */
  setFaults(faults: FaultRule | Decide | undefined): void {
    this.#injector.decide = typeof faults === 'function' ? faults : faults?.start();
  }

  /** Hooks that run besides: `before` once the decision is made and unless it was to fail. */
  override setHooks(hooks: RecordingHooks): void {
    this.#injector.further = hooks;
  }

  override clear(): void {
    super.clear();
    this.#injector.injected.length = 0;
  }
}

/** A fault as one line for a person, as `#12 sync of /lab/.checkpoint.wal: dropPages('EIO')`. */
export function describeInjected({ index, operation, path, fault }: InjectedFault): string {
  return `#${index} ${operation} of ${path}: ${describeFault(fault)}`;
}

/** What hooks and layer share. Operations start synchronously, so at most one fault is on its way. */
class Injector {
  decide: Decide | undefined;
  further: RecordingHooks = {};
  readonly injected: InjectedFault[] = [];
  readonly disk: ForgetfulDisk | undefined;
  readonly schedule: Schedule;
  readonly #met = new WeakMap<RecordedOperation, Fault>();
  #current: Fault | undefined;

  constructor(disk: ForgetfulDisk | undefined, schedule: Schedule = onTimer) {
    this.disk = disk;
    this.schedule = schedule;
  }

  readonly hooks: RecordingHooks = {
    before: (operation) => this.#before(operation),
    after: (operation) => {
      const fault = this.#met.get(operation);
      if (fault?.kind === 'doneThenFail') throw errorOf(operation, fault.code);
      this.further.after?.(operation);
    },
  };

  /** The fault that the layer has to carry out in the operation that has just begun. */
  take(): Fault | undefined {
    const fault = this.#current;
    this.#current = undefined;
    return fault;
  }

  #before(operation: RecordedOperation): { readonly bytes: number } | undefined {
    // One that was not taken belonged to an operation that never reached the layer.
    this.#current = undefined;
    const fault = this.decide?.(operation);
    if (fault === undefined) return this.further.before?.(operation);
    if (!isApplicable(fault, operation)) {
      throw new TypeError(`${describeFault(fault)} means nothing for ${operation.operation}`);
    }
    const { index, operation: name, path, bytes = 0 } = operation;
    this.#met.set(operation, fault);
    this.injected.push({ index, operation: name, path, fault });
    if (fault.kind === 'fail') throw errorOf(operation, fault.code);
    const cap = this.further.before?.(operation);
    this.#current = fault;
    if (fault.kind !== 'short') return cap;
    return { bytes: Math.min(shortened(bytes, fault.amount), cap?.bytes ?? bytes) };
  }
}

function shortened(bytes: number, amount: Extract<Fault, { kind: 'short' }>['amount']): number {
  if (amount === 'half') return Math.ceil(bytes / 2);
  return amount === 'one' ? Math.min(1, bytes) : 0;
}

function onTimer(resume: () => void, delayMs: number): void {
  setTimeout(resume, delayMs);
}

function forgetful(inner: FileSystem): ForgetfulDisk | undefined {
  return 'dropPending' in inner ? (inner as FileSystem & ForgetfulDisk) : undefined;
}

/** What the system calls the operations whose names here are others. */
const syscalls: Partial<Record<OperationName, string>> = {
  makeDirectory: 'mkdir',
  removeDirectory: 'rmdir',
  list: 'scandir',
  statLink: 'lstat',
  realPath: 'realpath',
  readLink: 'readlink',
  syncDirectory: 'fsync',
  lock: 'open',
  lockHolder: 'open',
  size: 'fstat',
  handleStat: 'fstat',
  truncate: 'ftruncate',
  setMode: 'fchmod',
  setOwner: 'fchown',
  sync: 'fsync',
  isHeld: 'stat',
  release: 'unlink',
};

/** Operations on descriptors, in whose errors node names no path. */
const onDescriptors = new Set<OperationName>([
  'read',
  'write',
  'size',
  'handleStat',
  'truncate',
  'setMode',
  'setOwner',
  'sync',
  'syncDirectory',
  'close',
]);

function errorOf(
  { operation, path, to }: RecordedOperation,
  code: Parameters<typeof systemError>[0],
): SystemError {
  const syscall = syscalls[operation] ?? operation;
  return onDescriptors.has(operation)
    ? systemError(code, syscall)
    : systemError(code, syscall, path, to);
}

/** The wrapped file system, except for what faults make of opening, locking and syncing. */
function layer(inner: FileSystem, injector: Injector): FileSystem {
  return instead(inner, {
    open(path, how, mode) {
      const fault = injector.take();
      const handle = inner.open(path, how, mode);
      // The caller gets an error instead of it, and nobody else could ever close it.
      if (fault?.kind === 'doneThenFail') handle.close();
      return faultyHandle(inner, handle, injector);
    },
    lock(path): LockResult {
      const fault = injector.take();
      const result = inner.lock(path);
      if (!result.acquired) return result;
      if (fault?.kind === 'doneThenFail') result.lock.release();
      return { acquired: true, lock: faultyLock(result.lock, injector) };
    },
    syncDirectory(path): MaybePromise<boolean> {
      const fault = injector.take();
      if (fault?.kind === 'lie') {
        // Also a lying disk can't sync what is not there.
        if (inner.stat(path)?.kind === 'directory') return true;
      } else if (fault?.kind === 'delay') {
        return late(fault, () => inner.syncDirectory(path), injector).result;
      }
      return inner.syncDirectory(path);
    },
  });
}

function faultyLock(inner: FileLock, injector: Injector): FileLock {
  return instead(inner, {
    isHeld: () => (injector.take()?.kind === 'loseLock' ? false : inner.isHeld()),
  });
}

function faultyHandle(fs: FileSystem, inner: FileHandle, injector: Injector): FileHandle {
  const unfinished = new Set<() => void>();
  return instead(inner, {
    read(target, position): number {
      const fault = injector.take();
      const count = inner.read(target, position);
      const got = target.subarray(0, count);
      if (fault?.kind === 'flipBit') flip(got, fault.offset - position, fault.bit);
      if (fault?.kind === 'misdirect') readElsewhere(fs, inner, got, position, fault);
      return count;
    },
    sync(scope?: 'data'): MaybePromise<void> {
      const fault = injector.take();
      if (fault?.kind === 'lie') {
        // Fails on a closed handle, as it should.
        inner.stat();
      } else if (fault?.kind === 'dropPages') {
        dropPagesOf(inner, injector);
        throw systemError(fault.code, 'fsync');
      } else if (fault?.kind === 'delay') {
        inner.stat();
        const { result, finish } = late(fault, () => inner.sync(scope), injector);
        unfinished.add(finish);
        return result;
      } else {
        return inner.sync(scope);
      }
    },
    close(): void {
      // A sync that is on its way is finished by the system, also when the file is closed meanwhile.
      for (const finish of unfinished) finish();
      unfinished.clear();
      inner.close();
    },
  });
}

function dropPagesOf(handle: FileHandle, { disk }: Injector): void {
  if (disk === undefined) throw new TypeError('dropPages needs a disk that can forget');
  disk.dropPending(handle.stat().inode);
}

function flip(bytes: Uint8Array, at: number, bit: number): void {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = byte ^ (1 << bit);
}

function readElsewhere(
  fs: FileSystem,
  own: FileHandle,
  target: Uint8Array,
  position: number,
  { from, shift }: Extract<Fault, { kind: 'misdirect' }>,
): void {
  target.fill(0);
  if (from !== undefined && fs.stat(from)?.kind !== 'file') return;
  const other = from === undefined ? own : fs.open(from, 'read');
  try {
    const start = position + shift;
    // Before the file's beginning there is nothing.
    const missing = Math.min(target.length, Math.max(0, -start));
    if (missing < target.length) other.read(target.subarray(missing), start + missing);
  } finally {
    if (other !== own) other.close();
  }
}

/** A sync that answers later; `finish` does now what was left for then, if that has not been done. */
function late<T>(
  { delayMs, done }: Extract<Fault, { kind: 'delay' }>,
  act: () => MaybePromise<T>,
  { schedule }: Injector,
): { readonly result: Promise<T>; readonly finish: () => void } {
  let outcome: Promise<T> | undefined;
  const finish = () => {
    outcome ??= attempt(act);
    // Whoever waits gets the failure; without this it would count as unhandled until then.
    outcome.catch(() => {});
  };
  if (done === 'first') finish();
  const result = new Promise<T>((resolve) => {
    schedule(() => {
      finish();
      if (outcome !== undefined) resolve(outcome);
    }, delayMs);
  });
  return { result, finish };
}

async function attempt<T>(act: () => MaybePromise<T>): Promise<T> {
  return act();
}

/** `inner` with some of its methods replaced. The others run on it itself, as private fields demand. */
function instead<T extends object>(inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const source = Object.hasOwn(replaced, name) ? replaced : target;
      const value: unknown = Reflect.get(source, name);
      return typeof value === 'function' ? value.bind(source) : value;
    },
  });
}
