import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/format/bytes.js';
import { encodeSplices } from '../../../src/format/image-splice.js';
import { PART_BYTES, PartedImage } from '../../../src/format/parted-image.js';
import { SEAL_FRAME_BYTES } from '../../../src/format/wal-format.js';
import type { WalScan } from '../../../src/format/wal-scan.js';
import { scanWal } from '../../../src/format/wal-scanner.js';
import { WalEncoder } from '../../../src/format/wal-writer.js';
import {
  buildLog,
  intentOf,
  joinBytes,
  multiChunkImage,
  ONE_SAVE,
  TARGET,
  type TestSave,
  THREE_SAVES,
  testHeader,
  utf8,
} from '../../helpers/wal-builder.js';
import { forge } from '../../helpers/wal-forge.js';

function sealed(scan: WalScan): Extract<WalScan, { kind: 'sealed' }> {
  if (scan.kind !== 'sealed') throw new Error(`expected a sealed log, got ${JSON.stringify(scan)}`);
  return scan;
}

function lastImage(saves: readonly TestSave[]): Uint8Array {
  return saves.at(-1)?.image ?? new Uint8Array(0);
}

const one = buildLog(ONE_SAVE);
const three = buildLog(THREE_SAVES);
const multi = buildLog([{ sequence: 1, image: multiChunkImage(140_000) }]);
const logs = [
  { name: 'one save', ...one, saves: ONE_SAVE },
  { name: 'three saves with splices', ...three, saves: THREE_SAVES },
];

describe('a valid log', () => {
  it('yields header, intents and the image of one save', () => {
    const scan = sealed(scanWal(one.bytes, { target: TARGET }));
    expect(scan.header).toEqual(testHeader());
    expect(scan.saves.map((save) => save.intent)).toEqual([intentOf(ONE_SAVE[0] as TestSave)]);
    expect(scan.image).toEqual(lastImage(ONE_SAVE));
    expect(scan.tail).toEqual({ kind: 'clean' });
    expect(scan.findings).toEqual([]);
    expect(scan.last.endOffset).toBe(one.bytes.length);
  });

  it('gives a small whole image as a view, without copying it', () => {
    expect(sealed(scanWal(one.bytes)).image.buffer).toBe(one.bytes.buffer);
  });

  it('yields the last image of several saves, splices applied', () => {
    const scan = sealed(scanWal(three.bytes));
    expect(scan.image).toEqual(lastImage(THREE_SAVES));
    expect(scan.saves.map((save) => save.intent.sequence)).toEqual([7, 8, 12]);
    expect(scan.saves.map((save) => save.intent.label)).toEqual(['start', undefined, '']);
    expect(scan.saves.map((save) => save.endOffset)).toEqual(three.ends);
    expect(scan.last).toBe(scan.saves[2]);
  });

  it('joins an image of several data frames', () => {
    expect(sealed(scanWal(multi.bytes)).image).toEqual(multiChunkImage(140_000));
  });

  it('takes zeros after the last save as preallocated room', () => {
    const scan = sealed(scanWal(joinBytes(one.bytes, new Uint8Array(5000))));
    expect(scan.tail).toEqual({ kind: 'clean' });
  });

  it('takes an empty image', () => {
    const scan = sealed(scanWal(buildLog([{ sequence: 0, image: new Uint8Array(0) }]).bytes));
    expect(scan.image.length).toBe(0);
  });

  it('reads a log that lies in the middle of a larger buffer', () => {
    const larger = joinBytes(new Uint8Array(3), three.bytes, new Uint8Array(9).fill(255));
    const scan = sealed(scanWal(larger.subarray(3, 3 + three.bytes.length)));
    expect(scan.image).toEqual(lastImage(THREE_SAVES));
  });

  it('keeps the two copies of every seal in different sectors', () => {
    for (const size of [0, 1, 100, 300, 400, 500, 511, 512, 513, 1000]) {
      const { bytes } = buildLog([{ sequence: 1, image: new Uint8Array(size).fill(97) }]);
      const { sealOffset, endOffset } = sealed(scanWal(bytes)).last;
      const firstEnds = Math.floor((sealOffset + SEAL_FRAME_BYTES - 1) / 512);
      expect(Math.floor((endOffset - SEAL_FRAME_BYTES) / 512)).toBeGreaterThan(firstEnds);
    }
  });
});

describe('a log read into a Buffer', () => {
  it('is read as one in plain bytes, and its header does not share the memory', () => {
    const buffer = Buffer.from(three.bytes);
    const scan = sealed(scanWal(buffer));
    expect(sha256Hex(scan.image)).toBe(sha256Hex(lastImage(THREE_SAVES)));
    buffer.fill(0);
    expect(scan.header).toEqual(testHeader());
  });
});

describe('every truncation', () => {
  it.each(logs)('of $name yields the newest save that is sealed in what is left', (log) => {
    for (let length = 0; length < log.bytes.length; length += 1) {
      const scan = scanWal(log.bytes.subarray(0, length));
      // A save is sealed as soon as the first copy of its seal is there.
      const complete = sealed(scanWal(log.bytes)).saves.filter(
        (save) => save.sealOffset + SEAL_FRAME_BYTES <= length,
      );
      if (complete.length === 0) {
        expect(['torn', 'unsealed'], `cut at ${length}`).toContain(scan.kind);
      } else {
        const newest = log.saves[complete.length - 1];
        expect(sealed(scan).image, `cut at ${length}`).toEqual(newest?.image);
      }
    }
  });

  it('of a log of many data frames is recognised', () => {
    const seal = sealed(scanWal(multi.bytes)).last.sealOffset;
    for (let length = 0; length < multi.bytes.length; length += 997) {
      const { kind } = scanWal(multi.bytes.subarray(0, length));
      expect(['torn', 'unsealed', ...(length > seal ? ['sealed'] : [])]).toContain(kind);
    }
  });

  it('that is filled up with zeros is recognised as never sealed', () => {
    const seal = sealed(scanWal(one.bytes)).last.sealOffset;
    for (let length = 0; length < seal; length += 1) {
      const zeroed = one.bytes.slice().fill(0, length);
      expect(['torn', 'unsealed'], `zeros from ${length}`).toContain(scanWal(zeroed).kind);
    }
  });
});

/** An older image only where the scan says that something behind it is damaged. */
function expectHarmlessOrDamaged(scan: WalScan, images: readonly Uint8Array[], what: string): void {
  if (scan.kind === 'damaged') return;
  if (scan.kind !== 'sealed') throw new Error(`${what}: ${scan.kind}`);
  const found = sha256Hex(scan.image);
  const isDamaged = scan.tail.kind === 'damaged';
  const possible = isDamaged ? images.slice(0, -1) : images.slice(-1);
  if (!possible.some((image) => sha256Hex(image) === found))
    throw new Error(`${what}: another image`);
  if (!isDamaged && scan.findings.length === 0)
    throw new Error(`${what}: the defect was not noticed`);
}

const imagesOf = (saves: readonly TestSave[]) => saves.map(({ image }) => image);

describe('damage to a fully sealed log', () => {
  it.each(logs)(
    'by any flipped bit of $name is damage, what is read is before it, or leaves the last image',
    (log) => {
      const bytes = log.bytes.slice();
      const images = imagesOf(log.saves);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const at = bit >> 3;
        const original = bytes[at] ?? 0;
        bytes[at] = original ^ (1 << (bit & 7));
        expectHarmlessOrDamaged(scanWal(bytes), images, `bit ${bit & 7} of byte ${at}`);
        bytes[at] = original;
      }
    },
  );

  it.each([
    ...logs,
    {
      name: 'many data frames',
      ...multi,
      saves: [{ sequence: 1, image: multiChunkImage(140_000) }],
    },
  ])(
    'by any zeroed sector of $name is damage, what is read is before it, or leaves the last image',
    (log) => {
      for (const filler of [0, 0xff, 0x61]) {
        for (let at = 0; at < log.bytes.length; at += 512) {
          const bytes = log.bytes.slice();
          bytes.fill(filler, at, Math.min(at + 512, bytes.length));
          expectHarmlessOrDamaged(scanWal(bytes), imagesOf(log.saves), `sector ${at}`);
        }
      }
    },
  );

  it('by flipped bits in many data frames is damage', () => {
    const bytes = multi.bytes.slice();
    for (let bit = 0; bit < bytes.length * 8; bit += 40_009) {
      const at = bit >> 3;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
      expectHarmlessOrDamaged(scanWal(bytes), [multiChunkImage(140_000)], `bit ${bit}`);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    }
  });

  it('names the newest save that a seal vouches for, even without the header', () => {
    expect(scanWal(three.bytes.slice().fill(0, 0, 64))).toMatchObject({
      kind: 'damaged',
      offset: 0,
      sealedSequence: 12,
    });
    const inFirstSave = three.bytes.slice();
    inFirstSave[100] = 0xee;
    const scan = scanWal(inFirstSave);
    expect(scan).toMatchObject({ kind: 'damaged', offset: 64, sealedSequence: 12 });
    expect(scan).toHaveProperty('header.epoch', 3);
  });

  it('reports one bad copy of the seal and reads on after it', () => {
    const first = sealed(scanWal(three.bytes)).saves[0];
    for (const at of [first?.sealOffset ?? 0, (first?.endOffset ?? 0) - SEAL_FRAME_BYTES]) {
      const bytes = three.bytes.slice().fill(0xaa, at, at + SEAL_FRAME_BYTES);
      const scan = sealed(scanWal(bytes));
      expect(scan.image).toEqual(lastImage(THREE_SAVES));
      expect(scan.findings).toEqual([
        { offset: at, reason: expect.stringContaining('copy of the seal') as string },
      ]);
    }
  });
});

describe('what follows the last sealed save', () => {
  it('is reported as torn where it does not verify', () => {
    const scan = sealed(scanWal(joinBytes(one.bytes, utf8('garbage that is no frame'))));
    expect(scan.image).toEqual(lastImage(ONE_SAVE));
    expect(scan.tail).toMatchObject({ kind: 'torn', offset: one.bytes.length });
  });

  it('is reported as unsealed where its records verify, with the intent', () => {
    const encoder = new WalEncoder(testHeader());
    const save = ONE_SAVE[0] as TestSave;
    const parts = [encoder.header(), encoder.intent(intentOf(save), save.image.length)];
    parts.push(encoder.data(save.image), encoder.seal());
    const next = { sequence: 9, image: utf8('next: 1\n') };
    parts.push(encoder.intent(intentOf(next), next.image.length));
    const scan = sealed(scanWal(joinBytes(...parts)));
    expect(scan.tail).toMatchObject({ kind: 'unsealed', intent: { sequence: 9 } });
    expect(scan.image).toEqual(save.image);
  });

  it('is torn where it is a log of another salt, whose seals are stale', () => {
    const other = buildLog(THREE_SAVES, testHeader(99));
    const scan = sealed(scanWal(joinBytes(one.bytes, other.bytes)));
    expect(scan.image).toEqual(lastImage(ONE_SAVE));
    expect(scan.tail.kind).toBe('torn');
  });

  it('is damage where it holds a seal of this log that nothing leads to', () => {
    const scan = sealed(scanWal(joinBytes(one.bytes, one.bytes)));
    expect(scan.tail).toMatchObject({ kind: 'damaged', sealedSequence: 7 });
    expect(scan.image).toEqual(lastImage(ONE_SAVE));
  });
});

describe('logs that were never sealed', () => {
  it.each([
    ['no file', undefined, { kind: 'absent' }],
    ['an empty file', new Uint8Array(0), { kind: 'torn', offset: 0 }],
    ['only zeros', new Uint8Array(4096), { kind: 'torn', offset: 0 }],
    ['a text', utf8('phases: []\n'.repeat(20)), { kind: 'torn', offset: 0 }],
    ['a header and nothing else', one.bytes.slice(0, 64), { kind: 'unsealed', offset: 64 }],
  ])('%s', (_name, bytes, expected) => {
    expect(scanWal(bytes)).toMatchObject(expected);
  });

  it('frames of an older log under a new header are stale, sealed or not', () => {
    const stale = one.bytes.slice();
    stale.set(new WalEncoder(testHeader(50)).header());
    expect(scanWal(stale)).toMatchObject({ kind: 'torn', offset: 64 });
  });

  it('an intent and all data without a seal are unsealed and keep the intent', () => {
    const { sealOffset } = sealed(scanWal(one.bytes)).last;
    const scan = scanWal(one.bytes.slice(0, sealOffset));
    expect(scan).toMatchObject({ kind: 'unsealed', saves: [], intent: { sequence: 7 } });
  });
});

describe('other versions and targets', () => {
  it('a future version is told from a flipped bit', () => {
    expect(scanWal(forge.header(one.bytes, { version: 2 }))).toEqual({
      kind: 'unsupportedVersion',
      version: 2,
    });
    const flipped = one.bytes.slice();
    flipped[8] = 3;
    expect(scanWal(flipped)).toMatchObject({ kind: 'damaged', sealedSequence: 7 });
  });

  it('a log for another file is foreign, sealed or not', () => {
    const expected = { kind: 'foreignTarget', target: TARGET, expected: 'other.yaml', sequence: 7 };
    const scan = scanWal(one.bytes, { target: 'other.yaml' });
    expect(scan).toEqual({ ...expected, sealed: true });
    const { sealOffset } = sealed(scanWal(one.bytes)).last;
    const open = scanWal(one.bytes.slice(0, sealOffset), { target: 'other.yaml' });
    expect(open).toEqual({ ...expected, sealed: false });
  });

  it('damage is reported before foreignness', () => {
    const bytes = one.bytes.slice();
    bytes[100] = 0xee;
    expect(scanWal(bytes, { target: 'other.yaml' }).kind).toBe('damaged');
  });
});

describe('records that verify and say the impossible', () => {
  const rows: ReadonlyArray<readonly [string, Uint8Array]> = [
    ['a header of another length', forge.header(one.bytes, { headerLength: 72 })],
    ['reserved header bytes set', forge.header(one.bytes, { reserved: 1 })],
    ['an epoch above 2^48', forge.header(one.bytes, { epochHigh: 0xffff_ffff })],
    ['an unknown frame type', forge.frames([{ type: 9, payload: new Uint8Array(8) }])],
    ['data before any intent', forge.frames([{ type: 2, payload: new Uint8Array(8) }])],
    ['a short intent', forge.frames([{ type: 1, payload: new Uint8Array(20) }])],
    ['flags set', forge.frames([{ type: 1, payload: new Uint8Array(20), flags: 1 }])],
    ['padding set', forge.frames([{ type: 1, payload: new Uint8Array(20), padding: 1 }])],
    ['a huge sequence number', forge.intent((view) => view.setUint32(4, 0xffff_ffff, true))],
    ['a huge time', forge.intent((view) => view.setUint32(12, 0xffff_ffff, true))],
    ['an unknown encoding', forge.intent((view) => view.setUint8(16, 2))],
    ['a pre-image mark of 2', forge.intent((view) => view.setUint8(17, 2))],
    ['an absent pre-image described', forge.intent((view) => view.setUint8(40, 2))],
    ['reserved intent bytes set', forge.intent((view) => view.setUint8(18, 2))],
    ['a huge data length', forge.intent((view) => view.setUint32(28, 0xffff_ffff, true))],
    ['data shorter than the image', forge.intent((view) => view.setUint32(24, 1, true))],
    ['a huge image', forge.intent((view) => view.setUint32(76, 0xffff_ffff, true))],
    ['no target', forge.intent((view) => view.setUint16(112, 0, true))],
    ['a target longer than the record', forge.intent((view) => view.setUint16(112, 4000, true))],
    ['a label length of 0xFFFE', forge.intent((view) => view.setUint16(114, 0xfffe, true))],
    ['a target that is not UTF-8', forge.intent((view) => view.setUint8(116, 0xff))],
    ['a first save of splices', forge.intent((view) => view.setUint8(16, 1))],
    ['a wrong SHA-256 of the image', forge.sealedWithWrongDigest()],
    ['a seal of another save', forge.sealedWithForeignSeal()],
  ];
  it.each(rows)('%s is damage', (_name, bytes) => {
    expect(scanWal(bytes)).toMatchObject({ kind: 'damaged', offset: expect.any(Number) as number });
  });
});

describe('hostile logs', () => {
  it('a declared data length far beyond the file allocates nothing and ends at the end', () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const encoder = new WalEncoder(testHeader());
    const header = encoder.header();
    const image = { size: huge, sha256: '0'.repeat(64) };
    const intent = { ...intentOf(ONE_SAVE[0] as TestSave), afterImage: image };
    const bytes = joinBytes(header, encoder.intent(intent, huge));
    expect(scanWal(bytes)).toMatchObject({ kind: 'unsealed', intent: { sequence: 7 } });
  });

  it.each([
    ['a count of 0xFFFFFFFF', Uint8Array.of(255, 255, 255, 255)],
    ['no count', new Uint8Array(3)],
    ['an end past the image', encodeSplices([{ start: 0, end: 10_000, bytes: utf8('x') }])],
    ['an inserted length of 0xFFFFFFFF', forge.splice(0, 0, 0xffff_ffff)],
    ['a start above 2^53', forge.splice(2 ** 63, 2 ** 63, 0)],
    ['an end before its start', forge.splice(5, 4, 0)],
    ['bytes left over', joinBytes(encodeSplices([]), utf8('left'))],
    ['another result size', encodeSplices([{ start: 0, end: 0, bytes: utf8('longer') }])],
  ])('splices with %s are damage', (_name, encoded) => {
    const scan = sealed(scanWal(forge.secondSaveWithData(encoded)));
    expect(scan.tail).toMatchObject({
      kind: 'damaged',
      sealedSequence: expect.any(Number) as number,
    });
    expect(scan.saves).toHaveLength(1);
  });

  it('a seal magic at every place is searched in linear time', () => {
    const bytes = new Uint8Array(8_000_000);
    const magic = one.bytes.subarray(sealed(scanWal(one.bytes)).last.sealOffset + 16).slice(0, 8);
    for (let at = 64; at < bytes.length; at += 8) bytes.set(magic, at);
    bytes.set(one.bytes.subarray(0, 64));
    const started = performance.now();
    expect(scanWal(bytes).kind).toBe('torn');
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a thousand saves of splices in a row are read with work that follows the splices', () => {
    const image = multiChunkImage(1_000_000);
    const saves: TestSave[] = [{ sequence: 1, image }];
    const NOTHING = new Uint8Array(0);
    let parts = PartedImage.of(image);
    let work = 0;
    for (let sequence = 2; sequence <= 1001; sequence += 1) {
      const at = (sequence * 977) % image.length;
      const splices = [{ start: at, end: at + 1, bytes: utf8('x') }];
      parts = parts.splice(splices);
      work += parts.work;
      saves.push({ sequence, image: NOTHING, splices });
    }
    expect(sealed(scanWal(buildLog(saves).bytes)).saves.length).toBe(1001);
    // Per save two parts (the one before, the one after) and the digests, not the whole image.
    expect(work / 1000).toBe(2 * PART_BYTES + 62 * 32);
  });
});
