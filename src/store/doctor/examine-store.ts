/**
 * The diagnosis of a store and of the place where it lies: gathers facts and has each judged. Takes no
 * lock of the store and changes nothing of it; what it tries, it tries with a temporary file of its own.
 * The checks are described in `docs/cli.md`, "doctor".
 */
import { CheckpointError } from '../../errors.js';
import { sha256Hex } from '../../format/bytes.js';
import { MAX_SEAL_BYTES, readSeal } from '../../format/seal.js';
import { DEFAULT_LIMITS } from '../../format/yaml/yaml-text.js';
import { readWhole } from '../../io/file-content.js';
import type { FileSystem } from '../../io/file-system.js';
import { readHealthFile } from '../../io/health-files.js';
import { entryName } from '../../io/history-files.js';
import { readError, systemCode } from '../../io/io-error.js';
import { createNodeFileSystem } from '../../io/node-file-system.js';
import { createNodeSystemProbe } from '../../io/node-system-probe.js';
import { countHistory, countQuarantine, type HistoryCount } from '../../io/store-facts.js';
import {
  absolute,
  DEFAULT_FILE,
  join,
  resolvePaths,
  type StorePaths,
} from '../../io/store-paths.js';
import { type ProbeFacts, probeDirectory } from '../../io/sync-probe.js';
import type { SystemProbe } from '../../io/system-probe.js';
import { inspectStore, type StoreInspection } from '../inspect-store.js';
import { judgeAccess, judgeClock, judgeLock, judgePlatform } from './access-checks.js';
import {
  judgeDirectorySync,
  judgeFileSystem,
  judgeLatency,
  judgeMountOptions,
  judgeSpace,
} from './disk-checks.js';
import {
  type DoctorCheck,
  examined,
  fine,
  type Guarantee,
  type GuaranteeVerdict,
  guaranteesOf,
  problem,
} from './doctor-check.js';
import {
  judgeCheckpoint,
  judgeHistory,
  judgeLeftovers,
  judgeMemory,
  judgeQuarantine,
} from './store-checks.js';

/** Options of {@link examineStore}. */
export interface ExamineOptions {
  readonly directory: string;
  /** Name of the checkpoint file in it; `ORCHESTRATION.yaml` by default. */
  readonly file?: string;
  /** Default: this machine's, syncing in place, so that what is measured is the disk. */
  readonly fileSystem?: FileSystem;
  readonly system?: SystemProbe;
  /** Ends the examination between two looks; what was tried is cleared away. */
  readonly signal?: AbortSignal;
}

/** What {@link examineStore} found. Plain data. */
export interface DoctorReport {
  readonly paths: StorePaths;
  readonly checks: readonly DoctorCheck[];
  readonly guarantees: readonly GuaranteeVerdict[];
  /** Whether recovery would refuse this store. */
  readonly corrupt: boolean;
  /** The times measured, where the directory could be tried out. */
  readonly measured?: Pick<ProbeFacts, 'file' | 'directory'>;
}

const HISTORY_READ_MAX = 10;
const MAX_BYTES = DEFAULT_LIMITS.maxBytes + MAX_SEAL_BYTES;

/** What the checks have in common. */
interface Examination {
  readonly fs: FileSystem;
  readonly system: SystemProbe;
  readonly paths: StorePaths;
  readonly options: ExamineOptions;
  readonly inspection: StoreInspection | undefined;
  /** How it went to try the directory out: first of all, as several checks need it. */
  readonly probed: ProbeFacts | CheckpointError;
}

/**
 * Says which guarantees are met for the store in a directory, and what to do about those that are not.
 * A directory without a store is examined too: it is a place where one may begin.
 * @throws CheckpointError `NO_STORE` (no such directory), `PATH_OUTSIDE_STORE`, `READ_FAILED` (the
 * directory may not be looked into); the reason of `signal` if aborted
 */
export async function examineStore(options: ExamineOptions): Promise<DoctorReport> {
  const fs = options.fileSystem ?? createNodeFileSystem({ sync: 'blocking' });
  const system = options.system ?? createNodeSystemProbe();
  const paths = locate(fs, options);
  // Before anything of our own is there, so that it is not taken for something that a crash left.
  const looked = await lookAtStore(fs, options);
  const probed = await tryDirectory(fs, system, paths, options.signal);
  const inspection = looked instanceof CheckpointError ? undefined : looked;
  const examination = { fs, system, paths, options, inspection, probed };
  const checks = [
    ...(await diskChecks(examination)),
    ...(await accessChecks(examination)),
    ...(looked instanceof CheckpointError
      ? [unreadable('checkpoint', looked, ['recoverable'])]
      : [judgeCheckpoint(inspection), judgeLeftovers(inspection)]),
    ...(await storeChecks(examination)),
  ];
  options.signal?.throwIfAborted();
  const { file, directory } = probed instanceof CheckpointError ? {} : probed;
  return {
    paths,
    checks,
    guarantees: guaranteesOf(checks),
    corrupt: inspection?.health === 'corrupt',
    ...(file && { measured: { file, ...(directory && { directory }) } }),
  };
}

function locate(fs: FileSystem, { directory, file }: ExamineOptions): StorePaths {
  try {
    return resolvePaths(
      fs,
      absolute(directory, () => process.cwd()),
      file ?? DEFAULT_FILE,
    );
  } catch (error) {
    throw systemCode(error) === undefined ? error : readError(error, directory);
  }
}

/** The store, `undefined` where none has begun, or why it can't be looked at. */
async function lookAtStore(
  fileSystem: FileSystem,
  { directory, file }: ExamineOptions,
): Promise<StoreInspection | CheckpointError | undefined> {
  try {
    return await inspectStore({ directory, file, fileSystem });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.code === 'NO_STORE' ? undefined : error;
  }
}

async function tryDirectory(
  fs: FileSystem,
  system: SystemProbe,
  paths: StorePaths,
  signal: AbortSignal | undefined,
): Promise<ProbeFacts | CheckpointError> {
  try {
    return await probeDirectory({ fs, system, paths, signal });
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error;
  }
}

async function diskChecks({ system, paths, inspection, probed }: Examination) {
  const mount = system.mountOf(paths.directory);
  const space = system.spaceOf(paths.directory);
  const size = inspection?.checkpoint.size ?? 0;
  const tried =
    probed instanceof CheckpointError ? [] : [judgeDirectorySync(probed), judgeLatency(probed)];
  return [
    judgeFileSystem(mount, space),
    judgeMountOptions(mount),
    judgeWriting(probed),
    ...tried,
    judgeSpace(space, size),
  ];
}

/** Whether a file could be written and synced: tried, as rights and modes say only half of it. */
function judgeWriting(probed: ProbeFacts | CheckpointError): DoctorCheck {
  const name = 'writing';
  if (!(probed instanceof CheckpointError)) {
    return fine(name, 'a file was created, synced, renamed and removed', 'Saves can write here.');
  }
  const isSync = probed.code === 'SYNC_FAILED';
  return problem({
    name,
    found: probed.message,
    means: isSync
      ? 'Nothing that is saved here can be relied on.'
      : 'No save is possible here, and no recovery. The checkpoint that is there stays as it is.',
    advice: isSync
      ? 'Check the disk, and move the store to a sound one.'
      : 'Make the directory writable for this user, mount it for writing, or make room.',
    affects: ['durable', 'recoverable'],
  });
}

function accessChecks(examination: Examination): Promise<DoctorCheck[]> {
  const { fs, system, paths, options, inspection, probed } = examination;
  const tried = !(probed instanceof CheckpointError);
  const kind = tried ? probed.lock : undefined;
  const holder = inspection?.holder;
  const hasKernelLocks = system.hasKernelLocks();
  const lock = { hasKernelLocks, tried, ...(kind && { kind }), ...(holder && { holder }) };
  return Promise.all([
    judgeLock(lock),
    examined('owner and names', [], () => judgeAccess(accessFacts(fs, system, paths, options))),
    judgePlatform(system),
  ]);
}

function accessFacts(
  fs: FileSystem,
  system: SystemProbe,
  paths: StorePaths,
  options: ExamineOptions,
) {
  const directory = fs.stat(paths.directory);
  if (directory === undefined) throw unreadableDirectory(paths.directory);
  const target = fs.statLink(paths.target);
  const asked = join(
    absolute(options.directory, () => process.cwd()),
    options.file ?? DEFAULT_FILE,
  );
  const isLinked = fs.statLink(asked)?.kind === 'symlink';
  const { userId } = system;
  return {
    directory,
    ...(isLinked && { linkedFrom: asked }),
    ...(target && { target }),
    ownLinks: target === undefined ? 0 : linksOfHistory(fs, paths, target),
    ...(userId !== undefined && { userId }),
  };
}

/** A save links its predecessor into history before it replaces it; a crash may come in between. */
function linksOfHistory(
  fs: FileSystem,
  paths: StorePaths,
  target: { readonly device: number; readonly inode: number; readonly links: number },
): number {
  if (target.links < 2) return 0;
  const reading = readWhole(fs, paths.target, MAX_BYTES);
  const seal = reading && readSeal(reading.bytes);
  if (seal?.kind !== 'sealed') return 0;
  const entry = fs.statLink(join(paths.history, entryName(seal.sequence, paths.targetName)));
  return entry?.inode === target.inode && entry.device === target.device ? 1 : 0;
}

function unreadableDirectory(directory: string): CheckpointError {
  return new CheckpointError('READ_FAILED', `${directory} is gone.`, { file: directory });
}

async function storeChecks(examination: Examination): Promise<DoctorCheck[]> {
  const { fs, paths } = examination;
  let history: HistoryCount | undefined;
  return [
    await examined('history', ['recoverable'], () => {
      history = countHistory(fs, paths, HISTORY_READ_MAX, MAX_BYTES);
      return judgeHistory(history);
    }),
    await examined('quarantine', [], () => judgeQuarantine(countQuarantine(fs, paths))),
    await examined('failures', [], () => judgeMemory(memoryFacts(examination))),
    await examined('clock', [], () => judgeClock(clockFacts(examination, history))),
  ];
}

function memoryFacts({ fs, system, paths, inspection }: Examination) {
  const text = inspection?.text;
  return {
    ...readHealthFile(fs, paths.health),
    nowMs: system.now(),
    ...(text !== undefined && { digest: sha256Hex(new TextEncoder().encode(text)) }),
    sequence: inspection?.sequence ?? 0,
    isOpen: inspection?.holder !== undefined,
  };
}

function clockFacts({ fs, system, paths, probed }: Examination, history: HistoryCount | undefined) {
  const file = readWhole(fs, paths.target, MAX_BYTES);
  const seal = file && readSeal(file.bytes);
  const current = seal?.kind === 'sealed' ? seal.timeMs : undefined;
  const sealed = [current, history?.newest?.timeMs].filter((time) => time !== undefined);
  const stamps = [paths.target, paths.health, paths.wal].map((path) => fs.stat(path)?.modifiedMs);
  const stamped = stamps.filter((time) => time !== undefined);
  return {
    nowMs: system.now(),
    ...(sealed.length > 0 && { sealedMs: Math.max(...sealed) }),
    ...(stamped.length > 0 && { stampedMs: Math.max(...stamped) }),
    ...(probed instanceof CheckpointError ? {} : { stampsAheadMs: probed.stampsAheadMs }),
  };
}

function unreadable(
  name: string,
  { message }: CheckpointError,
  affects: readonly Guarantee[],
): DoctorCheck {
  const means = 'It could not be looked at, so nothing is known of it.';
  const advice = 'Put this right, then run doctor again.';
  return problem({ name, found: message, means, advice, affects });
}
