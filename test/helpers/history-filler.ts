/**
 * A store with a history of any length, written directly: what years of saves would leave.
 */
import { sealText } from '../../src/format/seal.js';
import type { FileSystem } from '../../src/io/file-system.js';
import { entryName } from '../../src/io/history-files.js';

/** The store's directory. */
export const DIRECTORY = '/orchestration';
const FILE = 'ORCHESTRATION.yaml';

/** The path of a history entry. */
export const entryFile = (sequence: number, directory = DIRECTORY): string =>
  `${directory}/checkpoints/${entryName(sequence, FILE)}`;

/** One entry of a history that is made up. */
export interface FilledEntry {
  readonly sequence: number;
  readonly timeMs?: number;
  readonly pinned?: boolean;
  /** Written instead of a sealed text. */
  readonly content?: string;
}

/** Writes a file, in the place of what is there. */
export function writeFile(fs: FileSystem, path: string, content: string | Uint8Array): void {
  if (fs.statLink(path) !== undefined) fs.unlink(path);
  const handle = fs.open(path, 'create', 0o644);
  handle.write(typeof content === 'string' ? new TextEncoder().encode(content) : content, 0);
  handle.close();
}

/** Writes these entries and, one number above the last, the checkpoint itself. */
export function fillHistory(
  fs: FileSystem,
  entries: readonly FilledEntry[],
  directory = DIRECTORY,
): void {
  for (const path of [directory, `${directory}/checkpoints`]) {
    if (fs.stat(path) === undefined) fs.makeDirectory(path);
  }
  for (const { sequence, timeMs, pinned, content } of entries) {
    const claim = {
      sequence,
      epoch: 1,
      ...(timeMs !== undefined && { timeMs }),
      ...(pinned && { pinned, label: `pin ${sequence}` }),
    };
    const bytes = content ?? sealText(`v: ${sequence}\n`, claim);
    writeFile(fs, entryFile(sequence, directory), bytes);
  }
  const sequence = (entries.at(-1)?.sequence ?? 0) + 1;
  const timeMs = entries.at(-1)?.timeMs;
  const claim = { sequence, epoch: 1, ...(timeMs !== undefined && { timeMs }) };
  writeFile(fs, `${directory}/${FILE}`, sealText(`v: ${sequence}\n`, claim));
}

/** The numbers of the entries that are there. */
export function entriesIn(fs: FileSystem, directory = DIRECTORY): number[] {
  return fs.list(`${directory}/checkpoints`).map((name) => Number(name.slice(0, 12)));
}
