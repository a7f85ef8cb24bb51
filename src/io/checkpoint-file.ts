/**
 * Looking at the checkpoint file: reading it, and telling cheaply whether it changed since.
 */
import { CheckpointError } from '../errors.js';
import { equalBytes } from '../format/bytes.js';
import { readSeal } from '../format/seal.js';
import type { Problem } from './checkpoint-io.js';
import { identityOf, readWhole, sameIdentity } from './files.js';
import { readError } from './io-error.js';
import type { Steps } from './run.js';
import { wait } from './run.js';
import { pathsOf, type SeenCheckpoint, type Session } from './session.js';

/**
 * File systems stamp changes with a coarse clock (4 to 10 ms on Linux). A file that was changed
 * shortly before it was looked at could have been changed again since, with the same stamp and size;
 * within this margin its content is compared.
 */
const COARSE_CLOCK_MS = 50;

/** Reads the file as it is now; `undefined` where there is none. */
export function see(session: Session): SeenCheckpoint | undefined {
  const seenAtMs = session.now();
  const file = readWhole(session.fs, pathsOf(session).target, session.maxBytes);
  if (file === undefined) return undefined;
  const reading = readSeal(file.bytes);
  const historic = reading.kind === 'sealed';
  return {
    ...file,
    reading,
    seenAtMs,
    sequence: historic ? reading.sequence : undefined,
    historic,
  };
}

/** Whether the file's stamps are those that were last seen. Cheap, and blind within the coarse clock. */
export function looksUnchanged(session: Session): boolean {
  const { target } = pathsOf(session);
  let now: ReturnType<typeof identityOf> | undefined;
  try {
    const stat = session.fs.stat(target);
    now = stat && identityOf(stat);
  } catch (error) {
    throw readError(error, target);
  }
  return sameIdentity(now, session.current?.identity);
}

/** What is there now, if it differs from what was last seen; `'same'` otherwise. */
export function seeChange(session: Session): 'same' | SeenCheckpoint | undefined {
  const { current } = session;
  if (looksUnchanged(session)) {
    if (current === undefined) return 'same';
    if (current.identity.modifiedMs < current.seenAtMs - COARSE_CLOCK_MS) return 'same';
  }
  const seen = see(session);
  if (seen === undefined) return current === undefined ? 'same' : undefined;
  if (current === undefined || !equalBytes(seen.bytes, current.bytes)) return seen;
  session.current = { ...current, identity: seen.identity, seenAtMs: seen.seenAtMs };
  return 'same';
}

/** Why this store can't take `seen` as its state; `undefined` if it can. */
export function* problemWith(session: Session, seen: SeenCheckpoint): Steps<Problem | undefined> {
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
    return undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return problemOf(error);
    throw error;
  }
}

function problemOf({ code, message, details }: CheckpointError): Problem {
  const { line, column, offset, path } = details;
  return {
    code,
    message,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(offset !== undefined && { offset }),
    ...(path !== undefined && { path }),
  };
}
