/**
 * Reads a log of any bytes and says what it is. Assumes nothing about them: it never throws, never
 * reads past a declared length, allocates nothing by an unchecked one, and takes linear time. What it
 * calls sealed, torn or damaged is ruled by `docs/format.md`, "Reading a log".
 */
import type { IntentRecord, WalHeader } from './wal-format.js';
import { WAL_HEADER_BYTES } from './wal-format.js';
import { type HeaderReading, readHeader } from './wal-header.js';
import { type LogPosition, type ReadingStop, readSave } from './wal-save-reader.js';
import type { ScanOptions, SealedSave, WalProblem, WalScan, WalTail } from './wal-scan.js';
import { findSeals } from './wal-seal-record.js';

interface SavesReading {
  readonly saves: readonly SealedSave[];
  readonly image: Uint8Array;
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
  return damageOf(bytes, header, log) ?? foreignness(log, options) ?? verdict(header, log);
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
    image: new Uint8Array(0),
    splicedInARow: 0,
  };
  for (;;) {
    const reading = readSave(bytes, position, header.salt);
    if (reading.kind === 'stop') return { saves, image: position.image, findings, stop: reading };
    saves.push(reading.save);
    findings.push(...reading.findings);
    position = reading.next;
  }
}

function damageOf(bytes: Uint8Array, header: WalHeader, log: SavesReading): WalScan | undefined {
  const { stop } = log;
  // At an end nothing follows, not even zeros to search.
  const seals = stop.cause === 'end' ? undefined : findSeals(bytes, stop.offset, header.salt);
  if (seals === undefined && stop.cause !== 'impossible') return undefined;
  const lastSealed = log.saves.at(-1)?.intent.sequence;
  const newest = Math.max(seals?.sequence ?? -1, lastSealed ?? -1);
  return damaged(stop, header, newest < 0 ? undefined : newest);
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

function verdict(header: WalHeader, log: SavesReading): WalScan {
  const { saves, image, findings, stop } = log;
  const last = saves.at(-1);
  if (last !== undefined) {
    return { kind: 'sealed', header, saves, last, image, tail: tailOf(stop), findings };
  }
  const problem = { offset: stop.offset, reason: stop.reason, ...intentOf(stop) };
  if (stop.cause === 'end') return { kind: 'unsealed', header, saves: [], ...problem };
  return { kind: 'torn', header, ...problem };
}

function tailOf(stop: ReadingStop): WalTail {
  const { offset, reason } = stop;
  if (stop.cause === 'end' && stop.betweenSaves) return { kind: 'clean' };
  return { kind: stop.cause === 'end' ? 'unsealed' : 'torn', offset, reason, ...intentOf(stop) };
}

function intentOf(stop: ReadingStop): { readonly intent?: IntentRecord } {
  return stop.intent === undefined ? {} : { intent: stop.intent };
}
