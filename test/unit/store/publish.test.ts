import { describe, expect, it } from 'vitest';
import { SimulatedClock } from 'xstate';
import { scanWal } from '../../../src/format/wal-scanner.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import {
  type RecordedOperation,
  RecordingFileSystem,
} from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';
import type { CheckpointStoreOptions } from '../../../src/store/store-options.js';
import {
  editInPlace,
  leftovers,
  open,
  published,
  rawCheckpoint,
} from '../../helpers/crash-memory.js';

type Options = Partial<CheckpointStoreOptions<undefined>>;

/** A store whose saves wait, on a disk whose operations are recorded, under a clock that stands still. */
async function waiting(publish: CheckpointStoreOptions['publish'], options: Options = {}) {
  const disk = new MemoryFileSystem();
  const fs = new RecordingFileSystem(disk);
  const clock = new SimulatedClock();
  const store = await open(fs, {
    publish,
    clock: {
      now: () => 1_700_000_000_000 + clock.now(),
      setTimeout: (action, afterMs) => clock.setTimeout(action, afterMs),
      clearTimeout: (id) => clock.clearTimeout(id as number),
    },
    ...options,
  });
  await store.set('count', 0);
  await store.flush();
  return { disk, fs, store, clock };
}

/** Lets what was begun go on until it waits for a timer. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const value = (disk: MemoryFileSystem) => published(disk)?.text;
const logs = (disk: MemoryFileSystem) => leftovers(disk).filter((path) => path.endsWith('.wal'));
const readFile = (disk: MemoryFileSystem, path: string) => {
  const found = disk.snapshot()[path];
  return found?.kind === 'file' ? found.content : new Uint8Array(0);
};
const never = { afterMs: Number.POSITIVE_INFINITY };

describe('a save under a publish policy', () => {
  it('is answered when it is logged, and is the state at once; the file shows it later', async () => {
    const { disk, store } = await waiting(never);
    expect(await store.set('count', 1)).toEqual({ sequence: 2, durability: 'logged' });
    expect(store.state).toEqual({ count: 1 });
    expect(store.sequence).toBe(2);
    expect(value(disk)).toBe('count: 0\n');
    expect(logs(disk)).toHaveLength(1);
    await store.close();
    expect(published(disk)).toEqual({ text: 'count: 1\n', sealed: true });
    expect(leftovers(disk)).toEqual([]);
  });

  it('costs two writes and one data sync behind others, and touches no name', async () => {
    const { fs, store } = await waiting(never);
    for (const n of [1, 2, 3]) await store.set('count', n);
    const start = fs.operations.length;
    await store.set('count', 4);
    const changes = fs.operations
      .slice(start)
      .map(({ operation }) => operation)
      .filter((name) => !/^(stat|statLink|isHeld|handleStat|size)$/.test(name));
    expect(changes).toEqual(['write', 'write', 'sync']);
    await store.close();
  });

  it('is durable without close(): the next store publishes it', async () => {
    const { disk, store } = await waiting(never);
    for (const n of [1, 2, 3]) await store.set('count', n);
    const later = disk.clone();
    await store.close();
    const again = await open(later);
    expect(again.recovery).toMatchObject({ clean: false, sequence: 4 });
    expect(value(later)).toBe('count: 3\n');
    await again.close();
  });

  it('was published when the process was killed before it removed the log: nothing is in conflict', async () => {
    const { disk, fs, store } = await waiting(never);
    for (const n of [1, 2, 3]) await store.set('count', n);
    let killed: MemoryFileSystem | undefined;
    fs.setHooks({
      before: ({ operation, path }) => {
        if (operation === 'unlink' && path.endsWith('.wal')) killed = disk.clone();
        return undefined;
      },
    });
    await store.close();
    const again = await open(killed ?? disk);
    expect(again.recovery.decisions.map(({ label }) => label)).toEqual([
      'wal-applied',
      'checkpoint-intact',
    ]);
    expect(again.recovery).toMatchObject({ sequence: 4, kept: [] });
    await again.close();
  });

  it.each([
    ['committed by wish', { durability: 'committed' as const }],
    ['labelled', { label: 'reviewed' }],
  ])('that is %s is published at once, with those before it', async (_, options) => {
    const { disk, store } = await waiting(never);
    await store.set('count', 1);
    await store.set('count', 2, options);
    await settled();
    expect(value(disk)).toBe('count: 2\n');
    expect(logs(disk)).toEqual([]);
    await store.close();
  });
});

describe('what waits is published', () => {
  it('after so many rounds', async () => {
    const { disk, store } = await waiting({ ...never, afterSaves: 3 });
    for (const n of [1, 2]) await store.set('count', n);
    await settled();
    expect(value(disk)).toBe('count: 0\n');
    await store.set('count', 3);
    await settled();
    expect(value(disk)).toBe('count: 3\n');
    await store.close();
  });

  it('after so many bytes behind the first', async () => {
    const { disk, store } = await waiting({ ...never, afterBytes: 20_000 });
    for (const n of [1, 2]) await store.set('count', n);
    await store.set('count', 'x'.repeat(20_000));
    await settled();
    expect(value(disk)).toBe('count: 0\n');
    await store.set('count', 3);
    await settled();
    expect(value(disk)).toBe('count: 3\n');
    await store.close();
  });

  it('after the time from the first of them, although saves keep coming', async () => {
    const { disk, store, clock } = await waiting({ afterMs: 1000 });
    for (let at = 0; at < 950; at += 50) {
      await store.set('count', at + 1);
      clock.increment(50);
    }
    await settled();
    expect(value(disk)).toBe('count: 0\n');
    clock.increment(50);
    await settled();
    expect(value(disk)).toBe('count: 901\n');
    await store.close();
  });

  it('when no save has come for a moment', async () => {
    const { disk, store, clock } = await waiting({ afterMs: 10_000 });
    await store.set('count', 1);
    clock.increment(100);
    await settled();
    clock.increment(100);
    await settled();
    expect(value(disk)).toBe('count: 1\n');
    expect(logs(disk)).toEqual([]);
    await store.close();
  });

  it('by no time at all where afterMs is Infinity', async () => {
    const { disk, store, clock } = await waiting(never);
    await store.set('count', 1);
    clock.increment(10 ** 9);
    await settled();
    expect(value(disk)).toBe('count: 0\n');
    await store.close();
  });

  it('by a timer of its own: one that was set for a log before does not publish the next early', async () => {
    const { disk, store, clock } = await waiting({ afterMs: 1000 });
    await store.set('count', 1);
    clock.increment(90);
    await store.flush();
    await store.set('count', 2);
    clock.increment(99);
    await settled();
    expect(value(disk)).toBe('count: 1\n');
    await store.close();
  });

  it('before a look at the file', async () => {
    const { disk, store } = await waiting(never);
    await store.set('count', 1);
    expect(await store.check()).toMatchObject({ action: 'none' });
    expect(value(disk)).toBe('count: 1\n');
    await store.close();
  });

  it('although the file was edited meanwhile: the edit is kept', async () => {
    const { disk, store } = await waiting(never);
    const told: unknown[] = [];
    store.subscribe((event) => void (event.type === 'editedOutside' && told.push(event.action)));
    await store.set('count', 1);
    editInPlace(disk, 'count: mine\n');
    await store.flush();
    expect(value(disk)).toBe('count: 1\n');
    expect(told).toEqual(['setAside']);
    expect(Object.keys(disk.snapshot()).some((path) => path.includes('edited-during-save'))).toBe(
      true,
    );
    await store.close();
  });
});

describe('flush', () => {
  it('resolves when everything asked for before is published, saves of many callers too', async () => {
    const { disk, store } = await waiting(never);
    const saves = Array.from({ length: 20 }, (_, n) => store.set(['all', `k${n}`], n));
    await store.flush();
    expect(Object.keys((store.state as { all: object }).all)).toHaveLength(20);
    expect(value(disk)).toContain('k19: 19');
    await Promise.all(saves);
    await store.close();
  });

  it('resolves at once where nothing waits, also without a policy', async () => {
    const { store } = await waiting('every-save');
    await store.flush();
    await store.close();
  });

  it('rejects with CLOSED after close()', async () => {
    const { store } = await waiting(never);
    await store.close();
    await expect(store.flush()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('rejects where publishing fails, with HALTED from then on; the next open has the save', async () => {
    const { disk, fs, store } = await waiting(never);
    await store.set('count', 1);
    fs.setHooks({
      before: ({ operation }: RecordedOperation) => {
        if (operation === 'rename') throw systemError('EIO', 'rename');
        return undefined;
      },
    });
    await expect(store.flush()).rejects.toMatchObject({ code: 'HALTED' });
    await expect(store.flush()).rejects.toMatchObject({ code: 'HALTED' });
    await expect(store.set('count', 2)).rejects.toMatchObject({ code: 'HALTED' });
    await store.close();
    const again = await open(disk);
    expect(again.state).toEqual({ count: 1 });
    expect(again.recovery.clean).toBe(false);
    await again.close();
    expect(rawCheckpoint(disk)).toContain('count: 1\n');
  });
});

describe('a save that fails behind others', () => {
  it('is taken back alone; those before it stay promised, and the next goes on', async () => {
    const { disk, fs, store } = await waiting(never);
    await store.set('count', 1);
    let failures = 1;
    fs.setHooks({
      before: ({ operation }: RecordedOperation) => {
        if (operation === 'write' && failures-- > 0) throw systemError('ENOSPC', 'write');
        return undefined;
      },
    });
    await expect(store.set('count', 2)).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(store.state).toEqual({ count: 1 });
    expect(await store.set('more', 3)).toMatchObject({ durability: 'logged' });
    await store.close();
    expect(value(disk)).toBe('count: 1\nmore: 3\n');
  });
});

describe('damage behind saves in the log', () => {
  /** A disk with a log of two saves, the second of which is damaged. */
  async function damaged() {
    const { disk, store } = await waiting(never);
    for (const count of [1, 2]) await store.set('count', count);
    const [log = ''] = logs(disk);
    const scan = scanWal(readFile(disk, log));
    const second = scan.kind === 'sealed' ? (scan.saves[1]?.offset ?? 0) : 0;
    const later = disk.clone();
    await store.close();
    const handle = later.open(log, 'readWrite');
    handle.write(Uint8Array.of(0xff), second + 30);
    handle.close();
    return { disk: later, log };
  }
  const inQuarantine = (disk: MemoryFileSystem) =>
    Object.keys(disk.snapshot()).filter((path) => /quarantine\/.*\.wal$/.test(path));

  it('costs those behind it, not those before; the log is kept, and the report says so', async () => {
    const { disk, log } = await damaged();
    const bytes = readFile(disk, log);
    const store = await open(disk);
    expect(store.state).toEqual({ count: 1 });
    expect(store.recovery.decisions.map(({ label }) => label)).toContain('wal-tail-damaged');
    expect(inQuarantine(disk)).toHaveLength(1);
    expect(readFile(disk, inQuarantine(disk)[0] ?? '')).toEqual(bytes);
    await store.close();
  });

  it('is kept also where the save before it was published already', async () => {
    const { disk, log } = await damaged();
    const bytes = readFile(disk, log);
    await (await open(disk)).close();
    const handle = disk.open(log, 'create', 0o600);
    handle.write(bytes, 0);
    handle.close();
    const store = await open(disk);
    expect(store.state).toEqual({ count: 1 });
    expect(inQuarantine(disk)).toHaveLength(2);
    expect(logs(disk)).toEqual([]);
    await store.close();
  });
});

describe('the option publish', () => {
  it.each([
    ['soon', "publish is 'every-save' or an object of limits"],
    [{ afterHours: 1 }, 'publish.afterHours is no option'],
    [{ afterMs: 0 }, 'publish.afterMs is an integer from 1 to 2147483647, or Infinity'],
    [
      { afterBytes: Number.POSITIVE_INFINITY },
      'publish.afterBytes is an integer from 1 to 67108864',
    ],
    [{ afterSaves: 1.5 }, 'publish.afterSaves is an integer from 1'],
  ])('refuses %j, and says what it may be', async (publish, message) => {
    const opening = open(new MemoryFileSystem(), { publish: publish as never });
    await expect(opening).rejects.toThrow(message);
  });
});
