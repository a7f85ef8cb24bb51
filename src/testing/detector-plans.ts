/**
 * Runs of the failure detector in the lab that together crash at every transition of it, and at those
 * of the store that lead to it.
 */
import type { DetectorScenario, DetectorStep } from './detector-lab.js';
import type { PortFault } from './faulty-io.js';

const three: readonly DetectorStep[] = [
  { do: 'save', v: 1 },
  { do: 'save', v: 2 },
  { do: 'save', v: 3 },
];
const report: DetectorStep = { do: 'report' };
const automatic = { mode: 'automatic', threshold: 2, maxRestores: 2 } as const;

const reported: DetectorScenario = {
  name: 'failures are reported until a checkpoint is restored',
  restore: automatic,
  steps: [...three, report, report, { do: 'save', v: 4 }, { do: 'markHealthy' }],
};

const guarded: DetectorScenario = {
  name: 'a file is damaged, looked at, and restored',
  restore: automatic,
  steps: [
    ...three,
    { do: 'check' },
    { do: 'write', text: 'v: [' },
    { do: 'check' },
    { do: 'check' },
    { do: 'write', text: 'v: 7\n', v: 7 },
    { do: 'check' },
    { do: 'delete' },
    { do: 'check' },
    { do: 'write', text: 'v: 8\n', v: 8 },
    { do: 'check' },
  ],
};

/** The newest checkpoint is refused by a schema at every start. */
const refused: DetectorScenario = {
  name: 'a schema refuses the newest checkpoint',
  restore: { ...automatic, threshold: 3 },
  schemaMax: 2,
  schemaFrom: 2,
  steps: [...three, { do: 'reopen' }, { do: 'reopen' }, { do: 'reopen' }, { do: 'save', v: 1 }],
};

const timed: DetectorScenario = {
  name: 'heartbeats are missed, and time heals',
  restore: { ...automatic, threshold: 3, healthyAfterMs: 1000 },
  heartbeatMs: 400,
  steps: [
    ...three,
    { do: 'wait', ms: 300 },
    { do: 'heartbeat' },
    { do: 'wait', ms: 400 },
    { do: 'heartbeat' },
    { do: 'wait', ms: 350 },
    { do: 'heartbeat' },
    { do: 'wait', ms: 350 },
    { do: 'heartbeat' },
    { do: 'wait', ms: 350 },
    report,
  ],
};

const closing = (turns: number): DetectorScenario => ({
  name: `a store is closed ${turns} turns after failures were reported`,
  restore: { ...automatic, threshold: 1 },
  steps: [...three, { do: 'closeAmid', turns, steps: [report, { do: 'check' }, report] }],
});

/** A failure that the machine can't undo, and then failures that want a restore. */
const halting: DetectorScenario = {
  name: 'failures are reported to a store that has halted',
  restore: automatic,
  runFaults: [{ operation: 'syncCheckpoint', nth: 3, kind: 'directorySync' }],
  steps: [...three, report, report, { do: 'restore', sequence: 1 }, { do: 'check' }],
};

const exhausted: DetectorScenario = {
  name: 'no restore is left from the beginning',
  restore: { ...automatic, threshold: 1, maxRestores: 0 },
  steps: [...three, report, { do: 'save', v: 4 }, { do: 'reopen' }],
};

const fail = (
  operation: PortFault['operation'],
  nth: number,
  kind: PortFault['kind'] = 'write',
): readonly PortFault[] => [{ operation, nth, kind }];

/** Operations of the detector that fail in a run, at the start and later. */
const detectorFaults: readonly (readonly PortFault[])[] = [
  fail('readHealth', 1, 'read'),
  fail('readHealth', 2, 'read'),
  fail('readHealth', 3, 'lockLost'),
  fail('writeHealth', 1),
  fail('writeHealth', 2),
  fail('writeHealth', 3, 'directorySync'),
  fail('writeHealth', 4),
  fail('findInHistory', 1, 'read'),
  fail('syncWal', 4, 'directorySync'),
  fail('writeData', 4),
  fail('observeCheckpoint', 4, 'read'),
  fail('keepCheckpoint', 1),
  fail('keepCheckpoint', 2),
  fail('removeLeftovers', 2),
  fail('removeLeftovers', 4),
];

const quiet = (mode: 'manual' | 'off'): DetectorScenario => ({
  name: `the threshold is reached in mode ${mode}`,
  restore: { ...automatic, mode },
  steps: [...three, report, report, report],
});

/** See the head of this file. */
export const detectorPlans: readonly DetectorScenario[] = [
  reported,
  guarded,
  refused,
  timed,
  ...[0, 2, 4].map(closing),
  halting,
  exhausted,
  {
    ...exhausted,
    name: 'no restore is left, and that can not be noted',
    runFaults: [{ operation: 'writeHealth', nth: 3, kind: 'write' }],
  },
  {
    ...reported,
    name: 'failures are reported to a tool beside the orchestrator',
    restore: { ...automatic, countCrashes: false },
  },
  ...(['keepCheckpoint', 'removeLeftovers'] as const).map((operation) => ({
    ...refused,
    name: `a schema refuses the newest checkpoint, and ${operation} fails`,
    runFaults: [{ operation, nth: 1, kind: 'write' as const }],
    runFaultsFrom: 2,
  })),
  {
    name: 'a restore at the start halts',
    restore: { ...automatic, threshold: 1 },
    steps: three,
    recoveryFaults: [{ operation: 'syncCheckpoint', nth: 1, kind: 'directorySync' }],
  },
  quiet('manual'),
  quiet('off'),
  {
    name: 'nothing is left to go back to',
    restore: { ...automatic, threshold: 1 },
    steps: [{ do: 'save', v: 1 }, report, { do: 'save', v: 2 }, { do: 'reopen' }],
  },
  {
    name: 'restores are asked for',
    restore: automatic,
    steps: [
      ...three,
      { do: 'restore', sequence: 1 },
      { do: 'write', text: 'v: [' },
      { do: 'restore', sequence: 2 },
      { do: 'delete' },
      { do: 'restore', sequence: 2 },
    ],
  },
  {
    name: 'an edit is rejected when it is looked at',
    restore: automatic,
    externalEdits: 'reject',
    steps: [...three, { do: 'write', text: 'v: 9\n', v: 9 }, { do: 'check' }],
  },
  {
    name: 'a run crashes again and again',
    restore: { ...automatic, threshold: 1 },
    steps: three,
  },
  ...[reported, guarded, refused].flatMap((scenario) =>
    detectorFaults.map((runFaults) => ({
      ...scenario,
      name: `${scenario.name}; ${runFaults[0]?.operation} fails, no. ${runFaults[0]?.nth} (${runFaults[0]?.kind})`,
      runFaults,
    })),
  ),
];
