/**
 * What a recovery from a sealed log costs in operations, bytes and digests, exactly: what makes it slower is
 * seen here without a clock. Why everything is read twice: `docs/recovery.md`.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import {
  type RecordedOperation,
  RecordingFileSystem,
} from '../../../src/io/recording-file-system.js';
import { openCheckpointStore } from '../../../src/store.js';

const TARGET = '/store/ORCHESTRATION.yaml';
const LOG = '/store/.checkpoint.wal';
const ENTRY = '/store/checkpoints/000000000001.ORCHESTRATION.yaml';
const lean = { directory: '/store', audit: false, restore: false } as const;
const textOf = (value: number, bytes: number) =>
  `value: ${value}\nnote: ${'x'.repeat(bytes - 16)}\n`;
const sizeOf = (disk: MemoryFileSystem, path: string) => {
  const found = disk.snapshot()[path];
  return found?.kind === 'file' ? found.content.length : 0;
};

/** The disk as it is when the second save is about to be given its name. */
async function killedBeforeRename(bytes: number): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const fs = new RecordingFileSystem(disk);
  const store = await openCheckpointStore({ ...lean, fileSystem: fs });
  await store.saveText(textOf(1, bytes));
  let killed: MemoryFileSystem | undefined;
  fs.setHooks({
    before: ({ operation, to }) => {
      if (operation === 'rename' && to === TARGET) killed = disk.clone();
      return undefined;
    },
  });
  await store.saveText(textOf(2, bytes));
  await store.close();
  if (killed === undefined) throw new Error('nothing was renamed');
  return killed;
}

async function recover(disk: MemoryFileSystem) {
  const fs = new RecordingFileSystem(disk);
  const store = await openCheckpointStore({ ...lean, fileSystem: fs });
  expect(store.recovery.decisions.map(({ label }) => label)).toEqual([
    'wal-apply',
    'checkpoint-intact',
  ]);
  return { operations: fs.operations.slice(), store };
}

const bytesRead = (operations: readonly RecordedOperation[], file: string) =>
  operations
    .filter(({ operation, path }) => operation === 'read' && path === file)
    .reduce((sum, { result }) => sum + Number(result), 0);

const prototype = Object.getPrototypeOf(crypto.createHash('sha256')) as crypto.Hash;
const { hash } = crypto;
const { update } = prototype;

/** Counts the bytes that go into digests from now on. */
function countHashed(): () => number {
  let hashed = 0;
  const counting = <Call extends object>(call: Call, dataAt: number): Call =>
    new Proxy(call, {
      apply(target, self, values: unknown[]) {
        const data = values[dataAt];
        hashed += Buffer.byteLength(data as string | Uint8Array);
        return Reflect.apply(target as (...all: unknown[]) => unknown, self, values);
      },
    });
  crypto.hash = counting(hash, 1);
  prototype.update = counting(update, 0);
  syncBuiltinESMExports();
  return () => hashed;
}

afterEach(() => {
  crypto.hash = hash;
  prototype.update = update;
  syncBuiltinESMExports();
});

describe('a recovery that applies a log', () => {
  it.each([1000, 40_000, 1_000_000])(
    'of %i bytes reads the log twice, the file twice and the new one once, and no second name of it',
    async (bytes) => {
      const disk = await killedBeforeRename(bytes);
      const [log, file] = [sizeOf(disk, LOG), sizeOf(disk, TARGET)];
      const { operations, store } = await recover(disk);
      const image = sizeOf(disk, TARGET);
      expect(bytesRead(operations, LOG)).toBe(2 * log);
      expect(bytesRead(operations, TARGET)).toBe(2 * file + image);
      expect(bytesRead(operations, ENTRY)).toBe(0);
      const written = operations.filter(({ operation }) => operation === 'write');
      expect(written.map(({ result }) => result)).toEqual([image]);
      await store.close();
    },
  );

  it('makes 63 operations, whatever the size: three syncs of directories and one of the file', async () => {
    const { operations, store } = await recover(await killedBeforeRename(40_000));
    const count = (name: string) => operations.filter(({ operation }) => operation === name).length;
    expect(operations).toHaveLength(63);
    expect([count('syncDirectory'), count('sync'), count('open')]).toEqual([3, 1, 7]);
    await store.close();
  });

  it('hashes the image in the log once and the file that it replaces once', async () => {
    const disk = await killedBeforeRename(1_000_000);
    const file = sizeOf(disk, TARGET);
    const hashed = countHashed();
    const { store } = await recover(disk);
    expect(hashed()).toBe(file + sizeOf(disk, TARGET));
    await store.close();
  });
});

describe('a recovery of what was published already', () => {
  it('hashes the image in the log once and the file once', async () => {
    const disk = await killedBeforeRename(1_000_000);
    const { store } = await recover(disk.clone());
    await store.close();
    const fs = new RecordingFileSystem(disk);
    let published: MemoryFileSystem | undefined;
    fs.setHooks({
      before: ({ operation, path }) => {
        if (operation === 'unlink' && path === LOG) published = disk.clone();
        return undefined;
      },
    });
    await (await openCheckpointStore({ ...lean, fileSystem: fs })).close();
    if (published === undefined) throw new Error('the log was not deleted');
    const hashed = countHashed();
    const again = await openCheckpointStore({ ...lean, fileSystem: published });
    expect(again.recovery.decisions[0]?.label).toBe('wal-applied');
    expect(hashed()).toBe(2 * sizeOf(published, TARGET));
    await again.close();
  });
});
