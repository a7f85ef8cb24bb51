import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AnyActorRef, createActor, createMachine, fromCallback, setup } from 'xstate';
import { checkpointMachine, fileCheckpointIo, openCheckpointStore } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';
import { DIRECTORY, embed, embedderMachine, eventually, turn } from '../../helpers/embedding.js';
import { scriptedIo } from '../../helpers/scripted-io.js';

const LOCK = `${DIRECTORY}/.checkpoint.lock`;
const TARGET = `${DIRECTORY}/ORCHESTRATION.yaml`;

let warned: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  const { calls } = warned.mock;
  warned.mockRestore();
  // XState warns of events to actors that have ended: this package sends none.
  expect(calls).toEqual([]);
});

describe('an embedded store', () => {
  it('tells its parent the recovered state, and saves', async () => {
    const first = embed();
    expect(await first.heard('checkpoint.ready')).toMatchObject({ state: undefined, sequence: 0 });
    first.ask({ type: 'checkpoint.save', state: { v: 1 }, id: 'a' });
    expect(await first.heard('checkpoint.committed')).toEqual({
      type: 'checkpoint.committed',
      sequence: 1,
      id: 'a',
    });
    first.ask({ type: 'checkpoint.close' });
    await first.heard('checkpoint.closed');

    const second = embed({ fileSystem: first.fileSystem });
    expect(await second.heard('checkpoint.ready')).toMatchObject({
      state: { v: 1 },
      text: 'v: 1\n',
      sequence: 1,
      file: TARGET,
      recovery: { clean: true },
    });
    second.parent.stop();
  });

  it('answers requests that came before it was ready, in their order, with the state of then', async () => {
    const { ask, told, heard, parent } = embed();
    const state = { v: 1 };
    ask({ type: 'checkpoint.save', state, id: 1 });
    state.v = 99;
    ask({ type: 'checkpoint.set', path: 'v', value: 2, id: 2 });
    ask({ type: 'checkpoint.close', id: 'end' });
    ask({ type: 'checkpoint.save', state: { v: 3 }, id: 3 });
    expect(await heard('checkpoint.closed')).toEqual({ type: 'checkpoint.closed', id: 'end' });
    const answers = told.flatMap((notice) => ('id' in notice ? [notice] : []));
    expect(new Map(answers.map((notice) => [notice.id as unknown, notice.type]))).toEqual(
      new Map<unknown, string>([
        [1, 'checkpoint.committed'],
        [2, 'checkpoint.committed'],
        [3, 'checkpoint.failed'],
        ['end', 'checkpoint.closed'],
      ]),
    );
    expect(parent.getSnapshot().children.checkpoint?.getSnapshot().status).toBe('done');
  });

  it.each(['before', 'when'])(
    'clones a state as its event is handled, %s it is ready',
    async (at) => {
      const { ask, heard, fileSystem, parent } = embed();
      if (at === 'when') await heard('checkpoint.ready');
      const state = { v: 1 };
      ask({ type: 'checkpoint.save', state });
      state.v = 99;
      await heard('checkpoint.committed');
      parent.stop();
      await eventually(() => fileSystem.lockHolder(LOCK) === undefined, 'the lock is free');
      const store = await reopen(fileSystem);
      expect(store.state).toEqual({ v: 1 });
      await store.close();
    },
  );

  it('tells of a save that is logged first, and then of its end', async () => {
    const { ask, heard, types, parent } = embed({ fileSystem: slowSyncs(new MemoryFileSystem()) });
    await heard('checkpoint.ready');
    ask({ type: 'checkpoint.save', state: { v: 1 }, durability: 'logged', id: 'a' });
    expect(await heard('checkpoint.logged')).toMatchObject({ sequence: 1, id: 'a' });
    expect(await heard('checkpoint.committed')).toMatchObject({ sequence: 1, id: 'a' });
    const after = types().slice(types().indexOf('checkpoint.logged'));
    expect(after).toEqual(['checkpoint.logged', 'checkpoint.committed']);
    parent.stop();
  });

  it('takes every kind of request', async () => {
    const { ask, heard, told, parent } = embed();
    const failures = () => {
      const last = told.findLast(({ type }) => type === 'checkpoint.health');
      return last?.type === 'checkpoint.health' ? last.report.failures.length : -1;
    };
    ask({ type: 'checkpoint.saveText', text: 'v: 1 # mine\n', label: 'first' });
    await heard('checkpoint.committed', 1);
    ask({ type: 'checkpoint.update', recipe: (plan: { v: number }) => ({ v: plan.v + 1 }) });
    await heard('checkpoint.committed', 2);
    ask({ type: 'checkpoint.set', path: 'more', value: [1] });
    await heard('checkpoint.committed', 3);
    ask({ type: 'checkpoint.delete', path: 'more' });
    await heard('checkpoint.committed', 4);
    ask({ type: 'checkpoint.restore', target: { label: 'first' }, id: 'back' });
    // Comes after the restore, although that has to look for what is meant.
    ask({ type: 'checkpoint.set', path: 'w', value: 1 });
    expect(await heard('checkpoint.restored')).toMatchObject({
      from: 1,
      sequence: 5,
      cause: 'requested',
      state: { v: 1 },
      id: 'back',
    });
    expect(await heard('checkpoint.committed', 5)).toMatchObject({ sequence: 6 });
    ask({ type: 'checkpoint.flush', id: 'all' });
    expect(await heard('checkpoint.flushed')).toEqual({
      type: 'checkpoint.flushed',
      sequence: 6,
      id: 'all',
    });
    ask({ type: 'checkpoint.check', id: 'look' });
    expect(await heard('checkpoint.checked')).toMatchObject({ change: 'unchanged', id: 'look' });
    ask({ type: 'checkpoint.reportFailure', error: new Error('agent 2 gave up'), id: 'bad' });
    await eventually(() => failures() === 1, 'the failure is counted');
    ask({ type: 'checkpoint.markHealthy' });
    await eventually(() => failures() === 0, 'all is forgotten');
    ask({ type: 'checkpoint.heartbeat' });
    parent.stop();
  });

  it('says what can not be saved, and goes on', async () => {
    const { ask, heard, told, parent } = embed();
    ask({ type: 'checkpoint.save', state: { at: new Date() }, id: 1 });
    ask({ type: 'checkpoint.set', path: 'a[', value: 1, id: 2 });
    ask({ type: 'checkpoint.save', state: { v: 1 }, pinned: true, id: 3 });
    ask({ type: 'checkpoint.restore', target: { sequence: 1, dryRun: true }, id: 4 });
    ask({ type: 'checkpoint.sav', id: 5 });
    ask({
      type: 'checkpoint.update',
      recipe: () => {
        throw new Error('mine');
      },
      id: 6,
    });
    ask({ type: 'checkpoint.saveText', text: 'a: [', id: 7 });
    ask({ type: 'checkpoint.delete', path: 'none.there', id: 8 });
    ask({ type: 'checkpoint.restore', target: { sequence: 99 }, id: 9 });
    await heard('checkpoint.failed', 9);
    const codes = told.flatMap((notice) =>
      notice.type === 'checkpoint.failed'
        ? [[notice.id, notice.error.code, notice.error.details.outcome]]
        : [],
    );
    expect(codes.sort()).toEqual([
      [1, 'UNFAITHFUL_VALUE', 'notSaved'],
      [2, 'INVALID_PATH', 'notSaved'],
      [3, 'INVALID_COMMAND', 'notSaved'],
      [4, 'INVALID_COMMAND', 'notSaved'],
      [5, 'INVALID_COMMAND', 'notSaved'],
      [6, 'INVALID_COMMAND', 'notSaved'],
      [7, 'INVALID_YAML', 'notSaved'],
      [8, 'PATH_NOT_FOUND', 'notSaved'],
      [9, 'NOT_IN_HISTORY', 'notSaved'],
    ]);
    ask({ type: 'checkpoint.save', state: { v: 1 } });
    await heard('checkpoint.committed');
    parent.stop();
  });

  it('answers to replyTo, and to nobody else', async () => {
    const { ask, heard, types, parent } = embed();
    await heard('checkpoint.ready');
    const heardElsewhere: unknown[] = [];
    const other = createActor(
      fromCallback(({ receive }) => receive((event) => heardElsewhere.push(event))),
    ).start();
    ask({ type: 'checkpoint.save', state: { v: 1 }, replyTo: other, id: 7 });
    ask({ type: 'checkpoint.close', replyTo: other, id: 8 });
    await eventually(() => heardElsewhere.length === 2, 'both are answered');
    expect(heardElsewhere).toEqual([
      { type: 'checkpoint.committed', sequence: 1, id: 7 },
      { type: 'checkpoint.closed', id: 8 },
    ]);
    expect(types()).not.toContain('checkpoint.committed');
    expect(types()).toContain('checkpoint.closed');
    parent.stop();
  });

  it('tells nobody who has ended', async () => {
    const { ask, heard, parent } = embed();
    await heard('checkpoint.ready');
    const ended = createActor(createMachine({})).start();
    ended.stop();
    ask({ type: 'checkpoint.save', state: { v: 1 }, replyTo: ended });
    ask({ type: 'checkpoint.save', state: { v: 2 } });
    await heard('checkpoint.committed');
    parent.stop();
  });

  it('takes its policies from the io', async () => {
    const { ask, heard, fileSystem, parent } = embed({ externalEdits: 'reject', restore: false });
    ask({ type: 'checkpoint.save', state: { v: 1 } });
    await heard('checkpoint.committed');
    write(fileSystem as MemoryFileSystem, 'readWrite', 'v: 5\n');
    ask({ type: 'checkpoint.save', state: { v: 2 } });
    expect(await heard('checkpoint.failed')).toMatchObject({ error: { code: 'EDITED_OUTSIDE' } });
    expect(await heard('checkpoint.editedOutside')).toMatchObject({ action: 'rejected' });
    ask({ type: 'checkpoint.markHealthy' });
    expect(await heard('checkpoint.failed', 2)).toMatchObject({ error: { code: 'NO_DETECTOR' } });
    parent.stop();
  });

  it('tells of an automatic restore, with the state that it brought', async () => {
    const { ask, heard, parent } = embed({ restore: { threshold: 1 } });
    ask({ type: 'checkpoint.save', state: { v: 1 } });
    ask({ type: 'checkpoint.save', state: { v: 2 } });
    await heard('checkpoint.committed', 2);
    ask({ type: 'checkpoint.save', state: { v: 3 } });
    await heard('checkpoint.committed', 3);
    ask({ type: 'checkpoint.reportFailure', error: 'bad' });
    expect(await heard('checkpoint.restored')).toMatchObject({
      cause: 'automatic',
      state: { v: 2 },
    });
    parent.stop();
  });

  it('is refused while another has the directory, and says so', async () => {
    const fileSystem = new MemoryFileSystem();
    const holder = await reopen(fileSystem);
    const { heard, child, parent } = embed({ fileSystem });
    expect(await heard('checkpoint.refused')).toMatchObject({ error: { code: 'LOCKED' } });
    expect(child()?.getSnapshot().status).toBe('done');
    await holder.close();
    parent.stop();
  });

  it('fails what waited when recovery refuses, and leaves no lock', async () => {
    const disk = new MemoryFileSystem();
    disk.makeDirectory(DIRECTORY);
    write(disk, 'create', 'a: [');
    const { ask, heard, parent } = embed({ fileSystem: slowSyncs(disk) });
    ask({ type: 'checkpoint.save', state: { v: 1 }, id: 1 });
    expect(await heard('checkpoint.refused')).toMatchObject({
      error: { code: 'REFUSED' },
      recovery: { outcome: 'refused' },
    });
    expect(await heard('checkpoint.failed')).toMatchObject({
      error: { code: 'CLOSED', cause: { code: 'REFUSED' } },
      id: 1,
    });
    expect(disk.lockHolder(LOCK)).toBeUndefined();
    parent.stop();
  });

  it('halts when its lock is taken away, and tells; its end is told as well', async () => {
    const fileSystem = new MemoryFileSystem();
    const { ask, heard } = embed({ fileSystem });
    await heard('checkpoint.ready');
    fileSystem.unlink(LOCK);
    ask({ type: 'checkpoint.save', state: { v: 1 }, id: 1 });
    expect(await heard('checkpoint.failed')).toMatchObject({ error: { code: 'LOCK_LOST' }, id: 1 });
    await heard('checkpoint.halted');
    ask({ type: 'checkpoint.save', state: { v: 1 }, id: 2 });
    expect(await heard('checkpoint.failed', 2)).toMatchObject({ error: { code: 'HALTED' }, id: 2 });
    ask({ type: 'checkpoint.close' });
    await heard('checkpoint.closed');
  });

  it('works provided, spawned, and beside another in one system', async () => {
    const io = (directory: string, entries: string[]) =>
      fileCheckpointIo({
        directory,
        fileSystem: new MemoryFileSystem(),
        audit: { onEntry: ({ machine, to }) => entries.push(`${machine} ${to}`) },
      });
    const [one, two]: [string[], string[]] = [[], []];
    const told: string[] = [];
    const parent = createActor(
      setup({
        types: { context: {} as { refs: AnyActorRef[] } },
        actors: {
          first: checkpointMachine.provide({ actors: { io: io('/one', one) } }),
          second: checkpointMachine,
        },
        actions: { hear: ({ event }) => told.push(event.type) },
      }).createMachine({
        id: 'parent',
        context: ({ spawn }) => ({
          refs: [
            spawn('first', { id: 'first', input: {} }),
            spawn('second', { id: 'second', input: { io: io('/two', two) } }),
          ],
        }),
        on: { '*': { actions: 'hear' } },
        initial: 'a',
        states: { a: {} },
      }),
    ).start();
    const [first, second] = parent.getSnapshot().context.refs;
    await eventually(() => told.filter((type) => type === 'checkpoint.ready').length === 2, 'both');
    first?.send({ type: 'checkpoint.save', state: { v: 1 } });
    await eventually(() => told.includes('checkpoint.committed'), 'it is saved');
    // Each has its own beginning on record, only the first a save, none the parent.
    const count = (entries: string[], entry: string) => entries.filter((e) => e === entry).length;
    for (const entries of [one, two]) {
      expect(count(entries, 'checkpoint locking')).toBe(1);
      expect(entries.filter((entry) => entry.startsWith('parent'))).toEqual([]);
    }
    expect(count(one, 'write syncingWal')).toBe(1);
    expect(count(two, 'write syncingWal')).toBe(0);
    second?.send({ type: 'checkpoint.close' });
    await eventually(() => told.includes('checkpoint.closed'), 'the second is closed');
    parent.stop();
  });

  it('keeps states out of the audit and out of what inspectors are told', async () => {
    const seen: string[] = [];
    const { ask, heard, parent } = embed({
      audit: { onEntry: (entry) => seen.push(JSON.stringify(entry)) },
      inspect: (event) => {
        if (event.type === '@xstate.event') seen.push(JSON.stringify(event.event));
      },
    });
    ask({ type: 'checkpoint.save', state: { name: 'secret-name', number: 271828 }, label: 'open' });
    ask({ type: 'checkpoint.set', path: 'name', value: 'secret-value' });
    await heard('checkpoint.committed', 2);
    expect(seen.filter((text) => text.includes('checkpoint.save')).length).toBeGreaterThan(1);
    expect(seen.join('\n')).not.toMatch(/secret|271828/);
    parent.stop();
  });

  it('sends its notices as the checkpoint actor, where an inspector looks', async () => {
    const senders: unknown[] = [];
    const { heard, parent, child } = embed({
      watch: (event) => {
        if (event.type !== '@xstate.event' || event.event.type !== 'checkpoint.ready') return;
        senders.push(event.sourceRef);
      },
    });
    await heard('checkpoint.ready');
    expect(senders).toEqual([child()]);
    parent.stop();
  });
});

describe('an embedded store that is left', () => {
  it('is closed, told so, and can be entered again at once', async () => {
    const { ask, heard, parent, told } = embed({ fileSystem: slowSyncs(new MemoryFileSystem()) });
    ask({ type: 'checkpoint.save', state: { v: 1 } });
    await heard('checkpoint.committed');
    parent.send({ type: 'enter' });
    ask({ type: 'checkpoint.save', state: { v: 2 }, id: 2 });
    parent.send({ type: 'leave' });
    parent.send({ type: 'enter' });
    await heard('checkpoint.closed', 2);
    const last = await heard('checkpoint.ready', 2);
    expect(last.recovery.clean).toBe(true);
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'checkpoint.failed', id: 2, command: 'checkpoint.save' }),
    );
    parent.stop();
  });

  it('leaves no lock and no crash behind when its parent is stopped', async () => {
    const { heard, parent, fileSystem } = embed();
    await heard('checkpoint.ready');
    parent.stop();
    await eventually(() => fileSystem.lockHolder(LOCK) === undefined, 'the lock is free');
    const store = await reopen(fileSystem);
    expect(store.health?.failures).toEqual([]);
    await store.close();
  });
});

describe('a persisted embedder', () => {
  it('is not brought back half-alive: the checkpoint actor fails with a code', async () => {
    const { heard, parent, fileSystem, ask } = embed();
    ask({ type: 'checkpoint.save', state: { v: 1 } });
    await heard('checkpoint.committed');
    const persisted = parent.getPersistedSnapshot();
    parent.stop();
    await eventually(() => fileSystem.lockHolder(LOCK) === undefined, 'the lock is free');
    const errors: unknown[] = [];
    const restored = createActor(
      embedderMachine(() => {}),
      {
        snapshot: persisted,
        input: { io: undefined },
        inspect: (event) => {
          if (
            event.type === '@xstate.event' &&
            event.event.type === 'xstate.error.actor.checkpoint'
          ) {
            errors.push((event.event as unknown as { error: unknown }).error);
          }
        },
      },
    );
    restored.start();
    await turn();
    expect(errors).toMatchObject([{ code: 'NOT_RESUMABLE' }]);
    expect(restored.getSnapshot().value).toBe('broken');
    expect(fileSystem.lockHolder(LOCK)).toBeUndefined();
    restored.stop();
  });
});

describe('a checkpoint actor on a plain port', () => {
  it('answers what takes knowing states with NO_CONTENT', async () => {
    const { ask, heard, parent } = embed({ input: scriptedIo() });
    ask({ type: 'checkpoint.save', state: { v: 1 }, id: 1 });
    expect(await heard('checkpoint.failed')).toMatchObject({
      error: { code: 'NO_CONTENT' },
      id: 1,
    });
    parent.stop();
  });
});

describe('fileCheckpointIo', () => {
  it('refuses options that can not be meant, at once', () => {
    expect(() => fileCheckpointIo({ directory: '' })).toThrow(TypeError);
    expect(() => fileCheckpointIo({ directory: '/a', restore: { threshold: 0 } })).toThrow(
      TypeError,
    );
    expect(() => fileCheckpointIo({ directory: '/a', maxCheckpoints: 0 })).toThrow(TypeError);
  });
});

function reopen(fileSystem: Parameters<typeof openCheckpointStore>[0]['fileSystem']) {
  return openCheckpointStore({ directory: DIRECTORY, fileSystem, restore: { mode: 'off' } });
}

function write(disk: MemoryFileSystem, how: 'create' | 'readWrite', text: string): void {
  const handle = disk.open(TARGET, how);
  handle.truncate(0);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
}
