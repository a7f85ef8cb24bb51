/**
 * Artifacts on a real disk: what is recorded of files, what is found when they are compared, and that
 * no path and no file can lead out of the root, block, or take more memory than a piece.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CheckpointError } from '../../../src/errors.js';
import { ArtifactCache, hashArtifacts, verifyArtifacts } from '../../../src/io/artifacts.js';
import { createNodeFileSystem } from '../../../src/io/node-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const fs = createNodeFileSystem();
const MIB = 1024 * 1024;
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const isRoot = process.getuid?.() === 0;

let root: string;
let outside: string;
beforeEach(() => {
  const folder = freshFolder();
  root = join(folder, 'root');
  outside = join(folder, 'outside.txt');
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(outside, 'secret');
  writeFileSync(join(root, 'a.txt'), 'a\n');
  writeFileSync(join(root, 'out', 'b.bin'), Buffer.alloc(3 * MIB + 5, 7));
});

async function codeOf(path: string): Promise<string> {
  try {
    await hashArtifacts(fs, root, [path]);
    return 'none';
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.code;
  }
}

describe('recording artifacts', () => {
  it('takes size and SHA-256, in the order of the paths, each file once under one name', async () => {
    const big = Buffer.alloc(3 * MIB + 5, 7);
    expect(await hashArtifacts(fs, root, ['out/b.bin', './a.txt', 'out//b.bin', 'a.txt'])).toEqual([
      { path: 'out/b.bin', size: big.length, sha256: sha256(big) },
      { path: 'a.txt', size: 2, sha256: sha256('a\n') },
    ]);
    writeFileSync(join(root, 'empty'), '');
    expect(await hashArtifacts(fs, root, ['empty'])).toEqual([
      { path: 'empty', size: 0, sha256: sha256('') },
    ]);
    expect(await hashArtifacts(fs, '/nowhere', [])).toEqual([]);
  });

  it('follows a symbolic link as long as it stays inside the root', async () => {
    symlinkSync('out/b.bin', join(root, 'inner'));
    symlinkSync(root, `${root}-link`);
    const [direct] = await hashArtifacts(fs, root, ['out/b.bin']);
    expect(await hashArtifacts(fs, `${root}-link`, ['inner'])).toEqual([
      { ...direct, path: 'inner' },
    ]);
  });

  it.each([
    ['/etc/passwd'],
    ['../outside.txt'],
    ['out/../../outside.txt'],
    ['out/../a.txt'],
    ['..'],
    ['.'],
    [''],
    ['a.txt\0'],
    ['out\\b.bin'],
    ['C:/a.txt'],
    ['out'],
    ['link'],
    ['folder/outside.txt'],
    ['circle'],
  ])('refuses %j', async (path) => {
    symlinkSync(outside, join(root, 'link'));
    symlinkSync('..', join(root, 'folder'));
    symlinkSync('circle', join(root, 'circle'));
    expect(await codeOf(path)).toBe('ARTIFACT_OUTSIDE_ROOT');
  });

  it('refuses a folder beside the root whose name begins like it', async () => {
    mkdirSync(`${root}-other`);
    writeFileSync(join(`${root}-other`, 'a.txt'), 'x');
    symlinkSync(`${root}-other/a.txt`, join(root, 'near'));
    expect(await codeOf('near')).toBe('ARTIFACT_OUTSIDE_ROOT');
  });

  it('refuses a pipe without waiting for its other end', async () => {
    expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0);
    expect(await codeOf('pipe')).toBe('ARTIFACT_OUTSIDE_ROOT');
  });

  it('says what is missing before it reads anything', async () => {
    const recording = new RecordingFileSystem(fs);
    await expect(hashArtifacts(recording, root, ['a.txt', 'no.txt'])).rejects.toMatchObject({
      code: 'ARTIFACT_MISSING',
      details: { path: 'no.txt', file: join(root, 'no.txt') },
    });
    expect(recording.operations.filter(({ operation }) => operation === 'open')).toEqual([]);
    expect(await codeOf('a.txt/b')).toBe('ARTIFACT_MISSING');
    await expect(hashArtifacts(fs, '/nowhere', ['a'])).rejects.toMatchObject({
      code: 'ARTIFACT_MISSING',
    });
  });

  it('bounds the number and the length of paths', async () => {
    expect(await codeOf('x'.repeat(1025))).toBe('TOO_LARGE');
    expect(await codeOf('\uD800')).toBe('TOO_LARGE');
    const many = Array.from({ length: 1001 }, (_, index) => `many-${index}`);
    for (const name of many) writeFileSync(join(root, name), '');
    await expect(hashArtifacts(fs, root, many)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect(await hashArtifacts(fs, root, many.slice(1))).toHaveLength(1000);
  });

  it('reads a huge sparse file in pieces, tells how far it is, and stops when told to', async () => {
    writeFileSync(join(root, 'huge'), '');
    truncateSync(join(root, 'huge'), 2 ** 40);
    const abort = new AbortController();
    const told: number[] = [];
    const recording = new RecordingFileSystem(fs);
    const hashing = hashArtifacts(recording, root, ['huge'], {
      signal: abort.signal,
      onProgress: ({ path, doneBytes, totalBytes }) => {
        expect([path, totalBytes]).toEqual(['huge', 2 ** 40]);
        if (told.push(doneBytes) === 3) abort.abort(new Error('enough'));
      },
    });
    await expect(hashing).rejects.toThrow('enough');
    expect(told).toEqual([MIB, 2 * MIB, 3 * MIB]);
    const reads = recording.operations.filter(({ operation }) => operation === 'read');
    expect(reads.every(({ bytes = 0 }) => bytes <= MIB)).toBe(true);
    expect(recording.operations.at(-1)?.operation).toBe('close');
  });

  it('lets other work go on between two pieces', async () => {
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await hashArtifacts(fs, root, ['out/b.bin']);
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it('reads a file again that changed meanwhile, and gives one up that goes on changing', async () => {
    const file = join(root, 'out', 'b.bin');
    let changes = 1;
    const onProgress = () => {
      if (changes-- > 0) appendFileSync(file, 'x');
    };
    const [record] = await hashArtifacts(fs, root, ['out/b.bin'], { onProgress });
    expect(record?.size).toBe(3 * MIB + 6);
    changes = Infinity;
    await expect(hashArtifacts(fs, root, ['out/b.bin'], { onProgress })).rejects.toMatchObject({
      code: 'READ_FAILED',
      details: { path: 'out/b.bin' },
    });
    let shrinks = 1;
    const shrink = () => {
      if (shrinks-- > 0) truncateSync(file, 5);
    };
    const [short] = await hashArtifacts(fs, root, ['out/b.bin'], { onProgress: shrink });
    expect(short).toEqual({ path: 'out/b.bin', size: 5, sha256: sha256(Buffer.alloc(5, 7)) });
  });

  it('refuses a file that was put in the place of the one that was found', async () => {
    const swapping = new RecordingFileSystem(fs, {
      before: ({ operation, path }) => {
        if (operation === 'open' && path.endsWith('a.txt')) {
          rmSync(path);
          symlinkSync(outside, path);
        }
        return undefined;
      },
    });
    await expect(hashArtifacts(swapping, root, ['a.txt'])).rejects.toMatchObject({
      code: 'READ_FAILED',
    });
  });
});

describe('the cache of digests', () => {
  const readsOf = async (cache: ArtifactCache, nowMs: number) => {
    const recording = new RecordingFileSystem(fs);
    await hashArtifacts(recording, root, ['a.txt'], { cache, now: () => nowMs });
    return recording.operations.filter(({ operation }) => operation === 'read').length;
  };

  it('spares the reading of a file that has not changed since', async () => {
    const cache = new ArtifactCache();
    const later = Date.now() + 60_000;
    expect(await readsOf(cache, later)).toBe(1);
    expect(await readsOf(cache, later)).toBe(0);
    writeFileSync(join(root, 'a.txt'), 'b\n');
    expect(await readsOf(cache, later)).toBe(1);
    // An edit of the same size with its time set back still shows in the time of the change itself.
    utimesSync(join(root, 'a.txt'), 1, 1);
    expect(await readsOf(cache, later)).toBe(1);
  });

  it('does not trust stamps that a change may still share', async () => {
    const cache = new ArtifactCache();
    const soon = fs.stat(join(root, 'a.txt'))?.changedMs ?? 0;
    expect(await readsOf(cache, soon + 20)).toBe(1);
    expect(await readsOf(cache, soon + 20)).toBe(1);
    expect(await readsOf(cache, Number.NaN)).toBe(1);
    expect(await readsOf(cache, Number.NaN)).toBe(1);
  });
});

describe('comparing artifacts', () => {
  const states = async (records: Parameters<typeof verifyArtifacts>[2]) =>
    (await verifyArtifacts(fs, root, records)).map(({ path, state }) => `${path}: ${state}`);

  it('tells intact, changed, missing and unreadable ones apart', async () => {
    for (const name of ['same', 'longer', 'other', 'gone', 'locked']) {
      writeFileSync(join(root, name), `${name} content`);
    }
    const records = await hashArtifacts(fs, root, ['same', 'longer', 'other', 'gone', 'locked']);
    writeFileSync(join(root, 'longer'), 'longer content!');
    writeFileSync(join(root, 'other'), 'OTHER content');
    rmSync(join(root, 'gone'));
    chmodSync(join(root, 'locked'), 0);
    expect(await states(records)).toEqual([
      'same: intact',
      'longer: changed',
      'other: changed',
      'gone: missing',
      isRoot ? 'locked: intact' : 'locked: unreadable',
    ]);
    const [, longer, , gone] = await verifyArtifacts(fs, root, records);
    expect(longer).toMatchObject({ size: 15, expected: { size: 14 } });
    expect(gone?.reason).toBe(`there is no file ${join(root, 'gone')}`);
  });

  it('never follows a path of a record out of the root', async () => {
    const record = { size: 6, sha256: sha256('secret') };
    symlinkSync(outside, join(root, 'link'));
    expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0);
    const paths = ['../outside.txt', outside, 'link', 'pipe', 'out', 'a\0'];
    const records = paths.map((path) => ({ ...record, path }));
    expect(await states(records)).toEqual(paths.map((path) => `${path}: unreadable`));
  });

  it('finds everything missing where the root is', async () => {
    const records = await hashArtifacts(fs, root, ['a.txt']);
    const checks = await verifyArtifacts(fs, join(root, 'nowhere'), records);
    expect(checks).toMatchObject([{ path: 'a.txt', state: 'missing' }]);
  });

  it('stops when told to, in the middle of a file', async () => {
    const records = await hashArtifacts(fs, root, ['out/b.bin', 'a.txt']);
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    const checking = verifyArtifacts(fs, root, records, { signal: abort.signal, onProgress });
    await expect(checking).rejects.toThrow('enough');
  });
});
