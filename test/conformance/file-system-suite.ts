/**
 * What every `FileSystem` must do, as tests over a factory. The words are Linux's where systems differ;
 * nothing relies on a permission being denied, because tests may run as root.
 */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileSystem } from '../../src/io/file-system.js';
import { codeOf, readText, writeText } from '../helpers/fs-text.js';

/** One file system to test: an empty directory in it, and what the interface itself can't do. */
export interface Subject {
  readonly fs: FileSystem;
  /** Absolute path of an empty directory, without symbolic links. */
  readonly root: string;
  symlink(target: string, path: string): void;
  dispose(): void;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Describes the suite for the file systems that `create` makes. */
export function describeFileSystem(name: string, create: () => Subject): void {
  describe(name, () => {
    let subject: Subject;
    let fs: FileSystem;
    let at: (path: string) => string;
    beforeEach(() => {
      subject = create();
      fs = subject.fs;
      at = (path) => `${subject.root}/${path}`;
    });
    afterEach(() => subject.dispose());

    const context: Context = {
      get subject() {
        return subject;
      },
      get fs() {
        return fs;
      },
      at: (path) => at(path),
    };
    describe('files', () => describeFiles(context));
    describe('open handles', () => describeHandles(context));
    describe('names', () => describeNames(context));
    describe('directories', () => describeDirectories(context));
    describe('symbolic links', () => describeSymlinks(context));
    describe('syncs', () => describeSyncs(context));
    describe('the lock', () => describeLock(context));
  });
}

interface Context {
  readonly subject: Subject;
  readonly fs: FileSystem;
  at(path: string): string;
}

function describeFiles(c: Context): void {
  test('a created file holds what was written, and reading past its end is short', () => {
    writeText(c.fs, c.at('file'), 'hello');
    const handle = c.fs.open(c.at('file'), 'read');
    const target = new Uint8Array(8).fill(0xff);
    expect(handle.read(target, 0)).toBe(5);
    expect([...target]).toEqual([...bytes('hello'), 0xff, 0xff, 0xff]);
    expect(handle.read(target, 3)).toBe(2);
    expect(handle.read(target, 5)).toBe(0);
    expect(handle.read(target, 5000)).toBe(0);
    expect(handle.read(new Uint8Array(0), 0)).toBe(0);
    handle.close();
  });

  test('create is exclusive: it fails on a file, a directory and a dangling symbolic link', () => {
    writeText(c.fs, c.at('file'), 'kept');
    c.fs.makeDirectory(c.at('directory'));
    c.subject.symlink('nowhere', c.at('dangling'));
    for (const name of ['file', 'directory', 'dangling']) {
      expect(codeOf(() => c.fs.open(c.at(name), 'create'))).toBe('EEXIST');
    }
    expect(readText(c.fs, c.at('file'))).toBe('kept');
    expect(c.fs.stat(c.at('nowhere'))).toBeUndefined();
  });

  test('opening what is missing fails with ENOENT, below a file with ENOTDIR', () => {
    writeText(c.fs, c.at('file'), '');
    for (const how of ['read', 'readWrite'] as const) {
      expect(codeOf(() => c.fs.open(c.at('none'), how))).toBe('ENOENT');
      expect(codeOf(() => c.fs.open(c.at('file/below'), how))).toBe('ENOTDIR');
      expect(codeOf(() => c.fs.open(c.subject.root, how))).toBe('EISDIR');
    }
    expect(codeOf(() => c.fs.open(c.at('none/file'), 'create'))).toBe('ENOENT');
    expect(codeOf(() => c.fs.open(c.at('file/below'), 'create'))).toBe('ENOTDIR');
  });

  test('an error carries code, syscall, path and the usual message', () => {
    const path = c.at('none');
    expect(() => c.fs.open(path, 'read')).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        syscall: 'open',
        path,
        message: `ENOENT: no such file or directory, open '${path}'`,
      }),
    );
    expect(() => c.fs.rename(path, c.at('other'))).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        syscall: 'rename',
        path,
        dest: c.at('other'),
        message: `ENOENT: no such file or directory, rename '${path}' -> '${c.at('other')}'`,
      }),
    );
  });

  test('a created file gets exactly the mode asked for, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      for (const mode of [0o600, 0o640, 0o644, 0o666, 0o777, 0o400]) {
        const handle = c.fs.open(c.at(`mode-${mode}`), 'create', mode);
        expect(handle.stat().mode).toBe(mode);
        handle.close();
        expect(c.fs.stat(c.at(`mode-${mode}`))?.mode).toBe(mode);
      }
      c.fs.open(c.at('default'), 'create').close();
      expect(c.fs.stat(c.at('default'))?.mode).toBe(0o600);
      c.fs.makeDirectory(c.at('shared'), 0o775);
      expect(c.fs.stat(c.at('shared'))?.mode).toBe(0o775);
      c.fs.makeDirectory(c.at('private'));
      expect(c.fs.stat(c.at('private'))?.mode).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  test('misuse is a TypeError: relative paths, NUL, inexact positions, odd modes', () => {
    const handle = c.fs.open(c.at('file'), 'create');
    const misuses = [
      () => c.fs.open('relative', 'read'),
      () => c.fs.stat(''),
      () => c.fs.unlink('/a\0b'),
      () => c.fs.open(c.at('x'), 'create', 0o1777),
      () => c.fs.makeDirectory(c.at('x'), -1),
      () => handle.read(new Uint8Array(1), -1),
      () => handle.write(new Uint8Array(1), 0.5),
      () => handle.truncate(-1),
      () => handle.setMode(0o10000),
    ];
    for (const misuse of misuses) expect(misuse).toThrow(TypeError);
    handle.close();
    expect(c.fs.list(c.subject.root)).toEqual(['file']);
  });
}

function describeHandles(c: Context): void {
  test('writes are positioned and gaps read as zeros', () => {
    const handle = c.fs.open(c.at('file'), 'create');
    expect(handle.write(bytes('end'), 6)).toBe(3);
    expect(handle.write(bytes('ab'), 0)).toBe(2);
    expect(handle.write(new Uint8Array(0), 100)).toBe(0);
    expect(handle.size()).toBe(9);
    const content = new Uint8Array(9);
    handle.read(content, 0);
    expect([...content]).toEqual([...bytes('ab'), 0, 0, 0, 0, ...bytes('end')]);
    handle.close();
  });

  test('truncate cuts, and extends with zeros even where bytes were before', () => {
    const handle = c.fs.open(c.at('file'), 'create');
    handle.write(bytes('0123456789'), 0);
    handle.truncate(4);
    expect(handle.size()).toBe(4);
    handle.truncate(8);
    const content = new Uint8Array(16);
    expect(handle.read(content, 0)).toBe(8);
    expect([...content.subarray(0, 8)]).toEqual([...bytes('0123'), 0, 0, 0, 0]);
    handle.close();
  });

  test('a file opened for reading refuses writes and truncation', () => {
    writeText(c.fs, c.at('file'), 'kept');
    const handle = c.fs.open(c.at('file'), 'read');
    expect(codeOf(() => handle.write(bytes('x'), 0))).toBe('EBADF');
    expect(codeOf(() => handle.truncate(0))).toBe('EINVAL');
    handle.close();
    expect(readText(c.fs, c.at('file'))).toBe('kept');
  });

  test('every operation on a closed handle fails with EBADF, a second close too', () => {
    const handle = c.fs.open(c.at('file'), 'create');
    handle.close();
    // A file opened now may get the same descriptor number and must not be reached by it.
    const other = c.fs.open(c.at('other'), 'create', 0o600);
    const operations = [
      () => handle.read(new Uint8Array(1), 0),
      () => handle.write(bytes('x'), 0),
      () => handle.size(),
      () => handle.stat(),
      () => handle.truncate(0),
      () => handle.setMode(0o644),
      () => handle.setOwner(0, 0),
      () => handle.sync(),
      () => handle.close(),
    ];
    for (const operation of operations) expect(codeOf(operation)).toBe('EBADF');
    expect(other.size()).toBe(0);
    expect(other.stat().mode).toBe(0o600);
    other.close();
  });

  test('two handles on one file see each other’s writes at once', () => {
    const writer = c.fs.open(c.at('file'), 'create');
    const reader = c.fs.open(c.at('file'), 'read');
    writer.write(bytes('seen'), 0);
    const content = new Uint8Array(4);
    expect(reader.read(content, 0)).toBe(4);
    expect(new TextDecoder().decode(content)).toBe('seen');
    writer.close();
    reader.close();
  });

  test('mode and owner can be set through a handle', () => {
    const handle = c.fs.open(c.at('file'), 'create', 0o600);
    handle.setMode(0o640);
    const { uid, gid } = handle.stat();
    handle.setOwner(uid, gid);
    handle.close();
    expect(c.fs.stat(c.at('file'))).toMatchObject({ mode: 0o640, uid, gid });
  });

  test('modification time never goes back, and moves on with writes', async () => {
    const handle = c.fs.open(c.at('file'), 'create');
    const created = handle.stat();
    await new Promise((resolve) => setTimeout(resolve, 20));
    handle.write(bytes('x'), 0);
    const written = handle.stat();
    expect(written.modifiedMs).toBeGreaterThan(created.modifiedMs);
    expect(written.changedMs).toBeGreaterThan(created.changedMs);
    handle.close();
  });
}

function describeNames(c: Context): void {
  test('rename replaces the target at once, and open handles keep the old file', () => {
    writeText(c.fs, c.at('old'), 'old content');
    writeText(c.fs, c.at('new'), 'new');
    const before = c.fs.stat(c.at('new'));
    const handle = c.fs.open(c.at('old'), 'read');
    c.fs.rename(c.at('new'), c.at('old'));
    expect(readText(c.fs, c.at('old'))).toBe('new');
    expect(c.fs.stat(c.at('old'))?.inode).toBe(before?.inode);
    const content = new Uint8Array(32);
    expect(handle.read(content, 0)).toBe(11);
    expect(handle.stat().links).toBe(0);
    handle.close();
    expect(c.fs.list(c.subject.root)).toEqual(['old']);
  });

  test('rename within two names of one file changes nothing', () => {
    writeText(c.fs, c.at('one'), 'same');
    c.fs.link(c.at('one'), c.at('two'));
    c.fs.rename(c.at('one'), c.at('two'));
    expect(c.fs.list(c.subject.root)).toEqual(['one', 'two']);
    c.fs.rename(c.at('one'), c.at('one'));
    expect(c.fs.stat(c.at('one'))?.links).toBe(2);
  });

  test('rename moves directories with their content and refuses what makes no sense', () => {
    c.fs.makeDirectory(c.at('a'));
    writeText(c.fs, c.at('a/file'), 'inside');
    c.fs.makeDirectory(c.at('empty'));
    writeText(c.fs, c.at('file'), 'x');
    expect(codeOf(() => c.fs.rename(c.at('a'), c.at('a/b')))).toBe('EINVAL');
    expect(codeOf(() => c.fs.rename(c.at('empty'), c.at('a')))).toBe('ENOTEMPTY');
    expect(codeOf(() => c.fs.rename(c.at('a/file'), c.at('a')))).toBe('ENOTEMPTY');
    expect(codeOf(() => c.fs.rename(c.at('a'), c.at('file')))).toBe('ENOTDIR');
    expect(codeOf(() => c.fs.rename(c.at('file'), c.at('empty')))).toBe('EISDIR');
    expect(codeOf(() => c.fs.rename(c.at('none'), c.at('empty')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.rename(c.at('file'), c.at('none/file')))).toBe('ENOENT');
    c.fs.rename(c.at('a'), c.at('empty'));
    expect(readText(c.fs, c.at('empty/file'))).toBe('inside');
    expect(c.fs.realPath(c.at('empty/file'))).toBe(c.at('empty/file'));
    expect(c.fs.list(c.subject.root)).toEqual(['empty', 'file']);
  });

  test('link gives a second name, counted, and never replaces', () => {
    writeText(c.fs, c.at('one'), 'shared');
    c.fs.link(c.at('one'), c.at('two'));
    expect(c.fs.stat(c.at('two'))).toMatchObject({
      links: 2,
      inode: c.fs.stat(c.at('one'))?.inode,
    });
    expect(codeOf(() => c.fs.link(c.at('one'), c.at('two')))).toBe('EEXIST');
    expect(codeOf(() => c.fs.link(c.at('none'), c.at('three')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.link(c.subject.root, c.at('three')))).toBe('EPERM');
    c.fs.unlink(c.at('one'));
    expect(readText(c.fs, c.at('two'))).toBe('shared');
    expect(c.fs.stat(c.at('two'))?.links).toBe(1);
  });

  test('an unlinked file lives on while it is open', () => {
    writeText(c.fs, c.at('file'), 'still here');
    const handle = c.fs.open(c.at('file'), 'readWrite');
    c.fs.unlink(c.at('file'));
    expect(c.fs.stat(c.at('file'))).toBeUndefined();
    expect(codeOf(() => c.fs.unlink(c.at('file')))).toBe('ENOENT');
    expect(handle.stat()).toMatchObject({ links: 0, size: 10 });
    expect(handle.write(bytes('x'), 10)).toBe(1);
    writeText(c.fs, c.at('file'), 'another');
    expect(handle.size()).toBe(11);
    handle.close();
    expect(readText(c.fs, c.at('file'))).toBe('another');
  });

  test('unlink refuses a directory with EISDIR', () => {
    c.fs.makeDirectory(c.at('directory'));
    expect(codeOf(() => c.fs.unlink(c.at('directory')))).toBe('EISDIR');
  });

  test('stat says undefined where nothing is, also below a file', () => {
    writeText(c.fs, c.at('file'), '123');
    for (const stat of ['stat', 'statLink'] as const) {
      expect(c.fs[stat](c.at('none'))).toBeUndefined();
      expect(c.fs[stat](c.at('none/below'))).toBeUndefined();
      expect(c.fs[stat](c.at('file/below'))).toBeUndefined();
      expect(c.fs[stat](c.at('file'))).toMatchObject({ kind: 'file', size: 3, links: 1 });
    }
  });

  test('names longer than 255 bytes fail with ENAMETOOLONG', () => {
    expect(codeOf(() => c.fs.open(c.at('ä'.repeat(128)), 'create'))).toBe('ENAMETOOLONG');
    expect(codeOf(() => c.fs.open(c.at('a'.repeat(255)), 'create').close())).toBe('ok');
  });
}

function describeDirectories(c: Context): void {
  test('list gives names sorted by code unit', () => {
    expect(c.fs.list(c.subject.root)).toEqual([]);
    for (const name of ['b', 'a', 'B', 'ä', '10', '9', '.hidden', '😀', '\uff5e']) {
      c.fs.open(c.at(name), 'create').close();
    }
    c.fs.makeDirectory(c.at('directory'));
    expect(c.fs.list(c.subject.root)).toEqual(
      ['.hidden', '10', '9', 'B', 'a', 'b', 'directory', 'ä', '😀', '\uff5e'].sort(),
    );
  });

  test('list fails with ENOENT or ENOTDIR', () => {
    writeText(c.fs, c.at('file'), '');
    expect(codeOf(() => c.fs.list(c.at('none')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.list(c.at('file')))).toBe('ENOTDIR');
  });

  test('makeDirectory makes exactly one level and never accepts what is there', () => {
    c.fs.makeDirectory(c.at('a'));
    expect(c.fs.stat(c.at('a'))?.kind).toBe('directory');
    expect(codeOf(() => c.fs.makeDirectory(c.at('a')))).toBe('EEXIST');
    expect(codeOf(() => c.fs.makeDirectory(c.at('x/y')))).toBe('ENOENT');
    writeText(c.fs, c.at('file'), '');
    expect(codeOf(() => c.fs.makeDirectory(c.at('file')))).toBe('EEXIST');
    expect(codeOf(() => c.fs.makeDirectory(c.at('file/x')))).toBe('ENOTDIR');
  });

  test('removeDirectory removes empty directories only', () => {
    c.fs.makeDirectory(c.at('a'));
    writeText(c.fs, c.at('a/file'), '');
    expect(codeOf(() => c.fs.removeDirectory(c.at('a')))).toBe('ENOTEMPTY');
    expect(codeOf(() => c.fs.removeDirectory(c.at('a/file')))).toBe('ENOTDIR');
    expect(codeOf(() => c.fs.removeDirectory(c.at('none')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.removeDirectory(c.at('a/.')))).toBe('EINVAL');
    expect(codeOf(() => c.fs.removeDirectory(c.at('a/..')))).toBe('ENOTEMPTY');
    c.fs.unlink(c.at('a/file'));
    c.fs.removeDirectory(c.at('a'));
    expect(c.fs.list(c.subject.root)).toEqual([]);
  });
}

function describeSymlinks(c: Context): void {
  test('stat follows a symbolic link, statLink and unlink take the link itself', () => {
    writeText(c.fs, c.at('file'), 'content');
    c.subject.symlink('file', c.at('link'));
    expect(c.fs.stat(c.at('link'))).toMatchObject({ kind: 'file', size: 7 });
    expect(c.fs.statLink(c.at('link'))).toMatchObject({ kind: 'symlink', size: 4 });
    expect(c.fs.readLink(c.at('link'))).toBe('file');
    expect(readText(c.fs, c.at('link'))).toBe('content');
    c.fs.unlink(c.at('link'));
    expect(c.fs.list(c.subject.root)).toEqual(['file']);
  });

  test('rename replaces a symbolic link, not what it points to', () => {
    writeText(c.fs, c.at('file'), 'kept');
    writeText(c.fs, c.at('new'), 'new');
    c.subject.symlink('file', c.at('link'));
    c.fs.rename(c.at('new'), c.at('link'));
    expect(c.fs.statLink(c.at('link'))?.kind).toBe('file');
    expect(readText(c.fs, c.at('file'))).toBe('kept');
  });

  test('a dangling symbolic link is there for statLink only', () => {
    c.subject.symlink('nowhere', c.at('link'));
    expect(c.fs.stat(c.at('link'))).toBeUndefined();
    expect(c.fs.statLink(c.at('link'))?.kind).toBe('symlink');
    expect(codeOf(() => c.fs.open(c.at('link'), 'read'))).toBe('ENOENT');
    expect(codeOf(() => c.fs.realPath(c.at('link')))).toBe('ENOENT');
  });

  test('realPath resolves every link, relative and absolute, and dots', () => {
    c.fs.makeDirectory(c.at('a'));
    c.fs.makeDirectory(c.at('a/b'));
    writeText(c.fs, c.at('a/b/file'), '');
    c.subject.symlink('a', c.at('relative'));
    c.subject.symlink(c.at('a/b'), c.at('absolute'));
    c.subject.symlink('../../absolute/file', c.at('a/b/around'));
    expect(c.fs.realPath(c.at('relative/b/around'))).toBe(c.at('a/b/file'));
    expect(c.fs.realPath(c.at('absolute/../b/./file'))).toBe(c.at('a/b/file'));
    expect(c.fs.realPath(c.at('relative/'))).toBe(c.at('a'));
    expect(c.fs.realPath(c.subject.root)).toBe(c.subject.root);
    expect(codeOf(() => c.fs.realPath(c.at('none')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.realPath(c.at('a/b/file/x')))).toBe('ENOTDIR');
  });

  test('links in circles fail with ELOOP wherever they are followed', () => {
    c.subject.symlink('two', c.at('one'));
    c.subject.symlink('one', c.at('two'));
    expect(codeOf(() => c.fs.realPath(c.at('one')))).toBe('ELOOP');
    expect(codeOf(() => c.fs.open(c.at('one'), 'read'))).toBe('ELOOP');
    expect(codeOf(() => c.fs.stat(c.at('one')))).toBe('ELOOP');
    expect(codeOf(() => c.fs.list(c.at('one/x')))).toBe('ELOOP');
    expect(c.fs.statLink(c.at('one'))?.kind).toBe('symlink');
  });

  test('readLink fails with EINVAL on anything else, ENOENT on nothing', () => {
    expect(codeOf(() => c.fs.readLink(c.subject.root))).toBe('EINVAL');
    expect(codeOf(() => c.fs.readLink(c.at('none')))).toBe('ENOENT');
  });
}

function describeSyncs(c: Context): void {
  test('sync and syncDirectory resolve, and their errors are coded', async () => {
    const handle = c.fs.open(c.at('file'), 'create');
    handle.write(bytes('x'), 0);
    await expect(Promise.resolve(handle.sync())).resolves.toBeUndefined();
    handle.close();
    await expect(Promise.resolve(c.fs.syncDirectory(c.subject.root))).resolves.toBe(true);
    expect(codeOf(() => c.fs.syncDirectory(c.at('none')))).toBe('ENOENT');
    expect(codeOf(() => c.fs.syncDirectory(c.at('file')))).toBe('ENOTDIR');
  });

  test('closing while a sync is in flight lets the sync end well', async () => {
    const handle = c.fs.open(c.at('file'), 'create');
    handle.write(new Uint8Array(1 << 20), 0);
    const syncs = [handle.sync(), handle.sync()];
    handle.close();
    expect(codeOf(() => handle.close())).toBe('EBADF');
    await expect(Promise.all(syncs)).resolves.toHaveLength(2);
  });
}

function describeLock(c: Context): void {
  test('the lock excludes a second taker, names its holder, and is free after release', () => {
    const path = c.at('.lock');
    expect(c.fs.lockHolder(path)).toBeUndefined();
    const first = c.fs.lock(path);
    if (!first.acquired) throw new Error('not acquired');
    expect(first.lock.isHeld()).toBe(true);
    const second = c.fs.lock(path);
    expect(second).toMatchObject({ acquired: false, holder: { pid: expect.any(Number) } });
    expect(c.fs.lockHolder(path)).toEqual(second.acquired ? undefined : second.holder);
    first.lock.release();
    first.lock.release();
    expect(first.lock.isHeld()).toBe(false);
    expect(c.fs.lockHolder(path)).toBeUndefined();
    expect(c.fs.list(c.subject.root)).toEqual([]);
    const third = c.fs.lock(path);
    if (!third.acquired) throw new Error('not acquired');
    first.lock.release();
    expect(third.lock.isHeld()).toBe(true);
    third.lock.release();
  });

  test('a lock whose file was removed or replaced is no longer held, and its release harms nobody', () => {
    const path = c.at('.lock');
    const first = c.fs.lock(path);
    if (!first.acquired) throw new Error('not acquired');
    c.fs.unlink(path);
    expect(first.lock.isHeld()).toBe(false);
    const second = c.fs.lock(path);
    if (!second.acquired) throw new Error('not acquired');
    expect(first.lock.isHeld()).toBe(false);
    first.lock.release();
    expect(second.lock.isHeld()).toBe(true);
    second.lock.release();
    expect(c.fs.list(c.subject.root)).toEqual([]);
  });

  test('only a file can be a lock; a missing directory is an error', () => {
    c.fs.makeDirectory(c.at('directory'));
    c.subject.symlink('elsewhere', c.at('link'));
    expect(codeOf(() => c.fs.lock(c.at('directory')))).toBe('EISDIR');
    expect(codeOf(() => c.fs.lock(c.at('link')))).toBe('ELOOP');
    expect(codeOf(() => c.fs.lock(c.at('none/lock')))).toBe('ENOENT');
    expect(c.fs.lockHolder(c.at('none/lock'))).toBeUndefined();
  });
}
