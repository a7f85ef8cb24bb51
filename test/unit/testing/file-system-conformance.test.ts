/**
 * The conformance suite itself: file systems that break one rule each fail the case that names it.
 */
import { describe, expect, it } from 'vitest';
import type { FileSystem, OpenMode } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { fileSystemConformance } from '../../../src/testing/conformance/file-system-conformance.js';

class Overwriting extends MemoryFileSystem {
  override open(path: string, how: OpenMode, mode?: number) {
    if (how === 'create' && this.statLink(path)?.kind === 'file') this.unlink(path);
    return super.open(path, how, mode);
  }
}

class Careless extends MemoryFileSystem {
  override link(existing: string, path: string) {
    if (this.statLink(path) !== undefined) this.unlink(path);
    super.link(existing, path);
  }
}

class Unsorted extends MemoryFileSystem {
  override list(path: string) {
    return super.list(path).reverse();
  }
}

class Unlocked extends MemoryFileSystem {
  override lock(path: string) {
    if (this.stat(path) !== undefined) this.unlink(path);
    return super.lock(path);
  }
}

class Deaf extends MemoryFileSystem {
  override syncDirectory(): boolean {
    return true;
  }
}

async function failuresOf(create: () => MemoryFileSystem): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, run } of fileSystemConformance) {
    const subject = () => {
      const fs = create();
      fs.makeDirectory('/store');
      const symlink = (target: string, path: string) => fs.symlink(target, path);
      return { fs: fs as FileSystem, root: '/store', symlink, dispose: () => {} };
    };
    await run(subject).catch((error: Error) => failed.push(`${title}: ${error.message}`));
  }
  return failed;
}

describe('the conformance suite of file systems', () => {
  it('passes one that keeps every rule', async () => {
    expect(await failuresOf(() => new MemoryFileSystem())).toEqual([]);
  });

  it.each([
    ['overwrites on create', Overwriting, /create is exclusive.*expected "EEXIST"/],
    ['replaces a name by a link', Careless, /link gives a second name.*expected "EEXIST"/],
    ['lists in another order', Unsorted, /list gives names sorted by code unit/],
    ['gives a lock twice', Unlocked, /the lock excludes a second taker/],
    ['syncs directories that are not there', Deaf, /their errors are coded.*expected "ENOENT"/],
  ] as const)('fails one that %s, and says why', async (_, Broken, message) => {
    expect((await failuresOf(() => new Broken())).join('\n')).toMatch(message);
  });
});
