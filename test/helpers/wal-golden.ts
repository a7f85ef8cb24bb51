/**
 * Builds the golden logs of format version 1, always the same bytes. `GOLDEN_WRITE=1 npx vitest run
 * test/unit/format/wal-golden.test.ts` writes those that are missing and never touches one that is there: golden files are
 * append-only. A new case is a new file, a new format version a new folder.
 */

import { sha256Hex, toHex } from '../../src/format/bytes.js';
import type { Splice } from '../../src/format/image-splice.js';
import { PartedImage } from '../../src/format/parted-image.js';
import { endingOf, openSeal, sealText } from '../../src/format/seal.js';
import type { WalScan } from '../../src/format/wal-scan.js';
import { scanWal } from '../../src/format/wal-scanner.js';
import {
  buildLog,
  joinBytes,
  multiChunkImage,
  ONE_SAVE,
  TARGET,
  type TestSave,
  THREE_SAVES,
  testHeader,
  utf8,
} from './wal-builder.js';
import { forge } from './wal-forge.js';

/** One golden log. `encoded`: our encoder must still write exactly these bytes. */
export interface GoldenLog {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly encoded: boolean;
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

/** What the image of the golden log `sealed-with-every-field` is sealed with. */
export const EVERY_FIELD = {
  sequence: 9,
  epoch: 3,
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  label: 'vor dem "großen"\nUmbau',
  pinned: true,
  artifacts: [
    { path: 'out/build.tar', size: 10_485_760, sha256: 'a1'.repeat(32) },
    { path: 'notes/ü \u2028.md', size: 0, sha256: '0f'.repeat(32) },
  ],
};

/** Saves as a publish policy leaves them: a whole image of several parts, then splices with open seals. */
function appendedSaves(): readonly TestSave[] {
  const text = `${'# a comment\n'.repeat(3000)}v: 1\n`;
  const first = { sequence: 20, epoch: 3, timeMs: 1_700_000_000_020 };
  const image = sealText(text, first);
  let parts = PartedImage.of(image);
  const after = (splice: Splice, sequence: number): TestSave => {
    const seal = openSeal(endingOf(text), { ...first, sequence });
    const splices = [splice, { start: text.length, end: parts.size, bytes: seal }];
    parts = parts.splice(splices);
    return { sequence, image: parts.bytes(), splices };
  };
  const value = { start: text.length - 2, end: text.length - 1 };
  return [
    { sequence: 20, image },
    after({ ...value, bytes: utf8('2') }, 21),
    after({ start: 0, end: 11, bytes: utf8('# A COMMENT') }, 23),
  ];
}

/** Every golden log of version 1, in the order in which they were added. */
export function goldenLogs(): readonly GoldenLog[] {
  const image = utf8('phases:\n  - id: build\n    status: done\n');
  const whole = buildLog([{ sequence: 1, image }]).bytes;
  const labelled = buildLog(ONE_SAVE).bytes;
  const two = buildLog(THREE_SAVES.slice(0, 2)).bytes;
  const multi = buildLog([{ sequence: 2, image: multiChunkImage(66_000) }]).bytes;
  const first = scanWal(two);
  const secondIntent = first.kind === 'sealed' ? first.last.offset : 0;
  const only = scanWal(whole);
  const sealOffset = only.kind === 'sealed' ? only.last.sealOffset : 0;
  const foreign: TestSave = { sequence: 1, image, target: 'OTHER.yaml' };
  const { label } = EVERY_FIELD;
  const sealedSave: TestSave = {
    sequence: EVERY_FIELD.sequence,
    image: sealText('phases: [] # none yet', EVERY_FIELD),
    label,
  };
  return [
    { name: 'whole', bytes: whole, encoded: true },
    { name: 'with-label', bytes: labelled, encoded: true },
    { name: 'two-saves-splices', bytes: two, encoded: true },
    { name: 'multi-chunk', bytes: multi, encoded: true },
    { name: 'torn', bytes: whole.slice(0, sealOffset - 11), encoded: false },
    { name: 'torn-tail', bytes: two.slice(0, secondIntent + 150), encoded: false },
    { name: 'unsealed', bytes: whole.slice(0, sealOffset), encoded: true },
    { name: 'preallocated', bytes: joinBytes(whole, new Uint8Array(512)), encoded: false },
    { name: 'one-seal-bad', bytes: changed(whole, sealOffset + 20, 0xff), encoded: false },
    { name: 'damaged', bytes: changed(two, secondIntent + 30, 0xff), encoded: false },
    { name: 'damaged-header', bytes: changed(whole, 30, 0xff), encoded: false },
    {
      name: 'stale-salt',
      bytes: joinBytes(buildLog([], testHeader(77)).bytes, whole.slice(64)),
      encoded: false,
    },
    { name: 'foreign-target', bytes: buildLog([foreign]).bytes, encoded: true },
    { name: 'future-version', bytes: forge.header(whole, { version: 2 }), encoded: false },
    { name: 'sealed-with-every-field', bytes: buildLog([sealedSave]).bytes, encoded: true },
    { name: 'appended-in-parts', bytes: buildLog(appendedSaves()).bytes, encoded: true },
  ];
}

/**
 * What a scan says, as JSON: bytes as hex, the image by size and SHA-256. Without what follows from the
 * image, and without the reasons, which are words for people and may be worded better later.
 */
export function scanAsJson(scan: WalScan): unknown {
  const plain =
    scan.kind === 'sealed' ? { ...scan, image: digest(scan.image), covered: undefined } : scan;
  return JSON.parse(
    JSON.stringify(plain, (key, value: unknown) => {
      if (key === 'reason') return undefined;
      return value instanceof Uint8Array ? toHex(value) : value;
    }),
  );
}

/** Scans a golden log as a store for `ORCHESTRATION.yaml` would. */
export function scanGolden(bytes: Uint8Array): unknown {
  return scanAsJson(scanWal(bytes, { target: TARGET }));
}

function digest(image: Uint8Array): { readonly size: number; readonly sha256: string } {
  return { size: image.length, sha256: sha256Hex(image) };
}
