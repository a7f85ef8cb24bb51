/** Durable actors: what is durable when, what comes back, what is told loudly. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  fromCallback,
  fromPromise,
  SimulatedClock,
  sendParent,
  sendTo,
  setup,
} from 'xstate';
import { createDurableActor } from '../../../src/durable/durable-actor.js';
import { idempotencyKey } from '../../../src/durable/durable-run.js';
import {
  afterCrash,
  live,
  MemoryStore,
  savedSnapshot,
  settle,
} from '../../helpers/durable-bench.js';

/** A machine whose effects are told to `log`; promises are ended from outside. */
function bench() {
  const log: string[] = [];
  const ends = new Map<
    string,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void }
  >();
  const work = (name: string) =>
    fromPromise(({ self }) => {
      log.push(`${name} ${idempotencyKey(self)?.replace(/^[^/@]+/, '') ?? ''}`);
      return new Promise((resolve, reject) => ends.set(name, { resolve, reject }));
    });
  const machine = setup({
    types: { context: {} as { tries: number }, events: {} as { type: 'go' } | { type: 'again' } },
    actors: { fetch: work('fetch'), store: work('store') },
    actions: {
      note: (_, params: string) => {
        log.push(params);
      },
    },
  }).createMachine({
    id: 'bench',
    context: { tries: 0 },
    initial: 'idle',
    states: {
      idle: { on: { go: 'fetching' } },
      fetching: {
        entry: [
          { type: 'note', params: 'enter fetching' },
          assign({ tries: ({ context }) => context.tries + 1 }),
        ],
        invoke: { src: 'fetch', id: 'fetch', onDone: 'storing', onError: 'fetching' },
        on: { again: { target: 'fetching', reenter: true } },
      },
      storing: { invoke: { src: 'store', id: 'store', onDone: 'done' } },
      done: { type: 'final' },
    },
  });
  return { log, ends, machine };
}

describe('a transition of a durable actor', () => {
  it('is saved before its effects begin, and before anybody sees it', async () => {
    const { log, machine } = bench();
    const store = new MemoryStore();
    const actor = await live(store, machine);
    const seen: unknown[] = [];
    actor.subscribe((snapshot) => seen.push(snapshot.value));
    store.isSlow = true;
    actor.send({ type: 'go' });
    await settle();
    expect(store.held).toBe(1);
    expect(log).toEqual([]);
    expect(actor.getSnapshot().value).toBe('idle');
    expect(seen.every((value) => value === 'idle')).toBe(true);
    await store.letThrough();
    expect(savedSnapshot(store).value).toBe('fetching');
    expect(log).toEqual(['enter fetching', 'fetch /fetch@2']);
    expect(actor.getSnapshot().value).toBe('fetching');
    expect(seen.at(-1)).toBe('fetching');
  });

  it('is followed by the next only when it is durable', async () => {
    const { log, machine } = bench();
    const store = new MemoryStore();
    const actor = await live(store, machine);
    store.isSlow = true;
    actor.send({ type: 'go' });
    actor.send({ type: 'again' });
    await settle();
    await store.letThrough();
    expect(log).toEqual(['enter fetching', 'fetch /fetch@2']);
    await store.letThrough();
    await store.letThrough();
    expect(log).toEqual(['enter fetching', 'fetch /fetch@2', 'enter fetching', 'fetch /fetch@3']);
    expect(actor.getSnapshot().context.tries).toBe(2);
  });
});

describe('the next run of a durable actor', () => {
  it('starts again what was active, under the same key', async () => {
    const first = bench();
    const store = new MemoryStore();
    const actor = await live(store, first.machine);
    actor.send({ type: 'go' });
    await actor.whenDurable();
    const key = first.log.at(-1);
    const second = bench();
    const again = await live(afterCrash(store), second.machine);
    expect(again.isRestored).toBe(true);
    expect(again.getSnapshot().value).toBe('fetching');
    expect(second.log).toEqual([key]);
    second.ends.get('fetch')?.resolve('data');
    await settle();
    second.ends.get('store')?.resolve(undefined);
    await settle();
    expect(again.getSnapshot().status).toBe('done');
  });

  it('does the actions that were saved and not done', async () => {
    const first = bench();
    const store = new MemoryStore();
    const actor = await live(store, first.machine);
    store.isSlow = true;
    actor.send({ type: 'go' });
    await settle();
    const crashed = new MemoryStore();
    store.isSlow = true;
    const held = store.letThrough.bind(store);
    await held();
    crashed.state = store.state;
    expect(JSON.stringify(crashed.state)).toContain('enter fetching');
    const second = bench();
    await live(afterCrash(crashed), second.machine);
    expect(second.log).toEqual(['fetch /fetch@2', 'enter fetching']);
  });

  it('does not do again what was done, once that is saved', async () => {
    const first = bench();
    const store = new MemoryStore();
    const actor = await live(store, first.machine);
    actor.send({ type: 'go' });
    await actor.whenDurable();
    const second = bench();
    await live(afterCrash(store), second.machine);
    expect(second.log).toEqual(['fetch /fetch@2']);
  });

  it('keeps the absolute deadline of a delayed transition', async () => {
    const machine = setup({ delays: { patience: 1_000 } }).createMachine({
      id: 'patient',
      initial: 'waiting',
      states: { waiting: { after: { patience: 'over' } }, over: {} },
    });
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    await live(store, machine, { clock });
    clock.increment(600);
    const later = new SimulatedClock();
    later.set(700);
    const actor = await live(afterCrash(store), machine, { clock: later });
    later.increment(299);
    await settle();
    expect(actor.getSnapshot().value).toBe('waiting');
    later.increment(1);
    await settle();
    expect(actor.getSnapshot().value).toBe('over');
    expect(savedSnapshot(store).value).toBe('waiting');
  });

  it('gives the end of a child to its parent that had not taken it', async () => {
    const first = bench();
    const store = new MemoryStore();
    const actor = await live(store, first.machine);
    actor.send({ type: 'go' });
    await actor.whenDurable();
    store.isSlow = true;
    first.ends.get('fetch')?.resolve('data');
    await settle();
    const second = bench();
    const state = structuredClone(store.state) as never as {
      snapshot: { children: { fetch: { snapshot: { status: string } } } };
    };
    state.snapshot.children.fetch.snapshot.status = 'done';
    const crashed = new MemoryStore();
    crashed.state = state as never;
    const again = await live(crashed, second.machine);
    expect(second.log.map((line) => line.split(' ')[0])).toEqual(['store']);
    expect(again.getSnapshot().value).toBe('storing');
  });
});

describe('children of a durable actor', () => {
  const childOf = (log: string[]) =>
    setup({
      types: { events: {} as { type: 'ping' } },
      actors: {
        effect: fromCallback(({ self }) => {
          log.push(`effect${idempotencyKey(self)?.replace(/^[^/@]+/, '')}`);
        }),
      },
    }).createMachine({
      id: 'child',
      initial: 'calm',
      states: {
        calm: { on: { ping: 'busy' } },
        busy: { entry: sendParent({ type: 'pong' }), invoke: { src: 'effect', id: 'effect' } },
      },
    });
  const parentOf = (log: string[]) =>
    setup({
      types: {
        events: {} as { type: 'start' } | { type: 'pong' },
        context: {} as { pongs: number },
      },
      actors: { child: childOf(log) },
    }).createMachine({
      id: 'parent',
      context: { pongs: 0 },
      invoke: { src: 'child', id: 'child' },
      on: {
        start: { actions: sendTo('child', { type: 'ping' }) },
        pong: { actions: assign({ pongs: ({ context }) => context.pongs + 1 }) },
      },
    });

  it('are held back by the same rule', async () => {
    const log: string[] = [];
    const store = new MemoryStore();
    const actor = await live(store, parentOf(log));
    store.isSlow = true;
    actor.send({ type: 'start' });
    await settle();
    await store.letThrough();
    expect(log).toEqual([]);
    await store.letThrough();
    expect(log).toEqual(['effect/child/effect@4']);
    for (let turn = 0; turn < 3; turn++) await store.letThrough();
    expect(actor.getSnapshot().context.pongs).toBe(1);
  });

  it('lose no message and get none twice, wherever the run ends', async () => {
    for (let crashAfter = 1; crashAfter <= 6; crashAfter++) {
      const log: string[] = [];
      const store = new MemoryStore();
      const actor = await live(store, parentOf(log));
      store.isSlow = true;
      actor.send({ type: 'start' });
      for (let save = 0; save < crashAfter; save++) {
        await settle();
        await store.letThrough();
      }
      const again = await live(afterCrash(store), parentOf(log));
      await again.whenDurable();
      expect([crashAfter, again.getSnapshot().context.pongs]).toEqual([crashAfter, 1]);
      expect(again.getSnapshot().children.child?.getSnapshot().value).toBe('busy');
    }
  });
});

describe('what can go wrong', () => {
  it('ends the actor with the error of the store, and begins nothing more', async () => {
    const { log, machine } = bench();
    const store = new MemoryStore();
    const actor = await live(store, machine);
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    store.failure = Object.assign(new Error('no space'), { code: 'NO_SPACE' });
    const submitted = actor.submit({ type: 'go' });
    await expect(submitted).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(actor.whenDurable()).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(errors).toMatchObject([{ code: 'NO_SPACE' }]);
    expect(log).toEqual([]);
  });

  it('is told when the logic of a saved child is missing', async () => {
    const { machine } = bench();
    const store = new MemoryStore();
    const actor = await live(store, machine);
    await actor.submit({ type: 'go' });
    const { fetch: _, ...actors } = machine.implementations.actors;
    Object.assign(machine.implementations, { actors });
    await expect(createDurableActor(machine, { store: afterCrash(store) })).rejects.toMatchObject({
      code: 'CHILD_LOGIC_MISSING',
      details: { path: 'fetch', src: 'fetch' },
    });
  });
});
