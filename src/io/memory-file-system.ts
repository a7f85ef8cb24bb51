/**
 * A file system in memory that behaves as Linux does, error codes and messages included, and does
 * everything synchronously. It owns naming, open handles and locks; `memory-inodes.ts` owns what is
 * stored, `memory-paths.ts` how a path is walked. It never fails by itself: faults are a wrapper's.
 */

import type {
  FileHandle,
  FileStat,
  FileSystem,
  LockOwner,
  LockResult,
  OpenMode,
} from './file-system.js';
import { MemoryFileHandle, statOf } from './memory-file-handle.js';
import { type Inode, InodeTable, rootInode } from './memory-inodes.js';
import {
  directoryPath,
  type Location,
  type ResolveOptions,
  refuseRename,
  resolve,
} from './memory-paths.js';
import {
  checkMode,
  checkPath,
  isMissing,
  type SystemErrorCode,
  systemError,
} from './system-error.js';

/** One thing in a {@link MemoryFileSystem.snapshot}. */
export type SnapshotEntry =
  | ({ readonly kind: 'file'; readonly content: Uint8Array } & SnapshotAttributes)
  | ({ readonly kind: 'directory' } & SnapshotAttributes)
  | ({ readonly kind: 'symlink'; readonly target: string } & SnapshotAttributes);

/** Attributes in a snapshot; no times and no inode numbers, so that equal trees are deeply equal. */
export interface SnapshotAttributes {
  /** Permission bits. */
  readonly mode: number;
  /** Number of the user who owns it. */
  readonly uid: number;
  /** Number of its group. */
  readonly gid: number;
  /** How many names lead to it. */
  readonly links: number;
}

/** Options of a {@link MemoryFileSystem}. */
export interface MemoryFileSystemOptions {
  /** Time of each change, in milliseconds since the epoch. Default: a counter that rises by 1 at each change. */
  readonly now?: () => number;
  /** Who takes locks. Default: process 1 on host `memory`. */
  readonly owner?: LockOwner;
}

const defaultOwner: LockOwner = { pid: 1, host: 'memory', since: '1970-01-01T00:00:00.000Z' };

/** Where the internal counter starts, in ms: a plausible date, so that code that formats it is exercised. */
export const firstTick = Date.UTC(2024, 0, 1);

function tickingClock(start: number): () => number {
  let tick = start;
  return () => tick++;
}

/** A {@link FileSystem} in memory. Starts with an empty root directory. */
export class MemoryFileSystem implements FileSystem {
  readonly #options: MemoryFileSystemOptions;
  readonly #now: () => number;
  #inodes: InodeTable;
  readonly #handles = new Set<MemoryFileHandle>();
  /** Lock holders by the inode number of the lock's file. */
  readonly #locks = new Map<number, LockOwner>();

  /** `createInodes` gives what is stored underneath: a simulated disk brings its own. */
  constructor(
    options: MemoryFileSystemOptions = {},
    createInodes: (now: () => number) => InodeTable = (now) => new InodeTable(now),
  ) {
    this.#options = options;
    this.#now = options.now ?? tickingClock(firstTick);
    this.#inodes = createInodes(this.#now);
  }

  /** Opens a file; a created one gets exactly `mode` (default `0o600`). */
  open(path: string, how: OpenMode, mode = 0o600): FileHandle {
    checkMode(mode);
    if (how === 'create') return this.#openHandle(path, this.#create(path, 'open', mode), true);
    const inode = this.#existing(path, 'open', true);
    if (inode.kind === 'directory') throw systemError('EISDIR', 'open', path);
    return this.#openHandle(path, inode, how === 'readWrite');
  }

  rename(from: string, to: string): void {
    const fail = (code: SystemErrorCode) => systemError(code, 'rename', from, to);
    const options: ResolveOptions = { follow: 'never', syscall: 'rename', paths: [from, to] };
    const source = this.#locate(from, options);
    const target = this.#locate(to, options);
    if (source.name === undefined || target.name === undefined) throw fail('EBUSY');
    const moved = source.inode;
    const replaced = target.inode;
    if (moved === undefined) throw fail('ENOENT');
    const refusal = refuseRename(this.#inodes, source, target, moved);
    if (refusal !== undefined) throw fail(refusal);
    if (replaced === moved) return;
    this.#inodes.moveEntry(source.parent, source.name, target.parent, target.name);
    if (replaced !== undefined) this.#discardIfUnused(replaced);
  }

  link(existing: string, path: string): void {
    const fail = (code: SystemErrorCode) => systemError(code, 'link', existing, path);
    const paths = [existing, path] as const;
    const source = this.#locate(existing, { follow: false, syscall: 'link', paths });
    if (source.inode === undefined) throw fail('ENOENT');
    const target = this.#locate(path, { follow: 'never', syscall: 'link', paths });
    if (target.name === undefined || target.inode !== undefined) throw fail('EEXIST');
    if (target.needsDirectory) throw fail('ENOENT');
    if (source.inode.kind === 'directory') throw fail('EPERM');
    this.#inodes.addEntry(target.parent, target.name, source.inode);
  }

  /** Creates a symbolic link at `path` whose text is `target`; not part of {@link FileSystem}. */
  symlink(target: string, path: string): void {
    const fail = (code: SystemErrorCode) => systemError(code, 'symlink', target, path);
    if (target === '') throw fail('ENOENT');
    const at = this.#locate(path, { follow: 'never', syscall: 'symlink', paths: [target, path] });
    if (at.name === undefined || at.inode !== undefined) throw fail('EEXIST');
    if (at.needsDirectory) throw fail('ENOENT');
    this.#inodes.addEntry(at.parent, at.name, this.#inodes.createSymlink(target));
  }

  /** Removes a name; open handles stay usable. */
  unlink(path: string): void {
    const at = this.#locate(path, { follow: 'never', syscall: 'unlink', paths: [path] });
    if (at.name === undefined) throw systemError('EISDIR', 'unlink', path);
    if (at.inode === undefined) throw systemError('ENOENT', 'unlink', path);
    if (at.inode.kind === 'directory') throw systemError('EISDIR', 'unlink', path);
    if (at.needsDirectory) throw systemError('ENOTDIR', 'unlink', path);
    this.#inodes.removeEntry(at.parent, at.name);
    this.#discardIfUnused(at.inode);
  }

  /** Creates one directory with exactly `mode` (default `0o700`). */
  makeDirectory(path: string, mode = 0o700): void {
    checkMode(mode);
    const at = this.#locate(path, { follow: 'never', syscall: 'mkdir', paths: [path] });
    if (at.name === undefined || at.inode !== undefined) throw systemError('EEXIST', 'mkdir', path);
    const directory = this.#inodes.createDirectory(mode, at.parent.number);
    this.#inodes.addEntry(at.parent, at.name, directory);
  }

  /** Removes an empty directory; else throws `ENOTEMPTY`. */
  removeDirectory(path: string): void {
    const fail = (code: SystemErrorCode) => systemError(code, 'rmdir', path);
    const at = this.#locate(path, { follow: 'never', syscall: 'rmdir', paths: [path] });
    if (at.name === undefined) {
      if (/(^|\/)\.\/*$/.test(path)) throw fail('EINVAL');
      throw fail(/(^|\/)\.\.\/*$/.test(path) ? 'ENOTEMPTY' : 'EBUSY');
    }
    if (at.inode === undefined) throw fail('ENOENT');
    if (at.inode.kind !== 'directory') throw fail('ENOTDIR');
    if (at.inode.entries.size > 0) throw fail('ENOTEMPTY');
    this.#inodes.removeEntry(at.parent, at.name);
    this.#discardIfUnused(at.inode);
  }

  list(path: string): string[] {
    const inode = this.#existing(path, 'scandir', true);
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', 'scandir', path);
    return [...inode.entries.keys()].sort();
  }

  stat(path: string): FileStat | undefined {
    return this.#stat(path, 'stat', true);
  }

  statLink(path: string): FileStat | undefined {
    return this.#stat(path, 'lstat', false);
  }

  realPath(path: string): string {
    const at = this.#locate(path, { follow: true, syscall: 'realpath', paths: [path] });
    if (at.inode === undefined) throw systemError('ENOENT', 'realpath', path);
    if (at.inode.kind === 'directory') return directoryPath(this.#inodes, at.inode);
    const parent = directoryPath(this.#inodes, at.parent);
    return `${parent === '/' ? '' : parent}/${at.name ?? ''}`;
  }

  readLink(path: string): string {
    const inode = this.#existing(path, 'readlink', false);
    if (inode.kind !== 'symlink') throw systemError('EINVAL', 'readlink', path);
    return inode.target;
  }

  syncDirectory(path: string): boolean {
    const inode = this.#existing(path, 'open', true);
    if (inode.kind !== 'directory') throw systemError('ENOTDIR', 'open', path);
    this.#inodes.syncDirectory(inode);
    return true;
  }

  /**
   * Takes the lock at `path`. A lock file that nobody holds (its holder crashed, see {@link clone})
   * is replaced.
   *
   * @throws `EISDIR`, `ELOOP`, `EINVAL` where `path` names something else than a file.
   */
  lock(path: string): LockResult {
    const current = this.#lockFile(path);
    const holder = current && this.#locks.get(current.number);
    if (holder !== undefined) return { acquired: false, holder };
    if (current !== undefined) this.unlink(path);
    const owner = this.#options.owner ?? defaultOwner;
    const file = this.#create(path, 'open', 0o600);
    this.#inodes.writeBytes(file, new TextEncoder().encode(`${JSON.stringify(owner)}\n`), 0);
    this.#locks.set(file.number, owner);
    const isHeld = () => this.#locks.has(file.number) && this.#lockFile(path) === file;
    const release = () => {
      if (isHeld()) this.unlink(path);
      this.#locks.delete(file.number);
    };
    return { acquired: true, lock: { kind: 'memory', isHeld, release } };
  }

  lockHolder(path: string): LockOwner | undefined {
    try {
      const file = this.#lockFile(path);
      return file && this.#locks.get(file.number);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** How many handles are open: a test for leaks. */
  openHandles(): number {
    return this.#handles.size;
  }

  /** Everything that has a name, by absolute path, in order of paths. Contents are copies. */
  snapshot(): Record<string, SnapshotEntry> {
    const entries: Array<[string, SnapshotEntry]> = [];
    const visit = (path: string, inode: Inode): void => {
      entries.push([path, snapshotEntry(inode)]);
      if (inode.kind !== 'directory') return;
      for (const name of [...inode.entries.keys()].sort()) {
        const number = inode.entries.get(name) ?? rootInode;
        visit(path === '/' ? `/${name}` : `${path}/${name}`, this.#inodes.get(number));
      }
    };
    visit('/', this.#inodes.root());
    return Object.fromEntries(entries);
  }

  /**
   * An independent copy as another process would find it after this one ended: every name and byte,
   * but no open handle, no file that only a handle kept alive, and no lock (lock files stay).
   */
  clone(options: MemoryFileSystemOptions = this.#options): MemoryFileSystem {
    // The copy's counter goes on where this one is, so that time never runs backwards in it.
    const now = options.now ?? tickingClock(this.#now());
    const copy = new MemoryFileSystem({ ...options, now });
    copy.#inodes = this.#inodes.clone(now);
    for (const handle of this.#handles) {
      if (handle.inode.attributes.links === 0) copy.#inodes.discard(handle.inode);
    }
    return copy;
  }

  #locate(path: string, options: ResolveOptions): Location {
    checkPath(path, (candidate) => candidate.startsWith('/'));
    return resolve(this.#inodes, path, options);
  }

  #existing(path: string, syscall: string, follow: boolean): Inode {
    const { inode } = this.#locate(path, { follow, syscall, paths: [path] });
    if (inode === undefined) throw systemError('ENOENT', syscall, path);
    return inode;
  }

  #create(path: string, syscall: string, mode: number) {
    const at = this.#locate(path, { follow: 'never', syscall, paths: [path] });
    if (at.needsDirectory && at.name !== undefined) throw systemError('EISDIR', syscall, path);
    if (at.name === undefined || at.inode !== undefined) throw systemError('EEXIST', syscall, path);
    const file = this.#inodes.createFile(mode);
    this.#inodes.addEntry(at.parent, at.name, file);
    return file;
  }

  #openHandle(path: string, inode: Inode, writable: boolean): MemoryFileHandle {
    if (inode.kind !== 'file') throw systemError('ELOOP', 'open', path);
    const handle = new MemoryFileHandle(this.#inodes, inode, writable, () => {
      this.#handles.delete(handle);
      this.#discardIfUnused(inode);
    });
    this.#handles.add(handle);
    return handle;
  }

  #discardIfUnused(inode: Inode): void {
    const named = inode.kind === 'directory' ? 2 : 1;
    if (inode.attributes.links >= named) return;
    for (const handle of this.#handles) if (handle.inode === inode) return;
    this.#inodes.discard(inode);
  }

  #stat(path: string, syscall: string, follow: boolean): FileStat | undefined {
    try {
      const { inode } = this.#locate(path, { follow, syscall, paths: [path] });
      return inode && statOf(inode);
    } catch (error) {
      // Below something that is no directory there is nothing, as below a missing one.
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #lockFile(path: string): Inode | undefined {
    const { inode } = this.#locate(path, { follow: false, syscall: 'open', paths: [path] });
    if (inode?.kind === 'directory') throw systemError('EISDIR', 'open', path);
    if (inode?.kind === 'symlink') throw systemError('ELOOP', 'open', path);
    return inode;
  }
}

function snapshotEntry(inode: Inode): SnapshotEntry {
  const { mode, uid, gid, links } = inode.attributes;
  const attributes = { mode, uid, gid, links };
  if (inode.kind === 'file') {
    return { kind: 'file', content: inode.content.slice(0, inode.size), ...attributes };
  }
  if (inode.kind === 'symlink') return { kind: 'symlink', target: inode.target, ...attributes };
  return { kind: 'directory', ...attributes };
}
