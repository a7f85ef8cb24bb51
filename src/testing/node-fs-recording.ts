/**
 * The operations of one traced run, noted as they take effect: the descriptors that are open in the
 * folder, where each stands, and what was done to names. Part of the recorder of `node-fs-tracer.ts`,
 * whose functions call it around node's own.
 */
import fs, { type PathLike } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flagBits, realPath, statOf } from './node-fs-files.js';
import type { WriterOperation } from './traced-writer.js';

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

/** The operations of one run. */
export class Recording {
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
    const isOutside = inside === '..' || inside.startsWith(`..${sep}`);
    return isOutside ? undefined : `/${inside.split(sep).join('/')}`;
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

/** Asks for the recording that is under way, if one is. */
export type Current = () => Recording | undefined;
