/**
 * What a store seals beside the text: time, label, pin and artifacts, and what becomes of them.
 */
import { describe, expect, it } from 'vitest';
import { readSeal, sealText } from '../../../src/format/seal.js';
import type { FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';

const DIRECTORY = '/orchestration';
const TARGET = `${DIRECTORY}/ORCHESTRATION.yaml`;
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const PLAN = { path: 'plan.md', size: 3, sha256: 'ab'.repeat(32) };

function open(fileSystem: FileSystem, options: Partial<CheckpointStoreOptions<undefined>> = {}) {
  const clock = { now: () => NOW_MS };
  return openCheckpointStore({
    directory: DIRECTORY,
    fileSystem,
    clock,
    schema: undefined,
    ...options,
  });
}

function bytesOf(fs: MemoryFileSystem, path: string): Uint8Array {
  const handle = fs.open(path, 'read');
  const bytes = new Uint8Array(handle.size());
  handle.read(bytes, 0);
  handle.close();
  return bytes;
}

function write(fs: MemoryFileSystem, text: string | Uint8Array): void {
  const handle = fs.stat(TARGET) ? fs.open(TARGET, 'readWrite') : fs.open(TARGET, 'create');
  handle.truncate(0);
  handle.write(typeof text === 'string' ? new TextEncoder().encode(text) : text, 0);
  handle.close();
}

const sealOf = (fs: MemoryFileSystem, path = TARGET) => readSeal(bytesOf(fs, path));
const entry = (sequence: number) =>
  `${DIRECTORY}/checkpoints/${String(sequence).padStart(12, '0')}.ORCHESTRATION.yaml`;

describe('a saved checkpoint', () => {
  it('carries its time, label and pin, also as a history entry', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 }, { label: 'after "review"\n', pinned: true });
    const first = {
      kind: 'sealed',
      sequence: 1,
      timeMs: NOW_MS,
      label: 'after "review"\n',
      pinned: true,
    };
    expect(sealOf(fs)).toMatchObject(first);
    await store.save({ v: 2 });
    expect(sealOf(fs)).not.toHaveProperty('label');
    expect(sealOf(fs)).not.toHaveProperty('pinned');
    expect(sealOf(fs, entry(1))).toMatchObject(first);
    await store.close();
  });

  it('has the newest label of a round, and is pinned if that one is', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(slowSyncs(fs));
    await Promise.all([
      store.save({ v: 0 }),
      store.save({ v: 1 }, { label: 'a', pinned: true }),
      store.save({ v: 2 }, { label: 'b' }),
      store.save({ v: 3 }),
    ]);
    expect(sealOf(fs)).toMatchObject({ sequence: 2, label: 'b', text: 'v: 3\n' });
    expect(sealOf(fs)).not.toHaveProperty('pinned');
    await store.close();
  });

  it('refuses a pin without a label, and labels that no line can carry', async () => {
    const store = await open(new MemoryFileSystem());
    await expect(store.save({}, { pinned: true })).rejects.toThrow(TypeError);
    await expect(store.save({}, { label: 'x', pinned: 1 as never })).rejects.toThrow(TypeError);
    await expect(store.save({}, { label: '\uD800' })).rejects.toThrow(TypeError);
    await expect(store.save({}, { label: 'é'.repeat(513) })).rejects.toThrow(TypeError);
    await store.save({}, { label: '\u0001'.repeat(1024), pinned: false });
    await store.close();
  });

  it.each([
    ['before 1970', -5, 0],
    ['with a fraction', 1.75, 1],
    ['that is no number', Number.NaN, 0],
    ['beyond the year 9999', 1e300, 253_402_300_799_999],
  ])('is sealed by a clock %s', async (_name, now, timeMs) => {
    const fs = new MemoryFileSystem();
    const store = await open(fs, { clock: { now: () => now } });
    await store.save({ v: 1 });
    expect(sealOf(fs)).toMatchObject({ kind: 'sealed', timeMs });
    await store.close();
  });
});

describe('the artifacts of a checkpoint', () => {
  const withArtifacts = () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    write(fs, sealText('v: 1\n', { sequence: 7, epoch: 1, artifacts: [PLAN] }));
    return fs;
  };

  it('are taken over by a save that names none', async () => {
    const fs = withArtifacts();
    const store = await open(fs);
    await store.save({ v: 2 });
    expect(sealOf(fs)).toMatchObject({ sequence: 8, text: 'v: 2\n', artifacts: [PLAN] });
    await store.close();
  });

  it('are taken over by an edit that is adopted, whatever became of their lines', async () => {
    const fs = withArtifacts();
    const store = await open(fs);
    write(fs, 'v: 3\n');
    await store.set('w', 1);
    expect(sealOf(fs, entry(8))).toMatchObject({ text: 'v: 3\n', artifacts: [PLAN] });
    expect(sealOf(fs)).toMatchObject({ text: 'v: 3\nw: 1\n', artifacts: [PLAN] });
    await store.close();
    write(fs, 'v: 4\n');
    const again = await open(fs);
    await again.set('w', 2);
    expect(sealOf(fs)).toMatchObject({ text: 'v: 4\nw: 2\n', artifacts: [PLAN] });
    await again.close();
  });

  it('come with a sealed copy that somebody put in the place of the checkpoint', async () => {
    const fs = withArtifacts();
    const store = await open(fs);
    write(fs, sealText('v: 9\n', { sequence: 3, epoch: 1 }));
    await store.set('w', 1);
    expect(sealOf(fs)).toMatchObject({ text: 'v: 9\nw: 1\n', artifacts: [] });
    await store.close();
  });

  it('come back with a checkpoint that is restored from history', async () => {
    const fs = withArtifacts();
    const store = await open(fs);
    await store.save({ v: 2 });
    await store.close();
    write(fs, '');
    const again = await open(fs);
    expect(sealOf(fs)).toMatchObject({ label: 'restored from 8', artifacts: [PLAN] });
    await again.close();
  });
});

describe('an edit that is adopted', () => {
  it('goes into history with the time of its last change, without a label', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 }, { label: 'first', pinned: true });
    write(fs, 'v: 2\n');
    const changedMs = Math.floor(fs.stat(TARGET)?.modifiedMs ?? 0);
    await store.set('w', 1);
    expect(sealOf(fs, entry(2))).toMatchObject({ kind: 'sealed', timeMs: changedMs });
    expect(sealOf(fs, entry(2))).not.toHaveProperty('label');
    expect(sealOf(fs, entry(2))).not.toHaveProperty('pinned');
    await store.close();
  });
});
