/**
 * What an exploration costs, in recoveries and not in seconds: the same states are recovered once, and
 * come about as the same bytes each time. A saving that is lost shows here, on any machine.
 */
import { describe, expect, it } from 'vitest';
import { fingerprint, mount } from '../../../src/io/crash-images.js';
import { describeState, SimulatedDisk } from '../../../src/io/simulated-disk.js';
import { openCheckpointStore } from '../../../src/store.js';
import { digestOf } from '../../../src/testing/digest.js';
import { explore, storeProgram } from '../../../src/testing/explore.js';
import { exploreProgram } from '../../../src/testing/explore-program.js';
import type { ExploreReport } from '../../../src/testing/explore-report.js';
import type { Scenario } from '../../../src/testing/scenario.js';

const scenario: Scenario = {
  name: 'two saves',
  file: 'v: 0\n',
  steps: [
    { do: 'set', path: 'v', value: 1, durability: 'logged' },
    { do: 'set', path: 'v', value: 2 },
  ],
};

const options = {
  model: 'posix-minimal',
  seed: 1,
  depth: 2,
  imagesPerMoment: [16, 4],
  failuresMax: 1,
} as const;

/** How often stores were opened, and how often somebody looked on. */
async function counted(depth: 1 | 2): Promise<{
  report: ExploreReport;
  opened: number;
  inspected: number;
}> {
  let [opened, inspected] = [0, 0];
  const open = ((asked: Parameters<typeof openCheckpointStore>[0]) => {
    opened += 1;
    if (asked.inspect !== undefined) inspected += 1;
    return openCheckpointStore(asked);
  }) as typeof openCheckpointStore;
  const report = await explore(scenario, { ...options, depth, open });
  return { report, opened, inspected };
}

/** Every disk that a recovery started from, in order. */
async function disksOf(): Promise<string[]> {
  const program = storeProgram(scenario, {});
  const disks: string[] = [];
  const check: typeof program.check = (recovered) => {
    disks.push(fingerprint(recovered.before, digestOf));
    return program.check(recovered);
  };
  await exploreProgram({ ...program, check }, options);
  return disks;
}

describe('an exploration', () => {
  it('comes to the same disks each time, by name and byte', async () => {
    const first = await disksOf();
    expect(await disksOf()).toEqual(first);
    expect(first.length).toBeGreaterThan(400);
  });

  it('opens a store once for each recovery that is not known, and once for each state that recoveries settle in', async () => {
    const { report, opened } = await counted(1);
    const { distinct, recovered } = report.counts;
    // Beside the run: three checkpoints to settle in, each with or without some of its history.
    const settled = opened - recovered - 1;
    expect(settled).toBeGreaterThan(2);
    expect(settled).toBeLessThan(20);
    // Many images differ in temporary files only, which no recovery looks into.
    expect({ distinct, recovered }).toEqual({ distinct: 91, recovered: 64 });
  });

  it('inspects the run and the recoveries that are crashed, and no others', async () => {
    expect((await counted(1)).inspected).toBe(1);
    const { report, inspected, opened } = await counted(2);
    expect(inspected).toBeGreaterThan(50);
    expect(inspected).toBeLessThan(opened / 2);
    expect(report.counts.distinct).toBeGreaterThan(5 * inspected);
  });

  it('recovers once what differs in the content of the lock alone', async () => {
    const program = storeProgram(scenario, {});
    const { ignores: _, ...reading } = program;
    const strict = await exploreProgram(reading, { ...options, depth: 1 });
    const { counts } = await exploreProgram(program, { ...options, depth: 1 });
    expect(counts.images).toBe(strict.counts.images);
    expect(counts.distinct).toBeLessThan(0.8 * strict.counts.distinct);
  });

  it('keeps one array of each short content, so that what is known of it is known of all images', async () => {
    const program = storeProgram(scenario, {});
    const arrays = new Map<string, Set<Uint8Array>>();
    let contents = 0;
    const check: typeof program.check = (recovered) => {
      for (const content of recovered.before.files.values()) {
        contents += 1;
        const digest = digestOf(content);
        arrays.set(digest, (arrays.get(digest) ?? new Set()).add(content));
      }
      return program.check(recovered);
    };
    await exploreProgram({ ...program, check }, options);
    expect(contents).toBeGreaterThan(10 * arrays.size);
    expect([...arrays.values()].filter(({ size }) => size > 1)).toEqual([]);
  });
});

describe('a mounted image', () => {
  it('keeps its bytes when the disk goes on writing', () => {
    const disk = new SimulatedDisk();
    const file = disk.open('/file', 'create');
    file.write(new TextEncoder().encode('as it was'), 0);
    disk.settle();
    const { durable } = disk.moment();
    const bytes = describeState(durable)[0]?.content;
    const [over, cut] = [mount(durable, 'ordered'), mount(durable, 'ordered')];
    over.open('/file', 'readWrite').write(new Uint8Array(4), 2);
    cut.open('/file', 'readWrite').truncate(3);
    expect(describeState(durable)[0]?.content).toEqual(new TextEncoder().encode('as it was'));
    expect(describeState(over.visible())[0]?.content).not.toEqual(bytes);
    expect(describeState(cut.visible())[0]?.content).toHaveLength(3);
  });
});
