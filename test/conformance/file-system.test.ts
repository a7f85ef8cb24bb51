/** Runs the conformance suite on every file system of this package. */

import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { createNodeFileSystem, type NodeFileSystemOptions } from '../../src/io/node-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { describeFileSystem, type Subject } from './file-system-suite.js';

function onNode(options: NodeFileSystemOptions): Subject {
  const root = mkdtempSync(join(realpathSync.native(tmpdir()), 'checkpoint-wal-fs-'));
  return {
    fs: createNodeFileSystem(options),
    root,
    symlink: (target, path) => symlinkSync(target, path),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}

function inMemory(wrap: (fs: MemoryFileSystem) => Subject['fs']): Subject {
  const memory = new MemoryFileSystem();
  memory.makeDirectory('/store');
  return {
    fs: wrap(memory),
    root: '/store',
    symlink: (target, path) => memory.symlink(target, path),
    dispose: () => undefined,
  };
}

describeFileSystem('node', () => onNode({}));
describeFileSystem('node, blocking syncs, owner-file lock', () =>
  onNode({ sync: 'blocking', lock: 'owner-file' }),
);
describeFileSystem('memory', () => inMemory((memory) => memory));
describeFileSystem('recording memory', () => inMemory((memory) => new RecordingFileSystem(memory)));
