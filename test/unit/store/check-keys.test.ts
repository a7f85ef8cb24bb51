/**
 * Options that don't exist are refused with their name, wherever options are taken.
 */
import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { openCheckpointStores } from '../../../src/store/checkpoint-stores.js';
import { fileCheckpointIo } from '../../../src/store/embedded-io.js';
import { openCheckpointStore } from '../../../src/store.js';

const DIRECTORY = '/orchestration';

describe('an option that does not exist', () => {
  it.each([
    [
      { maxCheckpoint: 3 },
      'openCheckpointStore() takes no option maxCheckpoint; is it maxCheckpoints?',
    ],
    [{ Schema: undefined }, 'is it schema?'],
    [{ extrenalEdits: 'reject' }, 'is it externalEdits?'],
    [{ treshold: 3 }, 'takes no option treshold; there are directory, io, file'],
    [{ restore: { treshold: 3 } }, 'restore.treshold is no option; there are mode, threshold'],
    [
      { audit: { fsync: 'off' } },
      'audit of openCheckpointStore() takes no option fsync; is it sync?',
    ],
    [{ artifacts: { roots: '/a' } }, 'is it root?'],
    [{ limits: { depth: 3 } }, 'limits of openCheckpointStore() takes no option depth; there are'],
    [{ inspector: { content: false } }, 'is it contents?'],
  ])('is refused when a store is opened, and nothing is made: %j', async (wrong, message) => {
    const fileSystem = new MemoryFileSystem();
    const options = { directory: DIRECTORY, fileSystem, ...wrong };
    const opening = openCheckpointStore(options as never);
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.toThrow(message);
    expect(fileSystem.list('/')).toEqual([]);
  });

  it('is refused by fileCheckpointIo() and openCheckpointStores(), each in its own name', async () => {
    const wrong = { directory: DIRECTORY, durabilty: 'logged' };
    expect(() => fileCheckpointIo(wrong)).toThrow(
      'fileCheckpointIo() takes no option durabilty; is it durability?',
    );
    const fileSystem = new MemoryFileSystem();
    const many = { fileSystem, maxopen: 3 };
    await expect(openCheckpointStores('/stores', many)).rejects.toThrow(
      'openCheckpointStores() takes no option maxopen; is it maxOpen?',
    );
    const stores = await openCheckpointStores('/stores', {
      fileSystem,
      optionsFor: () => ({ loger: console }) as object,
    });
    await expect(stores.open('a')).rejects.toThrow('takes no option loger; is it logger?');
  });

  it('is refused by every call that saves, and nothing is saved', async () => {
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: new MemoryFileSystem(),
    });
    const wrong = { label: 'x', pin: true };
    const calls = {
      save: store.save({ v: 1 }, wrong),
      saveText: store.saveText('v: 1\n', wrong),
      set: store.set('v', 1, wrong),
      delete: store.delete('v', wrong),
      update: store.update(() => ({ v: 1 }), wrong),
    };
    for (const [name, call] of Object.entries(calls)) {
      await expect(call).rejects.toThrow(`${name}() takes no option pin; is it pinned?`);
      await expect(call).rejects.toThrow(TypeError);
    }
    expect([store.sequence, store.text]).toEqual([0, undefined]);
    expect(await store.save({ v: 1 }, { label: 'x', pinned: true })).toMatchObject({ sequence: 1 });
    await store.close();
  });

  it('is none of those for tests, which are not told either', async () => {
    const internal = { around: undefined, random: undefined };
    const directory = { directory: DIRECTORY, fileSystem: new MemoryFileSystem() };
    await (await openCheckpointStore({ ...directory, ...internal })).close();
    const opening = openCheckpointStore(Object.assign({ ...directory }, { zzz: 1 }));
    await expect(opening).rejects.toThrow(/^(?!.*around).* takes no option zzz; there are /);
  });
});
