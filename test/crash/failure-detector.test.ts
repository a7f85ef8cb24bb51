/**
 * The failure detector, crashed at every point of counting and restoring, and crashed again in what
 * follows: counts are never lost, restores never made without need, and never without end.
 */
import { describe, expect, it } from 'vitest';
import { failureDetectorMachine } from '../../src/machines/failure-detector-machine.js';
import { Coverage } from '../../src/testing/coverage.js';
import { type DetectorScenario, detectorProgram } from '../../src/testing/detector-lab.js';
import { detectorPlans } from '../../src/testing/detector-plans.js';
import { exploreProgram } from '../../src/testing/explore-program.js';
import { uncoveredWithoutReason } from '../../src/testing/lab.js';

const coverage = new Coverage();

/** A short run is crashed three times in a row; a long one twice; one with faults once. */
function scopeOf({ steps, runFaults }: DetectorScenario) {
  if (runFaults !== undefined) return { depth: 1, imagesPerMoment: [1] };
  return steps.length <= 3
    ? { depth: 3, imagesPerMoment: [3, 1, 1] }
    : { depth: 2, imagesPerMoment: [1, 1] };
}

describe('crashed anywhere while', () => {
  it.each(detectorPlans)(
    '$name: every count and every state is kept',
    async (scenario) => {
      const { depth, imagesPerMoment } = scopeOf(scenario);
      const report = await exploreProgram(detectorProgram(scenario), {
        model: 'posix-minimal',
        seed: 1,
        depth,
        imagesPerMoment,
        failuresMax: 1,
      });
      coverage.add(report.coverage);
      const told = report.failures.map(({ check, message, trail }) => ({
        failed: `${check}: ${message}`,
        trail: trail.map(({ at, fates }) => ({ at, fates })),
      }));
      expect(told, JSON.stringify(told, null, 1)).toEqual([]);
      expect(report.counts.distinct).toBeGreaterThan(10);
    },
    120_000,
  );
});

describe('coverage of the failure detector', () => {
  it('leaves no transition uncrashed without a reason', () => {
    expect(uncoveredWithoutReason(coverage.table([failureDetectorMachine]))).toEqual([]);
  });
});
