/**
 * The exclusive lock of one store: a file with its owner's record, under a kernel lock where there is
 * one. Both kinds follow one protocol, so that they exclude each other. Assumes a local file system
 * (`docs/fault-model.md`: network file systems are unsupported).
 *
 * 1. A record is written to a temporary file (locked already, for the kernel kind) and linked to the
 *    lock's path: the name appears at once with its whole record, or not at all. It never changes.
 * 2. A record whose owner is gone may be replaced only by who holds the *claim* on it: a lock like
 *    this one, at a path made from the record's fingerprint. So of many who find the same dead owner
 *    one succeeds it, and who comes late finds another record than the one its claim was for.
 * 3. The owner removes the name while it still holds the lock.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileLock, LockOwner, LockResult } from './file-system.js';
import { type KernelLocks, loadKernelLocks } from './kernel-lock.js';
import {
  formatLockRecord,
  inspectLockFile,
  isLockHeld,
  type LockKind,
  type LockRecord,
  ownerOf,
  unreadableHeldMs,
} from './lock-file.js';
import { pause } from './pause.js';
import { ownIdentity } from './process-identity.js';
import { errorCode, systemError } from './system-error.js';

/** Locks on files of this machine. */
export interface NodeLocks {
  /** See `FileSystem.lock`. */
  lock(path: string): LockResult;
  /** See `FileSystem.lockHolder`. */
  holder(path: string): LockOwner | undefined;
}

/** Options of {@link createNodeLocks}. */
export interface NodeLocksOptions {
  /** `owner-file` does without the kernel's lock even where there is one. Default: `kernel` where possible. */
  readonly kind?: LockKind;
}

/** Times the evidence may change under us before we say that somebody else has the lock. */
const attemptsMax = 20;
/** Claims on claims: one level for each process that died in the middle of succeeding a dead one. */
const claimDepthMax = 32;

/** The {@link NodeLocks} of this process. */
export function createNodeLocks(options: NodeLocksOptions = {}): NodeLocks {
  // Asked for when a lock is: loading the native package takes longer than looking at a store.
  const kernelLocks = () => (options.kind === 'owner-file' ? undefined : loadKernelLocks());
  return {
    lock(path) {
      const kernel = kernelLocks();
      const result = acquire(path, path, kernel, 0);
      if (result.acquired) removeLitter(path, kernel);
      return result;
    },
    holder(path) {
      const found = inspectLockFile(path, kernelLocks);
      if (found?.record === undefined || !isLockHeld(found)) return undefined;
      return ownerOf(found.record);
    },
  };
}

/** `base` is the lock's own path, from which the names of claims and temporary files are made. */
function acquire(
  path: string,
  base: string,
  kernel: KernelLocks | undefined,
  depth: number,
): LockResult {
  let holder: LockOwner | undefined;
  let hasWaited = false;
  for (let attempt = 1; attempt <= attemptsMax && depth <= claimDepthMax; attempt++) {
    const found = inspectLockFile(path, () => kernel);
    if (found === undefined) {
      const lock = create(path, base, kernel);
      if (lock !== undefined) return { acquired: true, lock };
      continue;
    }
    holder = found.record && ownerOf(found.record);
    if (isLockHeld(found)) {
      if (found.record !== undefined || found.kernelHeld === true || hasWaited) {
        return { acquired: false, holder };
      }
      // Torn by a power failure, or on its way: a moment later it is one or the other.
      hasWaited = true;
      pause(unreadableHeldMs + 10);
      continue;
    }
    const claim = acquire(`${base}.${found.fingerprint}`, base, kernel, depth + 1);
    if (claim.acquired) {
      const lock = succeed(path, base, kernel, found.fingerprint, claim.lock);
      if (lock !== undefined) return { acquired: true, lock };
    } else {
      // Somebody else is succeeding this very owner; a moment later the record says who.
      holder = claim.holder;
      pause(1);
    }
  }
  return { acquired: false, holder };
}

/** Takes a free path; `undefined` if it is no longer free. */
function create(path: string, base: string, kernel: KernelLocks | undefined): FileLock | undefined {
  const temporary = temporaryPath(base);
  const file = writeOwnRecord(temporary, kernel);
  try {
    linkSync(temporary, path);
  } catch (error) {
    closeSync(file.descriptor);
    const code = errorCode(error);
    // ENOENT: our temporary file was slow enough to be taken for litter. Either way: look again.
    if (code === 'EEXIST' || code === 'ENOENT') return undefined;
    if (isLinkUnsupported(code)) return createWithoutLink(path, kernel);
    throw error;
  } finally {
    unlinkIfPresent(temporary);
  }
  return new HeldLock(path, file, kernel);
}

/** For file systems without hard links: the record follows a moment after the name (see `lock-file.ts`). */
function createWithoutLink(path: string, kernel: KernelLocks | undefined): FileLock | undefined {
  try {
    return new HeldLock(path, writeOwnRecord(path, kernel), kernel);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** Replaces the record that the claim is for, if it is still there, and gives the claim up. */
function succeed(
  path: string,
  base: string,
  kernel: KernelLocks | undefined,
  fingerprint: string,
  claim: FileLock,
): FileLock | undefined {
  try {
    const found = inspectLockFile(path, () => kernel);
    if (found === undefined || found.fingerprint !== fingerprint || isLockHeld(found)) {
      return undefined;
    }
    const temporary = temporaryPath(base);
    const file = writeOwnRecord(temporary, kernel);
    try {
      renameSync(temporary, path);
    } catch (error) {
      closeSync(file.descriptor);
      unlinkIfPresent(temporary);
      throw error;
    }
    return new HeldLock(path, file, kernel);
  } finally {
    claim.release();
  }
}

interface OwnFile {
  readonly descriptor: number;
  readonly kind: LockKind;
}

/** Creates `path` exclusively, locks it, then writes our record; nothing is left behind if that fails. */
function writeOwnRecord(path: string, kernel: KernelLocks | undefined): OwnFile {
  const { O_CREAT, O_EXCL, O_RDWR, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    const kind: LockKind = kernel?.lock(descriptor) === true ? 'kernel' : 'owner-file';
    const record: LockRecord = {
      ...ownIdentity(),
      since: new Date().toISOString(),
      kind,
      nonce: randomBytes(8).toString('hex'),
    };
    const bytes = new TextEncoder().encode(formatLockRecord(record));
    const written = writeSync(descriptor, bytes, 0, bytes.length, 0);
    // A full disk takes part of the bytes without an error.
    if (written < bytes.length) throw systemError('ENOSPC', 'write', path);
    return { descriptor, kind };
  } catch (error) {
    closeSync(descriptor);
    unlinkIfPresent(path);
    throw error;
  }
}

class HeldLock implements FileLock {
  readonly kind: LockKind;
  readonly #path: string;
  /** Kept open for both kinds: while it is, no other file can get our inode's number. */
  readonly #descriptor: number;
  readonly #kernel: KernelLocks | undefined;
  #released = false;

  constructor(path: string, file: OwnFile, kernel: KernelLocks | undefined) {
    this.kind = file.kind;
    this.#path = path;
    this.#descriptor = file.descriptor;
    this.#kernel = kernel;
  }

  isHeld(): boolean {
    if (this.#released) return false;
    try {
      const ours = fstatSync(this.#descriptor, { bigint: true });
      const there = lstatSync(this.#path, { bigint: true });
      return ours.dev === there.dev && ours.ino === there.ino;
    } catch {
      // Gone, or the disk doesn't answer: either way nobody may go on as its holder.
      return false;
    }
  }

  release(): void {
    if (this.#released) return;
    try {
      if (this.isHeld()) unlinkIfPresent(this.#path);
    } finally {
      this.#released = true;
      if (this.kind === 'kernel') this.#kernel?.unlock(this.#descriptor);
      closeSync(this.#descriptor);
    }
  }
}

/**
 * Removes what processes that died in the middle left beside the lock: temporary files, and claims
 * on records that are gone. Safe for the lock's holder: every claim that another process could still
 * get is for another record than ours, and is given up when that shows.
 */
function removeLitter(path: string, kernel: KernelLocks | undefined): void {
  const prefix = `${basename(path)}.`;
  try {
    for (const name of readdirSync(dirname(path))) {
      if (!name.startsWith(prefix)) continue;
      if (!/^[0-9a-f]{16}(\.tmp)?$/.test(name.slice(prefix.length))) continue;
      const litter = join(dirname(path), name);
      const found = inspectLockFile(litter, () => kernel);
      if (found !== undefined && !isLockHeld(found)) unlinkIfPresent(litter);
    }
  } catch {
    // Tidying only: what stays is tried again at the next open, and harms nobody.
  }
}

function temporaryPath(base: string): string {
  return `${base}.${randomBytes(8).toString('hex')}.tmp`;
}

function isLinkUnsupported(code: string | undefined): boolean {
  const codes = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];
  return code !== undefined && codes.includes(code);
}

function unlinkIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
