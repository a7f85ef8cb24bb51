/**
 * History on disk: one sealed, read-only file for each earlier checkpoint, named by its sequence
 * number. Keeping a predecessor is a hard link where the file system has them: no second write.
 */
import type { ArtifactRecord } from '../format/artifact-lines.js';
import { readSeal, sealText } from '../format/seal.js';
import { type FileIdentity, readAgreed, readsAs } from './file-content.js';
import type { FileStat, FileSystem } from './file-system.js';
import {
  ensureOwnDirectory,
  linkOrNot,
  makeReadOnly,
  publishNew,
  syncDirectory,
  temporaryFor,
  unlinkIfThere,
} from './files.js';
import { readError } from './io-error.js';
import { keepFile } from './quarantine-files.js';
import { noteKept } from './retention-state.js';
import type { Steps } from './run.js';
import { pathsOf, type SealedReading, type SeenCheckpoint, type Session } from './session.js';
import { join, type StorePaths } from './store-paths.js';

const DIGITS = 12;

/** The name of a history entry. */
export function entryName(sequence: number, targetName: string): string {
  return `${String(sequence).padStart(DIGITS, '0')}.${targetName}`;
}

/** The sequence number in an entry's name, or `undefined` for other files. */
export function sequenceInName(name: string, targetName: string): number | undefined {
  const digits = /^\d{12,15}(?=\.)/.exec(name)?.[0];
  return digits !== undefined && name.slice(digits.length + 1) === targetName
    ? Number(digits)
    : undefined;
}

/** Sequence numbers of this store's entries, ascending. */
export function listEntries(session: Session): number[] {
  return listSequences(session.fs, pathsOf(session));
}

/** Sequence numbers of a store's entries, ascending, from their names alone. Needs no lock. */
export function listSequences(fs: FileSystem, { history, targetName }: StorePaths): number[] {
  let names: string[];
  try {
    names = fs.stat(history) === undefined ? [] : fs.list(history);
  } catch (error) {
    throw readError(error, history);
  }
  const found = names.map((name) => sequenceInName(name, targetName));
  return found.filter((sequence) => sequence !== undefined).sort((a, b) => a - b);
}

/** The absolute path of an entry. */
export function entryPath(session: Session, sequence: number): string {
  const { history, targetName } = pathsOf(session);
  return join(history, entryName(sequence, targetName));
}

/**
 * Keeps a checkpoint in history, durably. One that carries its own seal under its number is linked;
 * one that was adopted is written with a seal, as every entry must verify by itself. An entry of that
 * number with other content goes to quarantine.
 */
export function* keepInHistory(
  session: Session,
  seen: SeenCheckpoint,
  sequence: number,
  how: 'link' | 'copy',
): Steps<void> {
  const { fs } = session;
  const { history } = pathsOf(session);
  const image = sealedImage(session, seen, sequence);
  if (image === undefined) return;
  yield* ensureOwnDirectory(fs, history);
  const path = entryPath(session, sequence);
  const canLink = how === 'link' && image === seen.bytes;
  const found = fs.statLink(path);
  if (found !== undefined) {
    const isLinked = canLink && isSameFile(found, seen.identity);
    if (isLinked || readsAs(fs, path, image)) {
      remember(session, seen, sequence);
      yield* syncDirectory(fs, history);
      return;
    }
    const name = entryName(sequence, pathsOf(session).targetName);
    yield* keepFile(session, path, name, 'history-entry-replaced');
  }
  const linked = canLink && linkOrNot(fs, pathsOf(session).target, path);
  if (linked) yield* syncDirectory(fs, history);
  else yield* writeEntry(session, path, image, seen);
  remember(session, seen, sequence);
}

/** Whether an entry is the checkpoint's own file under a second name: there is nothing to compare. */
function isSameFile(entry: FileStat, { device, inode }: FileIdentity): boolean {
  return entry.links > 1 && entry.inode !== 0 && entry.inode === inode && entry.device === device;
}

function sealedImage(
  { epoch }: Session,
  { bytes, reading, changedMs, artifacts }: SeenCheckpoint,
  sequence: number,
): Uint8Array | undefined {
  if (reading.kind === 'sealed' && reading.sequence === sequence) return bytes;
  if (!('text' in reading)) return undefined;
  return sealText(reading.text, { sequence, epoch, timeMs: changedMs, artifacts });
}

function* writeEntry(
  session: Session,
  path: string,
  image: Uint8Array,
  { ownership }: SeenCheckpoint,
): Steps<void> {
  const { fs, random } = session;
  yield* publishNew(fs, path, image, ownership, temporaryFor(path, random));
  makeReadOnly(fs, path);
}

/** Entries come in order but for rare exceptions, so that this costs nothing in a long history. */
function remember(session: Session, seen: SeenCheckpoint, sequence: number): void {
  session.newestKept = sequence;
  const { entries, retention } = session;
  const { reading } = seen;
  const isOwnSeal = reading.kind === 'sealed' && reading.sequence === sequence;
  // An edit that was adopted may be of a file that is old itself: it is current since it was seen.
  const timeMs = (isOwnSeal ? reading.timeMs : undefined) ?? seen.seenAtMs;
  noteKept(retention, { sequence, timeMs }, isOwnSeal && reading.pinned === true);
  let at = entries.length;
  while (at > 0 && (entries[at - 1] ?? 0) > sequence) at -= 1;
  if (entries[at - 1] !== sequence) entries.splice(at, 0, sequence);
}

/**
 * Replaces an entry whose file was changed in place while it was still linked to the checkpoint.
 */
export function* repairEntry(
  session: Session,
  seen: SeenCheckpoint,
  sequence: number,
): Steps<void> {
  const path = entryPath(session, sequence);
  const image = sealedImage(session, seen, sequence);
  if (image === undefined || readsAs(session.fs, path, image)) return;
  unlinkIfThere(session.fs, path);
  yield* writeEntry(session, path, image, seen);
}

/**
 * After publication: the predecessor's file has only its name in history left, and is made read-only.
 * A courtesy: the save has succeeded already, so a failure here is not reported.
 */
export function protectEntry(session: Session, sequence: number): void {
  const path = entryPath(session, sequence);
  try {
    if (session.fs.stat(path)?.links === 1) makeReadOnly(session.fs, path);
  } catch {
    // Entries verify themselves; the mode only guards against slips of the hand.
  }
}

/** What an entry holds, if the entry verifies under its name. */
export function readEntry(
  session: Session,
  sequence: number,
): SealedReading | { readonly reason: string } {
  return readEntryFile(session.fs, entryPath(session, sequence), sequence, session.maxBytes);
}

/** What the entry in a file holds, if it verifies under its name. Needs no lock. */
export function readEntryFile(
  fs: FileSystem,
  path: string,
  sequence: number,
  maxBytes: number,
): SealedReading | { readonly reason: string } {
  const file = readAgreed(fs, path, maxBytes);
  if (file === undefined) return { reason: 'it is missing' };
  const reading = readSeal(file.bytes);
  if (reading.kind !== 'sealed') return { reason: `its seal does not verify (${reading.kind})` };
  if (reading.sequence !== sequence) {
    return { reason: `it is checkpoint ${reading.sequence} under another's name` };
  }
  return reading;
}

/**
 * The artifacts of a file that is adopted: those that its own seal vouches for, else those of the
 * checkpoint before it, as far as they are known. An edit by itself says nothing about them.
 */
export function artifactsOfAdopted(
  session: Session,
  { reading, artifacts }: SeenCheckpoint,
): readonly ArtifactRecord[] {
  if (reading.kind === 'sealed') return artifacts;
  if (session.recovered) return session.artifacts;
  if (reading.kind === 'mismatch') return artifacts;
  const newest = session.entries.at(-1);
  const entry = newest === undefined ? undefined : readEntry(session, newest);
  return entry !== undefined && 'text' in entry ? entry.artifacts : [];
}
