/**
 * The log's 64-byte header, bytes ↔ value. Assumes that the caller has the file's first bytes; owns
 * the rule that a damaged version number is never mistaken for a future version. Ruled by
 * `docs/format.md`, "Header".
 */
import { crc32 } from 'node:zlib';
import { equalBytes, isZero, MAX_COUNTER, readU64, viewOf, writeU64 } from './bytes.js';
import {
  WAL_HEADER_BYTES,
  WAL_MAGIC,
  WAL_PRELUDE_BYTES,
  WAL_SALT_BYTES,
  WAL_VERSION,
  type WalHeader,
} from './wal-format.js';

const PRELUDE_CRC_OFFSET = 12;
const EPOCH_OFFSET = 16;
const SALT_OFFSET = 24;
const CREATED_OFFSET = 40;
const RESERVED_OFFSET = 48;
const HEADER_CRC_OFFSET = 60;

const MAGIC = Uint8Array.from(WAL_MAGIC);

/**
 * What the first bytes of a log are. `broken`: they don't verify, as after a torn write or damage;
 * `impossible`: they verify and still say what no writer of this version writes.
 */
export type HeaderReading =
  | { readonly kind: 'header'; readonly header: WalHeader; readonly checksum: number }
  | { readonly kind: 'unsupportedVersion'; readonly version: number }
  | { readonly kind: 'broken' | 'impossible'; readonly offset: number; readonly reason: string };

/**
 * The header's bytes. The last four, its checksum, seed the chain of frame checksums.
 * @throws TypeError where the salt is not 16 bytes; RangeError where epoch or time is out of range.
 */
export function encodeHeader(header: WalHeader): Uint8Array {
  if (!(header.salt instanceof Uint8Array) || header.salt.length !== WAL_SALT_BYTES) {
    throw new TypeError(`the salt of a log is ${WAL_SALT_BYTES} bytes`);
  }
  if (!Number.isSafeInteger(header.epoch) || header.epoch < 0 || header.epoch > MAX_COUNTER) {
    throw new RangeError(`epoch ${header.epoch} is not an integer from 0 to 2^48`);
  }
  if (!Number.isSafeInteger(header.createdMs) || header.createdMs < 0) {
    throw new RangeError(`createdMs ${header.createdMs} is not a whole number of milliseconds`);
  }
  const bytes = new Uint8Array(WAL_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint16(8, WAL_VERSION, true);
  view.setUint16(10, WAL_HEADER_BYTES, true);
  view.setUint32(PRELUDE_CRC_OFFSET, crc32(bytes.subarray(0, PRELUDE_CRC_OFFSET)), true);
  writeU64(view, EPOCH_OFFSET, header.epoch);
  bytes.set(header.salt, SALT_OFFSET);
  writeU64(view, CREATED_OFFSET, header.createdMs);
  view.setUint32(HEADER_CRC_OFFSET, crc32(bytes.subarray(0, HEADER_CRC_OFFSET)), true);
  return bytes;
}

/** Reads the header of a log of any length, empty included. Never throws. */
export function readHeader(bytes: Uint8Array): HeaderReading {
  const prelude = readPrelude(bytes);
  if (prelude !== undefined) return prelude;
  if (bytes.length < WAL_HEADER_BYTES) return broken(bytes.length, 'the log ends in its header');
  const view = viewOf(bytes);
  const checksum = view.getUint32(HEADER_CRC_OFFSET, true);
  if (crc32(bytes.subarray(0, HEADER_CRC_OFFSET)) !== checksum) {
    return broken(WAL_PRELUDE_BYTES, "the header's checksum does not match");
  }
  return readVerified(bytes, view, checksum);
}

/** The part that every version shares; `undefined` where it verifies and names this version. */
function readPrelude(bytes: Uint8Array): HeaderReading | undefined {
  if (bytes.length === 0) return broken(0, 'the log is empty');
  if (bytes.length < WAL_PRELUDE_BYTES) return broken(bytes.length, 'the log ends in its header');
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    return broken(0, isZero(bytes) ? 'the log holds only zeros' : 'the log does not start as one');
  }
  const view = viewOf(bytes);
  if (crc32(bytes.subarray(0, PRELUDE_CRC_OFFSET)) !== view.getUint32(PRELUDE_CRC_OFFSET, true)) {
    return broken(8, 'the checksum of the version does not match');
  }
  const version = view.getUint16(8, true);
  if (version !== WAL_VERSION) return { kind: 'unsupportedVersion', version };
  const length = view.getUint16(10, true);
  if (length !== WAL_HEADER_BYTES) return impossible(10, `a header of ${length} bytes`);
  return undefined;
}

/** Fields of a header whose checksums match. */
function readVerified(bytes: Uint8Array, view: DataView, checksum: number): HeaderReading {
  const epoch = readU64(view, EPOCH_OFFSET);
  if (epoch === undefined || epoch > MAX_COUNTER)
    return impossible(EPOCH_OFFSET, 'epoch too large');
  const createdMs = readU64(view, CREATED_OFFSET);
  if (createdMs === undefined) return impossible(CREATED_OFFSET, 'time too large');
  if (!isZero(bytes, RESERVED_OFFSET, HEADER_CRC_OFFSET)) {
    return impossible(RESERVED_OFFSET, 'reserved bytes are not zero');
  }
  // Not slice(): that of a Buffer shares the memory of the log.
  const salt = Uint8Array.from(bytes.subarray(SALT_OFFSET, SALT_OFFSET + WAL_SALT_BYTES));
  return { kind: 'header', header: { epoch, salt, createdMs }, checksum };
}

function broken(offset: number, reason: string): HeaderReading {
  return { kind: 'broken', offset, reason };
}

function impossible(offset: number, what: string): HeaderReading {
  return { kind: 'impossible', offset, reason: `impossible header: ${what}` };
}
