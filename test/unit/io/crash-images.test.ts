/**
 * Which images a crash may leave: exact counts for small cases, each fate, torn writes, sampling; and
 * every small case against a second description of the models, which works the other way round: not
 * from a list of pending operations to their fates, but as the set of all states in which the disk
 * may be, changed by each operation in turn.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CrashImage, crashImages, fingerprint, mount } from '../../../src/io/crash-images.js';
import type { DiskState } from '../../../src/io/disk-state.js';
import type { FileHandle } from '../../../src/io/file-system.js';
import {
  describeState,
  type PersistenceModel,
  SimulatedDisk,
} from '../../../src/io/simulated-disk.js';
import { readText } from '../../helpers/fs-text.js';

const { FC_RUNS = '1' } = process.env;
const numRuns = Math.ceil(150 * Number(FC_RUNS));
const models = ['posix-minimal', 'ordered'] as const;
const sector = 512;
const textOf = (content: Uint8Array) => new TextDecoder('latin1').decode(content);
const listing = (state: DiskState) => fingerprint(state, textOf);
const plenty = { limit: 20_000, seed: 1 };

function imagesOf(disk: SimulatedDisk): CrashImage[] {
  const { images, chosen, total } = crashImages(disk.moment(), plenty);
  const all = [...images];
  expect([chosen, all.length]).toEqual(['exhaustive', total]);
  return all;
}

/** A disk on which the file `/f` of `old` is durable and `change` is pending. */
function changed(
  model: PersistenceModel,
  old: Uint8Array,
  change: (handle: FileHandle, disk: SimulatedDisk) => void,
): SimulatedDisk {
  const disk = new SimulatedDisk({ model });
  const handle = disk.open('/f', 'create');
  handle.write(old, 0);
  disk.settle();
  change(handle, disk);
  return disk;
}

const filled = (count: number, byte: number) => new Uint8Array(count).fill(byte);
const O = 0x4f;
const N = 0x4e;

describe('the number of images', () => {
  test.each<[string, number, number, (handle: FileHandle, disk: SimulatedDisk) => void]>([
    ['nothing', 1, 1, () => {}],
    ['a new name', 2, 2, (_, disk) => disk.open('/n', 'create')],
    ['a removed name', 2, 2, (_, disk) => disk.unlink('/f')],
    ['a rename', 3, 2, (_, disk) => disk.rename('/f', '/g')],
    ['a new size', 2, 2, (handle) => handle.truncate(1)],
    ['a write in one sector', 4, 3, (handle) => handle.write(filled(512, N), 0)],
    ['a write in two sectors', 7, 6, (handle) => handle.write(filled(513, N), 0)],
    ['a write across a border', 7, 6, (handle) => handle.write(filled(2, N), 511)],
    ['a write in five sectors', 7, 6, (handle) => handle.write(filled(2560, N), 0)],
    [
      'a file created and written',
      8,
      6,
      (_, disk) => disk.open('/n', 'create').write(filled(3, N), 0),
    ],
    [
      'three names',
      8,
      4,
      (_, disk) => {
        for (const path of ['/1', '/2', '/3']) disk.makeDirectory(path);
      },
    ],
    [
      'truncated, written, renamed',
      2 * 4 * 3,
      2 * 3 * 2,
      (handle, disk) => {
        handle.truncate(0);
        handle.write(filled(3, N), 0);
        disk.rename('/f', '/g');
      },
    ],
  ])('of %s is %i and %i', (_, minimal, ordered, change) => {
    expect(imagesOf(changed('posix-minimal', filled(3, O), change))).toHaveLength(minimal);
    expect(imagesOf(changed('ordered', filled(3, O), change))).toHaveLength(ordered);
  });

  test('of a rename between directories counts its halves', () => {
    const move = (_: FileHandle, disk: SimulatedDisk) => {
      disk.makeDirectory('/d');
      disk.settle();
      disk.rename('/f', '/d/f');
    };
    expect(imagesOf(changed('posix-minimal', filled(3, O), move))).toHaveLength(4);
    expect(imagesOf(changed('ordered', filled(3, O), move))).toHaveLength(2);
  });
});

/** A file sector by sector: `O` and `N` old and new, `0` zero, `?` else, a fraction for what is cut off. */
function sectorsOf(content: Uint8Array): string {
  let text = '';
  for (let at = 0; at < content.length; at += sector) {
    const part = content.subarray(at, at + sector);
    const kind = [O, N, 0].find((byte) => part.every((one) => one === byte));
    text += kind === undefined ? '?' : kind === 0 ? '0' : String.fromCharCode(kind);
  }
  return text;
}

const fileOf = ({ state }: CrashImage) => describeState(state)[0]?.content ?? new Uint8Array(0);
const shapes = (images: Iterable<CrashImage>) =>
  [...new Set(Array.from(images, (image) => sectorsOf(fileOf(image))))].sort();

describe('a torn write', () => {
  const over = (model: PersistenceModel) =>
    changed(model, filled(3 * sector, O), (handle) => handle.write(filled(3 * sector, N), 0));
  const behind = (model: PersistenceModel) =>
    changed(model, filled(sector, O), (handle) => handle.write(filled(3 * sector, N), sector));

  test('over old content: old, new, a beginning, an end, zeros, garbage', () => {
    expect(shapes(imagesOf(over('posix-minimal')))).toEqual(
      ['OOO', 'NNN', 'NNO', 'N00', '00N', '000', '?NN'].sort(),
    );
    expect(shapes(imagesOf(over('ordered')))).toEqual(
      ['OOO', 'NNN', 'NNO', 'N00', '00N', '000'].sort(),
    );
  });

  test('at the end of a file: it did not grow, grew in part, or with zeros or garbage in it', () => {
    expect(shapes(imagesOf(behind('posix-minimal')))).toEqual(
      ['O', 'ONNN', 'ONN', 'ON00', 'O00N', 'O000', 'O?NN'].sort(),
    );
    const sizes = imagesOf(behind('ordered')).map((image) => fileOf(image).length / sector);
    expect([...new Set(sizes)].sort()).toEqual([1, 3, 4]);
  });

  test('keeps to its own bytes in sectors that it shares', () => {
    const disk = changed('posix-minimal', filled(2 * sector, O), (handle) =>
      handle.write(filled(20, N), sector - 10),
    );
    for (const image of imagesOf(disk)) {
      const text = textOf(fileOf(image));
      expect(text.slice(0, sector - 10)).toBe('O'.repeat(sector - 10));
      expect(text.slice(sector + 10)).toBe('O'.repeat(sector - 10));
      expect(text).toHaveLength(2 * sector);
    }
  });

  test('far behind the end leaves zeros in the gap, or no trace', () => {
    const disk = changed('posix-minimal', filled(3, O), (handle) =>
      handle.write(filled(3, N), 2000),
    );
    const sizes = imagesOf(disk).map((image) => fileOf(image).length);
    expect([...new Set(sizes)].sort()).toEqual([2003, 3]);
    for (const image of imagesOf(disk)) {
      expect([...fileOf(image).subarray(3, 2000)].every((byte) => byte === 0)).toBe(true);
    }
  });

  test('of which no sector was kept leaves the size as it was', () => {
    const disk = changed('ordered', filled(3, O), (handle) => handle.write(filled(100, N), 2000));
    const sizes = new Set<number>();
    const other = disk.open('/other', 'create');
    for (let index = 0; index < 9; index += 1) other.write(filled(1, N), index);
    for (const { state } of crashImages(disk.moment(), { limit: 2000, seed: 1 }).images) {
      const file = describeState(state).find(({ path }) => path === '/f');
      sizes.add(file?.content?.length ?? -1);
    }
    expect([...sizes].sort((a, b) => a - b)).toEqual([3, 2048, 2100]);
  });

  test.each([
    ['posix-minimal', 24],
    ['ordered', 16],
  ] as const)(
    'when sampled under %s keeps any set of sectors, over any filling',
    (model, count) => {
      const disk = over(model);
      // So much besides that the space is far too large to be enumerated.
      const other = disk.open('/other', 'create');
      for (let index = 0; index < 9; index += 1) other.write(filled(1, N), index);
      const { images, chosen } = crashImages(disk.moment(), { limit: 3000, seed: 3 });
      expect(chosen).toBe('sampled');
      const torn = new Set<string>();
      const contents = new Set<string>();
      for (const image of images) {
        const fate = image.fates
          .find((one) => one.startsWith('write 1536 bytes'))
          ?.split('torn: sectors ')[1];
        if (fate === undefined) continue;
        torn.add(fate);
        const file = describeState(image.state).find(({ path }) => path === '/f');
        contents.add(sectorsOf(file?.content ?? new Uint8Array(0)));
      }
      expect(torn.size).toBe(count);
      const fillings = model === 'ordered' ? 'O0' : 'O0?';
      const expected = new Set<string>();
      for (const filling of fillings) {
        for (let bits = 0; bits < 8; bits += 1) {
          expected.add([4, 2, 1].map((bit) => (bits & bit ? 'N' : filling)).join(''));
        }
      }
      expect([...contents].sort()).toEqual([...expected].sort());
    },
  );
});

describe('fates', () => {
  test('are told in order, one for each operation, and each occurs', () => {
    const disk = changed('posix-minimal', filled(3, O), (handle, on) => {
      handle.write(filled(600, N), 0);
      on.rename('/f', '/g');
      on.open('/n', 'create');
    });
    const seen = new Set<string>();
    for (const { fates } of imagesOf(disk)) {
      expect(fates).toHaveLength(3);
      for (const fate of fates) seen.add(fate);
    }
    expect([...seen].sort()).toEqual(
      [
        'add name n in /: kept',
        'add name n in /: lost',
        'rename f to g: kept',
        'rename f to g: lost',
        'rename f to g: the new name alone',
        'write 600 bytes at 0 of g: kept',
        'write 600 bytes at 0 of g: lost',
        'write 600 bytes at 0 of g: torn: all but its last sector',
        'write 600 bytes at 0 of g: torn: garbage in its first sector',
        'write 600 bytes at 0 of g: torn: its first sector, the rest zeros',
        'write 600 bytes at 0 of g: torn: its last sector, the rest zeros',
        'write 600 bytes at 0 of g: torn: its size alone, all zeros',
      ].sort(),
    );
  });

  test('of names in order are how many of them there are', () => {
    const disk = changed('ordered', filled(3, O), (_, on) => {
      on.rename('/f', '/g');
      on.unlink('/g');
    });
    expect(imagesOf(disk).map(({ fates }) => fates)).toEqual([
      ['names: the first 0 of 2 names'],
      ['names: the first 1 of 2 names'],
      ['names: the first 2 of 2 names'],
    ]);
  });
});

describe('sampling', () => {
  const large = (model: PersistenceModel) =>
    changed(model, filled(3, O), (handle, disk) => {
      for (let index = 0; index < 12; index += 1) {
        handle.write(filled(700, N), index * 700);
        disk.makeDirectory(`/${index}`);
      }
    });
  const sample = (disk: SimulatedDisk, limit: number, seed: number) => {
    const { images, chosen, total } = crashImages(disk.moment(), { limit, seed });
    const all = Array.from(images, ({ state, fates }) => ({ text: listing(state), fates }));
    return { all, chosen, total };
  };

  test.each(models)('begins with nothing kept and everything kept, under %s', (model) => {
    const disk = large(model);
    const { all, chosen, total } = sample(disk, 2, 1);
    expect([chosen, all.length]).toEqual(['sampled', 2]);
    expect(total).toBe(model === 'ordered' ? 6 ** 12 * 13 : 7 ** 12 * 2 ** 12);
    expect(all[0]?.text).toBe(listing(disk.moment().durable));
    expect(all[1]?.text).toBe(listing(disk.visible()));
  });

  test('is the same for a seed, differs between seeds, and gives as many as asked for', () => {
    const disk = large('posix-minimal');
    expect(sample(disk, 400, 5)).toEqual(sample(disk, 400, 5));
    expect(sample(disk, 400, 5)).not.toEqual(sample(disk, 400, 6));
    for (const limit of [0, 1, 3, 400]) expect(sample(disk, limit, 5).all).toHaveLength(limit);
  });

  test('goes on with each image one operation away from an extreme, none of them twice', () => {
    const disk = large('posix-minimal');
    // For a write 6 other fates, for a name 1, from each extreme; and the extremes.
    const count = 2 + 12 * 2 * (6 + 1);
    const { all } = sample(disk, count, 1);
    const choices = all.map(({ fates }) => fates.join('\n'));
    expect(new Set(choices).size).toBe(count);
    const [lost = [], kept = []] = all.map(({ fates }) => fates);
    for (const { fates } of all.slice(2)) {
      const apart = [lost, kept].map((extreme) => fates.filter((one, at) => one !== extreme[at]));
      expect(Math.min(...apart.map(({ length }) => length))).toBe(1);
    }
  });

  test('looks at every operation by and by when only a few images are asked for', () => {
    const disk = large('posix-minimal');
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed += 1) {
      const { all } = sample(disk, 6, seed);
      const [lost = [], kept = []] = all.map(({ fates }) => fates);
      for (const { fates } of all.slice(2)) {
        const isOnlyOne = (extreme: readonly string[]) =>
          fates.filter((one, at) => one !== extreme[at]).length === 1;
        const extreme = isOnlyOne(lost) ? lost : kept;
        for (const [at, one] of fates.entries()) if (one !== extreme[at]) seen.add(one);
      }
    }
    expect(seen.size).toBe(12 * (7 + 2));
  });

  test('is lazy', () => {
    const { images } = crashImages(large('ordered').moment(), { limit: 1e9, seed: 1 });
    const [first] = images;
    expect(first?.fates.length).toBeGreaterThan(0);
  });

  test('says that it was exhaustive just where the space fits', () => {
    const disk = changed('posix-minimal', filled(3, O), (_, on) => on.rename('/f', '/g'));
    const chosen = (limit: number) => crashImages(disk.moment(), { limit, seed: 1 }).chosen;
    expect([chosen(2), chosen(3)]).toEqual(['sampled', 'exhaustive']);
  });
});

describe('images', () => {
  test('do not know of each other or of the disk', () => {
    const disk = changed('posix-minimal', filled(3, O), (handle) => handle.write(filled(3, N), 0));
    const images = imagesOf(disk);
    const before = images.map(({ state }) => listing(state));
    for (const { state } of images) {
      const after = mount(state, 'posix-minimal');
      after.open('/f', 'readWrite').write(filled(9, 1), 0);
      after.rename('/f', '/g');
      after.settle();
    }
    disk.unlink('/f');
    disk.settle();
    expect(images.map(({ state }) => listing(state))).toEqual(before);
  });

  test('of images of images are images: three crashes in a row', () => {
    let disks = [changed('posix-minimal', filled(1, O), () => {})];
    for (const byte of [1, 2, 3]) {
      disks = disks.flatMap((disk) => {
        disk.open('/f', 'readWrite').write(filled(1, byte), byte);
        const all = imagesOf(disk);
        expect(all).toHaveLength(4);
        return all.map(({ state }) => mount(state, 'posix-minimal'));
      });
    }
    const texts = new Set(disks.map((disk) => readText(disk, '/f')));
    expect(disks).toHaveLength(64);
    expect(texts).toContain('O');
    expect(texts).toContain('O\x01\x02\x03');
    expect(texts).toContain('O\0\x02');
    expect([...texts].every((text) => text.startsWith('O'))).toBe(true);
  });
});

/** A small program, to be run on the disk and on its second description. */
type Step =
  | { readonly do: 'create' | 'unlink'; readonly path: string }
  | { readonly do: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly do: 'write' | 'truncate' | 'sync'; readonly file: number }
  | { readonly do: 'syncDirectory'; readonly path: string };

const somePath = fc.constantFrom('/p/a', '/p/b', '/q/a', '/q/b');
const someFile = fc.nat({ max: 2 });
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('create' as const), path: somePath }) },
  fc.record({ do: fc.constant('unlink' as const), path: somePath }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('rename' as const, 'rename', 'link'),
      path: somePath,
      to: somePath,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'write', 'truncate', 'sync'),
      file: someFile,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('syncDirectory' as const),
      path: fc.constantFrom('/p', '/q'),
    }),
  },
);
const someSteps = fc.array(someStep, { minLength: 1, maxLength: 9, size: 'max' });

/** Every write is of this many bytes at the start, so that contents can be named by one letter. */
const WRITE_BYTES = 3;

/** One state in which the disk may be: files by path, contents by file as one letter, `-` for empty. */
interface Possible {
  readonly names: ReadonlyMap<string, number>;
  readonly contents: readonly string[];
  /** How many changes of names it has seen; of use where they come in order. */
  readonly seen: number;
}

const keyOf = ({ names, contents, seen }: Possible) =>
  JSON.stringify([[...names].sort(), contents, seen]);

/** The second description: all states in which the disk may be, from the start on. */
class Possibilities {
  readonly #isOrdered: boolean;
  #all: Possible[];
  #visible: Possible = { names: new Map(), contents: [], seen: 0 };
  #writes = 0;

  constructor(model: PersistenceModel) {
    this.#isOrdered = model === 'ordered';
    this.#all = [this.#visible];
  }

  listings(): string[] {
    return [...new Set(this.#all.map(listPossible))].sort();
  }

  take(step: Step): void {
    switch (step.do) {
      case 'create': {
        if (this.#visible.names.has(step.path)) return;
        const file = this.#visible.contents.length;
        const withFile = (one: Possible) => ({ ...one, contents: [...one.contents, '-'] });
        this.#all = this.#all.map(withFile);
        this.#visible = withFile(this.#visible);
        this.#rename((names) => names.set(step.path, file));
        return;
      }
      case 'unlink':
        if (!this.#visible.names.has(step.path)) return;
        this.#rename((names) => names.delete(step.path));
        return;
      case 'link': {
        const file = this.#visible.names.get(step.path);
        if (file === undefined || this.#visible.names.has(step.to)) return;
        this.#rename((names) => names.set(step.to, file));
        return;
      }
      case 'rename':
        this.#move(step.path, step.to);
        return;
      case 'write': {
        this.#writes += 1;
        const torn = this.#isOrdered ? ['0'] : ['0', '?'];
        this.#change(step.file, String.fromCharCode(0x40 + this.#writes), torn);
        return;
      }
      case 'truncate':
        this.#change(step.file, '-', []);
        return;
      case 'sync': {
        const content = this.#visible.contents[step.file];
        if (content === undefined) return;
        this.#settle((one) => ({ ...one, contents: one.contents.with(step.file, content) }));
        if (this.#isOrdered) this.#settleNames(() => true);
        return;
      }
      case 'syncDirectory':
        this.#settleNames((path) => this.#isOrdered || path.startsWith(step.path));
        return;
    }
  }

  #move(path: string, to: string): void {
    const file = this.#visible.names.get(path);
    if (file === undefined || this.#visible.names.get(to) === file) return;
    const halves = [(names: Map<string, number>) => void names.set(to, file)];
    if (path.slice(0, 2) !== to.slice(0, 2)) halves.push((names) => void names.delete(path));
    this.#rename(
      (names) => {
        names.set(to, file);
        names.delete(path);
      },
      ...(this.#isOrdered ? [] : halves),
    );
  }

  /** Names change, or not, or by one of the halves; in order only where all before have changed. */
  #rename(whole: (names: Map<string, number>) => void, ...halves: (typeof whole)[]): void {
    const done = this.#visible.seen;
    const changed = (one: Possible, change: typeof whole) => {
      const names = new Map(one.names);
      change(names);
      return { ...one, names, seen: done + 1 };
    };
    this.#spread((one) => {
      if (this.#isOrdered && one.seen !== done) return [];
      return [whole, ...halves].map((change) => changed(one, change));
    });
    this.#visible = changed(this.#visible, whole);
    if (!this.#isOrdered) this.#settle((one) => ({ ...one, seen: done + 1 }));
  }

  #change(file: number, content: string, torn: readonly string[]): void {
    if (this.#visible.contents[file] === undefined) return;
    this.#spread((one) =>
      [content, ...torn].map((kind) => ({ ...one, contents: one.contents.with(file, kind) })),
    );
    const contents = this.#visible.contents.with(file, content);
    this.#visible = { ...this.#visible, contents };
  }

  #settleNames(isSynced: (path: string) => boolean): void {
    const { names: wanted, seen } = this.#visible;
    this.#settle((one) => {
      const rest = [...one.names].filter(([path]) => !isSynced(path));
      const synced = [...wanted].filter(([path]) => isSynced(path));
      return { ...one, names: new Map([...rest, ...synced]), seen };
    });
  }

  #spread(branch: (one: Possible) => Possible[]): void {
    this.#all = distinct(this.#all.flatMap((one) => [one, ...branch(one)]));
  }

  #settle(change: (one: Possible) => Possible): void {
    this.#all = distinct(this.#all.map(change));
  }
}

const distinct = (all: Possible[]) => [...new Map(all.map((one) => [keyOf(one), one])).values()];

function listPossible({ names, contents }: Possible): string {
  const files = [...names].map(([path, file]) => `${path}=${contents[file]}`);
  return files.sort().join(' ');
}

/** The same words for an image of the real thing. */
function listImage(state: DiskState): string {
  const files = describeState(state).flatMap(({ path, content }) =>
    content === undefined ? [] : [`${path}=${letterOf(content)}`],
  );
  return files.sort().join(' ');
}

function letterOf(content: Uint8Array): string {
  const [byte = 0] = content;
  if (content.length === 0) return '-';
  if (content.length !== WRITE_BYTES) return `${content.length} bytes`;
  if (byte !== 0 && (byte < 0x41 || byte > 0x4a)) return '?';
  if (!content.every((one) => one === byte)) return '?';
  return byte === 0 ? '0' : String.fromCharCode(byte);
}

/** Runs steps on a disk; those that fail, as both sides know, do nothing. */
class Runner {
  readonly disk: SimulatedDisk;
  readonly #handles: FileHandle[] = [];
  #writes = 0;

  constructor(model: PersistenceModel) {
    this.disk = new SimulatedDisk({ model });
    this.disk.makeDirectory('/p');
    this.disk.makeDirectory('/q');
    this.disk.settle();
  }

  take(step: Step): void {
    const { disk } = this;
    if ('file' in step) {
      this.#takeOnFile(step.do, this.#handles[step.file]);
      return;
    }
    try {
      if ('to' in step) disk[step.do](step.path, step.to);
      else if (step.do === 'create') this.#handles.push(disk.open(step.path, 'create'));
      else disk[step.do](step.path);
    } catch (error) {
      expect(['EEXIST', 'ENOENT']).toContain((error as { code?: string }).code);
    }
  }

  #takeOnFile(what: 'write' | 'truncate' | 'sync', handle: FileHandle | undefined): void {
    if (what === 'write') {
      this.#writes += 1;
      handle?.write(filled(WRITE_BYTES, 0x40 + this.#writes), 0);
    } else if (what === 'truncate') {
      handle?.truncate(0);
    } else {
      void handle?.sync();
    }
  }
}

function run(model: PersistenceModel, steps: readonly Step[]): Runner {
  const runner = new Runner(model);
  for (const step of steps) runner.take(step);
  return runner;
}

describe('compared with the second description', () => {
  test.each(models)('a small program leaves exactly the same images under %s', (model) => {
    let compared = 0;
    fc.assert(
      fc.property(someSteps, (steps) => {
        const runner = new Runner(model);
        const possible = new Possibilities(model);
        for (const step of steps) {
          runner.take(step);
          possible.take(step);
        }
        const { images, chosen } = crashImages(runner.disk.moment(), plenty);
        fc.pre(chosen === 'exhaustive');
        compared += 1;
        const found = [...new Set(Array.from(images, ({ state }) => listImage(state)))].sort();
        expect(found).toEqual(possible.listings());
      }),
      { numRuns },
    );
    expect(compared).toBeGreaterThanOrEqual(numRuns);
  });

  test.each(models)('a sample has no image that is not possible, under %s', (model) => {
    fc.assert(
      fc.property(someSteps, fc.integer(), (steps, seed) => {
        const runner = new Runner(model);
        const possible = new Possibilities(model);
        for (const step of steps) {
          runner.take(step);
          possible.take(step);
        }
        const listings = new Set(possible.listings());
        const { images } = crashImages(runner.disk.moment(), { limit: 30, seed });
        for (const { state } of images) expect(listings).toContain(listImage(state));
      }),
      { numRuns },
    );
  });

  test.each(models)(
    'nothing kept is what is durable, everything kept what is seen, under %s',
    (model) => {
      fc.assert(
        fc.property(someSteps, fc.integer(), (steps, seed) => {
          const { disk } = run(model, steps);
          const moment = disk.moment();
          const { images, chosen } = crashImages(moment, { limit: 2, seed });
          fc.pre(chosen === 'sampled');
          const [lost, kept] = Array.from(images, ({ state }) => listing(state));
          expect([lost, kept]).toEqual([listing(moment.durable), listing(disk.visible())]);
        }),
        { numRuns },
      );
    },
  );

  test('whatever names order may leave, POSIX may leave as well', () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        const [minimal, ordered] = models.map((model) => {
          const { disk } = run(model, steps);
          const { images, chosen } = crashImages(disk.moment(), plenty);
          return { chosen, all: new Set(Array.from(images, ({ state }) => listImage(state))) };
        });
        fc.pre(minimal?.chosen === 'exhaustive' && ordered?.chosen === 'exhaustive');
        for (const one of ordered?.all ?? []) expect(minimal?.all).toContain(one);
      }),
      { numRuns },
    );
  });
});
