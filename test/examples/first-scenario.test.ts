/**
 * An example for `docs/testing.md`: the first scenario of a newcomer.
 */
import { expect, it } from 'vitest';
import { explore } from '../../src/testing/explore.js';

it('keeps every promise', async () => {
  const scenario = {
    name: 'a set, an edit by hand, another set',
    file: 'status: NEW # by hand\n',
    steps: [
      { do: 'set', path: 'status', value: 'ACTIVE' },
      { do: 'edit', text: 'status: PAUSED\n' },
      { do: 'set', path: 'owner', value: 'ada', durability: 'logged' },
    ],
  } as const;
  const { failures, counts } = await explore(scenario, {
    model: 'posix-minimal',
    seed: 1,
    depth: 2,
    imagesPerMoment: [16, 3],
    failuresMax: 1,
  });
  console.log(counts);
  expect(failures).toEqual([]);
  expect(counts.distinct).toBeGreaterThan(100);
});
