/**
 * What a disk durably holds, and the operations that are pending between that and what the process
 * sees. Plain data and pure functions; `simulated-disk.ts` feeds them, `crash-images.ts` chooses among
 * them. Ruled by `docs/fault-model.md`.
 */
import { firstTick } from './memory-file-system.js';
import { type Attributes, type DirectoryInode, type Inode, rootInode } from './memory-inodes.js';

/** What an inode is, apart from what can be lost: made durable together with its first name. */
export type InodeFacts =
  | { readonly kind: 'file'; readonly attributes: Attributes }
  | { readonly kind: 'directory'; readonly attributes: Attributes; readonly parent: number }
  | { readonly kind: 'symlink'; readonly attributes: Attributes; readonly target: string };

/** Contents of files and entries of directories, by inode number. */
export interface DiskState {
  /** What is known of each inode, by its number. */
  readonly inodes: Map<number, InodeFacts>;
  /** Content of files, by inode number. */
  readonly files: Map<number, Uint8Array>;
  /** Names in directories and the inodes they lead to, by inode number. */
  readonly directories: Map<number, Map<string, number>>;
}

/** One change that the process has made and that is not known to be durable. */
export type PendingOperation =
  | {
      readonly kind: 'write';
      readonly inode: number;
      readonly position: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'resize'; readonly inode: number; readonly size: number }
  | {
      readonly kind: 'add';
      readonly directory: number;
      readonly name: string;
      readonly inode: number;
    }
  | { readonly kind: 'remove'; readonly directory: number; readonly name: string }
  | {
      readonly kind: 'move';
      readonly directory: number;
      readonly name: string;
      readonly toDirectory: number;
      readonly toName: string;
      readonly inode: number;
    };

/** Whether the operation changes a file's data rather than names. */
export function isData(
  operation: PendingOperation,
): operation is Extract<PendingOperation, { kind: 'write' | 'resize' }> {
  return operation.kind === 'write' || operation.kind === 'resize';
}

/** A disk on which there is nothing but its root. */
export function emptyState(root: DirectoryInode): DiskState {
  return {
    inodes: new Map([[rootInode, factsOf(root)]]),
    files: new Map(),
    directories: new Map([[rootInode, new Map()]]),
  };
}

/** What is durable of an inode together with its first name; the attributes are the inode's own. */
export function factsOf(inode: Inode): InodeFacts {
  const { attributes } = inode;
  if (inode.kind === 'directory') return { kind: 'directory', attributes, parent: inode.parent };
  return inode.kind === 'file'
    ? { kind: 'file', attributes }
    : { kind: 'symlink', attributes, target: inode.target };
}

/** A copy that can be changed by {@link apply} without changing the original. Contents are shared. */
export function copyState({ inodes, files, directories }: DiskState): DiskState {
  const copied = new Map<number, Map<string, number>>();
  for (const [number, entries] of directories) copied.set(number, new Map(entries));
  return { inodes, files: new Map(files), directories: copied };
}

/** Makes an operation durable in `state`. */
export function apply(state: DiskState, operation: PendingOperation): void {
  switch (operation.kind) {
    case 'write':
      state.files.set(operation.inode, overlay(contentOf(state, operation.inode), operation));
      return;
    case 'resize': {
      const resized = new Uint8Array(operation.size);
      resized.set(contentOf(state, operation.inode).subarray(0, operation.size));
      state.files.set(operation.inode, resized);
      return;
    }
    case 'add':
      entriesOf(state, operation.directory).set(operation.name, operation.inode);
      return;
    case 'remove':
      entriesOf(state, operation.directory).delete(operation.name);
      return;
    case 'move':
      entriesOf(state, operation.toDirectory).set(operation.toName, operation.inode);
      entriesOf(state, operation.directory).delete(operation.name);
  }
}

/** A file's durable content; empty for one that was never written. */
export function contentOf({ files }: DiskState, inode: number): Uint8Array {
  return files.get(inode) ?? new Uint8Array(0);
}

/** A directory's durable entries. */
export function entriesOf(state: DiskState, directory: number): Map<string, number> {
  let entries = state.directories.get(directory);
  if (entries === undefined) {
    entries = new Map();
    state.directories.set(directory, entries);
  }
  return entries;
}

/** `content` with bytes written over it at a position; a gap is zeros. */
export function overlay(
  content: Uint8Array,
  { position, data }: { readonly position: number; readonly data: Uint8Array },
): Uint8Array {
  const result = new Uint8Array(Math.max(content.length, position + data.length));
  result.set(content);
  result.set(data, position);
  return result;
}

/** Facts with attributes of their own: those of a running disk go on changing. */
export function copyFacts(inodes: ReadonlyMap<number, InodeFacts>): Map<number, InodeFacts> {
  const copies = new Map<number, InodeFacts>();
  for (const [number, facts] of inodes) {
    copies.set(number, { ...facts, attributes: { ...facts.attributes } });
  }
  return copies;
}

/** A clock that goes on, by 1 ms at each reading, after the newest time in an image. */
export function clockAfter({ inodes }: DiskState): () => number {
  let tick = firstTick;
  for (const { attributes } of inodes.values()) {
    tick = Math.max(tick, Math.ceil(attributes.changedMs), Math.ceil(attributes.modifiedMs));
  }
  return () => {
    tick += 1;
    return tick;
  };
}

/** One name in an image. */
export interface NameOnDisk {
  readonly directory: number;
  readonly name: string;
  readonly number: number;
  readonly path: string;
}

/**
 * Every name in an image, in order. A directory that came to have two names, or to lie in itself
 * (half a rename of it was lost), keeps the first one found, as after a file system check.
 */
export function namesIn(state: DiskState): NameOnDisk[] {
  const found: NameOnDisk[] = [];
  const seen = new Set([rootInode]);
  const visit = (directory: number, prefix: string): void => {
    const entries = state.directories.get(directory);
    if (entries === undefined) return;
    for (const name of [...entries.keys()].sort()) {
      const number = entries.get(name) ?? rootInode;
      const path = `${prefix}/${name}`;
      const isDirectory = state.inodes.get(number)?.kind === 'directory';
      if (isDirectory && seen.has(number)) continue;
      if (isDirectory) seen.add(number);
      found.push({ directory, name, number, path });
      if (isDirectory) visit(number, path);
    }
  };
  visit(rootInode, '');
  return found;
}

const namesOfImages = new WeakMap<DiskState, readonly NameOnDisk[]>();

/** {@link namesIn} of a state that is not changed any more, found once. */
export function namesOfImage(state: DiskState): readonly NameOnDisk[] {
  let names = namesOfImages.get(state);
  if (names === undefined) {
    names = namesIn(state);
    namesOfImages.set(state, names);
  }
  return names;
}

/** One line for a person. */
export function describeOperation(
  operation: PendingOperation,
  nameOf: (inode: number) => string,
): string {
  switch (operation.kind) {
    case 'write':
      return `write ${operation.data.length} bytes at ${operation.position} of ${nameOf(operation.inode)}`;
    case 'resize':
      return `set the size of ${nameOf(operation.inode)} to ${operation.size}`;
    case 'add':
      return `add name ${operation.name} in ${nameOf(operation.directory)}`;
    case 'remove':
      return `remove name ${operation.name} from ${nameOf(operation.directory)}`;
    case 'move':
      return `rename ${operation.name} to ${operation.toName}`;
  }
}
