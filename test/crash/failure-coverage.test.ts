/**
 * Crashes at every transition of every machine, error edges included: operations are made to fail, and
 * the crash images of the moments around the failure are recovered. A transition that is never crashed
 * at fails the test unless it is listed with a reason.
 */
import { describe, expect, it } from 'vitest';
import { Coverage } from '../../src/testing/coverage.js';
import { explore } from '../../src/testing/explore.js';
import { failurePlans } from '../../src/testing/failure-plans.js';
import { labMachines, uncoveredWithoutReason } from '../../src/testing/lab.js';

const coverage = new Coverage();

describe('every promise is kept when', () => {
  it.each(failurePlans)('$title', async ({ scenario, options }) => {
    const report = await explore(scenario, {
      model: 'posix-minimal',
      seed: 1,
      depth: 1,
      imagesPerMoment: [3],
      failuresMax: 1,
      ...options,
    });
    coverage.add(report.coverage);
    const told = report.failures.map(({ check, message, trail }) => ({
      failed: `${check}: ${message}`,
      trail: trail.map(({ at, fates }) => ({ at, fates })),
    }));
    expect(told, JSON.stringify(told, null, 1)).toEqual([]);
  });
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
