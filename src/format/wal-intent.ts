/**
 * The intent record's payload, bytes ↔ value. Assumes that the frame around it has been verified, and
 * still believes no length or number in it. Ruled by `docs/format.md`, "Intent".
 */
import {
  isSha256Hex,
  isWellFormed,
  isZero,
  MAX_COUNTER,
  readU64,
  SHA256_BYTES,
  toHex,
  viewOf,
  writeHex,
  writeU64,
} from './bytes.js';
import { decodeUtf8 } from './utf8.js';
import {
  IMAGE_ENCODING,
  type ImageDigest,
  type ImageEncoding,
  INTENT_FIXED_BYTES,
  type IntentRecord,
  MAX_LABEL_BYTES,
  MAX_TARGET_BYTES,
  NO_LABEL,
} from './wal-format.js';

const TIME_OFFSET = 8;
const ENCODING_OFFSET = 16;
const HAS_PRE_IMAGE_OFFSET = 17;
const RESERVED_OFFSET = 18;
const DATA_LENGTH_OFFSET = 24;
const PRE_IMAGE_OFFSET = 32;
const AFTER_IMAGE_OFFSET = 72;
const TARGET_LENGTH_OFFSET = 112;
const LABEL_LENGTH_OFFSET = 114;
const DIGEST_BYTES = 8 + SHA256_BYTES;

/** Longest payload that an intent can have. */
export const MAX_INTENT_BYTES = INTENT_FIXED_BYTES + MAX_TARGET_BYTES + MAX_LABEL_BYTES;

/** An intent as it stands in a log: the record, and how many bytes of data frames belong to it. */
export interface DecodedIntent {
  readonly record: IntentRecord;
  readonly dataLength: number;
}

/**
 * The payload of an intent frame.
 * @throws TypeError for text that UTF-8 can't carry, a digest that is no SHA-256, an unknown encoding;
 * RangeError for a number or length out of range.
 */
export function encodeIntent(record: IntentRecord, dataLength: number): Uint8Array {
  const target = encodeText('target', record.target, 1, MAX_TARGET_BYTES);
  const label =
    record.label === undefined ? undefined : encodeText('label', record.label, 0, MAX_LABEL_BYTES);
  if (!Object.hasOwn(IMAGE_ENCODING, record.encoding)) {
    throw new TypeError(`unknown image encoding ${String(record.encoding)}`);
  }
  checkInteger('sequence', record.sequence, MAX_COUNTER);
  checkInteger('timeMs', record.timeMs, Number.MAX_SAFE_INTEGER);
  checkInteger('data length', dataLength, Number.MAX_SAFE_INTEGER);
  if (record.encoding === 'whole' && dataLength !== record.afterImage.size) {
    throw new RangeError('the data of a whole image is as long as the image');
  }
  const bytes = new Uint8Array(INTENT_FIXED_BYTES + target.length + (label?.length ?? 0));
  const view = viewOf(bytes);
  writeU64(view, 0, record.sequence);
  writeU64(view, TIME_OFFSET, record.timeMs);
  bytes[ENCODING_OFFSET] = IMAGE_ENCODING[record.encoding];
  bytes[HAS_PRE_IMAGE_OFFSET] = record.preImage === undefined ? 0 : 1;
  writeU64(view, DATA_LENGTH_OFFSET, dataLength);
  if (record.preImage !== undefined) writeDigest(bytes, PRE_IMAGE_OFFSET, record.preImage);
  writeDigest(bytes, AFTER_IMAGE_OFFSET, record.afterImage);
  view.setUint16(TARGET_LENGTH_OFFSET, target.length, true);
  view.setUint16(LABEL_LENGTH_OFFSET, label?.length ?? NO_LABEL, true);
  bytes.set(target, INTENT_FIXED_BYTES);
  if (label !== undefined) bytes.set(label, INTENT_FIXED_BYTES + target.length);
  return bytes;
}

/** Reads an intent payload. Returns what is wrong, as text, where it is not one. Never throws. */
export function decodeIntent(bytes: Uint8Array): DecodedIntent | string {
  if (bytes.length < INTENT_FIXED_BYTES) return 'the intent is too short';
  const view = viewOf(bytes);
  const sequence = readU64(view, 0);
  if (sequence === undefined || sequence > MAX_COUNTER) return 'the sequence number is too large';
  const timeMs = readU64(view, TIME_OFFSET);
  if (timeMs === undefined) return 'the time is too large';
  const encoding = encodingOf(bytes[ENCODING_OFFSET]);
  if (encoding === undefined) return `unknown image encoding ${bytes[ENCODING_OFFSET]}`;
  if (!isZero(bytes, RESERVED_OFFSET, DATA_LENGTH_OFFSET)) return 'reserved bytes are not zero';
  const dataLength = readU64(view, DATA_LENGTH_OFFSET);
  if (dataLength === undefined) return 'the data length is too large';
  const pre = readPreImage(bytes, view);
  if (typeof pre === 'string') return pre;
  const afterImage = readDigest(bytes, view, AFTER_IMAGE_OFFSET);
  if (afterImage === undefined) return 'the size of the after-image is too large';
  if (encoding === 'whole' && dataLength !== afterImage.size) {
    return 'the data of a whole image is not as long as the image';
  }
  const names = readNames(bytes, view);
  if (typeof names === 'string') return names;
  const record = { sequence, timeMs, ...names, preImage: pre.preImage, afterImage, encoding };
  return { record, dataLength };
}

/**
 * Why `record` can't follow in a log whose newest sealed save is `previous` (`undefined`: none yet);
 * `undefined` where it can. One rule for writer and scanner.
 */
export function successionProblem(
  record: IntentRecord,
  previous: IntentRecord | undefined,
): string | undefined {
  if (previous === undefined) {
    return record.encoding === 'whole' ? undefined : 'the first save of a log is not whole';
  }
  if (record.sequence <= previous.sequence) {
    return `sequence ${record.sequence} follows ${previous.sequence}`;
  }
  if (record.target !== previous.target) return 'the saves of a log are for different targets';
  return undefined;
}

function encodingOf(value: number | undefined): ImageEncoding | undefined {
  if (value === IMAGE_ENCODING.whole) return 'whole';
  return value === IMAGE_ENCODING.splices ? 'splices' : undefined;
}

function readPreImage(
  bytes: Uint8Array,
  view: DataView,
): { readonly preImage: ImageDigest | undefined } | string {
  const present = bytes[HAS_PRE_IMAGE_OFFSET];
  if (present === 0) {
    if (isZero(bytes, PRE_IMAGE_OFFSET, AFTER_IMAGE_OFFSET)) return { preImage: undefined };
    return 'a pre-image is described and said to be absent';
  }
  if (present !== 1) return `impossible mark ${present} for the pre-image`;
  const preImage = readDigest(bytes, view, PRE_IMAGE_OFFSET);
  return preImage === undefined ? 'the size of the pre-image is too large' : { preImage };
}

function readNames(
  bytes: Uint8Array,
  view: DataView,
): { readonly target: string; readonly label?: string } | string {
  const targetLength = view.getUint16(TARGET_LENGTH_OFFSET, true);
  const storedLabelLength = view.getUint16(LABEL_LENGTH_OFFSET, true);
  const labelLength = storedLabelLength === NO_LABEL ? 0 : storedLabelLength;
  if (targetLength === 0 || targetLength > MAX_TARGET_BYTES) return 'impossible target length';
  if (labelLength > MAX_LABEL_BYTES) return 'impossible label length';
  const labelStart = INTENT_FIXED_BYTES + targetLength;
  if (labelStart + labelLength !== bytes.length) return 'the lengths in the intent do not add up';
  const target = decodeUtf8(bytes.subarray(INTENT_FIXED_BYTES, labelStart));
  if (target === undefined) return 'the target is not valid UTF-8';
  if (storedLabelLength === NO_LABEL) return { target };
  const label = decodeUtf8(bytes.subarray(labelStart));
  return label === undefined ? 'the label is not valid UTF-8' : { target, label };
}

function writeDigest(bytes: Uint8Array, offset: number, digest: ImageDigest): void {
  checkInteger('image size', digest.size, Number.MAX_SAFE_INTEGER);
  if (typeof digest.sha256 !== 'string' || !isSha256Hex(digest.sha256)) {
    throw new TypeError('a SHA-256 is 64 lower-case hex digits');
  }
  writeU64(viewOf(bytes), offset, digest.size);
  writeHex(bytes, offset + 8, digest.sha256);
}

function readDigest(bytes: Uint8Array, view: DataView, offset: number): ImageDigest | undefined {
  const size = readU64(view, offset);
  if (size === undefined) return undefined;
  return { size, sha256: toHex(bytes.subarray(offset + 8, offset + DIGEST_BYTES)) };
}

function encodeText(what: string, text: string, shortest: number, longest: number): Uint8Array {
  if (typeof text !== 'string') throw new TypeError(`the ${what} is not a string`);
  if (!isWellFormed(text)) throw new TypeError(`the ${what} holds half a surrogate pair`);
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < shortest || bytes.length > longest) {
    throw new RangeError(`the ${what} is ${bytes.length} bytes, not ${shortest} to ${longest}`);
  }
  return bytes;
}

function checkInteger(what: string, value: number, largest: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > largest) {
    throw new RangeError(`${what} ${String(value)} is not an integer from 0 to ${largest}`);
  }
}
