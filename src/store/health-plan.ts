/**
 * What the failure detector remembers of a store and what it would do at the next start, told without
 * the lock and without changing anything.
 */
import type { HealthMemory, HealthPolicy } from '../format/health-format.js';
import type { HistoryEvidence, HistorySearch } from '../io/checkpoint-io.js';
import type { FileSystem } from '../io/file-system.js';
import { readHealthFile } from '../io/health-files.js';
import { type HealthAction, healthCases, healthEvidence } from '../machines/failure-decision.js';
import { changedBy, type HealthCircumstances } from '../machines/failure-memory.js';
import { type HealthReport, reportOf } from '../machines/health-report.js';
import { decide } from '../machines/recovery-decision.js';
import { DEFAULT_POLICY } from './restore-options.js';

/** See {@link planHealth}. */
export interface HealthPlan {
  /** As the next start would count: a run that was never ended counts as a crash. */
  readonly report: HealthReport;
  /** The row of `docs/failure-detection.md` that the next start would come to, and what it does. */
  readonly decision: { readonly label: string; readonly action: HealthAction };
  /** A run that has begun and not ended: it is under way, or it crashed. */
  readonly attempt?: NonNullable<HealthMemory['attempt']>;
}

/** What planning needs to look at. */
export interface HealthPlanInput {
  readonly fs: FileSystem;
  /** Path of the memory. */
  readonly health: string;
  readonly at: HealthCircumstances;
  /** Whether a living process has the store open: then its run is under way. */
  readonly isOpen: boolean;
  readonly search: (search: HistorySearch) => HistoryEvidence | Promise<HistoryEvidence>;
}

/** Reads the memory; `undefined` where there is none, or `unreadable` why it can't be read. */
export async function planHealth(
  input: HealthPlanInput,
): Promise<HealthPlan | { readonly unreadable: string } | undefined> {
  const { fs, health, at, isOpen, search } = input;
  const { memory: found, reason } = readHealthFile(fs, health);
  if (reason !== undefined) return { unreadable: reason };
  if (found === undefined) return undefined;
  const settings: HealthPolicy = found.policy ?? DEFAULT_POLICY;
  const memory = isOpen ? found : changedBy(found, { kind: 'opened', countCrashes: true }, at);
  const decided = decide(healthCases, healthEvidence(memory, settings, at));
  const isSearching = decided.action === 'restore' || decided.action === 'tell';
  const except = [...memory.bad.map(({ digest }) => digest), at.current?.digest ?? ''];
  const history = isSearching ? await search({ except, withArtifacts: false }) : undefined;
  const report = reportOf({ memory, at, settings, decided, candidate: history?.newest });
  return {
    report,
    decision: { label: decided.label, action: decided.action },
    ...(found.attempt && { attempt: found.attempt }),
  };
}
