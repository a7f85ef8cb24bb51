/**
 * Records what any code in this process does to a folder through node's `fs`: callback, synchronous
 * and promise functions, file handles and write streams. Whole-file functions are taken apart into
 * open, write, sync and close, as node does it inside. Install it before the code under test is
 * imported, because some writers keep node's functions from then on. The lab checks every trace
 * against the files that were really left, so that an operation that slipped through is noticed.
 */
import fs, { type PathLike } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TracedFiles, WriterOperation, WriterTrace } from '../../src/testing/traced-writer.js';

/** What a traced run can say about itself. */
export interface TraceMarks {
  /** From here on the new content may be found; from the start unless said. */
  saving(): void;
  /** The new content is promised from here on; when the run resolves unless said. */
  saved(): void;
}

/** Settings of {@link NodeFsTracer.trace}. */
export interface TraceOptions {
  /** Makes the write with this number, from 0, write only its first half: a short write. */
  readonly shortWrite?: number;
}

type Callback = (error: Error | null, ...results: unknown[]) => void;
type AnyFunction = (this: unknown, ...args: never[]) => unknown;
type Table = Record<string, AnyFunction>;

/** Descriptors that are open in the folder. */
interface OpenFile {
  readonly handle: number;
  readonly path: string;
  readonly isDirectory: boolean;
  readonly appends: boolean;
  /** Opened with O_SYNC or O_DSYNC: each write is synced by itself. */
  readonly syncsWrites: boolean;
  position: number;
}

/** Patches node's `fs` from {@link install} to {@link uninstall}; records during {@link trace} only. */
export class NodeFsTracer {
  #recording: Recording | undefined;
  #undo: (() => void)[] = [];

  /** Replaces the functions of `node:fs` and `node:fs/promises` by ones that can record. */
  async install(): Promise<void> {
    const raw = { ...fs } as unknown as Table;
    const current = () => this.#recording;
    this.#patch(fs, syncFunctions(raw, current));
    this.#patch(fs, callbackFunctions(raw, current));
    this.#patch(fs.promises, promiseFunctions(fs as unknown as Table, current));
    await this.#patchFileHandles();
    syncBuiltinESMExports();
  }

  /** Puts node's own functions back. */
  uninstall(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
    syncBuiltinESMExports();
  }

  /**
   * Runs `act` and records what it does below `folder`. Rejects with what `act` rejects with, and with
   * a `TypeError` where a write overlaps a sync of the same file: what the sync covered is not known.
   */
  async trace(
    folder: string,
    act: (marks: TraceMarks) => void | Promise<void>,
    { shortWrite }: TraceOptions = {},
  ): Promise<WriterTrace> {
    const root = fs.realpathSync(folder);
    const before = readFiles(root);
    const recording = new Recording(root, shortWrite);
    this.#recording = recording;
    try {
      await act({
        saving: () => recording.add({ kind: 'saving' }),
        saved: () => recording.markSaved(),
      });
      recording.markSaved();
    } finally {
      this.#recording = undefined;
    }
    recording.check();
    return { before, operations: recording.operations, after: readFiles(root) };
  }

  #patch(target: object, replacements: Table): void {
    const table = target as Table;
    for (const [name, replacement] of Object.entries(replacements)) {
      const original = table[name];
      if (original === undefined) continue;
      // `util.promisify` finds its instructions in symbols on the function.
      for (const key of Object.getOwnPropertySymbols(original)) {
        const descriptor = Object.getOwnPropertyDescriptor(original, key);
        if (descriptor) Object.defineProperty(replacement, key, descriptor);
      }
      table[name] = replacement;
      this.#undo.push(() => {
        table[name] = original;
      });
    }
  }

  /** The class of file handles is not exported: its prototype is taken from one. */
  async #patchFileHandles(): Promise<void> {
    const handle = await fs.promises.open(process.execPath, 'r');
    const prototype = Object.getPrototypeOf(handle) as object;
    await handle.close();
    this.#patch(prototype, handleFunctions(fs as unknown as Table));
  }
}

/** The operations of one run. */
class Recording {
  readonly operations: WriterOperation[] = [];
  readonly #root: string;
  readonly #files = new Map<number, OpenFile>();
  readonly #shortWrite: number | undefined;
  readonly #overlaps: string[] = [];
  #handles = 0;
  #writes = 0;
  #isSaved = false;

  constructor(root: string, shortWrite: number | undefined) {
    this.#root = root;
    this.#shortWrite = shortWrite;
  }

  add(operation: WriterOperation): void {
    this.operations.push(operation);
  }

  markSaved(): void {
    if (!this.#isSaved) this.add({ kind: 'saved' });
    this.#isSaved = true;
  }

  check(): void {
    const [path] = this.#overlaps;
    if (path !== undefined) throw new TypeError(`a write overlapped a sync of ${path}`);
  }

  /** The path as the lab knows it, symbolic links on the way resolved; `undefined` outside the folder. */
  pathOf(path: PathLike): string | undefined {
    const absolute = resolve(path instanceof URL ? fileURLToPath(path) : String(path));
    const parent = realPath(dirname(absolute));
    const inside = relative(this.#root, join(parent, basename(absolute)));
    if (inside === '' || absolute === this.#root) return '/';
    return inside.startsWith('..') ? undefined : `/${inside.split(sep).join('/')}`;
  }

  /** What must be known before a file is opened; gives what to call with its descriptor. */
  opening(path: PathLike, flags: string | number = 'r'): (descriptor: number) => void {
    const bits = flagBits(flags);
    const real = realPath(String(path instanceof URL ? fileURLToPath(path) : path));
    const inside = this.pathOf(real);
    if (inside === undefined) return (descriptor) => void this.#files.delete(descriptor);
    const stat = statOf(real);
    return (descriptor) => {
      const handle = this.#handles++;
      const isDirectory = stat?.isDirectory() ?? false;
      const has = (bit: number) => (bits & bit) !== 0;
      const { O_APPEND, O_TRUNC, O_SYNC, O_DSYNC = 0, O_WRONLY, O_RDWR } = fs.constants;
      const file = {
        handle,
        path: inside,
        isDirectory,
        appends: has(O_APPEND),
        syncsWrites: has(O_SYNC) || has(O_DSYNC),
        position: 0,
      };
      this.#files.set(descriptor, file);
      if (isDirectory) return this.add({ kind: 'openDirectory', handle, path: inside });
      const isWritable = has(O_WRONLY) || has(O_RDWR);
      const truncated = isWritable && has(O_TRUNC) && (stat?.size ?? 0) > 0;
      this.add({ kind: 'open', handle, path: inside, created: stat === undefined, truncated });
    };
  }

  /** How many of `length` bytes the next write is allowed. */
  allowed(descriptor: number, length: number): number {
    if (!this.#files.has(descriptor)) return length;
    const isShort = this.#writes++ === this.#shortWrite && length > 1;
    return isShort ? Math.floor(length / 2) : length;
  }

  wrote(descriptor: number, data: Uint8Array, position: unknown): void {
    const file = this.#files.get(descriptor);
    if (file === undefined || data.length === 0) return;
    const isPositioned = typeof position === 'number' || typeof position === 'bigint';
    const sizeNow = fs.fstatSync(descriptor).size;
    const at = file.appends
      ? sizeNow - data.length
      : isPositioned
        ? Number(position)
        : file.position;
    if (!isPositioned) file.position = at + data.length;
    const { handle } = file;
    this.add({ kind: 'write', handle, position: at, data: Uint8Array.from(data) });
    if (file.syncsWrites) this.add({ kind: 'sync', handle });
  }

  read(descriptor: number, bytes: number, position: unknown): void {
    const file = this.#files.get(descriptor);
    if (file && typeof position !== 'number' && typeof position !== 'bigint')
      file.position += bytes;
  }

  truncated(descriptor: number, size: number): void {
    const file = this.#files.get(descriptor);
    if (file) this.add({ kind: 'truncate', handle: file.handle, size });
  }

  /** A sync begins; gives what to call when it has ended well. */
  syncing(descriptor: number): () => void {
    const file = this.#files.get(descriptor);
    if (file === undefined) return () => {};
    const begun = this.operations.length;
    return () => {
      const during = this.operations.slice(begun);
      const isData = ({ kind }: WriterOperation) => kind === 'write' || kind === 'truncate';
      const overlaps = during.some(
        (one) => isData(one) && 'handle' in one && one.handle === file.handle,
      );
      if (overlaps) this.#overlaps.push(file.path);
      this.add({ kind: 'sync', handle: file.handle });
    };
  }

  closed(descriptor: number): void {
    const file = this.#files.get(descriptor);
    if (file) this.add({ kind: 'close', handle: file.handle });
    this.#files.delete(descriptor);
  }

  /** An operation on names: the paths are taken before it is done. */
  naming(name: string, first: PathLike, second: unknown): () => void {
    if (name === 'symlink') {
      const path = this.pathOf(second as PathLike);
      if (path === undefined) return () => {};
      return () => this.add({ kind: 'symlink', target: String(first), path });
    }
    const path = this.pathOf(first);
    const to = name === 'rename' || name === 'link' ? this.pathOf(second as PathLike) : undefined;
    if (path === undefined) {
      if (to !== undefined) throw new TypeError(`${name} from outside the traced folder`);
      return () => {};
    }
    const made = name === 'mkdir' ? this.#missingParents(path, second) : [];
    return () => {
      if (name === 'unlink') this.add({ kind: 'unlink', path });
      else if (name === 'rmdir') this.add({ kind: 'removeDirectory', path });
      else if (name === 'mkdir')
        for (const one of made) this.add({ kind: 'makeDirectory', path: one });
      else if (to === undefined) throw new TypeError(`${name} out of the traced folder`);
      else this.add({ kind: name as 'rename' | 'link', path, to });
    };
  }

  #missingParents(path: string, options: unknown): string[] {
    const isRecursive =
      typeof options === 'object' && options !== null && 'recursive' in options
        ? options.recursive === true
        : false;
    if (!isRecursive) return [path];
    const missing: string[] = [];
    for (
      let at = path;
      at !== '/' && statOf(join(this.#root, at)) === undefined;
      at = dirname(at)
    ) {
      missing.unshift(at);
    }
    return missing;
  }
}

function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

function statOf(path: string): fs.Stats | undefined {
  return fs.statSync(path, { throwIfNoEntry: false });
}

/** The flags that `open` takes as words, as bits. */
function flagBits(flags: string | number): number {
  if (typeof flags === 'number') return flags;
  const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, O_SYNC } = fs.constants;
  const kind = flags[0] ?? 'r';
  let bits = kind === 'r' ? O_RDONLY : O_CREAT | O_WRONLY;
  if (kind === 'w') bits |= O_TRUNC;
  if (kind === 'a') bits |= O_APPEND;
  if (flags.includes('+')) bits = (bits & ~O_WRONLY) | O_RDWR;
  if (flags.includes('x')) bits |= O_EXCL;
  if (flags.includes('s')) bits |= O_SYNC;
  return bits;
}

/** Everything below a folder, with paths as the lab knows them. */
function readFiles(root: string): TracedFiles {
  const files: { path: string; content?: Uint8Array }[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const [path, absolute] = [`${prefix}/${entry.name}`, join(folder, entry.name)];
      if (entry.isDirectory()) {
        files.push({ path });
        visit(absolute, path);
      } else if (entry.isFile()) {
        files.push({ path, content: Uint8Array.from(fs.readFileSync(absolute)) });
      }
    }
  };
  visit(root, '');
  return files;
}

/** The bytes that a call of `write` asks for, and at which position; both its forms. */
function writeArguments(args: readonly unknown[]): { bytes: Uint8Array; position: unknown } {
  const [data, second, third, fourth] = args;
  if (typeof data === 'string') {
    const encoding = (typeof third === 'string' ? third : 'utf8') as BufferEncoding;
    return { bytes: Buffer.from(data, encoding), position: second };
  }
  const view = data as ArrayBufferView;
  const whole = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (typeof second === 'object' && second !== null) {
    const options = second as { offset?: number; length?: number; position?: number };
    const offset = options.offset ?? 0;
    const end = offset + (options.length ?? whole.length - offset);
    return { bytes: whole.subarray(offset, end), position: options.position };
  }
  const offset = typeof second === 'number' ? second : 0;
  const length = typeof third === 'number' ? third : whole.length - offset;
  return { bytes: whole.subarray(offset, offset + length), position: fourth };
}

type Current = () => Recording | undefined;
const nameOperations = ['rename', 'link', 'unlink', 'symlink', 'mkdir', 'rmdir'];

/** A whole file's bytes, and how `writeFile` was told to write it. */
function fileArguments(data: unknown, options: unknown) {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  const { encoding, mode, flag, flush } = given as Record<string, unknown>;
  const bytes =
    typeof data === 'string'
      ? Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding)
      : writeArguments([data]).bytes;
  return { bytes, mode: mode ?? 0o666, flag: flag as string | undefined, flush: flush === true };
}

/** The synchronous functions. Recorded right after they are done. */
function syncFunctions(raw: Table, current: Current): Table {
  const call = (name: string, ...args: unknown[]) =>
    (raw[name] as unknown as (...args: unknown[]) => unknown)(...args);
  const own = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const table: Record<string, (...args: never[]) => unknown> = {
    openSync(path: PathLike, flags?: string | number, mode?: unknown) {
      const opened = current()?.opening(path, flags);
      const descriptor = call('openSync', path, flags, mode) as number;
      opened?.(descriptor);
      return descriptor;
    },
    writeSync(descriptor: number, ...args: unknown[]) {
      const { bytes, position } = writeArguments(args);
      const length = current()?.allowed(descriptor, bytes.length) ?? bytes.length;
      const written = call('writeSync', descriptor, bytes, 0, length, position ?? null) as number;
      current()?.wrote(descriptor, bytes.subarray(0, written), position);
      return written;
    },
    writevSync(descriptor: number, buffers: ArrayBufferView[], position?: unknown) {
      return own.writeSync?.(descriptor, joined(buffers), { position });
    },
    readSync(descriptor: number, target: unknown, ...args: unknown[]) {
      const bytes = call('readSync', descriptor, target, ...args) as number;
      current()?.read(descriptor, bytes, positionOfRead(args));
      return bytes;
    },
    ftruncateSync(descriptor: number, size = 0) {
      call('ftruncateSync', descriptor, size);
      current()?.truncated(descriptor, size);
    },
    truncateSync(path: PathLike, size = 0) {
      const descriptor = own.openSync?.(path, 'r+');
      try {
        own.ftruncateSync?.(descriptor, size);
      } finally {
        own.closeSync?.(descriptor);
      }
    },
    closeSync(descriptor: number) {
      call('closeSync', descriptor);
      current()?.closed(descriptor);
    },
    writeFileSync(path: PathLike | number, data: unknown, options?: unknown) {
      const { bytes, mode, flag = 'w', flush } = fileArguments(data, options);
      const descriptor = typeof path === 'number' ? path : own.openSync?.(path, flag, mode);
      try {
        for (let at = 0; at < bytes.length; ) {
          at += own.writeSync?.(descriptor, bytes, at, bytes.length - at, null) as number;
        }
        if (flush) own.fsyncSync?.(descriptor);
      } finally {
        if (typeof path !== 'number') own.closeSync?.(descriptor);
      }
    },
    appendFileSync(path: PathLike | number, data: unknown, options?: unknown) {
      own.writeFileSync?.(path, data, appending(options));
    },
    copyFileSync(from: PathLike, to: PathLike, mode = 0) {
      const flag = (mode & fs.constants.COPYFILE_EXCL) === 0 ? 'w' : 'wx';
      own.writeFileSync?.(to, call('readFileSync', from), { flag });
    },
  };
  for (const name of ['fsyncSync', 'fdatasyncSync']) {
    table[name] = (descriptor: number) => {
      const synced = current()?.syncing(descriptor);
      call(name, descriptor);
      synced?.();
    };
  }
  for (const name of nameOperations) {
    table[`${name}Sync`] = (first: PathLike, ...rest: unknown[]) => {
      const named = current()?.naming(name, first, rest[0]);
      const result = call(`${name}Sync`, first, ...rest);
      named?.();
      return result;
    };
  }
  return table as unknown as Table;
}

/** The functions with callbacks. Recorded when they are done, before the caller is told. */
function callbackFunctions(raw: Table, current: Current): Table {
  const call = (name: string, ...args: unknown[]) =>
    (raw[name] as unknown as (...args: unknown[]) => unknown)(...args);
  const own = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const ending =
    (callback: Callback, note: (...results: unknown[]) => void): Callback =>
    (error, ...results) => {
      if (!error) note(...results);
      callback(error, ...results);
    };
  const split = (args: unknown[]) => ({
    callback: args.at(-1) as Callback,
    rest: args.slice(0, -1),
  });
  const table: Record<string, (...args: never[]) => unknown> = {
    open(path: PathLike, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const opened = current()?.opening(path, rest[0] as string | undefined);
      call(
        'open',
        path,
        ...rest,
        ending(callback, (descriptor) => opened?.(descriptor as number)),
      );
    },
    write(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const { bytes, position } = writeArguments(rest);
      const length = current()?.allowed(descriptor, bytes.length) ?? bytes.length;
      call(
        'write',
        descriptor,
        bytes,
        0,
        length,
        position ?? null,
        (error: Error | null, written: number) => {
          if (!error) current()?.wrote(descriptor, bytes.subarray(0, written), position);
          callback(error, written, rest[0]);
        },
      );
    },
    writev(descriptor: number, buffers: ArrayBufferView[], ...args: unknown[]) {
      const { callback, rest } = split(args);
      own.write?.(
        descriptor,
        joined(buffers),
        { position: rest[0] },
        (error: Error | null, written: number) => callback(error, written, buffers),
      );
    },
    read(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const note = (bytes: unknown) =>
        current()?.read(descriptor, bytes as number, positionOfRead(rest.slice(1)));
      call('read', descriptor, ...rest, ending(callback, note));
    },
    ftruncate(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const size = (rest[0] as number | undefined) ?? 0;
      call(
        'ftruncate',
        descriptor,
        size,
        ending(callback, () => current()?.truncated(descriptor, size)),
      );
    },
    close(descriptor: number, callback: Callback = () => {}) {
      call(
        'close',
        descriptor,
        ending(callback, () => current()?.closed(descriptor)),
      );
    },
  };
  for (const name of ['fsync', 'fdatasync']) {
    table[name] = (descriptor: number, callback: Callback) => {
      const synced = current()?.syncing(descriptor);
      call(
        name,
        descriptor,
        ending(callback, () => synced?.()),
      );
    };
  }
  for (const name of nameOperations) {
    table[name] = (first: PathLike, ...args: unknown[]) => {
      const { callback, rest } = split(args);
      const named = current()?.naming(name, first, rest[0]);
      call(
        name,
        first,
        ...rest,
        ending(callback, () => named?.()),
      );
    };
  }
  const whole = promiseFunctions(fs as unknown as Table, current);
  for (const name of ['writeFile', 'appendFile', 'copyFile', 'truncate']) {
    table[name] = (...args: unknown[]) => {
      const { callback, rest } = split(args);
      const done = (whole[name] as unknown as (...args: unknown[]) => Promise<unknown>)(...rest);
      done.then(() => callback(null), callback);
    };
  }
  return table as unknown as Table;
}

/** The functions of `fs.promises`, on top of those with callbacks. */
function promiseFunctions(own: Table, current: Current): Table {
  const later = promised(own);
  const open = fs.promises.open.bind(fs.promises);
  const table: Record<string, (...args: never[]) => unknown> = {
    async open(path: PathLike, flags?: string, mode?: number) {
      const note = noteOpening(current, path, flags);
      const handle = await open(path, flags, mode);
      note(handle);
      return handle;
    },
    async writeFile(target: unknown, data: unknown, options?: unknown) {
      if (typeof target === 'object' && target !== null && 'fd' in target) {
        return await writeWhole(later, target.fd as number, fileArguments(data, options));
      }
      const wanted = fileArguments(data, options);
      const isOpen = typeof target === 'number';
      const descriptor = isOpen
        ? target
        : await later('open', target, wanted.flag ?? 'w', wanted.mode);
      try {
        await writeWhole(later, descriptor as number, wanted);
      } finally {
        if (!isOpen) await later('close', descriptor);
      }
    },
    async appendFile(target: unknown, data: unknown, options?: unknown) {
      await (table.writeFile as (...args: unknown[]) => unknown)(target, data, appending(options));
    },
    async copyFile(from: PathLike, to: PathLike, mode = 0) {
      const flag = (mode & fs.constants.COPYFILE_EXCL) === 0 ? 'w' : 'wx';
      const write = table.writeFile as (...args: unknown[]) => unknown;
      await write(to, fs.readFileSync(from), { flag });
    },
    async truncate(path: PathLike, size = 0) {
      const descriptor = await later('open', path, 'r+');
      try {
        await later('ftruncate', descriptor, size);
      } finally {
        await later('close', descriptor);
      }
    },
  };
  for (const name of nameOperations) table[name] = (...args: unknown[]) => later(name, ...args);
  return table as unknown as Table;
}

/** The methods of file handles, on top of the functions with callbacks. */
function handleFunctions(own: Table): Table {
  const later = promised(own);
  type Handle = { readonly fd: number };
  const table = {
    async write(this: Handle, data: unknown, ...args: unknown[]) {
      return { bytesWritten: await later('write', this.fd, data, ...args), buffer: data };
    },
    async writev(this: Handle, buffers: ArrayBufferView[], position?: number) {
      return { bytesWritten: await later('writev', this.fd, buffers, position), buffers };
    },
    async writeFile(this: Handle, data: unknown, options?: unknown) {
      await writeWhole(later, this.fd, fileArguments(data, options));
    },
    async appendFile(this: Handle, data: unknown, options?: unknown) {
      await writeWhole(later, this.fd, fileArguments(data, options));
    },
    async truncate(this: Handle, size = 0) {
      await later('ftruncate', this.fd, size);
    },
    async sync(this: Handle) {
      await later('fsync', this.fd);
    },
    async datasync(this: Handle) {
      await later('fdatasync', this.fd);
    },
  };
  return table as unknown as Table;
}

type Later = (name: string, ...args: unknown[]) => Promise<unknown>;

function promised(own: Table): Later {
  return (name, ...args) =>
    new Promise((resolve, reject) => {
      const act = own[name] as unknown as (...args: unknown[]) => void;
      // Optional arguments that were left out would stand where the callback is expected.
      const given = args.slice(0, args.findLastIndex((one) => one !== undefined) + 1);
      act(...given, (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
}

async function writeWhole(
  later: Later,
  descriptor: number,
  { bytes, flush }: { bytes: Uint8Array; flush: boolean },
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await later('write', descriptor, bytes, at, bytes.length - at, null)) as number;
  }
  if (flush) await later('fsync', descriptor);
}

/** Opening through `fs.promises` gives a handle whose closing must be seen too. */
function noteOpening(current: Current, path: PathLike, flags: string | undefined) {
  const opened = current()?.opening(path, flags);
  return (handle: fs.promises.FileHandle) => {
    opened?.(handle.fd);
    const { fd } = handle;
    const close = handle.close.bind(handle);
    handle.close = async () => {
      await close();
      current()?.closed(fd);
    };
  };
}

function joined(buffers: readonly ArrayBufferView[]): Uint8Array {
  return Buffer.concat(
    buffers.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength)),
  );
}

function appending(options: unknown): object {
  const given = typeof options === 'string' ? { encoding: options } : (options ?? {});
  return { flag: 'a', ...(given as object) };
}

/** The position of a read: its last argument, or an option. */
function positionOfRead(args: readonly unknown[]): unknown {
  const [first] = args;
  if (typeof first === 'object' && first !== null && 'position' in first) return first.position;
  return args[2];
}
