/**
 * Saves of many callers at once: how many rounds and events of the machine they cost, counted exactly, and
 * that those that are held for the next round are answered whatever becomes of the store.
 */
import { describe, expect, it } from 'vitest';
import { type CheckpointStoreOptions, openCheckpointStore } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';

interface Counters {
  [caller: string]: number;
}

/** A store whose syncs take their time, and what its machine has been asked. */
async function openCounted(options: Partial<CheckpointStoreOptions<undefined>> = {}) {
  const asked: string[] = [];
  const store = await openCheckpointStore<Counters>({
    directory: '/s',
    fileSystem: slowSyncs(new MemoryFileSystem()),
    audit: false,
    restore: false,
    inspect: (event) => {
      if (event.type !== '@xstate.event' || event.sourceRef !== undefined) return;
      if (/^(save|check|restore|close)\./.test(event.event.type)) asked.push(event.event.type);
    },
    ...options,
  });
  return { store, asked };
}

const requested = (asked: readonly string[]) => asked.filter((type) => type === 'save.requested');

/** So many callers, each of which waits for its own save before it asks for the next. */
async function loop(
  callers: number,
  times: number,
  save: (caller: number, time: number) => object,
) {
  const work = async (_: unknown, caller: number) => {
    for (let time = 1; time <= times; time += 1) await save(caller, time);
  };
  await Promise.all(Array.from({ length: callers }, work));
}

describe('saves of many callers', () => {
  it.each([
    ['without the audit', false],
    ['with it', undefined],
  ] as const)(
    'cost one round and one event for all who were answered together, %s',
    async (_, audit) => {
      const { store, asked } = await openCounted({ audit });
      await loop(256, 10, (caller, time) => store.set(`c${caller}`, time));
      // The very first starts at once, alone; its caller is one step ahead and goes with the others.
      expect(requested(asked)).toHaveLength(11);
      expect(store.stats().rounds).toMatchObject({ committed: 11, maxSaves: 256 });
      expect(new Set(Object.values(store.state ?? {}))).toEqual(new Set([10]));
      await store.close();
    },
  );

  it('are as many rounds as saves where there is one caller, who waits for nobody', async () => {
    const { store, asked } = await openCounted();
    await loop(1, 10, (_, time) => store.set('c', time));
    expect(requested(asked)).toHaveLength(10);
    expect(store.stats().rounds).toMatchObject({ committed: 10, maxSaves: 1 });
    await store.close();
  });

  it('start at once in a store where nothing is on its way, and wait for nobody else', async () => {
    const { store, asked } = await openCounted();
    const first = store.set('a', 1);
    expect(requested(asked)).toHaveLength(1);
    const others = [store.set('b', 1), store.set('c', 1)];
    expect(requested(asked)).toHaveLength(1);
    const numbers = (await Promise.all([first, ...others])).map(({ sequence }) => sequence);
    expect(numbers).toEqual([1, 2, 2]);
    expect(requested(asked)).toHaveLength(2);
    await store.close();
  });

  it('are each answered as they asked to be, when logged or when committed', async () => {
    const { store } = await openCounted();
    const durabilities: string[] = [];
    await loop(20, 4, async (caller, time) => {
      const durability = caller % 2 ? ('logged' as const) : ('committed' as const);
      const result = await store.set(`c${caller}`, time, { durability });
      expect(result.durability).toBe(durability);
      durabilities.push(result.durability);
    });
    expect(durabilities).toHaveLength(80);
    expect(store.state?.c19).toBe(4);
    await store.close();
    expect(store.state?.c18).toBe(4);
  });
});

describe('a save that is held for the next round', () => {
  it('comes before a close, a check and a restore that are asked for after it', async () => {
    for (const then of ['close', 'check', 'restore'] as const) {
      const { store, asked } = await openCounted();
      await store.save({ a: 0 });
      await store.save({ a: 1 });
      const first = store.set('a', 2);
      const held = store.set('b', 2);
      const after = then === 'restore' ? store.restore({ sequence: 1 }) : store[then]();
      await Promise.all([first, held, after]);
      const [, , , next, last] = asked;
      expect([next, last]).toEqual([
        'save.requested',
        then === 'restore' ? 'check.requested' : `${then}.requested`,
      ]);
      if (then !== 'close') await store.close();
      expect(store.state).toEqual(then === 'restore' ? { a: 0 } : { a: 2, b: 2 });
    }
  });

  it('is dropped when its signal aborts, without the machine having heard of it', async () => {
    const { store, asked } = await openCounted();
    const controller = new AbortController();
    const first = store.set('a', 1);
    const held = store.set('b', 1, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(held).rejects.toThrow('enough');
    await first;
    expect(asked).toEqual(['save.requested']);
    await store.set('c', 1);
    expect(store.state).toEqual({ a: 1, c: 1 });
    expect(store.stats().saves).toMatchObject({ acknowledged: 2, rejected: 1, waiting: 0 });
    await store.close();
  });

  it('is refused with the others when the store halts', async () => {
    const { fs, failLogs } = failing('unlink');
    const { store } = await openCounted({ fileSystem: slowSyncs(fs) });
    failLogs();
    const results = await Promise.allSettled([1, 2, 3].map((n) => store.set(`c${n}`, n)));
    expect(results.map(codeOf)).toEqual(['WRITE_FAILED', 'HALTED', 'HALTED']);
    expect(store.stats().saves.waiting).toBe(0);
    await store.close();
  });

  it('is saved although the round before it fails', async () => {
    const { fs, failLogs } = failing('write');
    const { store } = await openCounted({ fileSystem: slowSyncs(fs) });
    failLogs();
    const results = await Promise.allSettled([1, 2, 3].map((n) => store.set(`c${n}`, n)));
    expect(results.map(codeOf)).toEqual(['WRITE_FAILED', 'fulfilled', 'fulfilled']);
    expect(store.state).toEqual({ c2: 2, c3: 3 });
    await store.close();
  });

  it.each([
    ['in its time', {}],
    ['at once', { releaseLock: () => undefined }],
  ])(
    'is answered with CLOSED when somebody else closes the machine, which ends %s',
    async (_, own) => {
      const { store } = await openCounted({ around: (io) => ({ ...io, ...own }) });
      const first = store.set('a', 1);
      const held = store.set('b', 1);
      store.actor.send({ type: 'close.requested' });
      await first;
      await expect(held).rejects.toMatchObject({
        code: 'CLOSED',
        details: { outcome: 'notSaved' },
      });
      await store.close();
    },
  );
});

function codeOf(result: PromiseSettledResult<unknown>): string {
  return result.status === 'fulfilled' ? result.status : result.reason.code;
}

/** A disk on which the next operation of a kind on a log fails, once it is told to. */
function failing(kind: 'write' | 'unlink') {
  let isArmed = false;
  const fs = new RecordingFileSystem(new MemoryFileSystem(), {
    before: ({ operation, path }) => {
      if (!isArmed || operation !== kind || !path.endsWith('.wal')) return undefined;
      isArmed = false;
      throw systemError('EIO', kind);
    },
  });
  return {
    fs,
    failLogs: () => {
      isArmed = true;
    },
  };
}
