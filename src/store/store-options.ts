/**
 * What a store can be opened with, and what it tells: the types of the public API.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { InspectionEvent, Observer } from 'xstate';
import type { CheckpointError, Problem } from '../errors.js';
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import type { CheckpointContent, CheckpointIo } from '../io/checkpoint-io.js';
import type { FileSystem } from '../io/file-system.js';
import type { Durability } from '../machines/checkpoint-messages.js';
import type { HealthReport } from '../machines/health-report.js';
import type { ExternalEditPolicy } from '../machines/recovery-decision.js';
import type { RecoveryReport } from '../machines/recovery-report.js';
import type { ArtifactsOptions } from './artifact-source.js';
import type { AuditOptions } from './audit-trail.js';
import type { PublishOptions } from './publish-options.js';
import type { RestoreOptions } from './restore-options.js';

/** A logger as pino's and the console's: an object with facts, then a message. */
export interface CheckpointLogger {
  /** What helps to follow a run; much. */
  debug(facts: object, message: string): void;
  /** What happened, in the order of events. */
  info(facts: object, message: string): void;
  /** What a person should know: edits, damage, restores, failures that count. */
  warn(facts: object, message: string): void;
  /** What failed; the store may have stopped. */
  error(facts: object, message: string): void;
}

/** Options of {@link openCheckpointStore}. */
export interface CheckpointStoreOptions<
  Schema extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  /** Where the store lies; created if it is not there. */
  readonly directory: string;
  /** Name of the checkpoint file in it; `ORCHESTRATION.yaml` by default. */
  readonly file?: string | undefined;
  /** Any Standard Schema (zod, valibot, ArkType, …): every state is validated by it, and typed. */
  readonly schema?: Schema;
  /** What to do about edits made outside of the store; `adopt` by default. */
  readonly externalEdits?: ExternalEditPolicy | undefined;
  /**
   * After which step a save is acknowledged, unless it says otherwise; `committed` by default, `logged`
   * where `publish` lets saves wait.
   */
  readonly durability?: Durability | undefined;
  /**
   * When the file is replaced: `every-save` (default) before each is acknowledged as committed. With limits,
   * saves are acknowledged as soon as they are durable in the log, several go into one log, and the file is
   * published when a limit is reached, when the store is idle, by {@link CheckpointStore.flush} and by
   * `close()`. A save with a label, or one that asks for `committed`, is published at once.
   */
  readonly publish?: PublishOptions | 'every-save' | undefined;
  /** How often a failed sync is answered with a fresh file before the store halts; 2 by default. */
  readonly syncRetryLimit?: number | undefined;
  /**
   * How many earlier checkpoints are kept, besides those that are pinned; 100 by default, `Infinity` for
   * all. The newest that verifies is always kept.
   */
  readonly maxCheckpoints?: number | undefined;
  /**
   * How long an earlier checkpoint is kept, in hours since another took its place; 24 by default,
   * fractions are allowed, `Infinity` for any age. Of the two limits the stricter counts; pinned
   * checkpoints and the newest that verifies are kept whatever their age.
   */
  readonly maxAgeHours?: number | undefined;
  /** Files that belong to checkpoints and are recorded with them, by size and SHA-256. */
  readonly artifacts?: ArtifactsOptions | undefined;
  /** Bounds on what is read. */
  readonly limits?: Partial<YamlLimits> | undefined;
  /** The file system to work on; node's by default. */
  readonly fileSystem?: FileSystem | undefined;
  /**
   * Where syncs run, on node's file system: `threadPool` (default) leaves the event loop free, `blocking`
   * saves the way there and back, and stops everything else meanwhile. Or a port of one's own: a store on
   * something other than files, which takes the place of `fileSystem`.
   */
  readonly io?:
    | { readonly sync?: 'threadPool' | 'blocking' | undefined }
    | ((content: CheckpointContent) => CheckpointIo)
    | undefined;
  /**
   * Wraps the port, whatever implements it: for faults in tests, for measuring.
   * @internal
   */
  readonly around?: ((io: CheckpointIo) => CheckpointIo) | undefined;
  /**
   * Gives the salts of logs and the names of temporary files, in place of the system's randomness: a
   * test that gives the same bytes comes to the same files.
   * @internal
   */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /**
   * XState inspection: every event and snapshot of the store's actors, as copies that hold no content of a
   * file; see `docs/observability.md`. What it throws is logged, never felt.
   */
  readonly inspect?: ((event: InspectionEvent) => void) | Observer<InspectionEvent> | undefined;
  /**
   * Whether inspectors and the audit are told messages too, which may quote a state or a secret: those of
   * reported failures, of YAML and schema problems. `false` by default: inspectors are told how long they
   * are, the audit only codes.
   */
  readonly includeMessages?: boolean | undefined;
  /** Told of what happens to the store; see `docs/observability.md`. What it throws is ignored. */
  readonly logger?: CheckpointLogger | undefined;
  /**
   * The local inspector, served on 127.0.0.1 while the store is open; its address is told to the logger
   * and by {@link CheckpointStore.inspectorUrl}. `contents: false` keeps the texts of checkpoints out of it.
   */
  readonly inspector?:
    | boolean
    | { readonly port?: number | undefined; readonly contents?: boolean | undefined }
    | undefined;
  /**
   * The record of every transition, `audit.jsonl`: on by default, durable before anything is
   * acknowledged. `false`: nothing is recorded. See `docs/audit.md`.
   */
  readonly audit?: AuditOptions | false | undefined;
  /**
   * When failures are one too many, and what follows; see `docs/failure-detection.md`. By default an
   * earlier checkpoint is restored after three. `false`: failures are not even counted.
   */
  readonly restore?: RestoreOptions | false | undefined;
  /** Calls of {@link CheckpointStore.heartbeat} are expected at least this often, in milliseconds. */
  readonly heartbeatMs?: number | undefined;
  /** The wall clock, in milliseconds since the epoch; and timers, which keep no process alive by default. */
  readonly clock?: StoreClock | undefined;
}

/** A clock of one's own, for tests. XState's `SimulatedClock` is one. */
export interface StoreClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `action` once, `afterMs` milliseconds later. Absent: the system's timers. */
  setTimeout?(action: (...parameters: unknown[]) => void, afterMs: number): unknown;
  /** Takes back what `setTimeout` returned. */
  clearTimeout?(id: unknown): void;
}

/** Options of one save. */
export interface SaveOptions {
  /**
   * A short name for this checkpoint, at most 1,024 bytes of UTF-8, kept in its seal. Of several saves
   * that are published together, the newest that has a label names the checkpoint.
   */
  readonly label?: string | undefined;
  /** Keeps this checkpoint in history for good, whatever the retention; needs a label. */
  readonly pinned?: boolean | undefined;
  /**
   * Paths of the files that belong to this checkpoint, relative to the artifacts' root, at most 1,000.
   * Their sizes and SHA-256 are taken when the save is asked for. Absent: those that `artifacts.find`
   * finds, else those of the checkpoint before. Of several saves that are published together the newest
   * list counts.
   */
  readonly artifacts?: readonly string[] | undefined;
  /** After which step this save is acknowledged; by default as the store's option says. */
  readonly durability?: Durability | undefined;
  /**
   * Gives the save up while its artifacts are read and while it waits for its round; later it has no
   * effect.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What a save resolves to. */
export interface SaveResult {
  /** The sequence number of the checkpoint that holds this save, alone or together with later ones. */
  readonly sequence: number;
  /** How far it had come when it was acknowledged. */
  readonly durability: Durability;
}

/** Options of a look at the file. */
export interface CheckOptions {
  /** Whether damage that was told before counts again, as nobody has mended it; `false` by default. */
  readonly countAgain?: boolean | undefined;
  /** Whether damage is no failure; `false` by default. */
  readonly uncounted?: boolean | undefined;
}

/** What a look at the file came to. */
export interface CheckResult {
  /** How the file stands to the checkpoint that was published last. */
  readonly change: 'unchanged' | 'edited' | 'damaged' | 'missing';
  /**
   * - `none`: the file is the checkpoint
   * - `published`: what was found is a sealed checkpoint now, under `sequence`
   * - `kept`: it is no checkpoint; a copy is in `quarantine/`
   * - `rejected`: it was edited, and the policy is to reject that
   */
  readonly action: 'none' | 'published' | 'kept' | 'rejected';
  /** The sequence number of the checkpoint after the look. */
  readonly sequence: number;
  /** Why it is no checkpoint, with line and column where there are any. */
  readonly problem?: Problem;
  /** Whether that damage had been told before. */
  readonly known?: true;
}

/** What a store tells its subscribers, in the order in which it happens. */
export type CheckpointStoreEvent =
  /** Recovery ended at open; told to every subscriber first of all. */
  | { readonly type: 'recovered'; readonly sequence: number; readonly report: RecoveryReport }
  /** A round is logged: a crash from here on is recovered to it. */
  | { readonly type: 'logged'; readonly sequence: number }
  /** Its file is in place, durably. */
  | { readonly type: 'published'; readonly sequence: number }
  /** Its log is gone. */
  | { readonly type: 'committed'; readonly sequence: number }
  | { readonly type: 'failed'; readonly error: CheckpointError }
  /** Somebody changed the file. `keptAs` is where its bytes were put, if they were set aside. */
  | {
      readonly type: 'editedOutside';
      readonly change: 'edited' | 'damaged' | 'missing';
      readonly action: 'adopted' | 'rejected' | 'setAside' | 'kept';
      readonly sequence: number;
      readonly keptAs?: string;
    }
  /** An earlier checkpoint is the state again, under a number of its own. */
  | {
      readonly type: 'restored';
      readonly sequence: number;
      readonly from: number;
      readonly cause: 'requested' | 'automatic';
    }
  /** Somebody has looked at the file: see {@link CheckResult}. */
  | ({ readonly type: 'checked' } & CheckResult)
  /** Failures were counted, forgotten, or led to something. */
  | { readonly type: 'health'; readonly report: HealthReport }
  /** Entries of the audit can't be written; told once until they can again. */
  | { readonly type: 'auditFailed'; readonly error: CheckpointError }
  /** The store takes no more saves until it is opened again. */
  | { readonly type: 'halted'; readonly error: CheckpointError }
  /** The lock is free. `error` says what of the last steps (a second copy, a sync) did not go well. */
  | { readonly type: 'closed'; readonly error?: CheckpointError };

/** A value that can't be changed at any depth. */
export type Frozen<T> = T extends (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: Frozen<T[Key]> }
      : T;
