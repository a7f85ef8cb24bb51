/**
 * Cases for every `FileSystem`: Opening, creating and misusing files. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal, includes, isTrue, thrownBy } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { bytes, readText, writeText } from './text.js';

/** Opening, creating and misusing files. */
export const fileCases: readonly FileSystemCase[] = [
  {
    group: 'files',
    title: 'a created file holds what was written, and reading past its end is short',
    run(c) {
      writeText(c.fs, c.at('file'), 'hello');
      const handle = c.fs.open(c.at('file'), 'read');
      const target = new Uint8Array(8).fill(0xff);
      equal(handle.read(target, 0), 5);
      equal([...target], [...bytes('hello'), 0xff, 0xff, 0xff]);
      equal(handle.read(target, 3), 2);
      equal(handle.read(target, 5), 0);
      equal(handle.read(target, 5000), 0);
      equal(handle.read(new Uint8Array(0), 0), 0);
      handle.close();
    },
  },
  {
    group: 'files',
    title: 'create is exclusive: it fails on a file, a directory and a dangling symbolic link',
    run(c) {
      writeText(c.fs, c.at('file'), 'kept');
      c.fs.makeDirectory(c.at('directory'));
      c.symlink('nowhere', c.at('dangling'));
      for (const name of ['file', 'directory', 'dangling']) {
        equal(
          codeOf(() => c.fs.open(c.at(name), 'create')),
          'EEXIST',
        );
      }
      equal(readText(c.fs, c.at('file')), 'kept');
      equal(c.fs.stat(c.at('nowhere')), undefined);
    },
  },
  {
    group: 'files',
    title: 'opening what is missing fails with ENOENT, below a file with ENOTDIR',
    run(c) {
      writeText(c.fs, c.at('file'), '');
      for (const how of ['read', 'readWrite'] as const) {
        equal(
          codeOf(() => c.fs.open(c.at('none'), how)),
          'ENOENT',
        );
        equal(
          codeOf(() => c.fs.open(c.at('file/below'), how)),
          'ENOTDIR',
        );
        equal(
          codeOf(() => c.fs.open(c.root, how)),
          'EISDIR',
        );
      }
      equal(
        codeOf(() => c.fs.open(c.at('none/file'), 'create')),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.open(c.at('file/below'), 'create')),
        'ENOTDIR',
      );
    },
  },
  {
    group: 'files',
    title: 'an error carries code, syscall, path and the usual message',
    run(c) {
      const path = c.at('none');
      includes(
        thrownBy(() => c.fs.open(path, 'read')),
        {
          code: 'ENOENT',
          syscall: 'open',
          path,
          message: `ENOENT: no such file or directory, open '${path}'`,
        },
      );
      includes(
        thrownBy(() => c.fs.rename(path, c.at('other'))),
        {
          code: 'ENOENT',
          syscall: 'rename',
          path,
          dest: c.at('other'),
          message: `ENOENT: no such file or directory, rename '${path}' -> '${c.at('other')}'`,
        },
      );
    },
  },
  {
    group: 'files',
    title: 'a created file gets exactly the mode asked for, whatever the umask',
    run(c) {
      const before = process.umask(0o077);
      try {
        for (const mode of [0o600, 0o640, 0o644, 0o666, 0o777, 0o400]) {
          const handle = c.fs.open(c.at(`mode-${mode}`), 'create', mode);
          equal(handle.stat().mode, mode);
          handle.close();
          equal(c.fs.stat(c.at(`mode-${mode}`))?.mode, mode);
        }
        c.fs.open(c.at('default'), 'create').close();
        equal(c.fs.stat(c.at('default'))?.mode, 0o600);
        c.fs.makeDirectory(c.at('shared'), 0o775);
        equal(c.fs.stat(c.at('shared'))?.mode, 0o775);
        c.fs.makeDirectory(c.at('private'));
        equal(c.fs.stat(c.at('private'))?.mode, 0o700);
      } finally {
        process.umask(before);
      }
    },
  },
  {
    group: 'files',
    title: 'misuse is a TypeError: relative paths, NUL, inexact positions, odd modes',
    run(c) {
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
      for (const misuse of misuses)
        isTrue(thrownBy(misuse) instanceof TypeError, `misuse is a TypeError: ${String(misuse)}`);
      handle.close();
      equal(c.fs.list(c.root), ['file']);
    },
  },
];
