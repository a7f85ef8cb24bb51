/**
 * The file systems in memory against the real one: any sequence of operations must give the same
 * results, the same errors in the same words, and the same tree. Linux rules the words, so it runs there.
 */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mount } from '../../src/io/crash-images.js';
import { FaultyFileSystem } from '../../src/io/faulty-file-system.js';
import type { FileHandle, FileStat, FileSystem, OpenMode } from '../../src/io/file-system.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { createNodeFileSystem } from '../../src/io/node-file-system.js';
import { SimulatedDisk } from '../../src/io/simulated-disk.js';

const { FC_RUNS = '1' } = process.env;
const runs = Math.ceil(120 * Number(FC_RUNS));

/** Paths are relative to the root here, so that a failing sequence prints legibly. */
type Operation =
  | { readonly do: 'open'; readonly path: string; readonly how: OpenMode; readonly mode: number }
  | {
      readonly do: 'read';
      readonly handle: number;
      readonly bytes: number;
      readonly position: number;
    }
  | {
      readonly do: 'write';
      readonly handle: number;
      readonly text: string;
      readonly position: number;
    }
  | { readonly do: 'truncate'; readonly handle: number; readonly size: number }
  | { readonly do: 'setMode'; readonly handle: number; readonly mode: number }
  | { readonly do: 'handleStat' | 'size' | 'sync' | 'close'; readonly handle: number }
  | { readonly do: 'rename' | 'link'; readonly path: string; readonly to: string }
  | {
      readonly do: 'symlink';
      readonly target: string;
      readonly absolute: boolean;
      readonly path: string;
    }
  | { readonly do: 'makeDirectory'; readonly path: string; readonly mode: number }
  | {
      readonly do:
        | 'unlink'
        | 'removeDirectory'
        | 'list'
        | 'stat'
        | 'statLink'
        | 'realPath'
        | 'readLink'
        | 'syncDirectory';
      readonly path: string;
    };

const name = fc.constantFrom('a', 'b', 'c');
const part = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 1, arbitrary: fc.constantFrom('.', '..') },
);
const plainPath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const path = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 11 }))
  .map(([parts, dice]) => `${parts.join('/')}${dice === 0 ? '/' : ''}`);
const fileMode = fc.constantFrom(0o600, 0o640, 0o644, 0o755);
const handle = fc.nat({ max: 5 });
const position = fc.nat({ max: 40 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      path,
      how: fc.constantFrom<OpenMode>('create', 'create', 'read', 'readWrite'),
      mode: fileMode,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('read' as const), handle, bytes: position, position }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      handle,
      text: fc.string({ maxLength: 20 }),
      position,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('truncate' as const), handle, size: position }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('setMode' as const), handle, mode: fileMode }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('handleStat' as const, 'size', 'sync', 'close'),
      handle,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('rename' as const, 'link'), path, to: path }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('symlink' as const),
      target: plainPath,
      absolute: fc.boolean(),
      path,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('makeDirectory' as const),
      path,
      mode: fc.constantFrom(0o700, 0o755, 0o750),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'unlink' as const,
        'removeDirectory',
        'list',
        'stat',
        'statLink',
        'realPath',
        'readLink',
        'syncDirectory',
      ),
      path,
    }),
  },
);

/** One file system with the handles that a sequence has opened in it. */
class Player {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #symlink: (target: string, path: string) => void;
  readonly #handles: FileHandle[] = [];

  constructor(fs: FileSystem, root: string, symlink: (target: string, path: string) => void) {
    this.#fs = fs;
    this.#root = root;
    this.#symlink = symlink;
  }

  /** Performs one operation; its outcome as comparable data. */
  play(step: Operation): unknown {
    try {
      return { result: this.#perform(step) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : error };
    }
  }

  /** Everything below the root, by path. */
  tree(path = this.#root): unknown {
    const stat = this.#fs.statLink(path);
    if (stat?.kind === 'directory') {
      return [
        comparable(stat),
        this.#fs.list(path).map((child) => [child, this.tree(`${path}/${child}`)]),
      ];
    }
    if (stat?.kind === 'symlink') return [comparable(stat), this.#fs.readLink(path)];
    return [comparable(stat), this.#content(path)];
  }

  closeAll(): void {
    for (const open of this.#handles) {
      try {
        open.close();
      } catch {
        // Closed by the sequence already.
      }
    }
  }

  #perform(step: Operation): unknown {
    if (step.do === 'open') {
      this.#handles.push(this.#fs.open(this.#at(step.path), step.how, step.mode));
      return 'opened';
    }
    if (step.do === 'symlink') {
      const target = step.absolute ? this.#at(step.target) : step.target;
      return this.#symlink(target, this.#at(step.path));
    }
    if ('handle' in step) return this.#performOnHandle(step);
    if (step.do === 'rename' || step.do === 'link') {
      return this.#fs[step.do](this.#at(step.path), this.#at(step.to));
    }
    if (step.do === 'makeDirectory') return this.#fs.makeDirectory(this.#at(step.path), step.mode);
    if (step.do === 'stat' || step.do === 'statLink') {
      return comparable(this.#fs[step.do](this.#at(step.path)));
    }
    return this.#fs[step.do](this.#at(step.path));
  }

  #performOnHandle(step: Extract<Operation, { handle: number }>): unknown {
    const open = this.#handles[step.handle];
    if (open === undefined) return 'no such handle';
    switch (step.do) {
      case 'read': {
        const target = new Uint8Array(step.bytes);
        return [open.read(target, step.position), [...target]];
      }
      case 'write':
        return open.write(new TextEncoder().encode(step.text), step.position);
      case 'truncate':
        return open.truncate(step.size);
      case 'setMode':
        return open.setMode(step.mode);
      case 'handleStat':
        return comparable(open.stat());
      default:
        return open[step.do]();
    }
  }

  #at(path: string): string {
    return `${this.#root}/${path}`;
  }

  #content(path: string): number[] {
    const open = this.#fs.open(path, 'read');
    const target = new Uint8Array(100);
    const read = open.read(target, 0);
    open.close();
    return [...target.subarray(0, read)];
  }
}

/** What must be equal: not times, numbers and owners, and for directories not what disks count themselves. */
function comparable(stat: FileStat | undefined): unknown {
  if (stat === undefined) return undefined;
  const { kind, mode, size, links } = stat;
  return kind === 'directory' ? { kind, mode } : { kind, mode, size, links };
}

/** The file systems in memory that are compared, with what a sequence sees of each. */
const simulations: Record<string, () => { memory: MemoryFileSystem; fs: FileSystem }> = {
  memory: () => plain(new MemoryFileSystem()),
  'a simulated disk (posix-minimal)': () => plain(new SimulatedDisk({ model: 'posix-minimal' })),
  'a simulated disk (ordered) under a file system without faults': () => {
    const memory = new SimulatedDisk({ model: 'ordered' });
    return { memory, fs: new FaultyFileSystem(memory) };
  },
};

const plain = (memory: MemoryFileSystem) => ({ memory, fs: memory });

describe.runIf(process.platform === 'linux')('memory and node', () => {
  test.each(Object.entries(simulations))(
    'any sequence of operations has the same results, errors and tree on node and on %s',
    (_, simulate) => {
      fc.assert(
        fc.property(fc.array(operation, { minLength: 5, maxLength: 60, size: 'max' }), (steps) =>
          compare(simulate(), steps),
        ),
        { numRuns: runs },
      );
    },
  );

  test('any sequence of operations on a simulated disk leaves what it shows, killed or settled', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.constantFrom('posix-minimal' as const, 'ordered'),
        (steps, model) => {
          const disk = new SimulatedDisk({ model });
          makeAll(disk, simulatedRoot);
          const player = playerOn(disk, disk);
          for (const step of steps) player.play(step);
          player.closeAll();
          // Rebuilt from the journal alone, and from what settling made durable.
          const killed = mount(disk.visible(), model);
          disk.settle();
          const settled = mount(disk.moment().durable, model);
          for (const found of [killed, settled]) {
            expect(playerOn(found, found).tree()).toEqual(player.tree());
          }
        },
      ),
      { numRuns: runs },
    );
  });
});

const simulatedRoot = '/1/2/3/4';

function playerOn(memory: MemoryFileSystem, fs: FileSystem, root = simulatedRoot): Player {
  return new Player(fs, root, (target, at) => memory.symlink(target, at));
}

/** Runs a sequence on both and compares after every step, and everything at the end. */
function compare(
  { memory, fs }: { readonly memory: MemoryFileSystem; readonly fs: FileSystem },
  steps: readonly Operation[],
): void {
  const base = mkdtempSync(join(realpathSync.native(tmpdir()), 'checkpoint-wal-differ-'));
  // Deep enough for every `..` of a path to stay inside, also behind symbolic links.
  const root = join(base, simulatedRoot);
  try {
    mkdirSync(root, { recursive: true });
    makeAll(memory, root);
    const real = new Player(createNodeFileSystem({ sync: 'blocking' }), root, symlinkSync);
    const simulated = playerOn(memory, fs, root);
    for (const [index, step] of steps.entries()) {
      expect([index, step, simulated.play(step)]).toEqual([index, step, real.play(step)]);
    }
    real.closeAll();
    simulated.closeAll();
    expect(simulated.tree()).toEqual(real.tree());
    expect(memory.openHandles()).toBe(0);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function makeAll(fs: MemoryFileSystem, path: string): void {
  if (path === '/') return;
  makeAll(fs, dirname(path));
  fs.makeDirectory(path, 0o755);
}
