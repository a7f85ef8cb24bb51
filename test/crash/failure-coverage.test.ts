/**
 * Crashes at every transition of every machine, error edges included: operations are made to fail, and
 * the crash images of the moments around the failure are recovered. A transition that is never crashed
 * at fails the test unless it is listed with a reason. The failure detector is crashed at every point of
 * counting and restoring: counts are never lost, restores never made without need, and never without end.
 */
import { describe, expect, it } from 'vitest';
import { Coverage } from '../../src/testing/coverage.js';
import {
  type DetectorFound,
  type DetectorScenario,
  detectorProgram,
} from '../../src/testing/detector-lab.js';
import { detectorPlans } from '../../src/testing/detector-plans.js';
import { exploreStore, knownOutcomes } from '../../src/testing/explore.js';
import { exploreKnowing } from '../../src/testing/explore-program.js';
import { failurePlans } from '../../src/testing/failure-plans.js';
import { labMachines, uncoveredWithoutReason } from '../../src/testing/lab.js';
import { RecoveryMemo } from '../../src/testing/recovery-memo.js';

const coverage = new Coverage();
/** Many of these runs come to the same disks, and recover from them once. */
const known = knownOutcomes();
const memo = new RecoveryMemo<DetectorFound>();

describe('every promise is kept when', () => {
  it.each(failurePlans)('$title', async ({ scenario, options }) => {
    const plan = {
      model: 'posix-minimal',
      seed: 1,
      depth: 1,
      imagesPerMoment: [3],
      failuresMax: 1,
      ...options,
    } as const;
    const report = await exploreStore(scenario, plan, known);
    coverage.add(report.coverage);
    const told = report.failures.map(({ check, message, trail }) => ({
      failed: `${check}: ${message}`,
      trail: trail.map(({ at, fates }) => ({ at, fates })),
    }));
    expect(told, JSON.stringify(told, null, 1)).toEqual([]);
  });
});

/** A short run is crashed three times in a row; a long one twice; one with faults once. */
function scopeOf({ steps, runFaults }: DetectorScenario) {
  if (runFaults !== undefined) return { depth: 1, imagesPerMoment: [1] };
  return steps.length <= 3
    ? { depth: 3, imagesPerMoment: [1, 1, 1] }
    : { depth: 2, imagesPerMoment: [1, 1] };
}

describe('crashed anywhere while', () => {
  it.each(detectorPlans)(
    '$name: every count and every state is kept',
    async (scenario) => {
      const { depth, imagesPerMoment } = scopeOf(scenario);
      const plan = {
        model: 'posix-minimal',
        seed: 1,
        depth,
        imagesPerMoment,
        failuresMax: 1,
      } as const;
      const report = await exploreKnowing(detectorProgram(scenario), plan, memo);
      coverage.add(report.coverage);
      const told = report.failures.map(({ check, message, trail }) => ({
        failed: `${check}: ${message}`,
        trail: trail.map(({ at, fates }) => ({ at, fates })),
      }));
      expect(told, JSON.stringify(told, null, 1)).toEqual([]);
      expect(report.counts.images).toBeGreaterThan(5);
    },
    120_000,
  );
});

describe('coverage', () => {
  it('leaves no transition uncrashed without a reason', () => {
    expect(uncoveredWithoutReason(coverage.table(labMachines))).toEqual([]);
  });

  it('notices a transition that is missing', () => {
    const [first, ...rest] = coverage.table(labMachines);
    const missing = first && { ...first, crashes: 0 };
    expect(uncoveredWithoutReason(missing ? [missing, ...rest] : rest)).toHaveLength(1);
  });
});
