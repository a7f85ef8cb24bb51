/**
 * Kills the process before and inside every I/O operation of a run, then again at every operation of
 * the recovery that follows, and checks what is found afterwards.
 */
import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import {
  editInPlace,
  killedAt,
  leftovers,
  type Moment,
  open,
  published,
  TARGET,
} from '../helpers/crash-memory.js';

/** What the scenario did before it ended. */
interface Progress {
  readonly acknowledged: string[];
  readonly asked: string[];
}

type FileSystemUnderTest = MemoryFileSystem | RecordingFileSystem;

interface Scenario {
  readonly name: string;
  readonly prepare?: (disk: MemoryFileSystem) => Promise<void>;
  readonly run: (
    fs: FileSystemUnderTest,
    disk: MemoryFileSystem,
    progress: Progress,
  ) => Promise<void>;
}

/** Notes a save before it is asked for and after it is acknowledged. */
async function noted(
  progress: Progress,
  state: string,
  save: () => Promise<unknown>,
): Promise<void> {
  progress.asked.push(state);
  await save();
  progress.acknowledged.push(state);
}

const scenarios: Scenario[] = [
  {
    name: 'three saves',
    run: async (fs, _, progress) => {
      const store = await open(fs);
      await noted(progress, 'v: 1\n', () => store.saveText('v: 1\n'));
      await noted(progress, 'v: 2\n', () => store.set('v', 2));
      await noted(progress, 'v: 3\n', () => store.set('v', 3));
      await store.close();
    },
  },
  {
    name: 'a file that was there before, acknowledged when logged',
    prepare: async (disk) => {
      disk.makeDirectory('/state');
      disk.open(TARGET, 'create', 0o644).write(new TextEncoder().encode('v: 0 # mine\n'), 0);
    },
    run: async (fs, _, progress) => {
      progress.acknowledged.push('v: 0 # mine\n');
      const store = await open(fs, { durability: 'logged' });
      await noted(progress, 'v: 1 # mine\n', () => store.set('v', 1));
      await noted(progress, 'v: 2 # mine\n', () => store.set('v', 2));
      await store.close();
    },
  },
  {
    name: 'an edit in place between two saves',
    run: async (fs, disk, progress) => {
      const store = await open(fs);
      await noted(progress, 'v: 1\n', () => store.saveText('v: 1\n'));
      editInPlace(disk, 'v: 1\nadded: by hand\n');
      progress.acknowledged.push('v: 1\nadded: by hand\n');
      await noted(progress, 'v: 2\nadded: by hand\n', () => store.set('v', 2));
      await store.close();
    },
  },
  {
    name: 'a damaged file with history',
    prepare: async (disk) => {
      const store = await open(disk);
      await store.saveText('v: 1\n');
      await store.saveText('v: 2\n');
      await store.close();
      editInPlace(disk, 'v: 2\nv: 3\n');
    },
    run: async (fs, _, progress) => {
      progress.acknowledged.push('v: 2\n');
      const store = await open(fs);
      await noted(progress, 'v: 4\n', () => store.set('v', 4));
      await store.close();
    },
  },
];

/** Every how manieth first crash is followed by all second ones; `CRASH_STEP=1` does them all. */
const { CRASH_STEP = '4' } = process.env;
const OUTER_STEP = Number(CRASH_STEP);

const operationsOf = async (scenario: Scenario): Promise<number> => {
  const disk = new MemoryFileSystem();
  await scenario.prepare?.(disk);
  const recording = new RecordingFileSystem(disk);
  await scenario.run(recording, disk, { acknowledged: [], asked: [] });
  return recording.operations.length;
};

async function crash(scenario: Scenario, index: number, moment: Moment) {
  const disk = new MemoryFileSystem();
  await scenario.prepare?.(disk);
  const progress: Progress = { acknowledged: [], asked: [] };
  await scenario.run(killedAt(disk, index, moment), disk, progress).catch(() => undefined);
  // Nothing asked of a dead process was ever answered by the disk; its locks died with it.
  return { disk: disk.clone(), progress };
}

/** What may be found: the last acknowledged state, or one asked for after it. */
function allowed({ acknowledged, asked }: Progress): (string | undefined)[] {
  const last = acknowledged.at(-1);
  const from = last === undefined ? 0 : asked.indexOf(last) + 1;
  return [last, ...asked.slice(from)];
}

async function check(disk: MemoryFileSystem, progress: Progress, where: string): Promise<void> {
  const store = await open(disk);
  expect(allowed(progress), where).toContain(store.text);
  const { sequence, text } = store;
  await store.close();
  expect(leftovers(disk), where).toEqual([]);
  const before = disk.snapshot();
  const again = await open(disk);
  expect(again.recovery.clean, where).toBe(true);
  expect({ sequence: again.sequence, text: again.text }, where).toEqual({ sequence, text });
  await again.close();
  const names = Object.keys(before);
  expect(Object.keys(disk.snapshot()), where).toEqual(names);
  await (await open(disk)).close();
}

describe.each(scenarios)('killed at any operation: $name', (scenario) => {
  it.each(['before', 'inside'] as const)(
    'keeps every acknowledged checkpoint when killed %s an operation',
    async (moment) => {
      const count = await operationsOf(scenario);
      expect(count).toBeGreaterThan(40);
      for (let index = 0; index <= count; index += 1) {
        const { disk, progress } = await crash(scenario, index, moment);
        const seen = published(disk);
        if (seen?.sealed) {
          expect([...progress.asked, ...progress.acknowledged]).toContain(seen.text);
        }
        await check(disk, progress, `killed ${moment} operation ${index}`);
      }
    },
  );

  it('keeps it when the recovery is killed too, at any operation', async () => {
    const count = await operationsOf(scenario);
    for (let index = 0; index <= count; index += OUTER_STEP) {
      const first = await crash(scenario, index, 'before');
      const rehearsal = new RecordingFileSystem(first.disk.clone());
      await open(rehearsal);
      const recovery = rehearsal.operations.length;
      // A recovery that finds nothing to do is covered by the test above.
      if (recovery < 40) continue;
      for (let inner = 0; inner < recovery; inner += 1) {
        const disk = first.disk.clone();
        await open(killedAt(disk, inner, inner % 2 === 0 ? 'before' : 'inside')).catch(
          () => undefined,
        );
        await check(
          disk.clone(),
          first.progress,
          `operation ${index}, recovery operation ${inner}`,
        );
      }
    }
  }, 120_000);
});
