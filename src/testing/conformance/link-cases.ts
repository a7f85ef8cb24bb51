/**
 * Cases for every `FileSystem`: Symbolic links, where they are followed and where not. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal, includes } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { readText, writeText } from './text.js';

/** Symbolic links, where they are followed and where not. */
export const linkCases: readonly FileSystemCase[] = [
  {
    group: 'symbolic links',
    title: 'stat follows a symbolic link, statLink and unlink take the link itself',
    run(c) {
      writeText(c.fs, c.at('file'), 'content');
      c.symlink('file', c.at('link'));
      includes(c.fs.stat(c.at('link')), { kind: 'file', size: 7 });
      includes(c.fs.statLink(c.at('link')), { kind: 'symlink', size: 4 });
      equal(c.fs.readLink(c.at('link')), 'file');
      equal(readText(c.fs, c.at('link')), 'content');
      c.fs.unlink(c.at('link'));
      equal(c.fs.list(c.root), ['file']);
    },
  },
  {
    group: 'symbolic links',
    title: 'rename replaces a symbolic link, not what it points to',
    run(c) {
      writeText(c.fs, c.at('file'), 'kept');
      writeText(c.fs, c.at('new'), 'new');
      c.symlink('file', c.at('link'));
      c.fs.rename(c.at('new'), c.at('link'));
      equal(c.fs.statLink(c.at('link'))?.kind, 'file');
      equal(readText(c.fs, c.at('file')), 'kept');
    },
  },
  {
    group: 'symbolic links',
    title: 'a dangling symbolic link is there for statLink only',
    run(c) {
      c.symlink('nowhere', c.at('link'));
      equal(c.fs.stat(c.at('link')), undefined);
      equal(c.fs.statLink(c.at('link'))?.kind, 'symlink');
      equal(
        codeOf(() => c.fs.open(c.at('link'), 'read')),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.realPath(c.at('link'))),
        'ENOENT',
      );
    },
  },
  {
    group: 'symbolic links',
    title: 'realPath resolves every link, relative and absolute, and dots',
    run(c) {
      c.fs.makeDirectory(c.at('a'));
      c.fs.makeDirectory(c.at('a/b'));
      writeText(c.fs, c.at('a/b/file'), '');
      c.symlink('a', c.at('relative'));
      c.symlink(c.at('a/b'), c.at('absolute'));
      c.symlink('../../absolute/file', c.at('a/b/around'));
      equal(c.fs.realPath(c.at('relative/b/around')), c.at('a/b/file'));
      equal(c.fs.realPath(c.at('absolute/../b/./file')), c.at('a/b/file'));
      equal(c.fs.realPath(c.at('relative/')), c.at('a'));
      equal(c.fs.realPath(c.root), c.root);
      equal(
        codeOf(() => c.fs.realPath(c.at('none'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.realPath(c.at('a/b/file/x'))),
        'ENOTDIR',
      );
    },
  },
  {
    group: 'symbolic links',
    title: 'links in circles fail with ELOOP wherever they are followed',
    run(c) {
      c.symlink('two', c.at('one'));
      c.symlink('one', c.at('two'));
      equal(
        codeOf(() => c.fs.realPath(c.at('one'))),
        'ELOOP',
      );
      equal(
        codeOf(() => c.fs.open(c.at('one'), 'read')),
        'ELOOP',
      );
      equal(
        codeOf(() => c.fs.stat(c.at('one'))),
        'ELOOP',
      );
      equal(
        codeOf(() => c.fs.list(c.at('one/x'))),
        'ELOOP',
      );
      equal(c.fs.statLink(c.at('one'))?.kind, 'symlink');
    },
  },
  {
    group: 'symbolic links',
    title: 'readLink fails with EINVAL on anything else, ENOENT on nothing',
    run(c) {
      equal(
        codeOf(() => c.fs.readLink(c.root)),
        'EINVAL',
      );
      equal(
        codeOf(() => c.fs.readLink(c.at('none'))),
        'ENOENT',
      );
    },
  },
];
