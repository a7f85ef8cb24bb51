/**
 * The failure detector's memory on disk: `.checkpoint.health`, replaced as a whole and durable before
 * the operation answers. What can't be read is set aside and counts as nothing remembered. Ruled by
 * `docs/failure-detection.md`.
 */
import { CheckpointError } from '../errors.js';
import {
  decodeHealth,
  encodeHealth,
  type HealthMemory,
  MAX_HEALTH_BYTES,
} from '../format/health-format.js';
import { textDigestOf } from '../format/seal.js';
import type { HealthEvidence, IoOperations, KeptFile } from './checkpoint-io.js';
import { readWhole } from './file-content.js';
import type { FileSystem } from './file-system.js';
import { replaceFile, syncDirectory, temporaryFor, unlinkIfThere } from './files.js';
import { keepFile } from './quarantine-files.js';
import type { Steps } from './run.js';
import { checkLock, ownershipOf, pathsOf, type SeenCheckpoint, type Session } from './session.js';
import { HEALTH_NAME, HEALTH_TEMPORARY, join } from './store-paths.js';

/** Reads the memory, and what the store goes on from. */
export function* readHealth(session: Session): Steps<HealthEvidence> {
  const { fs, now, current } = session;
  checkLock(session);
  const { memory, reason } = readHealthFile(fs, pathsOf(session).health);
  const kept = reason === undefined ? undefined : yield* keepUnreadable(session, reason);
  // What is no checkpoint has no number: there is nothing to be marked as bad.
  const digest = current?.sequence === undefined ? undefined : textDigest(current);
  return {
    ...(memory && { memory }),
    ...(kept && { kept }),
    nowMs: now(),
    ...(digest && { current: { sequence: current?.sequence ?? 0, digest } }),
  };
}

/** What a health file says: nothing where there is none; why, where it can't be read. */
export function readHealthFile(
  fs: FileSystem,
  path: string,
): { readonly memory?: HealthMemory; readonly reason?: string } {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readWhole(fs, path, MAX_HEALTH_BYTES)?.bytes;
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'TOO_LARGE') throw error;
    return { reason: 'too-large' };
  }
  if (bytes === undefined) return {};
  const reading = decodeHealth(bytes);
  if (reading.kind === 'memory') return { memory: reading.memory };
  return { reason: reading.kind === 'damaged' ? 'damaged' : 'unsupported-version' };
}

/** Replaces the memory; an absent one removes the file. */
export function* writeHealth(
  session: Session,
  { memory }: IoOperations['writeHealth']['input'],
): Steps<undefined> {
  const { fs, random } = session;
  const { health, directory } = pathsOf(session);
  checkLock(session);
  if (session.untrusted) throw notTrusted(health);
  if (memory === undefined) {
    // Where a close follows, its own sync of the directory would do; a memory that comes back after a
    // power failure would count a crash that was none.
    if (unlinkIfThere(fs, health)) yield* syncDirectory(fs, directory);
    return undefined;
  }
  const bytes = encodeHealth(memory);
  yield* replaceFile(
    fs,
    health,
    bytes,
    ownershipOf(session),
    temporaryFor(join(directory, HEALTH_TEMPORARY), random),
  );
  return undefined;
}

/** SHA-256 of the text of a checkpoint, whatever its seal says; `undefined` for what is no text. */
export function textDigest({ reading }: SeenCheckpoint): string | undefined {
  return textDigestOf(reading);
}

function* keepUnreadable(session: Session, reason: string): Steps<KeptFile> {
  return yield* keepFile(session, pathsOf(session).health, HEALTH_NAME, `health-${reason}`);
}

function notTrusted(file: string): CheckpointError {
  return new CheckpointError(
    'HALTED',
    `A directory of this store could not be synced: ${file} is not written any more.`,
    { file },
  );
}
