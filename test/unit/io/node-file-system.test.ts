/** What only the real file system can get wrong: descriptors, pipes, set-group-id directories. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeFileSystem } from '../../../src/io/node-file-system.js';
import { codeOf, writeText } from '../../helpers/fs-text.js';

const onLinux = process.platform === 'linux';
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'checkpoint-wal-node-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe.runIf(onLinux)('descriptors', () => {
  test('none is left by any outcome of any operation', async () => {
    const fs = createNodeFileSystem();
    const blocking = createNodeFileSystem({ sync: 'blocking' });
    writeText(fs, join(root, 'file'), 'x');
    await fs.syncDirectory(root);
    const before = descriptors();
    for (let i = 0; i < 20; i++) {
      codeOf(() => fs.open(root, 'read'));
      codeOf(() => fs.open(join(root, 'file'), 'create'));
      codeOf(() => fs.syncDirectory(join(root, 'file')));
      const handle = fs.open(join(root, 'file'), 'readWrite');
      const syncs = [handle.sync(), handle.sync(), fs.syncDirectory(root)];
      handle.close();
      await Promise.all(syncs);
      expect(await blocking.syncDirectory(root)).toBe(true);
      fs.lockHolder(join(root, 'file'));
    }
    expect(descriptors()).toBe(before);
  });

  test('a descriptor stays taken until the sync in flight has ended', async () => {
    const fs = createNodeFileSystem();
    const handle = fs.open(join(root, 'file'), 'create');
    handle.write(new Uint8Array(1 << 20), 0);
    const before = descriptors();
    const sync = handle.sync();
    handle.close();
    expect(descriptors()).toBe(before);
    await sync;
    expect(descriptors()).toBe(before - 1);
  });
});

test('blocking syncs answer at once, without a promise', () => {
  const fs = createNodeFileSystem({ sync: 'blocking' });
  const handle = fs.open(join(root, 'file'), 'create');
  expect(handle.sync()).toBeUndefined();
  handle.close();
  expect([true, false]).toContain(fs.syncDirectory(root));
});

test.runIf(onLinux)('a pipe in the place of a file is refused, not waited for', () => {
  const pipe = join(root, 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const fs = createNodeFileSystem();
  expect(codeOf(() => fs.open(pipe, 'read'))).toBe('EINVAL');
  expect(codeOf(() => fs.open(pipe, 'readWrite'))).toBe('EINVAL');
  expect(codeOf(() => fs.lock(pipe))).toBe('EINVAL');
  expect(fs.stat(pipe)?.kind).toBe('other');
});

test.runIf(onLinux)('a new directory keeps the set-group-id bit that it inherits', () => {
  chmodSync(root, 0o2775);
  const fs = createNodeFileSystem();
  const before = process.umask(0o077);
  try {
    fs.makeDirectory(join(root, 'inner'), 0o770);
  } finally {
    process.umask(before);
  }
  expect(statSync(join(root, 'inner')).mode & 0o7777).toBe(0o2770);
});
