/**
 * The six steps of the write protocol on files, and what undoes them. Ruled by `docs/protocol.md`.
 * Assumes that the statechart calls them in its order; each leaves the files so that recovery can
 * tell what happened if it is cut off anywhere inside.
 */
import { CheckpointError } from '../errors.js';
import { MAX_COUNTER } from '../format/bytes.js';
import { sealText } from '../format/seal.js';
import { WAL_SALT_BYTES } from '../format/wal-format.js';
import { WalEncoder } from '../format/wal-writer.js';
import { looksUnchanged, see } from './checkpoint-file.js';
import type { IoOperations, KeptFile } from './checkpoint-io.js';
import { checkSize, closeQuietly, identityOf, writeAll } from './file-content.js';
import type { FileStat, FileSystem } from './file-system.js';
import { both, createFile, syncDirectory, syncFile, unlinkIfThere } from './files.js';
import { keepInHistory, protectEntry, readEntry, repairEntry } from './history-files.js';
import { writeError } from './io-error.js';
import {
  beginPrepared,
  dropHandle,
  endPredecessor,
  predecessorSequence,
  prepareTemporary,
  removeTemporary,
  syncTemporary,
  trusted,
  undoPrepared,
  writeTemporary,
} from './prepare-operations.js';
import { keepBytes } from './quarantine-files.js';
import { prune } from './retention.js';
import { type Steps, settle, succeeded, wait } from './run.js';
import {
  checkLock,
  digestOf,
  ownershipOf,
  pathsOf,
  type Round,
  recordedMs,
  roundOf,
  type SealedReading,
  type Session,
} from './session.js';

/** Step 1: creates the log and writes header and intent. */
export function* writeIntent(
  session: Session,
  { sequence, label, pinned, source }: IoOperations['writeIntent']['input'],
): Steps<IoOperations['writeIntent']['output']> {
  const { fs, now, random, current, epoch } = session;
  const { wal, targetName } = pathsOf(session);
  if (sequence > MAX_COUNTER) throw exhausted(sequence);
  const content =
    source.kind === 'requests'
      ? yield* wait(session.content.textFor(source.requestIds))
      : historyContent(session, source.sequence);
  const { text, artifacts = session.artifacts } = content;
  const timeMs = recordedMs(now());
  const claim = { sequence, epoch, timeMs, ...(label !== undefined && { label }) };
  const sealed = { ...claim, ...(pinned && { pinned }), text, artifacts };
  const image = sealText(text, sealed);
  const isRepeated = session.round?.sequence === sequence;
  const round: Round = { sequence, image, sealed: { kind: 'sealed', ...sealed } };
  session.round = round;
  const encoder = new WalEncoder({ epoch, salt: random(WAL_SALT_BYTES), createdMs: timeMs });
  const header = encoder.header();
  const afterImage = digestOf(image);
  const intent = encoder.intent(
    {
      sequence,
      timeMs,
      target: targetName,
      ...(label !== undefined && { label }),
      preImage: current && digestOf(current.bytes),
      afterImage,
      encoding: 'whole',
    },
    image.length,
  );
  if (fs.statLink(wal) !== undefined) throw logInTheWay(wal, isRepeated);
  round.wal = { handle: createFile(fs, wal, ownershipOf(session)), encoder };
  writeAll(round.wal.handle, concat(header, intent), 0, wal);
  return { bytes: encoder.offset, sha256: afterImage.sha256 };
}

/** Step 2: appends the after-image and its seal. */
export function writeData(session: Session): IoOperations['writeData']['output'] {
  const { image, wal } = roundOf(session);
  if (wal === undefined) throw new TypeError('the round has no log');
  const { wal: path } = pathsOf(session);
  const start = wal.encoder.offset;
  const data = wal.encoder.data(image);
  writeAll(wal.handle, data, start, path);
  writeAll(wal.handle, wal.encoder.seal(), start + data.length, path);
  checkSize(wal.handle, wal.encoder.offset, path);
  return { bytes: wal.encoder.offset - start };
}

/** Step 3: syncs the log and the directory that names it; beside that, gives steps 4 and 5 a head start. */
export function* syncWal(session: Session): Steps<undefined> {
  const round = roundOf(session);
  const { wal } = round;
  if (wal === undefined) throw new TypeError('the round has no log');
  const { wal: path, directory } = pathsOf(session);
  prepareTemporary(session, round);
  const durable = settle(() =>
    both(
      () => syncFile(wal.handle, path),
      () => trusted(session, syncDirectory(session.fs, directory)),
    ),
  );
  beginPrepared(session, round);
  yield* succeeded(durable);
  return undefined;
}

/** Step 4: sees to it that all of the image is in a fresh temporary file beside the checkpoint. */
export function writeCheckpoint(session: Session): IoOperations['writeCheckpoint']['output'] {
  const round = roundOf(session);
  if (round.temporary === undefined) writeTemporary(session, round);
  return { bytes: round.image.length };
}

/**
 * Step 5: syncs the temporary file and keeps the predecessor in history, both durable before the
 * rename; renames over the checkpoint; syncs the directory.
 */
export function* syncCheckpoint(session: Session): Steps<IoOperations['syncCheckpoint']['output']> {
  const { fs, current } = session;
  const { target, directory } = pathsOf(session);
  const round = roundOf(session);
  const { temporary } = round;
  if (temporary === undefined) throw new TypeError('the round has no temporary file');
  yield* both(
    () => endPredecessor(session, round),
    () => syncTemporary(round),
  );
  checkLock(session);
  const kept = yield* keepLateEdit(session, round);
  const seenAtMs = session.now();
  // Before the rename: a stamp taken after it could be that of somebody's edit.
  const stat = temporary.handle.stat();
  try {
    fs.rename(temporary.path, target);
  } catch (error) {
    const failure = writeError(error, target, 'renaming over');
    throw isUnder(fs, target, stat) ? afterPublication(failure, target) : failure;
  }
  try {
    yield* trusted(session, syncDirectory(fs, directory));
    dropHandle(round);
    takeAsCurrent(session, round, stat, seenAtMs);
    yield* trusted(session, keepForRestore(session));
  } catch (error) {
    throw afterPublication(error, target);
  }
  if (current?.historic) protectEntry(session, predecessorSequence(round, current));
  return { ...(kept && { kept }) };
}

/**
 * Under the policy `restore` there must always be something to go back to: a copy of the published
 * checkpoint that no edit in place can reach. Until the log is deleted, the log is that copy.
 */
function* keepForRestore(session: Session): Steps<void> {
  const { current, externalEdits } = session;
  if (externalEdits !== 'restore' || current?.sequence === undefined) return;
  yield* keepInHistory(session, current, current.sequence, 'copy');
}

/** A rename may report an error although it was done; only a look can tell. */
function isUnder(fs: FileSystem, path: string, { device, inode }: FileStat): boolean {
  try {
    const found = fs.statLink(path);
    return found?.device === device && found.inode === inode;
  } catch {
    // Not known: then it counts as published, so that the round is not taken back.
    return true;
  }
}

/** The new checkpoint is visible already; whether its name is durable is not known. */
function afterPublication(error: unknown, target: string): CheckpointError {
  const { code, message, details, cause } = writeError(error, target, 'publishing');
  return new CheckpointError(code, message, { ...details, outcome: 'published' }, { cause });
}

/** Step 6: unlinks the log. */
export function deleteWal(session: Session): undefined {
  unlinkIfThere(session.fs, pathsOf(session).wal);
  closeQuietly(session.round?.wal?.handle);
  session.round = undefined;
  session.walBytes = undefined;
  session.scan = undefined;
  prune(session);
  return undefined;
}

/** After a failed sync of the log: that descriptor is closed unsynced and its file removed. */
export function* dropWal(session: Session): Steps<undefined> {
  const round = roundOf(session);
  removeWal(session, round);
  yield* undoPrepared(session, round);
  return undefined;
}

function removeWal(session: Session, round: Round): void {
  closeQuietly(round.wal?.handle);
  if (round.wal !== undefined) unlinkIfThere(session.fs, pathsOf(session).wal);
  delete round.wal;
}

/** After a failed sync of the temporary file: likewise. */
export function dropTemporary(session: Session): undefined {
  removeTemporary(session, roundOf(session));
  return undefined;
}

/**
 * Removes what the round has created, and makes the removal durable: a save that is then reported as
 * failed is not found by a later recovery.
 */
export function* abandonRound(session: Session): Steps<undefined> {
  const { round } = session;
  if (round === undefined) return undefined;
  const hadWal = round.wal !== undefined;
  removeTemporary(session, round);
  removeWal(session, round);
  yield* undoPrepared(session, round);
  session.round = undefined;
  if (hadWal) {
    yield* trusted(session, syncDirectory(session.fs, pathsOf(session).directory));
  }
  return undefined;
}

/** The last look before the rename: an edit that slipped in since the round began is set aside. */
function* keepLateEdit(session: Session, round: Round): Steps<KeptFile | undefined> {
  if (looksUnchanged(session)) return undefined;
  const late = see(session);
  if (late === undefined) return undefined;
  const kept = yield* keepBytes(
    session,
    late.bytes,
    pathsOf(session).targetName,
    'edited-during-save',
  );
  const { current } = session;
  if (current?.historic) {
    yield* repairEntry(session, current, predecessorSequence(round, current));
  }
  return kept;
}

function takeAsCurrent(
  session: Session,
  { image, sealed, sequence }: Round,
  stat: FileStat,
  seenAtMs: number,
): void {
  const { mode, uid, gid } = stat;
  session.current = {
    bytes: image,
    reading: sealed,
    identity: identityOf(stat),
    ownership: { mode, owner: { uid, gid } },
    seenAtMs,
    sequence,
    changedMs: recordedMs(stat.modifiedMs),
    artifacts: sealed.artifacts,
    historic: true,
  };
  session.artifacts = sealed.artifacts;
  session.content.rebase({ text: sealed.text, sequence });
}

function historyContent(session: Session, sequence: number): SealedReading {
  const entry = readEntry(session, sequence);
  if ('text' in entry) return entry;
  throw new CheckpointError(
    'READ_FAILED',
    `History entry ${sequence} can not be restored: ${entry.reason}.`,
    { sequence },
  );
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Of a round that is tried again an earlier log, which was removed, may be found after a crash. */
function logInTheWay(wal: string, isRepeated: boolean): CheckpointError {
  const what = isRepeated ? '' : ' Nothing was written.';
  return new CheckpointError(
    'LOG_IN_THE_WAY',
    `A log ${wal} appeared while the store was open.${what} Close the store and open it again: recovery will judge what is there.`,
    { file: wal, outcome: isRepeated ? 'unknown' : 'notSaved' },
  );
}

function exhausted(sequence: number): CheckpointError {
  return new CheckpointError(
    'WRITE_FAILED',
    `Sequence number ${sequence} is beyond the format's limit. Some file of the store claims an absurd number: remove its seal line.`,
    { sequence },
  );
}
