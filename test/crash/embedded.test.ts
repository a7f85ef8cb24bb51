/**
 * The embedded form of a store, stopped at every operation of the disk and crashed at every moment. Ruled
 * by `docs/embedding.md`: what was acknowledged is kept, a stop is no crash, and no lock is left.
 */
import { describe, expect, it, vi } from 'vitest';
import { createActor } from 'xstate';
import { type CheckpointNotice, fileCheckpointIo, openCheckpointStore } from '../../src/index.js';
import type { FileSystem } from '../../src/io/file-system.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import type { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { exploreProgram, type Program } from '../../src/testing/explore-program.js';
import { fixedWorld } from '../../src/testing/fixed-world.js';
import { slowSyncs } from '../../src/testing/slow-syncs.js';
import {
  DIRECTORY,
  embed,
  embedderMachine,
  eventually,
  type Plan,
  turn,
} from '../helpers/embedding.js';

const LOCK = `${DIRECTORY}/.checkpoint.lock`;
const restore = { mode: 'off' } as const;

/** Every so many operations; `CRASH_STEP=1` stops at each. */
const step = Number(process.env.CRASH_STEP ?? 7);

type Disk = MemoryFileSystem;

/** A store whose process died: the failure detector has to count that, once. */
async function crashedDisk(): Promise<Disk> {
  const disk = new MemoryFileSystem();
  const recording = new RecordingFileSystem(disk);
  const store = await openCheckpointStore({ directory: DIRECTORY, fileSystem: recording, restore });
  await store.save({ v: 0 });
  recording.setHooks({
    before: () => {
      throw new Error('the process is dead');
    },
  });
  // The system frees the lock of a process that died.
  disk.unlink(LOCK);
  return disk;
}

const worlds: { readonly name: string; readonly world: (disk: Disk) => FileSystem }[] = [
  { name: 'a disk that answers at once', world: (disk) => disk },
  { name: 'a disk whose syncs take a turn', world: (disk) => slowSyncs(disk) },
];

const stops = ['leave', 'stop'] as const;

describe.each(worlds)('on $name', ({ world }) => {
  it.each(stops)(
    'a %s before any operation loses nothing, frees the lock and counts no failure',
    async (how) => {
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
      let stopsMade = 0;
      for (let at = 0; ; at += step) {
        const disk = await crashedDisk();
        const isOver = await stopAt(at, disk, world(disk), how);
        if (isOver) break;
        stopsMade += step;
      }
      expect(stopsMade).toBeGreaterThan(60);
      // A stop may come while a machine is about to ask for the next operation: that goes nowhere.
      const others = warned.mock.calls.filter(
        ([text]) => !String(text).startsWith('Event "io.req'),
      );
      warned.mockRestore();
      expect(others).toEqual([]);
    },
  );
});

/** @returns whether the run was over before that operation */
async function stopAt(at: number, disk: Disk, fs: FileSystem, how: 'leave' | 'stop') {
  let operations = 0;
  let isStopped = false;
  const recording = new RecordingFileSystem(fs, {
    before: () => {
      operations += 1;
      if (operations - 1 !== at) return undefined;
      isStopped = true;
      if (how === 'leave') embedded?.parent.send({ type: 'leave' });
      else embedded?.parent.stop();
      return undefined;
    },
  });
  let embedded: ReturnType<typeof embed> | undefined;
  embedded = embed({ fileSystem: recording, restore, startLater: true });
  const { parent, ask, told } = embedded;
  parent.start();
  const asked = [1, 2, 3];
  const isOn = () => !isStopped;
  if (isOn()) ask({ type: 'checkpoint.save', state: { v: 1 }, id: 1 });
  if (isOn()) ask({ type: 'checkpoint.save', state: { v: 2 }, id: 2, durability: 'logged' });
  await eventually(() => isStopped || told.filter(isAnswer).length >= 2, 'two are answered');
  if (isOn()) ask({ type: 'checkpoint.save', state: { v: 3 }, id: 3 });
  await eventually(() => isStopped || told.filter(isAnswer).length >= 4, 'the third is answered');
  if (!isStopped) {
    parent.stop();
    return true;
  }
  await eventually(() => disk.lockHolder(LOCK) === undefined, `the lock is free, at ${at}`);
  await turn();
  if (how === 'leave') {
    const ends = told.filter(({ type }) => type === 'checkpoint.closed');
    expect(ends.length, `told of the end, at ${at}`).toBe(1);
    expect(told.at(-1)?.type, `at ${at}`).toBe('checkpoint.closed');
  }
  const acknowledged = told.flatMap((notice) =>
    notice.type === 'checkpoint.committed' || notice.type === 'checkpoint.logged'
      ? [Number(notice.id)]
      : [],
  );
  const least = Math.max(0, ...acknowledged);
  const unsaved = told.flatMap((notice) =>
    notice.type === 'checkpoint.failed' && notice.error.details.outcome === 'notSaved'
      ? [Number(notice.id)]
      : [],
  );
  const store = await openCheckpointStore<Plan>({
    directory: DIRECTORY,
    fileSystem: disk,
    restore,
  });
  const found = store.state?.v ?? -1;
  expect(
    [0, ...asked].filter((v) => v >= least && !unsaved.includes(v)),
    `at ${at}`,
  ).toContain(found);
  // The crash of the run before was on the text of then; stopping is none.
  const crashes = found === 0 ? ['crashed'] : [];
  const counted = store.health?.failures.map(({ signal }) => signal);
  expect(counted, `at ${at}`).toEqual(crashes);
  await store.close();
  return false;
}

const isAnswer = ({ type }: CheckpointNotice<Plan>) =>
  type === 'checkpoint.committed' || type === 'checkpoint.logged' || type === 'checkpoint.failed';

/** What was asked for and acknowledged by a moment. */
interface Promised {
  readonly asked: number;
  readonly acknowledged: number;
}

type Probed = Parameters<Program<Promised, number>['run']>[1];

function start(
  disk: SimulatedDisk,
  who: Parameters<typeof fixedWorld>[0],
  watch?: Probed['inspect'],
) {
  const { clock, random } = fixedWorld(who);
  const told: CheckpointNotice<Plan>[] = [];
  const io = fileCheckpointIo({
    directory: DIRECTORY,
    fileSystem: slowSyncs(disk),
    audit: false,
    restore: { mode: 'off' },
    maxAgeHours: Number.POSITIVE_INFINITY,
    clock,
    random,
  });
  const parent = createActor(
    embedderMachine((notice) => told.push(notice)),
    {
      input: { io },
      clock: { setTimeout: () => undefined, clearTimeout: () => {} },
      ...(watch && { inspect: watch }),
    },
  );
  return { parent, told };
}

const program: Program<Promised, number> = {
  async run(disk, probe) {
    const promised = { asked: 0, acknowledged: 0 };
    disk.makeDirectory(DIRECTORY);
    disk.settle();
    probe.promises(() => ({ ...promised }));
    const { parent, told } = start(disk, 'the run', probe.inspect);
    parent.start();
    for (const v of [1, 2, 3]) {
      promised.asked = v;
      const durability = v === 2 ? 'logged' : 'committed';
      parent.send({
        type: 'ask',
        request: { type: 'checkpoint.save', state: { v }, id: v, durability },
      });
      await eventually(
        () => told.some((one) => isAnswer(one) && 'id' in one && one.id === v),
        `${v}`,
      );
      promised.acknowledged = v;
      await turn();
    }
    parent.send({ type: 'ask', request: { type: 'checkpoint.close' } });
    await eventually(() => told.some(({ type }) => type === 'checkpoint.closed'), 'closed');
  },
  async recover(disk, { inspect }, depth) {
    const { parent, told } = start(disk, `recovery ${depth}`, inspect);
    parent.start();
    await eventually(() => told.length > 0, 'the recovery ends');
    const [first] = told;
    return first?.type === 'checkpoint.ready' ? (first.state?.v ?? 0) : -1;
  },
  ignores: (path) => path === LOCK,
  check({ found, promised: { asked, acknowledged } }) {
    if (found >= acknowledged && found <= asked) return [];
    const message = `found ${found}; acknowledged ${acknowledged}, asked ${asked}`;
    return [{ check: 'keeps-what-was-acknowledged', message }];
  },
};

describe('a machine with an embedded store, crashed at every moment', () => {
  it('finds what was acknowledged, or what came after it', async () => {
    const report = await exploreProgram(program, {
      model: 'posix-minimal',
      seed: 1,
      depth: 2,
      imagesPerMoment: [4, 1],
      failuresMax: 1,
    });
    expect(report.failures).toEqual([]);
    expect(report.counts.moments).toBeGreaterThan(50);
    expect(report.counts.distinct).toBeGreaterThan(100);
  }, 60_000);

  it('is caught by this test where a state is acknowledged that is not there', async () => {
    const liar: typeof program = {
      ...program,
      run: (disk, probe) =>
        program.run(disk, {
          ...probe,
          promises: (promised) =>
            probe.promises(() => ({ ...promised(), acknowledged: promised().asked })),
        }),
    };
    const report = await exploreProgram(liar, {
      model: 'posix-minimal',
      seed: 1,
      depth: 1,
      imagesPerMoment: [2],
      failuresMax: 1,
    });
    expect(report.failures).toHaveLength(1);
  });
});
