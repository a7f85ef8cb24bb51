/**
 * Looking for an entry of history to go back to: the newest that verifies, that the store accepts and
 * that is asked for. Changes nothing on disk.
 */
import { CheckpointError, type Problem } from '../errors.js';
import { sha256Hex } from '../format/bytes.js';
import { readSeal } from '../format/seal.js';
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
    } else if (search?.except.includes(sha256Hex(new TextEncoder().encode(found.text))) !== true) {
      return { newest: { sequence, file }, refused, entries: entries.length };
    }
  }
  return { refused, entries: entries.length };
}

function* tryEntry(
  session: Session,
  sequence: number,
): Steps<{ readonly text: string } | { readonly problem: Problem }> {
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
    return { text: reading.text };
  } catch (error) {
    // What could not be read now may be read well the next time: no reason to go back further.
    if (!(error instanceof CheckpointError) || error.code === 'READ_FAILED') throw error;
    return { problem: { code: error.code, message: error.message } };
  }
}
