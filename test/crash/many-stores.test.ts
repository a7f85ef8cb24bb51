/**
 * Several stores below one root, with one schedule for their syncs, on one simulated disk: crashed at every
 * moment, each keeps its promises whatever the others were at. `LAB_IMAGES=6,2` crashes the recoveries too.
 */
import { describe, expect, it } from 'vitest';
import { mount } from '../../src/io/crash-images.js';
import type { FileSystem } from '../../src/io/file-system.js';
import { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { openCheckpointStores } from '../../src/store/checkpoint-stores.js';
import { exploreProgram, type Program } from '../../src/testing/explore-program.js';
import { type DrawsFrom, fixedWorld } from '../../src/testing/fixed-world.js';
import { slowSyncs } from '../../src/testing/slow-syncs.js';

interface State {
  n: number;
}

/** By store: the newest number that was acknowledged, and that was asked for. */
type Promised = readonly { readonly acknowledged: number; readonly asked: number }[];
/** By store: the number that was found, and the number after a further recovery. */
type Found = readonly { readonly n: number; readonly again: number; readonly isClean: boolean }[];

const ROOT = '/data/stores';
const NAMES = ['a', 'b', 'c'];
const SEED = Number(process.env.FC_SEED) || 1;
const IMAGES = (process.env.LAB_IMAGES?.split(',') ?? ['4']).map(Number);

function openAll(fileSystem: FileSystem, who: DrawsFrom) {
  return openCheckpointStores<State>(ROOT, {
    fileSystem,
    maxOpen: 2,
    maxSyncs: 1,
    restore: false,
    audit: false,
    maxAgeHours: Number.POSITIVE_INFINITY,
    ...fixedWorld(who),
  });
}

/** `over` stands between the stores and the disk in the run that is crashed. */
function program(
  over: (fs: FileSystem) => FileSystem = (fs) => fs,
): Program<Promised, Found | string> {
  return {
    run: async (disk, probe) => {
      const promised = NAMES.map(() => ({ acknowledged: 0, asked: 0 }));
      probe.promises(() => promised.map((one) => ({ ...one })));
      const all = await openAll(over(slowSyncs(disk)), 'the run');
      const writers = promised.map(async (mine, index) => {
        for (const n of [1, 2]) {
          await all.use(NAMES[index] ?? '', async (store) => {
            mine.asked = n;
            await store.save({ n });
            mine.acknowledged = n;
          });
        }
      });
      await Promise.all(writers);
      expect(all.stats()).toMatchObject({ syncs: { runningMax: 1 }, failed: 0 });
      expect(all.stats().syncs.waitingMax).toBeGreaterThan(0);
      await all.close();
    },
    recover: async (disk, _probe, depth) => {
      const read = async (who: DrawsFrom) => {
        const all = await openAll(disk, who);
        const found = [];
        for (const name of NAMES) {
          found.push(
            await all.use(name, ({ state, recovery }) => ({
              n: state?.n ?? 0,
              isClean: recovery.clean,
            })),
          );
        }
        await all.close();
        return found;
      };
      try {
        const found = await read(`recovery ${depth}`);
        const again = await read('a second recovery');
        return found.map(({ n }, index) => ({
          n,
          again: again[index]?.n ?? -1,
          isClean: again[index]?.isClean === true,
        }));
      } catch (error) {
        return String(error);
      }
    },
    ignores: (path) => path.endsWith('/.checkpoint.lock'),
    check: ({ found, promised }) => {
      if (typeof found === 'string') return [{ check: 'recovers', message: found }];
      return found.flatMap(({ n, again, isClean }, index) => {
        const { acknowledged = 0, asked = 0 } = promised[index] ?? {};
        const told = `${NAMES[index]}: found ${n}, then ${again}; promised ${acknowledged} to ${asked}`;
        return [
          ...(n < acknowledged ? [{ check: 'keeps what was acknowledged', message: told }] : []),
          ...(n > asked ? [{ check: 'invents nothing', message: told }] : []),
          ...(n !== again || !isClean ? [{ check: 'is recovered once', message: told }] : []),
        ];
      });
    },
  };
}

/** Recoveries are crashed too where the campaign says how often. */
const options = {
  seed: SEED,
  depth: IMAGES.length,
  imagesPerMoment: IMAGES,
  failuresMax: 1,
} as const;

describe('several stores with one schedule of syncs', () => {
  it.each(['posix-minimal', 'ordered'] as const)(
    'keep each what was acknowledged, whenever the power fails (%s)',
    async (model) => {
      const { failures, counts } = await exploreProgram(program(), { ...options, model });
      expect(
        failures.map(({ check, message, trail }) => ({
          check,
          message,
          trail: trail.map(({ at, fates }) => ({ at, fates })),
        })),
      ).toEqual([]);
      expect(counts.moments).toBeGreaterThan(100);
      expect(counts.distinct).toBeGreaterThan(80);
    },
  );

  it('lie in directories whose names are durable, also those that a killed run had just made', async () => {
    const disk = new SimulatedDisk({ model: 'posix-minimal' });
    disk.makeDirectory('/data');
    disk.settle();
    // What a process does before it is killed is seen by the next one, and not yet durable.
    disk.makeDirectory(ROOT);
    disk.makeDirectory(`${ROOT}/a`);
    const all = await openAll(disk, 'the run');
    await all.use('a', (store) => store.save({ n: 1 }));
    const left = mount(disk.moment().durable, 'posix-minimal');
    expect(left.list(ROOT)).toEqual(['a']);
    expect(left.list(`${ROOT}/a`)).toContain('ORCHESTRATION.yaml');
  });

  it('are seen to lose something where the schedule answers before the disk has', async () => {
    /** Syncs are said to be done at once, and done later. */
    const early = (inner: FileSystem): FileSystem =>
      new Proxy(inner, {
        get: (target, name) => {
          if (name === 'syncDirectory') {
            return (path: string) => {
              void Promise.resolve(target.syncDirectory(path)).catch(() => {});
              return Promise.resolve(true);
            };
          }
          const value = Reflect.get(target, name, target) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const { failures } = await exploreProgram(program(early), {
      ...options,
      model: 'posix-minimal',
      depth: 1,
    });
    expect(failures).toHaveLength(1);
    expect(failures[0]?.check).toBe('keeps what was acknowledged');
  });
});
