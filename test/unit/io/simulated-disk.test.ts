/**
 * What each sync makes durable under each persistence model, what a crash finds of the rest, and how
 * a disk goes on after one.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { crashImages, mount } from '../../../src/io/crash-images.js';
import { contentOf, type DiskState } from '../../../src/io/disk-state.js';
import type { FileHandle } from '../../../src/io/file-system.js';
import {
  describeState,
  type PersistenceModel,
  reachable,
  SimulatedDisk,
  visibleAt,
} from '../../../src/io/simulated-disk.js';
import { codeOf, readText, writeText } from '../../helpers/fs-text.js';

const models = ['posix-minimal', 'ordered'] as const;
const bytes = (text: string) => new TextEncoder().encode(text);

/** An image as `path=text` for files, `path/` for directories, separated by spaces. */
function listing(state: DiskState): string {
  return describeState(state)
    .map(({ path, content }) => (content ? `${path}=${new TextDecoder().decode(content)}` : path))
    .join(' ');
}

/** What survives for sure: the image in which everything pending is lost. */
const durable = (disk: SimulatedDisk) => listing(disk.moment().durable);
const visible = (disk: SimulatedDisk) => listing(disk.visible());

/** Every image there is. */
function everyImage(disk: SimulatedDisk): string[] {
  const { images, chosen } = crashImages(disk.moment(), { limit: 5000, seed: 1 });
  expect(chosen).toBe('exhaustive');
  return [...new Set(Array.from(images, ({ state }) => listing(state)))].sort();
}

function created(disk: SimulatedDisk, path: string, text: string): FileHandle {
  const handle = disk.open(path, 'create');
  handle.write(bytes(text), 0);
  return handle;
}

/** A disk with `/a` = A and `/b` = B and the directories `/p` and `/q`, all durable. */
function prepared(model: PersistenceModel): SimulatedDisk {
  const disk = new SimulatedDisk({ model });
  writeText(disk, '/a', 'A');
  writeText(disk, '/b', 'B');
  disk.makeDirectory('/p');
  disk.makeDirectory('/q');
  disk.settle();
  return disk;
}

describe.each(models)('under %s', (model) => {
  let disk: SimulatedDisk;
  const isOrdered = model === 'ordered';
  beforeEach(() => {
    disk = prepared(model);
  });
  const start = '/a=A /b=B /p/ /q/';

  test('nothing is durable without a sync', () => {
    created(disk, '/c', 'C').close();
    disk.rename('/a', '/p/a');
    disk.unlink('/b');
    expect(durable(disk)).toBe(start);
    expect(visible(disk)).toBe('/c=C /p/ /p/a=A /q/');
  });

  test('a file sync makes its content durable, and its name only where names go together', () => {
    const handle = created(disk, '/c', 'C');
    void handle.sync();
    expect(durable(disk)).toBe(isOrdered ? '/a=A /b=B /c=C /p/ /q/' : start);
    disk.syncDirectory('/');
    expect(durable(disk)).toBe('/a=A /b=B /c=C /p/ /q/');
  });

  test('a file sync spares the data of other files', () => {
    const handle = disk.open('/a', 'readWrite');
    handle.write(bytes('X'), 0);
    disk.open('/b', 'readWrite').write(bytes('Y'), 0);
    void handle.sync();
    expect(durable(disk)).toBe('/a=X /b=B /p/ /q/');
  });

  test('a directory sync makes names durable and no content', () => {
    created(disk, '/c', 'C');
    disk.syncDirectory('/');
    expect(durable(disk)).toBe('/a=A /b=B /c= /p/ /q/');
  });

  test('a directory sync reaches other directories only where names go together', () => {
    disk.rename('/a', '/c');
    created(disk, '/p/d', '');
    disk.syncDirectory('/p');
    expect(durable(disk)).toBe(isOrdered ? '/b=B /c=A /p/ /p/d= /q/' : '/a=A /b=B /p/ /p/d= /q/');
  });

  test('a rename over another file leaves the one or the other, never neither', () => {
    disk.rename('/a', '/b');
    const both = '/a=A /b=A /p/ /q/';
    const renamed = '/b=A /p/ /q/';
    expect(everyImage(disk)).toEqual(
      (isOrdered ? [start, renamed] : [start, both, renamed]).sort(),
    );
    disk.syncDirectory('/');
    expect(everyImage(disk)).toEqual([renamed]);
  });

  test('a rename between directories may be halved exactly where POSIX says nothing', () => {
    disk.rename('/a', '/p/a');
    const moved = '/b=B /p/ /p/a=A /q/';
    const both = '/a=A /b=B /p/ /p/a=A /q/';
    const neither = '/b=B /p/ /q/';
    expect(everyImage(disk)).toEqual(
      (isOrdered ? [start, moved] : [start, both, neither, moved]).sort(),
    );
    disk.syncDirectory('/p');
    expect(everyImage(disk)).toEqual((isOrdered ? [moved] : [both, moved]).sort());
    disk.syncDirectory('/');
    expect(everyImage(disk)).toEqual([moved]);
  });

  test('a rename between directories is whole once the old directory is synced, in the one model', () => {
    disk.rename('/a', '/p/a');
    disk.syncDirectory('/');
    const moved = '/b=B /p/ /p/a=A /q/';
    expect(everyImage(disk)).toEqual((isOrdered ? [moved] : ['/b=B /p/ /q/', moved]).sort());
  });

  test('two renames in a row are lost together or in order, or in any combination', () => {
    disk.rename('/a', '/c');
    disk.rename('/c', '/d');
    const images = everyImage(disk);
    const inOrder = [start, '/b=B /c=A /p/ /q/', '/b=B /d=A /p/ /q/'];
    if (isOrdered) expect(images).toEqual(inOrder.sort());
    else expect(images).toEqual(expect.arrayContaining([...inOrder, '/a=A /b=B /d=A /p/ /q/']));
  });

  test('a hard link shares content, synced through either name', () => {
    disk.link('/a', '/p/a');
    disk.syncDirectory('/p');
    const handle = disk.open('/p/a', 'readWrite');
    handle.write(bytes('X'), 0);
    expect(durable(disk)).toBe('/a=A /b=B /p/ /p/a=A /q/');
    void handle.sync();
    expect(durable(disk)).toBe('/a=X /b=B /p/ /p/a=X /q/');
    const after = mount(disk.moment().durable, model);
    expect(after.stat('/a')).toMatchObject({ links: 2, inode: after.stat('/p/a')?.inode });
    expect(after.stat('/b')?.links).toBe(1);
  });

  test('a file that is unlinked while open comes back with its durable content', () => {
    const handle = disk.open('/a', 'readWrite');
    handle.write(bytes('X'), 0);
    disk.unlink('/a');
    handle.write(bytes('Y'), 1);
    expect(durable(disk)).toBe(start);
    void handle.sync();
    expect(durable(disk)).toBe(isOrdered ? '/b=B /p/ /q/' : '/a=XY /b=B /p/ /q/');
    disk.syncDirectory('/');
    handle.close();
    expect(everyImage(disk)).toEqual(['/b=B /p/ /q/']);
  });

  test('the file that a rename replaced keeps its own pending writes', () => {
    disk.open('/b', 'readWrite').write(bytes('X'), 0);
    disk.rename('/a', '/b');
    expect(everyImage(disk)).toEqual(expect.arrayContaining([start, '/a=A /b=X /p/ /q/']));
    expect(everyImage(disk)).toContain('/b=A /p/ /q/');
  });

  test('truncating and writing again may leave the file empty, zero or half of each', () => {
    const handle = disk.open('/a', 'readWrite');
    handle.truncate(0);
    handle.write(bytes('NEW'), 0);
    const files = everyImage(disk).map((image) => image.split(' ')[0]);
    expect(files).toEqual(expect.arrayContaining(['/a=A', '/a=', '/a=NEW', '/a=\0\0\0']));
    void handle.sync();
    expect(durable(disk)).toBe('/a=NEW /b=B /p/ /q/');
  });

  test('a sync that has nothing to do, or is repeated, changes nothing', () => {
    const handle = disk.open('/a', 'readWrite');
    for (const _ of [1, 2]) {
      void handle.sync();
      disk.syncDirectory('/');
    }
    handle.write(new Uint8Array(0), 50);
    expect(everyImage(disk)).toEqual([start]);
  });

  test('settling makes everything durable', () => {
    created(disk, '/c', 'C');
    disk.rename('/a', '/p/a');
    disk.settle();
    expect(everyImage(disk)).toEqual([visible(disk)]);
    expect(visible(disk)).toBe('/b=B /c=C /p/ /p/a=A /q/');
  });

  test('a directory with everything in it may be lost with its name', () => {
    disk.makeDirectory('/d');
    void created(disk, '/d/x', 'X').sync();
    if (!isOrdered) disk.syncDirectory('/d');
    expect(durable(disk)).toBe(isOrdered ? '/a=A /b=B /d/ /d/x=X /p/ /q/' : start);
    disk.syncDirectory('/');
    expect(durable(disk)).toBe('/a=A /b=B /d/ /d/x=X /p/ /q/');
  });

  test('symbolic links are names as others', () => {
    disk.symlink('a', '/s');
    expect(everyImage(disk)).toEqual([start, `${start} /s -> a`]);
    disk.syncDirectory('/');
    expect(readText(mount(disk.moment().durable, model), '/s')).toBe('A');
  });

  test('a moment stays as it was while the disk runs on', () => {
    const handle = disk.open('/a', 'readWrite');
    handle.write(bytes('X'), 0);
    const moment = disk.moment();
    const before = [listing(moment.durable), listing(visibleAt(moment)), moment.pending.length];
    handle.write(bytes('YYY'), 0);
    handle.setMode(0o400);
    void handle.sync();
    disk.rename('/a', '/c');
    created(disk, '/e', 'E');
    disk.settle();
    expect([listing(moment.durable), listing(visibleAt(moment)), moment.pending.length]).toEqual(
      before,
    );
    expect(mount(moment.durable, model).stat('/a')?.mode).toBe(0o644);
  });
});

describe('modes and owners', () => {
  test.each(models)('are those of the moment, durable at once, under %s', (model) => {
    const disk = prepared(model);
    const handle = disk.open('/a', 'readWrite');
    const found = () => {
      const { mode, uid } = mount(disk.moment().durable, model).stat('/a') ?? {};
      return [mode, uid];
    };
    expect(found()).toEqual([0o644, 0]);
    handle.setMode(0o400);
    expect(found()).toEqual([0o400, 0]);
    handle.setOwner(7, 7);
    expect(found()).toEqual([0o400, 7]);
  });
});

describe('a mounted image', () => {
  test.each(models)('and its original do not know of each other, under %s', (model) => {
    const disk = prepared(model);
    const image = disk.moment().durable;
    const one = mount(image, model);
    const two = mount(image, model);
    const handle = one.open('/a', 'readWrite');
    handle.write(bytes('XYZ'), 0);
    handle.setMode(0o400);
    void handle.sync();
    one.unlink('/b');
    one.settle();
    disk.rename('/b', '/z');
    disk.settle();
    expect(visible(one)).toBe('/a=XYZ /p/ /q/');
    expect(visible(two)).toBe('/a=A /b=B /p/ /q/');
    expect(visible(disk)).toBe('/a=A /p/ /q/ /z=B');
    expect(listing(image)).toBe('/a=A /b=B /p/ /q/');
    expect(two.stat('/a')?.mode).toBe(0o644);
  });

  test('has no open handle, no lock, and nothing pending', () => {
    const disk = prepared('posix-minimal');
    created(disk, '/c', 'C');
    disk.lock('/lock');
    disk.settle();
    const after = mount(disk.moment().durable, disk.model);
    expect([after.openHandles(), after.moment().pending]).toEqual([0, []]);
    expect(after.list('/')).toContain('lock');
    expect(after.lock('/lock').acquired).toBe(true);
  });

  test('gives numbers of lost files to new ones, which begin empty', () => {
    const disk = prepared('posix-minimal');
    const lost = created(disk, '/c', 'secret');
    void lost.sync();
    const after = mount(disk.moment().durable, disk.model);
    expect(codeOf(() => after.open('/c', 'read'))).toBe('ENOENT');
    const handle = after.open('/c', 'create');
    expect(handle.stat().inode).toBe(lost.stat().inode);
    expect(handle.size()).toBe(0);
    after.syncDirectory('/');
    expect(durable(after)).toBe('/a=A /b=B /c= /p/ /q/');
    expect(visible(disk)).toContain('/c=secret');
  });

  test('never gives a number twice while its first owner has a name', () => {
    const after = mount(prepared('ordered').moment().durable, 'ordered');
    const old = new Set(reachable(after.visible()));
    expect(old.has(created(after, '/new', '').stat().inode)).toBe(false);
  });

  test('goes on in time, so that no later change looks older', () => {
    const disk = prepared('ordered');
    const before = disk.stat('/a')?.modifiedMs ?? 0;
    const after = mount(disk.moment().durable, 'ordered');
    expect(after.stat('/a')?.modifiedMs).toBe(before);
    const handle = after.open('/b', 'readWrite');
    handle.write(bytes('X'), 0);
    expect(handle.stat().modifiedMs).toBeGreaterThan(disk.stat('/q')?.modifiedMs ?? Infinity);
    expect(mount(after.visible(), 'ordered').stat('/b')?.modifiedMs).toBe(handle.stat().modifiedMs);
  });

  test('crashes as any disk does', () => {
    const disk = prepared('posix-minimal');
    disk.rename('/a', '/c');
    disk.syncDirectory('/');
    const again = mount(disk.moment().durable, 'posix-minimal');
    again.rename('/c', '/d');
    again.open('/b', 'readWrite').write(bytes('X'), 0);
    const images = everyImage(again);
    expect(images).toContain('/b=B /c=A /p/ /q/');
    expect(images).toContain('/b=X /d=A /p/ /q/');
    expect(images.join()).not.toContain('/a=');
  });

  test('finds the parent of a directory that was moved', () => {
    const disk = prepared('ordered');
    disk.makeDirectory('/p/d');
    writeText(disk, '/p/d/x', 'X');
    disk.rename('/p/d', '/q/e');
    disk.settle();
    const after = mount(disk.moment().durable, 'ordered');
    expect(after.realPath('/q/e/x')).toBe('/q/e/x');
    expect(after.list('/q/e/..')).toEqual(['e']);
    expect([after.stat('/p')?.links, after.stat('/q')?.links]).toEqual([2, 3]);
  });

  test('lists a directory once that half a rename left with two names', () => {
    const disk = prepared('posix-minimal');
    disk.rename('/q', '/p/q');
    disk.syncDirectory('/p');
    const image = disk.moment().durable;
    const after = mount(image, 'posix-minimal');
    expect(listing(image)).toBe('/a=A /b=B /p/ /p/q/');
    expect(visible(after)).toBe(listing(image));
    expect(after.realPath('/p/q')).toBe('/p/q');
    expect(after.list('/')).toEqual(['a', 'b', 'p']);
    expect([after.stat('/')?.links, after.stat('/p')?.links]).toEqual([3, 3]);
  });

  test('survives a directory that half a rename left inside of itself', () => {
    const disk = prepared('posix-minimal');
    disk.makeDirectory('/p/d');
    disk.settle();
    disk.rename('/p/d', '/d');
    disk.syncDirectory('/');
    disk.rename('/p', '/d/p');
    const { images } = crashImages(disk.moment(), { limit: 5000, seed: 1 });
    for (const { state } of images) {
      const after = mount(state, 'posix-minimal');
      expect(visible(after)).toBe(listing(state));
      after.makeDirectory('/new');
      for (const { path } of describeState(after.visible())) {
        if (path.endsWith('/')) expect(`${after.realPath(path.slice(0, -1))}/`).toBe(path);
      }
    }
  });
});

describe('changes', () => {
  test('are told, each once, when a crash would find something else', () => {
    let count = 0;
    const disk = new SimulatedDisk({
      onChange: () => {
        count += 1;
      },
    });
    const since = (act: () => unknown) => {
      const before = count;
      act();
      return count - before;
    };
    expect(since(() => disk.open('/a', 'create').close())).toBe(1);
    const handle = disk.open('/a', 'readWrite');
    expect(since(() => handle.write(bytes('x'), 0))).toBe(1);
    expect(since(() => handle.write(new Uint8Array(0), 0))).toBe(0);
    expect(since(() => handle.truncate(0))).toBe(1);
    expect(since(() => handle.read(new Uint8Array(1), 0))).toBe(0);
    expect(since(() => handle.sync())).toBe(1);
    expect(since(() => disk.link('/a', '/b'))).toBe(1);
    expect(since(() => disk.rename('/a', '/b'))).toBe(0);
    expect(since(() => disk.rename('/a', '/c'))).toBe(1);
    expect(since(() => disk.syncDirectory('/'))).toBe(1);
    expect(since(() => disk.dropPending('/b'))).toBe(1);
    expect(since(() => disk.settle())).toBe(1);
    expect(since(() => codeOf(() => disk.unlink('/none')))).toBe(0);
    disk.onChange(undefined);
    expect(since(() => disk.unlink('/b'))).toBe(0);
  });
});

describe('dropping what is pending of a file', () => {
  let disk: SimulatedDisk;
  let handle: FileHandle;
  beforeEach(() => {
    disk = prepared('posix-minimal');
    handle = disk.open('/a', 'readWrite');
    handle.write(bytes('XYZ'), 0);
  });

  test('takes it out of every image but not from the sight of the process', () => {
    disk.dropPending('/a');
    expect(everyImage(disk)).toEqual(['/a=A /b=B /p/ /q/']);
    expect(visible(disk)).toBe('/a=XYZ /b=B /p/ /q/');
    expect(readText(disk, '/a')).toBe('XYZ');
    expect(readText(disk.clone(), '/a')).toBe('XYZ');
  });

  test('goes by path or number, keeps names and other files pending', () => {
    disk.open('/b', 'readWrite').write(bytes('W'), 0);
    disk.rename('/a', '/c');
    disk.dropPending(handle.stat().inode);
    expect(everyImage(disk)).toEqual(
      expect.arrayContaining(['/a=A /b=B /p/ /q/', '/b=W /c=A /p/ /q/']),
    );
    expect(everyImage(disk).join()).not.toContain('X');
  });

  test('leaves a hole that later writes do not fill', () => {
    disk.dropPending('/a');
    handle.write(bytes('!'), 4);
    void handle.sync();
    expect(durable(disk)).toBe('/a=A\0\0\0! /b=B /p/ /q/');
    expect(readText(disk, '/a')).toBe('XYZ\0!');
    expect(visible(disk)).toContain('/a=XYZ\0!');
  });

  test('also forgets a pending change of size', () => {
    handle.truncate(0);
    disk.dropPending('/a');
    void handle.sync();
    expect([durable(disk), visible(disk)]).toEqual(['/a=A /b=B /p/ /q/', '/a= /b=B /p/ /q/']);
  });

  test('is mended by writing everything again', () => {
    disk.dropPending('/a');
    handle.write(bytes('XYZ'), 0);
    void handle.sync();
    expect(durable(disk)).toBe('/a=XYZ /b=B /p/ /q/');
  });

  test('is over with the crash: what was mounted is what there is', () => {
    disk.dropPending('/a');
    const after = mount(disk.moment().durable, disk.model);
    expect([readText(after, '/a'), after.moment().cached.size]).toEqual(['A', 0]);
    const killed = mount(disk.visible(), disk.model);
    expect(readText(killed, '/a')).toBe('XYZ');
  });

  test('does not change a moment that was taken', () => {
    disk.dropPending('/a');
    const moment = disk.moment();
    handle.write(bytes('NOT'), 0);
    expect(listing(visibleAt(moment))).toBe('/a=XYZ /b=B /p/ /q/');
    expect(contentOf(moment.durable, handle.stat().inode)).toEqual(bytes('A'));
  });

  test('wants a file', () => {
    expect(() => disk.dropPending('/none')).toThrow(TypeError);
    expect(() => disk.dropPending('/p')).toThrow(TypeError);
    expect(() => disk.dropPending(999)).toThrow();
  });
});
