/**
 * Labels, pins and lists of artifacts in the crash lab: whatever the moment of a power failure, a
 * checkpoint carries what was asked for, and what is pinned outlives pruning. The check itself is shown
 * to fail on stores that forget.
 */
import { describe, expect, it } from 'vitest';
import type { CheckpointIo } from '../../src/io/checkpoint-io.js';
import { openCheckpointStore } from '../../src/store.js';
import { explore, type StoreExploreOptions } from '../../src/testing/explore.js';
import type { Scenario } from '../../src/testing/scenario.js';
import { labScenarios } from '../../src/testing/scenarios.js';
import { SealPromises } from '../../src/testing/seal-promises.js';

const CHECK = 'keeps-labels-pins-and-artifacts';
const scenario = labScenarios.find(({ files }) => files !== undefined) as Scenario;
const options = (model: 'posix-minimal' | 'ordered'): StoreExploreOptions => ({
  model,
  seed: 7,
  depth: 2,
  imagesPerMoment: [12, 2],
  failuresMax: 1,
});

/** A store that changes what it is asked to write. */
const forgetting =
  (change: (input: object) => object): typeof openCheckpointStore =>
  (asked: object) =>
    openCheckpointStore({
      ...asked,
      around: (io: CheckpointIo) => ({
        ...io,
        writeIntent: (input: object) => io.writeIntent(change(input) as never),
      }),
    } as never) as never;

describe('labels, pins and artifacts', () => {
  it.each(['posix-minimal', 'ordered'] as const)(
    'survive power failures (%s)',
    async (model) => {
      const { failures, counts } = await explore(scenario, options(model));
      expect(failures).toEqual([]);
      expect(counts.images).toBeGreaterThan(500);
    },
    120_000,
  );

  it.each([
    ['forgets labels', (input: object) => ({ ...input, label: undefined })],
    ['forgets pins', (input: object) => ({ ...input, pinned: false })],
    ['mixes labels up', (input: object) => ({ ...input, label: 'second' })],
  ])(
    'are missed in a store that %s',
    async (_name, change) => {
      const open = forgetting(change);
      const { failures } = await explore(scenario, { ...options('ordered'), open });
      expect(failures[0]?.check).toBe(CHECK);
    },
    120_000,
  );
});

describe('what is promised of a checkpoint', () => {
  it('is the newest label and list of its saves, and what is not known yet', () => {
    const seals = new SealPromises();
    const first = seals.ask({ label: 'a', pinned: true, artifacts: ['x'] });
    const second = seals.ask({ label: 'b' });
    seals.ask({});
    expect(seals.promised()).toEqual([]);
    first.acknowledged(1);
    expect(seals.promised()).toEqual([
      { sequence: 1, names: ['["a",true]', '["b",false]'], lists: ['["x"]'], stays: false },
    ]);
    second.acknowledged(2);
    expect(seals.promised()).toEqual([
      { sequence: 1, names: ['["a",true]'], lists: ['["x"]'], stays: true },
      { sequence: 2, names: ['["b",false]'], lists: ['["x"]'], stays: false },
    ]);
    seals.edited(false);
    expect(seals.promised()[0]?.stays).toBe(true);
    seals.edited(true);
    expect(seals.promised()[0]?.stays).toBe(false);
  });

  it('is nothing while nobody asks for any of it', () => {
    const seals = new SealPromises();
    seals.ask({}).acknowledged(1);
    expect(seals.promised()).toEqual([]);
  });
});
