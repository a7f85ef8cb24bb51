/**
 * Which earlier checkpoints are kept: at most `maxCheckpoints`, and none that was replaced longer than
 * `maxAgeMs` ago, whichever is stricter; but every pinned one, and always the newest that verifies. The
 * age counts from when a checkpoint was replaced, not from when it was saved: so each state of that time
 * can be had back, also the one that had been current for a week before. Pruning goes by what the seal
 * lines say, from the oldest end, and reads each line at most once; a save does a bounded number of
 * file operations for it, however many entries there are. Each removal stands for itself: cut off
 * anywhere, it leaves entries that a later save goes on from. Assumes that the lock is held.
 */
import { CheckpointError } from '../errors.js';
import { readLastSealLine, SEAL_TAIL_BYTES } from '../format/seal-line.js';
import { readTail } from './file-content.js';
import { unlinkIfThere } from './files.js';
import { entryPath, readEntry } from './history-files.js';
import type { Candidate, Retention } from './retention-state.js';
import type { Session } from './session.js';

/** Seal lines read and files removed for one save, at most. What is left over waits for the next. */
const READS_MAX = 100;
const REMOVALS_MAX = 100;

/**
 * Removes entries that are beyond the limits. What can't be read or removed is left, which does no harm.
 * Does nothing before recovery has ended.
 */
export function prune(session: Session): void {
  if (!session.recovered) return;
  const budget = { reads: READS_MAX, removals: REMOVALS_MAX };
  const retention = retentionOf(session);
  readNewest(session, retention, budget);
  while (budget.removals > 0) {
    const oldest = readOldest(session, retention, budget);
    if (oldest === undefined || !isBeyond(session, retention, oldest, budget)) return;
    if (oldest.sequence === newestVerified(session)) return;
    budget.removals -= 1;
    drop(retention);
    remove(session, oldest.sequence);
  }
}

function retentionOf(session: Session): Retention {
  session.retention ??= {
    candidates: session.entries.map((sequence) => ({ sequence })),
    known: 0,
  };
  return session.retention;
}

/**
 * Reads from the newest end until as many unpinned entries are known as may be kept: only then it is
 * known that the others are too many, for pinned ones don't count.
 */
function readNewest(session: Session, retention: Retention, budget: { reads: number }): void {
  const { candidates } = retention;
  while (candidates.length > session.maxCheckpoints && retention.known < session.maxCheckpoints) {
    if (budget.reads <= 0) return;
    budget.reads -= 1;
    const at = candidates.length - 1 - retention.known;
    const read = readCandidate(session, candidates[at]);
    candidates.splice(at, 1, ...(read === undefined ? [] : [read]));
    if (read !== undefined) retention.known += 1;
  }
}

/** The oldest entry that may be pruned, read; `undefined` where there is none, or no more is read now. */
function readOldest(
  session: Session,
  retention: Retention,
  budget: { reads: number },
): Required<Candidate> | undefined {
  const { candidates } = retention;
  for (;;) {
    const [oldest] = candidates;
    if (oldest === undefined) return undefined;
    const { sequence, timeMs } = oldest;
    if (timeMs !== undefined) return { sequence, timeMs };
    if (budget.reads <= 0) return undefined;
    budget.reads -= 1;
    const read = readCandidate(session, oldest);
    if (read === undefined) candidates.shift();
    else candidates[0] = read;
  }
}

/** The entry with its time; `undefined` for one that is pinned, or can't be read: it stays. */
function readCandidate(
  session: Session,
  candidate: Candidate | undefined,
): Required<Candidate> | undefined {
  if (candidate === undefined) return undefined;
  const { sequence } = candidate;
  try {
    const tail = readTail(session.fs, entryPath(session, sequence), SEAL_TAIL_BYTES);
    if (tail === undefined) return undefined;
    const line = readLastSealLine(tail.bytes)?.line;
    if (line?.pinned) return undefined;
    return { sequence, timeMs: line?.timeMs ?? tail.stat.modifiedMs };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return undefined;
  }
}

/**
 * Replaced too long ago, or too many are newer. An entry from the future, as a clock that was set back
 * sees it, is new.
 */
function isBeyond(
  session: Session,
  retention: Retention,
  oldest: Required<Candidate>,
  budget: { reads: number },
): boolean {
  const { maxCheckpoints, maxAgeMs, now } = session;
  const { candidates, known } = retention;
  if (candidates.length > maxCheckpoints && known >= maxCheckpoints) return true;
  // What is too young by itself was replaced later still: its successor need not be read.
  if (!(now() - oldest.timeMs > maxAgeMs)) return false;
  const next = readNext(session, retention, budget);
  return next !== undefined && now() - next.timeMs > maxAgeMs;
}

/** The entry after the oldest, which took its place; one that is pinned or unreadable gives way to the next. */
function readNext(
  session: Session,
  { candidates }: Retention,
  budget: { reads: number },
): Required<Candidate> | undefined {
  for (;;) {
    const next = candidates[1];
    if (next === undefined) return undefined;
    const { sequence, timeMs } = next;
    if (timeMs !== undefined) return { sequence, timeMs };
    if (budget.reads <= 0) return undefined;
    budget.reads -= 1;
    const read = readCandidate(session, next);
    candidates.splice(1, 1, ...(read === undefined ? [] : [read]));
  }
}

function drop(retention: Retention): void {
  retention.candidates.shift();
  retention.known = Math.min(retention.known, retention.candidates.length);
}

/** The newest entry that verifies: one that this session kept is known to; else it is looked for, once. */
function newestVerified(session: Session): number | undefined {
  if (session.newestKept === undefined) {
    session.newestKept = session.entries.findLast((entry) => verifies(session, entry));
  }
  return session.newestKept;
}

function verifies(session: Session, sequence: number): boolean {
  try {
    return 'text' in readEntry(session, sequence);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return false;
  }
}

function remove(session: Session, sequence: number): void {
  try {
    unlinkIfThere(session.fs, entryPath(session, sequence));
  } catch (error) {
    // It stays, and is not tried again by this session.
    if (!(error instanceof CheckpointError)) throw error;
    return;
  }
  const at = session.entries.indexOf(sequence);
  if (at !== -1) session.entries.splice(at, 1);
}
