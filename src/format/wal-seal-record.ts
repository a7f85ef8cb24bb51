/**
 * The seal of one save in the log: its payload, bytes ↔ value, and the search for seals in bytes that
 * don't verify otherwise. A seal can be recognised on its own, without header or chain: that is what
 * tells a damaged log from one that was never sealed. Ruled by `docs/format.md`, "Seal".
 */
import { crc32 } from 'node:zlib';
import {
  alignUp,
  equalBytes,
  isZero,
  MAX_COUNTER,
  readU64,
  SHA256_BYTES,
  toHex,
  viewOf,
  writeHex,
  writeU64,
} from './bytes.js';
import {
  FRAME_ALIGNMENT,
  SEAL_FRAME_BYTES,
  SEAL_MAGIC,
  SEAL_PAYLOAD_BYTES,
  SECTOR_BYTES,
  WAL_SALT_BYTES,
} from './wal-format.js';

const SEQUENCE_OFFSET = 8;
const SALT_OFFSET = 16;
const INTENT_OFFSET_OFFSET = 32;
const DATA_LENGTH_OFFSET = 40;
const SHA256_OFFSET = 48;
const RESERVED_OFFSET = SHA256_OFFSET + SHA256_BYTES;
const CRC_OFFSET = 84;

const MAGIC = Uint8Array.from(SEAL_MAGIC);

/** What a seal vouches for. */
export interface SealRecord {
  readonly sequence: number;
  /** The log's salt again, so that a seal is known as this log's even where the header is lost. */
  readonly salt: Uint8Array;
  /** Where the intent frame of the save starts. */
  readonly intentOffset: number;
  /** Bytes of the encoded after-image over all data frames. */
  readonly dataLength: number;
  /** SHA-256 of the after-image, hex. */
  readonly sha256: string;
}

/** What {@link findSeals} found. */
export interface FoundSeals {
  /** Where the first one starts. */
  readonly offset: number;
  /** The newest save that a found seal names; `undefined` where none names a possible one. */
  readonly sequence: number | undefined;
}

/** The payload of a seal frame. The fields come from an intent that was checked. */
export function encodeSeal(seal: SealRecord): Uint8Array {
  const bytes = new Uint8Array(SEAL_PAYLOAD_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  writeU64(view, SEQUENCE_OFFSET, seal.sequence);
  bytes.set(seal.salt, SALT_OFFSET);
  writeU64(view, INTENT_OFFSET_OFFSET, seal.intentOffset);
  writeU64(view, DATA_LENGTH_OFFSET, seal.dataLength);
  writeHex(bytes, SHA256_OFFSET, seal.sha256);
  view.setUint32(CRC_OFFSET, crc32(bytes.subarray(0, CRC_OFFSET)), true);
  return bytes;
}

/** Where the second copy of a seal starts whose first copy starts at `first`: in a sector of its own. */
export function secondSealOffset(first: number): number {
  return alignUp(first + SEAL_FRAME_BYTES, SECTOR_BYTES);
}

/** Whether a seal's payload starts at `offset` and its own checksum matches. */
function isSealAt(bytes: Uint8Array, offset: number): boolean {
  if (bytes[offset] !== MAGIC[0] || offset + SEAL_PAYLOAD_BYTES > bytes.length) return false;
  if (!equalBytes(bytes.subarray(offset, offset + MAGIC.length), MAGIC)) return false;
  const stored = viewOf(bytes).getUint32(offset + CRC_OFFSET, true);
  return crc32(bytes.subarray(offset, offset + CRC_OFFSET)) === stored;
}

/** Reads a seal's payload. Returns what is wrong, as text, where it is not one. Never throws. */
export function decodeSeal(bytes: Uint8Array): SealRecord | string {
  if (bytes.length !== SEAL_PAYLOAD_BYTES) return 'the seal has a wrong length';
  if (!isSealAt(bytes, 0)) return "the seal's own checksum does not match";
  const view = viewOf(bytes);
  const sequence = readU64(view, SEQUENCE_OFFSET);
  const intentOffset = readU64(view, INTENT_OFFSET_OFFSET);
  const dataLength = readU64(view, DATA_LENGTH_OFFSET);
  if (sequence === undefined || sequence > MAX_COUNTER) return 'the sequence number is too large';
  if (intentOffset === undefined || dataLength === undefined) return 'a number is too large';
  if (!isZero(bytes, RESERVED_OFFSET, CRC_OFFSET)) return 'reserved bytes are not zero';
  const salt = bytes.subarray(SALT_OFFSET, SALT_OFFSET + WAL_SALT_BYTES);
  const sha256 = toHex(bytes.subarray(SHA256_OFFSET, SHA256_OFFSET + SHA256_BYTES));
  return { sequence, salt, intentOffset, dataLength, sha256 };
}

/**
 * Looks for seals from `start` to the end, wherever one can stand, in linear time. With a salt, only
 * seals of that log count: another salt means stale bytes of an earlier log.
 */
export function findSeals(
  bytes: Uint8Array,
  start: number,
  salt: Uint8Array | undefined,
): FoundSeals | undefined {
  let first: number | undefined;
  let newest: number | undefined;
  const aligned = alignUp(start, FRAME_ALIGNMENT);
  for (let at = aligned; at + SEAL_PAYLOAD_BYTES <= bytes.length; at += FRAME_ALIGNMENT) {
    if (!isSealAt(bytes, at)) continue;
    const saltAt = at + SALT_OFFSET;
    if (salt !== undefined && !equalBytes(bytes.subarray(saltAt, saltAt + salt.length), salt)) {
      continue;
    }
    first ??= at;
    const sequence = readU64(viewOf(bytes), at + SEQUENCE_OFFSET);
    // A number that no writer writes still proves a seal; it only can't be named.
    if (sequence !== undefined && sequence <= MAX_COUNTER) newest = Math.max(newest ?? 0, sequence);
  }
  return first === undefined ? undefined : { offset: first, sequence: newest };
}
