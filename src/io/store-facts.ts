/**
 * Counting what lies beside a checkpoint: history with its newest entries verified, and quarantine.
 * Reads only and needs no lock, so files may vanish while they are counted; those are left out.
 */
import type { FileSystem } from './file-system.js';
import { entryName, listSequences, readEntryFile } from './history-files.js';
import { isMissing, readError } from './io-error.js';
import { join, type StorePaths } from './store-paths.js';

/** A checkpoint in history by number and time (of its seal, else of its file), in milliseconds. */
export interface DatedEntry {
  readonly sequence: number;
  readonly timeMs: number;
}

/** What {@link countHistory} found. */
export interface HistoryCount {
  readonly entries: number;
  readonly oldest?: DatedEntry;
  readonly newest?: DatedEntry;
  /** How many of the newest were read whole. */
  readonly read: number;
  /** Those of them that do not verify, newest first, and why. */
  readonly bad: readonly { readonly sequence: number; readonly reason: string }[];
}

/**
 * Counts history and verifies the newest `readMax` entries: bounded work, however long history is.
 * @throws CheckpointError `READ_FAILED`, `TOO_LARGE`
 */
export function countHistory(
  fs: FileSystem,
  paths: StorePaths,
  readMax: number,
  maxBytes: number,
): HistoryCount {
  const sequences = listSequences(fs, paths);
  const newestFirst = sequences.slice(-readMax).reverse();
  const bad: { sequence: number; reason: string }[] = [];
  let newest: DatedEntry | undefined;
  for (const sequence of newestFirst) {
    const { reason, timeMs } = readDated(fs, paths, sequence, maxBytes);
    if (reason !== undefined) bad.push({ sequence, reason });
    if (timeMs !== undefined) newest ??= { sequence, timeMs };
  }
  const [first] = sequences;
  const firstMs = first === undefined ? undefined : readDated(fs, paths, first, maxBytes).timeMs;
  return {
    entries: sequences.length,
    ...(first !== undefined &&
      firstMs !== undefined && { oldest: { sequence: first, timeMs: firstMs } }),
    ...(newest && { newest }),
    read: newestFirst.length,
    bad,
  };
}

function readDated(
  fs: FileSystem,
  paths: StorePaths,
  sequence: number,
  maxBytes: number,
): { readonly timeMs?: number; readonly reason?: string } {
  const path = join(paths.history, entryName(sequence, paths.targetName));
  const reading = readEntryFile(fs, path, sequence, maxBytes);
  const stampedMs = fs.statLink(path)?.modifiedMs;
  const timeMs = ('text' in reading ? reading.timeMs : undefined) ?? stampedMs;
  return {
    ...(timeMs !== undefined && { timeMs }),
    ...('reason' in reading && { reason: reading.reason }),
  };
}

/** What {@link countQuarantine} found. */
export interface QuarantineCount {
  readonly files: number;
  readonly bytes: number;
  readonly newest?: { readonly name: string; readonly modifiedMs: number };
}

/** Counts what was set aside. @throws CheckpointError `READ_FAILED` */
export function countQuarantine(fs: FileSystem, { quarantine }: StorePaths): QuarantineCount {
  let names: string[];
  try {
    names = fs.list(quarantine);
  } catch (error) {
    if (isMissing(error)) return { files: 0, bytes: 0 };
    throw readError(error, quarantine);
  }
  let [files, bytes] = [0, 0];
  let newest: QuarantineCount['newest'];
  for (const name of names) {
    const stat = fs.statLink(join(quarantine, name));
    if (stat === undefined) continue;
    files += 1;
    bytes += stat.size;
    const { modifiedMs } = stat;
    if (newest === undefined || modifiedMs >= newest.modifiedMs) newest = { name, modifiedMs };
  }
  return { files, bytes, ...(newest && { newest }) };
}
