/**
 * Runs that together crash at every transition of the statecharts, error edges included: small
 * scenarios, each with operations that are made to fail. And why the few transitions that none of them
 * comes to are not crashed at.
 */
import type { FaultRule } from '../io/fault-rules.js';
import { createRandom } from '../io/random.js';
import { diskFaults, drawDiskFaults } from './disk-faults.js';
import { drawScenario } from './draw-scenario.js';
import type { StoreExploreOptions } from './explore.js';
import { describeFault, type PortFault, recoveryFaults, runFaults } from './faulty-io.js';
import type { Scenario } from './scenario.js';

/** One run. */
export interface FailurePlan {
  /** What is made to fail, in words. */
  readonly title: string;
  /** What is done meanwhile. */
  readonly scenario: Scenario;
  /** What it adds to the options of {@link explore}. */
  readonly options: Partial<StoreExploreOptions>;
}

const run: Scenario = {
  name: 'a run with an outside edit',
  file: 'v: 0\n',
  steps: [
    { do: 'set', path: 'v', value: 1 },
    { do: 'edit', text: 'v: 10\n' },
    { do: 'set', path: 'v', value: 2, durability: 'logged' },
    { do: 'set', path: 'v', value: 3 },
  ],
};

const damaged: Scenario = {
  name: 'a run with damage',
  externalEdits: 'restore',
  steps: [
    { do: 'save', state: { v: 1 } },
    { do: 'save', state: { v: 2 } },
    { do: 'damage', text: '' },
    { do: 'save', state: { v: 3 } },
  ],
};

/** Saves that go behind each other in one log. */
const resting: Scenario = {
  name: 'a run with saves that wait in the log',
  file: 'v: 0\n',
  publish: { afterSaves: 10 },
  steps: [
    { do: 'set', path: 'v', value: 1 },
    { do: 'set', path: 'v', value: 2 },
    { do: 'update', path: 'v', add: 1 },
    { do: 'flush' },
    { do: 'set', path: 'v', value: 4 },
    { do: 'set', path: 'v', value: 5, durability: 'committed' },
  ],
};

/** What is written behind a save can't be taken back: the store halts, and the log is left. */
const cutFails: readonly PortFault[] = [
  { operation: 'writeData', nth: 2, kind: 'write' },
  { operation: 'abandonRound', nth: 1, kind: 'sync' },
];

const keepFails: readonly PortFault[] = [{ operation: 'keepCheckpoint', nth: 1, kind: 'write' }];
const logIsLeft: readonly PortFault[] = [{ operation: 'deleteWal', nth: 1, kind: 'write' }];

/** Whether the new checkpoint's name is durable is not known: the store halts. */
const halting: readonly PortFault[] = [
  { operation: 'syncCheckpoint', nth: 1, kind: 'directorySync' },
];

/** Four callers at once, one of whom gives up, and a caller who closes the store in their midst. */
const crowd = (schedule: number): Scenario => ({
  name: `callers in the order of seed ${schedule}`,
  file: 'v: 0\n',
  steps: [
    {
      do: 'together',
      schedule,
      steps: [
        { do: 'update', path: 'v', add: 1 },
        { do: 'set', path: 'w', value: 2, durability: 'logged' },
        { do: 'save', state: { v: 100 }, abort: true },
        { do: 'close' },
        { do: 'update', path: 'v', add: 10 },
      ],
    },
    { do: 'update', path: 'v', add: 1000 },
  ],
});

/** Several callers at once; all but the first, whose round is on its way, give up. */
const givingUp: Scenario = {
  name: 'saves that are given up while they wait',
  file: 'v: 0\n',
  steps: [
    {
      do: 'together',
      steps: [
        { do: 'update', path: 'v', add: 1 },
        { do: 'set', path: 'v', value: 5, abort: true },
        { do: 'update', path: 'v', add: 10 },
      ],
    },
  ],
};

/** A caller gives up whose round is on its way already: it is saved all the same. */
const givenUpTooLate: Scenario = {
  name: 'a save that is given up when a round has taken it',
  file: 'v: 0\n',
  steps: [
    {
      do: 'together',
      steps: [
        { do: 'update', path: 'v', add: 1, abort: true },
        { do: 'update', path: 'v', add: 10 },
      ],
    },
  ],
};

/** The store is closed while a round is on its way and further saves still come. */
const closedInARound: Scenario = {
  name: 'a store that is closed during a round',
  file: 'v: 0\n',
  steps: [
    {
      do: 'together',
      steps: [
        { do: 'update', path: 'v', add: 1 },
        { do: 'update', path: 'v', add: 10 },
        { do: 'close' },
        { do: 'update', path: 'v', add: 100 },
      ],
    },
    { do: 'update', path: 'v', add: 1000 },
  ],
};

/** Orders of callers and syncs that every commit goes through. */
const schedules = [1, 2, 3, 4, 5, 6];

const shallow = { depth: 1, imagesPerMoment: [2] } as const;

/** A run and a recovery for each fault of the file system. */
function diskPlans(rule: FaultRule): FailurePlan[] {
  const faults = rule.toJSON();
  return [
    {
      title: `in the run, ${rule}`,
      scenario: { ...run, faults: { run: faults } },
      options: shallow,
    },
    {
      title: `in the recovery, ${rule}`,
      scenario: { ...run, faults: { recovery: faults } },
      options: shallow,
    },
    {
      title: `in the recovery of a damaged file, ${rule}`,
      scenario: { ...damaged, faults: { recovery: faults } },
      options: shallow,
    },
  ];
}

const titleOf = (faults: readonly PortFault[]): string =>
  faults.length === 0 ? 'nothing fails' : faults.map(describeFault).join(' and ');

const policies = ['restore', 'reject'] as const;

/** See the head of this file. */
export const failurePlans: readonly FailurePlan[] = [
  ...runFaults.map((faults) => ({
    title: `in the run, ${titleOf(faults)}`,
    scenario: run,
    options: { runFaults: faults, depth: 1, imagesPerMoment: [3] },
  })),
  ...[...runFaults, cutFails].map((faults) => ({
    title: `with saves that wait in the log, ${titleOf(faults)}`,
    scenario: resting,
    options: { runFaults: faults, depth: 1, imagesPerMoment: [3] },
  })),
  { title: resting.name, scenario: resting, options: { depth: 2, imagesPerMoment: [6, 2] } },
  ...policies.flatMap((externalEdits): FailurePlan[] => [
    {
      title: `under the policy ${externalEdits}`,
      scenario: { ...run, externalEdits },
      options: { depth: 2, imagesPerMoment: [3, 2] },
    },
    {
      title: `under the policy ${externalEdits}, ${titleOf(keepFails)}`,
      scenario: { ...run, externalEdits },
      options: { runFaults: keepFails, depth: 1, imagesPerMoment: [3] },
    },
  ]),
  ...[[], ...recoveryFaults].flatMap((faults): FailurePlan[] => {
    const options = { recoveryFaults: faults, depth: 2 };
    return [
      {
        title: `in the recovery, ${titleOf(faults)}`,
        scenario: run,
        options: { ...options, imagesPerMoment: [8, 2] },
      },
      {
        title: `in the recovery of a log left under an edit, ${titleOf(faults)}`,
        scenario: run,
        options: { ...options, runFaults: logIsLeft, imagesPerMoment: [2, 2] },
      },
      {
        title: `in the recovery of a damaged file, ${titleOf(faults)}`,
        scenario: damaged,
        options: { ...options, imagesPerMoment: [2, 2] },
      },
    ];
  }),
  ...[givingUp, givenUpTooLate].map((scenario) => ({
    title: scenario.name,
    scenario,
    options: { depth: 2, imagesPerMoment: [3, 1] },
  })),
  ...[[], halting].map((faults) => ({
    title: `${closedInARound.name}, ${titleOf(faults)}`,
    scenario: closedInARound,
    options: { ...shallow, runFaults: faults },
  })),
  ...schedules.flatMap((schedule): FailurePlan[] => {
    const scenario = crowd(schedule);
    return [
      { title: scenario.name, scenario, options: shallow },
      {
        title: `${scenario.name}, ${titleOf(halting)}`,
        scenario,
        options: { ...shallow, runFaults: halting },
      },
    ];
  }),
  ...diskFaults.flatMap(diskPlans),
];

/** Plans that only `seed` decides: faults of the file system, callers and the order in which they come. */
export function drawPlans(seed: number): FailurePlan[] {
  const random = createRandom(seed);
  const number = () => random.next(2 ** 30);
  const scenario = drawScenario(number());
  const [inRun, inRecovery] = [drawDiskFaults(number()), drawDiskFaults(number())];
  const faults = { run: inRun.toJSON(), recovery: inRecovery.toJSON() };
  const both = { ...scenario, name: `${scenario.name}, with faults`, faults };
  const inRecoveryOnly = { ...damaged, faults: { recovery: faults.recovery } };
  return [
    { title: scenario.name, scenario, options: {} },
    { title: both.name, scenario: both, options: {} },
    { title: `${damaged.name}, with faults`, scenario: inRecoveryOnly, options: {} },
  ];
}

/** Transitions that are not crashed at, and why. */
export const uncrashed: readonly { readonly transition: RegExp; readonly because: string }[] = [
  {
    transition: /\[isStale\]/,
    because: 'answers come in the order of their questions; a unit test sends one out of order',
  },
  {
    transition: /(closing|leaving) --((save|restore|check|flush)\.requested|health\.changed)-->/,
    because:
      'a store refuses by itself once close() was called; a unit test sends the event to the machine',
  },
  {
    transition: /leaving --detector\.restoreWanted-->/,
    because: 'it takes a close between two steps of the detector; a unit test sends it there',
  },
  {
    transition: /saving --publish\.(due|tick)-->/,
    because:
      'no time passes in the lab; unit tests let it pass, and a save publishes in the same way',
  },
  {
    transition: /halted --flush\.requested-->/,
    because: 'a flush changes nothing on disk; a unit test asks a halted store for one',
  },
  {
    transition: /halted --restore\.requested-->/,
    because: 'a restore looks at the file first, which a halted store refuses already',
  },
  {
    transition: /\(root\) --(checkpoint\.\*|notice\.due)-->/,
    because: 'only an embedded store hands these on; test/crash/embedded.test.ts crashes one',
  },
  {
    transition: /finishingWal --finishWal\.done \[isPartlyDamaged\]-->/,
    because:
      'it takes damage behind a save that is published already; test/unit/store/publish.test.ts makes it',
  },
  {
    transition: /decidingHistory --always--> refused/,
    because: 'nothing valid is left only by damage to all of history: recovery-of-damage.test.ts',
  },
];
