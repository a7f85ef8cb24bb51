import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isZero, joined, sha256OfStart, unfilledBytes } from '../../../src/format/bytes.js';
import { digestsOf, readSeal, sealText } from '../../../src/format/seal.js';
import { decodeUtf8, lazyUtf8 } from '../../../src/format/utf8.js';

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const patternOf = (length: number) => Uint8Array.from({ length }, (_, at) => at * 7);

describe('zeros', () => {
  it('are told from a single byte that is none, wherever it is', () => {
    for (const length of [0, 1, 63, 1023, 1024, 1025, 4096, 5000]) {
      const bytes = new Uint8Array(length);
      expect(isZero(bytes)).toBe(true);
      for (const at of new Set([0, 1, 1022, 1023, 1024, length >> 1, length - 1])) {
        if (at < 0 || at >= length) continue;
        bytes[at] = 1;
        expect(isZero(bytes), `byte ${at} of ${length}`).toBe(false);
        expect(isZero(bytes, at + 1), `after byte ${at} of ${length}`).toBe(true);
        expect(isZero(bytes, 0, at), `before byte ${at} of ${length}`).toBe(true);
        bytes[at] = 0;
      }
    }
  });

  it('are looked for up to the end of what there is', () => {
    expect(isZero(new Uint8Array(10), 4, 5000)).toBe(true);
  });
});

describe('two digests of one walk', () => {
  it.each([0, 1, 100, 8191, 8192, 100_000])(
    'are those of %i bytes and of their start',
    (length) => {
      const bytes = patternOf(length);
      for (const end of [0, length >> 1, length]) {
        const expected = { start: digest(bytes.subarray(0, end)), whole: digest(bytes) };
        expect(sha256OfStart(bytes, end)).toEqual(expected);
      }
    },
  );

  it('prove a seal as one that is read alone does, and disprove one that was changed', () => {
    const sealed = sealText('a: 1\nb: 2\n', { sequence: 3, epoch: 1 });
    const { whole, covered } = digestsOf(sealed);
    expect(whole).toBe(digest(sealed));
    expect(readSeal(sealed, covered)).toEqual(readSeal(sealed));
    const changed = sealed.slice();
    changed[3] = 0x39;
    expect(readSeal(changed, digestsOf(changed).covered).kind).toBe('mismatch');
    expect(readSeal(sealed, digestsOf(changed).covered).kind).toBe('mismatch');
  });
});

describe('memory that is not filled', () => {
  it('has the length that was asked for, and is no view of anything else', () => {
    for (const length of [0, 10, 65_535, 65_536, 1_000_000]) {
      const bytes = unfilledBytes(length);
      expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([
        length,
        0,
        length,
      ]);
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    }
  });

  it('is written whole by who joins runs', () => {
    const runs = [patternOf(70_000), new Uint8Array(3), patternOf(50_001)];
    expect(Buffer.compare(joined(runs), Buffer.concat(runs))).toBe(0);
  });
});

describe('a text that is decoded later', () => {
  it.each(['', 'a: 1\n', 'ä€𝄞\n', '\ufeffa: 1\n'])('is the same text: %j', (text) => {
    const bytes = new TextEncoder().encode(text);
    expect(lazyUtf8(bytes)?.()).toBe(text);
    expect(decodeUtf8(bytes)).toBe(text);
  });

  it.each([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]])(
    'is none where the bytes are not valid: %i …',
    (...bytes) => {
      expect(lazyUtf8(Uint8Array.from(bytes))).toBeUndefined();
      expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
    },
  );
});
