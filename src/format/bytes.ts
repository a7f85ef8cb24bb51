/**
 * The few byte operations that both formats of this package share: little-endian integers, hex,
 * zero checks and SHA-256. Nothing here knows what the bytes mean; nothing here copies an image.
 * Integer widths and limits are ruled by `docs/format.md`.
 */
import { createHash, hash } from 'node:crypto';

/** Sequence numbers and epochs are at most this (2^48): far beyond use, and safe in every reader. */
export const MAX_COUNTER = 2 ** 48;

/** Bytes of a SHA-256 digest. */
export const SHA256_BYTES = 32;

const HEX_SHA256 = /^[0-9a-f]{64}$/;

/** A view over the same memory, for reading and writing integers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** SHA-256 of `bytes`, 64 lower-case hex digits. Reads in place. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** To hash fewer bytes twice costs less than a digest that is made in two steps. */
const ONE_WALK_BYTES = 8192;

/**
 * SHA-256 of the first `end` bytes and of all of them, mostly in one walk; 64 lower-case hex digits each.
 * @param between what may change the bytes from `end` on, once the first digest is known
 */
export function sha256OfStart(
  bytes: Uint8Array,
  end: number,
  between?: (start: string) => void,
): { readonly start: string; readonly whole: string } {
  const first = bytes.subarray(0, end);
  if (bytes.length < ONE_WALK_BYTES) {
    const start = sha256Hex(first);
    between?.(start);
    return { start, whole: sha256Hex(bytes) };
  }
  const inner = createHash('sha256').update(first);
  const start = inner.copy().digest('hex');
  between?.(start);
  return { start, whole: inner.update(bytes.subarray(end)).digest('hex') };
}

/** SHA-256 of `bytes` as 32 bytes. Reads in place. */
export function sha256Of(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}

/** SHA-256 of a text's UTF-8 bytes, 64 lower-case hex digits. */
export function sha256OfText(text: string): string {
  return hash('sha256', text, 'hex');
}

/** A SHA-256 that is fed piece by piece, for what is too large to be in memory at once. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** 64 lower-case hex digits. Ends it. */
  digest(): string;
}

/** Begins a SHA-256 of nothing yet. */
export function createSha256(): Sha256 {
  const inner = createHash('sha256');
  return {
    update: (bytes) => void inner.update(bytes),
    digest: () => inner.digest('hex'),
  };
}

/** Lower-case hex of `bytes`. Meant for digests and salts, not for images. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Whether `text` is a SHA-256 as this package writes it: 64 lower-case hex digits. */
export function isSha256Hex(text: string): boolean {
  return HEX_SHA256.test(text);
}

/** Writes an even number of hex digits as bytes at `offset`. The caller has checked the digits. */
export function writeHex(target: Uint8Array, offset: number, digits: string): void {
  target.set(Buffer.from(digits, 'hex'), offset);
}

/** Reads an unsigned 64-bit integer; `undefined` above `Number.MAX_SAFE_INTEGER` (validity rule: damage). */
export function readU64(view: DataView, offset: number): number | undefined {
  const value = view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Writes a non-negative safe integer as unsigned 64 bits. The caller has checked the range. */
export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}

/** The smallest multiple of `unit` that is not below `offset`. */
export function alignUp(offset: number, unit: number): number {
  return Math.ceil(offset / unit) * unit;
}

const ZEROS = new Uint8Array(1024);

/** Whether all bytes from `start` up to `end` (exclusive; the end of `bytes` at most) are zero. */
export function isZero(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  const stop = Math.min(end, bytes.length);
  let index = start;
  for (; index + ZEROS.length <= stop; index += ZEROS.length) {
    if (Buffer.compare(bytes.subarray(index, index + ZEROS.length), ZEROS) !== 0) return false;
  }
  for (; index < stop; index += 1) {
    if (bytes[index] !== 0) return false;
  }
  return true;
}

/** From here on a call out of the language costs less than a loop in it. */
const LONG_COMPARISON_BYTES = 64;

/** Whether two byte strings are the same. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  if (left.length >= LONG_COMPARISON_BYTES) return Buffer.compare(left, right) === 0;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

/** Whether a string holds no lone surrogate, so that UTF-8 can carry it unchanged. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** From here on it shows what filling new memory with zeros takes. */
const LARGE_BYTES = 65_536;

/** New memory that may hold anything: for who writes each byte before it is read. */
export function unfilledBytes(length: number): Uint8Array {
  if (length < LARGE_BYTES) return new Uint8Array(length);
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** Runs of bytes as one; a single run stays the view that it is. */
export function joined(runs: readonly Uint8Array[]): Uint8Array {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined) return only;
  const whole = unfilledBytes(runs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const run of runs) {
    whole.set(run, at);
    at += run.length;
  }
  return whole;
}
