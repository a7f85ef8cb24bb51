/**
 * Reads a log of any bytes and says what it is. Assumes nothing about them: it never throws, never
 * reads past a declared length, allocates nothing by an unchecked one, and takes linear time. What it
 * calls sealed, torn or damaged is ruled by `docs/format.md`, "Reading a log".
 */
import { PartedImage } from './parted-image.js';
import { fillSeal } from './seal.js';
import type { IntentRecord, WalHeader } from './wal-format.js';
import { WAL_HEADER_BYTES } from './wal-format.js';
import { type HeaderReading, readHeader } from './wal-header.js';
import { type LogPosition, type ReadingStop, readSave } from './wal-save-reader.js';
import type { ScanOptions, SealedSave, WalProblem, WalScan, WalTail } from './wal-scan.js';
import { findSeals } from './wal-seal-record.js';

interface SavesReading {
  readonly saves: readonly SealedSave[];
  readonly image: PartedImage;
  readonly covered: string | undefined;
  readonly findings: readonly WalProblem[];
  readonly stop: ReadingStop;
}

/**
 * Says what a log is; see {@link WalScan}. A pure function of its arguments.
 *
 * Damage is never taken for the end of the log: where bytes stop verifying, the rest is searched for a
 * seal of this log, and one found there makes the log `damaged`, whatever else it holds.
 * @param bytes the whole file, or `undefined` where there is none.
 */
export function scanWal(bytes: Uint8Array | undefined, options: ScanOptions = {}): WalScan {
  if (bytes === undefined) return { kind: 'absent' };
  const reading = readHeader(bytes);
  if (reading.kind === 'unsupportedVersion') return reading;
  if (reading.kind !== 'header') return withoutHeader(bytes, reading);
  const { header } = reading;
  const log = readSaves(bytes, header, reading.checksum);
  const damage = damageOf(bytes, header, log);
  if (damage !== undefined && log.saves.length === 0) {
    return damaged(damage, header, damage.sealedSequence);
  }
  return foreignness(log, options) ?? verdict(header, log, damage);
}

/** Nothing can be chained to a broken header; but a seal anywhere proves that a save was promised. */
function withoutHeader(
  bytes: Uint8Array,
  reading: Exclude<HeaderReading, { kind: 'header' | 'unsupportedVersion' }>,
): WalScan {
  const { offset, reason } = reading;
  const seals = findSeals(bytes, 0, undefined);
  if (seals === undefined && reading.kind === 'broken') return { kind: 'torn', offset, reason };
  return damaged({ offset, reason }, undefined, seals?.sequence);
}

function readSaves(bytes: Uint8Array, header: WalHeader, checksum: number): SavesReading {
  const saves: SealedSave[] = [];
  const findings: WalProblem[] = [];
  let position: LogPosition = {
    offset: WAL_HEADER_BYTES,
    chain: checksum,
    lastIntent: undefined,
    image: PartedImage.of(new Uint8Array(0)),
    covered: undefined,
    work: 0,
  };
  for (;;) {
    const reading = readSave(bytes, position, header.salt);
    if (reading.kind === 'stop') {
      const { image, covered } = position;
      return { saves, image, covered, findings, stop: reading };
    }
    saves.push(reading.save);
    findings.push(...reading.findings);
    position = reading.next;
  }
}

/** What lies where reading stopped, if it can't be a save that was only begun. */
function damageOf(
  bytes: Uint8Array,
  header: WalHeader,
  { stop }: SavesReading,
): Extract<WalTail, { kind: 'damaged' }> | undefined {
  // At an end nothing follows, not even zeros to search.
  const seals = stop.cause === 'end' ? undefined : findSeals(bytes, stop.offset, header.salt);
  if (seals === undefined && stop.cause !== 'impossible') return undefined;
  const sealedSequence = seals?.sequence;
  const { offset, reason } = stop;
  return {
    kind: 'damaged',
    offset,
    reason,
    ...(sealedSequence !== undefined && { sealedSequence }),
  };
}

function damaged(
  { offset, reason }: WalProblem,
  header: WalHeader | undefined,
  sealedSequence: number | undefined,
): WalScan {
  return {
    kind: 'damaged',
    offset,
    reason,
    ...(header === undefined ? {} : { header }),
    ...(sealedSequence === undefined ? {} : { sealedSequence }),
  };
}

function foreignness(log: SavesReading, { target: expected }: ScanOptions): WalScan | undefined {
  const intent = log.stop.intent ?? log.saves.at(-1)?.intent;
  if (expected === undefined || intent === undefined || intent.target === expected)
    return undefined;
  const { target, sequence } = intent;
  return { kind: 'foreignTarget', target, expected, sequence, sealed: log.saves.length > 0 };
}

function verdict(
  header: WalHeader,
  log: SavesReading,
  damage: Extract<WalTail, { kind: 'damaged' }> | undefined,
): WalScan {
  const { saves, covered, findings, stop } = log;
  const last = saves.at(-1);
  if (last !== undefined) {
    const image = imageOf(log, last);
    const tail = damage ?? tailOf(stop);
    return { kind: 'sealed', header, saves, last, image, covered, tail, findings };
  }
  const problem = { offset: stop.offset, reason: stop.reason, ...intentOf(stop) };
  if (stop.cause === 'end') return { kind: 'unsealed', header, saves: [], ...problem };
  return { kind: 'torn', header, ...problem };
}

/** What the newest save publishes. Splices leave the digest in the seal line open: it is filled in here. */
function imageOf({ image }: SavesReading, { intent }: SealedSave): Uint8Array {
  return intent.encoding === 'whole' ? image.bytes() : fillSeal(image.copy());
}

function tailOf(stop: ReadingStop): WalTail {
  const { offset, reason } = stop;
  if (stop.cause === 'end' && stop.betweenSaves) return { kind: 'clean' };
  return { kind: stop.cause === 'end' ? 'unsealed' : 'torn', offset, reason, ...intentOf(stop) };
}

function intentOf(stop: ReadingStop): { readonly intent?: IntentRecord } {
  return stop.intent === undefined ? {} : { intent: stop.intent };
}
