import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { toHex } from '../../src/format/bytes.js';
import {
  applySplices,
  decodeSplices,
  encodeSplices,
  type Splice,
} from '../../src/format/image-splice.js';
import { readSeal, sealText } from '../../src/format/seal.js';
import { MAX_SEAL_TIME_MS } from '../../src/format/seal-line.js';
import { findInvalidUtf8 } from '../../src/format/utf8.js';
import { dumpWal } from '../../src/format/wal-dump.js';
import type { WalScan } from '../../src/format/wal-scan.js';
import { scanWal } from '../../src/format/wal-scanner.js';
import {
  buildLog,
  joinBytes,
  multiChunkImage,
  type TestSave,
  testHeader,
} from '../helpers/wal-builder.js';

const { FC_RUNS = '1' } = process.env;
const runs = Math.ceil(120 * Number(FC_RUNS));
const same = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

/** Ascending splices for an image of a size, drawn as gaps, lengths and inserted bytes. */
function splicesFor(
  size: number,
  drawn: ReadonlyArray<readonly [number, number, Uint8Array]>,
): Splice[] {
  const splices: Splice[] = [];
  let at = 0;
  for (const [gap, removed, bytes] of drawn) {
    const start = Math.min(size, at + gap);
    const end = Math.min(size, start + removed);
    splices.push({ start, end, bytes });
    at = end;
  }
  return splices;
}

/** The image that splices make, by the obvious algorithm. */
function edit(image: Uint8Array, splices: readonly Splice[]): Uint8Array {
  let result = image;
  for (const { start, end, bytes } of [...splices].reverse()) {
    result = joinBytes(result.subarray(0, start), bytes, result.subarray(end));
  }
  return result;
}

const drawnSplices = fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.uint8Array({ maxLength: 60 })), {
  maxLength: 4,
});
const image = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 900 }) },
  { weight: 1, arbitrary: fc.nat(200_000).map(multiChunkImage) },
);
const saves: fc.Arbitrary<TestSave[]> = fc
  .tuple(
    image,
    fc.array(
      fc.record({
        step: fc.integer({ min: 1, max: 1000 }),
        label: fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }), { nil: undefined }),
        drawn: fc.option(drawnSplices, { nil: undefined }),
        whole: fc.uint8Array({ maxLength: 900 }),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([first, rest]) => {
    const list: TestSave[] = [{ sequence: 5, image: first }];
    for (const { step, label, drawn, whole } of rest) {
      const previous = list.at(-1) as TestSave;
      const splices = drawn === undefined ? undefined : splicesFor(previous.image.length, drawn);
      list.push({
        sequence: previous.sequence + step,
        image: splices === undefined ? whole : edit(previous.image, splices),
        ...(splices === undefined ? {} : { splices }),
        ...(label === undefined ? {} : { label }),
      });
    }
    return list;
  });

function sealedImage(scan: WalScan): Uint8Array | undefined {
  return scan.kind === 'sealed' ? scan.image : undefined;
}

describe('any log', () => {
  it('reads back as it was written, save by save', () => {
    fc.assert(
      fc.property(saves, (list) => {
        const scan = scanWal(buildLog(list).bytes);
        return (
          scan.kind === 'sealed' &&
          scan.tail.kind === 'clean' &&
          scan.findings.length === 0 &&
          same(scan.image, list.at(-1)?.image ?? new Uint8Array(0)) &&
          scan.saves.every((save, at) => save.intent.sequence === list[at]?.sequence) &&
          scan.saves.every((save, at) => save.intent.label === list[at]?.label)
        );
      }),
      { numRuns: runs },
    );
  });

  it('is never read as another image, or unnoticed as an older one, after any damage to up to 512 bytes in a sector', () => {
    const damage = fc.tuple(fc.nat(), fc.nat(511), fc.uint8Array({ minLength: 1, maxLength: 512 }));
    fc.assert(
      fc.property(saves, damage, (list, [where, within, garbage]) => {
        const { bytes } = buildLog(list);
        const sector = (where % Math.ceil(bytes.length / 512)) * 512;
        const start = Math.min(sector + within, bytes.length - 1);
        const end = Math.min(start + garbage.length, sector + 512, bytes.length);
        const bad = bytes.slice();
        bad.set(garbage.subarray(0, end - start), start);
        const scan = scanWal(bad);
        const read = sealedImage(scan);
        if (read === undefined) return scan.kind === 'damaged';
        const isOlder = scan.kind === 'sealed' && scan.tail.kind === 'damaged';
        const possible = isOlder ? list.slice(0, -1) : list.slice(-1);
        return possible.some(({ image }) => same(read, image));
      }),
      { numRuns: runs },
    );
  });

  it('followed by another log or by garbage never yields an image that was not its last', () => {
    fc.assert(
      fc.property(saves, saves, fc.nat(255), fc.nat(2000), (list, other, salt, cut) => {
        const { bytes } = buildLog(list);
        const second = buildLog(other, testHeader(salt)).bytes;
        const read = sealedImage(scanWal(joinBytes(bytes, second.subarray(cut))));
        return read === undefined || same(read, list.at(-1)?.image ?? bytes);
      }),
      { numRuns: runs },
    );
  });

  it('cut anywhere and filled with garbage yields a prefix of its saves or none', () => {
    fc.assert(
      fc.property(saves, fc.nat(), fc.uint8Array({ maxLength: 700 }), (list, where, garbage) => {
        const { bytes } = buildLog(list);
        const scan = scanWal(joinBytes(bytes.subarray(0, where % bytes.length), garbage));
        const read = sealedImage(scan);
        if (read === undefined) return scan.kind !== 'unsupportedVersion';
        const count = scan.kind === 'sealed' ? scan.saves.length : 0;
        return same(read, list[count - 1]?.image ?? bytes);
      }),
      { numRuns: runs },
    );
  });
});

describe('any bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc
      .tuple(saves, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
      .map(([list, edits]) => {
        const log = buildLog(list).bytes.slice();
        for (const [at, value] of edits) log[at % log.length] = value;
        return log;
      }),
  );

  it('are scanned without throwing', () => {
    fc.assert(
      fc.property(bytes, (log) => typeof scanWal(log, { target: 'x' }).kind === 'string'),
      { numRuns: runs },
    );
  });

  it('are dumped without throwing, every byte in exactly one record', () => {
    fc.assert(
      fc.property(bytes, (log) => {
        let at = 0;
        for (const record of dumpWal(log)) {
          if (record.offset !== at || record.length <= 0) return false;
          at += record.length;
        }
        return at === log.length;
      }),
      { numRuns: runs },
    );
  });

  it('are UTF-8 for the finder exactly where they are for the platform', () => {
    const lead = fc.constantFrom(
      0x61,
      0x80,
      0xc2,
      0xe0,
      0xa0,
      0xed,
      0x9f,
      0xf0,
      0x90,
      0xf4,
      0x8f,
      0xff,
    );
    fc.assert(
      fc.property(
        fc.array(lead, { maxLength: 8 }).map((list) => Uint8Array.from(list)),
        (input) => {
          const at = findInvalidUtf8(input);
          new TextDecoder('utf-8', { fatal: true }).decode(input.subarray(0, at)); // throws, and fails the run, if it is no UTF-8
          if (at === input.length) return true;
          try {
            new TextDecoder('utf-8', { fatal: true }).decode(input);
            return false;
          } catch {
            return true;
          }
        },
      ),
      { numRuns: runs * 5 },
    );
  });
});

describe('any splices', () => {
  it('make the same image as editing by hand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), drawnSplices, (base, drawn) => {
        const splices = splicesFor(base.length, drawn);
        const decoded = decodeSplices(encodeSplices(splices), base.length);
        return (
          typeof decoded !== 'string' &&
          same(applySplices(base, 0, decoded.splices), edit(base, splices))
        );
      }),
      { numRuns: runs },
    );
  });

  it('that were changed at random are refused or still fit the image', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(drawnSplices, fc.array(change, { maxLength: 4 }), (drawn, changes) => {
        const encoded = encodeSplices(splicesFor(100, drawn));
        for (const [at, value] of changes) encoded[at % encoded.length] = value;
        const decoded = decodeSplices(encoded, 100);
        if (typeof decoded === 'string') return true;
        return applySplices(new Uint8Array(100), 0, decoded.splices).length === decoded.resultSize;
      }),
      { numRuns: runs },
    );
  });
});

describe('any text', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom('\n', '\r\n', '\r', '\uFEFF', '# checkpoint-wal: v1 ', 'a: 1', '\0'),
    fc
      .tuple(fc.nat(100), fc.constantFrom('x\n', 'x', 'x\r\n'))
      .map(([sequence, text]) => new TextDecoder().decode(sealText(text, { sequence, epoch: 0 }))),
  );
  const text = fc
    .array(piece, { minLength: 1, maxLength: 12 })
    .map((list) => list.join(''))
    .filter((joined) => joined !== '');
  const anyText = (maxLength: number) => fc.string({ unit: 'binary', maxLength });
  const artifact = fc
    .tuple(
      anyText(40).filter((path) => path !== ''),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
    )
    .map(([path, size, digest]) => ({ path, size, sha256: toHex(digest) }));
  const claim = fc.record(
    {
      sequence: fc.nat({ max: 2 ** 48 }),
      epoch: fc.nat({ max: 2 ** 48 }),
      timeMs: fc.nat({ max: MAX_SEAL_TIME_MS }),
      label: anyText(60),
      pinned: fc.boolean(),
      artifacts: fc.array(artifact, { maxLength: 2 }),
    },
    { requiredKeys: ['sequence', 'epoch'] },
  );

  it('comes back exactly from its sealed file', () => {
    fc.assert(
      fc.property(text, claim, (given, claimed) => {
        const reading = readSeal(sealText(given, claimed));
        return (
          reading.kind === 'sealed' &&
          reading.text === given &&
          reading.sequence === claimed.sequence &&
          reading.epoch === claimed.epoch &&
          reading.timeMs === claimed.timeMs &&
          reading.label === claimed.label &&
          (reading.pinned ?? false) === (claimed.pinned ?? false) &&
          isDeepStrictEqual(reading.artifacts, claimed.artifacts ?? [])
        );
      }),
      { numRuns: runs * 3 },
    );
  });

  it('comes back without any line of the seal, once the file was edited at its start', () => {
    const plain = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(plain, claim, (given, claimed) => {
        const sealed = sealText(given, claimed);
        const reading = readSeal(joinBytes(new TextEncoder().encode('b: 1\n'), sealed));
        return reading.kind === 'mismatch' && reading.text === `b: 1\n${given}`;
      }),
      { numRuns: runs },
    );
  });

  it('is never sealed with any bit flipped or any end cut off', () => {
    fc.assert(
      fc.property(text, claim, (given, claimed) => {
        const bytes = sealText(given, claimed);
        for (let length = 0; length < bytes.length; length += 1) {
          const reading = readSeal(bytes.subarray(0, length));
          // A cut right after a line of the text that is a seal itself leaves another sealed text.
          if (reading.kind === 'sealed' && !given.includes('sha256=')) return false;
        }
        for (let bit = 0; bit < bytes.length * 8; bit += 1) {
          const flipped = bytes.slice();
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          const { kind } = readSeal(flipped);
          if (kind === 'sealed' || kind === 'unsupportedVersion') return false;
        }
        return true;
      }),
      { numRuns: Math.ceil(runs / 8) },
    );
  });
});
