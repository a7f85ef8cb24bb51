/**
 * What the demo does: which state each child is killed in, and what realistic change it was making.
 * Plain data; `docs/protocol.md` names the states.
 */

/** Where a child blocks until it is killed. */
export type KillPoint =
  | 'writingIntent'
  | 'writingData'
  | 'syncingWal'
  | 'writingCheckpoint'
  | 'syncingCheckpoint'
  | 'deletingWal'
  /** Inside the recovery of what a kill in `writingCheckpoint` left. */
  | 'applyingWal';

/** One round of the demo. */
export interface DemoRound {
  readonly killedIn: KillPoint;
  /** Where the child changes the orchestration, and to what. */
  readonly path: string;
  readonly value: string | number | boolean;
}

/** The six states of the write protocol, in order, then recovery. */
export const DEMO_ROUNDS: readonly DemoRound[] = [
  { killedIn: 'writingIntent', path: 'phases[0].status', value: 'ACTIVE' },
  { killedIn: 'writingData', path: 'phases[0].agents[0].status', value: 'ACTIVE' },
  { killedIn: 'syncingWal', path: 'phases[0].agents[0].status', value: 'COMPLETE' },
  { killedIn: 'writingCheckpoint', path: 'gates.survey-complete.score', value: 0.94 },
  { killedIn: 'syncingCheckpoint', path: 'gates.survey-complete.passed', value: true },
  { killedIn: 'deletingWal', path: 'workflow.current_phase', value: 2 },
  { killedIn: 'applyingWal', path: 'resume.next_step', value: 'Start parser-builder' },
];

/** What a child says, alone on a line, when it has reached the state it is to be killed in. */
export const REACHED = 'reached';
