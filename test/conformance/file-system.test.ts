/** Runs the conformance suite on every file system of this package. */

import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { mount } from '../../src/io/crash-images.js';
import { FaultyFileSystem } from '../../src/io/faulty-file-system.js';
import type { FileSystem } from '../../src/io/file-system.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { createNodeFileSystem, type NodeFileSystemOptions } from '../../src/io/node-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { SimulatedDisk } from '../../src/io/simulated-disk.js';
import {
  SyncSchedule,
  SyncSchedulingFileSystem,
} from '../../src/io/sync-scheduling-file-system.js';
import { SyncWatchingFileSystem } from '../../src/io/sync-watching-file-system.js';
import { fileSystemConformance } from '../../src/testing/conformance/file-system-conformance.js';
import type { FileSystemSubject } from '../../src/testing/conformance/file-system-conformance-case.js';

function onNode(options: NodeFileSystemOptions): FileSystemSubject {
  const root = mkdtempSync(join(realpathSync.native(tmpdir()), 'checkpoint-wal-fs-'));
  return {
    fs: createNodeFileSystem(options),
    root,
    symlink: (target, path) => symlinkSync(target, path),
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}

function oneSyncAtATime(fs: FileSystem): FileSystem {
  return new SyncSchedulingFileSystem(fs, new SyncSchedule(1));
}

function inMemory(
  memory: MemoryFileSystem,
  wrap: (fs: MemoryFileSystem) => FileSystem = (fs) => fs,
): FileSystemSubject {
  memory.makeDirectory('/store');
  return {
    fs: wrap(memory),
    root: '/store',
    symlink: (target, path) => memory.symlink(target, path),
    dispose: () => undefined,
  };
}

const subjects: Record<string, () => FileSystemSubject> = {
  node: () => onNode({}),
  'node, blocking syncs, owner-file lock': () => onNode({ sync: 'blocking', lock: 'owner-file' }),
  'node, one sync at a time': () => {
    const subject = onNode({});
    return { ...subject, fs: oneSyncAtATime(subject.fs) };
  },
  memory: () => inMemory(new MemoryFileSystem()),
  'memory, one sync at a time': () => inMemory(new MemoryFileSystem(), oneSyncAtATime),
  'recording memory': () =>
    inMemory(new MemoryFileSystem(), (memory) => new RecordingFileSystem(memory)),
  'memory with watched syncs': () =>
    inMemory(
      new MemoryFileSystem(),
      (memory) => new SyncWatchingFileSystem(memory, (_kind, _path, act) => act()),
    ),
  'simulated disk, posix-minimal': () => inMemory(new SimulatedDisk({ model: 'posix-minimal' })),
  'simulated disk, ordered': () => inMemory(new SimulatedDisk({ model: 'ordered' })),
  'simulated disk, mounted from an image': () =>
    inMemory(mount(new SimulatedDisk().moment().durable, 'posix-minimal')),
  'simulated disk under a file system without faults': () =>
    inMemory(new SimulatedDisk(), (disk) => new FaultyFileSystem(disk)),
};

describe.each(Object.entries(subjects))('%s', (_, create) => {
  test.each(fileSystemConformance)('$group: $title', ({ run }) => run(create));
});
