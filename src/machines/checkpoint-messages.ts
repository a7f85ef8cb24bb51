/**
 * What goes into the root machine of a store and what comes out of it: its contract with whoever
 * embeds it. Types, and the errors that it answers with.
 */
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import type { DetectorSettings } from '../format/health-format.js';
import type { IoOperations, Observation, OperationName } from '../io/checkpoint-io.js';
import type { CheckpointRequest, IoInput, IoReply, NoticeDue } from '../io/io-messages.js';
import type { DetectorEvent } from './failure-detector-machine.js';
import type { HealthChange } from './failure-memory.js';
import type { HealthReport } from './health-report.js';
import type { PublishPolicy } from './publish-policy.js';
import type { ExternalEditPolicy } from './recovery-decision.js';
import type { RecoveryReport } from './recovery-report.js';
import type { RoundEvent, WriteOutput } from './write-machine.js';

/** After which step a save is acknowledged. */
export type Durability = 'logged' | 'committed';

/** One save that was asked for. Its content stays with whoever renders it; the machine knows its number. */
export interface SaveRequest {
  /** Number that the answer carries. */
  readonly requestId: number;
  /** Short name for the checkpoint. */
  readonly label?: string | undefined;
  /** Whether history keeps the checkpoint under that label for good. */
  readonly pinned?: boolean | undefined;
  /** After which step it is answered. */
  readonly durability: Durability;
}

/** An earlier checkpoint that is to be published again, as a save of its own. */
export interface RestoreRequest {
  /** Absent where the failure detector asks. */
  readonly requestId?: number | undefined;
  /** The history entry to restore. */
  readonly sequence: number;
}

/** A look at the file: an edit that is found is published at once, damage is kept and counted. */
export interface CheckRequest {
  /** Number that the answer carries. */
  readonly requestId: number;
  /** Whether damage that is known already counts again, as nobody has mended it. */
  readonly countAgain?: boolean | undefined;
  /** Whether damage is no failure, as it is about to be mended. */
  readonly uncounted?: boolean | undefined;
}

/** A wish that all saves before it be published. */
export interface FlushRequest {
  /** Number that the answer carries. */
  readonly requestId: number;
}

/** What waits for its turn. */
export type WaitingRequest =
  | ({ readonly kind: 'save' } & SaveRequest)
  | ({ readonly kind: 'flush' } & FlushRequest)
  | ({ readonly kind: 'restore' } & RestoreRequest)
  | ({ readonly kind: 'check' } & CheckRequest);

/** Policies of a store. */
export interface CheckpointInput {
  /**
   * Passed on to the `io` actor as its input: a port, or what `fileCheckpointIo(options)` returns, which
   * brings the policies along.
   */
  readonly io?: IoInput;
  /** What to do about edits made outside of the store; `adopt` by default. */
  readonly externalEdits?: ExternalEditPolicy | undefined;
  /** How often a failed sync may be answered with a fresh file before the store halts; 2 by default. */
  readonly syncRetryLimit?: number | undefined;
  /** The failure detector's settings; there is no detector if absent. */
  readonly restore?: DetectorSettings | undefined;
  /** When logged saves are published; each at once if absent. */
  readonly publish?: PublishPolicy | undefined;
}

/** Events that the machine takes from outside. */
export type CheckpointCommand =
  | ({
      readonly type: 'save.requested';
      /** Those that are asked for in the same breath, after it. */
      readonly others?: readonly SaveRequest[];
    } & SaveRequest)
  | { readonly type: 'save.aborted'; readonly requestId: number }
  | ({ readonly type: 'restore.requested' } & RestoreRequest)
  | ({ readonly type: 'check.requested' } & CheckRequest)
  | ({ readonly type: 'flush.requested' } & FlushRequest)
  /** For the failure detector; answered by `health.answered` or `health.failed`. */
  | { readonly type: 'health.changed'; readonly change: HealthChange; readonly requestId: number }
  | { readonly type: 'health.heartbeat' }
  | { readonly type: 'close.requested' };

type RootOperation = Extract<
  OperationName,
  | 'acquireLock'
  | 'releaseLock'
  | 'observeCheckpoint'
  | 'adoptCheckpoint'
  | 'keepCheckpoint'
  | 'removeLeftovers'
>;

/** All that the machine takes: from outside, from its children, from the disk. */
export type CheckpointEvent =
  | CheckpointCommand
  | CheckpointRequest
  | NoticeDue
  | RoundEvent
  /** Its own: what waits in the log has waited long enough, or may be idle. */
  | { readonly type: 'publish.due' }
  | { readonly type: 'publish.tick' }
  | DetectorEvent
  | IoReply<RootOperation>;

/** Events that the machine emits: its output contract. */
export type CheckpointEmitted =
  | {
      readonly type: 'checkpoint.ready';
      readonly sequence: number;
      readonly recovery: RecoveryReport;
      readonly lock: IoOperations['acquireLock']['output'];
    }
  | {
      readonly type: 'checkpoint.refused';
      readonly error: CheckpointError;
      readonly recovery?: RecoveryReport;
    }
  | {
      readonly type: 'save.logged';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.published';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.committed';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  /** All saves that were asked for before are published. */
  | {
      readonly type: 'flush.done';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.failed';
      readonly requestIds: readonly number[];
      readonly error: CheckpointError;
    }
  /** The request was still waiting and is now dropped; one that a round has taken is not aborted. */
  | { readonly type: 'save.aborted'; readonly requestId: number }
  | {
      readonly type: 'checkpoint.editedOutside';
      readonly change: 'edited' | 'damaged' | 'missing';
      readonly action: 'adopted' | 'rejected' | 'setAside' | 'kept';
      readonly sequence: number;
      readonly keptAs?: string;
    }
  /** An earlier checkpoint is current again, under a number of its own. */
  | {
      readonly type: 'checkpoint.restored';
      readonly sequence: number;
      /** The history entry that was restored. */
      readonly from: number;
      readonly cause: 'requested' | 'automatic';
    }
  /** The answer to a look at the file. */
  | {
      readonly type: 'checkpoint.checked';
      readonly requestIds: readonly number[];
      readonly change: Observation['change'];
      /** `published`: what was found is a sealed checkpoint now. `kept`: a copy is in quarantine. */
      readonly action: 'none' | 'published' | 'kept' | 'rejected';
      readonly sequence: number;
      readonly problem?: Problem;
      /** Whether that damage had been told before. */
      readonly known?: true;
    }
  /** The failure detector has come to rest. */
  | {
      readonly type: 'health.answered';
      readonly report: HealthReport;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'health.failed';
      readonly error: CheckpointError;
      readonly requestIds: readonly number[];
    }
  | { readonly type: 'checkpoint.halted'; readonly error: CheckpointError }
  | { readonly type: 'checkpoint.closed'; readonly error?: CheckpointError };

/** Whether an event is for who has the content. Everything of that name that comes in is. */
export function isContentRequest(event: CheckpointEvent): event is CheckpointRequest {
  return event.type.startsWith('checkpoint.');
}

/** The numbers of requests that somebody waits for. */
export function idsOf(requests: readonly WaitingRequest[]): number[] {
  return requests.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId]));
}

/** The policy `reject` met an edit. */
export function rejectedEdit(): CheckpointError {
  return new CheckpointError(
    'EDITED_OUTSIDE',
    "The checkpoint was edited outside of the store, and the policy is to reject that. Nothing was written. Reopen the store with externalEdits 'adopt' to take the edit, or 'restore' to set it aside.",
    { outcome: 'notSaved' },
  );
}

/** The round failed before its first step: the file was looked at and nothing was written over it. */
export function notTried(error: CheckpointError | undefined): CheckpointError | undefined {
  if (error === undefined) return undefined;
  const details = { ...error.details, outcome: 'notSaved' as const };
  return new CheckpointError(error.code, error.message, details, { cause: error.cause ?? error });
}

/** The answer to who asks a store that takes nothing any more. */
export function refusedSave(
  code: 'HALTED' | 'CLOSED',
  cause: CheckpointError | undefined,
): CheckpointError {
  return code === 'HALTED'
    ? new CheckpointError(
        'HALTED',
        `The store stopped after a failure: ${cause?.message ?? 'unknown'} Open it again to recover.`,
        { outcome: 'notSaved', ...(cause && { problem: toProblem(cause) }) },
        { cause },
      )
    : new CheckpointError('CLOSED', 'The store is closed.', { outcome: 'notSaved' }, { cause });
}

/** The error of a round, with what is known of its outcome. */
export function errorOfRound(output: WriteOutput): CheckpointError {
  if (output.status === 'committed') throw new TypeError('a committed round has no error');
  const { error, published, sequence, status } = output;
  // A port that knows that nothing was begun says so; else a store that has halted can't tell.
  const unpublished = status === 'halted' ? (error.details.outcome ?? 'unknown') : 'notSaved';
  const outcome = published ? 'published' : unpublished;
  return new CheckpointError(
    error.code,
    error.message,
    { ...error.details, sequence, outcome },
    { cause: error.cause ?? error },
  );
}

/** Restores did not help: the store is not opened until a person has looked. */
export function restoresExhausted({ because, restores, failures, bad }: HealthReport) {
  const last = failures.at(-1);
  const counted = failures.length === 1 ? '1 failure counts' : `${failures.length} failures count`;
  return new CheckpointError(
    'RESTORES_EXHAUSTED',
    `Automatic restore has stopped: ${because ?? 'unknown'}. ${counted}${last ? `, the last one: ${last.message}` : ''}. Nothing was changed. Find out why the program fails on this checkpoint; then run "checkpoint-wal reset", or open the store with restore: false.`,
    { restores, failures, bad },
  );
}

/** The refusal of a recovery that a restore may yet mend, with how many more failures it takes. */
export function refusalWith(error: CheckpointError, report: HealthReport): CheckpointError {
  const { failures, threshold, mode, wouldRestore } = report;
  const counted = {
    failures: failures.length,
    threshold,
    mode,
    ...(wouldRestore && { wouldRestore }),
  };
  const then =
    mode === 'automatic'
      ? ` At ${threshold} failures an earlier checkpoint is restored; this was no. ${failures.length}.`
      : '';
  return new CheckpointError(
    error.code,
    `${error.message}${then}`,
    { ...error.details, detector: counted },
    { cause: error.cause ?? error },
  );
}
