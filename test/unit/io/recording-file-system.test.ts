/** What the recording wrapper records, and what its hooks can do. */

import { beforeEach, describe, expect, test } from 'vitest';
import type { FileHandle, FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { codeOf, readText, writeText } from '../../helpers/fs-text.js';

const failure = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
let memory: MemoryFileSystem;
let fs: RecordingFileSystem;
beforeEach(() => {
  memory = new MemoryFileSystem();
  fs = new RecordingFileSystem(memory);
});

const trace = () =>
  fs.operations.map(({ operation, path, to }) => [operation, path, to].filter(Boolean).join(' '));

/** A memory file system whose syncs answer later, as a thread pool's do. */
function withLaterSyncs(inner: MemoryFileSystem, outcome: () => Promise<void>): FileSystem {
  return new Proxy<FileSystem>(inner, {
    get(_target, name) {
      if (name === 'open') {
        return (...parameters: Parameters<FileSystem['open']>): FileHandle => {
          const handle = inner.open(...parameters);
          return {
            read: (target, position) => handle.read(target, position),
            write: (data, position) => handle.write(data, position),
            size: () => handle.size(),
            stat: () => handle.stat(),
            truncate: (size) => handle.truncate(size),
            setMode: (mode) => handle.setMode(mode),
            setOwner: (uid, gid) => handle.setOwner(uid, gid),
            sync: outcome,
            close: () => handle.close(),
          };
        };
      }
      const value: unknown = Reflect.get(inner, name);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
}

describe('the record', () => {
  test('lists every operation in order, those of handles and locks among them', async () => {
    const handle = fs.open('/a', 'create', 0o640);
    handle.write(new Uint8Array(3), 0);
    await handle.sync();
    handle.stat();
    handle.close();
    fs.rename('/a', '/b');
    fs.link('/b', '/c');
    await fs.syncDirectory('/');
    const locked = fs.lock('/lock');
    if (locked.acquired) locked.lock.release();
    fs.unlink('/c');
    expect(trace()).toEqual([
      'open /a',
      'write /a',
      'sync /a',
      'handleStat /a',
      'close /a',
      'rename /a /b',
      'link /b /c',
      'syncDirectory /',
      'lock /lock',
      'release /lock',
      'unlink /c',
    ]);
    expect(fs.operations[0]).toEqual({
      index: 0,
      operation: 'open',
      path: '/a',
      how: 'create',
      mode: 0o640,
      state: 'done',
    });
    expect(fs.operations[1]).toMatchObject({ index: 1, position: 0, bytes: 3, result: 3 });
    expect(fs.operations[7]).toMatchObject({ state: 'done', result: true });
  });

  test('holds the error of an operation that failed', () => {
    expect(codeOf(() => fs.unlink('/none'))).toBe('ENOENT');
    expect(fs.operations).toMatchObject([{ state: 'failed', error: { code: 'ENOENT' } }]);
  });

  test('can be cleared', () => {
    fs.list('/');
    fs.clear();
    fs.list('/');
    expect(fs.operations).toMatchObject([{ index: 0, operation: 'list', result: [] }]);
  });

  test('follows promises: pending, then done or failed', async () => {
    let fails = false;
    const later = () => (fails ? Promise.reject(failure) : Promise.resolve());
    fs = new RecordingFileSystem(withLaterSyncs(memory, later));
    const handle = fs.open('/a', 'create');
    const first = handle.sync();
    expect(fs.operations[1]?.state).toBe('pending');
    await first;
    expect(fs.operations[1]?.state).toBe('done');
    fails = true;
    await expect(handle.sync()).rejects.toBe(failure);
    expect(fs.operations[2]).toMatchObject({ state: 'failed', error: failure });
  });
});

describe('hooks', () => {
  test('before can make the nth operation fail without being done', () => {
    fs.setHooks({
      before({ index }) {
        if (index === 1) throw failure;
      },
    });
    const handle = fs.open('/a', 'create');
    expect(codeOf(() => handle.write(new Uint8Array(3), 0))).toBe('EIO');
    expect(handle.size()).toBe(0);
    expect(fs.operations.map(({ state }) => state)).toEqual(['done', 'failed', 'done']);
  });

  test.each([
    'open',
    'rename',
    'link',
    'unlink',
    'makeDirectory',
    'removeDirectory',
    'list',
    'stat',
    'statLink',
    'realPath',
    'readLink',
    'syncDirectory',
    'lock',
    'lockHolder',
    'read',
    'write',
    'size',
    'handleStat',
    'truncate',
    'setMode',
    'setOwner',
    'sync',
    'close',
    'isHeld',
    'release',
  ] as const)('before reaches %s, and nothing is changed when it throws', (operation) => {
    writeText(memory, '/file', 'content');
    const handle = fs.open('/file', 'readWrite');
    const locked = fs.lock('/lock');
    if (!locked.acquired) throw new Error('not acquired');
    const untouched = memory.snapshot();
    fs.setHooks({
      before(entry) {
        if (entry.operation === operation) throw failure;
      },
    });
    const attempts: Record<typeof operation, () => unknown> = {
      open: () => fs.open('/new', 'create'),
      rename: () => fs.rename('/file', '/other'),
      link: () => fs.link('/file', '/other'),
      unlink: () => fs.unlink('/file'),
      makeDirectory: () => fs.makeDirectory('/new'),
      removeDirectory: () => fs.removeDirectory('/file'),
      list: () => fs.list('/'),
      stat: () => fs.stat('/file'),
      statLink: () => fs.statLink('/file'),
      realPath: () => fs.realPath('/file'),
      readLink: () => fs.readLink('/file'),
      syncDirectory: () => fs.syncDirectory('/'),
      lock: () => fs.lock('/lock2'),
      lockHolder: () => fs.lockHolder('/lock'),
      read: () => handle.read(new Uint8Array(1), 0),
      write: () => handle.write(new Uint8Array(1), 0),
      size: () => handle.size(),
      handleStat: () => handle.stat(),
      truncate: () => handle.truncate(0),
      setMode: () => handle.setMode(0),
      setOwner: () => handle.setOwner(1, 1),
      sync: () => handle.sync(),
      close: () => handle.close(),
      isHeld: () => locked.lock.isHeld(),
      release: () => locked.lock.release(),
    };
    expect(codeOf(attempts[operation])).toBe('EIO');
    expect(memory.snapshot()).toEqual(untouched);
    expect(memory.openHandles()).toBe(1);
    expect(fs.operations.at(-1)).toMatchObject({ operation, state: 'failed', error: failure });
  });

  test('before can cut writes and reads short', () => {
    fs.setHooks({
      before: ({ operation, bytes = 0 }) =>
        operation === 'write' || operation === 'read' ? { bytes: Math.ceil(bytes / 2) } : undefined,
    });
    writeText(fs, '/file', 'written in halves');
    expect(readText(memory, '/file')).toBe('written in halves');
    expect(readText(fs, '/file')).toBe('written in halves');
    const writes = fs.operations.filter(({ operation }) => operation === 'write');
    expect(writes.map(({ result }) => result)).toEqual([9, 4, 2, 1, 1]);
  });

  test('after can report a failure of something that was done', () => {
    fs.setHooks({
      after({ operation }) {
        if (operation === 'rename') throw failure;
      },
    });
    writeText(fs, '/a', 'x');
    expect(codeOf(() => fs.rename('/a', '/b'))).toBe('EIO');
    expect(memory.list('/')).toEqual(['b']);
    expect(fs.operations.at(-1)).toMatchObject({ state: 'failed', error: failure });
  });

  test('after turns a promise into a rejection', async () => {
    fs = new RecordingFileSystem(withLaterSyncs(memory, () => Promise.resolve()));
    const handle = fs.open('/a', 'create');
    fs.setHooks({
      after() {
        throw failure;
      },
    });
    const result = handle.sync();
    await expect(result).rejects.toBe(failure);
  });
});
