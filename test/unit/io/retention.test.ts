/**
 * Retention: which earlier checkpoints are kept, and that keeping so costs a save next to nothing,
 * however long history is.
 */
import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../src/io/file-system.js';
import { listEntries } from '../../../src/io/history-files.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { prune } from '../../../src/io/retention.js';
import { createSession } from '../../../src/io/session.js';
import { resolvePaths } from '../../../src/io/store-paths.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import {
  DIRECTORY,
  entriesIn,
  entryFile,
  type FilledEntry,
  fillHistory,
} from '../../helpers/history-filler.js';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 0, 2);
const UNLIMITED = { maxCheckpoints: Infinity, maxAgeHours: Infinity };

type Options = Partial<CheckpointStoreOptions<undefined>>;

function open(fileSystem: FileSystem, options: Options) {
  const clock = { now: () => NOW_MS };
  return openCheckpointStore({ directory: DIRECTORY, fileSystem, clock, ...options });
}

/** Entries 1 to `count`, a minute apart, the newest a minute old. */
const minutely = (
  count: number,
  change: (entry: FilledEntry) => Partial<FilledEntry> = () => ({}),
) =>
  Array.from({ length: count }, (_, index) => {
    const entry = { sequence: index + 1, timeMs: NOW_MS - (count - index) * 60_000 };
    return { ...entry, ...change(entry) };
  });

/** What is left of a history after so many saves; the first of them keeps one entry more. */
async function leftAfter(saves: number, entries: readonly FilledEntry[], options: Options) {
  const fs = new MemoryFileSystem();
  fillHistory(fs, entries);
  const store = await open(fs, { ...UNLIMITED, ...options });
  for (let n = 0; n < saves; n += 1) await store.save({ n });
  return entriesIn(fs);
}

describe('retention', () => {
  it('keeps as many checkpoints as asked for, the newest', async () => {
    expect(await leftAfter(1, minutely(8), { maxCheckpoints: 3 })).toEqual([7, 8, 9]);
    expect(await leftAfter(2, minutely(8), { maxCheckpoints: 1 })).toEqual([10]);
    expect(await leftAfter(1, minutely(2), { maxCheckpoints: 3 })).toEqual([1, 2, 3]);
  });

  it('keeps no checkpoint that was replaced longer ago than asked for', async () => {
    // Entry 7 is two minutes old, and took the place of entry 6 then.
    expect(await leftAfter(1, minutely(8), { maxAgeHours: 2 / 60 })).toEqual([6, 7, 8, 9]);
    expect(await leftAfter(1, minutely(8), { maxAgeHours: 1.5 / 60 })).toEqual([7, 8, 9]);
    expect(await leftAfter(1, minutely(8), { maxAgeHours: 24 })).toHaveLength(9);
  });

  it('keeps what was current until a moment ago, however long it had been', async () => {
    const old = minutely(3, ({ timeMs = 0 }) => ({ timeMs: timeMs - 48 * HOUR_MS }));
    expect(await leftAfter(1, old, { maxAgeHours: 24 })).toEqual([4]);
    expect(await leftAfter(3, old, { maxAgeHours: 24 })).toEqual([4, 5, 6]);
  });

  it('goes by the stricter of the two limits', async () => {
    const entries = minutely(8);
    expect(await leftAfter(1, entries, { maxAgeHours: 3.5 / 60, maxCheckpoints: 2 })).toEqual([
      8, 9,
    ]);
    expect(await leftAfter(1, entries, { maxAgeHours: 1.5 / 60, maxCheckpoints: 7 })).toEqual([
      7, 8, 9,
    ]);
  });

  it('keeps a hundred checkpoints of the last 24 hours unless told otherwise', async () => {
    const limits = { maxCheckpoints: undefined, maxAgeHours: undefined };
    const recent = await leftAfter(2, minutely(150), limits);
    expect(recent).toEqual(Array.from({ length: 100 }, (_, index) => index + 53));
    const hourly = minutely(50, ({ sequence }) => ({ timeMs: NOW_MS - (51 - sequence) * HOUR_MS }));
    expect((await leftAfter(1, hourly, limits))[0]).toBe(26);
  });

  it('never removes a pinned checkpoint, and does not count it', async () => {
    const pins = new Set([2, 5, 8]);
    const entries = minutely(8, ({ sequence }) => ({ pinned: pins.has(sequence) }));
    expect(await leftAfter(1, entries, { maxCheckpoints: 2 })).toEqual([2, 5, 7, 8, 9]);
    expect(await leftAfter(3, entries, { maxCheckpoints: 2 })).toEqual([2, 5, 8, 10, 11]);
    expect(await leftAfter(1, entries, { maxAgeHours: 0.5 / 60 })).toEqual([2, 5, 8, 9]);
    const allPinned = minutely(250, () => ({ pinned: true }));
    expect(await leftAfter(5, allPinned, { maxCheckpoints: 1 })).toHaveLength(251);
  });

  it('does not take many pinned ones for too many, wherever they are', async () => {
    const newPins = minutely(260, ({ sequence }) => ({ pinned: sequence > 10 }));
    expect(await leftAfter(6, newPins, { maxCheckpoints: 20 })).toHaveLength(266);
    expect((await leftAfter(6, newPins, { maxCheckpoints: 12 })).slice(0, 3)).toEqual([5, 6, 7]);
  });

  it('keeps a checkpoint that this store pins itself', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs, { maxCheckpoints: 1, maxAgeHours: Infinity });
    await store.save({ n: 1 }, { label: 'good', pinned: true });
    for (let n = 2; n <= 5; n += 1) await store.save({ n });
    expect(entriesIn(fs)).toEqual([1, 4]);
    await store.close();
  });

  it('takes the last change of an entry without a time, and of one that is damaged', async () => {
    const fs = new MemoryFileSystem();
    fillHistory(fs, [{ sequence: 1 }, { sequence: 2, content: 'v: 2\n' }, { sequence: 3 }]);
    const changedMs = fs.stat(entryFile(1))?.modifiedMs ?? 0;
    const at = (nowMs: number) => ({ now: () => nowMs });
    const limits = { ...UNLIMITED, maxAgeHours: 1 };
    const early = await open(fs, { ...limits, clock: at(changedMs + HOUR_MS / 2) });
    await early.save({ n: 1 });
    expect(entriesIn(fs)).toEqual([1, 2, 3, 4]);
    await early.close();
    const late = await open(fs, { ...limits, clock: at(changedMs + 2 * HOUR_MS) });
    await late.save({ n: 2 });
    expect(entriesIn(fs)).toEqual([5]);
    await late.close();
  });

  it('removes nothing because of a clock that was set back', async () => {
    const future = minutely(8, ({ timeMs = 0 }) => ({ timeMs: timeMs + 1000 * HOUR_MS }));
    expect(await leftAfter(2, future, { maxAgeHours: 0.001 })).toHaveLength(10);
    expect(await leftAfter(1, future, { maxCheckpoints: 2 })).toEqual([8, 9]);
    const fs = new MemoryFileSystem();
    fillHistory(fs, minutely(8));
    const store = await open(fs, { maxAgeHours: 0.001, clock: { now: () => Number.NaN } });
    await store.save({ n: 1 });
    expect(entriesIn(fs)).toHaveLength(9);
    await store.close();
  });

  it('never removes the newest entry that verifies, although no later one does', async () => {
    const fs = new MemoryFileSystem();
    const entries = minutely(6, ({ sequence }) => (sequence > 2 ? { content: 'cut' } : {}));
    fillHistory(fs, entries);
    // With the checkpoint gone nothing is kept that is known to verify.
    fs.unlink(`${DIRECTORY}/ORCHESTRATION.yaml`);
    const restored = await open(fs, { maxCheckpoints: 1, maxAgeHours: 0.001 });
    expect(restored.state).toEqual({ v: 2 });
    await restored.save({ n: 1 });
    const left = entriesIn(fs);
    expect(left).toEqual([restored.sequence - 1]);
    expect(await restored.readCheckpoint(left[0] ?? 0)).toMatchObject({ text: 'v: 2\n' });
    await restored.close();
  });

  it('looks for the newest entry that verifies where this store has kept none itself', () => {
    const fs = new MemoryFileSystem();
    fillHistory(
      fs,
      minutely(5, ({ sequence }) => (sequence > 2 ? { content: 'cut' } : {})),
    );
    const session = createSession({
      fs,
      directory: DIRECTORY,
      file: 'ORCHESTRATION.yaml',
      content: {
        textFor: () => ({ text: '' }),
        validate: () => {},
        advance: () => {},
        rebase: () => {},
      },
      now: () => NOW_MS,
      random: (length) => new Uint8Array(length),
      maxCheckpoints: 1,
      maxAgeMs: 1,
      maxBytes: 1000,
      artifactRoot: '/',
      externalEdits: 'adopt',
      validateSealed: false,
    });
    session.located = resolvePaths(fs, DIRECTORY, 'ORCHESTRATION.yaml');
    session.entries = listEntries(session);
    prune(session);
    expect(entriesIn(fs)).toEqual([1, 2, 3, 4, 5]);
    session.recovered = true;
    prune(session);
    expect(entriesIn(fs)).toEqual([2, 3, 4, 5]);
  });

  it('goes on where an entry can not be removed or read', async () => {
    const fs = new MemoryFileSystem();
    fillHistory(fs, minutely(6));
    fs.unlink(entryFile(1));
    fs.makeDirectory(entryFile(1));
    fs.unlink(entryFile(3));
    const store = await open(fs, { ...UNLIMITED, maxCheckpoints: 2 });
    for (let n = 1; n <= 3; n += 1) await store.save({ n });
    expect(entriesIn(fs)).toEqual([1, 8, 9]);
    await store.close();
  });

  it.each([
    [{ maxCheckpoints: 0 }, 'maxCheckpoints is an integer from 1'],
    [{ maxCheckpoints: 1.5 }, 'maxCheckpoints'],
    [{ maxCheckpoints: Number.NaN }, 'maxCheckpoints'],
    [{ maxCheckpoints: '5' as never }, 'maxCheckpoints'],
    [{ maxAgeHours: 0 }, 'maxAgeHours is a number above 0'],
    [{ maxAgeHours: -1 }, 'maxAgeHours'],
    [{ maxAgeHours: Number.NaN }, 'maxAgeHours'],
    [{ maxAgeHours: '24' as never }, 'maxAgeHours'],
  ])('refuses limits under which nothing could be kept: %o', async (options, message) => {
    const opening = open(new MemoryFileSystem(), options);
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.toThrow(message);
  });
});

describe('retention where each opening saves once', () => {
  /** The earlier checkpoints left after so many openings with one save each, a minute apart. */
  async function afterOpenings(
    count: number,
    options: Options,
    { fs = new MemoryFileSystem() as FileSystem, isPinned = (_n: number): boolean => false } = {},
  ) {
    for (let n = 0; n < count; n += 1) {
      const clock = { now: () => NOW_MS + n * 60_000 };
      const opened = { audit: false, restore: false, clock, ...options } as const;
      const store = await open(fs, { ...UNLIMITED, ...opened });
      await store.save({ n }, isPinned(n) ? { label: `pin ${n}`, pinned: true } : {});
      await store.close();
    }
    // Closing keeps a second copy of the current one.
    return entriesIn(fs).slice(0, -1);
  }

  it.each([1, 98, 100, 120])('keeps %i and no more', async (maxCheckpoints) => {
    const left = await afterOpenings(135, { maxCheckpoints });
    expect(left).toEqual(
      Array.from({ length: maxCheckpoints }, (_, index) => 135 - maxCheckpoints + index),
    );
  });

  it('keeps as many besides the pinned ones, however many those are', async () => {
    const pinsFirst = await afterOpenings(
      240,
      { maxCheckpoints: 100 },
      { isPinned: (n) => n < 120 },
    );
    expect(pinsFirst).toEqual(
      Array.from({ length: 220 }, (_, index) => (index < 120 ? index + 1 : index + 20)),
    );
    const mixed = await afterOpenings(
      140,
      { maxCheckpoints: 60 },
      { isPinned: (n) => n % 2 === 0 },
    );
    const unpinned = mixed.filter((sequence) => sequence % 2 === 0);
    expect([unpinned[0], unpinned.length, mixed.length]).toEqual([20, 60, 130]);
  });

  it('keeps none that is too old, also behind more pinned ones than an ordinary save reads', async () => {
    const limits = { maxAgeHours: 10.5 / 60 };
    expect(await afterOpenings(40, limits)).toEqual(Array.from({ length: 11 }, (_, n) => n + 29));
    const behindPins = await afterOpenings(150, limits, { isPinned: (n) => n < 110 });
    expect(behindPins.slice(110)).toEqual(Array.from({ length: 11 }, (_, n) => n + 139));
  });

  it('comes down to a limit that was lowered', async () => {
    const fs = new MemoryFileSystem();
    fillHistory(fs, minutely(300));
    expect(await afterOpenings(25, { maxCheckpoints: 110 }, { fs })).toHaveLength(110);
  });

  it('keeps to a limit above what every save reads, give or take a few', async () => {
    const fs = new MemoryFileSystem();
    fillHistory(fs, minutely(2520));
    const lengths: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      lengths.push((await afterOpenings(12, { maxCheckpoints: 2500 }, { fs })).length);
    }
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(2500);
    expect(lengths.at(-1)).toBeLessThan(2510);
  });
});

describe('the cost of retention', () => {
  /** File operations of each of some saves, with so many entries in history. */
  async function costs(count: number, saves: number, options: Options) {
    const memory = new MemoryFileSystem();
    fillHistory(memory, minutely(count));
    const fs = new RecordingFileSystem(memory);
    const store = await open(fs, { ...UNLIMITED, ...options });
    const opened = fs.operations.length;
    const each: number[] = [];
    for (let n = 0; n < saves; n += 1) {
      const before = fs.operations.length;
      await store.save({ n });
      each.push(fs.operations.length - before);
    }
    return { opened, each, left: entriesIn(memory).length };
  }

  it('is the same for a save however long history is, and an opening only lists names', async () => {
    const [short, long] = [await costs(10, 3, {}), await costs(3000, 3, {})];
    expect(long).toEqual({ ...short, left: 3003 });
  });

  it('is one removal a save once the limit is reached', async () => {
    const without = await costs(10, 3, {});
    const short = await costs(10, 5, { maxCheckpoints: 10 });
    const long = await costs(500, 5, { maxCheckpoints: 500 });
    expect(long.each.slice(-3)).toHaveLength(3);
    const steady = (without.each.at(-1) ?? 0) + 1;
    expect(short.each.slice(1)).toEqual([steady, steady, steady, steady]);
    const twelve = await costs(500, 12, { maxCheckpoints: 500 });
    expect(twelve.each.slice(-3)).toEqual([steady, steady, steady]);
    expect(twelve.left).toBe(500);
  });

  it('is bounded for one save where thousands have to go, and the rest goes with the next', async () => {
    const { each, left } = await costs(2000, 30, { maxCheckpoints: 50 });
    expect(left).toBe(50);
    const plain = (await costs(10, 1, {})).each[0] ?? 0;
    // A read takes four operations: open, stat, read, close.
    expect(Math.max(...each)).toBeLessThanOrEqual(plain + 100 * 4 + 100);
    expect(each.at(-1)).toBeLessThanOrEqual(plain + 1);
  });
});
