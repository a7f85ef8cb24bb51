/**
 * Looking for an entry of history to go back to: the newest that verifies, that the store accepts and
 * that is asked for. Changes nothing on disk.
 */
import { CheckpointError, type Problem } from '../errors.js';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import { sha256Hex } from '../format/bytes.js';
import { readSeal } from '../format/seal.js';
import { verifyArtifacts } from './artifacts.js';
import type { HistoryEvidence, IoOperations } from './checkpoint-io.js';
import { readAgreed } from './file-content.js';
import { entryName, entryPath } from './history-files.js';
import { type Steps, wait } from './run.js';
import { pathsOf, type Session } from './session.js';

/** Looks for the newest history entry that verifies, that the store accepts and that is asked for. */
export function* findInHistory(
  session: Session,
  search: IoOperations['findInHistory']['input'],
): Steps<HistoryEvidence> {
  const refused: { file: string; problem: Problem }[] = [];
  const entries = [...session.entries].reverse();
  for (const sequence of entries) {
    const file = `checkpoints/${entryName(sequence, pathsOf(session).targetName)}`;
    const found = yield* tryEntry(session, sequence);
    if ('problem' in found) {
      refused.push({ file, problem: found.problem });
    } else if (yield* isWanted(session, found, search)) {
      return { newest: { sequence, file }, refused, entries: entries.length };
    }
  }
  return { refused, entries: entries.length };
}

interface FoundEntry {
  readonly text: string;
  readonly artifacts: readonly ArtifactRecord[];
}

function* isWanted(
  { fs, artifactRoot }: Session,
  { text, artifacts }: FoundEntry,
  search: IoOperations['findInHistory']['input'],
): Steps<boolean> {
  if (search === undefined) return true;
  if (search.except.includes(sha256Hex(new TextEncoder().encode(text)))) return false;
  if (!search.withArtifacts || artifacts.length === 0) return true;
  const checks = yield* wait(verifyArtifacts(fs, artifactRoot, artifacts));
  return checks.every(({ state }) => state === 'intact');
}

function* tryEntry(
  session: Session,
  sequence: number,
): Steps<FoundEntry | { readonly problem: Problem }> {
  try {
    const file = readAgreed(session.fs, entryPath(session, sequence), session.maxBytes);
    if (file === undefined) return { problem: { code: 'READ_FAILED', message: 'it is missing' } };
    const reading = readSeal(file.bytes);
    if (reading.kind !== 'sealed' || reading.sequence !== sequence) {
      return { problem: { code: 'INVALID_YAML', message: 'its seal does not verify' } };
    }
    // Once recovery has ended, the epoch is this store's own and stays.
    if (!session.recovered) session.epoch = Math.max(session.epoch, reading.epoch + 1);
    yield* wait(session.content.validate(reading.text));
    return { text: reading.text, artifacts: reading.artifacts };
  } catch (error) {
    // What could not be read now may be read well the next time: no reason to go back further.
    if (!(error instanceof CheckpointError) || error.code === 'READ_FAILED') throw error;
    return { problem: { code: error.code, message: error.message } };
  }
}
