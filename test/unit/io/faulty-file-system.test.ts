/** What each fault does to an operation, to the process that asked for it and to the disk. */
import { beforeEach, describe, expect, test } from 'vitest';
import { crashImages, mount } from '../../../src/io/crash-images.js';
import { type FaultRule, failEvery, failNth, firstOf } from '../../../src/io/fault-rules.js';
import {
  delay,
  doneThenFail,
  dropPages,
  type Fault,
  flipBit,
  lie,
  loseLock,
  misdirect,
  short,
} from '../../../src/io/faults.js';
import {
  describeInjected,
  FaultyFileSystem,
  type FaultyOptions,
} from '../../../src/io/faulty-file-system.js';
import type { FileHandle } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { SimulatedDisk } from '../../../src/io/simulated-disk.js';
import { codeOf, readText, writeText } from '../../helpers/fs-text.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (array: Uint8Array) => new TextDecoder().decode(array);

let disk: SimulatedDisk;
beforeEach(() => {
  disk = new SimulatedDisk();
});

const faulty = (rule: FaultRule, options?: FaultyOptions) =>
  new FaultyFileSystem(disk, rule, options);

/** A durable file with this text, open for writing through the faults. */
function opened(fs: FaultyFileSystem, path: string, text: string): FileHandle {
  writeText(disk, path, text);
  disk.settle();
  return fs.open(path, 'readWrite');
}

/** The texts that `path` may have after a crash now; `none` where the name is lost. */
function mayHold(path: string): string[] {
  const { images, chosen } = crashImages(disk.moment(), { limit: 10_000, seed: 1 });
  expect(chosen).toBe('exhaustive');
  const found = Array.from(images, ({ state }) => {
    const after = mount(state, disk.model);
    return after.stat(path) === undefined ? 'none' : readText(after, path);
  });
  return [...new Set(found)].sort();
}

describe('an operation that fails', () => {
  test.each(['EIO', 'ENOSPC', 'EROFS', 'EACCES', 'EMFILE'] as const)(
    'with %s does nothing, and says so as node does',
    (code) => {
      const fs = faulty(failNth({ operation: 'open' }, code));
      const message = expect.stringMatching(new RegExp(`^${code}: .*, open '/a'$`)) as string;
      expect(() => fs.open('/a', 'create')).toThrow(
        expect.objectContaining({ code, syscall: 'open', path: '/a', message }),
      );
      expect(disk.list('/')).toEqual([]);
      writeText(fs, '/a', 'next time');
      expect(readText(disk, '/a')).toBe('next time');
    },
  );

  test('names no path where node names none, and both where there are two', () => {
    const fs = faulty(failEvery({ operation: ['sync', 'rename'] }, 'EIO'));
    const handle = opened(fs, '/a', 'x');
    expect(() => handle.sync()).toThrow(/^EIO: i\/o error, fsync$/);
    expect(() => fs.rename('/a', '/b')).toThrow("EIO: i/o error, rename '/a' -> '/b'");
  });
});

describe('an operation that is done and reported to have failed', () => {
  const all = failEvery({}, doneThenFail('EIO'));

  test('has changed names', () => {
    writeText(disk, '/a', 'x');
    expect(codeOf(() => faulty(all).rename('/a', '/b'))).toBe('EIO');
    expect(disk.list('/')).toEqual(['b']);
  });

  test('has written', () => {
    const handle = opened(
      faulty(failEvery({ operation: 'write' }, doneThenFail('EIO'))),
      '/a',
      'old',
    );
    expect(codeOf(() => handle.write(bytes('new'), 0))).toBe('EIO');
    expect(readText(disk, '/a')).toBe('new');
  });

  test('has synced', () => {
    const handle = opened(
      faulty(failEvery({ operation: 'sync' }, doneThenFail('EIO'))),
      '/a',
      'old',
    );
    handle.write(bytes('new'), 0);
    expect(codeOf(() => handle.sync())).toBe('EIO');
    expect(mayHold('/a')).toEqual(['new']);
  });

  test('leaves a created file but no open handle, and no lock', () => {
    expect(codeOf(() => faulty(all).open('/a', 'create'))).toBe('EIO');
    expect(codeOf(() => faulty(all).lock('/lock'))).toBe('EIO');
    expect(disk.list('/')).toEqual(['a']);
    expect(disk.openHandles()).toBe(0);
    expect(disk.lock('/lock').acquired).toBe(true);
  });
});

describe('short reads and writes', () => {
  test.each([
    ['half', 5, 'abcde'],
    ['one', 1, 'a'],
    ['none', 0, ''],
  ] as const)('%s', (amount, count, text) => {
    const fs = faulty(failEvery({ path: '/a' }, short(amount)));
    const handle = fs.open('/a', 'create');
    expect(handle.write(bytes('abcdefghi'), 0)).toBe(count);
    expect(readText(disk, '/a')).toBe(text);
    const reader = opened(faulty(failEvery({}, short(amount))), '/b', 'abcdefghi');
    const target = new Uint8Array(9);
    expect(reader.read(target, 0)).toBe(count);
    expect(textOf(target)).toBe(text.padEnd(9, '\0'));
  });

  test.each(['half', 'one'] as const)('of %s can be gone on with to the end', (amount) => {
    writeText(faulty(failEvery({}, short(amount))), '/a', 'abcdefghi');
    expect(readText(faulty(failEvery({}, short(amount))), '/a')).toBe('abcdefghi');
  });

  test('of nothing asked for are nothing', () => {
    const handle = opened(faulty(failEvery({}, short('one'))), '/a', 'x');
    expect(handle.write(new Uint8Array(0), 0)).toBe(0);
  });
});

describe('a sync that fails and drops the pages', () => {
  const sync = { operation: 'sync', path: '/a' } as const;

  test('is believed by the process and forgotten by the disk, also by later syncs', () => {
    const handle = opened(faulty(failNth(sync, dropPages())), '/a', 'old');
    handle.write(bytes('new'), 0);
    expect(mayHold('/a').length).toBeGreaterThan(1);
    expect(codeOf(() => handle.sync())).toBe('EIO');
    expect(handle.sync()).toBeUndefined();
    expect(readText(disk, '/a')).toBe('new');
    expect(mayHold('/a')).toEqual(['old']);
    disk.settle();
    expect(mayHold('/a')).toEqual(['old']);
  });

  test('spares what is written afterwards, other files, and names', () => {
    const handle = opened(faulty(failNth(sync, dropPages('ENOSPC'))), '/a', 'old');
    handle.write(bytes('NEW'), 0);
    writeText(disk, '/b', 'b');
    expect(codeOf(() => handle.sync())).toBe('ENOSPC');
    expect(mayHold('/b')).toContain('b');
    handle.write(bytes('!'), 3);
    expect(handle.sync()).toBeUndefined();
    expect(readText(disk, '/a')).toBe('NEW!');
    expect(mayHold('/a')).toEqual(['old!']);
  });

  test('finds the file under another name, and without any', () => {
    const fs = faulty(failEvery({ operation: 'sync' }, dropPages()));
    const handle = opened(fs, '/a', 'old');
    handle.write(bytes('new'), 0);
    disk.rename('/a', '/b');
    expect(codeOf(() => handle.sync())).toBe('EIO');
    expect(readText(disk, '/b')).toBe('new');
    disk.settle();
    expect(mayHold('/b')).toEqual(['old']);
    disk.unlink('/b');
    handle.write(bytes('x'), 0);
    expect(codeOf(() => handle.sync())).toBe('EIO');
  });

  test('needs a disk that can forget', () => {
    const fs = new FaultyFileSystem(new MemoryFileSystem(), failEvery({}, dropPages()));
    const handle = fs.open('/a', 'create');
    expect(() => handle.sync()).toThrow(TypeError);
  });

  test('takes the disk that it is given, beneath other layers', () => {
    const between = new FaultyFileSystem(disk);
    const fs = new FaultyFileSystem(between, failEvery({}, dropPages()), { disk });
    const handle = opened(fs, '/a', 'old');
    handle.write(bytes('new'), 0);
    expect(codeOf(() => handle.sync())).toBe('EIO');
    expect(mayHold('/a')).toEqual(['old']);
  });
});

describe('a lying sync', () => {
  test('reports success and makes nothing durable', () => {
    const fs = faulty(failEvery({}, lie()));
    const handle = fs.open('/a', 'create');
    handle.write(bytes('new'), 0);
    expect(handle.sync()).toBeUndefined();
    expect(fs.syncDirectory('/')).toBe(true);
    expect(mayHold('/a')).toEqual(expect.arrayContaining(['none', '', 'new']));
  });

  test('may come after one that failed', () => {
    const rule = firstOf(failNth({ operation: 'sync' }, 'EIO'), failEvery({}, lie()));
    const handle = opened(faulty(rule), '/a', 'old');
    handle.write(bytes('new'), 0);
    expect(codeOf(() => handle.sync())).toBe('EIO');
    expect(handle.sync()).toBeUndefined();
    expect(mayHold('/a')).toEqual(expect.arrayContaining(['old', 'new']));
  });

  test('can not sync what is closed or not there', () => {
    const fs = faulty(failEvery({}, lie()));
    const handle = opened(fs, '/a', 'x');
    handle.close();
    expect(codeOf(() => handle.sync())).toBe('EBADF');
    expect(codeOf(() => fs.syncDirectory('/none'))).toBe('ENOENT');
  });
});

describe('a sync that is late', () => {
  let waiting: { resume: () => void; delayMs: number }[];
  const schedule = (resume: () => void, delayMs: number) => void waiting.push({ resume, delayMs });
  beforeEach(() => {
    waiting = [];
  });
  const written = (fault: Fault) => {
    const handle = opened(faulty(failNth({ operation: 'sync' }, fault), { schedule }), '/a', 'old');
    handle.write(bytes('new'), 0);
    return handle;
  };

  test('answers when the scheduler says, done at once', async () => {
    const answer = written(delay(20)).sync();
    expect(answer).toBeInstanceOf(Promise);
    expect(waiting.map(({ delayMs }) => delayMs)).toEqual([20]);
    expect(mayHold('/a')).toEqual(['new']);
    waiting[0]?.resume();
    await expect(answer).resolves.toBeUndefined();
  });

  test('is done only then, if told so', async () => {
    const answer = written(delay(20, 'last')).sync();
    expect(mayHold('/a')).toContain('old');
    waiting[0]?.resume();
    await answer;
    expect(mayHold('/a')).toEqual(['new']);
  });

  test('is done when the file is closed meanwhile', async () => {
    const handle = written(delay(20, 'last'));
    const answer = handle.sync();
    handle.close();
    expect(mayHold('/a')).toEqual(['new']);
    waiting[0]?.resume();
    await expect(answer).resolves.toBeUndefined();
  });

  test('rejects late what fails below', async () => {
    const below = new FaultyFileSystem(disk, failEvery({ operation: 'sync' }, 'EIO'));
    const fs = new FaultyFileSystem(below, failEvery({}, delay(1)), { schedule });
    const answer = fs.open('/a', 'create').sync();
    // Long enough for a rejection that nobody handles to be noticed.
    await new Promise((resolve) => setImmediate(resolve));
    waiting[0]?.resume();
    await expect(answer).rejects.toMatchObject({ code: 'EIO' });
  });

  test('of a directory answers as a sync of a directory does', async () => {
    const answer = faulty(failEvery({}, delay(0))).syncDirectory('/');
    await expect(answer).resolves.toBe(true);
  });
});

describe('reads of wrong bytes', () => {
  const read = (fault: Fault, position: number, length: number) => {
    writeText(disk, '/other', 'OTHER');
    const handle = opened(faulty(failEvery({ operation: 'read' }, fault)), '/a', 'abcdef');
    const target = new Uint8Array(length).fill(0x2e);
    const count = handle.read(target, position);
    expect(readText(disk, '/a')).toBe('abcdef');
    return [count, textOf(target)];
  };

  test.each([
    [flipBit(1, 0), 0, 8, 6, 'accdef..'],
    [flipBit(1, 5), 1, 2, 2, 'Bc'],
    [flipBit(1, 0), 2, 4, 4, 'cdef'],
    [flipBit(6, 0), 0, 8, 6, 'abcdef..'],
    [misdirect({ shift: 2 }), 0, 3, 3, 'cde'],
    [misdirect({ shift: 2 }), 0, 8, 6, 'cdef\0\0..'],
    [misdirect({ shift: -2 }), 1, 3, 3, '\0ab'],
    [misdirect({ shift: -9 }), 0, 3, 3, '\0\0\0'],
    [misdirect({ from: '/other' }), 0, 8, 6, 'OTHER\0..'],
    [misdirect({ from: '/other', shift: 1 }), 1, 3, 3, 'HER'],
    [misdirect({ from: '/none' }), 0, 3, 3, '\0\0\0'],
    [misdirect({ from: '/' }), 0, 3, 3, '\0\0\0'],
  ])('%j at %i, %i bytes', (fault, position, length, count, text) => {
    expect(read(fault, position, length)).toEqual([count, text]);
    expect(disk.openHandles()).toBe(1);
  });
});

describe('the lock', () => {
  test('can be lost in the holder’s eyes alone', () => {
    const result = faulty(failNth({ operation: 'isHeld', nth: 2 }, loseLock())).lock('/lock');
    if (!result.acquired) throw new Error('not acquired');
    const held = [1, 2, 3].map(() => result.lock.isHeld());
    expect(held).toEqual([true, false, true]);
    expect(disk.lock('/lock').acquired).toBe(false);
  });
});

describe('the wrapper', () => {
  test('lists the faults that were met, beside the operations', () => {
    const fs = faulty(failNth({ operation: 'sync', nth: 2 }, lie()));
    const handle = fs.open('/a', 'create');
    for (const _ of [1, 2, 3]) void handle.sync();
    expect(fs.injected.map(describeInjected)).toEqual(['#2 sync of /a: lie()']);
    expect(fs.operations).toHaveLength(4);
    fs.clear();
    expect([fs.injected, fs.operations]).toEqual([[], []]);
  });

  test('takes a decision function, and other faults in midstream, for open handles too', () => {
    const asked: string[] = [];
    const fs = new FaultyFileSystem(disk, ({ operation, path }) => {
      asked.push(`${operation} ${path}`);
      return undefined;
    });
    const handle = opened(fs, '/a', 'x');
    handle.size();
    expect(asked).toEqual(['open /a', 'size /a']);
    fs.setFaults(failEvery({}, 'EIO'));
    expect(codeOf(() => handle.size())).toBe('EIO');
    fs.setFaults(undefined);
    expect(handle.size()).toBe(1);
  });

  test('refuses a decision that means nothing for the operation', () => {
    const fs = new FaultyFileSystem(disk, () => lie());
    expect(() => fs.open('/a', 'create')).toThrow('lie() means nothing for open');
  });

  test('runs hooks that others set besides', () => {
    const fs = faulty(failEvery({ operation: 'write' }, short('half')));
    const seen: string[] = [];
    fs.setHooks({
      before: ({ operation }) => (operation === 'write' ? { bytes: 2 } : undefined),
      after: ({ operation }) => void seen.push(operation),
    });
    const handle = fs.open('/a', 'create');
    expect(handle.write(bytes('abcdefgh'), 0)).toBe(2);
    expect(handle.write(bytes('ab'), 2)).toBe(1);
    expect(seen).toEqual(['open', 'write', 'write']);
  });

  test('lets a fault reach no operation but its own', () => {
    const fs = faulty(failNth({ operation: 'rename' }, doneThenFail('EIO')));
    const handle = opened(fs, '/a', 'x');
    expect(codeOf(() => fs.rename('/a', '/b'))).toBe('EIO');
    const next = fs.open('/b', 'read');
    expect([handle.size(), next.size()]).toEqual([1, 1]);
  });

  test('forgets a fault whose operation failed before it could come to it', () => {
    let isFirst = true;
    const fs = new FaultyFileSystem(disk, ({ operation }) => {
      const fault = isFirst && operation === 'sync' ? lie() : undefined;
      if (operation === 'sync') isFirst = false;
      return fault;
    });
    const handle = opened(fs, '/a', 'old');
    handle.write(bytes('new'), 0);
    fs.setHooks({
      before: ({ operation }) => {
        if (operation === 'sync') throw new Error('from a hook');
        return undefined;
      },
    });
    expect(() => handle.sync()).toThrow('from a hook');
    fs.setHooks({});
    expect(handle.sync()).toBeUndefined();
    expect(mayHold('/a')).toEqual(['new']);
  });
});
