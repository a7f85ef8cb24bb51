/**
 * What recovery does on files: gathering evidence, which changes nothing, and acting on decisions.
 * Ruled by `docs/recovery.md`. Assumes the lock is held while anything is changed.
 */
import { CheckpointError, type Problem } from '../errors.js';
import { equalBytes, sha256Hex } from '../format/bytes.js';
import { readSeal, type SealReading } from '../format/seal.js';
import type { ImageDigest } from '../format/wal-format.js';
import type { WalScan } from '../format/wal-scan.js';
import { scanWal } from '../format/wal-scanner.js';
import { problemWith, see, seeWithDigest } from './checkpoint-file.js';
import type {
  CheckpointCondition,
  CheckpointEvidence,
  CheckpointRelation,
  IoOperations,
  WalEvidence,
} from './checkpoint-io.js';
import { readAgreed } from './file-content.js';
import type { FileStat, FileSystem } from './file-system.js';
import { isTemporaryName, syncDirectory, syncPath, unlinkIfThere } from './files.js';
import {
  artifactsOfAdopted,
  entryName,
  keepInHistory,
  listEntries,
  readEntry,
  sequenceInName,
} from './history-files.js';
import { readError } from './io-error.js';
import { keepBytes, keepFile } from './quarantine-files.js';
import type { Steps } from './run.js';
import {
  pathsOf,
  rebaseOn,
  type SealedReading,
  type SeenCheckpoint,
  type Session,
} from './session.js';
import { HEALTH_TEMPORARY, join } from './store-paths.js';

/** A log may hold a whole image at its start and at its end; what is larger was not written by us. */
const WAL_FACTOR = 2;
/** What the saves between the two take, with room for zeros: above what any publish policy allows. */
const WAL_SAVES_MAX = 128 * 1024 * 1024;
/** Numbers that only an unverified seal claims count up to here, so that a typo can't use them up. */
const MAX_CLAIM = 2 ** 40;
/** What a log is called in quarantine, behind the number that it claims. */
const QUARANTINED_WAL = 'checkpoint.wal';

/** Is there a log? */
export function checkWal(session: Session): IoOperations['checkWal']['output'] {
  const { wal } = pathsOf(session);
  const found = session.fs.statLink(wal);
  if (found !== undefined && found.kind !== 'file') throw notALog(wal, found);
  return { present: found !== undefined };
}

/** What keeps a store from being opened where something else has the log's name. */
export function notALog(wal: string, { kind }: FileStat): CheckpointError {
  return new CheckpointError(
    'READ_FAILED',
    `${wal} is a ${kind}, not a log. Nothing was changed; remove it if you know where it comes from.`,
    { file: wal },
  );
}

function largestLog({ maxBytes }: Session): number {
  return maxBytes * WAL_FACTOR + WAL_SAVES_MAX;
}

/** Reads the log. One that is too large to be ours is not read, and counts as damaged. */
export function readWal(session: Session): IoOperations['readWal']['output'] {
  session.scan = undefined;
  try {
    session.walBytes = readAgreed(session.fs, pathsOf(session).wal, largestLog(session))?.bytes;
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'TOO_LARGE') throw error;
    session.scan = { kind: 'damaged', offset: 0, reason: error.message };
  }
  return { size: session.walBytes?.length ?? 0 };
}

/** Scans the log, and compares the checkpoint with what it holds. */
export function verifyWal(session: Session): WalEvidence {
  const scan = session.scan ?? scanWal(session.walBytes, { target: pathsOf(session).targetName });
  session.scan = scan;
  const size = session.walBytes?.length ?? 0;
  if (scan.kind !== 'sealed') {
    const { kind, ...facts } = scan;
    const sequence = claimedBy(scan);
    const epoch = 'header' in facts ? facts.header?.epoch : undefined;
    session.epoch = Math.max(session.epoch, epoch ?? 0);
    return {
      verdict: kind,
      relation: 'none',
      size,
      ...('offset' in facts && { offset: facts.offset, reason: facts.reason }),
      ...(sequence !== undefined && { sequence }),
      ...(epoch !== undefined && { epoch }),
      ...(kind === 'foreignTarget' && { reason: `it is for ${scan.target}` }),
      ...(kind === 'unsupportedVersion' && { reason: `its version is ${scan.version}` }),
    };
  }
  const { sequence, label } = scan.last.intent;
  const seen = seeWithDigest(session);
  session.current = seen;
  const { tail } = scan;
  const finding = tail.kind === 'clean' ? scan.findings[0] : tail;
  const claimed = tail.kind === 'damaged' ? tail.sealedSequence : undefined;
  return {
    verdict: tail.kind === 'damaged' ? 'partlyDamaged' : 'sealed',
    ...(claimed !== undefined && { claimed }),
    relation: relationOf(seen, scan),
    size,
    sequence,
    epoch: scan.header.epoch,
    ...(label !== undefined && { label }),
    ...(finding && { offset: finding.offset, reason: finding.reason }),
  };
}

function claimedBy(scan: WalScan): number | undefined {
  switch (scan.kind) {
    case 'torn':
    case 'unsealed':
      return scan.intent?.sequence;
    case 'damaged':
      return scan.sealedSequence;
    case 'foreignTarget':
      return scan.sequence;
    case 'sealed': {
      const claimed = scan.tail.kind === 'damaged' ? scan.tail.sealedSequence : undefined;
      return Math.max(scan.last.intent.sequence, claimed ?? 0);
    }
    default:
      return undefined;
  }
}

function relationOf(
  seen: SeenCheckpoint | undefined,
  { saves, last, image, header }: Extract<WalScan, { kind: 'sealed' }>,
): CheckpointRelation {
  if (seen === undefined) return 'missing';
  const { bytes } = seen;
  // The digest of an image that splices made is of its parts, and not of the file that it becomes.
  if (equalBytes(bytes, image)) return 'afterImage';
  const isImage = (one: ImageDigest | undefined) =>
    one?.size === bytes.length && one.sha256 === (seen.sha256 ?? sha256Hex(bytes));
  if (saves.some(({ intent }) => isImage(intent.preImage) || isImage(intent.afterImage))) {
    return 'preImage';
  }
  const { reading } = seen;
  const { sequence } = last.intent;
  if (reading.kind === 'sealed' && reading.sequence > sequence) return 'newer';
  const isEditOfIt = reading.kind === 'mismatch' && reading.sequence === sequence;
  return isEditOfIt && reading.epoch === header.epoch ? 'editedAfterImage' : 'other';
}

/** Moves the log into quarantine. */
export function* quarantineWal(
  session: Session,
  { reason }: IoOperations['quarantineWal']['input'],
): Steps<IoOperations['quarantineWal']['output']> {
  const claimed = session.scan === undefined ? undefined : claimedBy(session.scan);
  const isOurs = session.scan?.kind !== 'foreignTarget' && claimed !== undefined;
  const name = isOurs ? entryName(claimed, QUARANTINED_WAL) : QUARANTINED_WAL;
  const kept = yield* keepFile(session, pathsOf(session).wal, name, reason);
  session.round = undefined;
  session.walBytes = undefined;
  session.scan = undefined;
  return { kept };
}

/**
 * The log's save is under the checkpoint's name already: makes that durable. Where the file was
 * edited since, the save itself, which only the log still holds, goes into history.
 */
export function* finishWal(session: Session): Steps<undefined> {
  const { fs, scan, current } = session;
  const { target, directory } = pathsOf(session);
  if (scan?.kind === 'sealed' && current?.reading.kind === 'mismatch') {
    const reading = readSeal(scan.image, scan.covered);
    const { sequence } = scan.last.intent;
    yield* keepInHistory(session, { ...current, bytes: scan.image, reading }, sequence, 'copy');
  }
  yield* syncPath(fs, target);
  yield* syncDirectory(fs, directory);
  return undefined;
}

/** Takes the after-image from the log; decides what becomes of the file that it replaces. */
export function* loadWal(session: Session): Steps<IoOperations['loadWal']['output']> {
  const { scan, current } = session;
  if (scan?.kind !== 'sealed') throw new TypeError('the log is not sealed');
  const { sequence } = scan.last.intent;
  const reading = readSeal(scan.image, scan.covered);
  const { epoch } = scan.header;
  session.epoch = epoch;
  const sealed = reading.kind === 'sealed' ? reading : unsealed(scan, reading);
  session.round = { sequence, image: scan.image, sealed, skips: scan.saves.length > 1 };
  if (current !== undefined && !current.historic) {
    const problem = yield* problemWith(session, current);
    const historic = problem === undefined && session.externalEdits === 'adopt';
    session.current = { ...current, historic };
    if (!historic) {
      yield* keepBytes(session, current.bytes, pathsOf(session).targetName, 'replaced-by-recovery');
    }
  }
  return { sequence };
}

/** What an image counts as that carries no seal of its own: logs may hold any bytes. */
function unsealed(
  { last, header }: Extract<WalScan, { kind: 'sealed' }>,
  reading: SealReading,
): SealedReading {
  const text = 'text' in reading ? reading.text : '';
  const { sequence } = last.intent;
  return { kind: 'sealed', sequence, epoch: header.epoch, text, artifacts: [] };
}

/** Reads and judges the checkpoint. */
export function* checkCheckpoint(session: Session): Steps<CheckpointEvidence> {
  const seen = see(session);
  session.current = seen;
  session.entries = listEntries(session);
  const newestEntry = session.entries.at(-1) ?? 0;
  const claim = claimOf(seen);
  session.epoch = Math.max(session.epoch, claim?.epoch ?? 0) + 1;
  session.onEpoch?.(session.epoch);
  const judged = seen === undefined ? undefined : yield* judge(session, seen);
  if (judged?.condition === 'sealed' && seen?.reading.kind === 'sealed') {
    rebaseOn(session, seen.reading);
  }
  return {
    condition: judged?.condition ?? 'missing',
    file: pathsOf(session).target,
    size: seen?.bytes.length ?? 0,
    highestSequence: Math.max(
      newestEntry,
      claim?.sequence ?? unreadableSequence(session, seen),
      highestQuarantined(session),
    ),
    everPublished: session.entries.length > 0 || claim !== undefined || hasRemnant(seen),
    ...(claim && claim),
    ...(judged?.problem && { problem: judged.problem }),
  };
}

/** Numbers that a log in quarantine may have promised are not given to other states. */
function highestQuarantined({ fs, located }: Session): number {
  const names = located === undefined ? [] : listOrNone(fs, located.quarantine);
  const sequences = names.map((name) => {
    const found = /-(\d{12,15}\.checkpoint\.wal)$/.exec(name)?.[1];
    return found === undefined ? 0 : (sequenceInName(found, QUARANTINED_WAL) ?? 0);
  });
  return sequences.reduce((highest, sequence) => Math.max(highest, sequence), 0);
}

/** The file was sealed once, and its seal was cut or damaged. */
function hasRemnant(seen: SeenCheckpoint | undefined): boolean {
  return seen?.reading.kind === 'unsealed' && seen.reading.remnant === true;
}

/**
 * A file that lost its seal, or is gone, was at most one later than the newest entry: each save keeps
 * its predecessor, under the number before its own.
 */
function unreadableSequence(session: Session, seen: SeenCheckpoint | undefined): number {
  const newest = session.entries.at(-1);
  if (newest === undefined) return hasRemnant(seen) ? 1 : 0;
  return newest + 1;
}

/** Whether history holds a later checkpoint that verifies; the protocol never leaves things so. */
function hasLaterEntry(session: Session, sequence: number): boolean {
  const later = session.entries.filter((entry) => entry > sequence);
  return later.some((entry) => 'text' in readEntry(session, entry));
}

function claimOf(
  seen: SeenCheckpoint | undefined,
): { readonly sequence: number; readonly epoch: number } | undefined {
  const reading = seen?.reading;
  if (reading?.kind !== 'sealed' && reading?.kind !== 'mismatch') return undefined;
  const { sequence, epoch } = reading;
  const absurd = reading.kind === 'mismatch' && Math.max(sequence, epoch) > MAX_CLAIM;
  return absurd ? { sequence: 0, epoch: 0 } : { sequence, epoch };
}

interface Judgement {
  readonly condition: CheckpointCondition;
  readonly problem?: Problem;
}

/** The text of the newest entry that history holds, if it verifies: after a close, that of the checkpoint. */
function newestText(session: Session): string | undefined {
  const newest = session.entries.at(-1);
  const entry = newest === undefined ? undefined : readEntry(session, newest);
  return entry !== undefined && 'text' in entry ? entry.text : undefined;
}

function* judge(session: Session, seen: SeenCheckpoint): Steps<Judgement> {
  const { reading } = seen;
  if (reading.kind === 'unsupportedVersion') return { condition: 'unsupportedVersion' };
  const isVouchedFor = reading.kind === 'sealed' && !session.validateSealed;
  const problem = isVouchedFor ? undefined : yield* problemWith(session, seen, newestText(session));
  if (problem !== undefined) {
    return { condition: problem.code === 'SCHEMA_INVALID' ? 'schemaInvalid' : 'damaged', problem };
  }
  if (reading.kind === 'sealed') {
    return { condition: hasLaterEntry(session, reading.sequence) ? 'older' : 'sealed' };
  }
  return { condition: reading.kind === 'mismatch' ? 'edited' : 'unsealed' };
}

/** Copies the checkpoint file, as it is now, into quarantine. */
export function* keepCheckpoint(
  session: Session,
  { reason }: IoOperations['keepCheckpoint']['input'],
): Steps<IoOperations['keepCheckpoint']['output']> {
  const { targetName } = pathsOf(session);
  const seen = see(session);
  if (session.recovered) yield* keepDisplaced(session);
  session.current = seen && { ...seen, historic: false };
  session.observed = undefined;
  if (seen === undefined) return {};
  const kept = yield* keepBytes(session, seen.bytes, targetName, reason, seen.ownership);
  return { kept };
}

/** Takes the file as it is as the current state. Changes nothing on disk but history. */
export function* adoptCheckpoint(
  session: Session,
  { sequence }: IoOperations['adoptCheckpoint']['input'],
): Steps<IoOperations['adoptCheckpoint']['output']> {
  if (session.recovered) yield* keepDisplaced(session);
  const seen = session.observed ?? session.current;
  if (seen === undefined || !('text' in seen.reading)) {
    throw new TypeError('there is nothing to adopt');
  }
  const artifacts = artifactsOfAdopted(session, seen);
  session.artifacts = artifacts;
  session.current = { ...seen, sequence, artifacts, historic: true };
  session.observed = undefined;
  session.content.rebase({ text: seen.reading.text, sequence });
  return { size: seen.bytes.length };
}

/** An edit replaced the file while the store was open: what it replaced is still in memory. */
function* keepDisplaced(session: Session): Steps<void> {
  const { current } = session;
  if (current?.historic && current.sequence !== undefined) {
    yield* keepInHistory(session, current, current.sequence, 'copy');
  }
}

/** Removes temporary files that a crash left behind, here, in history and in quarantine. */
export function removeLeftovers(session: Session): IoOperations['removeLeftovers']['output'] {
  const { directory, history, quarantine, targetName } = pathsOf(session);
  const removed = [
    ...removeTemporaries(
      session,
      directory,
      '',
      (name) => name === targetName || name === HEALTH_TEMPORARY,
    ),
    ...removeTemporaries(
      session,
      history,
      'checkpoints/',
      (name) => sequenceInName(name, targetName) !== undefined,
    ),
    ...removeTemporaries(session, quarantine, 'quarantine/', (name) => name.endsWith(targetName)),
  ];
  session.recovered = true;
  return { removed };
}

function removeTemporaries(
  { fs }: Session,
  directory: string,
  prefix: string,
  isOurs: (name: string) => boolean,
): string[] {
  const left = listOrNone(fs, directory).filter((name) => isTemporaryName(name, isOurs));
  for (const name of left) unlinkIfThere(fs, join(directory, name));
  return left.map((name) => `${prefix}${name}`);
}

/** The names in a directory that need not be there. */
function listOrNone(fs: FileSystem, directory: string): string[] {
  try {
    return fs.stat(directory) === undefined ? [] : fs.list(directory);
  } catch (error) {
    throw readError(error, directory);
  }
}
