/**
 * What a simulated disk holds: inodes (files, directories, symbolic links) and, apart from them, the
 * entries that name them. Every change goes through one of the few primitive operations below, so
 * that crash semantics (what is durable, what is pending) can be added beneath without touching path
 * resolution. Assumes that its caller has checked what POSIX checks; `docs/fault-model.md` rules it.
 */

/** A regular file: the first `size` bytes of `content`, which grows ahead of need. */
export interface FileInode {
  readonly kind: 'file';
  readonly number: number;
  readonly attributes: Attributes;
  content: Uint8Array;
  size: number;
  /** Whether somebody else holds `content` too: it is copied before it is changed. */
  isShared?: boolean;
  /** Whether content or size was asked for or changed since it was made or restored. */
  wasUsed?: boolean;
}

/** A directory: names to inode numbers. `parent` is its own number for the root. */
export interface DirectoryInode {
  readonly kind: 'directory';
  readonly number: number;
  readonly attributes: Attributes;
  readonly entries: Map<string, number>;
  parent: number;
}

/** A symbolic link. */
export interface SymlinkInode {
  readonly kind: 'symlink';
  readonly number: number;
  readonly attributes: Attributes;
  readonly target: string;
}

/** Anything that can have a name. */
export type Inode = FileInode | DirectoryInode | SymlinkInode;

/** What every inode has. `links` counts names; times are milliseconds since the epoch. */
export interface Attributes {
  /** Permission bits. */
  mode: number;
  /** Number of the user who owns it. */
  uid: number;
  /** Number of its group. */
  gid: number;
  /** How many names lead to it. */
  links: number;
  /** When its content changed last, milliseconds since 1970. */
  modifiedMs: number;
  /** When anything of it changed last, milliseconds since 1970. */
  changedMs: number;
}

/** Number of the root directory's inode. */
export const rootInode = 2;

/** The inodes of one simulated disk and the primitive operations on them. */
export class InodeTable {
  readonly #inodes = new Map<number, Inode>();
  readonly #now: () => number;
  #nextNumber = rootInode;

  /** `now` gives the time of each change in milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
    const root = this.createDirectory(0o755, rootInode);
    root.attributes.links = 2;
  }

  /** The inode with this number; a `RangeError` if there is none, which would be a defect here. */
  get(number: number): Inode {
    const inode = this.#inodes.get(number);
    if (inode === undefined) throw new RangeError(`no inode ${number}`);
    return inode;
  }

  /** The root directory. */
  root(): DirectoryInode {
    const root = this.get(rootInode);
    if (root.kind !== 'directory') throw new RangeError('the root is not a directory');
    return root;
  }

  /** How many inodes exist, named or only open. */
  count(): number {
    return this.#inodes.size;
  }

  /** Makes an empty file without a name. */
  createFile(mode: number): FileInode {
    const content = new Uint8Array(0);
    return this.#insert({ kind: 'file', ...this.#fresh(mode), content, size: 0 });
  }

  /** Makes an empty directory without a name. */
  createDirectory(mode: number, parent: number): DirectoryInode {
    const entries = new Map<string, number>();
    return this.#insert({ kind: 'directory', ...this.#fresh(mode), entries, parent });
  }

  /** Makes a symbolic link without a name. */
  createSymlink(target: string): SymlinkInode {
    return this.#insert({ kind: 'symlink', ...this.#fresh(0o777), target });
  }

  /** Names `inode` in `directory`, where that name must be free. */
  addEntry(directory: DirectoryInode, name: string, inode: Inode): void {
    this.#name(directory, name, inode);
  }

  #name(directory: DirectoryInode, name: string, inode: Inode): void {
    const now = this.#now();
    directory.entries.set(name, inode.number);
    touch(directory, now);
    inode.attributes.changedMs = now;
    this.#countName(directory, inode, 1);
  }

  /** Takes the name `name` away from whatever has it in `directory`. */
  removeEntry(directory: DirectoryInode, name: string): void {
    this.#unname(directory, name);
  }

  #unname(directory: DirectoryInode, name: string): void {
    const number = directory.entries.get(name);
    if (number === undefined) throw new RangeError(`no entry ${name}`);
    const now = this.#now();
    const inode = this.get(number);
    directory.entries.delete(name);
    touch(directory, now);
    inode.attributes.changedMs = now;
    this.#countName(directory, inode, -1);
  }

  /** Moves a name in one step, replacing what `toName` named before. */
  moveEntry(from: DirectoryInode, fromName: string, to: DirectoryInode, toName: string): void {
    const number = from.entries.get(fromName);
    if (number === undefined) throw new RangeError(`no entry ${fromName}`);
    const inode = this.get(number);
    if (to.entries.has(toName)) this.#unname(to, toName);
    this.#unname(from, fromName);
    this.#name(to, toName, inode);
    if (inode.kind === 'directory') inode.parent = to.number;
  }

  /** Writes bytes into a file, filling a gap before them with zeros. */
  writeBytes(file: FileInode, data: Uint8Array, position: number): void {
    if (data.length === 0) return;
    const end = position + data.length;
    file.wasUsed = true;
    own(file);
    reserve(file, end);
    file.content.set(data, position);
    if (end > file.size) file.size = end;
    touch(file, this.#now());
  }

  /** Cuts a file or extends it with zeros. */
  setSize(file: FileInode, size: number): void {
    file.wasUsed = true;
    own(file);
    reserve(file, size);
    // Bytes beyond the size are always zero, so that a later extension reads zeros.
    if (size < file.size) file.content.fill(0, size, file.size);
    file.size = size;
    touch(file, this.#now());
  }

  /** Changes mode or owner. */
  setAttributes(inode: Inode, change: Partial<Pick<Attributes, 'mode' | 'uid' | 'gid'>>): void {
    Object.assign(inode.attributes, change);
    inode.attributes.changedMs = this.#now();
  }

  /** Makes a file's content durable; nothing is pending here. A simulated disk overrides it. */
  syncFile(_file: FileInode): void {}

  /** Makes a directory's entries durable; nothing is pending here. A simulated disk overrides it. */
  syncDirectory(_directory: DirectoryInode): void {}

  /** Forgets an inode that has neither a name nor an open handle. */
  discard(inode: Inode): void {
    this.#inodes.delete(inode.number);
  }

  /** Puts an inode in as it is: for a disk that is built from an image. */
  restore(inode: Inode): void {
    this.#inodes.set(inode.number, inode);
    this.#nextNumber = Math.max(this.#nextNumber, inode.number + 1);
  }

  /** Gives no number up to this one to a new inode. */
  reserve(number: number): void {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
  }

  /** An independent copy of everything, with its own clock. */
  clone(now: () => number): InodeTable {
    const copy = new InodeTable(now);
    copy.#inodes.clear();
    for (const inode of this.#inodes.values()) copy.#inodes.set(inode.number, copyInode(inode));
    copy.#nextNumber = this.#nextNumber;
    return copy;
  }

  #insert<T extends Inode>(inode: T): T {
    this.#inodes.set(inode.number, inode);
    return inode;
  }

  #fresh(mode: number): { number: number; attributes: Attributes } {
    const now = this.#now();
    const number = this.#nextNumber++;
    return {
      number,
      attributes: { mode, uid: 0, gid: 0, links: 0, modifiedMs: now, changedMs: now },
    };
  }

  /** A directory has two names of its own (its entry and `.`), and its `..` is one more of its parent. */
  #countName(directory: DirectoryInode, inode: Inode, change: 1 | -1): void {
    inode.attributes.links += inode.kind === 'directory' ? 2 * change : change;
    if (inode.kind === 'directory') directory.attributes.links += change;
  }
}

function touch(inode: Inode, now: number): void {
  inode.attributes.modifiedMs = now;
  inode.attributes.changedMs = now;
}

function own(file: FileInode): void {
  if (file.isShared !== true) return;
  file.content = file.content.slice();
  file.isShared = false;
}

function reserve(file: FileInode, size: number): void {
  if (size <= file.content.length) return;
  // Doubling keeps a file that grows by small appends from being copied at each of them.
  const grown = new Uint8Array(Math.max(size, Math.min(file.content.length * 2, 2 ** 30)));
  grown.set(file.content.subarray(0, file.size));
  file.content = grown;
}

function copyInode(inode: Inode): Inode {
  const attributes = { ...inode.attributes };
  if (inode.kind === 'file') {
    return { ...inode, attributes, content: inode.content.slice(), isShared: false };
  }
  if (inode.kind === 'directory') {
    return { ...inode, attributes, entries: new Map(inode.entries) };
  }
  return { ...inode, attributes };
}
