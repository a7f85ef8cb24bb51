/**
 * Stores that were killed with a sealed log, or at rest, and then damaged in one way: each row says
 * what is done to the disk and what the next open must find, keep and say.
 */
import { describe, expect, it } from 'vitest';
import { readSeal, sealText } from '../../src/format/seal.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import {
  DIRECTORY,
  editInPlace,
  killedAt,
  leftovers,
  open,
  published,
  rawCheckpoint,
  TARGET,
} from '../helpers/crash-memory.js';

const WAL = `${DIRECTORY}/.checkpoint.wal`;

/** Checkpoints 1 and 2 are published; save 3 is killed when its log is sealed, or just after it was published. */
async function killedDuringSave3(after: 'logged' | 'published'): Promise<MemoryFileSystem> {
  const rehearse = async (fs: MemoryFileSystem | RecordingFileSystem) => {
    const store = await open(fs);
    await store.saveText('v: 1 # one\n');
    await store.set('v', 2);
    await store.set('v', 3);
  };
  const recording = new RecordingFileSystem(new MemoryFileSystem());
  await rehearse(recording);
  const { operations } = recording;
  const isLast = (operation: string, path: RegExp) =>
    operations.findLastIndex((one) => one.operation === operation && path.test(one.path));
  const index = after === 'logged' ? isLast('open', /\.tmp$/) : isLast('unlink', /\.wal$/);
  const disk = new MemoryFileSystem();
  await rehearse(killedAt(disk, index, 'before')).catch(() => undefined);
  return disk.clone();
}

async function atRest(): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem();
  const store = await open(disk);
  await store.saveText('v: 1 # one\n');
  await store.set('v', 2);
  await store.set('v', 3);
  await store.close();
  return disk;
}

function bytesOf(disk: MemoryFileSystem, path: string): Uint8Array {
  const found = disk.snapshot()[path];
  return found?.kind === 'file' ? found.content : new Uint8Array();
}

function overwrite(disk: MemoryFileSystem, path: string, bytes: Uint8Array): void {
  const { mode } = disk.stat(path) ?? { mode: 0o600 };
  if (disk.statLink(path)) disk.unlink(path);
  const handle = disk.open(path, 'create', mode);
  handle.write(bytes, 0);
  handle.close();
}

function flip(disk: MemoryFileSystem, path: string, offset: number): void {
  const bytes = bytesOf(disk, path).slice();
  const at = offset < 0 ? bytes.length + offset : offset;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  overwrite(disk, path, bytes);
}

const kept = (disk: MemoryFileSystem) =>
  Object.keys(disk.snapshot()).filter((path) => path.startsWith(`${DIRECTORY}/quarantine/`));

async function reopen(disk: MemoryFileSystem) {
  const store = await open(disk);
  const { text, recovery, sequence } = store;
  await store.set('next', true);
  await store.close();
  expect(leftovers(disk)).toEqual([]);
  const again = await open(disk);
  expect(again.recovery.clean).toBe(true);
  await again.close();
  const labels = recovery.decisions.map(({ label }) => label);
  return { text, recovery, sequence, labels };
}

describe('a store killed with a sealed log', () => {
  it('goes on with the logged save', async () => {
    const disk = await killedDuringSave3('logged');
    const { text, labels, recovery } = await reopen(disk);
    expect(text).toBe('v: 3 # one\n');
    expect(labels).toEqual(['wal-apply', 'checkpoint-intact']);
    expect(recovery).toMatchObject({ lost: [], kept: [], clean: false, sequence: 3 });
  });

  it('only deletes the log if its save was published', async () => {
    const disk = await killedDuringSave3('published');
    const before = rawCheckpoint(disk);
    const { labels, recovery } = await reopen(disk);
    expect(labels).toEqual(['wal-applied', 'checkpoint-intact']);
    expect(recovery.lost).toEqual([]);
    expect(before).toContain('v: 3');
  });

  it.each([
    ['the header', 20],
    ['the intent', 100],
    ['the data', 300],
  ])(
    'sets the log aside when %s is damaged, goes on with checkpoint 2, and says what is lost',
    async (_, offset) => {
      const disk = await killedDuringSave3('logged');
      flip(disk, WAL, offset);
      const damaged = bytesOf(disk, WAL);
      const { text, labels, recovery } = await reopen(disk);
      expect(text).toBe('v: 2 # one\n');
      expect(labels).toEqual(['wal-damaged', 'checkpoint-intact']);
      expect(recovery.lost).toHaveLength(1);
      expect(kept(disk)).toHaveLength(1);
      expect(bytesOf(disk, kept(disk)[0] ?? '')).toEqual(damaged);
    },
  );

  it('discards a log that was cut off before its seal', async () => {
    const disk = await killedDuringSave3('logged');
    overwrite(disk, WAL, bytesOf(disk, WAL).subarray(0, 350));
    const { text, labels, recovery } = await reopen(disk);
    expect(text).toBe('v: 2 # one\n');
    expect(labels[0]).toBe('wal-never-promised');
    expect(recovery).toMatchObject({ lost: [], kept: [] });
  });

  it('applies the log over a torn checkpoint, and keeps the torn bytes', async () => {
    const disk = await killedDuringSave3('logged');
    editInPlace(disk, 'v: 2 # o');
    const { text, labels } = await reopen(disk);
    expect(text).toBe('v: 3 # one\n');
    expect(labels[0]).toBe('wal-conflict');
    expect(kept(disk).map((path) => new TextDecoder().decode(bytesOf(disk, path)))).toContain(
      'v: 2 # o',
    );
  });

  it('applies the log where the checkpoint is gone', async () => {
    const disk = await killedDuringSave3('logged');
    disk.unlink(TARGET);
    const { text, labels } = await reopen(disk);
    expect(text).toBe('v: 3 # one\n');
    expect(labels[0]).toBe('wal-apply-missing');
  });

  it('keeps an edit of the published save, and the save itself in history', async () => {
    const disk = await killedDuringSave3('published');
    const edited = (rawCheckpoint(disk) ?? '').replace('# one', '# one, edited');
    editInPlace(disk, edited);
    const { text, labels } = await reopen(disk);
    expect(text).toBe('v: 3 # one, edited\n');
    expect(labels).toEqual(['wal-applied-then-edited', 'checkpoint-edited-adopt']);
    const entry = readSeal(
      bytesOf(disk, `${DIRECTORY}/checkpoints/000000000003.ORCHESTRATION.yaml`),
    );
    expect(entry).toMatchObject({ kind: 'sealed', sequence: 3, text: 'v: 3 # one\n' });
  });

  it('keeps an edit of the old checkpoint aside and publishes the promised save', async () => {
    const disk = await killedDuringSave3('logged');
    const edited = (rawCheckpoint(disk) ?? '').replace('# one', '# edited');
    editInPlace(disk, edited);
    const { text, labels } = await reopen(disk);
    expect(text).toBe('v: 3 # one\n');
    expect(labels[0]).toBe('wal-conflict');
    expect(
      kept(disk).some((path) => new TextDecoder().decode(bytesOf(disk, path)) === edited),
    ).toBe(true);
  });

  it('sets the log aside when the checkpoint is later than it', async () => {
    const disk = await killedDuringSave3('logged');
    overwrite(disk, TARGET, sealText('v: 9\n', { sequence: 9, epoch: 1 }));
    const { text, labels, sequence } = await reopen(disk);
    expect(text).toBe('v: 9\n');
    expect(sequence).toBe(9);
    expect(labels).toEqual(['wal-superseded', 'checkpoint-intact']);
    expect(kept(disk)).toHaveLength(1);
  });

  it('sets a log for another file aside', async () => {
    const disk = await killedDuringSave3('logged');
    disk.rename(TARGET, `${DIRECTORY}/other.yaml`);
    const store = await open(disk, { file: 'other.yaml' });
    expect(store.recovery.decisions[0]?.label).toBe('wal-foreign');
    expect(store.state).toMatchObject({ v: 2 });
    await store.close();
    expect(kept(disk)).toHaveLength(1);
  });
});

describe('a store at rest', () => {
  it.each([
    ['emptied', ''],
    ['NUL-filled', '\0'.repeat(100)],
    ['cut in the middle of a line', 'v: [3'],
    ['given a duplicate key', 'v: 3\nv: 4\n'],
  ])('restores the last checkpoint when its file is %s', async (_, text) => {
    const disk = await atRest();
    editInPlace(disk, text);
    const { text: found, labels, recovery, sequence } = await reopen(disk);
    expect(found).toBe('v: 3 # one\n');
    expect(sequence).toBe(5);
    expect(labels).toEqual(['wal-absent', 'checkpoint-damaged', 'history-restore']);
    expect(recovery.kept).toHaveLength(1);
    expect(kept(disk).map((path) => new TextDecoder().decode(bytesOf(disk, path)))).toContain(text);
  });

  it('restores it when the file is gone', async () => {
    const disk = await atRest();
    disk.unlink(TARGET);
    const { text, labels } = await reopen(disk);
    expect(text).toBe('v: 3 # one\n');
    expect(labels).toContain('checkpoint-lost');
  });

  it('goes further back when the newest entry does not verify, and says so', async () => {
    const disk = await atRest();
    editInPlace(disk, '');
    flip(disk, `${DIRECTORY}/checkpoints/000000000003.ORCHESTRATION.yaml`, 3);
    const { text, recovery } = await reopen(disk);
    expect(text).toBe('v: 2 # one\n');
    expect(recovery.history?.refused).toHaveLength(1);
    expect(recovery.lost).toHaveLength(1);
  });

  it('is refused, untouched, when no entry verifies', async () => {
    const disk = await atRest();
    editInPlace(disk, '');
    for (const n of [1, 2, 3]) {
      flip(disk, `${DIRECTORY}/checkpoints/00000000000${n}.ORCHESTRATION.yaml`, 3);
    }
    const before = disk.snapshot();
    await expect(open(disk)).rejects.toMatchObject({ code: 'REFUSED' });
    expect(disk.snapshot()).toEqual(before);
  });

  it('adopts a rewritten file that has lost its seal, and keeps its predecessor', async () => {
    const disk = await atRest();
    editInPlace(disk, '{v: 30}\n');
    const { text, labels, sequence } = await reopen(disk);
    expect(text).toBe('{v: 30}\n');
    expect(sequence).toBe(5);
    expect(labels).toContain('checkpoint-edited-adopt');
    expect(published(disk)).toMatchObject({ sealed: true });
    expect(
      readSeal(bytesOf(disk, `${DIRECTORY}/checkpoints/000000000003.ORCHESTRATION.yaml`)),
    ).toMatchObject({ kind: 'sealed', text: 'v: 3 # one\n' });
  });

  it('does not let an absurd number in an edited seal use the numbers up', async () => {
    const disk = await atRest();
    const raw = rawCheckpoint(disk) ?? '';
    editInPlace(disk, raw.replace('sequence=3', 'sequence=281474976710655').replace('# one', '#'));
    const { sequence } = await reopen(disk);
    expect(sequence).toBe(4);
  });

  it('refuses a log that is not a file', async () => {
    const disk = await atRest();
    disk.makeDirectory(WAL);
    await expect(open(disk)).rejects.toMatchObject({ code: 'READ_FAILED' });
  });

  it('gives each open a higher epoch', async () => {
    const disk = await atRest();
    for (const expected of [2, 3, 4]) {
      const store = await open(disk);
      await store.set('v', expected * 10);
      await store.close();
      expect(readSeal(bytesOf(disk, TARGET))).toMatchObject({ epoch: expected });
    }
  });

  it('removes temporary files of a crashed save, and nobody else’s', async () => {
    const disk = await atRest();
    const ours = `${DIRECTORY}/.ORCHESTRATION.yaml.0123456789ab.tmp`;
    const theirs = `${DIRECTORY}/.notes.0123456789ab.tmp`;
    overwrite(disk, ours, new Uint8Array(3));
    overwrite(disk, theirs, new Uint8Array(3));
    const store = await open(disk);
    expect(store.recovery.removed).toEqual(['.ORCHESTRATION.yaml.0123456789ab.tmp']);
    await store.close();
    expect(disk.statLink(ours)).toBeUndefined();
    expect(disk.statLink(theirs)).toBeDefined();
  });
});
