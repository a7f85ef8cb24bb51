/**
 * The end of an audit's file, read as far back as has to be known; and the names of its earlier files.
 * Reads only. Ruled by `docs/audit.md`.
 */
import { CheckpointError } from '../errors.js';
import { type AuditTail, readTailLines } from '../format/audit-lines.js';
import { equalBytes } from '../format/bytes.js';
import { readTail } from './file-content.js';
import type { FileSystem } from './file-system.js';

/** Bytes at the end of a file that are read first, and at most, to find where it stands. */
export const TAIL_BYTES = 64 * 1024;
const TAIL_BYTES_MAX = 32 * 1024 * 1024;
const UNSYNCED_BYTES_MAX = 1024 * 1024;

/** More than this without a line that reads well is no unfinished end: a first round leaves less. */
const TORN_BYTES_MAX = 16 * 1024;

/** Digits of a number in a file's name: the order of names is the order of numbers. */
const NUMBER_DIGITS = 12;

/** The end of a file, and how large the file is. */
export interface FoundTail {
  readonly tail: AuditTail;
  readonly bytes: Uint8Array;
  readonly size: number;
}

/**
 * As much of a file's end as has to be known: where something is wrong with it, as two reads in a row
 * agree. Where nothing is ever synced there is no such thing as enough. `undefined` where there is none.
 * @throws CheckpointError `READ_FAILED`
 */
export function readAuditTail(
  fs: FileSystem,
  path: string,
  isSynced: boolean,
): FoundTail | undefined {
  const most = isSynced ? TAIL_BYTES_MAX : UNSYNCED_BYTES_MAX;
  for (let length = TAIL_BYTES; ; length *= 8) {
    const read = readTail(fs, path, length);
    if (read === undefined) return undefined;
    const { bytes, stat } = read;
    const tail = readTailLines(bytes, bytes.length === stat.size);
    if (!tail.isEnough && length < most) continue;
    const found = { tail, bytes, size: stat.size };
    if (tail.end === bytes.length && !tail.isDamaged) return found;
    const again = readTail(fs, path, length);
    if (again !== undefined && equalBytes(again.bytes, bytes)) return found;
    throw new CheckpointError('READ_FAILED', `${path} reads differently each time.`, {
      file: path,
    });
  }
}

/** Whether not one line of it stands although it holds more than a crash leaves of a first round. */
export function isNoAudit({ tail, bytes, size }: FoundTail): boolean {
  if (tail.last !== undefined || size === 0) return false;
  return size > TAIL_BYTES || (size > TORN_BYTES_MAX && bytes.includes(0x0a));
}

/** The name of an earlier file, by the number of its first entry. */
export function nameFor(first: number): string {
  return `${String(first).padStart(NUMBER_DIGITS, '0')}.jsonl`;
}

/** The number that an earlier file of an audit is named after; nothing for other names. */
export function numberIn(name: string): number[] {
  const digits = /^(\d{12,16})\.jsonl$/.exec(name)?.[1];
  return digits === undefined ? [] : [Number(digits)];
}

/** Whether two names lead to one file: a crash, or a failure, came between the steps of renaming it. */
export function isSameFile(fs: FileSystem, one: string, other: string): boolean {
  const left = fs.statLink(one);
  const right = fs.statLink(other);
  return left !== undefined && left.inode === right?.inode && left.device === right.device;
}
