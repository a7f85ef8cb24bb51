/**
 * An image in parts, so that an edit costs what it touches and not the whole: parts that an edit leaves
 * alone are shared with the image before it, bytes and digests. Writer and reader of a log cut in the same
 * places, or the digests would differ; the rule is in `docs/format.md`, "Parts".
 */
import { equalBytes, joined, SHA256_BYTES, sha256Hex, sha256Of, toHex } from './bytes.js';
import { applySplices, type Splice } from './image-splice.js';
import type { ImageDigest } from './wal-format.js';

/** A run of bytes that is longer is cut into parts of {@link PART_BYTES}. */
export const LONGEST_PART_BYTES = 32_768;
/** Bytes of each part of a run that is cut, but for the last. */
export const PART_BYTES = 16_384;

interface Part {
  readonly bytes: Uint8Array;
  /** SHA-256, hex, once it was asked for. */
  sha256?: Uint8Array;
}

/** The bytes of one image; never changed once it is made. */
export class PartedImage {
  readonly #parts: readonly Part[];
  /** Bytes of the image. */
  readonly size: number;
  /** Bytes that had to be cut, copied or hashed anew to make this image from the one before. */
  readonly work: number;
  #digest: string | undefined;

  private constructor(parts: readonly Part[], work: number) {
    this.#parts = parts;
    this.size = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.work = work;
  }

  /** An image whose bytes are at hand; they are not copied, and must not change any more. */
  static of(bytes: Uint8Array): PartedImage {
    return new PartedImage(cut(bytes), bytes.length);
  }

  /**
   * The image after an edit: ascending splices that don't overlap and lie within this image, as
   * `decodeSplices` makes sure. Parts that no splice touches stay; each run of touched ones is joined,
   * edited and cut anew.
   */
  splice(splices: readonly Splice[]): PartedImage {
    const before = this.#parts;
    const parts: Part[] = [];
    let work = 0;
    /** The part that comes next, and where it starts. */
    let next = 0;
    let offset = 0;
    for (let taken = 0; taken < splices.length; ) {
      const start = splices[taken]?.start ?? 0;
      // A splice at the very end of the image belongs to the last part.
      for (; next < before.length - 1 && offset + lengthOf(before[next]) <= start; next += 1) {
        const part = before[next];
        if (part !== undefined) parts.push(part);
        offset += lengthOf(before[next]);
      }
      const run = { part: next, offset, splice: taken };
      const isInRun = (splice: Splice | undefined) =>
        splice !== undefined && (next >= before.length || splice.start < offset);
      do {
        const end = splices[taken]?.end ?? 0;
        for (; next < before.length && (next === run.part || offset < end); next += 1) {
          offset += lengthOf(before[next]);
        }
        taken += 1;
      } while (isInRun(splices[taken]));
      const old = joined(before.slice(run.part, next).map(({ bytes }) => bytes));
      const edited = applySplices(old, run.offset, splices.slice(run.splice, taken));
      work += old.length + edited.length;
      if (edited.length > 0) for (const part of cut(edited)) parts.push(part);
    }
    for (const part of before.slice(next)) parts.push(part);
    // An empty image is one empty part, so that it has a digest like any other.
    if (parts.length === 0) parts.push({ bytes: new Uint8Array(0) });
    return new PartedImage(parts, work + parts.length * SHA256_BYTES);
  }

  /** Size and SHA-256: of a single part that of its bytes, else that of the parts' SHA-256 in order. */
  get digest(): ImageDigest {
    this.#digest ??= this.#digestOfParts();
    return { size: this.size, sha256: this.#digest };
  }

  /** All bytes as one run; of a single part that part itself. */
  bytes(): Uint8Array {
    return joined(this.#parts.map(({ bytes }) => bytes));
  }

  /** All bytes as one run of the caller's own. */
  copy(): Uint8Array {
    return this.#parts.length === 1 ? this.bytes().slice() : this.bytes();
  }

  /** How many bytes at the start of the image are those at the start of `bytes`. */
  sharedStart(bytes: Uint8Array): number {
    let shared = 0;
    for (const { bytes: run } of this.#parts) {
      const here = bytes.subarray(shared, shared + run.length);
      const same = commonStart(run.subarray(0, here.length), here);
      shared += same;
      if (same < run.length) break;
    }
    return shared;
  }

  /** How many bytes before `end` are those at the end of `bytes`. */
  sharedEnd(end: number, bytes: Uint8Array): number {
    let shared = 0;
    let runEnd = this.size;
    for (const { bytes: run } of [...this.#parts].reverse()) {
      const runStart = runEnd - run.length;
      const from = Math.max(runStart, end - bytes.length);
      const to = Math.min(runEnd, end);
      runEnd = runStart;
      if (to <= from) continue;
      const last = bytes.length - shared;
      const here = bytes.subarray(last - (to - from), last);
      const same = commonEnd(run.subarray(from - runStart, to - runStart), here);
      shared += same;
      if (same < to - from) break;
    }
    return shared;
  }

  #digestOfParts(): string {
    const [only] = this.#parts;
    if (this.#parts.length === 1 && only !== undefined) return toHex(digestOf(only));
    const all = new Uint8Array(this.#parts.length * SHA256_BYTES);
    for (const [index, part] of this.#parts.entries()) {
      all.set(digestOf(part), index * SHA256_BYTES);
    }
    return sha256Hex(all);
  }
}

/** One run of bytes as parts: itself where it is short enough. */
function cut(bytes: Uint8Array): Part[] {
  if (bytes.length <= LONGEST_PART_BYTES) return [{ bytes }];
  const parts: Part[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    parts.push({ bytes: bytes.subarray(at, at + PART_BYTES) });
  }
  return parts;
}

/** How far two runs of one length are equal from the front. */
function commonStart(left: Uint8Array, right: Uint8Array): number {
  if (equalBytes(left, right)) return left.length;
  let count = 0;
  while (left[count] === right[count]) count += 1;
  return count;
}

/** The same from the back. */
function commonEnd(left: Uint8Array, right: Uint8Array): number {
  if (equalBytes(left, right)) return left.length;
  let count = 0;
  while (left[left.length - 1 - count] === right[right.length - 1 - count]) count += 1;
  return count;
}

function lengthOf(part: Part | undefined): number {
  return part?.bytes.length ?? 0;
}

function digestOf(part: Part): Uint8Array {
  part.sha256 ??= sha256Of(part.bytes);
  return part.sha256;
}
