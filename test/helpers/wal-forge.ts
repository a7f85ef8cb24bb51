/**
 * Forges logs whose checksums are right and whose content no encoder of ours would write. Writes the
 * byte layout of `docs/format.md` by hand, so that it also checks the documented offsets.
 */
import { crc32 } from 'node:zlib';
import { toHex } from '../../src/format/bytes.js';
import { encodeIntent } from '../../src/format/wal-intent.js';
import { WalEncoder } from '../../src/format/wal-writer.js';
import {
  buildLog,
  intentOf,
  joinBytes,
  ONE_SAVE,
  type TestSave,
  testHeader,
} from './wal-builder.js';

interface ForgedFrame {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly flags?: number;
  readonly padding?: number;
}

const FIRST = ONE_SAVE[0] as TestSave;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function header(
  log: Uint8Array,
  change: { version?: number; headerLength?: number; reserved?: number; epochHigh?: number },
): Uint8Array {
  const bytes = log.slice();
  const view = viewOf(bytes);
  if (change.version !== undefined) view.setUint16(8, change.version, true);
  if (change.headerLength !== undefined) view.setUint16(10, change.headerLength, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  if (change.epochHigh !== undefined) view.setUint32(20, change.epochHigh, true);
  if (change.reserved !== undefined) bytes[48] = change.reserved;
  view.setUint32(60, crc32(bytes.subarray(0, 60)), true);
  return bytes;
}

function frame({ type, payload, flags = 0, padding = 0 }: ForgedFrame, seed: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((16 + payload.length) / 8) * 8).fill(padding);
  const view = viewOf(bytes);
  view.setUint32(0, 0x464c57c3, true);
  view.setUint32(4, type + flags * 256, true);
  view.setUint32(8, payload.length, true);
  bytes.set(payload, 16);
  const covered = joinBytes(bytes.subarray(0, 12), bytes.subarray(16));
  view.setUint32(12, crc32(covered, seed), true);
  return bytes;
}

/** A log of these frames, each chained to the one before. */
function frames(list: readonly ForgedFrame[]): Uint8Array {
  const parts = [new WalEncoder(testHeader()).header()];
  let seed = viewOf(parts[0] as Uint8Array).getUint32(60, true);
  for (const each of list) {
    const bytes = frame(each, seed);
    seed = viewOf(bytes).getUint32(12, true);
    parts.push(bytes);
  }
  return joinBytes(...parts);
}

/** A log of one intent whose payload was changed before it was framed. */
function intent(change: (view: DataView) => void): Uint8Array {
  const payload = encodeIntent(intentOf(FIRST), FIRST.image.length);
  change(viewOf(payload));
  return frames([{ type: 1, payload }]);
}

function sealedWithWrongDigest(): Uint8Array {
  const encoder = new WalEncoder(testHeader());
  const afterImage = { size: FIRST.image.length, sha256: toHex(new Uint8Array(32)) };
  const start = encoder.header();
  const record = encoder.intent({ ...intentOf(FIRST), afterImage }, FIRST.image.length);
  return joinBytes(start, record, encoder.data(FIRST.image), encoder.seal());
}

/** The frames verify, and the seal names another sequence number than the intent. */
function sealedWithForeignSeal(): Uint8Array {
  const payload = encodeIntent(intentOf(FIRST), FIRST.image.length);
  const other = buildLog([{ ...FIRST, sequence: 8 }]).bytes;
  const sealAt =
    64 + Math.ceil((16 + payload.length) / 8) * 8 + Math.ceil((16 + FIRST.image.length) / 8) * 8;
  const seal = other.slice(sealAt + 16, sealAt + 104);
  return frames([
    { type: 1, payload },
    { type: 2, payload: FIRST.image },
    { type: 3, payload: seal },
  ]);
}

/** One splice with numbers that the encoder would refuse. */
function splice(start: number, end: number, length: number): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = viewOf(bytes);
  view.setUint32(0, 1, true);
  view.setBigUint64(4, BigInt(start), true);
  view.setBigUint64(12, BigInt(end), true);
  view.setBigUint64(20, BigInt(length), true);
  return bytes;
}

/** A sealed log whose second save holds these bytes as its splices. */
function secondSaveWithData(encoded: Uint8Array, image = FIRST.image): Uint8Array {
  const encoder = new WalEncoder(testHeader());
  const first = intentOf({ ...FIRST, image });
  const parts = [encoder.header(), encoder.intent(first, image.length)];
  parts.push(encoder.data(image), encoder.seal());
  const record = { ...first, sequence: 8, encoding: 'splices' } as const;
  parts.push(encoder.intent(record, encoded.length), encoder.data(encoded), encoder.seal());
  return joinBytes(...parts);
}

export const forge = {
  header,
  frames,
  intent,
  sealedWithWrongDigest,
  sealedWithForeignSeal,
  splice,
  secondSaveWithData,
};
