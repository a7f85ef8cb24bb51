/**
 * Cases for every `FileSystem`: Renaming, linking, unlinking, looking up. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal, includes } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { bytes, readText, writeText } from './text.js';

/** Renaming, linking, unlinking, looking up. */
export const nameCases: readonly FileSystemCase[] = [
  {
    group: 'names',
    title: 'rename replaces the target at once, and open handles keep the old file',
    run(c) {
      writeText(c.fs, c.at('old'), 'old content');
      writeText(c.fs, c.at('new'), 'new');
      const before = c.fs.stat(c.at('new'));
      const handle = c.fs.open(c.at('old'), 'read');
      c.fs.rename(c.at('new'), c.at('old'));
      equal(readText(c.fs, c.at('old')), 'new');
      equal(c.fs.stat(c.at('old'))?.inode, before?.inode);
      const content = new Uint8Array(32);
      equal(handle.read(content, 0), 11);
      equal(handle.stat().links, 0);
      handle.close();
      equal(c.fs.list(c.root), ['old']);
    },
  },
  {
    group: 'names',
    title: 'rename within two names of one file changes nothing',
    run(c) {
      writeText(c.fs, c.at('one'), 'same');
      c.fs.link(c.at('one'), c.at('two'));
      c.fs.rename(c.at('one'), c.at('two'));
      equal(c.fs.list(c.root), ['one', 'two']);
      c.fs.rename(c.at('one'), c.at('one'));
      equal(c.fs.stat(c.at('one'))?.links, 2);
    },
  },
  {
    group: 'names',
    title: 'rename moves directories with their content and refuses what makes no sense',
    run(c) {
      c.fs.makeDirectory(c.at('a'));
      writeText(c.fs, c.at('a/file'), 'inside');
      c.fs.makeDirectory(c.at('empty'));
      writeText(c.fs, c.at('file'), 'x');
      equal(
        codeOf(() => c.fs.rename(c.at('a'), c.at('a/b'))),
        'EINVAL',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('empty'), c.at('a'))),
        'ENOTEMPTY',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('a/file'), c.at('a'))),
        'ENOTEMPTY',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('a'), c.at('file'))),
        'ENOTDIR',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('file'), c.at('empty'))),
        'EISDIR',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('none'), c.at('empty'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.rename(c.at('file'), c.at('none/file'))),
        'ENOENT',
      );
      c.fs.rename(c.at('a'), c.at('empty'));
      equal(readText(c.fs, c.at('empty/file')), 'inside');
      equal(c.fs.realPath(c.at('empty/file')), c.at('empty/file'));
      equal(c.fs.list(c.root), ['empty', 'file']);
    },
  },
  {
    group: 'names',
    title: 'link gives a second name, counted, and never replaces',
    run(c) {
      writeText(c.fs, c.at('one'), 'shared');
      c.fs.link(c.at('one'), c.at('two'));
      includes(c.fs.stat(c.at('two')), {
        links: 2,
        inode: c.fs.stat(c.at('one'))?.inode,
      });
      equal(
        codeOf(() => c.fs.link(c.at('one'), c.at('two'))),
        'EEXIST',
      );
      equal(
        codeOf(() => c.fs.link(c.at('none'), c.at('three'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.link(c.root, c.at('three'))),
        'EPERM',
      );
      c.fs.unlink(c.at('one'));
      equal(readText(c.fs, c.at('two')), 'shared');
      equal(c.fs.stat(c.at('two'))?.links, 1);
    },
  },
  {
    group: 'names',
    title: 'an unlinked file lives on while it is open',
    run(c) {
      writeText(c.fs, c.at('file'), 'still here');
      const handle = c.fs.open(c.at('file'), 'readWrite');
      c.fs.unlink(c.at('file'));
      equal(c.fs.stat(c.at('file')), undefined);
      equal(
        codeOf(() => c.fs.unlink(c.at('file'))),
        'ENOENT',
      );
      includes(handle.stat(), { links: 0, size: 10 });
      equal(handle.write(bytes('x'), 10), 1);
      writeText(c.fs, c.at('file'), 'another');
      equal(handle.size(), 11);
      handle.close();
      equal(readText(c.fs, c.at('file')), 'another');
    },
  },
  {
    group: 'names',
    title: 'unlink refuses a directory with EISDIR',
    run(c) {
      c.fs.makeDirectory(c.at('directory'));
      equal(
        codeOf(() => c.fs.unlink(c.at('directory'))),
        'EISDIR',
      );
    },
  },
  {
    group: 'names',
    title: 'stat says undefined where nothing is, also below a file',
    run(c) {
      writeText(c.fs, c.at('file'), '123');
      for (const stat of ['stat', 'statLink'] as const) {
        equal(c.fs[stat](c.at('none')), undefined);
        equal(c.fs[stat](c.at('none/below')), undefined);
        equal(c.fs[stat](c.at('file/below')), undefined);
        includes(c.fs[stat](c.at('file')), { kind: 'file', size: 3, links: 1 });
      }
    },
  },
  {
    group: 'names',
    title: 'names longer than 255 bytes fail with ENAMETOOLONG',
    run(c) {
      equal(
        codeOf(() => c.fs.open(c.at('ä'.repeat(128)), 'create')),
        'ENAMETOOLONG',
      );
      equal(
        codeOf(() => c.fs.open(c.at('a'.repeat(255)), 'create').close()),
        'ok',
      );
    },
  },
];
