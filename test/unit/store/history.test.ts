/**
 * Reading history: what is listed from seal lines alone, and what is read whole and verified.
 */
import { crc32 } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { CheckpointError } from '../../../src/errors.js';
import { sealText } from '../../../src/format/seal.js';
import type { CheckpointIo, HistoryContent } from '../../../src/io/checkpoint-io.js';
import type { FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { resolvePaths } from '../../../src/io/store-paths.js';
import {
  countHistory,
  listHistory,
  readHistoryEntry,
  readListed,
} from '../../../src/store/history.js';
import { openCheckpointStore } from '../../../src/store.js';

const DIRECTORY = '/orchestration';
const TARGET = `${DIRECTORY}/ORCHESTRATION.yaml`;
const START_MS = Date.UTC(2026, 0, 2);
const entry = (sequence: number) =>
  `${DIRECTORY}/checkpoints/${String(sequence).padStart(12, '0')}.ORCHESTRATION.yaml`;

/** A store with three saves, a minute apart, left without closing. */
async function threeSaves(fileSystem: FileSystem = new MemoryFileSystem()) {
  let nowMs = START_MS;
  const clock = { now: () => nowMs };
  const store = await openCheckpointStore({ directory: DIRECTORY, fileSystem, clock });
  await store.save({ v: 1 }, { label: 'first', pinned: true });
  nowMs += 60_000;
  await store.save({ v: 2 });
  nowMs += 60_000;
  await store.save({ v: 3 }, { label: 'third' });
  return {
    store,
    fs: fileSystem,
    paths: resolvePaths(fileSystem, DIRECTORY, 'ORCHESTRATION.yaml'),
  };
}

function write(fs: FileSystem, path: string, content: string | Uint8Array): void {
  if (fs.statLink(path) !== undefined) fs.unlink(path);
  const handle = fs.open(path, 'create', 0o644);
  handle.write(typeof content === 'string' ? new TextEncoder().encode(content) : content, 0);
  handle.close();
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe('a list of history', () => {
  it('shows every checkpoint as its seal line tells it, the current one last', async () => {
    const { store, fs } = await threeSaves();
    const size = (path: string) => fs.stat(path)?.size;
    const rest = { artifacts: 0, pinned: false, current: false };
    expect(await store.history()).toEqual([
      {
        ...rest,
        sequence: 1,
        file: entry(1),
        size: size(entry(1)),
        timeMs: START_MS,
        label: 'first',
        pinned: true,
      },
      { ...rest, sequence: 2, file: entry(2), size: size(entry(2)), timeMs: START_MS + 60_000 },
      {
        ...rest,
        sequence: 3,
        file: TARGET,
        size: size(TARGET),
        timeMs: START_MS + 120_000,
        label: 'third',
        current: true,
      },
    ]);
    await store.close();
  });

  it('shows a checkpoint once, although closing leaves a copy of the current one', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.close();
    expect(fs.stat(entry(3))).toBeDefined();
    expect(listHistory(fs, paths).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(listHistory(fs, paths, { current: false }).map(({ file }) => file)).toEqual([
      entry(1),
      entry(2),
      entry(3),
    ]);
  });

  it('is empty in a new store, and needs neither lock nor directory', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    expect(listHistory(fs, resolvePaths(fs, DIRECTORY, 'ORCHESTRATION.yaml'))).toEqual([]);
    const store = await openCheckpointStore({ directory: DIRECTORY, fileSystem: fs });
    expect(await store.history()).toEqual([]);
    await store.close();
  });

  it('shows entries that can not be read as such, and the others all the same', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.close();
    write(fs, entry(1), 'v: 1\n');
    write(fs, entry(2), sealText('v: 2\n', { sequence: 1, epoch: 1 }));
    fs.makeDirectory(entry(9));
    write(fs, `${DIRECTORY}/checkpoints/notes.txt`, 'mine');
    const listed = listHistory(fs, paths);
    expect(listed.map(({ sequence }) => sequence)).toEqual([1, 2, 9, 3]);
    expect(listed.map(({ problem }) => problem?.code)).toEqual([
      'ENTRY_DAMAGED',
      'ENTRY_DAMAGED',
      'ENTRY_DAMAGED',
      undefined,
    ]);
  });

  it('takes the last change of a file whose seal has no time', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.close();
    write(fs, entry(2), sealText('v: 2\n', { sequence: 2, epoch: 1 }));
    const listed = listHistory(fs, paths).find(({ sequence }) => sequence === 2);
    expect(listed?.timeMs).toBe(fs.stat(entry(2))?.modifiedMs);
  });

  it('shows an edited checkpoint under the next free number', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.close();
    write(fs, TARGET, 'v: 4\n');
    expect(listHistory(fs, paths).map(({ sequence, current }) => [sequence, current])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(listHistory(fs, paths).at(-1)?.problem?.code).toBe('EDITED_OUTSIDE');
    const again = await openCheckpointStore({ directory: DIRECTORY, fileSystem: fs });
    expect(again.sequence).toBeGreaterThanOrEqual(4);
    await again.close();
  });

  it('reads the end of an entry only, whatever its size', async () => {
    const memory = new MemoryFileSystem();
    const recording = new RecordingFileSystem(memory);
    const store = await openCheckpointStore({ directory: DIRECTORY, fileSystem: recording });
    await store.saveText(`v: 1\n${'# filler\n'.repeat(100_000)}`);
    await store.saveText('v: 2\n');
    const before = recording.operations.length;
    expect(await store.history()).toMatchObject([{ sequence: 1, size: expect.any(Number) }, {}]);
    const reads = recording.operations
      .slice(before)
      .filter(({ operation }) => operation === 'read');
    expect(reads.filter(({ path }) => path === entry(1))).toHaveLength(1);
    await store.close();
  });
});

describe('a checkpoint of history', () => {
  it('comes with its text and what its seal says, once it is verified', async () => {
    const { store } = await threeSaves();
    const first = await store.readCheckpoint(1);
    expect(first).toMatchObject({ text: 'v: 1\n', artifacts: [] });
    expect(first.entry).toMatchObject({
      sequence: 1,
      label: 'first',
      pinned: true,
      current: false,
    });
    const third = await store.readCheckpoint(3);
    expect(third).toMatchObject({ text: 'v: 3\n', entry: { current: true, file: TARGET } });
    await store.close();
  });

  it('that does not exist is refused, and the nearest that do are named', async () => {
    const { store, fs, paths } = await threeSaves();
    fs.unlink(entry(2));
    expect(codeOf(() => readHistoryEntry(fs, paths, 2))).toBe(
      'NOT_IN_HISTORY: There is no checkpoint 2. Nearest: 1, 3.',
    );
    await expect(store.readCheckpoint(99)).rejects.toMatchObject({
      code: 'NOT_IN_HISTORY',
      details: { nearest: [1, 3] },
    });
    await expect(store.readCheckpoint(-1)).rejects.toThrow(TypeError);
    await expect(store.readCheckpoint('1' as never)).rejects.toThrow(TypeError);
    await store.close();
  });

  it('that was damaged is refused, though its last line is whole', async () => {
    const { store, fs, paths } = await threeSaves();
    const sealed = new TextDecoder().decode(sealText('v: 2\n', { sequence: 2, epoch: 1 }));
    write(fs, entry(2), sealed.replace('v: 2', 'v: 3'));
    expect(listHistory(fs, paths)[1]).not.toHaveProperty('problem');
    expect(codeOf(() => readHistoryEntry(fs, paths, 2))).toBe(
      'ENTRY_DAMAGED: Checkpoint 2 does not verify: its seal does not verify (mismatch).',
    );
    await store.close();
  });

  it('is found in its copy where the file itself was edited', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.close();
    write(fs, TARGET, 'v: 4\n');
    expect(readHistoryEntry(fs, paths, 3)).toMatchObject({ text: 'v: 3\n' });
  });
});

describe('a store on a port of its own', () => {
  const open = (history?: CheckpointIo['history']) =>
    openCheckpointStore({
      directory: 'unused',
      restore: false,
      io: () =>
        ({
          acquireLock: () => ({ directory: 'd', target: 't', lock: 'memory', warnings: [] }),
          releaseLock: () => undefined,
          checkWal: () => ({ present: false }),
          checkCheckpoint: () => ({
            condition: 'missing',
            size: 0,
            highestSequence: 0,
            everPublished: false,
          }),
          removeLeftovers: () => ({ removed: [] }),
          ...(history && { history }),
        }) as Partial<CheckpointIo> as CheckpointIo,
    });

  it('says so where the port offers no history', async () => {
    const store = await open();
    await expect(store.history()).rejects.toMatchObject({ code: 'NO_HISTORY' });
    await expect(store.readCheckpoint(1)).rejects.toMatchObject({ code: 'NO_HISTORY' });
    await store.close();
  });

  it('hands on what the port offers', async () => {
    const listed = {
      sequence: 1,
      file: 'row 1',
      size: 5,
      timeMs: 0,
      pinned: false,
      artifacts: 0,
      current: false,
    };
    const content: HistoryContent = { entry: listed, text: 'v: 1\n', artifacts: [] };
    const store = await open({ list: () => [listed], read: async () => content });
    expect(await store.history()).toEqual([listed]);
    expect(await store.readCheckpoint(1)).toEqual(content);
    await store.close();
  });
});

describe('the newest of a history', () => {
  it.each([false, true])(
    'are those that the whole list ends with, with a copy of the current one in history: %s',
    async (hasCopy) => {
      const { fs, paths } = await threeSaves();
      if (hasCopy) fs.link(TARGET, entry(3));
      const all = listHistory(fs, paths);
      for (let newest = 1; newest <= all.length + 1; newest += 1) {
        expect(listHistory(fs, paths, { newest })).toEqual(all.slice(-newest));
        expect(listHistory(fs, paths, { newest, current: false })).toEqual(
          listHistory(fs, paths, { current: false }).slice(-newest),
        );
      }
      expect(countHistory(fs, paths, all.at(-1))).toBe(all.length);
      fs.unlink(TARGET);
      const left = listHistory(fs, paths);
      expect(countHistory(fs, paths, left.at(-1))).toBe(left.length);
    },
  );

  it('are listed without a look into the others', async () => {
    const { store, fs, paths } = await threeSaves();
    await store.save({ v: 4 });
    const open = vi.spyOn(fs, 'open');
    listHistory(fs, paths, { newest: 1 });
    const opened = open.mock.calls.map(([path]) => path);
    expect(opened).not.toContain(entry(1));
    expect(opened).toContain(TARGET);
  });
});

describe('a checkpoint that was listed', () => {
  it('is read from history where a save has replaced it in the meantime', async () => {
    const { store, fs, paths } = await threeSaves();
    const current = listHistory(fs, paths).at(-1);
    await store.save({ v: 4 });
    expect(current).toMatchObject({ sequence: 3, current: true });
    expect(current && readListed(fs, paths, current)).toMatchObject({
      text: 'v: 3\n',
      entry: { sequence: 3, current: false, label: 'third' },
    });
  });

  it('is not there any more where it was pruned in the meantime', async () => {
    const { fs, paths } = await threeSaves();
    const [first] = listHistory(fs, paths);
    fs.unlink(entry(1));
    expect(codeOf(() => first && readListed(fs, paths, first))).toMatch(/^NOT_IN_HISTORY: /);
  });

  it('is refused where it does not verify', async () => {
    const { fs, paths } = await threeSaves();
    const [first] = listHistory(fs, paths);
    write(fs, entry(1), 'v: 1\n');
    expect(codeOf(() => first && readListed(fs, paths, first))).toMatch(/^ENTRY_DAMAGED: /);
  });

  it('is returned as it is on disk where the current one was edited, and says so', async () => {
    const { fs, paths } = await threeSaves();
    for (const text of ['v: 9\n', 'v: [9\n']) {
      write(fs, TARGET, text);
      const current = listHistory(fs, paths).at(-1);
      expect(current && readListed(fs, paths, current)).toMatchObject({
        text,
        edit: { code: 'EDITED_OUTSIDE' },
      });
    }
  });

  it('is what was saved where the edit was saved in the meantime', async () => {
    const { store, fs, paths } = await threeSaves();
    write(fs, TARGET, 'v: 9\n');
    const edited = listHistory(fs, paths).at(-1);
    await store.save({ v: 10 });
    const found = edited && readListed(fs, paths, edited);
    expect(found).not.toHaveProperty('edit');
    expect(found?.text).toBe('v: 10\n');
  });

  it('is refused where the current one is no text or of a newer format', async () => {
    const { fs, paths } = await threeSaves();
    const refusal = (content: string | Uint8Array) => {
      write(fs, TARGET, content);
      const current = listHistory(fs, paths).at(-1);
      return codeOf(() => current && readListed(fs, paths, current));
    };
    expect(refusal(Uint8Array.of(0x61, 0xff))).toMatch(/^INVALID_YAML: .*byte 1/);
    const fields = '# checkpoint-wal: v7 anything=else';
    const crc = crc32(fields).toString(16).padStart(8, '0');
    const later = `v: 1\n${fields} crc=${crc} sha256=${'0'.repeat(64)}\n`;
    expect(refusal(later)).toMatch(/^UNSUPPORTED_VERSION: /);
  });
});
