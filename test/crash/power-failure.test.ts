/**
 * Power failures at every moment of a few scenarios, and again at every moment of the recoveries that
 * follow: what was not synced is lost, kept or torn.
 */
import { describe, expect, it } from 'vitest';
import { explore } from '../../src/testing/explore.js';
import { labScenarios } from '../../src/testing/scenarios.js';

/** Images of one moment, by depth; `LAB_IMAGES=256,32` looks further. */
const { LAB_IMAGES = '24,3' } = process.env;
const imagesPerMoment = LAB_IMAGES.split(',').map(Number);

describe.each(['posix-minimal', 'ordered'] as const)('power failure under %s', (model) => {
  it.each(labScenarios)(
    'keeps every promise, crashed twice: $name',
    async (scenario) => {
      const report = await explore(scenario, {
        model,
        seed: 1,
        depth: 2,
        imagesPerMoment,
        failuresMax: 3,
      });
      expect(report.failures, JSON.stringify(report.failures, null, 1)).toEqual([]);
      expect(report.counts.distinct).toBeGreaterThan(400);
    },
    300_000,
  );
});
