import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../../src/index.js';
import { failNth } from '../../../src/io/fault-rules.js';
import { misdirect } from '../../../src/io/faults.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';

const TARGET = '/store/ORCHESTRATION.yaml';
const OLDER = '/store/checkpoints/000000000001.ORCHESTRATION.yaml';
const LOG = '/store/.checkpoint.wal';
const settings = { directory: '/store', audit: false } as const;
const notes = `notes: ${'x'.repeat(50_000)}\n`;

/** The disk of a store that was closed, with one checkpoint of 50 KB. */
async function closed(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const store = await openCheckpointStore({ ...settings, fileSystem: disk });
  await store.saveText(`v: 1\n${notes}`);
  await store.close();
  return disk;
}

/** A sealed log, whose save was never published: the rename failed, and the process has ended. */
async function logged(): Promise<MemoryFileSystem> {
  const disk = await closed();
  const fs = new RecordingFileSystem(disk);
  const store = await openCheckpointStore({ ...settings, fileSystem: fs });
  fs.setHooks({
    before: ({ operation, path, to }) => {
      if (operation === 'rename' && to === TARGET) throw systemError('EIO', 'rename', path);
      return undefined;
    },
  });
  await store.set('v', 2, { durability: 'logged' });
  await expect(store.set('v', 3)).rejects.toMatchObject({ code: 'HALTED' });
  await store.close();
  return disk;
}

/** How often each file is read while the store is opened. */
async function readsOfOpening(disk: MemoryFileSystem) {
  const fs = new RecordingFileSystem(disk);
  const store = await openCheckpointStore({ ...settings, fileSystem: fs });
  const reads = (path: string) =>
    fs.operations.filter(
      (one) => one.operation === 'open' && one.how === 'read' && one.path === path,
    ).length;
  const found = { target: reads(TARGET), log: reads(LOG) };
  const { text } = store;
  const bytesWritten = fs.operations.reduce(
    (sum, { operation, result }) => (operation === 'write' ? sum + Number(result) : sum),
    0,
  );
  await store.close();
  return { ...found, text, bytesWritten };
}

describe('what recovery decides on', () => {
  it('is read twice, also where its seal verifies: an older checkpoint would as well', async () => {
    expect(await readsOfOpening(await closed())).toMatchObject({ target: 2, log: 0 });
  });

  it('is not an older checkpoint that the disk gave once in its place', async () => {
    const disk = await closed();
    const store = await openCheckpointStore({ ...settings, fileSystem: disk });
    await store.set('v', 2);
    await store.close();
    const once = failNth({ path: TARGET }, misdirect({ from: OLDER }));
    const fs = new FaultyFileSystem(disk, once);
    const again = await openCheckpointStore({ ...settings, fileSystem: fs });
    expect(again.sequence).toBe(2);
    expect(again.text).toContain('v: 2');
    await again.close();
  });

  it('is read twice as a log, and the image is written once', async () => {
    const found = await readsOfOpening(await logged());
    expect(found.log).toBe(2);
    expect(found.text).toContain('v: 2');
    expect(found.bytesWritten).toBeGreaterThan(50_000);
    expect(found.bytesWritten).toBeLessThan(52_000);
  });
});
