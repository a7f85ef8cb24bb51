/**
 * A file system in memory with the semantics of a power failure: beside what the process sees it
 * keeps what is durable, and between the two the ordered list of pending operations. A sync moves
 * operations from pending to durable; a crash image (`crash-images.ts`) keeps, drops or tears each of
 * the rest. Everything is synchronous and deterministic. Ruled by `docs/fault-model.md`.
 */
import {
  apply,
  contentOf,
  copyState,
  type DiskState,
  entriesOf,
  type InodeFacts,
  isData,
  type PendingOperation,
} from './disk-state.js';
import { MemoryFileSystem, type MemoryFileSystemOptions } from './memory-file-system.js';
import {
  type DirectoryInode,
  type FileInode,
  type Inode,
  InodeTable,
  rootInode,
} from './memory-inodes.js';

/**
 * What a sync makes durable, and in which order pending operations may reach the disk.
 *
 * - `posix-minimal`: a sync of a file makes its content and size durable, a sync of a directory its
 *   entries, and nothing else; what is pending may reach the disk in any subset. More is lost than on
 *   any common file system.
 * - `ordered`: names reach the disk in order, and any sync makes all names before it durable, as the
 *   journals of ext4 (data=ordered), XFS and Btrfs's log come to for one directory tree; data of
 *   unsynced files may be missing or zero.
 */
export type PersistenceModel = 'posix-minimal' | 'ordered';

/** What a crash would find now: durable state and pending operations, frozen at one moment. */
export interface DiskMoment {
  readonly model: PersistenceModel;
  readonly durable: DiskState;
  readonly pending: readonly PendingOperation[];
}

/** Options of a {@link SimulatedDisk}. */
export interface SimulatedDiskOptions extends MemoryFileSystemOptions {
  readonly model?: PersistenceModel;
  /** What is on the disk at first, all of it durable; an empty root directory by default. */
  readonly state?: DiskState;
  /** Called after each operation that changes what a crash would find. */
  readonly onChange?: () => void;
}

/** See the head of this file. */
export class SimulatedDisk extends MemoryFileSystem {
  readonly model: PersistenceModel;
  readonly #journal: JournalingInodes;

  constructor(options: SimulatedDiskOptions = {}) {
    const { model = 'posix-minimal', state, onChange, ...memory } = options;
    let journal: JournalingInodes | undefined;
    super(memory, (now) => {
      journal = new JournalingInodes(now, model, state);
      return journal;
    });
    if (journal === undefined) throw new TypeError('the file system made no inodes');
    this.model = model;
    this.#journal = journal;
    this.#journal.onChange = onChange;
  }

  /** Replaces the callback given at construction. */
  onChange(callback: (() => void) | undefined): void {
    this.#journal.onChange = callback;
  }

  /** What a crash at this instant would leave to chance. */
  moment(): DiskMoment {
    return { model: this.model, ...this.#journal.moment() };
  }

  /** What the process sees now, as if all of it were durable: what is left after a mere kill. */
  visible(): DiskState {
    const { durable, pending } = this.#journal.moment();
    for (const operation of pending) apply(durable, operation);
    return durable;
  }

  /** Makes everything durable, as a quiet minute does. */
  settle(): void {
    this.#journal.settle();
  }
}

/** Inodes that remember which of their changes are durable. */
class JournalingInodes extends InodeTable {
  onChange: (() => void) | undefined;
  readonly #model: PersistenceModel;
  readonly #durable: DiskState;
  #pending: PendingOperation[] = [];

  constructor(now: () => number, model: PersistenceModel, state: DiskState | undefined) {
    super(now);
    this.#model = model;
    this.#durable = emptyState(this.root());
    if (state !== undefined) this.#load(state);
  }

  moment(): { durable: DiskState; pending: readonly PendingOperation[] } {
    return { durable: copyState(this.#durable), pending: [...this.#pending] };
  }

  settle(): void {
    this.#makeDurable(() => true);
  }

  override createFile(mode: number): FileInode {
    return this.#know(super.createFile(mode));
  }

  override createDirectory(mode: number, parent: number): DirectoryInode {
    const directory = super.createDirectory(mode, parent);
    // The root is made before this class has its fields.
    return parent === rootInode && directory.number === rootInode
      ? directory
      : this.#know(directory);
  }

  override createSymlink(target: string) {
    return this.#know(super.createSymlink(target));
  }

  override addEntry(directory: DirectoryInode, name: string, inode: Inode): void {
    super.addEntry(directory, name, inode);
    this.#record({ kind: 'add', directory: directory.number, name, inode: inode.number });
  }

  override removeEntry(directory: DirectoryInode, name: string): void {
    super.removeEntry(directory, name);
    this.#record({ kind: 'remove', directory: directory.number, name });
  }

  override moveEntry(
    from: DirectoryInode,
    fromName: string,
    to: DirectoryInode,
    toName: string,
  ): void {
    const inode = from.entries.get(fromName);
    super.moveEntry(from, fromName, to, toName);
    if (inode === undefined) return;
    const [directory, toDirectory] = [from.number, to.number];
    this.#record({ kind: 'move', directory, name: fromName, toDirectory, toName, inode });
  }

  override writeBytes(file: FileInode, data: Uint8Array, position: number): void {
    super.writeBytes(file, data, position);
    if (data.length === 0) return;
    this.#record({ kind: 'write', inode: file.number, position, data: data.slice() });
  }

  override setSize(file: FileInode, size: number): void {
    super.setSize(file, size);
    this.#record({ kind: 'resize', inode: file.number, size });
  }

  override syncFile(file: FileInode): void {
    const { number } = file;
    this.#makeDurable((operation) =>
      isData(operation) ? operation.inode === number : this.#model === 'ordered',
    );
    this.onChange?.();
  }

  override syncDirectory(directory: DirectoryInode): void {
    const { number } = directory;
    if (this.#model === 'ordered') {
      this.#makeDurable((operation) => !isData(operation));
    } else {
      this.#splitMoves(number);
      this.#makeDurable((operation) => !isData(operation) && operation.directory === number);
    }
    this.onChange?.();
  }

  /** A rename between directories is two entries on disk: syncing one of them makes that one durable. */
  #splitMoves(directory: number): void {
    this.#pending = this.#pending.flatMap((operation): PendingOperation[] => {
      if (operation.kind !== 'move' || operation.directory === operation.toDirectory) {
        return [operation];
      }
      if (operation.directory !== directory && operation.toDirectory !== directory) {
        return [operation];
      }
      const { name, toDirectory, toName, inode } = operation;
      return [
        { kind: 'add', directory: toDirectory, name: toName, inode },
        { kind: 'remove', directory: operation.directory, name },
      ];
    });
  }

  #makeDurable(isSynced: (operation: PendingOperation) => boolean): void {
    const rest: PendingOperation[] = [];
    for (const operation of this.#pending) {
      if (isSynced(operation)) apply(this.#durable, operation);
      else rest.push(operation);
    }
    this.#pending = rest;
  }

  #record(operation: PendingOperation): void {
    this.#pending.push(operation);
    this.onChange?.();
  }

  #know<T extends Inode>(inode: T): T {
    this.#durable.inodes.set(inode.number, factsOf(inode));
    return inode;
  }

  /** Takes over what has a name in `state`; the rest is gone, and its numbers are free again. */
  #load(state: DiskState): void {
    const links = countLinks(state);
    for (const number of reachable(state)) {
      const facts = state.inodes.get(number);
      if (facts === undefined) throw new RangeError(`no inode ${number} in the image`);
      const attributes = { ...facts.attributes, links: links.get(number) ?? 0 };
      if (facts.kind === 'file') {
        const content = contentOf(state, number);
        this.#durable.files.set(number, content);
        // The process writes into its own copy; durable contents are never changed in place.
        const own = content.slice();
        this.#restore({ kind: 'file', number, attributes, content: own, size: own.length });
      } else if (facts.kind === 'directory') {
        const entries = new Map(entriesOf(state, number));
        this.#durable.directories.set(number, new Map(entries));
        this.#restore({ kind: 'directory', number, attributes, entries, parent: facts.parent });
      } else {
        this.#restore({ ...facts, number, attributes });
      }
    }
  }

  #restore(inode: Inode): void {
    this.restore(inode);
    this.#durable.inodes.set(inode.number, factsOf(inode));
  }
}

function emptyState(root: DirectoryInode): DiskState {
  return {
    inodes: new Map([[rootInode, factsOf(root)]]),
    files: new Map(),
    directories: new Map([[rootInode, new Map()]]),
  };
}

function factsOf(inode: Inode): InodeFacts {
  const { attributes } = inode;
  if (inode.kind === 'directory') return { kind: 'directory', attributes, parent: inode.parent };
  return inode.kind === 'file'
    ? { kind: 'file', attributes }
    : { kind: 'symlink', attributes, target: inode.target };
}

/** Numbers of all inodes that have a name, the root first. */
export function reachable(state: DiskState): number[] {
  const found = new Set([rootInode]);
  for (const number of found) {
    if (state.inodes.get(number)?.kind !== 'directory') continue;
    for (const child of entriesOf(state, number).values()) found.add(child);
  }
  return [...found];
}

function countLinks(state: DiskState): Map<number, number> {
  const links = new Map<number, number>([[rootInode, 2]]);
  const add = (number: number, count: number) =>
    links.set(number, (links.get(number) ?? 0) + count);
  for (const number of reachable(state)) {
    if (state.inodes.get(number)?.kind !== 'directory') continue;
    for (const child of entriesOf(state, number).values()) {
      const isDirectory = state.inodes.get(child)?.kind === 'directory';
      add(child, isDirectory ? 2 : 1);
      if (isDirectory) add(number, 1);
    }
  }
  return links;
}

/** Every path of an image with its content; equal images give equal texts. */
export function describeState(state: DiskState): { path: string; content?: Uint8Array }[] {
  const lines: { path: string; content?: Uint8Array }[] = [];
  const visit = (directory: number, prefix: string) => {
    const entries = [...entriesOf(state, directory)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, number] of entries) {
      const path = `${prefix}/${name}`;
      const facts = state.inodes.get(number);
      if (facts?.kind === 'directory') {
        lines.push({ path: `${path}/` });
        visit(number, path);
      } else if (facts?.kind === 'symlink') {
        lines.push({ path: `${path} -> ${facts.target}` });
      } else {
        lines.push({ path, content: contentOf(state, number) });
      }
    }
  };
  visit(rootInode, '');
  return lines;
}
