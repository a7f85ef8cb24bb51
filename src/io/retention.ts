/**
 * Which earlier checkpoints are kept: at most `maxCheckpoints`, and none that was replaced longer than
 * `maxAgeMs` ago, whichever is stricter; but every pinned one, and always the newest that verifies. The
 * age counts from when a checkpoint was replaced, not from when it was saved: so each state of that time
 * can be had back, also the one that had been current for a week before. Pruning goes by what the seal
 * lines say, from the oldest end, and reads each line at most once while the store is open. What was read
 * is lost when it closes, and how many entries are pinned can't be told from names: so where each process
 * saves once, a save has to read all that is kept. It does while that is little; where it is much, one
 * save in so many does, and the others read a little only. Each removal stands for itself: cut off
 * anywhere, it leaves entries that a later save goes on from. Assumes that the lock is held.
 */
import { CheckpointError } from '../errors.js';
import { readLastSealLine, SEAL_TAIL_BYTES } from '../format/seal-line.js';
import { readTail } from './file-content.js';
import { unlinkIfThere } from './files.js';
import { entryPath, readEntry } from './history-files.js';
import { createRandom } from './random.js';
import type { Candidate, Retention } from './retention-state.js';
import type { Session } from './session.js';

/** Seal lines read and files removed for an ordinary save, at most. What is left over waits for the next. */
const READS_MAX = 100;
const REMOVALS_MAX = 100;
/** Up to so many entries each save reads on until it knows what has to go; of more, one save in so many. */
const READ_ALWAYS = 1000;
/** What such a save removes at least, so that a limit that was lowered is reached. */
const REMOVALS_MIN = 10;

/** What one save may still do. */
interface Budget {
  reads: number;
  removals: number;
  /** So many removals are due, whatever has to be read for them. */
  due: number;
}

/**
 * Removes entries that are beyond the limits. What can't be read or removed is left, which does no harm.
 * Does nothing before recovery has ended.
 */
export function prune(session: Session): void {
  if (!session.recovered) return;
  const retention = retentionOf(session);
  const budget = budgetOf(session, retention);
  readNewest(session, retention, budget);
  while (budget.removals > 0) {
    const oldest = readOldest(session, retention, budget);
    if (oldest === undefined || !isBeyond(session, retention, oldest, budget)) return;
    if (oldest.sequence === newestVerified(session)) return;
    budget.removals -= 1;
    budget.due -= 1;
    drop(retention);
    remove(session, oldest.sequence);
  }
}

/**
 * Of a long history one save in so many does all that is due: which ones is drawn from the checkpoint's
 * number, as no count outlives a process, and saves may come in strides. Each makes up for those between.
 */
function budgetOf({ current }: Session, { candidates }: Retention): Budget {
  const period = Math.ceil(candidates.length / READ_ALWAYS) || 1;
  const isDue = createRandom(current?.sequence ?? 0).next(period) === 0;
  const due = isDue ? Math.max(REMOVALS_MIN, 2 * period) : 0;
  return { reads: READS_MAX, removals: Math.max(REMOVALS_MAX, due), due };
}

/** Takes a read off the budget; `false` where none is left. */
function mayRead(budget: Budget): boolean {
  if (budget.reads <= 0 && budget.due <= 0) return false;
  budget.reads -= 1;
  return true;
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
function readNewest(session: Session, retention: Retention, budget: Budget): void {
  const { candidates } = retention;
  while (candidates.length > session.maxCheckpoints && retention.known < session.maxCheckpoints) {
    if (!mayRead(budget)) return;
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
  budget: Budget,
): Required<Candidate> | undefined {
  const { candidates } = retention;
  for (;;) {
    const [oldest] = candidates;
    if (oldest === undefined) return undefined;
    const { sequence, timeMs } = oldest;
    if (timeMs !== undefined) return { sequence, timeMs };
    if (!mayRead(budget)) return undefined;
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
  budget: Budget,
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
  budget: Budget,
): Required<Candidate> | undefined {
  for (;;) {
    const next = candidates[1];
    if (next === undefined) return undefined;
    const { sequence, timeMs } = next;
    if (timeMs !== undefined) return { sequence, timeMs };
    if (!mayRead(budget)) return undefined;
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
