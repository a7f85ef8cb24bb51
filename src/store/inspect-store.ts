/**
 * Looking at a store without changing it: what is on disk, what a recovery would decide about it, and
 * what that means in words. Takes no lock, so somebody else may have the store open and change it
 * while we look; then it is looked at again. Ruled by `docs/recovery.md`, whose tables it asks.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import { MAX_SEAL_BYTES, readSeal } from '../format/seal.js';
import { scanWal } from '../format/wal-scanner.js';
import { DEFAULT_LIMITS, type YamlLimits } from '../format/yaml/yaml-text.js';
import type { CheckpointEvidence, HistoryEvidence, WalEvidence } from '../io/checkpoint-io.js';
import { createFileInspection } from '../io/file-checkpoint-io.js';
import type { FileSystem, LockOwner } from '../io/file-system.js';
import { isTemporaryName } from '../io/files.js';
import { sequenceInName } from '../io/history-files.js';
import { isMissing, readError, systemCode } from '../io/io-error.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import {
  absolute,
  DEFAULT_FILE,
  HEALTH_TEMPORARY,
  join,
  type StorePaths,
} from '../io/store-paths.js';
import {
  checkpointCases,
  decide,
  type ExternalEditPolicy,
  historyCases,
  walCases,
} from '../machines/recovery-decision.js';
import { lostBy, type RecoveryDecision, refusalOf } from '../machines/recovery-report.js';
import { CheckpointDocument } from './document.js';
import { type HealthPlan, planHealth } from './health-plan.js';
import { describeSteps, type PlannedStep } from './recovery-words.js';

/** Options of {@link inspectStore}; they mean what they mean to `openCheckpointStore`. */
export interface InspectStoreOptions {
  readonly directory: string;
  /** Name of the checkpoint file in it; `ORCHESTRATION.yaml` by default. */
  readonly file?: string | undefined;
  readonly schema?: StandardSchemaV1 | undefined;
  readonly fileSystem?: FileSystem | undefined;
  readonly externalEdits?: ExternalEditPolicy | undefined;
  readonly limits?: Partial<YamlLimits> | undefined;
}

/**
 * The state of a store in one word.
 *
 * - `ok`: the checkpoint verifies (or nothing was saved yet) and no log is there
 * - `open`, `saving`: a living process holds the lock, without and with a save in flight
 * - `pending`: a crash left a log; recovery will finish or discard its save, and nothing is lost
 * - `unsealed`: a file that no store has saved yet; it is adopted at the next open
 * - `edited`: the file was edited since the last save; it is adopted at the next open
 * - `failing`: the failure detector counts failures, or would restore an earlier checkpoint
 * - `stopped`: automatic restores did not help; the next open is refused
 * - `findings`: recovery would succeed with loss, or with something that a person should know
 * - `corrupt`: recovery would refuse
 */
export type StoreHealth =
  | 'ok'
  | 'open'
  | 'saving'
  | 'pending'
  | 'unsealed'
  | 'edited'
  | 'findings'
  | 'failing'
  | 'stopped'
  | 'corrupt';

/** What a recovery would do to the store as it is on disk now. */
export interface RecoveryPlan {
  readonly outcome: 'ready' | 'refused';
  /** The decisions that it would take, by the labels of `docs/recovery.md`. */
  readonly decisions: readonly RecoveryDecision[];
  /** What it would do, in words, in order. */
  readonly does: readonly string[];
  /** What could not be had any more, in words. */
  readonly loses: readonly string[];
  /** What it would set aside in `quarantine/`, in words. */
  readonly keeps: readonly string[];
  /** Temporary files that it would remove, relative to the store's directory. */
  readonly removes: readonly string[];
  /** The sequence number that the store would go on from; 0 in a new store. */
  readonly sequence: number;
  /** Why it would refuse. */
  readonly problem?: Problem;
}

/** What {@link inspectStore} found. Plain data but for `text`. */
export interface StoreInspection {
  readonly paths: StorePaths;
  readonly health: StoreHealth;
  /** The living process that has the store open, if one does. */
  readonly holder?: LockOwner;
  /** The log, if there is one. */
  readonly wal?: WalEvidence;
  readonly checkpoint: CheckpointEvidence;
  /** Looked at only where a decision needs it. */
  readonly history?: HistoryEvidence;
  /** Sequence numbers of the history entries, ascending; whether they verify is not asked. */
  readonly entries: readonly number[];
  /** What the checkpoint file's seal says; absent where it has none. */
  readonly sequence?: number;
  /** When the checkpoint file was last modified, milliseconds since the epoch. */
  readonly savedAtMs?: number;
  /** What the failure detector remembers, and would do; absent where there is nothing. */
  readonly detector?: HealthPlan | { readonly unreadable: string };
  /** Temporary files that a crash left (or that a save in flight is writing). */
  readonly temporaries: readonly string[];
  readonly plan: RecoveryPlan;
  /** The user's text on disk, without the seal line; absent where there is none or it is not text. */
  readonly text?: string;
}

/** How often a store that changes under our eyes is looked at again. */
const LOOKS_MAX = 5;

/**
 * Looks at a store: reads only, takes no lock, writes nothing.
 *
 * A log that is there while a living process holds the lock is a save in flight, not damage.
 * @throws CheckpointError `NO_STORE` where there is no directory, or neither checkpoint, log, history
 * nor an open store in it; `PATH_OUTSIDE_STORE`; `READ_FAILED`, `TOO_LARGE`
 */
export async function inspectStore(options: InspectStoreOptions): Promise<StoreInspection> {
  try {
    return await inspectUncoded(options);
  } catch (error) {
    // A directory that may not be looked into, or a disk that fails, is no defect of this program.
    throw systemCode(error) === undefined ? error : readError(error, options.directory);
  }
}

async function inspectUncoded(options: InspectStoreOptions): Promise<StoreInspection> {
  const fs = options.fileSystem ?? createNodeFileSystem();
  for (let looks = 1; ; looks += 1) {
    const io = openInspection(fs, options);
    const before = stampOf(fs, io.paths);
    const inspection = await look(fs, io, options);
    if (stampOf(fs, io.paths) === before || looks >= LOOKS_MAX) return inspection;
  }
}

type Inspection = ReturnType<typeof createFileInspection>;

function openInspection(fs: FileSystem, options: InspectStoreOptions): Inspection {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return createFileInspection({
    fs,
    directory: absolute(options.directory, () => process.cwd()),
    file: options.file ?? DEFAULT_FILE,
    content: new CheckpointDocument({ schema: options.schema, limits }),
    now: () => Date.now(),
    random: (length) => new Uint8Array(length),
    maxCheckpoints: Number.POSITIVE_INFINITY,
    maxAgeMs: Number.POSITIVE_INFINITY,
    // As a store reads: the text is bounded, and its seal comes on top.
    maxBytes: limits.maxBytes + MAX_SEAL_BYTES,
    artifactRoot: '/',
    externalEdits: options.externalEdits ?? 'adopt',
    validateSealed: options.schema !== undefined,
  });
}

/** Changes when the checkpoint or the log does. */
function stampOf(fs: FileSystem, { target, wal }: StorePaths): string {
  const stats = [target, wal].map((path) => {
    const stat = fs.statLink(path);
    return stat && [stat.device, stat.inode, stat.size, stat.modifiedMs];
  });
  return JSON.stringify(stats);
}

async function look(
  fs: FileSystem,
  io: Inspection,
  options: InspectStoreOptions,
): Promise<StoreInspection> {
  const holder = lockHolderOf(io);
  const wal = readLog(io);
  const checkpoint = await io.checkCheckpoint();
  const current = io.current();
  const entries = io.entries();
  if (current === undefined && wal === undefined && entries.length === 0 && !holder) {
    throw noStore(io.paths);
  }
  const temporaries = listTemporaries(fs, io.paths);
  const evidence = { io, wal, checkpoint, temporaries, options, isOpen: holder !== undefined };
  const { plan, history } = await planRecovery(evidence);
  const digest = io.currentDigest();
  const detector = await planHealth({
    fs,
    health: io.paths.health,
    at: { nowMs: Date.now(), ...(digest && { current: { sequence: plan.sequence, digest } }) },
    isOpen: holder !== undefined,
    search: (search) => io.findInHistory(search),
  });
  const savedAtMs = fs.stat(io.paths.target)?.modifiedMs;
  const reading = current?.reading;
  return {
    paths: io.paths,
    health: healthOf(plan, wal, holder, detector),
    ...(detector && { detector }),
    ...(holder && { holder }),
    ...(wal && { wal }),
    checkpoint,
    ...(history && { history }),
    entries,
    ...(checkpoint.sequence !== undefined && { sequence: checkpoint.sequence }),
    ...(savedAtMs !== undefined && { savedAtMs }),
    temporaries,
    plan,
    ...(reading !== undefined && 'text' in reading && { text: reading.text }),
  };
}

function lockHolderOf(io: Inspection): LockOwner | undefined {
  try {
    return io.lockHolder();
  } catch (error) {
    throw readError(error, io.paths.lock);
  }
}

function readLog(io: Inspection): WalEvidence | undefined {
  if (!io.checkWal().present) return undefined;
  io.readWal();
  const evidence = io.verifyWal();
  // It was there a moment ago: the save that it belonged to has ended since.
  return evidence.verdict === 'absent' ? undefined : evidence;
}

interface PlanEvidence {
  readonly io: Inspection;
  readonly wal: WalEvidence | undefined;
  readonly checkpoint: CheckpointEvidence;
  readonly temporaries: readonly string[];
  readonly options: InspectStoreOptions;
  /** The log of an open store is its own business, whatever it looks like at this moment. */
  readonly isOpen: boolean;
}

/** Walks the three tables as recovery would. */
async function planRecovery(
  evidence: PlanEvidence,
): Promise<{ plan: RecoveryPlan; history?: HistoryEvidence }> {
  const { io, checkpoint: found, temporaries, isOpen, options } = evidence;
  const wal = isOpen ? undefined : evidence.wal;
  const walCase = decide(walCases, wal ?? { verdict: 'absent', relation: 'none' });
  const applies = walCase.action === 'apply' || walCase.action === 'keepAndApply';
  const checkpoint = applies ? await afterApplying(evidence, found) : found;
  const checkpointCase = decide(checkpointCases, {
    condition: checkpoint.condition,
    everPublished: checkpoint.everPublished,
    externalEdits: options.externalEdits ?? 'adopt',
  });
  const searches = checkpointCase.action === 'searchHistory';
  const history = searches ? await io.findInHistory() : undefined;
  const historyCase =
    history && decide(historyCases, { entryVerifies: history.newest !== undefined });
  const decided = [walCase, checkpointCase, ...(historyCase ? [historyCase] : [])];
  const refuses = checkpointCase.action === 'refuse' || historyCase?.action === 'refuse';
  const facts = { wal, checkpoint, history, kept: [], decided };
  const highest = Math.max(checkpoint.highestSequence, wal?.sequence ?? 0);
  const steps: PlannedStep[] = decided.map(({ action }) => action);
  const words = describeSteps(steps, { wal, found, checkpoint, history, highest }, 'planned');
  const problem = refuses ? toProblem(refusalOf(facts)) : undefined;
  const plan: RecoveryPlan = {
    outcome: refuses ? 'refused' : 'ready',
    decisions: decided.map(({ label, action, because, finding }) => {
      return { label, action, because, finding };
    }),
    does: words.does,
    loses: refuses ? [] : lostBy(facts),
    keeps: words.keeps,
    removes: refuses || isOpen ? [] : temporaries,
    sequence: sequenceAfter(checkpointCase.action, checkpoint, highest),
    ...(problem && { problem }),
  };
  return { plan, ...(history && { history }) };
}

/** The checkpoint as it will be once the log's after-image is under its name. */
async function afterApplying(
  { io, wal, options }: PlanEvidence,
  found: CheckpointEvidence,
): Promise<CheckpointEvidence> {
  const scan = scanWal(io.walBytes(), { target: io.paths.targetName });
  if (scan.kind !== 'sealed') return found;
  const sequence = wal?.sequence ?? 0;
  const { problem: _problem, ...rest } = found;
  const applied: CheckpointEvidence = {
    ...rest,
    condition: 'sealed',
    sequence,
    size: scan.image.length,
    highestSequence: Math.max(found.highestSequence, sequence),
    everPublished: true,
  };
  if (options.schema === undefined) return applied;
  try {
    const reading = readSeal(scan.image);
    const document = new CheckpointDocument({
      schema: options.schema,
      limits: options.limits ?? {},
    });
    await document.validate('text' in reading ? reading.text : '');
    return applied;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const condition = error.code === 'SCHEMA_INVALID' ? 'schemaInvalid' : 'damaged';
    return { ...applied, condition, problem: toProblem(error) };
  }
}

function sequenceAfter(action: string, checkpoint: CheckpointEvidence, highest: number): number {
  if (action === 'accept') return checkpoint.sequence ?? 0;
  return action === 'adopt' || action === 'searchHistory' ? highest + 1 : 0;
}

function healthOf(
  plan: RecoveryPlan,
  wal: WalEvidence | undefined,
  holder: LockOwner | undefined,
  detector: StoreInspection['detector'],
): StoreHealth {
  if (plan.outcome === 'refused') return 'corrupt';
  if (plan.loses.length > 0 || plan.decisions.some(({ finding }) => finding)) return 'findings';
  if (detector !== undefined && 'report' in detector) {
    const { state } = detector.report;
    if (state !== 'healthy') return state === 'stopped' ? 'stopped' : 'failing';
  }
  if (holder !== undefined) return wal === undefined ? 'open' : 'saving';
  if (wal !== undefined) return 'pending';
  const labels = plan.decisions.map(({ label }) => label);
  if (labels.includes('checkpoint-first-seen')) return 'unsealed';
  return labels.includes('checkpoint-edited-adopt') ? 'edited' : 'ok';
}

function listTemporaries(fs: FileSystem, paths: StorePaths): string[] {
  const { directory, history, quarantine, targetName } = paths;
  return [
    ...temporariesIn(fs, directory, '', (name) => name === targetName || name === HEALTH_TEMPORARY),
    ...temporariesIn(
      fs,
      history,
      'checkpoints/',
      (name) => sequenceInName(name, targetName) !== undefined,
    ),
    ...temporariesIn(fs, quarantine, 'quarantine/', (name) => name.endsWith(targetName)),
  ];
}

function temporariesIn(
  fs: FileSystem,
  directory: string,
  prefix: string,
  isOurs: (name: string) => boolean,
): string[] {
  try {
    const names = fs.list(directory).filter((name) => isTemporaryName(name, isOurs));
    return names.map((name) => `${prefix}${name}`);
  } catch (error) {
    if (isMissing(error)) return [];
    throw readError(error, join(directory, ''));
  }
}

function noStore({ directory, targetName }: StorePaths): CheckpointError {
  return new CheckpointError(
    'NO_STORE',
    `There is no store in ${directory}: neither ${targetName} nor a log nor history.`,
    { file: join(directory, targetName) },
  );
}
