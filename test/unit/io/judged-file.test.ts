import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';

const TARGET = '/store/ORCHESTRATION.yaml';
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

describe('a file that its checksum proves', () => {
  it('is read once when a store is opened', async () => {
    expect(await readsOfOpening(await closed())).toMatchObject({ target: 1, log: 0 });
  });

  it('is read once more when nothing proves it: two reads must agree', async () => {
    const disk = await closed();
    const handle = disk.open(TARGET, 'readWrite');
    handle.write(new TextEncoder().encode('v: 7'), 0);
    handle.close();
    const { target, text } = await readsOfOpening(disk);
    expect(target).toBe(2);
    expect(text).toContain('v: 7');
  });

  it('is read once as a log, the checkpoint before and after, and the image is written once', async () => {
    const found = await readsOfOpening(await logged());
    expect(found).toMatchObject({ target: 2, log: 1 });
    expect(found.text).toContain('v: 2');
    expect(found.bytesWritten).toBeGreaterThan(50_000);
    expect(found.bytesWritten).toBeLessThan(52_000);
  });

  it('is read again as a log that is not whole: nothing is discarded for one bad read', async () => {
    const disk = await logged();
    const size = disk.stat(LOG)?.size ?? 0;
    const handle = disk.open(LOG, 'readWrite');
    handle.truncate(size - 1000);
    handle.close();
    expect(await readsOfOpening(disk)).toMatchObject({ log: 2 });
  });
});
