import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeFile } from '../../../src/cli/verify-file.js';
import { sealText } from '../../../src/format/seal.js';

const { FC_RUNS = '1' } = process.env;
const runs = 300 * Number(FC_RUNS);
const TEXT = 'workflow:\n  status: ACTIVE   # now\nphases: [1, 2]\n';
const SEALED = sealText(TEXT, { sequence: 7, epoch: 2 });

describe('judgeFile', () => {
  it('calls exactly the published bytes sealed', () => {
    expect(judgeFile(SEALED, 'a.yaml')).toEqual({
      file: 'a.yaml',
      kind: 'checkpoint',
      verdict: 'sealed',
      sequence: 7,
    });
  });

  it('never calls a file sealed in which a bit was flipped, or which was cut off', () => {
    fc.assert(
      fc.property(fc.nat(SEALED.length - 1), fc.nat(7), (index, bit) => {
        const flipped = SEALED.map((byte, at) => (at === index ? byte ^ (1 << bit) : byte));
        expect(judgeFile(flipped, 'a.yaml').verdict).not.toBe('sealed');
        expect(judgeFile(SEALED.subarray(0, index), 'a.yaml').verdict).not.toBe('sealed');
      }),
      { numRuns: runs },
    );
  });

  it('judges any bytes, as a checkpoint and as a log, without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(judgeFile(bytes, 'a.yaml').verdict).not.toBe('sealed');
        expect(judgeFile(bytes, 'a.wal').verdict).not.toBe('sealed');
      }),
      { numRuns: runs },
    );
  });

  it('names the offset of bytes that are no text', () => {
    const judgement = judgeFile(new Uint8Array([0x61, 0xff]), 'a.yaml');
    expect(judgement).toMatchObject({ verdict: 'damaged', offset: 1 });
  });
});
