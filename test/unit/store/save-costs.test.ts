/**
 * What one save costs in operations and bytes, exactly: what makes saves slower is seen here without a
 * clock. The order of the operations is in `docs/protocol.md`, whose test compares it.
 */
import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { openCheckpointStore } from '../../../src/store.js';

const COUNTED = ['open', 'read', 'write', 'sync', 'syncDirectory', 'rename', 'link', 'unlink'];
const lean = { audit: false, restore: false } as const;

/** The costs of the last of three like saves: what comes once, as the first entry in history, is over. */
async function costOfSave(text: string, options: object) {
  const fs = new RecordingFileSystem(new MemoryFileSystem());
  const store = await openCheckpointStore({ directory: '/store', fileSystem: fs, ...options });
  await store.saveText(text);
  for (const value of [1, 2]) await store.set('value', value);
  const start = fs.operations.length;
  await store.set('value', 3);
  const done = fs.operations.slice(start);
  await store.close();
  const names = done.map(({ operation }) => operation).filter((name) => COUNTED.includes(name));
  const counts = Object.fromEntries(
    COUNTED.map((name) => [name, names.filter((one) => one === name).length]),
  );
  const inFiles = done.filter(({ path }) => !path.includes('audit'));
  const bytesOf = (name: string) =>
    inFiles.reduce((sum, one) => sum + (one.operation === name ? Number(one.result) : 0), 0);
  return { ...counts, bytesRead: bytesOf('read'), bytesWritten: bytesOf('write') };
}

const textOf = (bytes: number) => `value: 0\nnote: ${'x'.repeat(bytes - 16)}\n`;

const published = {
  open: 3,
  read: 0,
  write: 3,
  sync: 2,
  syncDirectory: 3,
  rename: 1,
  link: 1,
  unlink: 1,
  bytesRead: 0,
};
describe('a save', () => {
  // Beside the image, which is in the log and in the file: the seal line in both, the log's header, frames.
  it.each([
    [1000, 795],
    [40_000, 1219],
  ])(
    'of %i bytes costs five syncs, one rename, its bytes twice and %i beside',
    async (bytes, more) => {
      const cost = await costOfSave(textOf(bytes), lean);
      expect(cost).toEqual({ ...published, bytesWritten: 2 * bytes + more });
    },
  );

  it('costs one write and one sync more for the audit', async () => {
    const cost = await costOfSave(textOf(1000), {});
    expect(cost).toMatchObject({ ...published, write: 4, sync: 3 });
  });
});

describe('a logged save', () => {
  it.each([1000, 40_000, 1_000_000])(
    'of a state of %i bytes costs one sync and 1,024 bytes, whatever its size',
    async (bytes) => {
      const cost = await costOfSave(textOf(bytes), { ...lean, publish: {} });
      expect(cost).toEqual({
        open: 0,
        read: 0,
        write: 2,
        sync: 1,
        syncDirectory: 0,
        rename: 0,
        link: 0,
        unlink: 0,
        bytesRead: 0,
        bytesWritten: 1024,
      });
    },
  );

  it('costs two writes and one sync more for the audit', async () => {
    const cost = await costOfSave(textOf(1000), { publish: {} });
    expect(cost).toMatchObject({ open: 0, read: 0, write: 4, sync: 2, syncDirectory: 0 });
  });
});
