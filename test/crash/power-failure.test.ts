/**
 * Power failures at every moment of a few scenarios, and again at every moment of the recoveries that
 * follow: what was not synced is lost, kept or torn. The first scenario is gone through exhaustively,
 * two crashes deep; the others, which have more at stake at once, are sampled by seed.
 */
import { describe, expect, it } from 'vitest';
import { explore } from '../../src/testing/explore.js';
import type { ExploreReport } from '../../src/testing/explore-report.js';
import { labScenarios } from '../../src/testing/scenarios.js';

/** Images of one moment, by depth, where they are sampled; `LAB_IMAGES=256,32` looks further. */
const { LAB_IMAGES = '16,2' } = process.env;
const imagesPerMoment = LAB_IMAGES.split(',').map(Number);

const [small, ...larger] = labScenarios;
if (small === undefined) throw new Error('the lab has no scenarios');

/** What an exhaustive exploration of the small scenario comes to, a little less of it. */
const atLeast = {
  'posix-minimal': { moments: 2500, images: 35_000, distinct: 2000 },
  ordered: { moments: 1200, images: 8000, distinct: 750 },
};

function failuresOf({ failures }: ExploreReport): object[] {
  return failures.map(({ check, message, trail }) => ({
    failed: `${check}: ${message}`,
    trail: trail.map(({ at, fates }) => ({ at, fates })),
  }));
}

describe.each(['posix-minimal', 'ordered'] as const)('power failure under %s', (model) => {
  it(`keeps every promise, in every image of every moment, two crashes deep: ${small.name}`, async () => {
    const every = Number.MAX_SAFE_INTEGER;
    const options = { model, seed: 1, depth: 2, imagesPerMoment: [every], failuresMax: 1 };
    const report = await explore(small, options);
    const failures = failuresOf(report);
    expect(failures, JSON.stringify(failures, null, 1)).toEqual([]);
    expect(report.exhaustive).toBe(true);
    // Of the images most are equal to others: what is gone through is said by all of them.
    const { moments, images, distinct } = atLeast[model];
    expect(report.counts.moments).toBeGreaterThan(moments);
    expect(report.counts.images).toBeGreaterThan(images);
    expect(report.counts.distinct).toBeGreaterThan(distinct);
  }, 300_000);

  it.each(larger)(
    'keeps every promise, crashed twice: $name',
    async (scenario) => {
      const report = await explore(scenario, {
        model,
        seed: 1,
        depth: 2,
        imagesPerMoment,
        failuresMax: 1,
      });
      const failures = failuresOf(report);
      expect(failures, JSON.stringify(failures, null, 1)).toEqual([]);
      expect(report.counts.distinct).toBeGreaterThan(150);
    },
    300_000,
  );
});
