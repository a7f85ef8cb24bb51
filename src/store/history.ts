/**
 * History for reading: what checkpoints there are, from their seal lines alone, and one of them whole
 * and verified. Works on files without the lock, so the store may be open, here or elsewhere, and change
 * meanwhile: entries that vanish while they are listed are left out. Used by the store and by commands.
 */
import { CheckpointError, type Problem } from '../errors.js';
import { MAX_SEAL_BYTES, readSeal } from '../format/seal.js';
import { readLastSealLine, SEAL_TAIL_BYTES, type SealLine } from '../format/seal-line.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import type {
  CheckpointHistory,
  HistoryContent,
  HistoryEntry as PortHistoryEntry,
} from '../io/checkpoint-io.js';
import { readTail, readWhole } from '../io/file-content.js';
import type { FileStat, FileSystem } from '../io/file-system.js';
import { entryName, listSequences, readEntryFile } from '../io/history-files.js';
import type { SealedReading } from '../io/session.js';
import { join, type StorePaths } from '../io/store-paths.js';

/** One checkpoint in a list of history. */
export type HistoryEntry = PortHistoryEntry;

/** Largest checkpoint that is read, unless told otherwise: the largest text with the largest seal. */
const MAX_BYTES = DEFAULT_LIMITS.maxBytes + MAX_SEAL_BYTES;
/** So many entries on either side of one that does not exist are named. */
const NEAREST = 2;

/** Whether the current checkpoint is wanted, and how much of it may be read. */
export interface ListHistoryOptions {
  /** Lists the current checkpoint too, last of all; `true` by default. */
  readonly current?: boolean;
  /** Lists no more than so many, the newest; all by default. Nothing is read of the others. */
  readonly newest?: number;
  readonly maxBytes?: number;
}

/**
 * The checkpoints of a store, ascending by number. Reads the end of each entry only, so an entry may
 * still turn out to be damaged; what its seal line shows is true, though. The current checkpoint is read
 * whole. A copy of it in history is left out beside it, unless the file itself was edited or damaged.
 * @throws CheckpointError `READ_FAILED`, where the directory can't be read
 */
export function listHistory(
  fs: FileSystem,
  paths: StorePaths,
  { current = true, newest = Infinity, maxBytes = MAX_BYTES }: ListHistoryOptions = {},
): HistoryEntry[] {
  // One more than is asked for: the newest may be a copy of the current one.
  const sequences = listSequences(fs, paths).slice(-newest - 1);
  const earlier = sequences
    .map((sequence) => entryOf(fs, paths, sequence))
    .filter((entry) => entry !== undefined);
  const now = current ? currentEntry(fs, paths, sequences.at(-1) ?? 0, maxBytes) : undefined;
  if (now === undefined) return earlier.slice(-newest);
  return [...earlier.filter(({ sequence }) => sequence !== now.sequence), now].slice(-newest);
}

/** How many checkpoints {@link listHistory} would list, from the names of the entries alone. */
export function countHistory(
  fs: FileSystem,
  paths: StorePaths,
  newest: HistoryEntry | undefined,
): number {
  const sequences = listSequences(fs, paths);
  if (newest?.current !== true) return sequences.length;
  return sequences.filter((sequence) => sequence !== newest.sequence).length + 1;
}

/** A checkpoint that was listed, whole. */
export interface FoundCheckpoint extends HistoryContent {
  /** Why its seal does not cover it: it was edited, or never saved. Absent: it verifies. */
  readonly edit?: Problem;
}

/**
 * One of the checkpoints that were listed, whole. Those in history are verified; the current one may
 * have been edited since it was saved, and is then returned as it is on disk, with `edit`. Where it was
 * replaced since it was listed, history has it.
 * @throws CheckpointError `NOT_IN_HISTORY` where it was pruned since, `ENTRY_DAMAGED`, `READ_FAILED`,
 * `TOO_LARGE`; of a current one that is no text or of a newer format, `INVALID_YAML` or
 * `UNSUPPORTED_VERSION`
 */
export function readListed(
  fs: FileSystem,
  paths: StorePaths,
  entry: HistoryEntry,
  maxBytes: number = MAX_BYTES,
): FoundCheckpoint {
  if (entry.current) {
    const found = readCurrent(fs, paths, maxBytes);
    if (found?.reading.kind === 'sealed' && found.reading.sequence === entry.sequence) {
      return contentOf(found.reading, found.stat, paths.target, true);
    }
    if (entry.problem !== undefined && found !== undefined) return editOf(entry, found.reading);
  }
  const file = entryFile(paths, entry.sequence);
  const reading = readEntryFile(fs, file, entry.sequence, maxBytes);
  if (!('reason' in reading)) {
    const { size, timeMs: modifiedMs } = entry;
    return contentOf(reading, { size, modifiedMs }, file, false);
  }
  if (fs.stat(file) === undefined) return readHistoryEntry(fs, paths, entry.sequence, maxBytes);
  throw damaged(entry.sequence, file, reading.reason);
}

function editOf(entry: HistoryEntry, reading: ReturnType<typeof readSeal>): FoundCheckpoint {
  // Somebody has saved the edit in the meantime: what was listed is what is read.
  if (reading.kind === 'sealed') {
    return { entry, text: reading.text, artifacts: reading.artifacts };
  }
  const problem = problemOf(reading);
  if (reading.kind === 'mismatch' || reading.kind === 'unsealed') {
    const artifacts = reading.kind === 'mismatch' ? reading.artifacts : [];
    return { entry, text: reading.text, artifacts, edit: problem };
  }
  const { code, message, ...facts } = problem;
  const { file } = entry;
  throw new CheckpointError(code, `${file} can't be read as a state: ${message}.`, {
    file,
    ...facts,
  });
}

/**
 * One checkpoint, whole and verified: from history, or the current one.
 * @throws CheckpointError `NOT_IN_HISTORY`, with those nearest to it in `details.nearest`;
 * `ENTRY_DAMAGED`; `READ_FAILED`, `TOO_LARGE`
 */
export function readHistoryEntry(
  fs: FileSystem,
  paths: StorePaths,
  sequence: number,
  maxBytes: number = MAX_BYTES,
): HistoryContent {
  const current = readCurrent(fs, paths, maxBytes);
  if (current?.reading.kind === 'sealed' && current.reading.sequence === sequence) {
    return contentOf(current.reading, current.stat, paths.target, true);
  }
  const sequences = listSequences(fs, paths);
  const file = entryFile(paths, sequence);
  const stat = sequences.includes(sequence) ? fs.stat(file) : undefined;
  if (stat === undefined) throw notInHistory(sequence, sequences, current?.reading);
  const reading = readEntryFile(fs, file, sequence, maxBytes);
  if ('reason' in reading) throw damaged(sequence, file, reading.reason);
  return contentOf(reading, stat, file, false);
}

/** History of a store on files, as a port offers it. */
export function fileHistory(
  fs: FileSystem,
  paths: StorePaths,
  maxBytes: number,
): CheckpointHistory {
  return {
    list: () => listHistory(fs, paths, { maxBytes }),
    read: (sequence) => readHistoryEntry(fs, paths, sequence, maxBytes),
  };
}

/** The error of a store whose port offers no history. */
export function noHistory(): CheckpointError {
  return new CheckpointError(
    'NO_HISTORY',
    'This store runs on a port of its own, which offers no history to read.',
  );
}

function entryFile({ history, targetName }: StorePaths, sequence: number): string {
  return join(history, entryName(sequence, targetName));
}

function entryOf(fs: FileSystem, paths: StorePaths, sequence: number): HistoryEntry | undefined {
  const file = entryFile(paths, sequence);
  try {
    const tail = readTail(fs, file, SEAL_TAIL_BYTES);
    if (tail === undefined) return undefined;
    const line = readLastSealLine(tail.bytes)?.line;
    if (line === undefined) {
      return withProblem(sequence, file, tail.stat, 'its last line is no seal');
    }
    if (line.sequence !== sequence) {
      return withProblem(
        sequence,
        file,
        tail.stat,
        `it is checkpoint ${line.sequence} under another's name`,
      );
    }
    return entryFrom(line, line.artifactCount, tail.stat, file, false);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return withProblem(sequence, file, undefined, error.message);
  }
}

/** An entry of which only its name is known. One that can't be read is listed, so that it is seen. */
function withProblem(
  sequence: number,
  file: string,
  stat: FileStat | undefined,
  reason: string,
): HistoryEntry {
  const { size = 0, modifiedMs = 0 } = stat ?? {};
  const problem = { code: 'ENTRY_DAMAGED', message: reason } as const;
  const known = { sequence, file, size, timeMs: modifiedMs };
  return { ...known, pinned: false, artifacts: 0, current: false, problem };
}

function entryFrom(
  { sequence, timeMs, label, pinned }: Pick<SealLine, 'sequence' | 'timeMs' | 'label' | 'pinned'>,
  artifacts: number,
  { size, modifiedMs }: Pick<FileStat, 'size' | 'modifiedMs'>,
  file: string,
  current: boolean,
): HistoryEntry {
  return {
    sequence,
    file,
    size,
    timeMs: timeMs ?? modifiedMs,
    ...(label !== undefined && { label }),
    pinned: pinned === true,
    artifacts,
    current,
  };
}

function readCurrent(fs: FileSystem, { target }: StorePaths, maxBytes: number) {
  const file = readWhole(fs, target, maxBytes);
  return file && { reading: readSeal(file.bytes), stat: file.identity };
}

function currentEntry(
  fs: FileSystem,
  paths: StorePaths,
  newest: number,
  maxBytes: number,
): HistoryEntry | undefined {
  const file = paths.target;
  const found = readCurrent(fs, paths, maxBytes);
  if (found === undefined) return undefined;
  const { reading, stat } = found;
  if (reading.kind === 'sealed') {
    return entryFrom(reading, reading.artifacts.length, stat, file, true);
  }
  const claimed = reading.kind === 'mismatch' ? reading.sequence : 0;
  // Once adopted, the edit is a later checkpoint; the number that its old seal names is another's.
  const sequence = Math.max(newest, claimed) + 1;
  const entry = entryFrom({ sequence }, 0, stat, file, true);
  return { ...entry, problem: problemOf(reading) };
}

function problemOf(reading: Exclude<ReturnType<typeof readSeal>, SealedReading>) {
  switch (reading.kind) {
    case 'mismatch':
      return {
        code: 'EDITED_OUTSIDE',
        message: `edited since it was saved: ${reading.reason}`,
      } as const;
    case 'unsealed':
      return { code: 'EDITED_OUTSIDE', message: 'it has no seal: not saved yet' } as const;
    case 'unsupportedVersion': {
      const message = `sealed by format version ${reading.version}`;
      return { code: 'UNSUPPORTED_VERSION', message } as const;
    }
    case 'notText': {
      const message = `byte ${reading.offset} begins no UTF-8 character`;
      return { code: 'INVALID_YAML', message, offset: reading.offset } as const;
    }
  }
}

function contentOf(
  reading: SealedReading,
  stat: Pick<FileStat, 'size' | 'modifiedMs'>,
  file: string,
  current: boolean,
): HistoryContent {
  const { text, artifacts } = reading;
  return { entry: entryFrom(reading, artifacts.length, stat, file, current), text, artifacts };
}

function notInHistory(
  sequence: number,
  entries: readonly number[],
  current: ReturnType<typeof readSeal> | undefined,
): CheckpointError {
  const numbers = current?.kind === 'sealed' ? [...entries, current.sequence] : entries;
  const all = [...new Set(numbers)].sort((left, right) => left - right);
  const nearest = [
    ...all.filter((entry) => entry < sequence).slice(-NEAREST),
    ...all.filter((entry) => entry > sequence).slice(0, NEAREST),
  ];
  const names = nearest.length === 0 ? 'History is empty.' : `Nearest: ${nearest.join(', ')}.`;
  const isUnsaved = current !== undefined && current.kind !== 'sealed';
  const unsaved = isUnsaved
    ? ' The file as it is has not been saved by a store: a save, or check(), makes a checkpoint of it.'
    : '';
  return new CheckpointError(
    'NOT_IN_HISTORY',
    `There is no checkpoint ${sequence}. ${names}${unsaved}`,
    { sequence, nearest },
  );
}

function damaged(sequence: number, file: string, reason: string): CheckpointError {
  return new CheckpointError(
    'ENTRY_DAMAGED',
    `Checkpoint ${sequence} does not verify: ${reason}.`,
    {
      sequence,
      file,
    },
  );
}
