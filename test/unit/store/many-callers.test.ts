/**
 * 256 callers of one store who set fields at once: who is told what, which states anybody sees meanwhile,
 * and what a round of them costs, counted exactly.
 */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CheckpointStoreOptions, openCheckpointStore } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';
import { parsedBy } from '../../helpers/parser-work.js';

interface Fields {
  readonly agents: Readonly<Record<string, string>>;
  readonly log: readonly unknown[];
}

const names = Array.from({ length: 256 }, (_, n) => `agent-${n}`);
const start = (): Fields => ({
  agents: Object.fromEntries(names.map((name) => [name, 'idle'])),
  log: ['begun'],
});

/** A store of 256 fields; `ops` are the operations on its disk since it was opened and saved. */
async function opened(options: Partial<CheckpointStoreOptions<undefined>> = {}) {
  const fileSystem = new RecordingFileSystem(slowSyncs(new MemoryFileSystem()));
  const syncs: string[] = [];
  const store = await openCheckpointStore<Fields>({
    directory: '/s',
    fileSystem,
    audit: false,
    restore: false,
    ...options,
  });
  await store.save(start());
  fileSystem.setHooks({
    before: ({ operation }) => {
      if (operation === 'sync' || operation === 'syncDirectory') syncs.push(operation);
    },
  });
  return { store, syncs };
}

const all = (store: { set(path: string[], value: unknown): Promise<unknown> }, mark: string) =>
  names.map((name) => store.set(['agents', name], mark));

const marked = (mark: string) => Object.fromEntries(names.map((name) => [name, mark]));

describe('256 callers', () => {
  it('are two rounds when they begin, one for each time they were answered, with the syncs of one save each', async () => {
    const { store, syncs } = await opened();
    await store.set(['log', 0], 'once');
    const before = store.stats().rounds.committed;
    syncs.length = 0;
    await store.set(['log', 0], 'twice');
    const forOne = syncs.splice(0).length;
    await Promise.all(all(store, 'a'));
    expect(syncs.splice(0)).toHaveLength(2 * forOne);
    for (const mark of ['b', 'c']) {
      await Promise.all(all(store, mark));
      expect(syncs.splice(0)).toHaveLength(forOne);
    }
    expect(store.stats().rounds.committed - before).toBe(5);
    expect(store.state?.agents).toEqual(marked('c'));
    await store.close();
  });

  it('parse nothing, as often as they come, once their places were read', async () => {
    const { store } = await opened();
    // The very first goes alone; those after it find the text of their round read by the one before.
    for (const mark of ['a', 'b']) await Promise.all(all(store, mark));
    for (const mark of ['c', 'd', 'e']) {
      const work = await parsedBy(() => Promise.all(all(store, mark)));
      expect(work).toEqual({ texts: 0, units: 0 });
      expect(await parsedBy(() => store.state)).toEqual({ texts: 0, units: 0 });
    }
    await store.close();
  });

  it.each([
    ['a path that leads nowhere', ['log', 7, 'x'], 'PATH_NOT_FOUND'],
    ['a step into a text', ['agents', 'agent-3', 'deeper'], 'PATH_NOT_FOUND'],
    ['what is not there', ['agents', 'nobody'], 'PATH_NOT_FOUND'],
    ['the root', [], 'INVALID_PATH'],
  ])('of which one asks for %s: it alone is told, before its round ends', async (_, path, code) => {
    const { store } = await opened();
    await Promise.all(all(store, 'a'));
    const told: string[] = [];
    const saves = names.map((name, index) =>
      (index === 100 ? store.delete(path) : store.set(['agents', name], 'b')).then(
        () => told.push('saved'),
        (error) => told.push(error.code),
      ),
    );
    await Promise.all(saves);
    expect(told[0]).toBe(code);
    expect(told.slice(1)).toEqual(Array(255).fill('saved'));
    expect(store.state?.agents).toEqual({ ...marked('b'), 'agent-100': 'a' });
    expect(store.stats().saves).toMatchObject({ rejected: 1, failed: 0, waiting: 0 });
    await store.close();
  });

  it('see the state before them until they are answered, and nobody sees one that changes', async () => {
    const { store } = await opened();
    const seen: { state: Fields | undefined; was: string }[] = [];
    const look = () => {
      const state = store.state as Fields | undefined;
      seen.push({ state, was: JSON.stringify(state) });
      return state;
    };
    const first = look();
    store.subscribe(look);
    const recipes: string[] = [];
    const saves = names.map((name, index) => {
      if (index % 64 !== 63) return store.set(['agents', name], 'a');
      // Sees all who asked before it, and keeps what it was given.
      return store.update((draft) => {
        const idle = Object.values(draft.agents).filter((value) => value === 'idle');
        recipes.push(`${name}: ${idle.length}`);
        return { ...draft, agents: { ...draft.agents, [name]: 'a' } };
      });
    });
    expect(look()).toBe(first);
    await Promise.all(saves);
    expect(recipes).toEqual(['agent-63: 193', 'agent-127: 129', 'agent-191: 65', 'agent-255: 1']);
    expect(look()?.agents).toEqual(marked('a'));
    for (const { state, was } of seen) {
      expect(JSON.stringify(state)).toBe(was);
      expect(Object.isFrozen(state)).toBe(true);
      expect(Object.isFrozen(state?.agents)).toBe(true);
    }
    await store.close();
  });

  it('are validated one by one, each by a frozen state of its own', async () => {
    const validated: { state: Fields; was: string }[] = [];
    const fields = z.object({
      agents: z.record(z.string(), z.string()),
      log: z.array(z.unknown()),
    });
    const schema = z.custom<Fields>((state) => {
      validated.push({ state: state as Fields, was: JSON.stringify(state) });
      return Object.isFrozen(state) && fields.safeParse(state).success;
    });
    const store = await openCheckpointStore({
      directory: '/s',
      fileSystem: slowSyncs(new MemoryFileSystem()),
      audit: false,
      restore: false,
      schema,
    });
    await store.save(start());
    const saves = names.map((name, n) => store.set(['agents', name], n === 9 ? 9 : 'a'));
    const results = await Promise.allSettled(saves);
    expect(results.map(({ status }) => status === 'rejected')).toEqual(
      names.map((_, n) => n === 9),
    );
    expect(results[9]).toMatchObject({ reason: { code: 'SCHEMA_INVALID' } });
    expect(store.state?.agents).toEqual({ ...marked('a'), 'agent-9': 'idle' });
    expect(validated.length).toBeGreaterThanOrEqual(256);
    for (const { state, was } of validated) expect(JSON.stringify(state)).toBe(was);
    expect(new Set(validated.map(({ was }) => was)).size).toBeGreaterThanOrEqual(256);
    await store.close();
  });

  it('of which some give up: the others are saved in the order in which they asked', async () => {
    const { store } = await opened();
    await store.set(['log', 0], 'first');
    const saves = names.map((_, n) => {
      const signal = n % 5 === 0 ? AbortSignal.abort('enough') : undefined;
      const controller = new AbortController();
      const save = store.set(['log', 0], n, { signal: signal ?? controller.signal });
      return { save, controller, n };
    });
    for (const { controller, n } of saves) if (n % 5 === 1 && n > 1) controller.abort('enough');
    const results = await Promise.allSettled(saves.map(({ save }) => save));
    expect(results.map(({ status }) => status)).toEqual(
      names.map((_, n) => (n % 5 === 0 || (n % 5 === 1 && n > 1) ? 'rejected' : 'fulfilled')),
    );
    // 255 is one of those that gave up.
    expect(store.state?.log).toEqual([254]);
    await store.close();
  });
});

it('a value that a caller has set is not changed by what others set inside of it', async () => {
  const { store } = await opened();
  const first = store.set(['log', 0], { n: 0 });
  const mine = { list: [1], map: { a: 1 } };
  const saves = [
    store.set(['log', 1], mine),
    store.set(['log', 1, 'list', 1], 2),
    store.set(['log', 1, 'map', 'b'], 2),
    store.set(['log', 2], mine),
  ];
  mine.list.push(9);
  await Promise.all([first, ...saves]);
  expect(mine).toEqual({ list: [1, 9], map: { a: 1 } });
  expect(store.state?.log).toEqual([
    { n: 0 },
    { list: [1, 2], map: { a: 1, b: 2 } },
    { list: [1], map: { a: 1 } },
  ]);
  await store.close();
});

it('options that a caller changes after the call are those of the call, also where artifacts are read first', async () => {
  const { store } = await opened();
  const options = { label: 'mine', artifacts: ['ORCHESTRATION.yaml'] };
  const first = store.set(['log', 0], 1, options);
  const second = store.set(['log', 0], 2, options);
  options.label = 'another';
  await Promise.all([first, second]);
  const labels = (await store.history()).map(({ label }) => label);
  expect(labels.at(-1)).toBe('mine');
  expect(labels).not.toContain('another');
  await store.close();
});
