/**
 * Turns the system's errors into coded ones that say what failed, on which file, and what to do.
 */
import { CheckpointError, type CheckpointErrorDetails } from '../errors.js';

/** The system's error code (`ENOSPC`, `EIO`, …), if the error has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Whether the error means that nothing is there. */
export function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** A failed read of `file`. */
export function readError(error: unknown, file: string): CheckpointError {
  if (error instanceof CheckpointError) return error;
  return new CheckpointError(
    'READ_FAILED',
    `${file} could not be read (${reasonOf(error)}). Nothing was changed.`,
    { file },
    { cause: error },
  );
}

/** A failed write, create, rename, link or unlink of `file`. */
export function writeError(
  error: unknown,
  file: string,
  doing: string,
  details: CheckpointErrorDetails = {},
): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const full = FULL.has(systemCode(error) ?? '');
  return new CheckpointError(
    full ? 'NO_SPACE' : 'WRITE_FAILED',
    full
      ? `No space left for ${doing} ${file}. Make room and save again.`
      : `${doing} ${file} failed (${reasonOf(error)}).`,
    { file, ...details },
    { cause: error },
  );
}

/** A failed sync of a file or directory. */
export function syncError(
  error: unknown,
  file: string,
  what: 'file' | 'directory',
  details: CheckpointErrorDetails = {},
): CheckpointError {
  if (error instanceof CheckpointError) return error;
  return new CheckpointError(
    'SYNC_FAILED',
    `Syncing ${file} failed (${reasonOf(error)}): what is on disk is not known.`,
    { file, directory: what === 'directory', ...details },
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}
