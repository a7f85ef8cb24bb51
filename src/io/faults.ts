/**
 * What can go wrong with one operation of a file system, as plain data: a fault can be written into a
 * case file as it is and prints as the code that makes it. `fault-rules.ts` decides which operation
 * meets which fault, `faulty-file-system.ts` carries it out. Ruled by `docs/fault-model.md`.
 */
import type { RecordedOperation } from './recording-file-system.js';
import type { SystemErrorCode } from './system-error.js';

/** Errors that a fault may raise. */
export const faultCodes = [
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EMFILE',
  'EINTR',
  'EAGAIN',
  'EBUSY',
  'EFBIG',
  'EXDEV',
] as const satisfies readonly SystemErrorCode[];

/** One of {@link faultCodes}. */
export type FaultCode = (typeof faultCodes)[number];

/** How much of a short read or write is done: half of it rounded up, so that who goes on comes to an end, one byte, nothing. */
export type ShortAmount = 'half' | 'one' | 'none';

/** One fault. Each is made by the function of the same name, which says what it means. */
export type Fault =
  | { readonly kind: 'fail'; readonly code: FaultCode }
  | { readonly kind: 'doneThenFail'; readonly code: FaultCode }
  | { readonly kind: 'short'; readonly amount: ShortAmount }
  | { readonly kind: 'dropPages'; readonly code: FaultCode }
  | { readonly kind: 'lie' }
  | { readonly kind: 'delay'; readonly delayMs: number; readonly done: 'first' | 'last' }
  | { readonly kind: 'flipBit'; readonly offset: number; readonly bit: number }
  | { readonly kind: 'misdirect'; readonly from?: string; readonly shift: number }
  | { readonly kind: 'loseLock' };

/** The operation fails with `code` and does nothing. On any operation. */
export function fail(code: FaultCode): Fault {
  return { kind: 'fail', code };
}

/**
 * The operation is done, and reported to have failed with `code`. On any operation. A file that was
 * created stays, its handle is closed; a lock that was taken is released again.
 */
export function doneThenFail(code: FaultCode): Fault {
  return { kind: 'doneThenFail', code };
}

/** A `read` or `write` does less than it was asked for, and says so in its result. */
export function short(amount: ShortAmount): Fault {
  return { kind: 'short', amount };
}

/**
 * A `sync` fails with `code`, and what was pending of the file is lost for good, although the process
 * goes on seeing it and later syncs succeed: ext4, XFS and Btrfs mark the pages clean. Needs a disk
 * that can forget (see `SimulatedDisk.dropPending`).
 */
export function dropPages(code: FaultCode = 'EIO'): Fault {
  return { kind: 'dropPages', code };
}

/** A `sync` or `syncDirectory` reports success and makes nothing durable. */
export function lie(): Fault {
  return { kind: 'lie' };
}

/**
 * A `sync` or `syncDirectory` answers after `delayMs` milliseconds of the injected scheduler, with a
 * promise. It is done at once (`first`) or only when it answers (`last`; at the latest when the file
 * is closed).
 */
export function delay(delayMs: number, done: 'first' | 'last' = 'first'): Fault {
  return { kind: 'delay', delayMs, done };
}

/** A `read` that covers byte `offset` of the file gets bit `bit` (0 to 7) of it inverted. */
export function flipBit(offset: number, bit = 0): Fault {
  return { kind: 'flipBit', offset, bit };
}

/**
 * A `read` gets as many bytes as it should, but from `shift` bytes further on in the file, or from
 * the file `from`: a disk's misdirected read. Zeros where there is nothing.
 */
export function misdirect(where: { readonly from?: string; readonly shift?: number }): Fault {
  const { from, shift = 0 } = where;
  return { kind: 'misdirect', ...(from === undefined ? {} : { from }), shift };
}

/** A lock's `isHeld` says that it is lost; the lock file stays as it is. */
export function loseLock(): Fault {
  return { kind: 'loseLock' };
}

/** Whether a fault means something for an operation. */
export function isApplicable(
  { kind }: Fault,
  { operation }: Pick<RecordedOperation, 'operation'>,
): boolean {
  switch (kind) {
    case 'fail':
    case 'doneThenFail':
      return true;
    case 'short':
      return operation === 'read' || operation === 'write';
    case 'dropPages':
      return operation === 'sync';
    case 'lie':
    case 'delay':
      return operation === 'sync' || operation === 'syncDirectory';
    case 'flipBit':
    case 'misdirect':
      return operation === 'read';
    case 'loseLock':
      return operation === 'isHeld';
  }
}

/** The code that makes the fault; a bare code, which rules take too, for {@link fail}. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'fail':
      return `'${fault.code}'`;
    case 'doneThenFail':
    case 'dropPages':
      return `${fault.kind}('${fault.code}')`;
    case 'short':
      return `short('${fault.amount}')`;
    case 'delay':
      return `delay(${fault.delayMs}, '${fault.done}')`;
    case 'flipBit':
      return `flipBit(${fault.offset}, ${fault.bit})`;
    case 'misdirect': {
      const from = fault.from === undefined ? '' : `from: ${JSON.stringify(fault.from)}, `;
      return `misdirect({ ${from}shift: ${fault.shift} })`;
    }
    case 'lie':
    case 'loseLock':
      return `${fault.kind}()`;
  }
}
