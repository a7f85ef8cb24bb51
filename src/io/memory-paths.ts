/**
 * Path resolution of the in-memory file system, as Linux does it: `.` and `..`, symbolic links in any
 * component, trailing slashes, the limit on links followed. Reads inodes, never changes them.
 */

import type { DirectoryInode, Inode, InodeTable } from './memory-inodes.js';
import { type SystemErrorCode, systemError } from './system-error.js';

/** Where a path leads. */
export interface Location {
  /** Directory that holds (or would hold) the last component. */
  readonly parent: DirectoryInode;
  /** Last component; `undefined` where it is `.`, `..` or the root, which can't be created or removed. */
  readonly name: string | undefined;
  /** What is there, if anything. */
  readonly inode: Inode | undefined;
  /** The path ended in a slash, so only a directory will do. */
  readonly needsDirectory: boolean;
}

/** What resolution needs to know besides the path. `syscall` and `paths` only word its errors. */
export interface ResolveOptions {
  /**
   * Whether a symbolic link in the last component is followed (one with a slash behind it always is).
   * `never`: the last component is only looked up, also with a slash behind it, as operations on names
   * do; they judge themselves what they find.
   */
  readonly follow: boolean | 'never';
  readonly syscall: string;
  readonly paths: readonly [path: string, destination?: string];
}

/** Symbolic links followed in one resolution before it fails with `ELOOP` (Linux: `MAXSYMLINKS`). */
const linksFollowedMax = 40;
/** Bytes in one name and in one path (Linux: `NAME_MAX`, `PATH_MAX` less its terminator). */
const nameBytesMax = 255;
const pathBytesMax = 4095;

/**
 * Walks `path`.
 *
 * @throws `ENOENT` (a directory on the way is missing), `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`. A missing
 * last component is no error: `inode` is `undefined` then.
 */
export function resolve(table: InodeTable, path: string, options: ResolveOptions): Location {
  const fail = (code: 'ENOENT' | 'ENOTDIR' | 'ELOOP' | 'ENAMETOOLONG') =>
    systemError(code, options.syscall, ...options.paths);
  if (isLonger(path, pathBytesMax)) throw fail('ENAMETOOLONG');
  let directory = table.root();
  let location: Location = {
    parent: directory,
    name: undefined,
    inode: directory,
    needsDirectory: true,
  };
  const ahead = components(path).reverse();
  const trailingSlash = /\/$/.test(path);
  let linksFollowed = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    const isLast = ahead.length === 0;
    const needsDirectory = !isLast || trailingSlash;
    if (name === '.' || name === '..') {
      directory = name === '.' ? directory : directoryOf(table.get(directory.parent), fail);
      location = { parent: directory, name: undefined, inode: directory, needsDirectory: true };
      continue;
    }
    if (isLonger(name, nameBytesMax)) throw fail('ENAMETOOLONG');
    const number = directory.entries.get(name);
    if (number === undefined) {
      if (!isLast) throw fail('ENOENT');
      return { parent: directory, name, inode: undefined, needsDirectory };
    }
    const inode = table.get(number);
    if (isLast && options.follow === 'never') {
      return { parent: directory, name, inode, needsDirectory };
    }
    if (inode.kind === 'symlink' && (needsDirectory || options.follow === true)) {
      if (++linksFollowed > linksFollowedMax) throw fail('ELOOP');
      if (inode.target.startsWith('/')) directory = table.root();
      location = { parent: directory, name: undefined, inode: directory, needsDirectory: true };
      ahead.push(...components(inode.target).reverse());
      continue;
    }
    location = { parent: directory, name, inode, needsDirectory };
    if (needsDirectory || inode.kind === 'directory') directory = directoryOf(inode, fail);
  }
  return location;
}

/** The absolute path of a directory, found by walking up. */
export function directoryPath(table: InodeTable, directory: DirectoryInode): string {
  const names: string[] = [];
  for (let child = directory; child.parent !== child.number; ) {
    const parent = table.get(child.parent);
    if (parent.kind !== 'directory') throw new RangeError('a parent is not a directory');
    const number = child.number;
    const entry = [...parent.entries].find(([, entryNumber]) => entryNumber === number);
    if (entry === undefined) throw new RangeError('a directory is missing in its parent');
    names.push(entry[0]);
    child = parent;
  }
  return `/${names.reverse().join('/')}`;
}

/** Why `moved` can't be renamed so; the order is Linux's, where several reasons hold. */
export function refuseRename(
  table: InodeTable,
  source: Location,
  target: Location,
  moved: Inode,
): SystemErrorCode | undefined {
  const replaced = target.inode;
  if (moved.kind !== 'directory' && (source.needsDirectory || target.needsDirectory)) {
    return 'ENOTDIR';
  }
  if (moved.kind === 'directory' && contains(table, moved, target.parent)) return 'EINVAL';
  if (replaced?.kind === 'directory' && contains(table, replaced, source.parent)) {
    return 'ENOTEMPTY';
  }
  if (replaced === undefined || replaced === moved) return undefined;
  if (moved.kind === 'directory' && replaced.kind !== 'directory') return 'ENOTDIR';
  if (moved.kind !== 'directory' && replaced.kind === 'directory') return 'EISDIR';
  return replaced.kind === 'directory' && replaced.entries.size > 0 ? 'ENOTEMPTY' : undefined;
}

/** Whether `inner` is `outer` or lies below it. */
function contains(table: InodeTable, outer: DirectoryInode, inner: DirectoryInode): boolean {
  for (let directory: Inode = inner; directory.kind === 'directory'; ) {
    if (directory === outer) return true;
    if (directory.parent === directory.number) return false;
    directory = table.get(directory.parent);
  }
  return false;
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function directoryOf(inode: Inode, fail: (code: 'ENOTDIR') => Error): DirectoryInode {
  if (inode.kind !== 'directory') throw fail('ENOTDIR');
  return inode;
}

/** Whether a text has more than `bytes` bytes of UTF-8; a UTF-16 unit has at most three. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}
