/**
 * Syncs that take turns: how many run, in which order, and what becomes of handles meanwhile. That it is a
 * file system like any other, `test/conformance` shows.
 */
import { describe, expect, it } from 'vitest';
import type { FileHandle, FileSystem, MaybePromise } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import {
  SyncSchedule,
  SyncSchedulingFileSystem,
} from '../../../src/io/sync-scheduling-file-system.js';

/** A sync whose end is up to the test. */
interface Sync {
  readonly path: string;
  readonly end: (error?: Error) => Promise<void>;
}

/** A disk whose syncs end when the test says so. */
function slowDisk() {
  const inner = new MemoryFileSystem();
  const started: Sync[] = [];
  const closed: string[] = [];
  const sync = <T>(path: string, act: () => MaybePromise<T>) =>
    new Promise<T>((resolve, reject) => {
      const end = async (error?: Error) => {
        if (error === undefined) resolve(await act());
        else reject(error);
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      };
      started.push({ path, end });
    });
  const fs: FileSystem = Object.assign(Object.create(inner) as FileSystem, {
    open: (...args: Parameters<FileSystem['open']>): FileHandle => {
      const handle = inner.open(...args);
      return {
        read: (target, position) => handle.read(target, position),
        write: (data, position) => handle.write(data, position),
        size: () => handle.size(),
        stat: () => handle.stat(),
        truncate: (size) => handle.truncate(size),
        setMode: (mode) => handle.setMode(mode),
        setOwner: (uid, gid) => handle.setOwner(uid, gid),
        sync: () => {
          // As a descriptor that was given back would be.
          if (closed.includes(args[0])) throw new Error(`${args[0]} was closed before its sync`);
          return sync(args[0], () => {});
        },
        close: () => {
          closed.push(args[0]);
          handle.close();
        },
      };
    },
    syncDirectory: (path: string) => sync(path, () => true),
  });
  for (const name of ['list', 'stat', 'statLink', 'makeDirectory', 'unlink'] as const) {
    Object.assign(fs, { [name]: inner[name].bind(inner) });
  }
  return { fs, started, closed, paths: () => started.map(({ path }) => path) };
}

describe('a schedule of syncs', () => {
  it('lets so many run at once, files and directories alike, and starts the rest in the order of asking', async () => {
    const { fs, started, paths } = slowDisk();
    const schedule = new SyncSchedule(2);
    // Two who share it: a thousand do so as well.
    const [one, other] = [0, 1].map(() => new SyncSchedulingFileSystem(fs, schedule));
    const asked = ['/a', '/b', '/c', '/d', '/e'];
    const done = asked.map((path, index) => {
      if (index % 2 === 1) return one?.syncDirectory(path);
      return other?.open(path, 'create').sync();
    });
    expect(paths()).toEqual(['/a', '/b']);
    expect(schedule.stats()).toMatchObject({ running: 2, waiting: 3, waitingMax: 3 });
    await started[1]?.end();
    expect(paths()).toEqual(['/a', '/b', '/c']);
    await started[0]?.end();
    await started[2]?.end();
    expect(paths()).toEqual(asked);
    await started[3]?.end();
    await started[4]?.end();
    expect(await Promise.all(done)).toEqual([undefined, true, undefined, true, undefined]);
    expect(schedule.stats()).toEqual({ running: 0, runningMax: 2, waiting: 0, waitingMax: 3 });
  });

  it('lets nobody wait for more syncs than were asked for before, however busy another one is', async () => {
    const { fs, started, paths } = slowDisk();
    const shared = new SyncSchedulingFileSystem(fs, new SyncSchedule(1));
    // A store asks for its next sync when the one before has ended, whatever it has still to save.
    const busy = async () => {
      for (let round = 0; round < 5; round += 1) await shared.syncDirectory('/busy');
    };
    const ended = busy();
    const calm = shared.syncDirectory('/calm');
    for (let n = 0; n < 6; n += 1) await started[n]?.end();
    await Promise.all([ended, calm]);
    expect(paths()).toEqual(['/busy', '/calm', '/busy', '/busy', '/busy', '/busy']);
  });

  it('passes errors on, also of syncs that waited, and a failed one makes room', async () => {
    const { fs, started, paths } = slowDisk();
    const shared = new SyncSchedulingFileSystem(fs, new SyncSchedule(1));
    const error = Object.assign(new Error('the disk is gone'), { code: 'EIO' });
    const [first, second, third] = ['/a', '/b', '/c'].map((path) =>
      Promise.resolve(shared.syncDirectory(path)).catch((reason: unknown) => reason),
    );
    await started[0]?.end(error);
    await started[1]?.end(error);
    expect(await first).toBe(error);
    expect(await second).toBe(error);
    expect(paths()).toEqual(['/a', '/b', '/c']);
    await started[2]?.end();
    expect(await third).toBe(true);
  });

  it('makes an error that a waiting sync throws at once a rejection, and goes on', async () => {
    const { fs, started } = slowDisk();
    const shared = new SyncSchedulingFileSystem(fs, new SyncSchedule(1));
    const first = shared.syncDirectory('/a');
    const slow = fs.syncDirectory.bind(fs);
    Object.assign(fs, {
      syncDirectory: (path: string) => {
        if (path === '/gone') throw new Error('there is none');
        return slow(path);
      },
    });
    const failed = Promise.resolve(shared.syncDirectory('/gone')).catch(String);
    const next = shared.syncDirectory('/b');
    await started[0]?.end();
    await started[1]?.end();
    expect(await Promise.all([first, failed, next])).toEqual([true, 'Error: there is none', true]);
  });

  it('keeps a handle that was closed open until its waiting syncs have begun', async () => {
    const { fs, started, closed } = slowDisk();
    const shared = new SyncSchedulingFileSystem(fs, new SyncSchedule(1));
    const first = shared.syncDirectory('/a');
    const handle = shared.open('/file', 'create');
    const syncs = [handle.sync(), handle.sync()];
    handle.close();
    for (const act of [() => handle.size(), () => handle.sync(), () => handle.close()]) {
      expect(act).toThrowError(expect.objectContaining({ code: 'EBADF' }));
    }
    expect(closed).toEqual([]);
    await started[0]?.end();
    expect(closed).toEqual([]);
    await started[1]?.end();
    expect(closed).toEqual(['/file']);
    await started[2]?.end();
    await Promise.all([first, ...syncs]);
    expect(closed).toEqual(['/file']);
  });

  it('defers nothing where syncs answer at once', () => {
    const disk = new RecordingFileSystem(new MemoryFileSystem());
    const schedule = new SyncSchedule(1);
    const shared = new SyncSchedulingFileSystem(disk, schedule);
    const handles = ['/a', '/b', '/c'].map((path) => shared.open(path, 'create'));
    expect(handles.map((handle) => handle.sync())).toEqual([undefined, undefined, undefined]);
    expect(shared.syncDirectory('/')).toBe(true);
    expect(() => shared.syncDirectory('/none')).toThrow(/ENOENT/);
    expect(schedule.stats()).toEqual({ running: 0, runningMax: 1, waiting: 0, waitingMax: 0 });
  });
});
