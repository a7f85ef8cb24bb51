/**
 * Cases for every `FileSystem`: Directories. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { writeText } from './text.js';

/** Directories. */
export const directoryCases: readonly FileSystemCase[] = [
  {
    group: 'directories',
    title: 'list gives names sorted by code unit',
    run(c) {
      equal(c.fs.list(c.root), []);
      for (const name of ['b', 'a', 'B', 'ä', '10', '9', '.hidden', '😀', '\uff5e']) {
        c.fs.open(c.at(name), 'create').close();
      }
      c.fs.makeDirectory(c.at('directory'));
      equal(
        c.fs.list(c.root),
        ['.hidden', '10', '9', 'B', 'a', 'b', 'directory', 'ä', '😀', '\uff5e'].sort(),
      );
    },
  },
  {
    group: 'directories',
    title: 'list fails with ENOENT or ENOTDIR',
    run(c) {
      writeText(c.fs, c.at('file'), '');
      equal(
        codeOf(() => c.fs.list(c.at('none'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.list(c.at('file'))),
        'ENOTDIR',
      );
    },
  },
  {
    group: 'directories',
    title: 'makeDirectory makes exactly one level and never accepts what is there',
    run(c) {
      c.fs.makeDirectory(c.at('a'));
      equal(c.fs.stat(c.at('a'))?.kind, 'directory');
      equal(
        codeOf(() => c.fs.makeDirectory(c.at('a'))),
        'EEXIST',
      );
      equal(
        codeOf(() => c.fs.makeDirectory(c.at('x/y'))),
        'ENOENT',
      );
      writeText(c.fs, c.at('file'), '');
      equal(
        codeOf(() => c.fs.makeDirectory(c.at('file'))),
        'EEXIST',
      );
      equal(
        codeOf(() => c.fs.makeDirectory(c.at('file/x'))),
        'ENOTDIR',
      );
    },
  },
  {
    group: 'directories',
    title: 'removeDirectory removes empty directories only',
    run(c) {
      c.fs.makeDirectory(c.at('a'));
      writeText(c.fs, c.at('a/file'), '');
      equal(
        codeOf(() => c.fs.removeDirectory(c.at('a'))),
        'ENOTEMPTY',
      );
      equal(
        codeOf(() => c.fs.removeDirectory(c.at('a/file'))),
        'ENOTDIR',
      );
      equal(
        codeOf(() => c.fs.removeDirectory(c.at('none'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.removeDirectory(c.at('a/.'))),
        'EINVAL',
      );
      equal(
        codeOf(() => c.fs.removeDirectory(c.at('a/..'))),
        'ENOTEMPTY',
      );
      c.fs.unlink(c.at('a/file'));
      c.fs.removeDirectory(c.at('a'));
      equal(c.fs.list(c.root), []);
    },
  },
];
