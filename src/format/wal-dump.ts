/**
 * Lists what a log holds, record by record, for people to read: also of a damaged or half-written one.
 * Decides nothing; whether a log is sealed is `scanWal`'s to say. Never throws; linear time. Ruled by
 * `docs/format.md`.
 */
import { isZero, toHex } from './bytes.js';
import {
  FRAME_ALIGNMENT,
  FRAME_HEADER_BYTES,
  FRAME_TYPE,
  type IntentRecord,
  SEAL_PAYLOAD_BYTES,
  WAL_HEADER_BYTES,
} from './wal-format.js';
import { type FrameOutline, frameVerifies, outlineFrame } from './wal-frame.js';
import { readHeader } from './wal-header.js';
import { decodeIntent } from './wal-intent.js';
import { decodeSeal, findSeals } from './wal-seal-record.js';

/** One record of a log, or a stretch of bytes that is none. */
export interface WalDumpRecord {
  /** `zeros`: only zeros; `unknown`: bytes that nothing was recognised in, of a known or another version. */
  readonly type: 'header' | 'intent' | 'data' | 'seal' | 'zeros' | 'unknown';
  /** Bytes from the start of the log. */
  readonly offset: number;
  /** Bytes, padding included; never reaches past the end of the log. */
  readonly length: number;
  /** `unknown`: what the checksum chains from is lost; `none`: such bytes carry no checksum. */
  readonly checksum: 'ok' | 'bad' | 'unknown' | 'none';
  /** What the record says, decoded as far as it can be, by field name. Not to be trusted unless `ok`. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** What is wrong with the record, in words. */
  readonly problem?: string;
}

type Fields = WalDumpRecord['fields'];

/** Records of a log of any bytes, in order; together they cover every byte. Empty for an empty log. */
export function dumpWal(bytes: Uint8Array): readonly WalDumpRecord[] {
  if (bytes.length === 0) return [];
  const reading = readHeader(bytes);
  if (reading.kind === 'unsupportedVersion') {
    const fields = { version: reading.version };
    const problem = `version ${reading.version} is not known here`;
    return [{ type: 'header', offset: 0, length: bytes.length, checksum: 'ok', fields, problem }];
  }
  const records: WalDumpRecord[] = [];
  let chain: number | undefined;
  const length = Math.min(bytes.length, WAL_HEADER_BYTES);
  if (reading.kind === 'header') {
    const { epoch, salt, createdMs } = reading.header;
    const fields = { version: 1, epoch, salt: toHex(salt), created: isoTime(createdMs) };
    records.push({ type: 'header', offset: 0, length, checksum: 'ok', fields });
    chain = reading.checksum;
  } else {
    const checksum = reading.kind === 'broken' ? 'bad' : 'ok';
    records.push({
      type: 'header',
      offset: 0,
      length,
      checksum,
      fields: {},
      problem: reading.reason,
    });
  }
  dumpFrames(bytes, chain, records);
  return records;
}

/** Walks the frames after the header; `headerChain` is unknown where the header is broken. */
function dumpFrames(
  bytes: Uint8Array,
  headerChain: number | undefined,
  records: WalDumpRecord[],
): void {
  let offset = WAL_HEADER_BYTES;
  // A seal's two copies chain from the same frame, so two checksums are carried.
  let chain = headerChain;
  let beforeSeal = headerChain;
  // Hostile frames can overlap once lengths are no longer believed; so much is checksummed, then no more.
  let budget = 4 * bytes.length;
  const zerosFrom = zeroTailStart(bytes);
  while (offset < bytes.length) {
    const outline = outlineFrame(bytes, offset);
    if (outline === undefined || outline.end > bytes.length) {
      const end = nextRecognised(bytes, offset);
      records.push(unrecognised(bytes, offset, end, outline));
      if (!isZero(bytes, offset, end)) beforeSeal = chain = undefined;
      offset = end;
      continue;
    }
    const isSeal = outline.type === FRAME_TYPE.seal;
    const seed = budget < outline.payloadLength ? undefined : isSeal ? beforeSeal : chain;
    if (seed !== undefined) budget -= outline.payloadLength;
    const record = dumpFrame(bytes, offset, outline, seed);
    const end =
      record.checksum === 'ok' ? outline.end : endOfUnverified(bytes, offset, outline, zerosFrom);
    records.push({ ...record, length: end - offset });
    if (!isSeal) beforeSeal = chain = outline.checksum;
    else if (record.checksum === 'ok') chain = outline.checksum;
    // A bad copy leaves the chain to the good one before it; with no good one the chain is lost.
    else if (chain === beforeSeal) chain = undefined;
    offset = end;
  }
}

/** Where a frame that doesn't verify ends: its length is believed only if that leads somewhere. */
function endOfUnverified(
  bytes: Uint8Array,
  offset: number,
  outline: FrameOutline,
  zerosFrom: number,
): number {
  const { end } = outline;
  const isWholeSeal =
    outline.type === FRAME_TYPE.seal && outline.payloadLength === SEAL_PAYLOAD_BYTES;
  const believed = end >= zerosFrom || isWholeSeal || outlineFrame(bytes, end) !== undefined;
  return believed ? end : nextRecognised(bytes, offset);
}

/** Where the zeros at the end of the log start; its length where it ends in something else. */
function zeroTailStart(bytes: Uint8Array): number {
  let start = bytes.length;
  while (start > 0 && bytes[start - 1] === 0) start -= 1;
  return start;
}

function dumpFrame(
  bytes: Uint8Array,
  offset: number,
  outline: FrameOutline,
  seed: number | undefined,
): WalDumpRecord {
  const payload = bytes.subarray(
    offset + FRAME_HEADER_BYTES,
    offset + FRAME_HEADER_BYTES + outline.payloadLength,
  );
  const content = describe(outline.type, payload);
  const base = { type: content.type, offset, length: outline.end - offset };
  const fields = content.fields;
  const problem = content.problem === undefined ? {} : { problem: content.problem };
  if (seed === undefined) return { ...base, checksum: 'unknown', fields, ...problem };
  if (frameVerifies(bytes, offset, outline, seed)) {
    return { ...base, checksum: 'ok', fields, ...problem };
  }
  return { ...base, checksum: 'bad', fields, problem: 'the checksum does not match' };
}

function describe(
  type: number,
  payload: Uint8Array,
): { readonly type: WalDumpRecord['type']; readonly fields: Fields; readonly problem?: string } {
  if (type === FRAME_TYPE.data) return { type: 'data', fields: { bytes: payload.length } };
  if (type === FRAME_TYPE.intent) {
    const intent = decodeIntent(payload);
    if (typeof intent === 'string') return { type: 'intent', fields: {}, problem: intent };
    return { type: 'intent', fields: intentFields(intent.record, intent.dataLength) };
  }
  if (type === FRAME_TYPE.seal) {
    const seal = decodeSeal(payload);
    if (typeof seal === 'string') return { type: 'seal', fields: {}, problem: seal };
    return { type: 'seal', fields: { ...seal, salt: toHex(seal.salt) } };
  }
  return { type: 'unknown', fields: { type }, problem: `unknown record type ${type}` };
}

function intentFields(record: IntentRecord, dataLength: number): Fields {
  const { sequence, timeMs, target, label, preImage, afterImage, encoding } = record;
  return {
    sequence,
    time: isoTime(timeMs),
    target,
    ...(label === undefined ? {} : { label }),
    encoding,
    dataLength,
    ...(preImage === undefined
      ? { preImage: 'none' }
      : { preImageSize: preImage.size, preImageSha256: preImage.sha256 }),
    afterImageSize: afterImage.size,
    afterImageSha256: afterImage.sha256,
  };
}

/** A stretch without a readable frame. */
function unrecognised(
  bytes: Uint8Array,
  offset: number,
  end: number,
  outline: FrameOutline | undefined,
): WalDumpRecord {
  const base = { offset, length: end - offset, checksum: 'none', fields: {} } as const;
  if (isZero(bytes, offset, end)) return { ...base, type: 'zeros' };
  const problem =
    outline === undefined
      ? 'no record starts here'
      : `a frame claims to end at ${outline.end}, the log ends at ${bytes.length}`;
  const holdsSeal = findSeals(bytes.subarray(0, end), offset, undefined) !== undefined;
  return {
    ...base,
    type: 'unknown',
    problem: holdsSeal ? `${problem}; a seal lies within` : problem,
  };
}

/** The next place after `offset` where a frame that fits starts; the end of the log where there is none. */
function nextRecognised(bytes: Uint8Array, offset: number): number {
  const first = offset + FRAME_ALIGNMENT - (offset % FRAME_ALIGNMENT);
  for (let at = first; at < bytes.length; at += FRAME_ALIGNMENT) {
    const outline = outlineFrame(bytes, at);
    if (outline !== undefined && outline.end <= bytes.length) return at;
  }
  return bytes.length;
}

/** ISO 8601 where a date can hold it, the bare milliseconds otherwise. */
function isoTime(timeMs: number): string | number {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? timeMs : date.toISOString();
}
