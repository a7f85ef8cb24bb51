import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';
import { inspectStore } from '../../../src/store/inspect-store.js';
import { openCheckpointStore } from '../../../src/store.js';
import { crashedStore, makeStore, PLAN, type WriteState } from '../../helpers/crashed-stores.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const file = (directory: string) => join(directory, 'ORCHESTRATION.yaml');
const wal = (directory: string) => join(directory, '.checkpoint.wal');

/** Every file of a folder with its content. */
function contentsOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, readFileSync(path).toString('base64')];
    }),
  );
}

describe('inspectStore', () => {
  it('refuses a directory that is not there, and one that holds no store, with NO_STORE', async () => {
    const empty = freshFolder();
    const code = 'NO_STORE';
    await expect(inspectStore({ directory: empty })).rejects.toMatchObject({ code });
    await expect(inspectStore({ directory: join(empty, 'none') })).rejects.toMatchObject({ code });
    mkdirSync(join(empty, 'checkpoints'));
    await expect(inspectStore({ directory: empty })).rejects.toMatchObject({ code });
  });

  it('refuses a file name that would leave the directory', async () => {
    const options = { directory: freshFolder(), file: '../ORCHESTRATION.yaml' };
    await expect(inspectStore(options)).rejects.toMatchObject({ code: 'PATH_OUTSIDE_STORE' });
  });

  it('calls a cleanly closed store ok, with its sequence, time and text', async () => {
    const directory = await makeStore(['NEXT']);
    const found = await inspectStore({ directory });
    expect(found).toMatchObject({ health: 'ok', sequence: 2, entries: [1, 2], temporaries: [] });
    expect(found.text).toBe(PLAN.replace('ACTIVE', 'NEXT'));
    expect(Math.abs(Date.now() - (found.savedAtMs ?? 0))).toBeLessThan(60_000);
    expect(found.plan).toMatchObject({ outcome: 'ready', loses: [], keeps: [], sequence: 2 });
    expect(found).not.toHaveProperty('wal');
    expect(found).not.toHaveProperty('holder');
  });

  const crashes: readonly [WriteState, string, string, number][] = [
    ['writingData', 'unsealed', 'wal-never-promised', 1],
    ['syncingWal', 'sealed', 'wal-apply', 2],
    ['writingCheckpoint', 'sealed', 'wal-apply', 2],
    ['syncingCheckpoint', 'sealed', 'wal-apply', 2],
    ['deletingWal', 'sealed', 'wal-applied', 2],
  ];
  it.each(crashes)(
    'foresees what recovery does after a crash in %s: %s, %s',
    async (state, verdict, label, sequence) => {
      const directory = await crashedStore(state);
      const before = contentsOf(directory);
      const found = await inspectStore({ directory });
      expect(contentsOf(directory)).toEqual(before);
      expect(found).toMatchObject({ health: 'pending', wal: { verdict }, plan: { sequence } });
      expect(found.plan.decisions[0]?.label).toBe(label);
      expect(found.temporaries).toHaveLength(/Checkpoint$/.test(state) ? 1 : 0);
      const store = await openCheckpointStore({ directory });
      const { recovery } = store;
      await store.close();
      expect(found.plan.decisions).toEqual(recovery.decisions);
      expect(found.plan.loses).toEqual(recovery.lost);
      expect(found.plan.removes).toEqual(recovery.removed);
      expect(found.plan.sequence).toBe(recovery.sequence);
    },
  );

  const damages: readonly [string, (directory: string) => void, string, string[]][] = [
    [
      'an edited file',
      (directory) => appendFileSync(file(directory), 'more: 1\n'),
      'edited',
      ['wal-absent', 'checkpoint-edited-adopt'],
    ],
    [
      'an emptied file',
      (directory) => writeFileSync(file(directory), ''),
      'findings',
      ['wal-absent', 'checkpoint-damaged', 'history-restore'],
    ],
    [
      'a missing file',
      (directory) => rmSync(file(directory)),
      'findings',
      ['wal-absent', 'checkpoint-lost', 'history-restore'],
    ],
    [
      'an emptied file without history',
      (directory) => {
        writeFileSync(file(directory), '');
        rmSync(join(directory, 'checkpoints'), { recursive: true });
      },
      'corrupt',
      ['wal-absent', 'checkpoint-damaged', 'history-nothing-valid'],
    ],
  ];
  it.each(damages)(
    'foresees what recovery does about %s',
    async (_name, damage, health, labels) => {
      const directory = await makeStore(['NEXT']);
      damage(directory);
      const before = contentsOf(directory);
      const found = await inspectStore({ directory });
      expect(contentsOf(directory)).toEqual(before);
      expect(found.health).toBe(health);
      expect(found.plan.decisions.map(({ label }) => label)).toEqual(labels);
      const opening = openCheckpointStore({ directory });
      if (health === 'corrupt') {
        expect(found.plan).toMatchObject({ outcome: 'refused', problem: { code: 'REFUSED' } });
        await expect(opening).rejects.toMatchObject({ code: 'REFUSED' });
        return;
      }
      const store = await opening;
      expect(found.plan.decisions).toEqual(store.recovery.decisions);
      expect(found.plan.loses).toEqual(store.recovery.lost);
      expect(found.plan.sequence).toBe(store.sequence);
      await store.close();
    },
  );

  it('finds a damaged log, and names the save that it takes with it', async () => {
    const directory = await crashedStore('writingCheckpoint');
    const bytes = readFileSync(wal(directory));
    bytes.writeUInt8(bytes.readUInt8(300) ^ 0xff, 300);
    writeFileSync(wal(directory), bytes);
    const { health, plan } = await inspectStore({ directory });
    expect(health).toBe('findings');
    expect(plan.decisions[0]?.label).toBe('wal-damaged');
    expect(plan.loses[0]).toContain('save 2');
    expect(plan.keeps[0]).toContain('the log');
  });

  it('keeps both where the log and an edited file contradict each other', async () => {
    const directory = await crashedStore('writingCheckpoint');
    writeFileSync(file(directory), 'other: true\n');
    const { health, plan } = await inspectStore({ directory });
    expect(health).toBe('findings');
    expect(plan.decisions.map(({ label }) => label)).toEqual(['wal-conflict', 'checkpoint-intact']);
    expect(plan.keeps).toHaveLength(1);
  });

  it('takes a log of an open store for a save in flight, never for damage', async () => {
    const directory = await makeStore();
    const store = await openCheckpointStore({ directory });
    expect(await inspectStore({ directory })).toMatchObject({
      health: 'open',
      holder: { pid: process.pid },
    });
    writeFileSync(wal(directory), 'half of a header');
    const found = await inspectStore({ directory });
    expect(found).toMatchObject({ health: 'saving', wal: { verdict: 'torn' } });
    expect(found.plan.decisions[0]?.label).toBe('wal-absent');
    rmSync(wal(directory));
    await store.close();
  });

  it('sees an open store in which nothing was saved yet', async () => {
    const directory = freshFolder();
    const store = await openCheckpointStore({ directory });
    expect(await inspectStore({ directory })).toMatchObject({ health: 'open' });
    await store.close();
    await expect(inspectStore({ directory })).rejects.toMatchObject({ code: 'NO_STORE' });
  });

  it('follows the policy for outside edits', async () => {
    const directory = await makeStore(['NEXT']);
    appendFileSync(file(directory), 'more: 1\n');
    const rejecting = await inspectStore({ directory, externalEdits: 'reject' });
    expect(rejecting).toMatchObject({
      health: 'corrupt',
      plan: { problem: { code: 'EDITED_OUTSIDE' } },
    });
    const restoring = await inspectStore({ directory, externalEdits: 'restore' });
    expect(restoring.plan.decisions.at(-1)?.label).toBe('history-restore');
  });
});

it('gives a coded error where the system refuses a look', async () => {
  const disk = new MemoryFileSystem();
  disk.makeDirectory('/store');
  const refusing = new RecordingFileSystem(disk, {
    before: ({ operation, path }) => {
      if (operation === 'statLink') throw systemError('EACCES', 'lstat', path);
      return undefined;
    },
  });
  await expect(inspectStore({ directory: '/store', fileSystem: refusing })).rejects.toMatchObject({
    code: 'READ_FAILED',
  });
});
