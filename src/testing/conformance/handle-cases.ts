/**
 * Cases for every `FileSystem`: What an open file does, whatever its name is. The words of errors are Linux's where systems differ.
 */
import { codeOf, equal, includes, isTrue } from './assert.js';
import type { FileSystemCase } from './file-system-conformance-case.js';
import { bytes, readText, writeText } from './text.js';

/** What an open file does, whatever its name is. */
export const handleCases: readonly FileSystemCase[] = [
  {
    group: 'open handles',
    title: 'writes are positioned and gaps read as zeros',
    run(c) {
      const handle = c.fs.open(c.at('file'), 'create');
      equal(handle.write(bytes('end'), 6), 3);
      equal(handle.write(bytes('ab'), 0), 2);
      equal(handle.write(new Uint8Array(0), 100), 0);
      equal(handle.size(), 9);
      const content = new Uint8Array(9);
      handle.read(content, 0);
      equal([...content], [...bytes('ab'), 0, 0, 0, 0, ...bytes('end')]);
      handle.close();
    },
  },
  {
    group: 'open handles',
    title: 'truncate cuts, and extends with zeros even where bytes were before',
    run(c) {
      const handle = c.fs.open(c.at('file'), 'create');
      handle.write(bytes('0123456789'), 0);
      handle.truncate(4);
      equal(handle.size(), 4);
      handle.truncate(8);
      const content = new Uint8Array(16);
      equal(handle.read(content, 0), 8);
      equal([...content.subarray(0, 8)], [...bytes('0123'), 0, 0, 0, 0]);
      handle.close();
    },
  },
  {
    group: 'open handles',
    title: 'a file opened for reading refuses writes and truncation',
    run(c) {
      writeText(c.fs, c.at('file'), 'kept');
      const handle = c.fs.open(c.at('file'), 'read');
      equal(
        codeOf(() => handle.write(bytes('x'), 0)),
        'EBADF',
      );
      equal(
        codeOf(() => handle.truncate(0)),
        'EINVAL',
      );
      handle.close();
      equal(readText(c.fs, c.at('file')), 'kept');
    },
  },
  {
    group: 'open handles',
    title: 'every operation on a closed handle fails with EBADF, a second close too',
    run(c) {
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
      for (const operation of operations) equal(codeOf(operation), 'EBADF');
      equal(other.size(), 0);
      equal(other.stat().mode, 0o600);
      other.close();
    },
  },
  {
    group: 'open handles',
    title: 'two handles on one file see each other’s writes at once',
    run(c) {
      const writer = c.fs.open(c.at('file'), 'create');
      const reader = c.fs.open(c.at('file'), 'read');
      writer.write(bytes('seen'), 0);
      const content = new Uint8Array(4);
      equal(reader.read(content, 0), 4);
      equal(new TextDecoder().decode(content), 'seen');
      writer.close();
      reader.close();
    },
  },
  {
    group: 'open handles',
    title: 'mode and owner can be set through a handle',
    run(c) {
      const handle = c.fs.open(c.at('file'), 'create', 0o600);
      handle.setMode(0o640);
      const { uid, gid } = handle.stat();
      handle.setOwner(uid, gid);
      handle.close();
      includes(c.fs.stat(c.at('file')), { mode: 0o640, uid, gid });
    },
  },
  {
    group: 'open handles',
    title: 'modification time never goes back, and moves on with writes',
    async run(c) {
      const handle = c.fs.open(c.at('file'), 'create');
      const created = handle.stat();
      await new Promise((resolve) => setTimeout(resolve, 20));
      handle.write(bytes('x'), 0);
      const written = handle.stat();
      isTrue(
        written.modifiedMs > created.modifiedMs,
        `${written.modifiedMs} is later than ${created.modifiedMs}`,
      );
      isTrue(
        written.changedMs > created.changedMs,
        `${written.changedMs} is later than ${created.changedMs}`,
      );
      handle.close();
    },
  },
];
