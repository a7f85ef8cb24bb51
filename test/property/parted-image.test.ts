/**
 * Images in parts: edited part by part they are what they would be edited as a whole, and both sides of
 * a log cut them alike.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/format/bytes.js';
import { decodeSplices, encodeSplices, type Splice } from '../../src/format/image-splice.js';
import { LONGEST_PART_BYTES, PART_BYTES, PartedImage } from '../../src/format/parted-image.js';

const runs = Number(process.env.FC_RUNS ?? 200);

/** Sizes around where runs are cut. */
const size = fc.oneof(
  fc.nat(600),
  fc.integer({ min: LONGEST_PART_BYTES - 3, max: LONGEST_PART_BYTES + 3 }),
  fc.integer({ min: PART_BYTES * 5 - 3, max: PART_BYTES * 5 + 3 }),
);
const bytesOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) % 251);
/** Gap to the splice before, bytes replaced, bytes put there: in thousandths of what is left. */
const drawn = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), size), { maxLength: 5 });

function splicesFor(length: number, gaps: readonly (readonly [number, number, number])[]) {
  const splices: Splice[] = [];
  let at = 0;
  for (const [index, [gap, replaced, inserted]] of gaps.entries()) {
    const start = at + Math.floor(((length - at) * gap) / 1000);
    const end = start + Math.floor(((length - start) * replaced) / 2000);
    splices.push({ start, end, bytes: bytesOf(inserted, index + 1) });
    at = end;
  }
  return splices;
}

function whole(image: Uint8Array, splices: readonly Splice[]): Uint8Array {
  let edited = Buffer.from(image);
  for (const { start, end, bytes } of [...splices].reverse()) {
    edited = Buffer.concat([edited.subarray(0, start), bytes, edited.subarray(end)]);
  }
  return Uint8Array.from(edited);
}

describe('an image in parts', () => {
  it('is after any edits what it would be as a whole, and the same parts on both sides of a log', () => {
    fc.assert(
      fc.property(size, fc.array(drawn, { maxLength: 4 }), (length, edits) => {
        let bytes = bytesOf(length, 0);
        let written = PartedImage.of(bytes);
        let read = PartedImage.of(bytes.slice());
        for (const gaps of edits) {
          const splices = splicesFor(bytes.length, gaps);
          const decoded = decodeSplices(encodeSplices(splices), bytes.length);
          if (typeof decoded === 'string') return false;
          bytes = whole(bytes, splices);
          written = written.splice(splices);
          read = read.splice(decoded.splices);
        }
        return (
          written.size === bytes.length &&
          sha256Hex(written.bytes()) === sha256Hex(bytes) &&
          written.digest.sha256 === read.digest.sha256
        );
      }),
      { numRuns: runs },
    );
  });

  it('knows how far it shares its start and its end with other bytes', () => {
    fc.assert(
      fc.property(size, drawn, fc.nat(1000), (length, gaps, part) => {
        const before = bytesOf(length, 0);
        const image = PartedImage.of(before).splice([]);
        const now = whole(before, splicesFor(length, gaps));
        let start = 0;
        while (start < Math.min(before.length, now.length) && before[start] === now[start])
          start += 1;
        const end = Math.floor((length * part) / 1000);
        let shared = 0;
        while (
          shared < Math.min(end, now.length) &&
          before[end - 1 - shared] === now[now.length - 1 - shared]
        ) {
          shared += 1;
        }
        return image.sharedStart(now) === start && image.sharedEnd(end, now) === shared;
      }),
      { numRuns: runs },
    );
  });

  it('has the SHA-256 of its bytes while it is a single part, and of its parts beyond that', () => {
    const short = bytesOf(LONGEST_PART_BYTES, 1);
    expect(PartedImage.of(short).digest).toEqual({ size: short.length, sha256: sha256Hex(short) });
    const long = bytesOf(LONGEST_PART_BYTES + 1, 1);
    const parts = [0, 1, 2].map((at) => long.subarray(at * PART_BYTES, (at + 1) * PART_BYTES));
    const digests = Buffer.concat(parts.map((one) => Buffer.from(sha256Hex(one), 'hex')));
    expect(PartedImage.of(long).digest).toEqual({ size: long.length, sha256: sha256Hex(digests) });
  });

  it('a change of one byte in ten million costs two parts and the digests', () => {
    const image = PartedImage.of(bytesOf(10_000_000, 1));
    expect(image.digest.size).toBe(10_000_000);
    const { work } = image.splice([{ start: 5_000_000, end: 5_000_001, bytes: bytesOf(1, 3) }]);
    expect(work).toBe(2 * PART_BYTES + Math.ceil(10_000_000 / PART_BYTES) * 32);
  });
});
