/**
 * Runs that together crash at every transition of the statecharts, error edges included: small
 * scenarios, each with operations that are made to fail. And why the few transitions that none of them
 * comes to are not crashed at.
 */
import type { StoreExploreOptions } from './explore.js';
import { describeFault, type PortFault, recoveryFaults, runFaults } from './faulty-io.js';
import type { Scenario } from './scenario.js';

/** One run. */
export interface FailurePlan {
  readonly title: string;
  readonly scenario: Scenario;
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

const keepFails: readonly PortFault[] = [{ operation: 'keepCheckpoint', nth: 1, kind: 'write' }];
const logIsLeft: readonly PortFault[] = [{ operation: 'deleteWal', nth: 1, kind: 'write' }];

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
];

/** Transitions that are not crashed at, and why. */
export const uncrashed: readonly { readonly transition: RegExp; readonly because: string }[] = [
  {
    transition: /\[isStale\]/,
    because: 'answers come in the order of their questions; a unit test sends one out of order',
  },
  {
    transition: /--save\.aborted-->/,
    because: 'scenarios abort nothing; a unit test does',
  },
  {
    transition: /halted --always|closing --save\.requested-->/,
    because: 'scenarios close only at their end; a unit test closes during a round',
  },
  {
    transition: /decidingHistory --always--> refused/,
    because: 'nothing valid is left only by damage to all of history: recovery-of-damage.test.ts',
  },
];
