/**
 * The stores below one root, as their files tell without being opened: from the end of each checkpoint
 * file, the lock and the presence of a log. Takes no lock and changes nothing, so what it tells may be
 * over by then. Nothing is verified; `inspectStore` does that for one of them.
 */
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import { readLastSealLine, SEAL_TAIL_BYTES } from '../format/seal-line.js';
import { readTail } from '../io/file-content.js';
import type { FileStat, FileSystem, LockOwner } from '../io/file-system.js';
import { listSequences } from '../io/history-files.js';
import { isMissing, readError, systemCode } from '../io/io-error.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import { notALog } from '../io/recovery-operations.js';
import {
  absolute,
  checkFileName,
  DEFAULT_FILE,
  join,
  resolvePaths,
  type StorePaths,
} from '../io/store-paths.js';
import { problemOfName } from './store-names.js';

/** One store in a list of many. */
export interface StoreSummary {
  /** The directory's name below the root. */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  /** What the seal of the current checkpoint says; absent where nothing is saved yet, or with `problem`. */
  readonly sequence?: number;
  /** The label that it was saved with. */
  readonly label?: string;
  /** When it was saved, in milliseconds since the epoch; of a file without a seal, when it was modified. */
  readonly timeMs?: number;
  /** Size of the checkpoint file in bytes. */
  readonly size?: number;
  /** The living process that has the store open, this one included. */
  readonly holder?: LockOwner;
  /** Whether a log lies there that no living process is writing: a crash left it, the next open judges it. */
  readonly isLogWaiting: boolean;
  /** Why the rest is not known. */
  readonly problem?: Problem;
}

/** Options of {@link listCheckpointStores}. */
export interface ListStoresOptions {
  /** Name of the checkpoint file in each; `ORCHESTRATION.yaml` by default. */
  readonly file?: string | undefined;
  /** Node's by default. */
  readonly fileSystem?: FileSystem | undefined;
}

/** So long it goes on before timers and other I/O have their turn, in milliseconds. */
const TURN_MS = 10;

/**
 * The stores in the directories right below `root`, by name, each looked at when it is asked for. What has
 * no name of a store, is a symbolic link, or holds no store is left out; a store that can't be read has a
 * `problem`. Takes no lock.
 * @throws CheckpointError `NO_STORE` where there is no such directory, `READ_FAILED`, `PATH_OUTSIDE_STORE`
 */
export async function* listCheckpointStores(
  root: string,
  options: ListStoresOptions = {},
): AsyncGenerator<StoreSummary, void, undefined> {
  const { fileSystem: fs = createNodeFileSystem(), file = DEFAULT_FILE } = options;
  checkFileName(file);
  const directory = absolute(root, () => process.cwd());
  let turnEndsMs = performance.now() + TURN_MS;
  for (const name of namesIn(fs, directory)) {
    const summary = summarizeStore(fs, directory, name, file);
    if (summary !== undefined) yield summary;
    if (performance.now() < turnEndsMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turnEndsMs = performance.now() + TURN_MS;
  }
}

function namesIn(fs: FileSystem, root: string): string[] {
  try {
    return fs.list(root).filter((name) => problemOfName(name) === undefined);
  } catch (error) {
    if (!isMissing(error)) throw readError(error, root);
    const told = { file: root };
    throw new CheckpointError('NO_STORE', `There is no directory ${root}.`, told, { cause: error });
  }
}

/** One store below a root; `undefined` where there is none under that name. The name has been checked. */
export function summarizeStore(
  fs: FileSystem,
  root: string,
  name: string,
  file: string,
): StoreSummary | undefined {
  const directory = join(root, name);
  try {
    if (fs.statLink(directory)?.kind !== 'directory') return undefined;
    checkWithin(fs, directory, file);
    return look(fs, name, resolvePaths(fs, directory, file));
  } catch (error) {
    // Gone since it was listed.
    if (isMissing(error)) return undefined;
    const coded = systemCode(error) === undefined ? error : readError(error, directory);
    if (!(coded instanceof CheckpointError)) throw coded;
    if (coded.code === 'NO_STORE') return undefined;
    return { name, directory, isLogWaiting: false, problem: toProblem(coded) };
  }
}

/**
 * A store below a root lies there: neither its directory nor its checkpoint file is a link to elsewhere.
 * @throws CheckpointError `PATH_OUTSIDE_STORE`
 */
export function checkWithin(fs: FileSystem, directory: string, file: string): void {
  const found = fs.statLink(directory);
  if (found === undefined) return;
  const [path, kind] =
    found.kind === 'directory'
      ? ([join(directory, file), fs.statLink(join(directory, file))?.kind] as const)
      : ([directory, found.kind] as const);
  if (found.kind === 'directory' && kind !== 'symlink') return;
  const what = kind === 'symlink' ? 'a symbolic link' : `no directory but a ${kind}`;
  throw new CheckpointError(
    'PATH_OUTSIDE_STORE',
    `${path} is ${what}: each of many stores lies in a directory of its own below the root, with its file in it.`,
    { file: path },
  );
}

function look(fs: FileSystem, name: string, paths: StorePaths): StoreSummary | undefined {
  const { directory, target, wal } = paths;
  const { holder, isLogWaiting } = stateOf(fs, paths);
  const known = { name, directory, ...(holder && { holder }), isLogWaiting };
  const log = isLogWaiting ? fs.statLink(wal) : undefined;
  if (log !== undefined && log.kind !== 'file') {
    return { ...known, problem: toProblem(notALog(wal, log)) };
  }
  const tail = readTail(fs, target, SEAL_TAIL_BYTES);
  if (tail !== undefined) return { ...known, ...checkpointOf(tail) };
  if (listSequences(fs, paths).length > 0) {
    const message = 'the checkpoint file is missing; history has earlier ones';
    return { ...known, problem: { code: 'NO_STORE', message } };
  }
  return holder !== undefined || isLogWaiting ? known : undefined;
}

/** A log beside a living holder is a save in flight; one may come or go while we look. */
function stateOf(fs: FileSystem, { lock, wal }: StorePaths) {
  const holder = holderOf(fs, lock);
  if (holder !== undefined) return { holder, isLogWaiting: false };
  if (fs.statLink(wal) === undefined) return { holder: undefined, isLogWaiting: false };
  const since = holderOf(fs, lock);
  const isLogWaiting = since === undefined && fs.statLink(wal) !== undefined;
  return { holder: since, isLogWaiting };
}

function holderOf(fs: FileSystem, lock: string): LockOwner | undefined {
  // Asking is dear, and of most stores nobody has ever left a lock.
  return fs.statLink(lock) === undefined ? undefined : fs.lockHolder(lock);
}

function checkpointOf({
  bytes,
  stat: { size, modifiedMs },
}: {
  readonly bytes: Uint8Array;
  readonly stat: FileStat;
}): Pick<StoreSummary, 'sequence' | 'label' | 'timeMs' | 'size' | 'problem'> {
  const line = readLastSealLine(bytes)?.line;
  if (line === undefined) {
    const problem: Problem =
      size === 0
        ? { code: 'EMPTY_DOCUMENT', message: 'the checkpoint file is empty' }
        : {
            code: 'EDITED_OUTSIDE',
            message: 'its last line is no seal: edited, cut off or never saved',
          };
    return { size, timeMs: modifiedMs, problem };
  }
  const { sequence, label, timeMs = modifiedMs } = line;
  return { sequence, size, timeMs, ...(label !== undefined && { label }) };
}
