/**
 * A sealed file, read as often as it takes to believe what it says: once where its seal proves the
 * bytes, else until two reads agree. Assumes that who asks acts on the answer.
 */
import { readSeal, type SealReading } from '../format/seal.js';
import { type ReadFile, readAgreed, readWhole } from './file-content.js';
import type { FileSystem } from './file-system.js';

/** A file with what its seal says. */
export interface JudgedFile {
  readonly file: ReadFile;
  readonly reading: SealReading;
}

/**
 * Reads and judges the file at `path`; `undefined` where there is none.
 * @param known says what the seal of some bytes says, where that is known already
 * @throws CheckpointError `READ_FAILED`, `TOO_LARGE`
 */
export function readJudged(
  fs: FileSystem,
  path: string,
  maxBytes: number,
  known: (bytes: Uint8Array) => SealReading | undefined = () => undefined,
): JudgedFile | undefined {
  const first = readWhole(fs, path, maxBytes);
  if (first !== undefined) {
    const reading = known(first.bytes);
    if (reading !== undefined) return { file: first, reading };
    const judged = readSeal(first.bytes);
    if (judged.kind === 'sealed') return { file: first, reading: judged };
  }
  const file = readAgreed(fs, path, maxBytes, first);
  return file && { file, reading: readSeal(file.bytes) };
}
