/**
 * What the failure detector tells: plain data for the orchestrator, for `status` and for the audit.
 */
import type {
  BadCheckpoint,
  CountedFailure,
  HealthMemory,
  HealthPolicy,
  RestoreMode,
} from '../format/health-format.js';
import type { HistoryEvidence } from '../io/checkpoint-io.js';
import type { HealthAction } from './failure-decision.js';
import { counting, type HealthCircumstances } from './failure-memory.js';

/** How a store is doing. */
export interface HealthReport {
  /**
   * - `healthy`: no failure counts
   * - `failing`: some do, fewer than the threshold (or the mode is `off`)
   * - `due`: the threshold is reached, and a person decides (mode `manual`)
   * - `restoring`: the threshold is reached, and an earlier checkpoint is being restored
   * - `stopped`: restores did not help, or there was nothing to go back to: `markHealthy()` or
   *   `checkpoint-wal reset` starts the detector again
   */
  readonly state: 'healthy' | 'failing' | 'due' | 'restoring' | 'stopped';
  /** What the threshold leads to. */
  readonly mode: RestoreMode;
  /** The failures that count now, oldest first. */
  readonly failures: readonly CountedFailure[];
  /** How many failures are one too many. */
  readonly threshold: number;
  /** Automatic restores since the store was last healthy. */
  readonly restores: number;
  /** How many automatic restores there may be without the store having become healthy. */
  readonly maxRestores: number;
  /** Checkpoints that no automatic restore goes back to. */
  readonly bad: readonly BadCheckpoint[];
  /** What a restore would bring back, where one is due and there is such a checkpoint. */
  readonly wouldRestore?: NonNullable<HistoryEvidence['newest']>;
  /** Why nothing is restored any more. */
  readonly because?: string;
}

/** The facts that a report is made of. */
export interface HealthFacts {
  readonly memory: HealthMemory;
  readonly at: HealthCircumstances;
  readonly settings: HealthPolicy;
  readonly decided: { readonly action: HealthAction } | undefined;
  readonly candidate: HistoryEvidence['newest'];
}

/** A report of these facts. */
export function reportOf({ memory, at, settings, decided, candidate }: HealthFacts): HealthReport {
  const failures = counting(memory, settings, at);
  const { mode, threshold, maxRestores } = settings;
  return {
    state: stateOf(memory, decided?.action, failures.length),
    mode,
    failures,
    threshold,
    restores: memory.restores,
    maxRestores,
    bad: memory.bad,
    ...(candidate && { wouldRestore: candidate }),
    ...(memory.stopped && { because: memory.stopped.because }),
  };
}

function stateOf(
  memory: HealthMemory,
  action: HealthAction | undefined,
  failures: number,
): HealthReport['state'] {
  if (memory.stopped !== undefined) return 'stopped';
  if (action === 'tell') return 'due';
  if (action === 'restore') return 'restoring';
  return failures > 0 ? 'failing' : 'healthy';
}
