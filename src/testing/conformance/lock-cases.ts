/**
 * Cases for every `FileSystem`: The exclusive lock. The words of errors are Linux's where systems differ.
 */
import { anyNumber, codeOf, equal, includes } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';

/** The exclusive lock. */
export const lockCases: readonly FileSystemCase[] = [
  {
    group: 'the lock',
    title: 'the lock excludes a second taker, names its holder, and is free after release',
    run(c) {
      const path = c.at('.lock');
      equal(c.fs.lockHolder(path), undefined);
      const first = c.fs.lock(path);
      if (!first.acquired) throw new Error('not acquired');
      equal(first.lock.isHeld(), true);
      const second = c.fs.lock(path);
      includes(second, { acquired: false, holder: { pid: anyNumber } });
      equal(c.fs.lockHolder(path), second.acquired ? undefined : second.holder);
      first.lock.release();
      first.lock.release();
      equal(first.lock.isHeld(), false);
      equal(c.fs.lockHolder(path), undefined);
      equal(c.fs.list(c.root), []);
      const third = c.fs.lock(path);
      if (!third.acquired) throw new Error('not acquired');
      first.lock.release();
      equal(third.lock.isHeld(), true);
      third.lock.release();
    },
  },
  {
    group: 'the lock',
    title:
      'a lock whose file was removed or replaced is no longer held, and its release harms nobody',
    run(c) {
      const path = c.at('.lock');
      const first = c.fs.lock(path);
      if (!first.acquired) throw new Error('not acquired');
      c.fs.unlink(path);
      equal(first.lock.isHeld(), false);
      const second = c.fs.lock(path);
      if (!second.acquired) throw new Error('not acquired');
      equal(first.lock.isHeld(), false);
      first.lock.release();
      equal(second.lock.isHeld(), true);
      second.lock.release();
      equal(c.fs.list(c.root), []);
    },
  },
  {
    group: 'the lock',
    title: 'only a file can be a lock; a missing directory is an error',
    run(c) {
      c.fs.makeDirectory(c.at('directory'));
      c.symlink('elsewhere', c.at('link'));
      equal(
        codeOf(() => c.fs.lock(c.at('directory'))),
        'EISDIR',
      );
      equal(
        codeOf(() => c.fs.lock(c.at('link'))),
        'ELOOP',
      );
      equal(
        codeOf(() => c.fs.lock(c.at('none/lock'))),
        'ENOENT',
      );
      equal(c.fs.lockHolder(c.at('none/lock')), undefined);
    },
  },
];
