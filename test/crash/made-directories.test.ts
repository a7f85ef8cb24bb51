/**
 * A process makes the folders of a store and is killed before their names are durable; the next one finds
 * them there and saves. What it acknowledges must not go with the folders when the power fails.
 */
import { expect, it } from 'vitest';
import { openCheckpointStore } from '../../src/store.js';
import { exploreProgram, type Program } from '../../src/testing/explore-program.js';
import { type DrawsFrom, fixedWorld } from '../../src/testing/fixed-world.js';
import type { SimulatedDisk } from '../../src/testing/index.js';

const directory = '/plans/first/store';

const stateOf = async (disk: SimulatedDisk, who: DrawsFrom): Promise<unknown> => {
  const options = { directory, fileSystem: disk, audit: false, restore: false } as const;
  const store = await openCheckpointStore({ ...options, ...fixedWorld(who) });
  const { state } = store;
  await store.close();
  return state;
};

const program: Program<unknown, unknown> = {
  async run(disk, probe) {
    for (const path of ['/plans', '/plans/first', directory]) disk.makeDirectory(path);
    let promised: unknown;
    probe.promises(() => promised);
    const options = { directory, fileSystem: disk, audit: false, restore: false } as const;
    const store = await openCheckpointStore({ ...options, ...fixedWorld('the run') });
    await store.save({ step: 1 });
    promised = store.state;
    await store.close();
  },
  recover: (disk, _, depth) => stateOf(disk, `recovery ${depth}`),
  check: ({ found, promised }) =>
    promised === undefined || JSON.stringify(found) === JSON.stringify(promised)
      ? []
      : [{ check: 'keeps-folders', message: `found ${JSON.stringify(found)}` }],
};

it.each(['posix-minimal', 'ordered'] as const)(
  'keeps what was saved in folders that a killed process had made: %s',
  async (model) => {
    const { failures, counts } = await exploreProgram(program, {
      model,
      seed: 1,
      depth: 1,
      imagesPerMoment: [32],
      failuresMax: 1,
    });
    expect(failures).toEqual([]);
    expect(counts.distinct).toBeGreaterThan(20);
  },
);
