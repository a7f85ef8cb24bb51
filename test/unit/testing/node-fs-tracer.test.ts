/**
 * The recorder of node's `fs`: whatever way a file is written, the trace explains what is left.
 */
import fs, { mkdtempSync, rmSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../../src/io/simulated-disk.js';
import { NodeFsTracer } from '../../../src/testing/node-fs-tracer.js';
import {
  checkTrace,
  placeFiles,
  replay,
  type WriterTrace,
} from '../../../src/testing/traced-writer.js';

const tracer = new NodeFsTracer();
const folders: string[] = [];

beforeAll(() => tracer.install());
afterAll(() => {
  tracer.uninstall();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function trace(act: (at: (name: string) => string) => void | Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), 'checkpoint-wal-trace-'));
  folders.push(folder);
  fs.writeFileSync(join(folder, 'before'), 'was there');
  return await tracer.trace(folder, () => act((name) => join(folder, name)));
}

/** Replays it; throws where it does not lead to what is really there. */
function check(recorded: WriterTrace): string[] {
  const disk = new SimulatedDisk();
  placeFiles(disk, recorded.before);
  for (const _ of replay(recorded.operations, disk));
  checkTrace(recorded, disk);
  return recorded.operations.map(({ kind }) => kind);
}

/** Opens a file while a descriptor is being closed, without letting the answer of that come in. */
function reopened(path: string, closing: number): number {
  for (const others: number[] = []; ; ) {
    const file = fs.openSync(path, 'w');
    if (file === closing || others.length > 200) {
      for (const one of others) fs.closeSync(one);
      return file;
    }
    others.push(file);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
}

const ways: [string, (at: (name: string) => string) => void | Promise<void>][] = [
  ['writeFileSync', (at) => fs.writeFileSync(at('a'), 'text')],
  ['writeFileSync over a file', (at) => fs.writeFileSync(at('before'), 'x')],
  ['appendFileSync', (at) => fs.appendFileSync(at('before'), ' more')],
  ['copyFileSync', (at) => fs.copyFileSync(at('before'), at('copy'))],
  ['truncateSync', (at) => fs.truncateSync(at('before'), 3)],
  ['promisify(writeFile)', (at) => promisify(fs.writeFile)(at('a'), 'ü', 'latin1')],
  ['promises.writeFile', (at) => fsPromises.writeFile(at('a'), new Uint8Array(3))],
  ['promises.appendFile', (at) => fsPromises.appendFile(at('before'), '!')],
  [
    'promises.mkdir of several levels',
    async (at) => void (await fsPromises.mkdir(at('x/y/z'), { recursive: true })),
  ],
  [
    'linkSync, renameSync, unlinkSync',
    (at) => {
      fs.linkSync(at('before'), at('two'));
      fs.renameSync(at('two'), at('three'));
      fs.unlinkSync(at('before'));
    },
  ],
  [
    'a rename from a name that begins with two dots',
    (at) => {
      fs.writeFileSync(at('..hidden.tmp'), 'text');
      fs.renameSync(at('..hidden.tmp'), at('before'));
    },
  ],
  [
    'writes without a position',
    (at) => {
      const file = fs.openSync(at('a'), 'w+');
      fs.writeSync(file, 'one ');
      fs.writeSync(file, Buffer.from('xtwo'), 1, 3);
      fs.writeSync(file, 'ONE', 0);
      fs.closeSync(file);
    },
  ],
  [
    'a read before a write',
    (at) => {
      const file = fs.openSync(at('before'), 'r+');
      fs.readSync(file, Buffer.alloc(4), 0, 4, null);
      fs.writeSync(file, 'IS');
      fs.closeSync(file);
    },
  ],
  [
    'a file handle',
    async (at) => {
      const file = await fsPromises.open(at('a'), 'w');
      await file.write('one');
      await file.writeFile('two');
      await file.truncate(4);
      await file.datasync();
      await file.close();
    },
  ],
  [
    'a number that is given out again before its closing was answered',
    async (at) => {
      const first = fs.openSync(at('a'), 'w');
      const closed = promisify(fs.close)(first);
      const second = reopened(at('b'), first);
      await closed;
      fs.writeSync(second, 'two');
      fs.closeSync(second);
    },
  ],
  ['a write stream', (at) => pipeline(['one', 'two'], fs.createWriteStream(at('a')))],
];

describe('the recorder', () => {
  it.each(ways)('explains %s', async (_, act) => {
    expect(check(await trace(act))).toContain('saved');
  });

  it('sees syncs of files and of directories, and the order of all of it', async () => {
    const recorded = await trace(async (at) => {
      const file = await fsPromises.open(at('a'), 'wx');
      await file.writeFile('text');
      await file.sync();
      await file.close();
      await fsPromises.rename(at('a'), at('before'));
      const folder = fs.openSync(at('.'), 'r');
      fs.fsyncSync(folder);
      fs.closeSync(folder);
    });
    expect(check(recorded)).toEqual([
      ...['open', 'write', 'sync', 'close', 'rename'],
      ...['openDirectory', 'sync', 'close', 'saved'],
    ]);
  });

  it('sees the sync that the flags of a file ask for', async () => {
    const recorded = await trace((at) => fs.writeFileSync(at('a'), 'text', { flag: 'as' }));
    expect(check(recorded)).toEqual(['open', 'write', 'sync', 'close', 'saved']);
  });

  it('records nothing outside of the folder, and nothing after the run', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'checkpoint-wal-trace-'));
    folders.push(outside);
    const recorded = await trace(() => fs.writeFileSync(join(outside, 'a'), 'text'));
    fs.writeFileSync(join(outside, 'b'), 'text');
    expect(check(recorded)).toEqual(['saved']);
  });

  it('refuses a write that overlaps a sync of the same file', async () => {
    const overlapping = trace(async (at) => {
      const file = fs.openSync(at('a'), 'w');
      const synced = promisify(fs.fsync)(file);
      fs.writeSync(file, 'during');
      await synced;
      fs.closeSync(file);
    });
    await expect(overlapping).rejects.toThrow('a write overlapped a sync of /a');
  });
});
