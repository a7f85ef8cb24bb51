/**
 * The lock file as evidence: the owner record in it, which file it is, and whether its owner is still
 * there. Reads only; `node-lock.ts` decides what follows. The record comes from outside, so nothing in
 * it is trusted: it is read up to a limit, checked field by field, and never used as a path.
 */

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { LockOwner } from './file-system.js';
import type { KernelLocks } from './kernel-lock.js';
import { isAlive } from './process-identity.js';
import { isMissing, systemError } from './system-error.js';

/** How a lock is held. */
export type LockKind = 'kernel' | 'owner-file';

/** What stands in a lock file: its owner, how the owner holds it, and a nonce that no other record has. */
export interface LockRecord extends LockOwner {
  readonly kind: LockKind;
  readonly nonce: string;
}

/** A lock file as found. */
export interface LockFile {
  readonly record: LockRecord | undefined;
  /** Equal for the same file with the same content only. 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** Milliseconds since it was written, by the clock of this machine. */
  readonly ageMs: number;
  /** Whether an open file holds the kernel's lock on it; `undefined` where that can't be told. */
  readonly kernelHeld: boolean | undefined;
}

/** Records are some 250 bytes; what is longer than this is none. */
const recordBytesMax = 4096;

/**
 * How long a lock file without a readable record counts as held. Records appear whole, except where
 * hard links are missing: there they are written a moment after the file is created. Whatever is
 * older was left by a power failure or by something else, and must not lock a store forever; who asks
 * for the lock waits that long.
 */
export const unreadableHeldMs = 100;

/** One line of JSON. */
export function formatLockRecord(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Reads a record; `undefined` for anything that isn't one. */
export function parseLockRecord(text: string): LockRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields: Partial<Record<keyof LockRecord, unknown>> = value;
  const { pid, startedAt, bootId, host, since, kind, nonce } = fields;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (kind !== 'kernel' && kind !== 'owner-file') return undefined;
  if (typeof host !== 'string' || typeof since !== 'string' || typeof nonce !== 'string') {
    return undefined;
  }
  return {
    pid,
    ...(typeof startedAt === 'string' ? { startedAt } : {}),
    ...(typeof bootId === 'string' ? { bootId } : {}),
    host,
    since,
    kind,
    nonce,
  };
}

/** The owner without what only the lock itself needs. */
export function ownerOf(record: LockRecord): LockOwner {
  const { kind: _kind, nonce: _nonce, ...owner } = record;
  return owner;
}

/**
 * Looks at the lock file at `path`; `undefined` if there is none.
 *
 * @throws `EISDIR`, `EINVAL` (not a regular file), `ELOOP` (a symbolic link), and what reading throws.
 */
export function inspectLockFile(
  path: string,
  kernel: () => KernelLocks | undefined,
): LockFile | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw systemError(stats.isDirectory() ? 'EISDIR' : 'EINVAL', 'open', path);
    const text = readText(descriptor);
    const identity = `${stats.dev}:${stats.ino}:${stats.mtimeNs}\n${text}`;
    return {
      record: parseLockRecord(text),
      fingerprint: createHash('sha256').update(identity).digest('hex').slice(0, 16),
      ageMs: Date.now() - Number(stats.mtimeNs / 1_000_000n),
      kernelHeld: kernel()?.isHeld(descriptor),
    };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Whether somebody holds the lock. For a kernel lock the kernel knows; where it can't be asked, and
 * for owner files, the process named in the record decides.
 */
export function isLockHeld({ record, kernelHeld, ageMs }: LockFile): boolean {
  // A time far in the future is a clock that was set back, not a fresh file.
  if (record === undefined) return kernelHeld === true || Math.abs(ageMs) < unreadableHeldMs;
  if (record.kind === 'kernel' && kernelHeld !== undefined) return kernelHeld;
  return isAlive(record);
}

function readText(descriptor: number): string {
  const bytes = new Uint8Array(recordBytesMax);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, length);
    if (read === 0) return new TextDecoder().decode(bytes.subarray(0, length));
    length += read;
  }
}
