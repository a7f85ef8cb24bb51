/**
 * Artifacts of a store: which list is sealed with which checkpoint, in which order saves come that have
 * to wait for reading, and what fails without a trace.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sha256Hex } from '../../../src/format/bytes.js';
import { readSeal } from '../../../src/format/seal.js';
import type { FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';
import { DIRECTORY, writeFile } from '../../helpers/history-filler.js';

type Options = Partial<CheckpointStoreOptions<undefined>>;
const BIG = new Uint8Array(3 * 1024 * 1024).fill(7);

function files(): MemoryFileSystem {
  const fs = new MemoryFileSystem();
  fs.makeDirectory(DIRECTORY);
  fs.makeDirectory(`${DIRECTORY}/out`);
  writeFile(fs, `${DIRECTORY}/a.txt`, 'a');
  writeFile(fs, `${DIRECTORY}/b.txt`, 'bb');
  writeFile(fs, `${DIRECTORY}/out/big.bin`, BIG);
  return fs;
}

const open = (fileSystem: FileSystem, options: Options = {}) =>
  openCheckpointStore<Record<string, unknown>>({
    directory: DIRECTORY,
    fileSystem,
    ...options,
  } as CheckpointStoreOptions<undefined>);

function sealOf(fs: FileSystem) {
  const handle = fs.open(`${DIRECTORY}/ORCHESTRATION.yaml`, 'read');
  const bytes = new Uint8Array(handle.size());
  handle.read(bytes, 0);
  handle.close();
  const reading = readSeal(bytes);
  if (reading.kind !== 'sealed') throw new TypeError(`the checkpoint is ${reading.kind}`);
  return reading;
}

const pathsIn = (fs: FileSystem) => sealOf(fs).artifacts.map(({ path }) => path);

describe('a save that names artifacts', () => {
  it('is sealed with their sizes and digests, in the order of the list', async () => {
    const fs = files();
    const store = await open(fs);
    await store.save({ v: 1 }, { artifacts: ['out/big.bin', 'a.txt'] });
    expect(sealOf(fs).artifacts).toEqual([
      { path: 'out/big.bin', size: BIG.length, sha256: sha256Hex(BIG) },
      { path: 'a.txt', size: 1, sha256: sha256Hex(new TextEncoder().encode('a')) },
    ]);
    await store.save({ v: 2 });
    expect(pathsIn(fs)).toEqual(['out/big.bin', 'a.txt']);
    expect((await store.history()).map(({ artifacts }) => artifacts)).toEqual([2, 2]);
    expect((await store.readCheckpoint(1)).artifacts).toEqual(sealOf(fs).artifacts);
    await store.save({ v: 3 }, { artifacts: [] });
    expect(pathsIn(fs)).toEqual([]);
    await store.close();
  });

  it('records them as they are when it is asked for, and comes before saves that are asked for later', async () => {
    const fs = files();
    const store = await open(fs);
    const first = store.set('v', 1, { artifacts: ['a.txt', 'out/big.bin'] });
    const second = store.set('w', 2);
    const third = store.update((draft) => ({ ...draft, x: 3 }), { artifacts: ['b.txt'] });
    const closing = store.close();
    const sequences = (await Promise.all([first, second, third])).map(({ sequence }) => sequence);
    expect(sequences).toEqual([1, 2, 3]);
    await closing;
    expect(sealOf(fs)).toMatchObject({
      text: 'v: 1\nw: 2\nx: 3\n',
      artifacts: [{ path: 'b.txt' }],
    });
  });

  it('is taken with the newest list where several are published together', async () => {
    const fs = files();
    const store = await open(slowSyncs(fs));
    await store.save({ v: 0 });
    const saves = [
      store.set('v', 1),
      store.set('v', 2, { artifacts: [] }),
      store.set('v', 3, { artifacts: ['b.txt'] }),
      store.set('v', 4),
    ];
    await Promise.all(saves);
    expect(sealOf(fs)).toMatchObject({ text: 'v: 4\n', artifacts: [{ path: 'b.txt' }] });
    await store.close();
  });

  it('saves nothing if one is missing or outside, and later saves go on', async () => {
    const fs = files();
    const store = await open(fs);
    const missing = store.set('v', 1, { artifacts: ['a.txt', 'no.txt'] });
    const outside = store.set('v', 2, { artifacts: ['../secret'] });
    const good = store.set('w', 3, { artifacts: ['a.txt'] });
    await expect(missing).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    await expect(outside).rejects.toMatchObject({ code: 'ARTIFACT_OUTSIDE_ROOT' });
    await expect(store.set('v', 4, { artifacts: 'a.txt' as never })).rejects.toThrow(TypeError);
    await expect(store.set('v', 4, { artifacts: [5] as never })).rejects.toThrow(TypeError);
    await good;
    expect(sealOf(fs)).toMatchObject({ sequence: 1, text: 'w: 3\n' });
    await store.close();
  });

  it('can be given up while they are read', async () => {
    const fs = files();
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    const store = await open(fs, { artifacts: { onProgress } });
    const saving = store.set('v', 1, { artifacts: ['out/big.bin'], signal: abort.signal });
    await expect(saving).rejects.toThrow('enough');
    await store.set('w', 2);
    expect(sealOf(fs)).toMatchObject({ sequence: 1, text: 'w: 2\n', artifacts: [] });
    await store.close();
  });

  it('takes them from another root, if the store has one', async () => {
    const fs = files();
    fs.makeDirectory('/elsewhere');
    writeFile(fs, '/elsewhere/c.txt', 'ccc');
    const store = await open(fs, { artifacts: { root: '/elsewhere' } });
    await store.set('v', 1, { artifacts: ['c.txt'] });
    expect(sealOf(fs).artifacts).toMatchObject([{ path: 'c.txt', size: 3 }]);
    await expect(store.set('v', 1, { artifacts: ['a.txt'] })).rejects.toMatchObject({
      code: 'ARTIFACT_MISSING',
    });
    await store.close();
  });
});

describe('a function that finds artifacts', () => {
  const find = (state: unknown) => (state as { files?: string[] }).files ?? [];

  it('is asked about the state that is published, once for a round', async () => {
    const fs = files();
    const asked: unknown[] = [];
    const counting = (state: unknown) => {
      asked.push(state);
      return find(state);
    };
    const store = await open(slowSyncs(fs), { artifacts: { find: counting } });
    await store.save({ files: ['a.txt'] });
    await Promise.all([
      store.set('v', 1),
      store.set('files', ['no.txt']),
      store.set('files', ['b.txt', 'out/big.bin']),
    ]);
    expect(pathsIn(fs)).toEqual(['b.txt', 'out/big.bin']);
    expect(asked).toHaveLength(3);
    expect(asked.at(-1)).toEqual({ files: ['b.txt', 'out/big.bin'], v: 1 });
    await store.delete('files');
    expect(pathsIn(fs)).toEqual([]);
    await store.close();
  });

  it('does not count where a save names artifacts itself', async () => {
    const fs = files();
    const store = await open(fs, { artifacts: { find } });
    await store.save({ files: ['a.txt'] }, { artifacts: ['b.txt'] });
    expect(pathsIn(fs)).toEqual(['b.txt']);
    await store.save({ files: ['a.txt'] }, { artifacts: [] });
    expect(pathsIn(fs)).toEqual([]);
    await store.close();
  });

  it('gets the state as the schema makes it', async () => {
    const fs = files();
    const schema = z.object({ name: z.string().transform((name) => `${name}.txt`) });
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: fs,
      schema,
      artifacts: { find: (state) => [(state as { name: string }).name] },
    });
    await store.save({ name: 'a' });
    expect(pathsIn(fs)).toEqual(['a.txt']);
    await store.close();
  });

  it.each([
    ['that is missing', () => ['no.txt'], { code: 'ARTIFACT_MISSING' }],
    ['that is outside', () => ['/etc/passwd'], { code: 'ARTIFACT_OUTSIDE_ROOT' }],
    ['that is no path', () => [7] as never, { code: 'WRITE_FAILED' }],
    [
      'by throwing',
      () => {
        throw new Error('bad finder');
      },
      { message: expect.stringContaining('bad finder') },
    ],
  ])(
    'fails the save with an artifact %s, and leaves nothing behind',
    async (_name, bad, expected) => {
      const fs = files();
      let isBad = true;
      const store = await open(fs, {
        artifacts: { find: (state) => (isBad ? bad() : find(state)) },
      });
      await expect(store.save({ v: 1 })).rejects.toMatchObject(expected);
      await expect(store.save({ v: 1 })).rejects.toMatchObject({
        details: { outcome: 'notSaved' },
      });
      expect(fs.list(DIRECTORY)).not.toContain('ORCHESTRATION.yaml');
      expect(fs.list(DIRECTORY)).not.toContain('.checkpoint.wal');
      expect(store.state).toBeUndefined();
      isBad = false;
      await store.save({ files: ['a.txt'] });
      expect(pathsIn(fs)).toEqual(['a.txt']);
      await store.close();
    },
  );
});

describe('verifyArtifacts()', () => {
  it('compares those of the newest checkpoint, or of one in history, with the disk', async () => {
    const fs = files();
    const store = await open(fs);
    await store.save({ v: 1 }, { artifacts: ['a.txt', 'b.txt'] });
    await store.save({ v: 2 }, { artifacts: ['b.txt'] });
    expect(await store.verifyArtifacts()).toMatchObject([{ path: 'b.txt', state: 'intact' }]);
    fs.unlink(`${DIRECTORY}/a.txt`);
    expect(await store.verifyArtifacts(1)).toMatchObject([
      { path: 'a.txt', state: 'missing' },
      { path: 'b.txt', state: 'intact' },
    ]);
    await expect(store.verifyArtifacts(9)).rejects.toMatchObject({ code: 'NOT_IN_HISTORY' });
  });

  it('finds none in a new store, and none of a file that no store has saved', async () => {
    const fs = files();
    writeFile(fs, `${DIRECTORY}/ORCHESTRATION.yaml`, 'v: 1\n');
    const store = await open(fs);
    expect([store.sequence, await store.verifyArtifacts()]).toEqual([1, []]);
    await expect(store.readCheckpoint(1)).rejects.toThrow('has not been saved by a store');
    await store.close();
    const empty = await openCheckpointStore({
      directory: '/new',
      fileSystem: new MemoryFileSystem(),
    });
    expect(await empty.verifyArtifacts()).toEqual([]);
  });
});
