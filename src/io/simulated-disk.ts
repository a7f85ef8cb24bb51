/**
 * A file system in memory with the semantics of a power failure: beside what the process sees it
 * keeps what is durable, and between the two the ordered list of pending operations. A sync moves
 * operations from pending to durable; a crash image (`crash-images.ts`) keeps, drops or tears each of
 * the rest. Everything is synchronous and deterministic. Ruled by `docs/fault-model.md`.
 */
import {
  apply,
  clockAfter,
  contentOf,
  copyFacts,
  copyState,
  type DiskState,
  emptyState,
  factsOf,
  type InodeFacts,
  isData,
  namesOfImage,
  type PendingOperation,
} from './disk-state.js';
import { MemoryFileSystem, type MemoryFileSystemOptions } from './memory-file-system.js';
import {
  type Attributes,
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
  /** The persistence model of the disk. */
  readonly model: PersistenceModel;
  /** What a power failure leaves for certain. */
  readonly durable: DiskState;
  /** What may or may not be durable yet, in the order in which it was done. */
  readonly pending: readonly PendingOperation[];
  /** Contents by inode number that only the process sees: see {@link SimulatedDisk.dropPending}. */
  readonly cached: ReadonlyMap<number, Uint8Array>;
}

/** What the process saw at a moment, as if all of it were durable: what is left after a mere kill. */
export function visibleAt({ durable, pending, cached }: Omit<DiskMoment, 'model'>): DiskState {
  const state = copyState(durable);
  for (const operation of pending) apply(state, operation);
  for (const [inode, content] of cached) state.files.set(inode, content);
  return state;
}

/** Options of a {@link SimulatedDisk}. */
export interface SimulatedDiskOptions extends MemoryFileSystemOptions {
  /** What a power failure may do; `posix-minimal` by default. */
  readonly model?: PersistenceModel;
  /** What is on the disk at first, all of it durable, and stays as it is; an empty root directory by default. */
  readonly state?: DiskState;
  /** The moment at which `state` was all that was visible: what of it is durable, and what is pending. */
  readonly killedAt?: DiskMoment;
  /** Called after each operation that changes what a crash would find. */
  readonly onChange?: () => void;
}

/** See the head of this file. */
export class SimulatedDisk extends MemoryFileSystem {
  /** What a power failure may do to it. */
  readonly model: PersistenceModel;
  readonly #journal: JournalingInodes;

  /** Empty, or with what a crash has left (`state`). */
  constructor(options: SimulatedDiskOptions = {}) {
    const { model = 'posix-minimal', state, killedAt, onChange, ...rest } = options;
    // Time goes on where the image was left, so that no change looks older than what it changes.
    const memory = state && !rest.now ? { ...rest, now: clockAfter(state) } : rest;
    let journal: JournalingInodes | undefined;
    super(memory, (now) => {
      journal = new JournalingInodes(now, model, state, killedAt);
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
    return visibleAt(this.#journal.moment());
  }

  /** Numbers of the files of the image it started from of which neither content nor size was asked for since. */
  unused(): ReadonlySet<number> {
    return this.#journal.unused();
  }

  /** Makes everything durable, as a quiet minute does; not what {@link dropPending} has forgotten. */
  settle(): void {
    this.#journal.settle();
  }

  /**
   * Forgets the pending data of a file, given by path or inode number, as kernels do when they can't
   * write it: the pages are marked clean, so the process goes on seeing them and no later sync writes
   * them. Names stay pending. What is written to the file afterwards is data as any other.
   * Source: Rebello et al., "Can applications recover from fsync failures?", ATC'20 (ext4, XFS).
   *
   * @throws `TypeError` if that is no file
   */
  dropPending(file: string | number): void {
    const number = typeof file === 'number' ? file : this.stat(file)?.inode;
    if (number === undefined) throw new TypeError(`no file at ${file}`);
    this.#journal.dropPending(number);
  }
}

/** Inodes that remember which of their changes are durable. */
class JournalingInodes extends InodeTable {
  onChange: (() => void) | undefined;
  readonly #model: PersistenceModel;
  #durable: DiskState;
  #pending: PendingOperation[] = [];
  /** A copy of what is durable, handed out until that changes. */
  #frozen: DiskState | undefined;
  /** Copies of what inodes are, handed out until one of them changes. */
  #frozenFacts: Map<number, InodeFacts> | undefined;
  /** Files of which the process sees more than the disk was ever told, by inode number. */
  readonly #cached = new Map<number, FileInode>();
  /** Files of the image that it started from. */
  readonly #loaded: FileInode[] = [];

  constructor(
    now: () => number,
    model: PersistenceModel,
    state: DiskState | undefined,
    killedAt: DiskMoment | undefined,
  ) {
    super(now);
    this.#model = model;
    this.#durable = emptyState(this.root());
    if (state !== undefined) this.#load(state);
    if (killedAt !== undefined) this.#goOn(killedAt);
  }

  moment(): Omit<DiskMoment, 'model'> {
    // Most moments lie between two syncs and share what is durable.
    this.#frozen ??= copyState(this.#durable);
    this.#frozenFacts ??= copyFacts(this.#durable.inodes);
    const durable = { ...this.#frozen, inodes: this.#frozenFacts };
    return { durable, pending: [...this.#pending], cached: this.#cachedContents() };
  }

  unused(): ReadonlySet<number> {
    const unused = this.#loaded.filter(({ wasUsed }) => wasUsed !== true);
    return new Set(unused.map(({ number }) => number));
  }

  settle(): void {
    this.#makeDurable(() => true);
    this.onChange?.();
  }

  dropPending(number: number): void {
    const file = this.get(number);
    if (file.kind !== 'file') throw new TypeError(`inode ${number} is a ${file.kind}`);
    const rest = this.#pending.filter((one) => !isData(one) || one.inode !== number);
    if (rest.length < this.#pending.length) this.#cached.set(number, file);
    this.#pending = rest;
    this.onChange?.();
  }

  #cachedContents(): ReadonlyMap<number, Uint8Array> {
    if (this.#cached.size === 0) return nothingCached;
    return new Map([...this.#cached].map(([number, file]) => [number, bytesOf(file)]));
  }

  override discard(inode: Inode): void {
    super.discard(inode);
    this.#cached.delete(inode.number);
  }

  override setAttributes(
    inode: Inode,
    change: Partial<Pick<Attributes, 'mode' | 'uid' | 'gid'>>,
  ): void {
    super.setAttributes(inode, change);
    this.#frozenFacts = undefined;
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
    this.#frozen = undefined;
    const rest: PendingOperation[] = [];
    for (const operation of this.#pending) {
      if (isSynced(operation)) apply(this.#durable, operation);
      else rest.push(operation);
    }
    this.#pending = rest;
  }

  #record(operation: PendingOperation): void {
    this.#frozenFacts = undefined;
    this.#pending.push(operation);
    this.onChange?.();
  }

  #know<T extends Inode>(inode: T): T {
    this.#frozenFacts = undefined;
    this.#durable.inodes.set(inode.number, factsOf(inode));
    return inode;
  }

  /** Takes over what has a name in `state`; the rest is gone, and its numbers are free again. */
  #load(state: DiskState): void {
    const found = new Map<number, Found>([[rootInode, { parent: rootInode, links: 2, names: [] }]]);
    for (const { directory, name, number } of namesOfImage(state)) {
      const isDirectory = state.inodes.get(number)?.kind === 'directory';
      const parent = found.get(directory);
      parent?.names.push([name, number]);
      // `..` of a directory is a name of its parent.
      if (parent && isDirectory) parent.links += 1;
      const known = found.get(number);
      if (known) known.links += 1;
      else found.set(number, { parent: directory, links: isDirectory ? 2 : 1, names: [] });
    }
    for (const [number, one] of found) this.#take(state, number, one);
  }

  /** What was visible is loaded; of it, only this is durable. */
  #goOn({ durable, pending, cached }: DiskMoment): void {
    this.#durable = { ...copyState(durable), inodes: copyFacts(durable.inodes) };
    this.#pending = [...pending];
    for (const number of cached.keys()) {
      const file = this.get(number);
      if (file.kind === 'file') this.#cached.set(number, file);
    }
    // A number that only what is durable names must not be given to another file.
    this.reserve(Math.max(...durable.inodes.keys()));
  }

  #take(state: DiskState, number: number, { parent, links, names }: Found): void {
    const facts = state.inodes.get(number);
    if (facts === undefined) throw new RangeError(`no inode ${number} in the image`);
    const attributes = { ...facts.attributes, links };
    if (facts.kind === 'file') {
      const content = contentOf(state, number);
      this.#durable.files.set(number, content);
      // Durable contents are never changed in place: the process gets its own copy when it writes.
      const size = content.length;
      const file: FileInode = { kind: 'file', number, attributes, content, size, isShared: true };
      this.#loaded.push(file);
      this.#restore(file);
    } else if (facts.kind === 'directory') {
      this.#durable.directories.set(number, new Map(names));
      this.#restore({ kind: 'directory', number, attributes, entries: new Map(names), parent });
    } else {
      this.#restore({ ...facts, number, attributes });
    }
  }

  #restore(inode: Inode): void {
    this.restore(inode);
    this.#durable.inodes.set(inode.number, factsOf(inode));
  }
}

const nothingCached: ReadonlyMap<number, Uint8Array> = new Map();

function bytesOf(file: FileInode): Uint8Array {
  return file.content.slice(0, file.size);
}

/** What a walk through an image has found out about an inode. */
interface Found {
  readonly parent: number;
  links: number;
  readonly names: [string, number][];
}

/** Numbers of all inodes that have a name, the root first. */
export function reachable(state: DiskState): number[] {
  const found = new Set([rootInode]);
  for (const { number } of namesOfImage(state)) found.add(number);
  return [...found];
}

/** Every path of an image with its content; equal images give equal texts. It must not change any more. */
export function describeState(state: DiskState): { path: string; content?: Uint8Array }[] {
  return namesOfImage(state).map(({ path, number }) => {
    const facts = state.inodes.get(number);
    if (facts?.kind === 'directory') return { path: `${path}/` };
    if (facts?.kind === 'symlink') return { path: `${path} -> ${facts.target}` };
    return { path, content: contentOf(state, number) };
  });
}
