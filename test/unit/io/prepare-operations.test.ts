import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import {
  type RecordedOperation,
  RecordingFileSystem,
  type RecordingHooks,
} from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';
import { syncsIn } from '../../../src/testing/turns.js';

const isSync = ({ operation }: RecordedOperation) => /^sync/.test(operation);
const isTemporary = (path: string) => /^\/store\/\.ORCHESTRATION.*\.tmp$/.test(path);

/** A store that has a history, and what is done on its files from here on. */
async function opened(audit?: 'audited') {
  const disk = new MemoryFileSystem();
  const fs = new RecordingFileSystem(disk);
  const settings = { directory: '/store', ...(audit === undefined && { audit: false as const }) };
  const store = await openCheckpointStore({ ...settings, fileSystem: fs });
  for (const value of [1, 2]) await store.set('value', value);
  const start = fs.operations.length;
  const done = () => fs.operations.slice(start);
  const failing = (before: RecordingHooks['before']) => fs.setHooks({ ...(before && { before }) });
  const reopen = () => openCheckpointStore({ ...settings, fileSystem: disk });
  return { fs, store, done, failing, reopen };
}

describe('what a save costs, exactly', () => {
  it.each([
    ['without an audit', undefined, 5],
    ['with an audit', 'audited', 6],
  ] as const)('takes a fixed number of syncs, %s', async (_, audit, syncs) => {
    const { store, done } = await opened(audit);
    await store.set('value', 3);
    expect(done().filter(isSync)).toHaveLength(syncs);
    await store.close();
  });

  it('opens two files, creates both, and reads none', async () => {
    const { store, done } = await opened();
    await store.set('value', 3);
    const opens = done().filter(({ operation, how }) => operation === 'open' && how === 'create');
    expect(opens).toHaveLength(2);
    expect(done().filter(({ operation }) => operation === 'read')).toEqual([]);
    expect(done().filter(({ operation }) => operation === 'rename')).toHaveLength(1);
    await store.close();
  });

  it('writes the image twice, into the log and into the file, and little else', async () => {
    const { store, done } = await opened();
    await store.set('value', 'x'.repeat(100_000));
    const bytes = done().reduce((sum, { operation, result }) => {
      return operation === 'write' ? sum + Number(result) : sum;
    }, 0);
    expect(bytes).toBeGreaterThan(200_000);
    expect(bytes).toBeLessThan(202_000);
    await store.close();
  });
});

describe('the head start of steps 4 and 5', () => {
  it('has four syncs under way at once, and renames after all of them', async () => {
    const disk = new MemoryFileSystem();
    const release: (() => void)[] = [];
    let isHeld = false;
    const held = { later: <T>(act: () => T) => hold().then(act) as Promise<Awaited<T>> };
    const hold = () =>
      isHeld ? new Promise<void>((resolve) => release.push(resolve)) : Promise.resolve();
    const fs = new RecordingFileSystem(syncsIn(held, disk));
    const store = await openCheckpointStore({ directory: '/store', audit: false, fileSystem: fs });
    for (const value of [1, 2]) await store.set('value', value);
    const start = fs.operations.length;
    isHeld = true;
    const saved = store.set('value', 3);
    const published = () =>
      fs.operations.slice(start).some(({ operation }) => operation === 'rename');
    for (let ended = 0; ended < 4; ended += 1) {
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      expect(release.length).toBe(4 - ended);
      expect(published()).toBe(false);
      // The last to end is that of the log, which was begun first.
      release.pop()?.();
    }
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    expect(published()).toBe(true);
    isHeld = false;
    for (const resume of release) resume();
    await saved;
    await store.close();
  });

  it('is made up for where the temporary file can not be written ahead', async () => {
    const { store, done, failing } = await opened();
    let left = 1;
    failing(({ operation, path }) => {
      if (operation !== 'write' || !isTemporary(path) || left === 0) return undefined;
      left -= 1;
      throw systemError('ENOSPC', 'write', path);
    });
    await store.set('value', 3);
    expect(store.text).toContain('value: 3');
    const { path } = done().find(({ state }) => state === 'failed') ?? {};
    expect(done().filter((one) => one.path === path && one.operation === 'unlink')).toHaveLength(1);
    await store.close();
  });

  it('is made up for where the predecessor can not be linked ahead', async () => {
    const { store, failing } = await opened();
    let left = 1;
    failing(({ operation, path }) => {
      if (operation !== 'link' || left === 0) return undefined;
      left -= 1;
      throw systemError('EIO', 'link', path);
    });
    await store.set('value', 3);
    failing(undefined);
    expect((await store.history()).map(({ sequence }) => sequence)).toContain(2);
    await store.close();
  });

  it('is not made while the lock is somebody else’s: nothing is written then but the log', async () => {
    const { store, fs, done } = await opened();
    fs.setHooks({
      after: ({ operation, path }) => {
        if (operation === 'size' && path.endsWith('.wal')) fs.unlink('/store/.checkpoint.lock');
      },
    });
    await expect(store.set('value', 3)).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(done().some(({ operation }) => operation === 'rename' || operation === 'link')).toBe(
      false,
    );
  });

  it('never syncs the history’s directory again after a failure that came with one of the log', async () => {
    const { store, failing, reopen } = await opened();
    let directories = 0;
    let logs = 0;
    failing(({ operation, path }) => {
      if (operation === 'syncDirectory' && path.endsWith('checkpoints')) {
        directories += 1;
        throw systemError('EIO', 'fsync', path);
      }
      if (operation === 'sync' && path.endsWith('.wal') && logs === 0) {
        logs += 1;
        throw systemError('EIO', 'fsync', path);
      }
      return undefined;
    });
    await expect(store.set('value', 3)).rejects.toMatchObject({
      code: 'SYNC_FAILED',
    });
    expect({ directories, state: store.state }).toMatchObject({ directories: 1 });
    await expect(store.set('value', 4)).rejects.toMatchObject({ code: 'HALTED' });
    expect(directories).toBe(1);
    failing(undefined);
    await store.close();
    const again = await reopen();
    expect(again.text).toMatch(/value: [23]/);
    await again.close();
  });
});
