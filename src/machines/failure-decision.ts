/**
 * What the failure detector decides, as a table of labelled cases over what it remembers. Pure. Ruled by
 * `docs/failure-detection.md`, which prints this table; a test walks every combination of evidence and
 * asserts that exactly one case matches.
 */
import type { HealthMemory, HealthPolicy, RestoreMode } from '../format/health-format.js';
import { counting, type HealthCircumstances } from './failure-memory.js';
import type { DecisionCase } from './recovery-decision.js';

/** Evidence about failures. */
export interface HealthCaseEvidence {
  readonly mode: RestoreMode;
  /** Whether a person has to look before anything is restored again. */
  readonly stopped: boolean;
  /** Whether an automatic restore was begun and the checkpoint is still the one it was to replace. */
  readonly unfinished: boolean;
  /** Whether as many failures count as the threshold says. */
  readonly reached: boolean;
  /** Whether a further automatic restore is allowed. */
  readonly restoresLeft: boolean;
}

/**
 * - `watch`: go on
 * - `tell`: say what a restore would bring back
 * - `restore`: bring back the newest earlier checkpoint that verifies and is not bad
 * - `stop`: restore nothing any more until a person says so
 */
export type HealthAction = 'watch' | 'tell' | 'restore' | 'stop';

/** The detector's table. */
export const healthCases: readonly DecisionCase<HealthCaseEvidence, HealthAction>[] = [
  {
    label: 'health-stopped',
    when: 'the detector has stopped before',
    matches: ({ stopped }) => stopped,
    action: 'stop',
    because: 'restoring did not help; only a person can tell what does',
    finding: true,
  },
  {
    label: 'health-resume',
    when: 'a restore was begun and cut off; mode automatic',
    matches: ({ mode, stopped, unfinished }) => !stopped && unfinished && mode === 'automatic',
    action: 'restore',
    because: 'it was counted already, and the checkpoint is still the bad one',
    finding: true,
  },
  {
    label: 'health-below',
    when: 'fewer failures than the threshold',
    matches: ({ mode, stopped, unfinished, reached }) =>
      !stopped && !reached && !(unfinished && mode === 'automatic'),
    action: 'watch',
    because: 'a single failure may be an accident',
    finding: false,
  },
  {
    label: 'health-off',
    when: 'the threshold is reached; mode off',
    matches: ({ mode, stopped, reached }) => !stopped && reached && mode === 'off',
    action: 'watch',
    because: 'failures are counted and nothing else',
    finding: false,
  },
  {
    label: 'health-manual',
    when: 'the threshold is reached; mode manual',
    matches: ({ mode, stopped, reached }) => !stopped && reached && mode === 'manual',
    action: 'tell',
    because: 'a person decides',
    finding: true,
  },
  {
    label: 'health-restore',
    when: 'the threshold is reached; mode automatic, and a restore is left',
    matches: ({ mode, stopped, unfinished, reached, restoresLeft }) =>
      !stopped && !unfinished && reached && mode === 'automatic' && restoresLeft,
    action: 'restore',
    because: 'the checkpoint is what the failures have in common',
    finding: true,
  },
  {
    label: 'health-exhausted',
    when: 'the threshold is reached; mode automatic, and no restore is left',
    matches: ({ mode, stopped, unfinished, reached, restoresLeft }) =>
      !stopped && !unfinished && reached && mode === 'automatic' && !restoresLeft,
    action: 'stop',
    because: 'earlier checkpoints failed as well: going on would be a loop',
    finding: true,
  },
];

/** The evidence in a memory. */
export function healthEvidence(
  memory: HealthMemory,
  settings: HealthPolicy,
  at: HealthCircumstances,
): HealthCaseEvidence {
  const { restoring, stopped, restores } = memory;
  return {
    mode: settings.mode,
    stopped: stopped !== undefined,
    unfinished: restoring !== undefined && restoring.digest === at.current?.digest,
    reached: counting(memory, settings, at).length >= settings.threshold,
    restoresLeft: restores < settings.maxRestores,
  };
}
