/**
 * Power failures at every moment of a few scenarios, and again at every moment of the recoveries that
 * follow: what was not synced is lost, kept or torn.
 */
import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../src/store.js';
import { explore } from '../../src/testing/explore.js';
import type { Scenario } from '../../src/testing/scenario.js';

const filler = `# ${'x'.repeat(60)}\n`.repeat(20);

const scenarios: Scenario[] = [
  {
    name: 'three saves and an outside edit',
    steps: [
      { do: 'saveText', text: 'v: 1 # one\n' },
      { do: 'set', path: 'v', value: 2 },
      { do: 'edit', text: 'v: 20 # edited\n' },
      { do: 'set', path: 'v', value: 3 },
    ],
  },
  {
    name: 'a file of several sectors that was there before, saves acknowledged when logged',
    file: `${filler}v: 0\n`,
    steps: [
      { do: 'set', path: 'v', value: 1, durability: 'logged' },
      { do: 'set', path: 'v', value: 2, durability: 'logged' },
    ],
  },
  {
    name: 'an edit by rename, a reopened store, an edit while it was closed',
    file: 'v: 0\n',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'edit', text: 'v: 10\n', how: 'rename' },
      { do: 'save', state: { v: 2 } },
      { do: 'reopen' },
      { do: 'set', path: 'w', value: [1] },
    ],
  },
  {
    name: 'saves asked for together',
    steps: [
      {
        do: 'together',
        steps: [
          { do: 'save', state: { v: 1 } },
          { do: 'set', path: 'v', value: 2 },
          { do: 'set', path: 'v', value: 3, durability: 'logged' },
        ],
      },
      { do: 'set', path: 'v', value: 4 },
    ],
  },
  {
    name: 'outside edits under the policy restore',
    externalEdits: 'restore',
    file: 'v: 0\n',
    steps: [
      { do: 'save', state: { v: 1 } },
      { do: 'edit', text: 'v: 10\n' },
      { do: 'save', state: { v: 2 } },
    ],
  },
];

/** Images of one moment, by depth; `LAB_IMAGES=256,32` looks further. */
const { LAB_IMAGES = '48,6' } = process.env;
const imagesPerMoment = LAB_IMAGES.split(',').map(Number);

describe.each(['posix-minimal', 'ordered'] as const)('power failure under %s', (model) => {
  it.each(scenarios)(
    'keeps every promise, crashed twice: $name',
    async (scenario) => {
      const report = await explore(scenario, {
        model,
        seed: 1,
        depth: 2,
        imagesPerMoment,
        failuresMax: 3,
        open: openCheckpointStore,
      });
      expect(report.failures, JSON.stringify(report.failures, null, 1)).toEqual([]);
      expect(report.counts.distinct).toBeGreaterThan(500);
    },
    300_000,
  );
});
