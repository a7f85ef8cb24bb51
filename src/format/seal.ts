/**
 * The seal: the last line of a published checkpoint, a YAML comment that carries sequence number,
 * epoch and the SHA-256 of all bytes before the line. Owns how a text gains, proves and loses it, byte
 * for byte. Ruled by `docs/format.md`, "The seal line".
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { isWellFormed, MAX_COUNTER, sha256Hex } from './bytes.js';
import { findInvalidUtf8 } from './utf8.js';

/** What a seal line says of its file. */
export interface SealClaim {
  /** Sequence number of the save that published the file; 0 to 2^48. */
  readonly sequence: number;
  /** Epoch of the writer; 0 to 2^48. */
  readonly epoch: number;
}

/**
 * What a checkpoint file is, judged by itself. `text` never holds a seal line of this version, except
 * one that the sealed text itself held.
 *
 * - `sealed`: exactly what was published. `text` is the user's, byte for byte as it was given.
 * - `mismatch`: sealed once and changed since, by an edit or by damage; which, can't be told from the
 *   file. `claimIntact`: sequence and epoch are as they were written; otherwise they are not to be
 *   relied on.
 * - `unsealed`: no seal anywhere. With `remnant`, a line starts as a seal does and is none: the file was
 *   ours and was cut off or damaged in that line; `text` still holds it. Without, it was never saved by
 *   this package, or has lost its last line as a whole.
 * - `unsupportedVersion`: sealed by a later version; `text` is the whole file.
 * - `notText`: not valid UTF-8 from byte `offset` on.
 */
export type SealReading =
  | (SealClaim & { readonly kind: 'sealed'; readonly text: string })
  | (SealClaim & {
      readonly kind: 'mismatch';
      readonly claimIntact: boolean;
      readonly text: string;
      readonly reason: string;
    })
  | { readonly kind: 'unsealed'; readonly text: string; readonly remnant?: true }
  | { readonly kind: 'unsupportedVersion'; readonly version: number; readonly text: string }
  | { readonly kind: 'notText'; readonly offset: number };

interface SealLine extends SealClaim {
  readonly intact: boolean;
  readonly newlineAdded: boolean;
  readonly sha256: string;
}

type LineReading = SealLine | { readonly unsupported: number } | undefined;

/** A seal line in a text: the line from `start` up to `end`, its newline included. */
interface PlacedLine {
  readonly line: SealLine;
  readonly start: number;
  readonly end: number;
}

const PREFIX = '# checkpoint-wal: v';
/** A cut-off last line counts as a seal's from here on: `# checkp`. A user's own comment is not that. */
const SHORTEST_REMNANT = 8;
const SHA256_PLACEHOLDER = '0'.repeat(64);
/** Longer lines are no seals, in any version; it bounds the work for each line. */
const MAX_LINE_LENGTH = 512;
const ANY_VERSION =
  /^# checkpoint-wal: v([1-9]\d{0,8}) (.*) crc=([0-9a-f]{8}) sha256=([0-9a-f]{64})$/;
const FIELDS = /^sequence=(0|[1-9]\d{0,15}) epoch=(0|[1-9]\d{0,15})( newline=added)?$/;

/**
 * The bytes to publish for `text`: the text, a newline where it ends without one, and the seal line in
 * the newline style of the text's last line break. {@link readSeal} returns the text exactly.
 * @throws TypeError where the text is no string or holds half a surrogate pair; RangeError where it is
 * empty (an empty checkpoint is damage, never a state), or a number is out of range.
 */
export function sealText(text: string, claim: SealClaim): Uint8Array {
  if (typeof text !== 'string') throw new TypeError('the text to seal is not a string');
  if (text === '') throw new RangeError('an empty text is never sealed');
  if (!isWellFormed(text)) throw new TypeError('the text to seal holds half a surrogate pair');
  checkCounter('sequence', claim.sequence);
  checkCounter('epoch', claim.epoch);
  const newline = newlineOf(text);
  const added = !text.endsWith('\n');
  const claims = claimsOf(claim, added);
  const line = `${claims} crc=${crcHex(claims)} sha256=${SHA256_PLACEHOLDER}${newline}`;
  // Encoded once with room for the digest, which then is written in place: no second copy of the text.
  const bytes = new TextEncoder().encode(text + (added ? newline : '') + line);
  const digest = hash('sha256', bytes.subarray(0, bytes.length - line.length), 'hex');
  new TextEncoder().encodeInto(
    digest,
    bytes.subarray(bytes.length - newline.length - digest.length, bytes.length - newline.length),
  );
  return bytes;
}

/** Judges a checkpoint file by its seal. Never throws; linear time. */
export function readSeal(bytes: Uint8Array): SealReading {
  const sealed = readSealed(bytes);
  if (sealed !== undefined) return sealed;
  const text = decode(bytes);
  if (text === undefined) return { kind: 'notText', offset: findInvalidUtf8(bytes) };
  const { lines, unsupported } = findSealLines(text);
  if (unsupported !== undefined) return { kind: 'unsupportedVersion', version: unsupported, text };
  const claim = strongestClaim(lines);
  if (claim === undefined)
    return { kind: 'unsealed', text, ...(hasRemnant(text) ? { remnant: true } : {}) };
  return {
    kind: 'mismatch',
    sequence: claim.sequence,
    epoch: claim.epoch,
    claimIntact: claim.intact,
    text: withoutLines(text, lines),
    reason: mismatchReason(text, lines),
  };
}

/**
 * The text without any line that is a seal of this version, wherever it stands: for text that
 * somebody copied from a sealed file. Text without one is returned as it is.
 */
export function removeSealLines(text: string): string {
  return withoutLines(text, findSealLines(text).lines);
}

/** The reading of a file whose last line is a seal that proves all bytes before it. */
function readSealed(bytes: Uint8Array): SealReading | undefined {
  if (bytes.at(-1) !== 0x0a) return undefined;
  const start = bytes.length < 2 ? 0 : bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  if (bytes.length - start > MAX_LINE_LENGTH) return undefined;
  const lastLine = decode(bytes.subarray(start)) ?? '';
  const newline = newlineOf(lastLine);
  const line = readLine(lastLine.slice(0, -newline.length));
  if (line === undefined || 'unsupported' in line || !line.intact) return undefined;
  if (sha256Hex(bytes.subarray(0, start)) !== line.sha256) return undefined;
  const body = bytes.subarray(0, start);
  if (line.newlineAdded && !endsWithAscii(body, newline)) return undefined;
  const text = decode(line.newlineAdded ? body.subarray(0, start - newline.length) : body);
  if (text === undefined) return undefined; // reported as not text, with the offset
  return { kind: 'sealed', sequence: line.sequence, epoch: line.epoch, text };
}

/** Reads one line, without its newline. `undefined`: an ordinary line of the user's. */
function readLine(line: string): LineReading {
  if (line.length > MAX_LINE_LENGTH) return undefined;
  const match = ANY_VERSION.exec(line);
  if (match === null) return undefined;
  const [, version, fields = '', crc, sha256 = ''] = match;
  const intact = crcHex(`${PREFIX}${version} ${fields}`) === crc;
  // The checksum is read so in every version, and proves that the version is no flipped bit.
  if (intact && version !== '1') return { unsupported: Number(version) };
  const values = FIELDS.exec(fields);
  if (values === null) return undefined;
  const sequence = Number(values[1]);
  const epoch = Number(values[2]);
  if (sequence > MAX_COUNTER || epoch > MAX_COUNTER) return undefined;
  return { sequence, epoch, intact, newlineAdded: values[3] !== undefined, sha256 };
}

/** Every whole line that is a seal, in order, and the newest later version that one claims. */
function findSealLines(text: string): {
  readonly lines: readonly PlacedLine[];
  readonly unsupported: number | undefined;
} {
  const lines: PlacedLine[] = [];
  let unsupported: number | undefined;
  for (let at = text.indexOf(PREFIX); at !== -1; at = text.indexOf(PREFIX, at + 1)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    const newlineAt = text.indexOf('\n', at);
    const end = newlineAt === -1 ? text.length : newlineAt + 1;
    const line = readLine(text.slice(at, end).replace(/\r?\n$|\r$/, ''));
    if (line === undefined) continue;
    if ('unsupported' in line) unsupported = Math.max(unsupported ?? 0, line.unsupported);
    else lines.push({ line, start: at, end });
  }
  return { lines, unsupported };
}

/** Whether a line starts as a seal line does, or the text ends in the middle of that start. */
function hasRemnant(text: string): boolean {
  if (text.startsWith(PREFIX) || text.includes(`\n${PREFIX}`)) return true;
  const lastLine = text.slice(text.lastIndexOf('\n') + 1);
  return lastLine.length >= SHORTEST_REMNANT && PREFIX.startsWith(lastLine);
}

function endsWithAscii(bytes: Uint8Array, ending: string): boolean {
  const start = bytes.length - ending.length;
  if (start < 0) return false;
  return [...ending].every((character, index) => bytes[start + index] === character.charCodeAt(0));
}

/** The claim of the highest sequence; one that is intact goes before any that is not. */
function strongestClaim(lines: readonly PlacedLine[]): SealLine | undefined {
  let best: SealLine | undefined;
  for (const { line } of lines) {
    const better =
      best === undefined ||
      (line.intact === best.intact ? line.sequence > best.sequence : line.intact);
    if (better) best = line;
  }
  return best;
}

function withoutLines(text: string, lines: readonly PlacedLine[]): string {
  const kept: string[] = [];
  let from = 0;
  for (const { line, start, end } of lines) {
    kept.push(text.slice(from, start - addedNewlineLength(text, line, start, end)));
    from = end;
  }
  kept.push(text.slice(from));
  return kept.join('');
}

/** How much before a seal line was added with it: nothing, once text was appended after the seal. */
function addedNewlineLength(text: string, line: SealLine, start: number, end: number): number {
  if (!line.newlineAdded || end !== text.length) return 0;
  const bareNewline = text.endsWith('\n') && !text.endsWith('\r\n');
  const crlf = !bareNewline && text.endsWith('\r\n', start);
  return crlf ? 2 : Math.min(start, 1);
}

function mismatchReason(text: string, lines: readonly PlacedLine[]): string {
  const last = lines.at(-1);
  if (last === undefined || last.end !== text.length) return 'text follows the seal';
  if (!last.line.intact) return 'the seal itself was changed';
  if (!text.endsWith('\n')) return 'the seal has lost its newline';
  return 'the text before the seal was changed';
}

/** The newline style at the end of a text: that of its last line break, `\n` where there is none. */
function newlineOf(text: string): '\n' | '\r\n' {
  const last = text.lastIndexOf('\n');
  return last > 0 && text[last - 1] === '\r' ? '\r\n' : '\n';
}

function claimsOf({ sequence, epoch }: SealClaim, newlineAdded: boolean): string {
  return `${PREFIX}1 sequence=${sequence} epoch=${epoch}${newlineAdded ? ' newline=added' : ''}`;
}

function crcHex(text: string): string {
  return crc32(new TextEncoder().encode(text)).toString(16).padStart(8, '0');
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // fatal: invalid UTF-8 is the only way that decoding fails
  }
}

function checkCounter(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > MAX_COUNTER) {
    throw new RangeError(`${what} ${String(value)} is not an integer from 0 to 2^48`);
  }
}
