/** What the in-memory file system offers beyond the interface, and Linux's corners of path walking. */

import { describe, expect, test } from 'vitest';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { codeOf, readText, writeText } from '../../helpers/fs-text.js';

describe('introspection', () => {
  test('snapshot tells everything that has a name, and equal trees are equal', () => {
    const build = (): MemoryFileSystem => {
      const fs = new MemoryFileSystem();
      fs.makeDirectory('/d', 0o750);
      writeText(fs, '/d/file', 'x', 0o640);
      fs.symlink('d/file', '/link');
      return fs;
    };
    const snapshot = build().snapshot();
    expect(Object.keys(snapshot)).toEqual(['/', '/d', '/d/file', '/link']);
    expect(snapshot['/d/file']).toEqual({
      kind: 'file',
      content: new Uint8Array([120]),
      mode: 0o640,
      uid: 0,
      gid: 0,
      links: 1,
    });
    expect(snapshot['/link']).toMatchObject({ kind: 'symlink', target: 'd/file' });
    expect(snapshot['/']).toMatchObject({ kind: 'directory', links: 3 });
    expect(build().snapshot()).toEqual(snapshot);
  });

  test('a snapshot does not change with the file', () => {
    const fs = new MemoryFileSystem();
    writeText(fs, '/file', 'before');
    const snapshot = fs.snapshot();
    const handle = fs.open('/file', 'readWrite');
    handle.write(new TextEncoder().encode('after!'), 0);
    handle.close();
    expect(snapshot).not.toEqual(fs.snapshot());
  });

  test('openHandles counts', () => {
    const fs = new MemoryFileSystem();
    const handle = fs.open('/file', 'create');
    const again = fs.open('/file', 'read');
    expect(fs.openHandles()).toBe(2);
    handle.close();
    again.close();
    expect(fs.openHandles()).toBe(0);
  });

  test('times come from the clock given, or from a counter that is the same in every run', () => {
    let now = 1000;
    const fs = new MemoryFileSystem({ now: () => now });
    writeText(fs, '/file', 'x');
    now = 2000;
    const handle = fs.open('/file', 'readWrite');
    handle.setMode(0o600);
    expect(handle.stat()).toMatchObject({ modifiedMs: 1000, changedMs: 2000 });
    handle.close();
    const counted = () => {
      const other = new MemoryFileSystem();
      writeText(other, '/file', 'x');
      return other.stat('/file')?.modifiedMs;
    };
    expect(counted()).toBe(counted());
  });
});

describe('clone', () => {
  test('is independent both ways, and time goes on in it', () => {
    const fs = new MemoryFileSystem();
    writeText(fs, '/file', 'original');
    const copy = fs.clone();
    expect(copy.snapshot()).toEqual(fs.snapshot());
    const handle = copy.open('/file', 'readWrite');
    handle.write(new TextEncoder().encode('changed!'), 0);
    handle.close();
    copy.makeDirectory('/copy');
    fs.makeDirectory('/original');
    expect(readText(fs, '/file')).toBe('original');
    expect(fs.list('/')).toEqual(['file', 'original']);
    expect(copy.list('/')).toEqual(['copy', 'file']);
    const before = fs.stat('/file')?.modifiedMs ?? 0;
    expect(copy.stat('/file')?.modifiedMs).toBeGreaterThan(before);
  });

  test('has no open handles, and what only a handle kept alive is gone', () => {
    const fs = new MemoryFileSystem();
    const handle = fs.open('/file', 'create');
    handle.write(new Uint8Array(10), 0);
    fs.unlink('/file');
    const copy = fs.clone();
    expect(copy.openHandles()).toBe(0);
    expect(Object.keys(copy.snapshot())).toEqual(['/']);
    expect(handle.size()).toBe(10);
  });

  test('keeps a lock’s file but not the lock, as after a crash of its holder', () => {
    const owner = { pid: 7, host: 'here', since: '2024-01-01T00:00:00.000Z' };
    const fs = new MemoryFileSystem({ owner });
    const locked = fs.lock('/lock');
    const copy = fs.clone({ owner: { ...owner, pid: 8 } });
    expect(copy.list('/')).toEqual(['lock']);
    expect(copy.lockHolder('/lock')).toBeUndefined();
    expect(copy.lock('/lock').acquired).toBe(true);
    expect(copy.lockHolder('/lock')?.pid).toBe(8);
    expect(fs.lock('/lock')).toEqual({ acquired: false, holder: owner });
    expect(locked.acquired && locked.lock.isHeld()).toBe(true);
  });
});

describe('corners of Linux', () => {
  const make = (): MemoryFileSystem => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory('/d');
    writeText(fs, '/f', 'x');
    fs.symlink('d', '/toDirectory');
    return fs;
  };

  test.each([
    ['rmdir of the root', (fs: MemoryFileSystem) => fs.removeDirectory('/'), 'EBUSY'],
    ['unlink of the root', (fs: MemoryFileSystem) => fs.unlink('/'), 'EISDIR'],
    ['rename of the root', (fs: MemoryFileSystem) => fs.rename('/', '/q'), 'EBUSY'],
    ['rename of a dot', (fs: MemoryFileSystem) => fs.rename('/d/.', '/q'), 'EBUSY'],
    ['rename to dots', (fs: MemoryFileSystem) => fs.rename('/f', '/d/..'), 'EBUSY'],
    [
      'rename of a file to a name with a slash',
      (fs: MemoryFileSystem) => fs.rename('/f', '/g/'),
      'ENOTDIR',
    ],
    ['mkdir of a dot', (fs: MemoryFileSystem) => fs.makeDirectory('/d/.'), 'EEXIST'],
    ['mkdir with a slash', (fs: MemoryFileSystem) => fs.makeDirectory('/new/'), 'ok'],
    ['create with a slash', (fs: MemoryFileSystem) => fs.open('/new/', 'create'), 'EISDIR'],
    ['create of a dot', (fs: MemoryFileSystem) => fs.open('/d/.', 'create'), 'EEXIST'],
    ['open of a file with a slash', (fs: MemoryFileSystem) => fs.open('/f/', 'read'), 'ENOTDIR'],
    ['unlink of a file with a slash', (fs: MemoryFileSystem) => fs.unlink('/f/'), 'ENOTDIR'],
    ['dots behind a file', (fs: MemoryFileSystem) => fs.realPath('/f/..'), 'ENOTDIR'],
    ['dots above the root', (fs: MemoryFileSystem) => fs.open('/../../f', 'read'), 'ok'],
    [
      'a link to a directory, with a slash',
      (fs: MemoryFileSystem) => fs.list('/toDirectory/'),
      'ok',
    ],
    ['rmdir of a link', (fs: MemoryFileSystem) => fs.removeDirectory('/toDirectory'), 'ENOTDIR'],
    ['link to dots', (fs: MemoryFileSystem) => fs.link('/f', '/d/..'), 'EEXIST'],
    ['an empty symbolic link', (fs: MemoryFileSystem) => fs.symlink('', '/l'), 'ENOENT'],
    [
      'a path beyond PATH_MAX',
      (fs: MemoryFileSystem) => fs.stat(`/${'d/'.repeat(2100)}`),
      'ENAMETOOLONG',
    ],
    [
      'a write beyond any memory',
      (fs: MemoryFileSystem) => fs.open('/f', 'readWrite').write(new Uint8Array(1), 2 ** 40),
      'EFBIG',
    ],
    [
      'extension beyond any memory',
      (fs: MemoryFileSystem) => fs.open('/f', 'readWrite').truncate(2 ** 40),
      'EFBIG',
    ],
  ])('%s', (_name, act, code) => {
    expect(codeOf(() => act(make()))).toBe(code);
  });

  test('exactly forty links are followed', () => {
    const fs = new MemoryFileSystem();
    writeText(fs, '/0', 'end');
    for (let i = 1; i <= 41; i++) fs.symlink(String(i - 1), `/${i}`);
    expect(readText(fs, '/40')).toBe('end');
    expect(codeOf(() => fs.open('/41', 'read'))).toBe('ELOOP');
  });

  test('a directory moved elsewhere has its new parent behind its dots', () => {
    const fs = make();
    fs.makeDirectory('/d/inner');
    fs.makeDirectory('/e');
    fs.rename('/d/inner', '/e/inner');
    expect(fs.realPath('/e/inner/..')).toBe('/e');
    expect(fs.stat('/d')?.links).toBe(2);
    expect(fs.stat('/e')?.links).toBe(3);
  });
});
