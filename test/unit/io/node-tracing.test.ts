/**
 * The channels of `node:diagnostics_channel`: what is told, in which order, and nothing where nobody
 * listens.
 */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { failNth } from '../../../src/io/fault-rules.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { createNodeFileSystem } from '../../../src/io/node-file-system.js';
import { isTraced, trace, traceChannels } from '../../../src/io/node-tracing.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const CANARY = 'canary-77aa';
const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const kinds = ['save', 'sync', 'recover', 'restore'] as const;

interface Told {
  readonly name: string;
  readonly at: (typeof events)[number];
  /** As it was then. */
  readonly payload: Record<string, unknown>;
  readonly isOver: boolean;
  readonly identity: object;
}

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Collects all that is told, until the test ends. */
function listening(names: readonly string[] = kinds): Told[] {
  const told: Told[] = [];
  for (const name of names) {
    const subscribers = Object.fromEntries(
      events.map((at) => [
        at,
        (identity: object) => {
          const { isOver = false, ...payload } = { ...identity } as { isOver?: boolean };
          told.push({ name, at, payload, isOver, identity });
        },
      ]),
    ) as Record<(typeof events)[number], (payload: object) => void>;
    const traced = tracingChannel<unknown, object>(`checkpoint-wal:${name}`);
    traced.subscribe(subscribers);
    endings.push(() => traced.unsubscribe(subscribers));
  }
  return told;
}

const inMemory = (options: Partial<CheckpointStoreOptions<undefined>> = {}) =>
  openCheckpointStore({ directory: '/store', fileSystem: new MemoryFileSystem(), ...options });

const of = (told: readonly Told[], name: string) => told.filter((one) => one.name === name);
const last = (told: readonly Told[], name: string) => of(told, name).at(-1)?.payload;

describe('checkpoint-wal:save', () => {
  it('tells each call around its promise, with number, durability and bytes, in one payload', async () => {
    const told = listening(['save']);
    const store = await inMemory();
    await store.set('status', CANARY, { label: CANARY });
    await store.close();
    expect(told.map(({ at }) => at)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(told.map(({ isOver }) => isOver)).toEqual([false, false, true, true]);
    expect(new Set(told.map(({ identity }) => identity)).size).toBe(1);
    const begun = { operation: 'set', directory: '/store', durability: 'committed' };
    expect(told[0]?.payload).toEqual(begun);
    expect(told[3]?.payload).toEqual({ ...begun, sequence: 1, bytes: expect.any(Number) });
    expect(told[3]?.payload.bytes).toBeGreaterThan(CANARY.length);
  });

  it('tells every kind of call, and how far each had come when it was acknowledged', async () => {
    const told = listening(['save']);
    const store = await inMemory({ durability: 'logged' });
    await store.save({ a: 1 });
    await store.saveText('a: 2\n', { durability: 'committed' });
    await store.update((draft) => ({ ...(draft as object), b: 1 }));
    await store.delete('b');
    await store.close();
    const ended = told.filter(({ at }) => at === 'asyncEnd').map(({ payload }) => payload);
    expect(
      ended.map(({ operation, durability, sequence }) => [operation, durability, sequence]),
    ).toEqual([
      ['save', 'logged', 1],
      ['saveText', 'committed', 2],
      ['update', 'logged', 3],
      ['delete', 'logged', 4],
    ]);
    expect(ended.every(({ bytes }) => typeof bytes === 'number' && bytes > 0)).toBe(true);
  });

  it('tells the bytes of the round that held the save, also when the next has begun', async () => {
    const told = listening(['save']);
    const store = await openCheckpointStore({ directory: freshFolder() });
    const long = 'x'.repeat(5000);
    await Promise.all([store.set('a', 1), store.set('b', long), store.set('c', 2)]);
    await store.close();
    const ended = told.filter(({ at }) => at === 'asyncEnd').map(({ payload }) => payload);
    expect(ended.map(({ sequence }) => sequence)).toEqual([1, 2, 2]);
    const [first, second, third] = ended.map(({ bytes }) => Number(bytes));
    expect(first).toBeLessThan(1000);
    expect(second).toBeGreaterThan(5000);
    expect(third).toBe(second);
  });

  it('tells the error that the call rejects with, before the end', async () => {
    const told = listening(['save']);
    const store = await inMemory();
    await expect(store.set('a[', 1)).rejects.toMatchObject({ code: 'INVALID_PATH' });
    await store.close();
    expect(told.map(({ at }) => at)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(told[4]?.payload.error).toMatchObject({ code: 'INVALID_PATH' });
    expect(told[4]?.payload).not.toHaveProperty('sequence');
  });
});

describe('checkpoint-wal:sync', () => {
  it('tells every sync of a file or a directory by its path, as the disk answers it', async () => {
    const told = listening(['sync']);
    const directory = freshFolder();
    const store = await openCheckpointStore({ directory, fileSystem: createNodeFileSystem() });
    told.length = 0;
    await store.set('a', 1);
    const ended = told.filter(({ at }) => at === 'asyncEnd').map(({ payload }) => payload);
    expect(ended).toEqual(
      expect.arrayContaining([
        { kind: 'file', file: join(directory, '.checkpoint.wal') },
        { kind: 'directory', file: directory },
        {
          kind: 'file',
          file: expect.stringMatching(/\/\.ORCHESTRATION\.yaml\.[0-9a-f]{12}\.tmp$/),
        },
      ]),
    );
    await store.close();
  });

  it('tells syncs that are done at once without asynchronous events, and those that fail with the error', async () => {
    const told = listening(['sync']);
    const memory = new MemoryFileSystem();
    const fileSystem = new FaultyFileSystem(
      memory,
      failNth({ operation: 'sync', path: /wal$/ }, 'EIO'),
    );
    const store = await openCheckpointStore({ directory: '/store', fileSystem });
    await store.set('a', 1).catch(() => {});
    await store.close();
    expect(new Set(told.map(({ at }) => at))).toEqual(new Set(['start', 'end', 'error']));
    for (const { at, isOver } of told) expect(isOver).toBe(at !== 'start');
    const failed = told.find(({ at }) => at === 'error');
    expect(failed?.payload).toMatchObject({ kind: 'file', file: '/store/.checkpoint.wal' });
    expect(failed?.payload.error).toMatchObject({ code: 'EIO' });
  });
});

describe('checkpoint-wal:recover', () => {
  it('tells how a store was opened, with the decisions by their labels', async () => {
    const told = listening(['recover']);
    await (await inMemory()).close();
    expect(told.map(({ at }) => at)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(told[0]?.payload).toEqual({ directory: '/store' });
    expect(told[3]?.payload).toMatchObject({ outcome: 'ready', clean: true, sequence: 0 });
    const decisions = told[3]?.payload.decisions as { label: string }[];
    expect(decisions.length).toBeGreaterThan(0);
    for (const decision of decisions) expect(Object.keys(decision)).toEqual(['label', 'action']);
  });

  it('tells that it was refused, with the error', async () => {
    const told = listening(['recover']);
    const directory = freshFolder();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), `a: [${CANARY}\n`);
    await expect(openCheckpointStore({ directory })).rejects.toMatchObject({ code: 'REFUSED' });
    const { error, ...facts } = last(told, 'recover') ?? {};
    expect(error).toMatchObject({ code: 'REFUSED' });
    expect(facts).toMatchObject({ outcome: 'refused', clean: false });
    expect(JSON.stringify(facts)).not.toContain(CANARY);
  });
});

describe('checkpoint-wal:restore', () => {
  it('tells what was restored under which number, and neither label nor text', async () => {
    const told = listening(['restore', 'save']);
    const store = await inMemory();
    await store.set('a', CANARY, { label: CANARY });
    await store.set('a', 2);
    await store.restore({ label: CANARY, dryRun: true });
    expect(last(told, 'restore')).toEqual({ directory: '/store', dryRun: true, from: 1 });
    await store.restore('previous');
    expect(last(told, 'restore')).toEqual({
      directory: '/store',
      dryRun: false,
      from: 1,
      sequence: 3,
    });
    await expect(store.restore({ sequence: 99 })).rejects.toThrow();
    expect(last(told, 'restore')?.error).toMatchObject({ code: 'NOT_IN_HISTORY' });
    await store.close();
    const facts = told.map(({ payload: { error: _, ...rest } }) => rest);
    expect(JSON.stringify(facts)).not.toContain(CANARY);
  });
});

describe('a store that nobody listens to', () => {
  it('publishes nothing, and enters no channel', async () => {
    const spies = Object.values(traceChannels).flatMap((traced) =>
      events.flatMap((at) => [vi.spyOn(traced[at], 'publish'), vi.spyOn(traced[at], 'runStores')]),
    );
    endings.push(() => {
      for (const spy of spies) spy.mockRestore();
    });
    const store = await inMemory();
    await store.set('a', 1);
    await store.set('a', 2);
    await store.restore('previous');
    await store.close();
    expect(spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBe(0);
  });

  it.each(events)('is told apart from one with a listener to %s alone', (at) => {
    expect(isTraced(traceChannels.save)).toBe(false);
    const listener = () => {};
    const one = channel(`tracing:checkpoint-wal:save:${at}`);
    one.subscribe(listener);
    const isHeard = isTraced(traceChannels.save);
    one.unsubscribe(listener);
    expect(isHeard).toBe(true);
    expect(isTraced(traceChannels.save)).toBe(false);
  });
});

describe('a trace', () => {
  it('passes on what is returned and thrown, at once where it can', async () => {
    listening(['sync']);
    const payload = () => ({ kind: 'file', file: '/a' }) as const;
    expect(trace(traceChannels.sync, payload(), () => 7)).toBe(7);
    expect(await trace(traceChannels.sync, payload(), async () => 8)).toBe(8);
    const error = new Error('x');
    const failing = () => {
      throw error;
    };
    expect(() => trace(traceChannels.sync, payload(), failing)).toThrow(error);
    await expect(trace(traceChannels.sync, payload(), async () => failing())).rejects.toBe(error);
  });
});
