/**
 * What steps 4 and 5 need and may be done while the log is synced: the temporary file is written and
 * its sync begun, the predecessor gets its name in history. None of it touches the checkpoint; the
 * rename still waits for all of it and for the log. Ruled by `docs/protocol.md` and
 * `docs/adr/0017-what-needs-no-log-is-done-beside-its-sync.md`.
 *
 * It is a head start only: where it can't be made, or fails, the steps themselves do the work and tell
 * what is wrong. The one exception is a directory whose sync failed: that is never tried again.
 */
import { CheckpointError } from '../errors.js';
import { looksUnchanged } from './checkpoint-file.js';
import { checkSize, closeQuietly, writeAll } from './file-content.js';
import { createFile, syncFile, temporaryFor, unlinkIfThere } from './files.js';
import { keepInHistory } from './history-files.js';
import { type Steps, settle, succeeded, wait } from './run.js';
import {
  checkLock,
  ownershipOf,
  pathsOf,
  type Round,
  type SeenCheckpoint,
  type Session,
} from './session.js';

/** Writes all of the round's image into a fresh temporary file beside the checkpoint. */
export function writeTemporary(session: Session, round: Round): void {
  const { image } = round;
  const path = temporaryFor(pathsOf(session).target, session.random);
  const handle = createFile(session.fs, path, ownershipOf(session));
  round.temporary = { path, handle };
  writeAll(handle, image, 0, path);
  checkSize(handle, image.length, path);
}

/** Writes the temporary file early. An error is left to step 4, which does the same again. */
export function prepareTemporary(session: Session, round: Round): void {
  try {
    if (session.lock?.isHeld()) writeTemporary(session, round);
  } catch {
    removeTemporary(session, round);
  }
}

/** Begins the sync of the temporary file, and keeps the predecessor; the round is told of both. */
export function beginPrepared(session: Session, round: Round): void {
  const { temporary } = round;
  if (temporary === undefined) return;
  temporary.synced = settle(() => syncFile(temporary.handle, temporary.path));
  round.predecessorKept = settle(() => trusted(session, keepPredecessor(session, round)));
}

/** Syncs the temporary file, if that was not begun. @throws CheckpointError `SYNC_FAILED` */
export function* syncTemporary({ temporary }: Round): Steps<void> {
  if (temporary === undefined) throw new TypeError('the round has no temporary file');
  const { synced, handle, path } = temporary;
  if (synced === undefined) yield* syncFile(handle, path);
  else yield* succeeded(synced);
}

/** Sees to it that the predecessor is in history, durably. */
export function* endPredecessor(session: Session, round: Round): Steps<void> {
  if (yield* wasKept(round)) return;
  checkLock(session);
  yield* trusted(session, keepPredecessor(session, round));
}

/**
 * Before a round is given up or begun anew: removes the temporary file, and waits for what is under way.
 * @throws CheckpointError `SYNC_FAILED`, `details.directory`
 */
export function* undoPrepared(session: Session, round: Round): Steps<void> {
  removeTemporary(session, round);
  yield* wasKept(round);
}

/** Whether the head start has kept the predecessor; a failed sync of a directory is told, nothing else. */
function* wasKept(round: Round): Steps<boolean> {
  const { predecessorKept } = round;
  if (predecessorKept === undefined) return false;
  delete round.predecessorKept;
  const outcome = yield* wait(predecessorKept);
  if (!outcome.failed) return true;
  const { error } = outcome;
  if (error instanceof CheckpointError && error.details.directory) throw error;
  return false;
}

/** Closes the temporary file and removes it. */
export function removeTemporary(session: Session, round: Round): void {
  const path = round.temporary?.path;
  dropHandle(round);
  if (path !== undefined) unlinkIfThere(session.fs, path);
}

/** Closes the temporary file, whatever its name is now. */
export function dropHandle(round: Round): void {
  closeQuietly(round.temporary?.handle);
  delete round.temporary;
}

/** A directory whose sync failed makes the whole session untrusted: closing won't write any more. */
export function* trusted<T>(session: Session, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    if (error instanceof CheckpointError && error.details.directory) session.untrusted = true;
    throw error;
  }
}

/** A predecessor that a recovery finds unsealed has no number; the one before the log's is free for it. */
export function predecessorSequence(round: Round, { sequence }: SeenCheckpoint): number {
  return sequence ?? round.sequence - 1;
}

function* keepPredecessor(session: Session, round: Round): Steps<void> {
  const { current } = session;
  if (!current?.historic) return;
  const sequence = predecessorSequence(round, current);
  yield* keepInHistory(session, current, sequence, looksUnchanged(session) ? 'link' : 'copy');
}
