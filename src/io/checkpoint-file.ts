/**
 * Looking at the checkpoint file: reading it, and telling cheaply whether it changed since.
 */
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import { equalBytes } from '../format/bytes.js';
import { digestsOf, readSeal } from '../format/seal.js';
import { identityOf, type ReadFile, readAgreed, sameIdentity } from './file-content.js';
import type { FileStat } from './file-system.js';
import { readError } from './io-error.js';
import type { Steps } from './run.js';
import { wait } from './run.js';
import {
  pathsOf,
  type Round,
  rebaseOn,
  recordedMs,
  type SeenCheckpoint,
  type Session,
} from './session.js';

/**
 * File systems stamp changes with a coarse clock (4 to 10 ms on Linux). A file that was changed
 * shortly before it was looked at could have been changed again since, with the same stamp and size;
 * within this margin its content is compared.
 */
const COARSE_CLOCK_MS = 50;

/** Reads the file as it is now; `undefined` where there is none. */
export function see(session: Session): SeenCheckpoint | undefined {
  return look(session, ({ bytes }) => ({ reading: readSeal(bytes) }));
}

/** The same with the digest of the file, which one walk over its bytes gives with that of its seal. */
export function seeWithDigest(session: Session): SeenCheckpoint | undefined {
  return look(session, ({ bytes }) => {
    const { whole, covered } = digestsOf(bytes);
    return { reading: readSeal(bytes, covered), sha256: whole };
  });
}

function look(
  session: Session,
  read: (file: ReadFile) => Pick<SeenCheckpoint, 'reading' | 'sha256'>,
): SeenCheckpoint | undefined {
  const seenAtMs = session.now();
  const { fs, current, maxBytes } = session;
  const file = readAgreed(fs, pathsOf(session).target, maxBytes, current?.bytes);
  if (file === undefined) return undefined;
  const isKnown = current !== undefined && equalBytes(file.bytes, current.bytes);
  const judged = isKnown ? { reading: current.reading } : read(file);
  const { reading } = judged;
  const historic = reading.kind === 'sealed';
  return {
    ...file,
    ...judged,
    seenAtMs,
    sequence: historic ? reading.sequence : undefined,
    changedMs: recordedMs(file.identity.modifiedMs),
    artifacts: 'artifacts' in reading ? reading.artifacts : [],
    historic,
  };
}

/** Whether the file's stamps are those that were last seen. Cheap, and blind within the coarse clock. */
export function looksUnchanged(session: Session): boolean {
  const { target } = pathsOf(session);
  const { current } = session;
  let stat: FileStat | undefined;
  try {
    stat = session.fs.statLink(target);
  } catch (error) {
    throw readError(error, target);
  }
  if (stat !== undefined && stat.kind !== 'file') throw notAFile(target, stat.kind);
  if (stat !== undefined && current !== undefined) {
    // A change of mode or owner is no edit, and the next file takes it over.
    const { mode, uid, gid } = stat;
    session.current = { ...current, ownership: { mode, owner: { uid, gid } } };
  }
  return sameIdentity(stat && identityOf(stat), current?.identity);
}

function notAFile(target: string, kind: string): CheckpointError {
  return new CheckpointError(
    'READ_FAILED',
    `${target} has become a ${kind} while the store was open. Nothing was written. Put the file back, or close the store and open it again.`,
    { file: target },
  );
}

/** What is there now, if it differs from what was last seen; `'same'` otherwise. */
export function seeChange(session: Session): 'same' | SeenCheckpoint | undefined {
  const isUnchanged = looksUnchanged(session);
  const { current } = session;
  if (isUnchanged) {
    if (current === undefined) return 'same';
    if (current.identity.modifiedMs < current.seenAtMs - COARSE_CLOCK_MS) return 'same';
  }
  const seen = see(session);
  if (seen === undefined) return current === undefined ? 'same' : undefined;
  if (current === undefined || !equalBytes(seen.bytes, current.bytes)) return seen;
  session.current = { ...current, identity: seen.identity, seenAtMs: seen.seenAtMs };
  return 'same';
}

/** A round was published: its file is the checkpoint. @param stat of the file before it had its name */
export function takeAsCurrent(
  session: Session,
  { image, sealed, sequence, version, ending, sha256 }: Round,
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
    ...(version && ending && { rendered: { version, ending } }),
    ...(sha256 !== undefined && { sha256 }),
  };
  rebaseOn(session, sealed, version);
}

/**
 * Why this store can't take `seen` as its state; `undefined` if it can. `known` is the text that was
 * there before, if it is known.
 */
export function* problemWith(
  session: Session,
  seen: SeenCheckpoint,
  known?: string,
): Steps<Problem | undefined> {
  const { reading } = seen;
  if (reading.kind === 'notText') {
    return {
      code: 'INVALID_YAML',
      message: `it is not UTF-8 text: byte ${reading.offset} begins no character`,
      offset: reading.offset,
    };
  }
  try {
    yield* wait(session.content.validate(reading.text));
    return cutOff(seen, known);
  } catch (error) {
    if (error instanceof CheckpointError) return toProblem(error);
    throw error;
  }
}

/**
 * A file that is the beginning of what was there before, and has lost its seal with the rest, was cut off:
 * the end of YAML may be missing without anything being wrong with what is left. Whoever removes the last
 * part of a file on purpose leaves the seal, which comes after it.
 */
function cutOff(
  { reading, bytes }: SeenCheckpoint,
  known: string | undefined,
): Problem | undefined {
  if (reading.kind !== 'unsealed' || known === undefined) return undefined;
  const { text } = reading;
  if (text.length >= known.length || !known.startsWith(text)) return undefined;
  const lines = text.split('\n');
  return {
    code: 'TRUNCATED',
    message: `it is the beginning of the checkpoint before and stops after ${bytes.length} bytes, without its seal: it was cut off`,
    line: lines.length,
    column: (lines.at(-1)?.length ?? 0) + 1,
    offset: bytes.length,
  };
}
