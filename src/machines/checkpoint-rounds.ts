/**
 * What the root machine makes of requests and rounds: which go together, what a round publishes, and
 * what its end means. Pure.
 */
import { CheckpointError, type CheckpointErrorCode } from '../errors.js';
import type { DetectorSettings } from '../format/health-format.js';
import type { SaveSource } from '../io/checkpoint-io.js';
import { type CheckpointEvent, idsOf, type WaitingRequest } from './checkpoint-messages.js';
import type { DetectorCommand } from './failure-detector-machine.js';
import type { HealthChange } from './failure-memory.js';
import type { RecoveryReport } from './recovery-report.js';
import type { WriteOutput } from './write-machine.js';

/** The part of the root machine's context that rounds depend on. */
export interface RoundContext {
  readonly round: readonly WaitingRequest[];
  readonly isAnnounced: boolean;
  readonly isRefused: boolean;
  readonly isSaveFailing: boolean;
  readonly damage: object | undefined;
  readonly recovery: RecoveryReport | undefined;
  readonly restore: DetectorSettings | undefined;
}

/** How much of what waits goes together: saves do, anything else goes alone. */
export function lengthOfRound(waiting: readonly WaitingRequest[]): number {
  const other = waiting.findIndex(({ kind }) => kind !== 'save');
  return other === -1 ? waiting.length : Math.max(1, other);
}

/** The rounds, or parts of one, that an event asks for. */
export function requestsOf(event: CheckpointEvent): readonly WaitingRequest[] {
  switch (event.type) {
    case 'save.requested': {
      const { type: _, others = [], ...first } = event;
      return [first, ...others].map((request) => ({ kind: 'save', ...request }));
    }
    case 'restore.requested':
      return [{ kind: 'restore', requestId: event.requestId, sequence: event.sequence }];
    case 'flush.requested':
      return [{ kind: 'flush', requestId: event.requestId }];
    case 'detector.restoreWanted':
      return [{ kind: 'restore', sequence: event.sequence }];
    case 'check.requested': {
      const { requestId, countAgain, uncounted } = event;
      return [{ kind: 'check', requestId, countAgain, uncounted }];
    }
    default:
      return [];
  }
}

/** Whether it is the failure detector that asks. */
export function isAutomatic(request: WaitingRequest): boolean {
  return request.kind === 'restore' && request.requestId === undefined;
}

/** Whether somebody is told of success as soon as it is logged. */
export function isPromisedEarly(request: WaitingRequest): boolean {
  return request.kind === 'save' && request.durability === 'logged';
}

/** What the checkpoint of a round is called: of several saves the newest that has a label names it. */
export function labelOf(round: readonly WaitingRequest[]): {
  readonly label?: string | undefined;
  readonly pinned?: boolean | undefined;
} {
  const [first] = round;
  if (first?.kind === 'restore') return { label: `restored from ${first.sequence}` };
  const saves = round.flatMap((request) => (request.kind === 'save' ? [request] : []));
  const labelled = saves.findLast(({ label }) => label !== undefined);
  return labelled === undefined ? {} : { label: labelled.label, pinned: labelled.pinned };
}

/** An edit that was found is published as it is: that is a round of no save. */
export function sourceOf(round: readonly WaitingRequest[]): SaveSource {
  const [first] = round;
  return first?.kind === 'restore'
    ? { kind: 'history', sequence: first.sequence }
    : { kind: 'requests', requestIds: first?.kind === 'check' ? [] : idsOf(round) };
}

/** What is different once the failure detector has restored a checkpoint at the start of a store. */
export function restoredAtStart(context: RoundContext, sequence: number) {
  const { round, isAnnounced, isRefused, recovery } = context;
  const [request] = round;
  if (isAnnounced || recovery === undefined || request?.kind !== 'restore') return {};
  const restored = { from: request.sequence, sequence };
  const report: RecoveryReport = {
    ...recovery,
    outcome: 'ready',
    clean: false,
    sequence,
    restored,
  };
  return { recovery: report, error: undefined, isRefused: false, mustClear: isRefused };
}

/** Failures of the disk; what the callers themselves did wrong is no reason to go back. */
const DISK_FAILURES: ReadonlySet<CheckpointErrorCode> = new Set([
  'READ_FAILED',
  'WRITE_FAILED',
  'SHORT_WRITE',
  'NO_SPACE',
  'SYNC_FAILED',
]);

/** Whether the end of a round is a failure that the detector counts. */
export function countsAsFailedSave(
  { round }: Pick<RoundContext, 'round'>,
  output: WriteOutput,
): boolean {
  if (output.status === 'committed' || round[0]?.kind !== 'save') return false;
  return DISK_FAILURES.has(output.error.code);
}

/** What the end of a round means to the failure detector. */
export function newsFor(context: RoundContext, output: WriteOutput): DetectorCommand[] {
  const { round, isSaveFailing, damage, isRefused } = context;
  const [request] = round;
  const isCommitted = output.status === 'committed';
  const changed = (change: HealthChange): DetectorCommand => ({ type: 'health.changed', change });
  if (request?.kind === 'restore') {
    if (request.requestId !== undefined) {
      return isCommitted ? [changed({ kind: 'restoredOnRequest' })] : [];
    }
    const ended: DetectorCommand = { type: 'restore.ended', restored: isCommitted };
    // After a refusal the attempt begins here: with the checkpoint that took the refused one's place.
    const countCrashes = context.restore?.countCrashes ?? false;
    const opened = changed({ kind: 'opened', countCrashes });
    return isCommitted && isRefused ? [opened, ended] : [ended];
  }
  if (isCommitted) {
    return [
      ...(isSaveFailing ? [changed({ kind: 'saved' })] : []),
      ...(damage === undefined ? [] : [changed({ kind: 'repaired' })]),
    ];
  }
  if (!countsAsFailedSave(context, output)) return [];
  return [changed({ kind: 'failed', signal: 'saveFailed', message: output.error.message })];
}

/** The answer to who speaks to a detector that is not there. */
export function noDetector(): CheckpointError {
  return new CheckpointError(
    'NO_DETECTOR',
    'The store was opened with restore: false: failures are not counted.',
  );
}
