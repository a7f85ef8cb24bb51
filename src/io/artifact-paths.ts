/**
 * Where artifacts may lie: regular files below one root directory, named by relative paths. A path comes
 * from callers, from states and from files, so nothing in it is believed; symbolic links are followed
 * only as far as they stay inside the root.
 */
import { CheckpointError } from '../errors.js';
import { MAX_ARTIFACT_PATH_BYTES } from '../format/artifact-lines.js';
import { fits } from '../format/quoted-text.js';
import type { FileStat, FileSystem } from './file-system.js';
import { isMissing, readError, systemCode } from './io-error.js';
import { join } from './store-paths.js';

/** An artifact's file, found inside the root. */
export interface FoundArtifact {
  /** The path as it is recorded: with `/`, without empty parts and without `.`. */
  readonly path: string;
  /** The absolute path of the file itself, every symbolic link resolved. */
  readonly file: string;
  readonly stat: FileStat;
}

/**
 * The form of a path that is recorded.
 * @throws CheckpointError `ARTIFACT_OUTSIDE_ROOT`; `TOO_LARGE` above 1,024 bytes
 */
export function normalArtifactPath(path: string): string {
  // A backslash separates names on Windows, and is never needed elsewhere; a colon names a drive there.
  const isOutside = /^\/|[\\\0]|^[A-Za-z]:/.test(path) || path.split('/').includes('..');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (isOutside || parts.length === 0) {
    throw outside(path, 'it is not a path below the root');
  }
  const normal = parts.join('/');
  if (fits(normal, MAX_ARTIFACT_PATH_BYTES)) return normal;
  throw new CheckpointError(
    'TOO_LARGE',
    `The artifact's path ${JSON.stringify(path.slice(0, 80))}… is no UTF-8 text of at most ${MAX_ARTIFACT_PATH_BYTES} bytes.`,
    { path: path.slice(0, MAX_ARTIFACT_PATH_BYTES) },
  );
}

/**
 * The root itself, every symbolic link resolved.
 * @throws CheckpointError `ARTIFACT_MISSING`, `READ_FAILED`
 */
export function realRoot(fs: FileSystem, root: string): string {
  try {
    return fs.realPath(root);
  } catch (error) {
    if (!isMissing(error)) throw readError(error, root);
    throw new CheckpointError(
      'ARTIFACT_MISSING',
      `There is no directory ${root} for artifacts.`,
      { file: root },
      { cause: error },
    );
  }
}

/**
 * Finds an artifact's file without opening it: opening a pipe would wait for its other end.
 * @param root as {@link realRoot} returns it
 * @throws CheckpointError `ARTIFACT_MISSING`, `ARTIFACT_OUTSIDE_ROOT`, `READ_FAILED`, `TOO_LARGE`
 */
export function findArtifact(fs: FileSystem, root: string, asked: string): FoundArtifact {
  const path = normalArtifactPath(asked);
  const place = join(root, path);
  let file: string;
  let stat: FileStat | undefined;
  try {
    file = fs.realPath(place);
    stat = fs.statLink(file);
  } catch (error) {
    throw notFound(error, path, place);
  }
  if (!file.startsWith(join(root, '')))
    throw outside(path, 'a symbolic link leads out of the root');
  if (stat === undefined) throw missing(path, place);
  if (stat.kind !== 'file') {
    throw outside(path, `it is a ${stat.kind === 'other' ? 'pipe, socket or device' : stat.kind}`);
  }
  return { path, file, stat };
}

function notFound(error: unknown, path: string, place: string): CheckpointError {
  const code = systemCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing(path, place);
  if (code === 'ELOOP') return outside(path, 'its symbolic links go in circles');
  return readError(error, place);
}

function missing(path: string, file: string): CheckpointError {
  return new CheckpointError('ARTIFACT_MISSING', `The artifact ${path} is not there (${file}).`, {
    path,
    file,
  });
}

function outside(path: string, reason: string): CheckpointError {
  return new CheckpointError(
    'ARTIFACT_OUTSIDE_ROOT',
    `${JSON.stringify(path)} is no artifact: ${reason}. Artifacts are regular files below the artifacts' root.`,
    { path },
  );
}
