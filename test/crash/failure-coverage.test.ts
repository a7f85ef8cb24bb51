/**
 * Crashes at every transition of every machine, error edges included: operations are made to fail, and
 * the crash images of the moments around the failure are recovered. A transition that is never crashed
 * at fails the test unless it is listed with a reason.
 */
import { describe, expect, it } from 'vitest';
import { checkpointMachine } from '../../src/machines/checkpoint-machine.js';
import { recoveryMachine } from '../../src/machines/recovery-machine.js';
import { writeMachine } from '../../src/machines/write-machine.js';
import { Coverage } from '../../src/testing/coverage.js';
import { explore, type StoreExploreOptions } from '../../src/testing/explore.js';
import { describeFault, recoveryFaults, runFaults } from '../../src/testing/faulty-io.js';
import type { Scenario } from '../../src/testing/scenario.js';

const coverage = new Coverage();

const run: Scenario = {
  name: 'a run',
  file: 'v: 0\n',
  steps: [
    { do: 'set', path: 'v', value: 1 },
    { do: 'edit', text: 'v: 10\n' },
    { do: 'set', path: 'v', value: 2, durability: 'logged' },
    { do: 'set', path: 'v', value: 3 },
  ],
};

const small: StoreExploreOptions = {
  model: 'posix-minimal',
  seed: 1,
  depth: 1,
  imagesPerMoment: [3],
  failuresMax: 2,
};

async function look(scenario: Scenario, options: Partial<StoreExploreOptions>): Promise<void> {
  const report = await explore(scenario, { ...small, ...options });
  coverage.add(report.coverage);
  expect(
    report.failures,
    JSON.stringify(
      report.failures.map(({ trail, ...rest }) => ({
        ...rest,
        trail: trail.map(({ at, fates }) => ({ at, fates })),
      })),
      null,
      1,
    ),
  ).toEqual([]);
}

describe('crashes around failures', () => {
  it.each(runFaults.map((faults) => ({ faults, title: faults.map(describeFault).join(' and ') })))(
    'keep every promise when $title',
    async ({ faults }) => {
      await look(run, { runFaults: faults });
    },
  );

  it.each(['restore', 'reject'] as const)(
    'keep every promise under the policy %s',
    async (policy) => {
      await look({ ...run, externalEdits: policy }, { depth: 2, imagesPerMoment: [3, 2] });
      const failing = [{ operation: 'keepCheckpoint', nth: 1, kind: 'write' }] as const;
      await look({ ...run, externalEdits: policy }, { runFaults: failing });
    },
  );

  const logLeft = [{ operation: 'deleteWal', nth: 1, kind: 'write' }] as const;
  const damaged: Scenario = {
    name: 'damaged',
    externalEdits: 'restore',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'save', state: { v: 2 } },
      { do: 'damage', text: '' },
      { do: 'save', state: { v: 3 } },
    ],
  };

  it.each([[], ...recoveryFaults])(
    'keep every promise when a log was left under an edit, or the file damaged; fault %#',
    async (...faults) => {
      const options = { recoveryFaults: faults, depth: 2, imagesPerMoment: [2, 2] };
      await look(run, { ...options, runFaults: logLeft });
      await look(damaged, options);
    },
  );

  it.each(
    recoveryFaults.map((faults) => ({ faults, title: faults.map(describeFault).join(' and ') })),
  )('keep every promise when in the first recovery $title', async ({ faults }) => {
    const options = { recoveryFaults: faults, depth: 2, imagesPerMoment: [5, 2] };
    await look(run, options);
  });
});

/** Why a transition is not crashed at here. */
const reasons: readonly [RegExp, string][] = [
  [
    /\[isStale\]/,
    'answers come in the order of their questions; a unit test sends one out of order',
  ],
  [/--save\.aborted-->/, 'nothing waits on a disk that answers at once; a unit test aborts'],
  [/halted --always/, 'a close is never asked for during a round here; a unit test does'],
  [/closing --save\.requested-->/, 'likewise'],
  [
    /decidingHistory --always--> refused/,
    'nothing valid is left only by damage: recovery-of-damage',
  ],
];

describe('coverage', () => {
  it('leaves no transition uncrashed without a reason', () => {
    const table = coverage.table([checkpointMachine, recoveryMachine, writeMachine]);
    const missed = table
      .filter(({ crashes }) => crashes === 0)
      .map(({ machine, transition }) => `${machine}: ${transition}`)
      .filter((name) => !reasons.some(([pattern]) => pattern.test(name)));
    expect(missed).toEqual([]);
  });
});
