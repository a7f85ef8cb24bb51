/**
 * An open file of the in-memory file system. It refers to the inode, not to the name, so it goes on
 * working after the file is renamed, replaced or unlinked. Assumes the inode is kept while it is open.
 */

import type { FileHandle, FileStat } from './file-system.js';
import type { FileInode, Inode, InodeTable } from './memory-inodes.js';
import { checkByteCount, checkMode, systemError } from './system-error.js';

/** Largest file in bytes; beyond it `EFBIG`, so that a wrong position can't exhaust memory. */
const fileBytesMax = 2 ** 30;

/** Device number that every in-memory file reports. */
const memoryDevice = 1;

/** Metadata of an inode. Its size is part of it, so the file counts as used. */
export function statOf(inode: Inode): FileStat {
  if (inode.kind === 'file') inode.wasUsed = true;
  const { mode, uid, gid, links, modifiedMs, changedMs } = inode.attributes;
  return {
    kind: inode.kind,
    size: sizeOf(inode),
    mode,
    uid,
    gid,
    device: memoryDevice,
    inode: inode.number,
    links,
    modifiedMs,
    changedMs,
  };
}

/** A {@link FileHandle} on an inode. Made by the file system only. */
export class MemoryFileHandle implements FileHandle {
  /** The file it is open on, whatever its names are. */
  readonly inode: FileInode;
  readonly #inodes: InodeTable;
  readonly #writable: boolean;
  readonly #onClose: () => void;
  #closed = false;

  constructor(inodes: InodeTable, inode: FileInode, writable: boolean, onClose: () => void) {
    this.inode = inode;
    this.#inodes = inodes;
    this.#writable = writable;
    this.#onClose = onClose;
  }

  read(target: Uint8Array, position: number): number {
    checkByteCount('position', position);
    this.#checkOpen('read');
    this.inode.wasUsed = true;
    const length = Math.max(0, Math.min(target.length, this.inode.size - position));
    if (length > 0) target.set(this.inode.content.subarray(position, position + length));
    return length;
  }

  write(data: Uint8Array, position: number): number {
    checkByteCount('position', position);
    this.#checkOpen('write');
    if (!this.#writable) throw systemError('EBADF', 'write');
    if (data.length > 0 && position + data.length > fileBytesMax)
      throw systemError('EFBIG', 'write');
    this.#inodes.writeBytes(this.inode, data, position);
    return data.length;
  }

  size(): number {
    this.#checkOpen('fstat');
    this.inode.wasUsed = true;
    return this.inode.size;
  }

  stat(): FileStat {
    this.#checkOpen('fstat');
    return statOf(this.inode);
  }

  truncate(size: number): void {
    checkByteCount('size', size);
    this.#checkOpen('ftruncate');
    if (!this.#writable) throw systemError('EINVAL', 'ftruncate');
    if (size > fileBytesMax) throw systemError('EFBIG', 'ftruncate');
    this.#inodes.setSize(this.inode, size);
  }

  setMode(mode: number): void {
    checkMode(mode);
    this.#checkOpen('fchmod');
    this.#inodes.setAttributes(this.inode, { mode });
  }

  setOwner(uid: number, gid: number): void {
    checkByteCount('uid', uid);
    checkByteCount('gid', gid);
    this.#checkOpen('fchown');
    this.#inodes.setAttributes(this.inode, { uid, gid });
  }

  sync(): void {
    this.#checkOpen('fsync');
    this.#inodes.syncFile(this.inode);
  }

  close(): void {
    this.#checkOpen('close');
    this.#closed = true;
    this.#onClose();
  }

  #checkOpen(syscall: string): void {
    if (this.#closed) throw systemError('EBADF', syscall);
  }
}

function sizeOf(inode: Inode): number {
  if (inode.kind === 'file') return inode.size;
  if (inode.kind === 'symlink') return new TextEncoder().encode(inode.target).length;
  return inode.entries.size;
}
