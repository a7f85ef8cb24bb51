/**
 * Many stores below one root: names, links, leases on real stores, what is listed, options. In memory; the
 * real disk is in `test/e2e/many-stores.test.ts`, crashes in `test/crash/many-stores.test.ts`.
 */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { fail } from '../../../src/io/faults.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import type { FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import {
  type CheckpointStoresOptions,
  openCheckpointStores,
} from '../../../src/store/checkpoint-stores.js';
import { listCheckpointStores } from '../../../src/store/list-stores.js';
import { openCheckpointStore } from '../../../src/store.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';

interface State {
  n: number;
}

const ROOT = '/stores';

async function openAll(
  fileSystem: FileSystem = new MemoryFileSystem(),
  options: CheckpointStoresOptions<undefined> = {},
) {
  return await openCheckpointStores<State>(ROOT, { fileSystem, idleMs: Infinity, ...options });
}

async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}

function write(fs: FileSystem, path: string, text: string): void {
  if (fs.statLink(path) !== undefined) fs.unlink(path);
  const handle = fs.open(path, 'create', 0o644);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
}

function read(fs: FileSystem, path: string): string {
  const handle = fs.open(path, 'read');
  const bytes = new Uint8Array(handle.size());
  handle.read(bytes, 0);
  handle.close();
  return new TextDecoder().decode(bytes);
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

describe('names of stores', () => {
  const stores = openAll();

  it.each([
    ['', 'empty'],
    ['.', 'dot'],
    ['..', 'dot'],
    ['.hidden', 'dot'],
    ['a/b', 'separator'],
    ['../a', 'dot'],
    ['a/../../b', 'separator'],
    ['/etc', 'separator'],
    ['a\\b', 'separator'],
    ['a\0', 'control'],
    ['a\nb', 'control'],
    ['a\u009bb', 'control'],
    ['a\ud800', 'surrogate'],
    ['é'.repeat(101), '202 bytes'],
  ])('are refused before anything is touched: %j', async (name, why) => {
    const error = await (await stores).open(name).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_NAME', details: { name } });
    expect((error as Error).message).toContain(why);
    expect((await stores).stats()).toMatchObject({ open: 0, opened: 0, failed: 0 });
  });

  it.each(['a', 'order:42', 'Ärger 1', '日本', 'a.b', '-', 'é'.repeat(100)])(
    'are taken as they are: %j',
    async (name) => {
      const fs = new MemoryFileSystem();
      const all = await openAll(fs);
      await all.use(name, (store) => store.set('n', 1));
      await all.close();
      expect(fs.list(ROOT)).toEqual([name]);
      expect((await collect(all.list())).map((one) => one.name)).toEqual([name]);
    },
  );

  it('that are no text are misuse', async () => {
    await expect((await stores).open(1 as never)).rejects.toThrow(TypeError);
  });
});

describe('symbolic links', () => {
  it('are not followed: neither a store that is one, nor a checkpoint file', async () => {
    const fs = new MemoryFileSystem();
    const outside = await openCheckpointStore({ directory: '/outside', fileSystem: fs });
    await outside.set('n', 1);
    await outside.close();
    const all = await openAll(fs);
    fs.symlink('/outside', `${ROOT}/link`);
    fs.makeDirectory(`${ROOT}/inner`);
    fs.symlink('/outside/ORCHESTRATION.yaml', `${ROOT}/inner/ORCHESTRATION.yaml`);
    write(fs, `${ROOT}/file`, 'n: 1\n');
    const before = read(fs, '/outside/ORCHESTRATION.yaml');
    for (const name of ['link', 'inner', 'file']) {
      expect(await codeOf(all.open(name))).toBe('PATH_OUTSIDE_STORE');
    }
    expect(await collect(all.list())).toMatchObject([
      { name: 'inner', problem: { code: 'PATH_OUTSIDE_STORE' } },
    ]);
    expect(read(fs, '/outside/ORCHESTRATION.yaml')).toBe(before);
    expect(fs.list('/outside')).not.toContain('.checkpoint.lock');
    expect(all.stats().open).toBe(0);
  });

  it('are followed once for the root itself', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory('/real');
    fs.symlink('/real', '/stores');
    const all = await openAll(fs);
    expect(all.root).toBe('/real');
    await all.use('a', (store) => store.set('n', 1));
    await all.close();
    expect(fs.list('/real/a')).toContain('ORCHESTRATION.yaml');
  });
});

describe('leases', () => {
  it('share one open store, and saves through either are seen by both', async () => {
    const all = await openAll();
    await using first = await all.open('a');
    await using second = await all.open('a');
    expect(second.store).toBe(first.store);
    await first.store.save({ n: 1 });
    expect(second.store.state).toEqual({ n: 1 });
    expect(all.stats()).toMatchObject({ open: 1, inUse: 1 });
  });

  it('let a store be closed properly when its room is needed, with every save in it', async () => {
    const fs = new MemoryFileSystem();
    const all = await openAll(slowSyncs(fs), { maxOpen: 3, maxSyncs: 1 });
    const names = Array.from({ length: 20 }, (_, n) => `s${n}`);
    await Promise.all(names.map((name, n) => all.use(name, (store) => store.save({ n }))));
    await Promise.all(names.map((name) => all.use(name, (store) => store.set('more', true))));
    expect(all.stats()).toMatchObject({ open: 3, inUse: 0, waiting: 0, failed: 0 });
    expect(all.stats().syncs).toMatchObject({ running: 0, runningMax: 1, waiting: 0 });
    await all.close();
    for (const [n, name] of names.entries()) {
      const store = await openCheckpointStore({ directory: `${ROOT}/${name}`, fileSystem: fs });
      expect([store.state, store.recovery.clean]).toEqual([{ n, more: true }, true]);
      await store.close();
    }
  });

  it('give the room back where opening fails, with the error of the store', async () => {
    const fs = new MemoryFileSystem();
    const all = await openAll(fs, { maxOpen: 1 });
    fs.makeDirectory(`${ROOT}/bad`);
    write(fs, `${ROOT}/bad/ORCHESTRATION.yaml`, 'a: [1\n');
    const elsewhere = await openCheckpointStore({ directory: `${ROOT}/taken`, fileSystem: fs });
    expect(await codeOf(all.open('bad'))).toBe('REFUSED');
    expect(await codeOf(all.open('taken'))).toBe('LOCKED');
    expect(await codeOf(all.use('good', (store) => store.set('n', 1)))).toBe('none');
    await elsewhere.close();
    expect(await codeOf(all.open('taken'))).toBe('none');
    expect(all.stats()).toMatchObject({ opened: 2, failed: 2 });
  });

  it('of a store that has halted are given up, and the next one is opened anew and recovered', async () => {
    const memory = new MemoryFileSystem();
    let isBroken = false;
    const fs = new FaultyFileSystem(memory, (operation) =>
      isBroken && operation.operation === 'sync' && operation.path?.endsWith('.wal') === true
        ? fail('EIO')
        : undefined,
    );
    const all = await openAll(fs, { syncRetryLimit: 0 });
    const lease = await all.open('a');
    await lease.store.save({ n: 1 });
    isBroken = true;
    expect(await codeOf(lease.store.save({ n: 2 }))).toBe('SYNC_FAILED');
    expect(await codeOf(lease.store.save({ n: 2 }))).toBe('HALTED');
    isBroken = false;
    const next = all.use('a', async (store) => {
      await store.set('more', 1);
      return store;
    });
    expect(all.stats()).toMatchObject({ waiting: 1, open: 1 });
    await lease.release();
    const store = await next;
    expect(store).not.toBe(lease.store);
    expect(store.state).toMatchObject({ more: 1 });
    expect(all.stats()).toMatchObject({ opened: 2, closed: 1, failed: 0 });
  });

  it('of a store that its user has closed are not handed on', async () => {
    const all = await openAll();
    const lease = await all.open('a');
    await lease.store.close();
    await lease.release();
    await all.use('a', (store) => store.set('n', 1));
    expect(all.stats()).toMatchObject({ opened: 2, open: 1 });
  });

  it('are returned by use() also where what it runs throws', async () => {
    const all = await openAll();
    const failing = all.use('a', () => {
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect(all.stats()).toMatchObject({ open: 1, inUse: 0 });
    expect(await all.use('a', () => 42)).toBe(42);
  });

  it('begin no store with create: false', async () => {
    const fs = new MemoryFileSystem();
    const all = await openAll(fs);
    expect(await codeOf(all.open('a', { create: false }))).toBe('NO_STORE');
    expect(fs.list(ROOT)).toEqual([]);
    await all.use('a', (store) => store.set('n', 1));
    expect(await codeOf(all.open('a', { create: false }))).toBe('none');
    await all.close();
    expect(await codeOf(all.open('a', { create: false }))).toBe('CLOSED');
  });

  it('end with close(), which finishes what was accepted', async () => {
    const fs = new MemoryFileSystem();
    const all = await openAll(slowSyncs(fs), { maxOpen: 2 });
    const [a, b] = [await all.open('a'), await all.open('b')];
    const saves = [a.store.save({ n: 1 }), b.store.save({ n: 2 })];
    const waiting = codeOf(all.open('c'));
    await all.close();
    expect((await Promise.all(saves)).map(({ sequence }) => sequence)).toEqual([1, 1]);
    expect(await waiting).toBe('CLOSED');
    expect(await codeOf(a.store.save({ n: 3 }))).toBe('CLOSED');
    expect(await codeOf(all.open('a'))).toBe('CLOSED');
    await a.release();
    await all.close();
    expect(fs.list(`${ROOT}/a`)).not.toContain('.checkpoint.lock');
  });
});

describe('the list', () => {
  const holder = { host: 'memory' };

  async function filled() {
    const fs = new MemoryFileSystem();
    const clock = { now: () => Date.UTC(2026, 0, 2) };
    const all = await openAll(fs, { clock });
    await all.use('b-open', (store) => store.save({ n: 1 }, { label: 'first' }));
    const closed = await openAll(fs, { clock });
    await closed.use('a-closed', (store) => store.save({ n: 1 }, { label: 'first' }));
    await closed.use('c-edited', (store) => store.save({ n: 1 }));
    await closed.use('d-missing', async (store) => {
      await store.save({ n: 1 });
      await store.save({ n: 2 });
    });
    await closed.use('e-empty', (store) => store.save({ n: 1 }));
    await closed.use('f-crashed', (store) => store.save({ n: 1 }));
    await closed.close();
    write(fs, `${ROOT}/c-edited/ORCHESTRATION.yaml`, 'n: 7\n');
    fs.unlink(`${ROOT}/d-missing/ORCHESTRATION.yaml`);
    write(fs, `${ROOT}/e-empty/ORCHESTRATION.yaml`, '');
    write(fs, `${ROOT}/f-crashed/.checkpoint.wal`, 'half a log');
    fs.makeDirectory(`${ROOT}/no-store`);
    fs.makeDirectory(`${ROOT}/.hidden`);
    write(fs, `${ROOT}/.hidden/ORCHESTRATION.yaml`, 'n: 1\n');
    write(fs, `${ROOT}/README.md`, 'text');
    return { fs, all };
  }

  it('tells of each store what its files tell, and leaves out what is none', async () => {
    const { all } = await filled();
    const timeMs = Date.UTC(2026, 0, 2);
    const told = { sequence: 1, label: 'first', timeMs, size: expect.any(Number) };
    const found = await collect(all.list());
    expect(found).toEqual([
      { name: 'a-closed', directory: `${ROOT}/a-closed`, isLogWaiting: false, ...told },
      {
        name: 'b-open',
        directory: `${ROOT}/b-open`,
        isLogWaiting: false,
        holder: expect.objectContaining(holder),
        ...told,
      },
      expect.objectContaining({
        name: 'c-edited',
        size: 5,
        problem: expect.objectContaining({ code: 'EDITED_OUTSIDE' }),
      }),
      expect.objectContaining({
        name: 'd-missing',
        problem: expect.objectContaining({ code: 'NO_STORE' }),
      }),
      expect.objectContaining({
        name: 'e-empty',
        problem: expect.objectContaining({ code: 'EMPTY_DOCUMENT' }),
      }),
      expect.objectContaining({ name: 'f-crashed', isLogWaiting: true, sequence: 1 }),
    ]);
    expect(found.map(({ name }) => all.isOpen(name)).indexOf(true)).toBe(1);
  });

  it.each(['directory', 'symlink'])(
    'tells a %s under the name of the log as a problem',
    async (kind) => {
      const { fs } = await filled();
      const wal = `${ROOT}/a-closed/.checkpoint.wal`;
      if (kind === 'directory') fs.makeDirectory(wal);
      else fs.symlink('/elsewhere', wal);
      const [found] = await collect(listCheckpointStores(ROOT, { fileSystem: fs }));
      const problem = { code: 'READ_FAILED', message: expect.stringContaining(`is a ${kind}`) };
      expect(found).toMatchObject({ name: 'a-closed', isLogWaiting: true, problem });
      const opening = openCheckpointStore({ directory: `${ROOT}/a-closed`, fileSystem: fs });
      expect(await codeOf(opening)).toBe('READ_FAILED');
    },
  );

  it('calls a log beside a living holder no crash', async () => {
    const { fs, all } = await filled();
    write(fs, `${ROOT}/b-open/.checkpoint.wal`, 'a save in flight');
    const open = (await collect(all.list())).find(({ name }) => name === 'b-open');
    expect(open).toMatchObject({ isLogWaiting: false });
  });

  it('reads the end of each file only, changes nothing and takes no lock', async () => {
    const inner = new MemoryFileSystem();
    const big = { n: 1, filler: 'x'.repeat(1_000_000) };
    const all = await openCheckpointStores(ROOT, { fileSystem: inner });
    await all.use('a', (store) => store.save(big));
    await all.close();
    const fs = new RecordingFileSystem(inner);
    const before = JSON.stringify(Object.keys(inner.snapshot()));
    const found = await collect(listCheckpointStores(ROOT, { fileSystem: fs }));
    expect(found).toMatchObject([{ name: 'a', sequence: 1 }]);
    const names = fs.operations.map(({ operation }) => operation);
    expect(names).not.toContain('lock');
    const bytes = fs.operations.filter(({ operation }) => operation === 'read');
    expect(bytes.reduce((sum, one) => sum + (one.bytes ?? 0), 0)).toBeLessThan(20_000);
    expect(JSON.stringify(Object.keys(inner.snapshot()))).toBe(before);
  });

  it('names what keeps a store from being read, and goes on with the next', async () => {
    const { fs } = await filled();
    const faulty = new FaultyFileSystem(fs, (operation) =>
      operation.operation === 'open' && operation.path?.includes('a-closed') === true
        ? fail('EIO')
        : undefined,
    );
    const found = await collect(listCheckpointStores(ROOT, { fileSystem: faulty }));
    expect(found[0]).toMatchObject({ name: 'a-closed', problem: { code: 'READ_FAILED' } });
    expect(found).toHaveLength(6);
  });

  it('lets timers have their turn', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(ROOT);
    for (let n = 0; n < 3000; n += 1) {
      fs.makeDirectory(`${ROOT}/s${n}`);
      write(fs, `${ROOT}/s${n}/ORCHESTRATION.yaml`, 'n: 1\n');
    }
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const found = await collect(listCheckpointStores(ROOT, { fileSystem: fs }));
    clearInterval(timer);
    expect(found).toHaveLength(3000);
    expect(turns).toBeGreaterThan(0);
  });

  it('is refused where there is no such directory', async () => {
    const fileSystem = new MemoryFileSystem();
    expect(await codeOf(collect(listCheckpointStores('/none', { fileSystem })))).toBe('NO_STORE');
  });
});

describe('options', () => {
  it('are those of each store, and may differ by name', async () => {
    const fs = new MemoryFileSystem();
    const schema = z.object({ n: z.number().default(0) });
    const told: string[] = [];
    const all = await openCheckpointStores(ROOT, {
      fileSystem: fs,
      schema,
      file: 'state.yaml',
      audit: false,
      optionsFor: (name) => ({ audit: { onEntry: () => void told.push(name) } }),
    });
    const lease = await all.open('a');
    expectTypeOf(lease.store.state).toEqualTypeOf<{ readonly n: number } | undefined>();
    expect(await codeOf(lease.store.save({ n: 'x' } as never))).toBe('SCHEMA_INVALID');
    await lease.store.save({});
    expect(lease.store.state).toEqual({ n: 0 });
    expect(lease.store.stats().syncs.count).toBeGreaterThan(0);
    expect(new Set(told)).toEqual(new Set(['a']));
    expect(fs.list(`${ROOT}/a`)).toContain('state.yaml');
    expect(await collect(all.list())).toMatchObject([{ name: 'a', sequence: 1 }]);
    await all.close();
  });

  it.each([
    { maxOpen: 0 },
    { maxOpen: 1.5 },
    { maxSyncs: 0 },
    { maxSyncs: Number.POSITIVE_INFINITY },
    { idleMs: -1 },
    { idleMs: Number.NaN },
    { idleMs: 2 ** 31 },
    { optionsFor: {} },
    { directory: 'a' },
    { io: () => undefined },
    { maxCheckpoints: -1 },
    { audit: { sync: 'never' } },
    { restore: { threshold: 0 } },
  ])('that can not be meant are refused at once: %j', async (options) => {
    const fileSystem = new MemoryFileSystem();
    const opening = openCheckpointStores(ROOT, { fileSystem, ...options } as never);
    await expect(opening).rejects.toThrow(TypeError);
    expect(fileSystem.list('/')).toEqual([]);
  });

  it('need a root that can be a directory', async () => {
    const fileSystem = new MemoryFileSystem();
    await expect(openCheckpointStores('', { fileSystem })).rejects.toThrow(TypeError);
    write(fileSystem, '/file', 'text');
    expect(await codeOf(openCheckpointStores('/file', { fileSystem }))).toBe('WRITE_FAILED');
  });
});

describe('the history of one of many stores', () => {
  it('keeps to its limit where each lease saves once', async () => {
    const fs = new MemoryFileSystem();
    for (let n = 0; n < 112; n += 1) {
      const stores = await openAll(fs, { maxCheckpoints: 100, audit: false, restore: false });
      await stores.use('a', (store) => store.save({ n }));
      await stores.close();
    }
    // Closing keeps a second copy of the current one.
    expect(fs.list(`${ROOT}/a/checkpoints`)).toHaveLength(101);
  });
});
