/**
 * The kernel's file lock, through the optional native package: released by the system itself when the
 * process ends, however it ends. Linux: open-file-description locks; macOS: flock; Windows:
 * LockFileEx. None of them is dropped when the same process closes another descriptor of the file.
 */

import { createRequire } from 'node:module';

/** Locks on open descriptors. */
export interface KernelLocks {
  /** Takes the exclusive lock; `false` if another open file has it or the file system has no locks. */
  lock(descriptor: number): boolean;
  unlock(descriptor: number): void;
  /** Whether another open file has the exclusive lock; `undefined` where that can't be told. */
  isHeld(descriptor: number): boolean | undefined;
}

interface NativeLocks {
  tryLock(
    descriptor: number,
    offset: number,
    length: number,
    options?: { shared: boolean },
  ): boolean;
  unlock(descriptor: number, offset: number, length: number): void;
}

/**
 * Windows locks are mandatory: bytes under a lock can't be read by others, so the lock is put on a
 * byte far beyond the owner record. macOS can only lock the file as a whole (0, 0).
 */
const [offset, length] = process.platform === 'win32' ? [2 ** 30, 1] : [0, 0];

let loaded: { readonly locks: KernelLocks | undefined } | undefined;

/** The kernel's locks; `undefined` where the native package is missing or doesn't run. */
export function loadKernelLocks(): KernelLocks | undefined {
  loaded ??= { locks: load() };
  return loaded.locks;
}

function load(): KernelLocks | undefined {
  try {
    const native: unknown = createRequire(import.meta.url)('fs-native-extensions');
    return isNativeLocks(native) ? kernelLocks(native) : undefined;
  } catch {
    // Optional by design: without it the owner file decides.
    return undefined;
  }
}

function kernelLocks(native: NativeLocks): KernelLocks {
  return {
    lock(descriptor) {
      try {
        return native.tryLock(descriptor, offset, length);
      } catch {
        // ENOLCK, ENOTSUP and the like: a file system without locks.
        return false;
      }
    },
    unlock(descriptor) {
      native.unlock(descriptor, offset, length);
    },
    isHeld(descriptor) {
      try {
        // A shared lock asks without standing in the way of others who ask at the same time.
        if (!native.tryLock(descriptor, offset, length, { shared: true })) return true;
        native.unlock(descriptor, offset, length);
        return false;
      } catch {
        return undefined;
      }
    },
  };
}

function isNativeLocks(value: unknown): value is NativeLocks {
  return (
    typeof value === 'object' &&
    value !== null &&
    'tryLock' in value &&
    typeof value.tryLock === 'function' &&
    'unlock' in value &&
    typeof value.unlock === 'function'
  );
}
