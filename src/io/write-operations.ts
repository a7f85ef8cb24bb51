/**
 * The six steps of the write protocol on files, and what undoes them. Ruled by `docs/protocol.md`.
 * Assumes that the statechart calls them in its order; each leaves the files so that recovery can
 * tell what happened if it is cut off anywhere inside.
 */
import { CheckpointError } from '../errors.js';
import { joined, MAX_COUNTER } from '../format/bytes.js';
import type { SealInput } from '../format/seal.js';
import { WAL_SALT_BYTES } from '../format/wal-format.js';
import { WalEncoder } from '../format/wal-writer.js';
import { appendedRound } from './appended-round.js';
import { looksUnchanged, see, takeAsCurrent } from './checkpoint-file.js';
import type { IoOperations, KeptFile, RoundContent } from './checkpoint-io.js';
import { checkSize, closeQuietly, writeAll } from './file-content.js';
import type { FileStat, FileSystem } from './file-system.js';
import { both, createFile, syncDirectory, syncFile, unlinkIfThere } from './files.js';
import { keepInHistory, protectEntry, readEntry, repairEntry } from './history-files.js';
import { writeError } from './io-error.js';
import { firstSave, nextSave, type OpenLog, writeBehind } from './open-log.js';
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
import { roundImage, sealedReading } from './round-image.js';
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
  { sequence, label, pinned, source, mayRest }: IoOperations['writeIntent']['input'],
): Steps<IoOperations['writeIntent']['output']> {
  const { fs, now, random, current, epoch } = session;
  const { wal, targetName } = pathsOf(session);
  if (sequence > MAX_COUNTER) throw exhausted(sequence);
  // The save before this one stands: it is not what giving up goes back from.
  delete session.round?.before;
  const content: RoundContent =
    source.kind === 'requests'
      ? yield* wait(session.content.textFor(source.requestIds))
      : historyContent(session, source.sequence);
  const { artifacts = session.artifacts } = content;
  const timeMs = recordedMs(now());
  const claim = { sequence, epoch, timeMs, ...(label !== undefined && { label }) };
  const seal = { ...claim, ...(pinned && { pinned }), artifacts };
  const { round: last } = session;
  if (last?.wal?.end !== undefined) return appendIntent(session, last, seal, content);
  const { image, ending, sha256 } = roundImage(current, content, seal);
  const isRepeated = session.round?.sequence === sequence;
  const appended = mayRest ? firstSave(image, ending, seal) : undefined;
  const round: Round = {
    sequence,
    image,
    sealed: sealedReading(seal, content),
    ending,
    sha256,
    version: content.version,
    ...(appended && { appended }),
  };
  session.round = round;
  const encoder = new WalEncoder({ epoch, salt: random(WAL_SALT_BYTES), createdMs: timeMs });
  const header = encoder.header();
  const intent = encoder.intent(
    {
      sequence,
      timeMs,
      target: targetName,
      ...(label !== undefined && { label }),
      preImage: current && digestOf(current),
      afterImage: { size: image.length, sha256 },
      encoding: 'whole',
    },
    image.length,
  );
  if (fs.statLink(wal) !== undefined) throw logInTheWay(wal, isRepeated);
  round.wal = {
    handle: createFile(fs, wal, ownershipOf(session)),
    encoder,
    room: 0,
    end: undefined,
  };
  writeAll(round.wal.handle, joined([header, intent]), 0, wal);
  return { bytes: encoder.offset, sha256 };
}

/** The intent of a save that goes behind those that the log holds already. */
function appendIntent(
  session: Session,
  before: Round,
  seal: SealInput,
  content: RoundContent,
): IoOperations['writeIntent']['output'] {
  const { wal } = before;
  if (wal?.end === undefined) throw new TypeError('the log takes no further save');
  checkLock(session);
  const { wal: path, targetName } = pathsOf(session);
  const { sequence, timeMs = 0, label } = seal;
  const { edit } = content;
  const splices = edit !== undefined && edit.of === before.version ? edit.splices : undefined;
  const appended = nextSave(wal.end, content, splices, seal);
  const { encoding, data, end } = appended;
  session.round = appendedRound(before, appended, seal, content);
  const start = wal.encoder.offset;
  const afterImage = end.image.digest;
  const intent = wal.encoder.intent(
    {
      sequence,
      timeMs,
      target: targetName,
      ...(label !== undefined && { label }),
      preImage: wal.end.image.digest,
      afterImage,
      encoding,
    },
    data.length,
  );
  writeBehind(wal, start, intent, path);
  return { bytes: intent.length, sha256: afterImage.sha256 };
}

/** Step 2: appends the after-image and its seal. */
export function writeData(session: Session): IoOperations['writeData']['output'] {
  const round = roundOf(session);
  const { appended, wal } = round;
  if (wal === undefined) throw new TypeError('the round has no log');
  const { wal: path } = pathsOf(session);
  const { encoder, handle } = wal;
  const start = encoder.offset;
  const written = joined([encoder.data(appended?.data ?? round.image), encoder.seal()]);
  if (appended === undefined) {
    writeAll(handle, written, start, path);
    checkSize(handle, encoder.offset, path);
  } else {
    writeBehind(wal, start, written, path);
  }
  return { bytes: written.length };
}

/** Step 3: syncs the log and, where it is new, the directory that names it. */
export function* syncWal(session: Session): Steps<undefined> {
  const round = roundOf(session);
  const { appended, sequence, wal } = round;
  if (wal === undefined) throw new TypeError('the round has no log');
  if (wal.end !== undefined) yield* syncFile(wal.handle, pathsOf(session).wal, 'data');
  else yield* syncNewWal(session, round, wal);
  if (appended === undefined) return undefined;
  wal.end = appended.end;
  session.artifacts = round.sealed.artifacts;
  session.content.advance(sequence);
  return undefined;
}

/** A log that is published at once gives steps 4 and 5 a head start while it is synced. */
function* syncNewWal(session: Session, round: Round, wal: OpenLog): Steps<void> {
  const { wal: path, directory } = pathsOf(session);
  if (round.appended === undefined) prepareTemporary(session, round);
  const durable = settle(() =>
    both(
      () => syncFile(wal.handle, path),
      () => trusted(session, syncDirectory(session.fs, directory)),
    ),
  );
  beginPrepared(session, round);
  yield* succeeded(durable);
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
    yield* trusted(session, keepSecondCopy(session, round));
  } catch (error) {
    throw afterPublication(error, target);
  }
  if (current?.historic) protectEntry(session, predecessorSequence(round, current));
  return { ...(kept && { kept }) };
}

/**
 * Under the policy `restore` there must always be something to go back to: a copy of the published
 * checkpoint that no edit in place can reach. Until the log is deleted, the log is that copy. And where
 * numbers were skipped, as the log held several saves, history must know the highest: a file that loses
 * its seal is counted by it.
 */
function* keepSecondCopy(session: Session, round: Round): Steps<void> {
  const { current, externalEdits } = session;
  const isNeeded = externalEdits === 'restore' || round.skips;
  if (!isNeeded || current?.sequence === undefined) return;
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
  if (round.before !== undefined) return yield* abandonAppended(session, round.before);
  // The save behind it was not even begun.
  if (round.wal?.end !== undefined) return undefined;
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

/** The saves before stay; what was written behind them must not be found by any later scan. */
function* abandonAppended(session: Session, before: Round): Steps<undefined> {
  const { wal } = before;
  if (wal === undefined) throw new TypeError('the round has no log');
  const { wal: path } = pathsOf(session);
  wal.encoder.rewind();
  try {
    wal.handle.truncate(wal.encoder.offset);
  } catch (error) {
    throw writeError(error, path, 'cutting');
  }
  wal.room = wal.encoder.offset;
  yield* syncFile(wal.handle, path);
  session.round = before;
  const end = before.appended?.end;
  if (wal.end === end) return undefined;
  wal.end = end;
  session.artifacts = before.sealed.artifacts;
  session.content.rebase({ text: before.sealed.text, sequence: before.sequence });
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

function historyContent(session: Session, sequence: number): SealedReading {
  const entry = readEntry(session, sequence);
  if ('text' in entry) return entry;
  throw new CheckpointError(
    'READ_FAILED',
    `History entry ${sequence} can not be restored: ${entry.reason}.`,
    { sequence },
  );
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
