/**
 * Judging one file by itself: a checkpoint or a copy of one by its seal, a log by its checksums. Pure:
 * bytes in, verdict out; the rules are those of `docs/format.md`.
 */
import { CheckpointError } from '../errors.js';
import { readSeal } from '../format/seal.js';
import { WAL_MAGIC } from '../format/wal-format.js';
import type { WalScan } from '../format/wal-scan.js';
import { scanWal } from '../format/wal-scanner.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/**
 * What a file is.
 *
 * - `sealed`: its seal verifies; of a log: it holds a promised save
 * - `edited`: it parses and was changed since it was saved
 * - `unsealed`: it parses and has no seal; of a log: nothing in it was promised
 * - `damaged`: it does not parse; of a log: it does not verify
 * - `unsupported`: of a newer format version
 * - `unreadable`: it can't be read, or is not there
 */
export type FileVerdict =
  | 'sealed'
  | 'edited'
  | 'unsealed'
  | 'damaged'
  | 'unsupported'
  | 'unreadable';

/** The verdict on one file, with what is known beside it. */
export interface FileJudgement {
  readonly file: string;
  readonly kind: 'checkpoint' | 'log';
  readonly verdict: FileVerdict;
  /** What its seal says; not to be relied on unless the file is sealed. */
  readonly sequence?: number;
  readonly reason?: string;
  /** 1-based. */
  readonly line?: number;
  readonly column?: number;
  /** Byte offset. */
  readonly offset?: number;
}

/** The exit code that one verdict leads to. */
export function exitCodeOfVerdict(verdict: FileVerdict): ExitCode {
  switch (verdict) {
    case 'sealed':
      return EXIT.ok;
    case 'edited':
    case 'unsealed':
      return EXIT.findings;
    case 'damaged':
      return EXIT.corrupt;
    case 'unsupported':
    case 'unreadable':
      return EXIT.error;
  }
}

/** Whether bytes are a log: they begin as every log does, or are named as one. */
export function isLog(bytes: Uint8Array, file: string): boolean {
  return file.endsWith('.wal') || WAL_MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Judges a file by its bytes.
 * @param target the checkpoint file that a log must be for; absent: any
 */
export function judgeFile(bytes: Uint8Array, file: string, target?: string): FileJudgement {
  return isLog(bytes, file) ? judgeLog(bytes, file, target) : judgeCheckpoint(bytes, file);
}

function judgeCheckpoint(bytes: Uint8Array, file: string): FileJudgement {
  const base = { file, kind: 'checkpoint' } as const;
  const reading = readSeal(bytes);
  switch (reading.kind) {
    case 'sealed':
      return { ...base, verdict: 'sealed', sequence: reading.sequence };
    case 'notText': {
      const { offset } = reading;
      const reason = `byte ${offset} begins no UTF-8 character`;
      return { ...base, verdict: 'damaged', offset, reason };
    }
    case 'unsupportedVersion':
      return { ...base, verdict: 'unsupported', reason: `sealed by version ${reading.version}` };
    case 'mismatch': {
      const { sequence, reason, text } = reading;
      return damageIn(text, file) ?? { ...base, verdict: 'edited', sequence, reason };
    }
    case 'unsealed': {
      const damage = damageIn(reading.text, file);
      if (damage !== undefined) return damage;
      const remnant = reading.remnant === true;
      const reason = remnant ? 'its seal was cut or damaged' : 'it has no seal';
      return { ...base, verdict: remnant ? 'edited' : 'unsealed', reason };
    }
  }
}

function damageIn(text: string, file: string): FileJudgement | undefined {
  try {
    parseYaml(text, { file });
    return undefined;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const { line, column } = error.details;
    return {
      file,
      kind: 'checkpoint',
      verdict: 'damaged',
      reason: error.message,
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    };
  }
}

function judgeLog(bytes: Uint8Array, file: string, target: string | undefined): FileJudgement {
  const scan = scanWal(bytes, target === undefined ? {} : { target });
  const base = { file, kind: 'log', verdict: verdictOfScan(scan) } as const;
  switch (scan.kind) {
    case 'sealed':
      return { ...base, sequence: scan.last.intent.sequence, ...defectOf(scan) };
    case 'torn':
    case 'unsealed':
      return { ...base, offset: scan.offset, reason: `nothing in it was promised: ${scan.reason}` };
    case 'damaged':
      return { ...base, offset: scan.offset, reason: scan.reason };
    case 'unsupportedVersion':
      return { ...base, reason: `a log of version ${scan.version}` };
    case 'foreignTarget':
      return { ...base, reason: `a log for ${scan.target}, not for ${scan.expected}` };
    case 'absent':
      return base;
  }
}

function defectOf(scan: Extract<WalScan, { kind: 'sealed' }>) {
  const defect = scan.tail.kind === 'clean' ? scan.findings[0] : scan.tail;
  return defect && { offset: defect.offset, reason: defect.reason };
}

function verdictOfScan({ kind }: WalScan): FileVerdict {
  switch (kind) {
    case 'sealed':
      return 'sealed';
    case 'torn':
    case 'unsealed':
    case 'absent':
      return 'unsealed';
    case 'unsupportedVersion':
      return 'unsupported';
    case 'damaged':
    case 'foreignTarget':
      return 'damaged';
  }
}
