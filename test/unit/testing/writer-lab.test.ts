/**
 * The lab for other people's writers, on traces written by hand: what it accuses of what, what it does
 * not, and which traces it refuses.
 */
import { describe, expect, it } from 'vitest';
import type { WriterOperation, WriterTrace } from '../../../src/testing/traced-writer.js';
import {
  describeVerdict,
  exploreWriter,
  type WriterCrash,
} from '../../../src/testing/writer-lab.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const old = bytes('old\n');
const next = bytes('a new text\n');
const FILE = '/file';

const create: WriterOperation = {
  kind: 'open',
  handle: 1,
  path: '/file.tmp',
  created: true,
  truncated: false,
};
const write: WriterOperation = { kind: 'write', handle: 1, position: 0, data: next };
const sync: WriterOperation = { kind: 'sync', handle: 1 };
const close: WriterOperation = { kind: 'close', handle: 1 };
const rename: WriterOperation = { kind: 'rename', path: '/file.tmp', to: FILE };
const openFolder: WriterOperation = { kind: 'openDirectory', handle: 2, path: '/' };
const syncFolder: WriterOperation = { kind: 'sync', handle: 2 };
const saved: WriterOperation = { kind: 'saved' };
const careful = [create, write, sync, close, rename, openFolder, syncFolder, saved];

const traceOf = (
  operations: readonly WriterOperation[],
  before: WriterTrace['before'] = [{ path: FILE, content: old }],
): WriterTrace => ({ before, operations, after: [{ path: FILE, content: next }] });

const explore = (operations: readonly WriterOperation[], crash: WriterCrash = 'posix-minimal') =>
  exploreWriter({ trace: traceOf(operations), file: FILE, old, next, crash });

describe('the writer lab', () => {
  it.each(['kill', 'ordered', 'posix-minimal'] as const)(
    'has nothing to say against a careful writer: %s',
    async (crash) => {
      const { atomic, durable, exhaustive, moments } = await explore(careful, crash);
      expect([atomic, durable]).toEqual([
        { holds: true, losses: 0 },
        { holds: true, losses: 0 },
      ]);
      expect(exhaustive).toBe(true);
      expect(moments).toBe(careful.length - 1);
    },
  );

  it('finds that a file which was not synced is torn after its rename', async () => {
    const { atomic } = await explore(
      careful.filter((one) => one !== sync),
      'ordered',
    );
    expect(atomic).toMatchObject({
      holds: false,
      first: { found: 'empty', after: 'rename /file.tmp to /file', operation: 3 },
    });
    expect(describeVerdict(atomic)).toMatch(
      /^empty after: rename \/file\.tmp to \/file \(\d+ states\)$/,
    );
  });

  it('finds that a rename which was not synced is forgotten, and that this tears nothing', async () => {
    const operations = careful.filter((one) => one !== syncFolder);
    const { atomic, durable } = await explore(operations);
    expect(atomic.holds).toBe(true);
    expect(durable.first).toMatchObject({ found: 'old', operation: operations.indexOf(saved) });
  });

  it('finds what is said to be saved too early, by a mere kill', async () => {
    const { atomic, durable } = await explore([saved, ...careful.slice(0, -1)], 'kill');
    expect(atomic.holds).toBe(true);
    expect(durable.first).toMatchObject({ found: 'old', operation: 0 });
  });

  it('finds half a write in place by a kill, but not after the write has ended', async () => {
    const inPlace: WriterOperation = { ...create, path: FILE, created: false, truncated: true };
    const { atomic, durable } = await explore([inPlace, write, saved], 'kill');
    expect(atomic).toMatchObject({ holds: false, losses: 2, first: { found: 'empty' } });
    expect(durable.holds).toBe(true);
  });

  it('takes a missing file for the old state where there was none', async () => {
    const { atomic, durable } = await exploreWriter({
      trace: traceOf(careful, []),
      file: FILE,
      old: undefined,
      next,
      crash: 'posix-minimal',
    });
    expect([atomic.holds, durable.holds]).toEqual([true, true]);
  });

  it('takes the new content for a loss before the save was asked for', async () => {
    const operations: WriterOperation[] = [...careful.slice(0, -1), { kind: 'saving' }, saved];
    const { atomic } = await explore(operations, 'kill');
    expect(atomic.first).toMatchObject({ found: 'new', after: 'rename /file.tmp to /file' });
  });

  it('judges what a recovery makes of a crash', async () => {
    const withoutSync = careful.filter((one) => one !== sync);
    const { atomic } = await exploreWriter({
      trace: traceOf(withoutSync),
      file: FILE,
      old,
      next,
      crash: 'ordered',
      recover: (disk) => {
        if (disk.stat(FILE) !== undefined) disk.unlink(FILE);
        const file = disk.open(FILE, 'create');
        file.write(old, 0);
        file.close();
      },
    });
    expect(atomic.holds).toBe(true);
  });

  it('says when it took a sample', async () => {
    const options = { trace: traceOf(careful), file: FILE, old, next, imagesPerMoment: 2 };
    const { exhaustive } = await exploreWriter({ ...options, crash: 'posix-minimal' });
    expect(exhaustive).toBe(false);
  });
});

describe('a trace', () => {
  it.each([
    ['a write is missing', careful.filter((one) => one !== write), 'the content of /file'],
    [
      'the rename is missing',
      careful.filter((one) => one !== rename),
      'does not explain the content of /file',
    ],
    ['something is left that was not', [...careful, { ...create, handle: 3 }], 'leaves /file.tmp'],
    ['a handle is not open', careful.slice(1), 'handle 1, which is not open'],
  ])('is refused where %s', async (_, operations, message) => {
    await expect(explore(operations, 'kill')).rejects.toThrow(message);
  });

  it('is refused where nothing could be told from it', async () => {
    const trace = traceOf(careful);
    const same = exploreWriter({ trace, file: FILE, old: next, next, crash: 'kill' });
    await expect(same).rejects.toThrow(TypeError);
  });
});
