/**
 * Where the files of one store are. Symbolic links are resolved before anything is named, so that
 * the log, the lock and the temporary files lie beside the real checkpoint. The layout is ruled by
 * `docs/architecture.md`.
 */
import { CheckpointError } from '../errors.js';
import type { FileSystem } from './file-system.js';
import { isMissing, readError } from './io-error.js';

/** Absolute paths of one store's files. */
export interface StorePaths {
  readonly directory: string;
  readonly target: string;
  /** Name of the checkpoint file inside `directory`: its identity in the log. */
  readonly targetName: string;
  readonly wal: string;
  readonly lock: string;
  /** The failure detector's memory. */
  readonly health: string;
  readonly history: string;
  readonly quarantine: string;
  /** The audit's file that is written to. */
  readonly audit: string;
  /** Where its earlier files are. */
  readonly auditFiles: string;
}

/** Name of the checkpoint file where the user chose none. */
export const DEFAULT_FILE = 'ORCHESTRATION.yaml';

const WAL_NAME = '.checkpoint.wal';
const LOCK_NAME = '.checkpoint.lock';
/** Name of the failure detector's memory. */
export const HEALTH_NAME = '.checkpoint.health';
/** What its temporary files are named after. */
export const HEALTH_TEMPORARY = 'checkpoint.health';
/** Name of the audit's file that is written to. */
export const AUDIT_NAME = 'audit.jsonl';
const MAX_LINKS = 40;

/** Joins a directory and a name. */
export function join(directory: string, name: string): string {
  return /[/\\]$/.test(directory) ? `${directory}${name}` : `${directory}/${name}`;
}

/** The path itself if it is absolute, else the path from the working directory. */
export function absolute(path: string, workingDirectory: () => string): string {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path) ? path : join(workingDirectory(), path);
}

/** The directory part of a path. */
export function parentOf(path: string): string {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  if (cut < 0) return '.';
  return cut === 0 || path[cut - 1] === ':' ? path.slice(0, cut + 1) : path.slice(0, cut);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/**
 * Refuses names that would leave the directory or collide with the store's own files.
 * @throws CheckpointError `PATH_OUTSIDE_STORE`
 */
export function checkFileName(file: string): void {
  const reserved = /^\.checkpoint\.|^(checkpoints|quarantine|audit|audit\.jsonl)$/.test(file);
  const leaves = file === '' || file === '.' || file === '..' || /[/\\\0]/.test(file);
  if (leaves || reserved) {
    throw new CheckpointError(
      'PATH_OUTSIDE_STORE',
      reserved
        ? `"${file}" is a name that the store uses itself: choose another name for the checkpoint file.`
        : `"${file}" is not a plain file name: name the directory separately.`,
      { file },
    );
  }
}

/**
 * Resolves where a store lies. The directory must exist; the checkpoint file need not.
 * @throws CheckpointError `PATH_OUTSIDE_STORE`, `READ_FAILED`, `NO_STORE` (no such directory)
 */
export function resolvePaths(fs: FileSystem, directory: string, file: string): StorePaths {
  checkFileName(file);
  const target = resolveTarget(fs, join(realDirectory(fs, directory), file));
  const found = fs.statLink(target);
  if (found !== undefined && found.kind !== 'file') {
    throw new CheckpointError(
      'READ_FAILED',
      `${target} is a ${found.kind}, not a regular file. Nothing was changed.`,
      { file: target },
    );
  }
  const real = parentOf(target);
  return {
    directory: real,
    target,
    targetName: nameOf(target),
    wal: join(real, WAL_NAME),
    lock: join(real, LOCK_NAME),
    health: join(real, HEALTH_NAME),
    history: join(real, 'checkpoints'),
    quarantine: join(real, 'quarantine'),
    audit: join(real, AUDIT_NAME),
    auditFiles: join(real, 'audit'),
  };
}

function realDirectory(fs: FileSystem, directory: string): string {
  try {
    return fs.realPath(directory);
  } catch (error) {
    if (!isMissing(error)) throw readError(error, directory);
    throw new CheckpointError(
      'NO_STORE',
      `There is no directory ${directory}.`,
      { file: directory },
      { cause: error },
    );
  }
}

/** Follows symbolic links from the checkpoint's name, also one that leads to a file not yet there. */
function resolveTarget(fs: FileSystem, path: string): string {
  let at = path;
  for (let hops = 0; hops < MAX_LINKS; hops += 1) {
    if (fs.statLink(at)?.kind !== 'symlink') return at;
    const text = fs.readLink(at);
    const next = /^([/\\]|[A-Za-z]:)/.test(text) ? text : join(parentOf(at), text);
    at = join(realDirectory(fs, parentOf(next)), nameOf(next));
  }
  throw new CheckpointError('READ_FAILED', `${path}: its symbolic links go in circles.`, {
    file: path,
  });
}
