/**
 * The seal: the end of a published checkpoint, YAML comments that carry its sequence number, its
 * artifacts and the SHA-256 of all bytes before the last line. Owns how a text gains, proves and loses
 * it, byte for byte. Ruled by `docs/format.md`, "The seal line".
 */
import {
  ARTIFACT_PREFIX,
  type ArtifactRecord,
  artifactLine,
  MAX_ARTIFACT_LINE_BYTES,
  MAX_ARTIFACTS,
  readArtifactLine,
} from './artifact-lines.js';
import { isWellFormed, sha256Hex, sha256OfStart, sha256OfText } from './bytes.js';
import {
  claimOfLine,
  MAX_SEAL_LINE_BYTES,
  readLastSealLine,
  readSealLine,
  SEAL_PREFIX,
  SEAL_TAIL_BYTES,
  type SealClaim,
  type SealLine,
  sealLine,
} from './seal-line.js';
import { decodeUtf8, findInvalidUtf8, lazyUtf8 } from './utf8.js';

/** What a file is sealed with. */
export interface SealInput extends SealClaim {
  /** The artifacts that belong to the text, in this order; none by default. */
  readonly artifacts?: readonly ArtifactRecord[];
}

/**
 * What a checkpoint file is, judged by itself. `text` never holds a seal line or an artifact line of
 * this version, except those that the sealed text itself held.
 *
 * - `sealed`: exactly what was published. `text` is the user's, byte for byte as it was given.
 * - `mismatch`: sealed once and changed since, by an edit or by damage; which, can't be told from the
 *   file. `claimIntact`: the claim is as it was written; otherwise it is not to be relied on. The
 *   `artifacts` are those whose lines can be read; nothing vouches for them.
 * - `unsealed`: no seal anywhere. With `remnant`, a line starts as one of a seal does: the file was ours
 *   and was cut off or damaged there; what can't be read of it stays in `text`. Without, it was never
 *   saved by this package, or has lost its last lines as a whole.
 * - `unsupportedVersion`: sealed by a later version; `text` is the whole file.
 * - `notText`: not valid UTF-8 from byte `offset` on.
 */
export type SealReading =
  | (SealClaim & {
      readonly kind: 'sealed';
      readonly text: string;
      readonly artifacts: readonly ArtifactRecord[];
    })
  | (SealClaim & {
      readonly kind: 'mismatch';
      readonly claimIntact: boolean;
      readonly text: string;
      readonly artifacts: readonly ArtifactRecord[];
      readonly reason: string;
    })
  | { readonly kind: 'unsealed'; readonly text: string; readonly remnant?: true }
  | { readonly kind: 'unsupportedVersion'; readonly version: number; readonly text: string }
  | { readonly kind: 'notText'; readonly offset: number };

/** A line of a seal in a text: from `start` up to `end`, its line break included. */
type PlacedLine = { readonly start: number; readonly end: number } & (
  | { readonly seal: SealLine }
  | { readonly artifact: ArtifactRecord }
);

/** How every line of a seal begins. */
const PREFIX = '# checkpoint-wal: ';
/** A cut-off last line counts as a seal's from here on: `# checkp`. A user's own comment is not that. */
const SHORTEST_REMNANT = 8;
const SHA256_PLACEHOLDER = '0'.repeat(64);
/** Most bytes that a seal with all its lines adds to a text. */
export const MAX_SEAL_BYTES = MAX_ARTIFACTS * MAX_ARTIFACT_LINE_BYTES + MAX_SEAL_LINE_BYTES + 2;

/**
 * The bytes to publish for `text`: the text, a newline where it ends without one, a line for each
 * artifact and the seal line, in the newline style of the text's last line break. {@link readSeal}
 * returns the text exactly.
 * @throws TypeError where the text is no string or holds half a surrogate pair; RangeError where it is
 * empty (an empty checkpoint is damage, never a state); either for a field that a line can't carry
 */
export function sealText(text: string, input: SealInput): Uint8Array {
  return fillInPlace(openText(text, input));
}

/**
 * The bytes of a text with a seal that is still open. Encoded once, with room for the digest: no second copy
 * of the text.
 * @throws TypeError or RangeError as {@link sealText} does
 */
export function openText(text: string, input: SealInput): Uint8Array {
  checkText(text);
  return new TextEncoder().encode(text + openTail(endingOf(text), input));
}

/**
 * The bytes of a text that is to be sealed, without its seal.
 * @throws TypeError or RangeError as {@link sealText} does
 */
export function encodeText(text: string): Uint8Array {
  checkText(text);
  return new TextEncoder().encode(text);
}

function checkText(text: string): void {
  if (typeof text !== 'string') throw new TypeError('the text to seal is not a string');
  if (text === '') throw new RangeError('an empty text is never sealed');
  if (!isWellFormed(text)) throw new TypeError('the text to seal holds half a surrogate pair');
}

/** How a text ends, as far as its seal is concerned. */
export interface TextEnding {
  /** Style of its last line break; `\n` where it has none. */
  readonly newline: '\n' | '\r\n';
  /** Whether it ends in a line break. */
  readonly isWhole: boolean;
}

/** How a text ends. */
export function endingOf(text: string): TextEnding {
  return { newline: newlineOf(text), isWhole: text.endsWith('\n') };
}

/**
 * What follows a text when it is sealed, its digest still zeros: {@link fillSeal} fills it in once all
 * bytes are at hand.
 * @throws TypeError or RangeError as {@link sealText} does
 */
export function openSeal(ending: TextEnding, input: SealInput): Uint8Array {
  return new TextEncoder().encode(openTail(ending, input));
}

/** Fills in, in place, the digest of the last line where that is an open seal; returns the bytes. */
export function fillSeal(bytes: Uint8Array): Uint8Array {
  const last = readLastSealLine(bytes.subarray(Math.max(0, bytes.length - SEAL_TAIL_BYTES)));
  return last?.line.sha256 === SHA256_PLACEHOLDER ? fillInPlace(bytes) : bytes;
}

/** SHA-256 of a file, 64 lower-case hex digits each. */
export interface FileDigests {
  /** Of all its bytes. */
  readonly whole: string;
  /** Of all before its last line: what a seal there vouches for. */
  readonly covered: string;
}

/** Both digests of a file, in one walk over its bytes. */
export function digestsOf(bytes: Uint8Array): FileDigests {
  const { start, whole } = sha256OfStart(bytes, lastLineStart(bytes));
  return { whole, covered: start };
}

function lastLineStart(bytes: Uint8Array): number {
  return bytes.length < 2 ? 0 : bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
}

function openTail(
  { newline, isWhole }: TextEnding,
  { artifacts = [], ...claim }: SealInput,
): string {
  if (artifacts.length > MAX_ARTIFACTS) {
    throw new RangeError(`${artifacts.length} artifacts; at most ${MAX_ARTIFACTS} are recorded`);
  }
  const lines = artifacts.map((artifact) => `${artifactLine(artifact)}${newline}`).join('');
  const newlineAdded = !isWhole;
  const rest = { artifactCount: artifacts.length, newlineAdded, sha256: SHA256_PLACEHOLDER };
  return `${isWhole ? '' : newline}${lines}${sealLine(claim, rest)}${newline}`;
}

/** Writes the digest of all bytes before the last line into that line, which must be an open seal. */
function fillInPlace(bytes: Uint8Array): Uint8Array {
  putDigest(bytes, sha256Hex(bytes.subarray(0, lastLineStart(bytes))));
  return bytes;
}

function putDigest(bytes: Uint8Array, digest: string): void {
  const digestEnd = bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1);
  new TextEncoder().encodeInto(digest, bytes.subarray(digestEnd - digest.length, digestEnd));
}

/** As {@link fillSeal}, of bytes that end in an open seal. @returns the SHA-256 of all bytes, 64 hex digits */
export function fillOpenSeal(bytes: Uint8Array): string {
  const put = (digest: string) => putDigest(bytes, digest);
  return sha256OfStart(bytes, lastLineStart(bytes), put).whole;
}

/**
 * Judges a checkpoint file by its seal. Never throws; linear time. The text of a file that is sealed is
 * decoded when it is first asked for: its bytes must not change any more.
 * @param covered what {@link digestsOf} these bytes says, where that was asked for already
 */
export function readSeal(bytes: Uint8Array, covered?: string): SealReading {
  const sealed = readSealed(bytes, covered);
  if (sealed !== undefined) return sealed;
  const text = decodeUtf8(bytes);
  if (text === undefined) return { kind: 'notText', offset: findInvalidUtf8(bytes) };
  const { lines, unsupported } = findLines(text);
  if (unsupported !== undefined) return { kind: 'unsupportedVersion', version: unsupported, text };
  const claim = strongestClaim(lines);
  const user = withoutLines(text, lines);
  if (claim === undefined) {
    return { kind: 'unsealed', text: user, ...(hasRemnant(text) ? { remnant: true } : {}) };
  }
  return {
    kind: 'mismatch',
    ...claimOfLine(claim),
    claimIntact: claim.intact,
    text: user,
    artifacts: artifactsIn(lines),
    reason: mismatchReason(text, lines),
  };
}

/**
 * The text without any line that is of a seal of this version, wherever it stands: for text that
 * somebody copied from a sealed file. Text without one is returned as it is.
 */
export function removeSealLines(text: string): string {
  return withoutLines(text, findLines(text).lines);
}

/** The reading of a file whose last line is a seal that proves all bytes before it. */
function readSealed(bytes: Uint8Array, known: string | undefined): SealReading | undefined {
  const tailStart = Math.max(0, bytes.length - SEAL_TAIL_BYTES);
  const last = readLastSealLine(bytes.subarray(tailStart));
  if (last === undefined) return undefined;
  const { line, newline } = last;
  const covered = bytes.subarray(0, tailStart + last.start);
  if ((known ?? sha256Hex(covered)) !== line.sha256) return undefined;
  const found = takeArtifacts(covered, line.artifactCount, newline);
  if (found === undefined) return undefined;
  const body = covered.subarray(0, found.start);
  if (line.newlineAdded && !endsWithAscii(body, newline)) return undefined;
  const text = lazyUtf8(line.newlineAdded ? body.subarray(0, body.length - newline.length) : body);
  if (text === undefined) return undefined; // reported as not text, with the offset
  const reading = {
    kind: 'sealed',
    ...claimOfLine(line),
    get text() {
      return text();
    },
    artifacts: found.artifacts,
  } as const;
  const coversTextOnly = line.artifactCount === 0 && !line.newlineAdded;
  if (coversTextOnly) textDigests.set(reading, line.sha256);
  return reading;
}

/** Of readings whose seal covers the text and nothing else: its digest, which was verified. */
const textDigests = new WeakMap<object, string>();

/** SHA-256 of the text that a reading holds; `undefined` for what is no text. */
export function textDigestOf(reading: SealReading): string | undefined {
  if (!('text' in reading)) return undefined;
  return textDigests.get(reading) ?? sha256OfText(reading.text);
}

/** The last `count` lines, all of them artifact lines, and where the first begins. */
function takeArtifacts(
  bytes: Uint8Array,
  count: number,
  newline: string,
): { readonly artifacts: ArtifactRecord[]; readonly start: number } | undefined {
  const artifacts: ArtifactRecord[] = [];
  let end = bytes.length;
  while (artifacts.length < count) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(0x0a, end - 2) + 1;
    const line = bytes.subarray(start, end);
    if (line.length > MAX_ARTIFACT_LINE_BYTES || !endsWithAscii(line, newline)) return undefined;
    const text = decodeUtf8(line.subarray(0, line.length - newline.length));
    const artifact = text === undefined ? undefined : readArtifactLine(text);
    if (artifact === undefined) return undefined;
    artifacts.push(artifact);
    end = start;
  }
  return { artifacts: artifacts.reverse(), start: end };
}

/** Every whole line of a seal, in order, and the newest later version that one claims. */
function findLines(text: string): {
  readonly lines: readonly PlacedLine[];
  readonly unsupported: number | undefined;
} {
  const lines: PlacedLine[] = [];
  let unsupported: number | undefined;
  for (let start = text.indexOf(PREFIX); start !== -1; start = text.indexOf(PREFIX, start + 1)) {
    if (start > 0 && text[start - 1] !== '\n') continue;
    const newlineAt = text.indexOf('\n', start);
    const end = newlineAt === -1 ? text.length : newlineAt + 1;
    const line = text.slice(start, end).replace(/\r?\n$|\r$/, '');
    const artifact = readArtifactLine(line);
    if (artifact !== undefined) lines.push({ artifact, start, end });
    const seal = readSealLine(line);
    if (seal === undefined) continue;
    if ('unsupported' in seal) unsupported = Math.max(unsupported ?? 0, seal.unsupported);
    else lines.push({ seal, start, end });
  }
  return { lines, unsupported };
}

/** Whether a line starts as one of a seal does, or the text ends in the middle of such a start. */
function hasRemnant(text: string): boolean {
  const lastLine = text.slice(text.lastIndexOf('\n') + 1);
  return [SEAL_PREFIX, ARTIFACT_PREFIX].some(
    (prefix) =>
      text.startsWith(prefix) ||
      text.includes(`\n${prefix}`) ||
      (lastLine.length >= SHORTEST_REMNANT && prefix.startsWith(lastLine)),
  );
}

function endsWithAscii(bytes: Uint8Array, ending: string): boolean {
  const start = bytes.length - ending.length;
  if (start < 0) return false;
  return [...ending].every((character, index) => bytes[start + index] === character.charCodeAt(0));
}

/** The claim of the highest sequence; one that is intact goes before any that is not. */
function strongestClaim(lines: readonly PlacedLine[]): SealLine | undefined {
  let best: SealLine | undefined;
  for (const line of lines) {
    if (!('seal' in line)) continue;
    const { seal } = line;
    const better =
      best === undefined ||
      (seal.intact === best.intact ? seal.sequence > best.sequence : seal.intact);
    if (better) best = seal;
  }
  return best;
}

/** Each artifact once; of two lines for one path the later counts. */
function artifactsIn(lines: readonly PlacedLine[]): ArtifactRecord[] {
  const byPath = new Map<string, ArtifactRecord>();
  for (const line of lines) {
    if ('artifact' in line) byPath.set(line.artifact.path, line.artifact);
  }
  return [...byPath.values()].slice(0, MAX_ARTIFACTS);
}

function withoutLines(text: string, lines: readonly PlacedLine[]): string {
  const added = addedNewline(text, lines);
  const kept: string[] = [];
  let from = 0;
  for (const { start, end } of lines) {
    kept.push(text.slice(from, start === added.end ? added.start : start));
    from = end;
  }
  kept.push(text.slice(from));
  return kept.join('');
}

/**
 * Where the line break is that was added with the seal, before the artifact lines if there are any.
 * Once text was appended after the seal, that line break is the user's.
 */
function addedNewline(
  text: string,
  lines: readonly PlacedLine[],
): { readonly start: number; readonly end: number } {
  const last = lines.at(-1);
  if (last === undefined || !('seal' in last)) return { start: 0, end: 0 };
  if (!last.seal.newlineAdded || last.end !== text.length) return { start: 0, end: 0 };
  let end = last.start;
  for (const line of lines.slice(0, -1).reverse()) {
    if (!('artifact' in line) || line.end !== end) break;
    end = line.start;
  }
  const bareNewline = text.endsWith('\n') && !text.endsWith('\r\n');
  const crlf = !bareNewline && text.endsWith('\r\n', end);
  return { start: end - (crlf ? 2 : Math.min(end, 1)), end };
}

function mismatchReason(text: string, lines: readonly PlacedLine[]): string {
  const last = lines.at(-1);
  if (last === undefined || last.end !== text.length) return 'text follows the seal';
  if (!('seal' in last)) return 'lines of another seal follow the seal';
  if (!last.seal.intact) return 'the seal itself was changed';
  if (!text.endsWith('\n')) return 'the seal has lost its newline';
  return 'the text before the seal was changed';
}

/** The newline style at the end of a text: that of its last line break, `\n` where there is none. */
function newlineOf(text: string): '\n' | '\r\n' {
  const last = text.lastIndexOf('\n');
  return last > 0 && text[last - 1] === '\r' ? '\r\n' : '\n';
}
