/**
 * The seal line by itself: one comment line of named fields with a checksum of its own. Owns its form,
 * its limits, and how it is read from the end of a file without the rest of the file. Ruled by
 * `docs/format.md`, "The seal line".
 */
import { crc32 } from 'node:zlib';
import { MAX_ARTIFACTS } from './artifact-lines.js';
import { isSha256Hex, MAX_COUNTER } from './bytes.js';
import { fits, quote, quotedBytesMax, unquote } from './quoted-text.js';
import { decodeUtf8 } from './utf8.js';
import { MAX_LABEL_BYTES } from './wal-format.js';

/** What a seal line says of its file. */
export interface SealClaim {
  /** Sequence number of the save that published the file; 0 to 2^48. */
  readonly sequence: number;
  /** Epoch of the writer; 0 to 2^48. */
  readonly epoch: number;
  /** When it was saved, or, of an edit made outside, last modified; milliseconds since 1970. */
  readonly timeMs?: number;
  /** The caller's name for it; at most 1,024 bytes of UTF-8. Absent and empty are kept apart. */
  readonly label?: string;
  /** Whether history keeps it for good. Absent: it does not. */
  readonly pinned?: boolean;
}

/** A seal line as it was read. */
export interface SealLine extends SealClaim {
  /** Whether its checksum matches: the fields are as they were written. */
  readonly intact: boolean;
  /** How many artifact lines stand before it. */
  readonly artifactCount: number;
  /** The user's text had no line break at its end, and got one. */
  readonly newlineAdded: boolean;
  /** Of all bytes before the line. */
  readonly sha256: string;
}

/** How the seal line of every version begins. */
export const SEAL_PREFIX = '# checkpoint-wal: v';
/** Largest time that a seal can name, in milliseconds since 1970: the end of the year 9999. */
export const MAX_SEAL_TIME_MS = 253_402_300_799_999;
/** All fields but the label at their longest, with some room for those of later versions. */
const LONGEST_OTHERS = 512;
/** Longest seal line with its line break, in bytes; in any version. It bounds the work for each line. */
export const MAX_SEAL_LINE_BYTES = LONGEST_OTHERS + quotedBytesMax(MAX_LABEL_BYTES);
/** So many of a file's last bytes hold its seal line, and show where the line begins. */
export const SEAL_TAIL_BYTES = MAX_SEAL_LINE_BYTES + 1;

const ANY_VERSION =
  /^# checkpoint-wal: v([1-9]\d{0,8}) (.*) crc=([0-9a-f]{8}) sha256=([0-9a-f]{64})$/;
const FIELDS = new RegExp(
  [
    /^sequence=(?<sequence>0|[1-9]\d{0,15}) epoch=(?<epoch>0|[1-9]\d{0,15})/,
    /(?: time=(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z))?(?<pinned> pinned)?/,
    /(?: label=(?<label>"(?:[^"\\]|\\.)*"))?(?: artifacts=(?<artifacts>[1-9]\d{0,3}))?/,
    /(?<newline> newline=added)?$/,
  ]
    .map(({ source }) => source)
    .join(''),
);

/**
 * The line, without its line break.
 * @throws TypeError or RangeError for a field that the line can't carry
 */
export function sealLine(
  claim: SealClaim,
  rest: Omit<SealLine, keyof SealClaim | 'intact'>,
): string {
  checkClaim(claim);
  if (!isSha256Hex(rest.sha256)) throw new TypeError('a SHA-256 is 64 lower-case hex digits');
  const { sequence, epoch, timeMs, label, pinned } = claim;
  const fields = [
    `${SEAL_PREFIX}1 sequence=${sequence} epoch=${epoch}`,
    timeMs === undefined ? '' : ` time=${new Date(timeMs).toISOString()}`,
    pinned === true ? ' pinned' : '',
    label === undefined ? '' : ` label=${quote(label)}`,
    rest.artifactCount === 0 ? '' : ` artifacts=${rest.artifactCount}`,
    rest.newlineAdded ? ' newline=added' : '',
  ].join('');
  return `${fields} crc=${crcHex(fields)} sha256=${rest.sha256}`;
}

/**
 * Reads one line, without its line break. `unsupported` is the version of a later one whose checksum
 * matches; `undefined` an ordinary line of the user's.
 */
export function readSealLine(
  line: string,
): SealLine | { readonly unsupported: number } | undefined {
  if (line.length > MAX_SEAL_LINE_BYTES) return undefined;
  const match = ANY_VERSION.exec(line);
  if (match === null) return undefined;
  const [, version, fields = '', crc, sha256 = ''] = match;
  const intact = crcHex(`${SEAL_PREFIX}${version} ${fields}`) === crc;
  // The checksum is read so in every version, and proves that the version is no flipped bit.
  if (intact && version !== '1') return { unsupported: Number(version) };
  const claims = readFields(fields);
  return claims && { ...claims, intact, sha256 };
}

/**
 * The seal line at the end of a file, from its last {@link SEAL_TAIL_BYTES} bytes alone (or all, if
 * it has fewer). `undefined` unless the file ends in a whole line of this version whose checksum matches; what
 * is before the line is not looked at, and may be damaged.
 */
export function readLastSealLine(
  tail: Uint8Array,
):
  | { readonly line: SealLine; readonly start: number; readonly newline: '\n' | '\r\n' }
  | undefined {
  if (tail.at(-1) !== 0x0a) return undefined;
  const start = tail.length < 2 ? 0 : tail.lastIndexOf(0x0a, tail.length - 2) + 1;
  if (tail.length - start > MAX_SEAL_LINE_BYTES) return undefined;
  const newline = tail.at(-2) === 0x0d ? '\r\n' : '\n';
  const text = decodeUtf8(tail.subarray(start, tail.length - newline.length));
  const line = text === undefined ? undefined : readSealLine(text);
  if (line === undefined || 'unsupported' in line || !line.intact) return undefined;
  return { line, start, newline };
}

/** The claim of a line, without what only the reading of its file needs. */
export function claimOfLine({ sequence, epoch, timeMs, label, pinned }: SealClaim): SealClaim {
  return {
    sequence,
    epoch,
    ...(timeMs !== undefined && { timeMs }),
    ...(label !== undefined && { label }),
    ...(pinned === true && { pinned }),
  };
}

function readFields(fields: string): Omit<SealLine, 'intact' | 'sha256'> | undefined {
  const values = FIELDS.exec(fields)?.groups;
  if (values === undefined) return undefined;
  const sequence = Number(values.sequence);
  const epoch = Number(values.epoch);
  const artifactCount = Number(values.artifacts ?? 0);
  if (sequence > MAX_COUNTER || epoch > MAX_COUNTER || artifactCount > MAX_ARTIFACTS) {
    return undefined;
  }
  const timeMs = values.time === undefined ? undefined : timeOf(values.time);
  const label = values.label === undefined ? undefined : unquote(values.label, MAX_LABEL_BYTES);
  const isMisread =
    (values.time !== undefined && timeMs === undefined) ||
    (values.label !== undefined && label === undefined);
  if (isMisread) return undefined;
  const pinned = values.pinned !== undefined;
  const newlineAdded = values.newline !== undefined;
  const claim = { sequence, epoch, ...(timeMs !== undefined && { timeMs }) };
  return { ...claim, ...(label !== undefined && { label }), pinned, artifactCount, newlineAdded };
}

/** A time in the one form that is written; `undefined` for a day or an hour that does not exist. */
function timeOf(text: string): number | undefined {
  const time = new Date(text);
  const timeMs = time.getTime();
  return timeMs >= 0 && time.toISOString() === text ? timeMs : undefined;
}

function crcHex(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function checkClaim({ sequence, epoch, timeMs, label }: SealClaim): void {
  checkInteger('sequence', sequence, MAX_COUNTER);
  checkInteger('epoch', epoch, MAX_COUNTER);
  if (timeMs !== undefined) checkInteger('time', timeMs, MAX_SEAL_TIME_MS);
  if (label === undefined) return;
  if (typeof label !== 'string' || !fits(label, MAX_LABEL_BYTES)) {
    throw new TypeError(`a label is at most ${MAX_LABEL_BYTES} bytes of UTF-8`);
  }
}

function checkInteger(what: string, value: number, largest: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > largest) {
    throw new RangeError(`${what} ${String(value)} is not an integer from 0 to ${largest}`);
  }
}
