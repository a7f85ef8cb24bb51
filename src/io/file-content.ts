/**
 * Contents of files, read and written with care: short writes are continued and checked, sizes are
 * checked, reads are bounded and an early end is not believed.
 */
import { CheckpointError } from '../errors.js';
import { equalBytes, unfilledBytes } from '../format/bytes.js';
import type { FileHandle, FileStat, FileSystem } from './file-system.js';
import { isMissing, readError, writeError } from './io-error.js';

/** What tells one version of a file from another without reading it. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Mode and owner that a new file takes over. */
export interface Ownership {
  readonly mode: number;
  /** Absent: this process's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Largest write in one call; larger images are written piece by piece. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** So much is read at once to be compared: it stays in the processor's cache until it is. */
const COMPARED_BYTES = 256 * 1024;

/** The identity part of a stat. */
export function identityOf({ device, inode, size, modifiedMs }: FileStat): FileIdentity {
  return { device, inode, size, modifiedMs };
}

/** Whether two identities are of the same version of the same file. */
export function sameIdentity(
  left: FileIdentity | undefined,
  right: FileIdentity | undefined,
): boolean {
  return (
    left?.device === right?.device &&
    left?.inode === right?.inode &&
    left?.size === right?.size &&
    left?.modifiedMs === right?.modifiedMs
  );
}

/**
 * Writes all of `bytes` at `position`, however many calls it takes.
 * @throws CheckpointError `NO_SPACE`, `WRITE_FAILED`, `SHORT_WRITE` (the system takes no more bytes)
 */
export function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
  file: string,
): void {
  let written = 0;
  let isShort = false;
  while (written < bytes.length) {
    const piece = bytes.subarray(written, written + WRITE_BYTES);
    let count: number;
    try {
      count = handle.write(piece, position + written);
    } catch (error) {
      throw writeError(error, file, 'writing');
    }
    if (count <= 0) {
      throw new CheckpointError(
        'SHORT_WRITE',
        `Only ${position + written} bytes could be written to ${file}, ${position + bytes.length} were to be.`,
        { file, offset: position + written },
      );
    }
    isShort ||= count < piece.length;
    written += count;
  }
  if (isShort) checkWritten(handle, bytes, position, file);
}

/**
 * After a short write: reads back what the system says it took. Short writes come from full and failing
 * disks, where its word is not enough.
 */
function checkWritten(handle: FileHandle, bytes: Uint8Array, position: number, file: string): void {
  if (holds(handle, bytes, position)) return;
  throw new CheckpointError(
    'SHORT_WRITE',
    `A short write to ${file} did not arrive as the system said.`,
    { file, offset: position },
  );
}

/**
 * Checks that a file has the size that was written to it.
 * @throws CheckpointError `SHORT_WRITE`
 */
export function checkSize(handle: FileHandle, expected: number, file: string): void {
  const size = handle.size();
  if (size !== expected) {
    throw new CheckpointError(
      'SHORT_WRITE',
      `${file} holds ${size} bytes after ${expected} were written to it.`,
      { file },
    );
  }
}

/** A file's bytes together with the identity they were read under. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly identity: FileIdentity;
  readonly ownership: Ownership;
}

/**
 * Reads a whole file, or `undefined` where there is none.
 * @throws CheckpointError `READ_FAILED`; `TOO_LARGE` before anything is allocated for it
 */
export function readWhole(fs: FileSystem, path: string, maxBytes: number): ReadFile | undefined {
  return reading(fs, path, (handle) => {
    const stat = handle.stat();
    if (stat.size > maxBytes) {
      throw new CheckpointError(
        'TOO_LARGE',
        `${path} has ${stat.size} bytes; at most ${maxBytes} are read.`,
        { file: path },
      );
    }
    return readFileOf(readAll(handle, stat.size, path), stat);
  });
}

function readFileOf(bytes: Uint8Array, stat: FileStat): ReadFile {
  const { mode, uid, gid } = stat;
  return { bytes, identity: identityOf(stat), ownership: { mode, owner: { uid, gid } } };
}

/** Opens a file to be read, and closes it again; `undefined` where there is none. */
function reading<T>(fs: FileSystem, path: string, act: (handle: FileHandle) => T): T | undefined {
  let handle: FileHandle;
  try {
    handle = fs.open(path, 'read');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw readError(error, path);
  }
  try {
    return act(handle);
  } catch (error) {
    throw readError(error, path);
  } finally {
    closeQuietly(handle);
  }
}

/**
 * The file at `path`, believed only when two reads in a row agree: bytes that a disk returns wrong once
 * must not be taken for damage, or for somebody's edit, and acted on. A checksum is no proof here: an older
 * checkpoint verifies too. What equals `known` needs no second read.
 * @throws CheckpointError `READ_FAILED`, `TOO_LARGE`
 */
export function readAgreed(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  known?: Uint8Array,
): ReadFile | undefined {
  const same = known && readKnown(fs, path, known);
  if (same !== undefined) return same;
  let last = readWhole(fs, path, maxBytes);
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
    if (last !== undefined && readsAs(fs, path, last.bytes)) return last;
    const again = readWhole(fs, path, maxBytes);
    if (last === undefined && again === undefined) return undefined;
    last = again;
  }
  throw new CheckpointError(
    'READ_FAILED',
    `${path} reads differently each time. Nothing was changed.`,
    { file: path },
  );
}

/**
 * Whether a file is there and reads as these bytes. It takes no memory for a second copy.
 * @throws CheckpointError `READ_FAILED`
 */
export function readsAs(fs: FileSystem, path: string, bytes: Uint8Array): boolean {
  const isSame = (handle: FileHandle) => handle.size() === bytes.length && holds(handle, bytes, 0);
  return reading(fs, path, isSame) ?? false;
}

/** The file, where it holds what is known already; the very same bytes are given back. */
function readKnown(fs: FileSystem, path: string, known: Uint8Array): ReadFile | undefined {
  return reading(fs, path, (handle) => {
    const stat = handle.stat();
    const isSame = stat.size === known.length && holds(handle, known, 0);
    return isSame ? readFileOf(known, stat) : undefined;
  });
}

/** Memory that the next comparison can have; nobody has it twice. */
let spare: Uint8Array | undefined;

/** Whether a file holds some bytes at a position; read piece by piece. */
function holds(handle: FileHandle, bytes: Uint8Array, position: number): boolean {
  const room = Math.min(bytes.length, COMPARED_BYTES);
  const found = spare !== undefined && spare.length >= room ? spare : new Uint8Array(room);
  spare = undefined;
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = handle.read(found.subarray(0, bytes.length - at), position + at);
      const isSame = equalBytes(found.subarray(0, count), bytes.subarray(at, at + count));
      if (count <= 0 || !isSame) return false;
      at += count;
    }
    return true;
  } finally {
    spare = found;
  }
}

/**
 * The last bytes of a file, `maxBytes` of them or all, with what is known of the file; `undefined` where
 * there is none. For what stands at the end of a file of any size.
 * @throws CheckpointError `READ_FAILED`
 */
export function readTail(
  fs: FileSystem,
  path: string,
  maxBytes: number,
): { readonly bytes: Uint8Array; readonly stat: FileStat } | undefined {
  let handle: FileHandle | undefined;
  try {
    handle = fs.open(path, 'read');
    const stat = handle.stat();
    const bytes = new Uint8Array(Math.min(stat.size, maxBytes));
    let length = 0;
    while (length < bytes.length) {
      const count = handle.read(bytes.subarray(length), stat.size - bytes.length + length);
      if (count <= 0) break;
      length += count;
    }
    return { bytes: bytes.subarray(0, length), stat };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw readError(error, path);
  } finally {
    closeQuietly(handle);
  }
}

/** Reads that end early, or disagree, are tried again so often before they count as an error. */
const READ_ATTEMPTS = 3;

/** All bytes of an open file. An end before its size is a file that shrank, or a read that failed. */
function readAll(handle: FileHandle, size: number, path: string): Uint8Array {
  let expected = size;
  for (let attempt = 1; ; attempt += 1) {
    const bytes = unfilledBytes(expected);
    let length = 0;
    while (length < bytes.length) {
      const count = handle.read(bytes.subarray(length), length);
      if (count <= 0) break;
      length += count;
    }
    const now = handle.size();
    if (length === expected || now === length) return bytes.subarray(0, length);
    if (attempt >= READ_ATTEMPTS) {
      throw new CheckpointError(
        'READ_FAILED',
        `${path} has ${now} bytes, but only ${length} can be read. Nothing was changed.`,
        { file: path },
      );
    }
    expected = Math.min(now, size);
  }
}

/** Closes a handle whose content no longer matters or is synced already. */
export function closeQuietly(handle: FileHandle | undefined): void {
  try {
    handle?.close();
  } catch {
    // A failed close can't undo a sync, and there is nothing left to try with this descriptor.
  }
}
