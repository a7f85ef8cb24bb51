import { type } from 'arktype';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CheckpointError } from '../../../src/errors.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import type { CheckpointStoreEvent } from '../../../src/store/store-options.js';
import { openCheckpointStore } from '../../../src/store.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';
import {
  DIRECTORY,
  editInPlace,
  leftovers,
  open,
  published,
  rawCheckpoint,
  TARGET,
} from '../../helpers/crash-memory.js';

const commented = [
  '# plan',
  'workflow:',
  '  status:   ACTIVE   # now',
  '',
  '  agents: [a, b]',
  'phases:',
  '- id: 1',
  '',
].join('\n');

function diskWith(text: string): MemoryFileSystem {
  const disk = new MemoryFileSystem();
  disk.makeDirectory(DIRECTORY);
  const handle = disk.open(TARGET, 'create', 0o640);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
  return disk;
}

describe('a new store', () => {
  it('has no state until the first save', async () => {
    const disk = new MemoryFileSystem();
    const store = await open(disk);
    expect(store.state).toBeUndefined();
    expect(store.text).toBeUndefined();
    expect(store.sequence).toBe(0);
    expect(store.recovery).toMatchObject({ clean: true, outcome: 'ready' });
    await store.close();
    expect(Object.keys(disk.snapshot())).toEqual(['/', DIRECTORY]);
  });

  it('creates the file by its first set', async () => {
    const store = await open(new MemoryFileSystem());
    await store.set('workflow.status', 'ACTIVE');
    expect(store.text).toBe('workflow:\n  status: ACTIVE\n');
    await store.close();
  });

  it('keeps the file private', async () => {
    const disk = new MemoryFileSystem();
    const store = await open(disk);
    await store.save({ a: 1 });
    expect(disk.stat(TARGET)?.mode).toBe(0o600);
    await store.close();
  });
});

describe('a file that was there before', () => {
  it('is adopted without being written to', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    expect(store.sequence).toBe(1);
    expect(store.text).toBe(commented);
    await store.close();
    expect(rawCheckpoint(disk)).toBe(commented);
  });

  it('keeps every byte but the changed one, its mode, and the first version in history', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await store.set('workflow.status', 'DONE');
    expect(store.text).toBe(commented.replace('ACTIVE', 'DONE'));
    expect(disk.stat(TARGET)?.mode).toBe(0o640);
    await store.close();
    const kept = disk.snapshot()['/state/checkpoints/000000000001.ORCHESTRATION.yaml'];
    const content = kept?.kind === 'file' ? new TextDecoder().decode(kept.content) : '';
    expect(content.startsWith(commented)).toBe(true);
  });

  it.each([
    ['empty', '', 'REFUSED', undefined],
    ['only comments', '# nothing\n', 'REFUSED', undefined],
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 'REFUSED', 3],
    ['half a flow collection', 'a: [1, 2\n', 'REFUSED', undefined],
    ['two documents', 'a: 1\n---\nb: 2\n', 'REFUSED', undefined],
  ])('is refused, untouched, when it is %s', async (_, text, code, line) => {
    const disk = diskWith(text);
    const before = disk.snapshot();
    const refusal = await open(disk).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CheckpointError);
    expect(refusal).toMatchObject({ code });
    if (line !== undefined) expect(refusal).toMatchObject({ details: { line } });
    expect(disk.snapshot()).toEqual(before);
  });
});

describe('saving', () => {
  it('freezes the state deeply, and does not see what the caller changes later', async () => {
    const store = await open(new MemoryFileSystem());
    const mine = { list: [{ a: 1 }] };
    const saving = store.save(mine);
    mine.list[0] = { a: 2 };
    await saving;
    expect(store.state).toEqual({ list: [{ a: 1 }] });
    expect(Object.isFrozen((store.state as { list: object[] } | undefined)?.list[0])).toBe(true);
    await store.close();
  });

  it('gives identical bytes apart from the seal when nothing changed', async () => {
    const store = await open(diskWith(commented));
    const { sequence } = await store.save(structuredClone(store.state) as Record<string, unknown>);
    expect(sequence).toBe(2);
    expect(store.text).toBe(commented);
    await store.close();
  });

  it('takes an edited text verbatim, without the seal line that was in it', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await store.set('workflow.status', 'DONE');
    const raw = rawCheckpoint(disk) ?? '';
    await store.saveText(raw.replace('# plan', '# another plan'));
    expect(store.text).toBe(
      commented.replace('ACTIVE', 'DONE').replace('# plan', '# another plan'),
    );
    expect(rawCheckpoint(disk)?.match(/checkpoint-wal: v1/g)).toHaveLength(1);
    await store.close();
  });

  it.each([
    ['undefined', { a: { b: undefined } }, 'a.b'],
    ['a function', { a: [() => 1] }, 'a[0]'],
    ['a Date', { when: new Date(0) }, 'when'],
    ['a Map', { m: new Map() }, 'm'],
    ['a Buffer', { b: Buffer.from('x') }, 'b'],
  ])('refuses %s and names its path', async (_, state, path) => {
    const store = await open(diskWith('a: 1\n'));
    await expect(store.save(state)).rejects.toMatchObject({
      code: 'UNFAITHFUL_VALUE',
      details: { path },
    });
    expect(store.sequence).toBe(1);
    await store.close();
  });

  it('carries integers that a number can not hold, as long as the file holds them', async () => {
    const text = 'id: 12345678901234567890\nv: 1\n';
    const store = await open(diskWith(text));
    await store.save({ ...store.state, v: 2 });
    await store.update((draft) => ({ ...draft, v: 3 }));
    expect(store.text).toBe('id: 12345678901234567890\nv: 3\n');
    await expect(store.set('v', 2n ** 70n)).rejects.toMatchObject({ code: 'UNFAITHFUL_VALUE' });
    await store.close();
  });

  it('refuses a cycle', async () => {
    const store = await open(new MemoryFileSystem());
    const cyclic: Record<string, unknown> = { a: {} };
    cyclic.a = { back: cyclic };
    await expect(store.save(cyclic)).rejects.toMatchObject({ code: 'UNFAITHFUL_VALUE' });
    await store.close();
  });

  it.each([
    ['broken text', 'a: [', 'INVALID_YAML'],
    ['a duplicate key', 'a: 1\na: 2\n', 'DUPLICATE_KEY'],
    ['an empty text', '', 'EMPTY_DOCUMENT'],
    ['a text that is nested too deep', '['.repeat(100_000), 'TOO_DEEP'],
  ])('refuses %s and leaves the file alone', async (_, text, code) => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await expect(store.saveText(text)).rejects.toMatchObject({ code });
    await store.close();
    expect(rawCheckpoint(disk)).toBe(commented);
  });

  it('refuses a path that leads nowhere, and one that can not be read', async () => {
    const store = await open(diskWith('a: 1\n'));
    await expect(store.set('a.b.c', 1)).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await expect(store.set('a[', 1)).rejects.toMatchObject({ code: 'INVALID_PATH' });
    await expect(store.set('a', undefined)).rejects.toMatchObject({ code: 'UNFAITHFUL_VALUE' });
    await store.close();
  });

  it('removes an entry by delete', async () => {
    const store = await open(diskWith('a: 1\nb: 2 # two\nc: 3\n'));
    await store.delete('b');
    expect(store.text).toBe('a: 1\nc: 3\n');
    await store.close();
  });

  it('rejects misuse with a TypeError', async () => {
    const store = await open(new MemoryFileSystem());
    await expect(store.saveText(1 as unknown as string)).rejects.toBeInstanceOf(TypeError);
    await expect(store.update(1 as unknown as () => undefined)).rejects.toBeInstanceOf(TypeError);
    await expect(store.save({}, { label: 'x'.repeat(2000) })).rejects.toBeInstanceOf(TypeError);
    await expect(store.save({}, { durability: 'soon' as 'logged' })).rejects.toBeInstanceOf(
      TypeError,
    );
    await expect(
      store.update((async () => ({})) as unknown as () => undefined),
    ).rejects.toBeInstanceOf(TypeError);
    await store.close();
  });

  it('acknowledges a logged save with the state it will publish', async () => {
    const store = await open(new MemoryFileSystem());
    const result = await store.save({ a: 1 }, { durability: 'logged' });
    expect(result).toEqual({ sequence: 1, durability: 'logged' });
    expect(store.state).toEqual({ a: 1 });
    expect(store.sequence).toBe(1);
    await store.close();
  });

  it('lets concurrent changes build on one another, in call order', async () => {
    const store = await open(slowSyncs(diskWith('n: 0\nlist: []\n')));
    const add = (item: number) =>
      store.update((draft) => {
        const state = draft as { n: number; list: number[] };
        state.n += 1;
        state.list.push(item);
      });
    const results = await Promise.all([add(1), add(2), store.set('n', 10), add(3)]);
    expect(store.state).toEqual({ n: 11, list: [1, 2, 3] });
    expect(results.map(({ sequence }) => sequence)).toEqual([2, 3, 3, 3]);
    await store.close();
  });

  it('drops a waiting save when its signal aborts, and what came after it does not contain it', async () => {
    const store = await open(slowSyncs(diskWith('a: 0\nb: 0\nc: 0\n')));
    const controller = new AbortController();
    const first = store.set('a', 1);
    const second = store.set('b', 1, { signal: controller.signal });
    const third = store.set('c', 1);
    controller.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await Promise.all([first, third]);
    expect(store.state).toEqual({ a: 1, b: 0, c: 1 });
    await expect(store.set('a', 2, { signal: controller.signal })).rejects.toThrow('enough');
    await store.close();
  });

  it('refuses saves after close, and finishes those before it', async () => {
    const disk = new MemoryFileSystem();
    const store = await open(disk);
    const before = store.save({ a: 1 });
    const closing = store.close();
    await expect(store.save({ a: 2 })).rejects.toMatchObject({ code: 'CLOSED' });
    await Promise.all([before, closing, store.close()]);
    expect(published(disk)).toEqual({ text: 'a: 1\n', sealed: true });
    expect(store.state).toEqual({ a: 1 });
  });

  it('closes itself at the end of an await using block', async () => {
    const disk = new MemoryFileSystem();
    {
      await using store = await open(disk);
      await store.save({ a: 1 });
    }
    await (await open(disk)).close();
  });
});

describe('an edit made outside while the store is open', () => {
  const edited = commented.replace('# plan', '# plan, edited').replace('[a, b]', '[a, b, c]');

  it('is adopted, with its comments, and the save is rendered onto it', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await store.set('workflow.status', 'PAUSED');
    editInPlace(disk, edited);
    const events: CheckpointStoreEvent[] = [];
    store.subscribe((event) => events.push(event));
    await store.set('workflow.status', 'DONE');
    expect(store.text).toBe(edited.replace('ACTIVE', 'DONE'));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'editedOutside', change: 'edited', action: 'adopted' }),
    );
    await store.close();
    const histories = Object.entries(disk.snapshot()).filter(([path]) =>
      path.includes('checkpoints/'),
    );
    const texts = histories.map(([, file]) =>
      file.kind === 'file' ? new TextDecoder().decode(file.content) : '',
    );
    expect(texts.some((text) => text.startsWith(edited))).toBe(true);
    expect(texts.some((text) => text.includes('PAUSED'))).toBe(true);
  });

  it('of the same size within the same tick of the clock is noticed', async () => {
    const disk = new MemoryFileSystem({ now: () => 1_000_000 });
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: disk,
      clock: { now: () => 1_000_000 },
    });
    await store.saveText('a: 1\nb: 1\n');
    editInPlace(disk, (rawCheckpoint(disk) ?? '').replace('b: 1', 'b: 2'));
    await store.set('a', 2);
    expect(store.state).toEqual({ a: 2, b: 2 });
    await store.close();
  });

  it('makes the save fail under policy reject, and stays', async () => {
    const disk = diskWith(commented);
    const store = await open(disk, { externalEdits: 'reject' });
    await store.set('workflow.status', 'PAUSED');
    editInPlace(disk, edited);
    await expect(store.set('workflow.status', 'DONE')).rejects.toMatchObject({
      code: 'EDITED_OUTSIDE',
      details: { outcome: 'notSaved' },
    });
    expect(rawCheckpoint(disk)).toBe(edited);
    await store.close();
    await expect(open(disk, { externalEdits: 'reject' })).rejects.toMatchObject({
      code: 'EDITED_OUTSIDE',
    });
    expect(rawCheckpoint(disk)).toBe(edited);
  });

  it('is set aside under policy restore, and the save goes on from what was published', async () => {
    const disk = diskWith(commented);
    const store = await open(disk, { externalEdits: 'restore' });
    await store.set('workflow.status', 'PAUSED');
    editInPlace(disk, edited);
    const events: CheckpointStoreEvent[] = [];
    store.subscribe((event) => events.push(event));
    await store.set('workflow.status', 'DONE');
    expect(store.text).toBe(commented.replace('ACTIVE', 'DONE'));
    const told = events.find(({ type }) => type === 'editedOutside');
    expect(told).toMatchObject({ action: 'setAside' });
    const keptAs = told?.type === 'editedOutside' ? told.keptAs : undefined;
    const kept = disk.snapshot()[`${DIRECTORY}/${keptAs}`];
    expect(kept?.kind === 'file' && new TextDecoder().decode(kept.content)).toBe(edited);
    await store.close();
  });

  it.each([
    ['emptied', ''],
    ['damaged', 'a: [1,\n'],
    ['NUL-filled', '\0'.repeat(64)],
  ])('that left the file %s is set aside, and the save goes on', async (_, text) => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await store.set('workflow.status', 'PAUSED');
    editInPlace(disk, text);
    await store.set('workflow.status', 'DONE');
    expect(store.text).toBe(commented.replace('ACTIVE', 'DONE'));
    await store.close();
    expect(
      Object.entries(disk.snapshot()).some(
        ([path, file]) =>
          path.includes('/quarantine/') &&
          file.kind === 'file' &&
          new TextDecoder().decode(file.content) === text,
      ),
    ).toBe(true);
    expect(leftovers(disk)).toEqual([]);
  });

  it('that deleted the file does not stop the save', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    await store.set('workflow.status', 'PAUSED');
    disk.unlink(TARGET);
    await store.set('workflow.status', 'DONE');
    expect(published(disk)).toMatchObject({ sealed: true });
    await store.close();
  });

  it('that the change no longer fits fails that save alone', async () => {
    const disk = diskWith('a:\n  b: 1\nc: 1\n');
    const store = await open(disk);
    await store.set('c', 2);
    editInPlace(disk, 'a: text\nc: 2\n');
    await expect(store.set('a.b', 2)).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await store.set('c', 3);
    expect(store.state).toEqual({ a: 'text', c: 3 });
    await store.close();
  });
});

describe('a failed save', () => {
  it('leaves nothing of itself in the saves that were rendered onto it', async () => {
    const disk = diskWith('a: 0\nb: 0\n');
    const { RecordingFileSystem } = await import('../../../src/io/recording-file-system.js');
    const { systemError } = await import('../../../src/io/system-error.js');
    let fail = false;
    const fs = new RecordingFileSystem(disk, {
      before: ({ operation, path }) => {
        if (fail && operation === 'write' && path.endsWith('.wal')) {
          fail = false;
          throw systemError('ENOSPC', 'write');
        }
        return undefined;
      },
    });
    const store = await open(slowSyncs(fs));
    fail = true;
    const first = store.set('a', 1);
    const second = store.set('b', 1);
    await expect(first).rejects.toMatchObject({
      code: 'NO_SPACE',
      details: { outcome: 'notSaved' },
    });
    await second;
    expect(store.state).toEqual({ a: 0, b: 1 });
    await store.close();
  });
});

describe('a schema', () => {
  const schema = z.object({ workflow: z.object({ status: z.enum(['ACTIVE', 'DONE']) }) });
  const valid = 'workflow:\n  status: ACTIVE # now\n';

  it('types and validates the state', async () => {
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: diskWith(valid),
      schema,
    });
    const status: 'ACTIVE' | 'DONE' | undefined = store.state?.workflow.status;
    expect(status).toBe('ACTIVE');
    await store.save({ workflow: { status: 'DONE' } });
    await expect(store.save({ workflow: { status: 'LOST' as 'DONE' } })).rejects.toMatchObject({
      code: 'SCHEMA_INVALID',
      details: { path: 'workflow.status' },
    });
    await expect(store.saveText('workflow: 1\n')).rejects.toMatchObject({ code: 'SCHEMA_INVALID' });
    await store.close();
  });

  it('refuses a file that does not pass, untouched; only the failure is noted and recorded', async () => {
    const disk = diskWith('workflow:\n  status: LOST\n');
    const before = disk.snapshot();
    await expect(
      openCheckpointStore({ directory: DIRECTORY, fileSystem: disk, schema }),
    ).rejects.toMatchObject({ code: 'SCHEMA_INVALID' });
    const {
      [`${DIRECTORY}/.checkpoint.health`]: noted,
      [`${DIRECTORY}/audit.jsonl`]: record,
      ...rest
    } = disk.snapshot();
    expect(noted).toBeDefined();
    expect(record).toBeDefined();
    expect(rest).toEqual(before);
  });

  it('may be a function, as ArkType schemas are', async () => {
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: new MemoryFileSystem(),
      schema: type({ count: 'number' }),
    });
    await store.save({ count: 1 });
    await expect(store.set('count', 'one')).rejects.toMatchObject({ code: 'SCHEMA_INVALID' });
    const count: number | undefined = store.state?.count;
    expect(count).toBe(1);
    await store.close();
  });

  it('that answers later keeps saves in call order, and close waits for them', async () => {
    const slow = z.object({ n: z.number() }).refine(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    });
    const disk = diskWith('n: 0\n');
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: disk,
      schema: slow,
    });
    const state = { n: 1 };
    const saves = [store.save(state), store.set('n', 2), store.update(({ n }) => ({ n: n + 1 }))];
    state.n = 99;
    const closing = store.close();
    await Promise.all([...saves, closing]);
    expect(published(disk)?.text).toBe('n: 3\n');
  });

  it('may transform: the file holds what was saved, the state what the schema made of it', async () => {
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: new MemoryFileSystem(),
      schema: z.object({ count: z.string().transform(Number), extra: z.number().default(7) }),
    });
    await store.save({ count: '5' });
    expect(store.state).toEqual({ count: 5, extra: 7 });
    expect(store.text).toBe('count: "5"\n');
    await store.close();
  });
});

describe('what a store tells', () => {
  it('is heard in order, and a listener that throws disturbs nobody', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const store = await open(new MemoryFileSystem(), { logger });
    const types: string[] = [];
    store.subscribe(() => {
      throw new Error('bad listener');
    });
    const stop = store.subscribe(({ type }) => types.push(type));
    await store.save({ a: 1 });
    stop();
    await store.save({ a: 2 });
    expect(types).toEqual(['recovered', 'logged', 'published', 'committed']);
    expect(logger.error).toHaveBeenCalled();
    await store.close();
  });

  it('reaches an inspector, whose errors are logged', async () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const seen = new Set<string>();
    const store = await open(new MemoryFileSystem(), {
      logger,
      inspect: (event) => {
        seen.add(event.type);
        throw new Error('bad inspector');
      },
    });
    await store.save({ a: 1 });
    expect([...seen]).toContain('@xstate.microstep');
    expect(logger.error).toHaveBeenCalled();
    await store.close();
  });

  it('warns of a hard-linked file', async () => {
    const disk = diskWith(commented);
    disk.link(TARGET, `${DIRECTORY}/copy.yaml`);
    const store = await open(disk);
    expect(store.warnings.join()).toMatch(/hard link/);
    await store.close();
  });
});

describe('where a store lies', () => {
  it.each(['../x.yaml', 'a/b.yaml', '', '..', 'a\\b', '.checkpoint.wal', 'checkpoints'])(
    'refuses the file name %j',
    async (file) => {
      await expect(open(new MemoryFileSystem(), { file })).rejects.toMatchObject({
        code: 'PATH_OUTSIDE_STORE',
      });
    },
  );

  it('follows a symbolic link to the real file, and keeps the link', async () => {
    const disk = diskWith(commented);
    disk.makeDirectory('/elsewhere');
    disk.symlink(TARGET, '/elsewhere/link.yaml');
    const store = await openCheckpointStore({
      directory: '/elsewhere',
      file: 'link.yaml',
      fileSystem: disk,
    });
    await store.set('workflow.status', 'DONE');
    expect(store.file).toBe(TARGET);
    await store.close();
    expect(disk.statLink('/elsewhere/link.yaml')?.kind).toBe('symlink');
    expect(published(disk)?.text).toContain('DONE');
    expect(disk.list('/elsewhere')).toEqual(['link.yaml']);
  });

  it('follows a dangling symbolic link to where the file will be', async () => {
    const disk = new MemoryFileSystem();
    disk.makeDirectory(DIRECTORY);
    disk.makeDirectory('/elsewhere');
    disk.symlink('../elsewhere/real.yaml', TARGET);
    const store = await open(disk);
    await store.save({ a: 1 });
    expect(store.file).toBe('/elsewhere/real.yaml');
    await store.close();
  });

  it('refuses a directory in place of the file', async () => {
    const disk = new MemoryFileSystem();
    disk.makeDirectory(DIRECTORY);
    disk.makeDirectory(TARGET);
    await expect(open(disk)).rejects.toMatchObject({ code: 'READ_FAILED' });
  });

  it('is locked for a second store until the first is closed', async () => {
    const disk = new MemoryFileSystem();
    const first = await open(disk);
    await expect(open(disk)).rejects.toMatchObject({ code: 'LOCKED' });
    await first.close();
    await (await open(disk)).close();
  });

  it.each(['directory', 'file'])(
    'halts where a %s has the name of the log, and says that nothing was saved',
    async (kind) => {
      const disk = new MemoryFileSystem();
      const store = await open(disk);
      await store.save({ v: 1 });
      const log = `${DIRECTORY}/.checkpoint.wal`;
      if (kind === 'directory') disk.makeDirectory(log);
      else disk.open(log, 'create', 0o644).close();
      const error = await store.save({ v: 2 }).catch((thrown: CheckpointError) => thrown);
      expect(error).toMatchObject({
        code: 'LOG_IN_THE_WAY',
        message: expect.stringContaining('Nothing was written.'),
        details: { outcome: 'notSaved', sequence: 2 },
      });
      expect([store.sequence, store.state]).toEqual([1, { v: 1 }]);
      await expect(store.save({ v: 3 })).rejects.toMatchObject({ code: 'HALTED' });
      await store.close();
    },
  );

  it('halts when its lock file is taken away, and writes nothing', async () => {
    const disk = diskWith(commented);
    const store = await open(disk);
    disk.unlink(`${DIRECTORY}/.checkpoint.lock`);
    await expect(store.set('workflow.status', 'DONE')).rejects.toMatchObject({
      code: 'LOCK_LOST',
      details: { outcome: 'notSaved' },
    });
    await expect(store.set('workflow.status', 'DONE')).rejects.toMatchObject({ code: 'HALTED' });
    expect(rawCheckpoint(disk)).toBe(commented);
    await store.close();
  });

  it('keeps at most maxCheckpoints earlier checkpoints', async () => {
    const disk = new MemoryFileSystem();
    const store = await open(disk, { maxCheckpoints: 3 });
    for (let n = 1; n <= 8; n += 1) await store.save({ n });
    expect(disk.list(`${DIRECTORY}/checkpoints`)).toEqual(
      [5, 6, 7].map((n) => `00000000000${n}.ORCHESTRATION.yaml`),
    );
    await store.close();
  });
});
