import { describe, expect, it } from 'vitest';
import { encodeSplices } from '../../../src/format/image-splice.js';
import type { IntentRecord } from '../../../src/format/wal-format.js';
import { scanWal } from '../../../src/format/wal-scanner.js';
import { WalEncoder } from '../../../src/format/wal-writer.js';
import {
  buildLog,
  intentOf,
  joinBytes,
  ONE_SAVE,
  type TestSave,
  testHeader,
  utf8,
} from '../../helpers/wal-builder.js';

const save = ONE_SAVE[0] as TestSave;
const size = save.image.length;

function started(): WalEncoder {
  const encoder = new WalEncoder(testHeader());
  encoder.header();
  return encoder;
}

describe('the encoder', () => {
  it('says where each part goes', () => {
    const encoder = new WalEncoder(testHeader());
    expect(encoder.offset).toBe(0);
    let written = 0;
    for (const part of [
      encoder.header(),
      encoder.intent(intentOf(save), size),
      encoder.data(save.image),
      encoder.seal(),
    ]) {
      written += part.length;
      expect(part.length % 8).toBe(0);
    }
    expect(encoder.offset).toBe(written);
  });

  it('refuses parts out of order', () => {
    const encoder = new WalEncoder(testHeader());
    expect(() => encoder.intent(intentOf(save), size)).toThrow(TypeError);
    encoder.header();
    expect(() => encoder.header()).toThrow(TypeError);
    expect(() => encoder.data(save.image)).toThrow(TypeError);
    expect(() => encoder.seal()).toThrow(TypeError);
    encoder.intent(intentOf(save), size);
    expect(() => encoder.seal()).toThrow(TypeError);
    encoder.data(save.image);
    expect(() => encoder.intent(intentOf(save), size)).toThrow(TypeError);
  });

  it('goes on as if nothing had happened after a refused call', () => {
    const encoder = new WalEncoder(testHeader());
    const parts = [encoder.header()];
    expect(() => encoder.intent({ ...intentOf(save), target: '' }, size)).toThrow(RangeError);
    parts.push(encoder.intent(intentOf(save), size));
    expect(() => encoder.data(new Uint8Array(size + 1))).toThrow(RangeError);
    parts.push(encoder.data(save.image), encoder.seal());
    expect(joinBytes(...parts)).toEqual(buildLog(ONE_SAVE).bytes);
  });

  it('does not notice what the caller changes in header or intent later', () => {
    const header = { ...testHeader(), salt: Buffer.from(testHeader().salt) };
    const record = { ...intentOf(save), afterImage: { ...intentOf(save).afterImage } };
    const encoder = new WalEncoder(header);
    header.salt.fill(0);
    const parts = [encoder.header(), encoder.intent(record, size)];
    record.afterImage.sha256 = '0'.repeat(64);
    parts.push(encoder.data(save.image), encoder.seal());
    expect(joinBytes(...parts)).toEqual(buildLog(ONE_SAVE).bytes);
  });

  const wrong: ReadonlyArray<
    readonly [string, Partial<IntentRecord>, typeof TypeError | typeof RangeError]
  > = [
    ['an empty target', { target: '' }, RangeError],
    ['a target of 4097 bytes', { target: 'x'.repeat(4097) }, RangeError],
    ['a target with half a surrogate pair', { target: '\uDC00' }, TypeError],
    ['a label of 1026 bytes', { label: 'é'.repeat(513) }, RangeError],
    ['a label that is no string', { label: 5 as unknown as string }, TypeError],
    ['a negative sequence', { sequence: -1 }, RangeError],
    ['a sequence above 2^48', { sequence: 2 ** 48 + 1 }, RangeError],
    ['a fractional time', { timeMs: 0.5 }, RangeError],
    [
      'an image of another size',
      { afterImage: { size: size + 1, sha256: '0'.repeat(64) } },
      RangeError,
    ],
    ['a digest in upper case', { afterImage: { size, sha256: 'A'.repeat(64) } }, TypeError],
    ['a short pre-image digest', { preImage: { size: 1, sha256: '00' } }, TypeError],
    ['an unknown encoding', { encoding: 'toString' as 'whole' }, TypeError],
    ['a first save of splices', { encoding: 'splices' }, RangeError],
  ];
  it.each(wrong)('refuses %s', (_name, change, error) => {
    expect(() => started().intent({ ...intentOf(save), ...change }, size)).toThrow(error);
  });

  it('refuses a save that does not follow from the one before', () => {
    const same = { ...save, image: utf8('x') };
    expect(() => buildLog([save, same])).toThrow(RangeError);
    expect(() => buildLog([save, { ...same, sequence: 8, target: 'other' }])).toThrow(RangeError);
  });

  it('keeps targets and labels of the largest size, and text in any script', () => {
    const long = { ...save, target: 'é'.repeat(2048), label: '😀'.repeat(256) };
    expect(scanWal(buildLog([long]).bytes, { target: long.target })).toMatchObject({
      kind: 'sealed',
      last: { intent: { target: long.target, label: long.label } },
    });
  });

  it.each([
    ['a short salt', { salt: new Uint8Array(15) }, TypeError],
    ['a negative epoch', { epoch: -1 }, RangeError],
    ['a time that is no number', { createdMs: Number.NaN }, RangeError],
  ])('refuses a header with %s', (_name, change, error) => {
    expect(() => new WalEncoder({ ...testHeader(), ...change })).toThrow(error);
  });
});

describe('encoding splices', () => {
  it.each([
    [
      'overlap',
      [
        [0, 5],
        [4, 6],
      ],
    ],
    [
      'descend',
      [
        [5, 6],
        [0, 1],
      ],
    ],
    ['end before they start', [[5, 4]]],
    ['start before the image', [[-1, 4]]],
    ['are no integers', [[0.5, 4]]],
  ])('refuses splices that %s', (_name, ranges) => {
    const splices = ranges.map(([start = 0, end = 0]) => ({
      start,
      end,
      bytes: new Uint8Array(0),
    }));
    expect(() => encodeSplices(splices)).toThrow(RangeError);
  });
});
