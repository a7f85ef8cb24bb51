/**
 * Cases for every `FileSystem`: Syncs. That something is durable after them only the simulated disk can show. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { bytes } from './text.js';

/** Syncs. That something is durable after them only the simulated disk can show. */
export const syncCases: readonly FileSystemCase[] = [
  {
    group: 'syncs',
    title: 'sync and syncDirectory resolve, and their errors are coded',
    async run(c) {
      const handle = c.fs.open(c.at('file'), 'create');
      handle.write(bytes('x'), 0);
      equal(await Promise.resolve(handle.sync()), undefined);
      handle.close();
      equal(await Promise.resolve(c.fs.syncDirectory(c.root)), true);
      equal(
        codeOf(() => c.fs.syncDirectory(c.at('none'))),
        'ENOENT',
      );
      equal(
        codeOf(() => c.fs.syncDirectory(c.at('file'))),
        'ENOTDIR',
      );
    },
  },
  {
    group: 'syncs',
    title: 'closing while a sync is in flight lets the sync end well',
    async run(c) {
      const handle = c.fs.open(c.at('file'), 'create');
      handle.write(new Uint8Array(1 << 20), 0);
      const syncs = [handle.sync(), handle.sync()];
      handle.close();
      equal(
        codeOf(() => handle.close()),
        'EBADF',
      );
      equal((await Promise.all(syncs)).length, 2);
    },
  },
];
