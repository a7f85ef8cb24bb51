/**
 * Reads one save of a log: intent, data, seal, image. Assumes that everything before it verified; owns
 * the conditions under which a save counts as sealed. Ruled by `docs/format.md`, "Validity".
 */
import { equalBytes, isZero, joined } from './bytes.js';
import { decodeSplices } from './image-splice.js';
import { PartedImage } from './parted-image.js';
import { digestsOf } from './seal.js';
import {
  DATA_CHUNK_BYTES,
  FRAME_TYPE,
  type IntentRecord,
  MAX_SPLICED_WORK,
  SEAL_FRAME_BYTES,
  SEAL_PAYLOAD_BYTES,
} from './wal-format.js';
import { type FrameReading, readFrame } from './wal-frame.js';
import {
  type DecodedIntent,
  decodeIntent,
  MAX_INTENT_BYTES,
  successionProblem,
} from './wal-intent.js';
import type { SealedSave, WalProblem } from './wal-scan.js';
import { decodeSeal, type SealRecord, secondSealOffset } from './wal-seal-record.js';

/** Where reading stands between two saves, and what verified so far. */
export interface LogPosition {
  readonly offset: number;
  /** Checksum of the last frame (of the header, before the first): seed of the next. */
  readonly chain: number;
  readonly lastIntent: IntentRecord | undefined;
  readonly image: PartedImage;
  /** SHA-256 of the image before its last line; `undefined` of one that splices made. */
  readonly covered: string | undefined;
  /** What the splices since the newest whole image have asked for. */
  readonly work: number;
}

/**
 * Why reading stopped. `end`: nothing more is there; `broken`: bytes that don't verify; `impossible`:
 * bytes that verify and say what no writer writes.
 */
export interface ReadingStop extends WalProblem {
  readonly kind: 'stop';
  readonly cause: 'end' | 'broken' | 'impossible';
  /** Whether it stopped before the save's first byte. */
  readonly betweenSaves: boolean;
  /** The save's intent, where that much verified. */
  readonly intent?: IntentRecord;
}

/** A sealed save, or why there is none. */
export type SaveReading =
  | {
      readonly kind: 'save';
      readonly save: SealedSave;
      readonly next: LogPosition;
      readonly findings: readonly WalProblem[];
    }
  | ReadingStop;

interface DataReading {
  readonly kind: 'data';
  readonly chunks: readonly Uint8Array[];
  readonly offset: number;
  readonly chain: number;
}

interface SealReading {
  readonly kind: 'seal';
  readonly chain: number;
  readonly endOffset: number;
  readonly findings: readonly WalProblem[];
}

/** Reads the save that starts at `position`. Never throws; linear in the bytes that the save declares. */
export function readSave(bytes: Uint8Array, position: LogPosition, salt: Uint8Array): SaveReading {
  const frame = readFrame(bytes, position.offset, position.chain, MAX_INTENT_BYTES);
  const opened = readIntent(frame, position);
  if (opened.kind === 'stop') return opened;
  const { record, dataLength } = opened.intent;
  const data = readData(bytes, opened.end, opened.chain, dataLength);
  if (data.kind === 'stop') return { ...data, intent: record };
  const { sha256 } = record.afterImage;
  const expected = {
    sequence: record.sequence,
    salt,
    intentOffset: position.offset,
    dataLength,
    sha256,
  };
  const seal = readSeals(bytes, data, expected);
  if (seal.kind === 'stop') return { ...seal, intent: record };
  const built = buildImage(data.chunks, opened.intent, position);
  if (typeof built === 'string') {
    return { ...stop('impossible', opened.end, built), intent: record };
  }
  return {
    kind: 'save',
    save: {
      intent: record,
      dataLength,
      offset: position.offset,
      sealOffset: data.offset,
      endOffset: seal.endOffset,
    },
    next: {
      offset: seal.endOffset,
      chain: seal.chain,
      lastIntent: record,
      ...built,
    },
    findings: seal.findings,
  };
}

function readIntent(
  frame: FrameReading,
  position: LogPosition,
):
  | {
      readonly kind: 'intent';
      readonly intent: DecodedIntent;
      readonly end: number;
      readonly chain: number;
    }
  | ReadingStop {
  const { offset } = position;
  if (frame.kind !== 'frame') {
    return {
      ...stop(frame.kind, offset, `${frame.reason} where an intent could be`),
      betweenSaves: true,
    };
  }
  if (frame.type !== FRAME_TYPE.intent) {
    return stop('impossible', offset, `a frame of type ${frame.type} where an intent belongs`);
  }
  const intent = decodeIntent(frame.payload);
  if (typeof intent === 'string') return stop('impossible', offset, intent);
  const problem = successionProblem(intent.record, position.lastIntent);
  if (problem !== undefined) return stop('impossible', offset, problem);
  return { kind: 'intent', intent, end: frame.end, chain: frame.checksum };
}

/** Reads data frames until `dataLength` bytes are there. A length too large just meets the end of the log. */
function readData(
  bytes: Uint8Array,
  start: number,
  seed: number,
  dataLength: number,
): DataReading | ReadingStop {
  const chunks: Uint8Array[] = [];
  let offset = start;
  let chain = seed;
  for (let missing = dataLength; missing > 0; missing -= Math.min(missing, DATA_CHUNK_BYTES)) {
    const expected = Math.min(missing, DATA_CHUNK_BYTES);
    const frame = readFrame(bytes, offset, chain, DATA_CHUNK_BYTES);
    if (frame.kind !== 'frame') {
      return stop(frame.kind, offset, `${frame.reason} where data belongs`);
    }
    if (frame.type !== FRAME_TYPE.data || frame.payload.length !== expected) {
      const found = `a frame of type ${frame.type} with ${frame.payload.length} bytes`;
      return stop('impossible', offset, `${found} where ${expected} bytes of data belong`);
    }
    chunks.push(frame.payload);
    offset = frame.end;
    chain = frame.checksum;
  }
  return { kind: 'data', chunks, offset, chain };
}

/** Reads both copies of the seal; one good one is enough. */
function readSeals(
  bytes: Uint8Array,
  data: DataReading,
  expected: SealRecord,
): SealReading | ReadingStop {
  const firstAt = data.offset;
  const secondAt = secondSealOffset(firstAt);
  const first = readSealCopy(bytes, firstAt, data.chain, expected);
  const second = readSealCopy(bytes, secondAt, data.chain, expected);
  for (const copy of [first, second]) {
    if (copy.kind === 'impossible') return stop('impossible', copy.offset, copy.reason);
  }
  const good = first.kind === 'good' ? first : second;
  if (good.kind !== 'good') {
    const cause = first.kind === 'end' ? 'end' : 'broken';
    return stop(cause, firstAt, `${'reason' in first ? first.reason : ''} where a seal belongs`);
  }
  const findings: WalProblem[] = [];
  if (first.kind !== 'good') findings.push(copyFinding('first', first));
  if (second.kind !== 'good') findings.push(copyFinding('second', second));
  if (!isZero(bytes, firstAt + SEAL_FRAME_BYTES, secondAt)) {
    findings.push({
      offset: firstAt + SEAL_FRAME_BYTES,
      reason: 'bytes between the seals are not zero',
    });
  }
  return { kind: 'seal', chain: good.chain, endOffset: secondAt + SEAL_FRAME_BYTES, findings };
}

type SealCopy =
  | { readonly kind: 'good'; readonly chain: number }
  | (WalProblem & { readonly kind: 'end' | 'broken' | 'impossible' });

function readSealCopy(
  bytes: Uint8Array,
  offset: number,
  seed: number,
  expected: SealRecord,
): SealCopy {
  const frame = readFrame(bytes, offset, seed, SEAL_PAYLOAD_BYTES);
  if (frame.kind !== 'frame') return { ...frame, offset };
  if (frame.type !== FRAME_TYPE.seal) {
    return {
      kind: 'impossible',
      offset,
      reason: `a frame of type ${frame.type} where a seal belongs`,
    };
  }
  const seal = decodeSeal(frame.payload);
  if (typeof seal === 'string') return { kind: 'impossible', offset, reason: seal };
  const same =
    seal.sequence === expected.sequence &&
    seal.intentOffset === expected.intentOffset &&
    seal.dataLength === expected.dataLength &&
    seal.sha256 === expected.sha256 &&
    equalBytes(seal.salt, expected.salt);
  if (!same)
    return { kind: 'impossible', offset, reason: 'the seal is not that of the save before it' };
  return { kind: 'good', chain: frame.checksum };
}

function copyFinding(which: string, copy: WalProblem): WalProblem {
  return { offset: copy.offset, reason: `${which} copy of the seal: ${copy.reason}` };
}

/** The after-image, checked against the intent's size and SHA-256, or what is wrong with it. */
function buildImage(
  chunks: readonly Uint8Array[],
  { record }: DecodedIntent,
  { image: previous, work }: LogPosition,
): Pick<LogPosition, 'image' | 'covered' | 'work'> | string {
  const { size, sha256 } = record.afterImage;
  const encoded = joined(chunks);
  if (record.encoding === 'whole') {
    const { whole, covered } = digestsOf(encoded);
    if (whole === sha256) return { image: PartedImage.of(encoded), covered, work: 0 };
    return 'the SHA-256 of the image does not match';
  }
  const edit = decodeSplices(encoded, previous.size);
  if (typeof edit === 'string') return edit;
  if (edit.resultSize !== size) {
    return 'the splices do not make an image of the size in the intent';
  }
  const image = previous.splice(edit.splices);
  const sum = work + image.work;
  if (sum > MAX_SPLICED_WORK) return 'the splices ask for too much work';
  if (image.digest.sha256 === sha256) return { image, covered: undefined, work: sum };
  return 'the SHA-256 of the image does not match';
}

function stop(cause: ReadingStop['cause'], offset: number, reason: string): ReadingStop {
  return { kind: 'stop', cause, offset, reason, betweenSaves: false };
}
