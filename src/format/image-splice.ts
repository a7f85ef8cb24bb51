/**
 * After-images encoded as splices: an edit of the previous image of the same log. Decoding checks
 * every number against the bytes at hand before anything is allocated, so a hostile edit costs no
 * more than its own length and that of the previous image. Ruled by `docs/format.md`, "Splices".
 */
import { readU64, viewOf, writeU64 } from './bytes.js';

const COUNT_BYTES = 4;
const SPLICE_HEADER_BYTES = 24;

/** Replaces bytes `start` up to `end` (exclusive) of the previous image by `bytes`. */
export interface Splice {
  /** Bytes before what is replaced. */
  readonly start: number;
  /** Bytes before what follows it; at least `start`. */
  readonly end: number;
  /** What takes its place; empty where something is only removed. */
  readonly bytes: Uint8Array;
}

/** Splices that were checked against a previous image of a known size. */
export interface DecodedSplices {
  readonly splices: readonly Splice[];
  /** Bytes of the image that they make. */
  readonly resultSize: number;
}

/**
 * Encodes an edit: ascending, non-overlapping splices (touching is allowed).
 * @throws RangeError where they are out of order, overlap or hold impossible offsets.
 */
export function encodeSplices(splices: readonly Splice[]): Uint8Array {
  let length = COUNT_BYTES;
  let previousEnd = 0;
  for (const { start, end, bytes } of splices) {
    if (
      !Number.isSafeInteger(start) ||
      !Number.isSafeInteger(end) ||
      start < previousEnd ||
      end < start
    ) {
      throw new RangeError(`splice ${start}..${end} is out of order after ${previousEnd}`);
    }
    previousEnd = end;
    length += SPLICE_HEADER_BYTES + bytes.length;
  }
  if (splices.length > 0xffff_ffff) throw new RangeError('too many splices');
  const encoded = new Uint8Array(length);
  const view = viewOf(encoded);
  view.setUint32(0, splices.length, true);
  let at = COUNT_BYTES;
  for (const { start, end, bytes } of splices) {
    writeU64(view, at, start);
    writeU64(view, at + 8, end);
    writeU64(view, at + 16, bytes.length);
    encoded.set(bytes, at + SPLICE_HEADER_BYTES);
    at += SPLICE_HEADER_BYTES + bytes.length;
  }
  return encoded;
}

/**
 * Reads an edit of an image of `previousSize` bytes; the inserted bytes are views. Returns what is
 * wrong, as text, where it is not a valid one. Never throws.
 */
export function decodeSplices(encoded: Uint8Array, previousSize: number): DecodedSplices | string {
  if (encoded.length < COUNT_BYTES) return 'the splices have no count';
  const view = viewOf(encoded);
  const count = view.getUint32(0, true);
  if (count * SPLICE_HEADER_BYTES > encoded.length - COUNT_BYTES) return 'more splices than bytes';
  const splices: Splice[] = [];
  let at = COUNT_BYTES;
  let previousEnd = 0;
  let resultSize = previousSize;
  for (let index = 0; index < count; index += 1) {
    if (encoded.length - at < SPLICE_HEADER_BYTES) return `splice ${index} is cut off`;
    const start = readU64(view, at);
    const end = readU64(view, at + 8);
    const length = readU64(view, at + 16);
    if (start === undefined || end === undefined || length === undefined) {
      return `splice ${index} holds a number that is too large`;
    }
    if (start < previousEnd || end < start) return `splice ${index} is out of order`;
    if (end > previousSize) return `splice ${index} reaches past the previous image`;
    at += SPLICE_HEADER_BYTES;
    if (length > encoded.length - at) return `splice ${index} is cut off`;
    splices.push({ start, end, bytes: encoded.subarray(at, at + length) });
    at += length;
    previousEnd = end;
    resultSize += length - (end - start);
  }
  if (at !== encoded.length) return 'bytes are left over after the last splice';
  return { splices, resultSize };
}

/**
 * The run of an image that starts at `offset`, edited. The splices ascend, don't overlap and lie within
 * the run; they count from the start of the image.
 */
export function applySplices(
  run: Uint8Array,
  offset: number,
  splices: readonly Splice[],
): Uint8Array {
  let length = run.length;
  for (const { start, end, bytes } of splices) length += bytes.length - (end - start);
  const edited = new Uint8Array(length);
  let from = 0;
  let to = 0;
  const keep = (end: number) => {
    edited.set(run.subarray(from, end), to);
    to += end - from;
  };
  for (const { start, end, bytes } of splices) {
    keep(start - offset);
    edited.set(bytes, to);
    to += bytes.length;
    from = end - offset;
  }
  keep(run.length);
  return edited;
}
