/**
 * Lets every single I/O operation of a save fail once, in every way that operation can, and checks
 * what the caller was told against what the disk holds, now and after the next open.
 */
import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { type RecordedOperation, RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { systemError } from '../../src/io/system-error.js';
import type { Durability } from '../../src/machines/checkpoint-messages.js';
import { leftovers, open, rawCheckpoint } from '../helpers/crash-memory.js';

type Fault = 'EIO' | 'ENOSPC' | 'EACCES' | 'half' | 'nothing' | 'done but EIO';
const faults: Fault[] = ['EIO', 'ENOSPC', 'EACCES', 'half', 'nothing', 'done but EIO'];

/** Applies the fault to the nth operation from now on. */
function failNth(
  fs: RecordingFileSystem,
  nth: number,
  fault: Fault,
): () => RecordedOperation | undefined {
  const start = fs.operations.length;
  let hit: RecordedOperation | undefined;
  const isIt = ({ index }: RecordedOperation) => index === start + nth;
  fs.setHooks({
    before: (operation) => {
      if (!isIt(operation)) return undefined;
      hit = operation;
      if (fault === 'done but EIO') return undefined;
      if (fault === 'half' || fault === 'nothing') {
        if (operation.operation !== 'write') return undefined;
        return { bytes: fault === 'half' ? Math.floor((operation.bytes ?? 0) / 2) : 0 };
      }
      throw systemError(fault, operation.operation, operation.path);
    },
    after: (operation) => {
      if (isIt(operation) && fault === 'done but EIO') {
        throw systemError('EIO', operation.operation, operation.path);
      }
    },
  });
  return () => hit;
}

async function prepared() {
  const disk = new MemoryFileSystem();
  const fs = new RecordingFileSystem(disk);
  const store = await open(fs);
  await store.saveText('v: 1 # first\n');
  await store.set('v', 2);
  return { disk, fs, store };
}

async function operationsOfASave(durability: Durability): Promise<number> {
  const { fs, store } = await prepared();
  const before = fs.operations.length;
  await store.set('v', 3, { durability });
  await new Promise((resolve) => setImmediate(resolve));
  return fs.operations.length - before;
}

async function failing(nth: number, fault: Fault, durability: Durability): Promise<void> {
  const { disk, fs, store } = await prepared();
  const old = rawCheckpoint(disk);
  const hit = failNth(fs, nth, fault);
  const outcome = await store.set('v', 3, { durability }).then(
    ({ sequence }) => ({ sequence }),
    (error: unknown) => ({ error }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  fs.setHooks({});
  const where = `${fault} in ${hit()?.operation} of ${hit()?.path} (${nth}), ${durability}`;
  const promised = !('error' in outcome);
  if ('error' in outcome) {
    expect(outcome.error, where).toBeInstanceOf(CheckpointError);
    const { details } = outcome.error as CheckpointError;
    expect(['notSaved', 'unknown', 'published'], where).toContain(details.outcome);
    if (details.outcome === 'notSaved') expect(rawCheckpoint(disk), where).toBe(old);
  }
  const next = await store.set('v', 4).then(
    () => 'saved',
    (error: CheckpointError) => error.code,
  );
  expect(['saved', 'HALTED'], where).toContain(next);
  if ('error' in outcome && (outcome.error as CheckpointError).details.outcome === 'notSaved') {
    expect(next, where).toBe('saved');
  }
  await store.close();
  // A close that never reaches the system, or an open that fails after it was done, leaves a
  // descriptor that nobody can close.
  const unclosed = ['close', 'open'].includes(hit()?.operation ?? '') ? 1 : 0;
  expect(disk.openHandles(), where).toBeLessThanOrEqual(unclosed);
  const again = await open(disk);
  const found = again.text;
  if (next === 'saved') expect(found, where).toBe('v: 4 # first\n');
  else if (promised) expect(found, where).toBe('v: 3 # first\n');
  else expect(['v: 2 # first\n', 'v: 3 # first\n'], where).toContain(found);
  await again.set('v', 5);
  await again.close();
  expect(leftovers(disk), where).toEqual([]);
}

describe.each(['committed', 'logged'] as const)('a save acknowledged when %s', (durability) => {
  it.each(faults)('tells the truth when any one operation fails with %s', async (fault) => {
    const count = await operationsOfASave(durability);
    expect(count).toBeGreaterThan(25);
    for (let nth = 0; nth < count; nth += 1) await failing(nth, fault, durability);
  });
});

describe('a save while syncs keep failing', () => {
  it.each([
    ['sync', '.checkpoint.wal'],
    ['sync', '.tmp'],
    ['syncDirectory', '/state'],
  ])('halts and is found whole or not at all: %s of %s', async (operation, path) => {
    const { disk, fs, store } = await prepared();
    fs.setHooks({
      before: (candidate) => {
        if (candidate.operation === operation && candidate.path.includes(path)) {
          throw systemError('EIO', operation, candidate.path);
        }
        return undefined;
      },
    });
    await expect(store.set('v', 3)).rejects.toMatchObject({ code: 'SYNC_FAILED' });
    await expect(store.set('v', 4)).rejects.toMatchObject({ code: 'HALTED' });
    fs.setHooks({});
    await store.close();
    const again = await open(disk);
    expect(['v: 2 # first\n', 'v: 3 # first\n']).toContain(again.text);
    await again.close();
  });

  it('never syncs a descriptor again whose sync failed', async () => {
    const { fs, store } = await prepared();
    const failed = new Set<string>();
    let opened = 0;
    const current = new Map<string, string>();
    fs.setHooks({
      before: ({ operation, path }) => {
        if (operation === 'open') {
          opened += 1;
          current.set(path, `${path}#${opened}`);
        }
        if (operation !== 'sync') return undefined;
        const file = current.get(path) ?? path;
        expect(failed).not.toContain(file);
        failed.add(file);
        throw systemError('EIO', 'fsync', path);
      },
    });
    await expect(store.set('v', 3)).rejects.toMatchObject({ code: 'SYNC_FAILED' });
    // A log and a temporary file for each of three tries.
    expect(failed.size).toBe(6);
  });
});
