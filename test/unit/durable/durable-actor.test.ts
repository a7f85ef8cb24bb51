/** Durable actors: what is durable when, what comes back, what is told loudly. */
import { describe, expect, it, vi } from 'vitest';
import {
  type AnyActorRef,
  assign,
  createMachine,
  fromCallback,
  fromPromise,
  fromTransition,
  SimulatedClock,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  toPromise,
} from 'xstate';
import { createDurableActor, type SavedSnapshot } from '../../../src/durable/durable-actor.js';
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
    expect(seen).toEqual([]);
    await store.letThrough();
    expect(savedSnapshot(store).value).toBe('fetching');
    expect(log).toEqual(['enter fetching', 'fetch /fetch@2']);
    expect(actor.getSnapshot().value).toBe('fetching');
    expect(seen).toEqual(['fetching']);
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

  it('is told when a child could not be found again, before it starts', async () => {
    const started: string[] = [];
    const machine = createMachine({
      id: 'nameless',
      on: {
        go: {
          actions: spawnChild(
            fromCallback(() => {
              started.push('child');
            }),
            { id: 'one' },
          ),
        },
      },
    });
    const actor = await live(new MemoryStore(), machine);
    actor.subscribe({ error: () => {} });
    await expect(actor.submit({ type: 'go' })).rejects.toMatchObject({
      code: 'CHILD_LOGIC_MISSING',
      details: { path: 'one' },
    });
    expect(started).toEqual([]);
  });

  it('is told when a machine invokes what it has no logic for', async () => {
    const machine = createMachine({ id: 'hollow', invoke: { src: 'nothing', id: 'nothing' } });
    await expect(createDurableActor(machine, { store: new MemoryStore() })).rejects.toMatchObject({
      code: 'CHILD_LOGIC_MISSING',
      details: { path: 'nothing' },
    });
  });

  it.each<[string, unknown, string]>([
    ['a date', { at: new Date(0) }, 'context.order.at'],
    ['a map', { lines: [{ of: new Map() }] }, 'context.order.lines[0].of'],
    ['a function', { run: () => {} }, 'context.order.run'],
    ['undefined in a list', { lines: [undefined] }, 'context.order.lines[0]'],
    ['a taken key', { $error: 1 }, 'context.order'],
    ['an instance of a class', { buffer: new Uint8Array(1) }, 'context.order.buffer'],
  ])('names the path of what can not be saved: %s', async (_, order, path) => {
    const machine = createMachine({
      id: 'orders',
      context: { order: null as unknown },
      on: { put: { actions: assign({ order: () => order }) } },
    });
    const actor = await live(new MemoryStore(), machine);
    actor.subscribe({ error: () => {} });
    await expect(actor.submit({ type: 'put' })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_SERIALISABLE',
      details: { path },
    });
  });

  it('names a cycle instead of running out of stack', async () => {
    const order: Record<string, unknown> = {};
    order.self = order;
    const machine = createMachine({
      id: 'cyclic',
      context: { order: null as unknown },
      on: { put: { actions: assign({ order: () => order }) } },
    });
    const actor = await live(new MemoryStore(), machine);
    actor.subscribe({ error: () => {} });
    await expect(actor.submit({ type: 'put' })).rejects.toMatchObject({
      code: 'SNAPSHOT_NOT_SERIALISABLE',
    });
  });

  it('is told when the version of the machine has changed, and when its name has', async () => {
    const of = (id: string, version?: string) =>
      createMachine({ id, initial: 'a', states: { a: {} }, ...(version && { version }) });
    const store = new MemoryStore();
    await live(store, of('m', '1'));
    const changed = { code: 'MACHINE_CHANGED' };
    await expect(
      createDurableActor(of('m', '2'), { store: afterCrash(store) }),
    ).rejects.toMatchObject({ ...changed, details: { saved: '1', version: '2' } });
    await expect(createDurableActor(of('m'), { store: afterCrash(store) })).rejects.toMatchObject(
      changed,
    );
    await expect(
      createDurableActor(of('n', '1'), { store: afterCrash(store) }),
    ).rejects.toMatchObject(changed);
    const next = afterCrash(store);
    const migrate = vi.fn(({ snapshot }: SavedSnapshot) => snapshot);
    await live(next, of('m', '2'), { migrate });
    expect(migrate).toHaveBeenCalledWith(expect.objectContaining({ version: '1' }));
    expect(next.state).toMatchObject({ version: '2' });
    await live(afterCrash(next), of('m', '2'));
    expect(migrate).toHaveBeenCalledTimes(1);
  });

  it('is told when a saved state does not exist any more, also in a child', async () => {
    const child = (state: string) =>
      createMachine({ id: 'child', initial: state, states: { [state]: {} } });
    const parent = (state: string) =>
      createMachine({ id: 'parent', invoke: { src: child(state), id: 'kid' } });
    const store = new MemoryStore();
    await live(store, parent('old'));
    await expect(
      createDurableActor(parent('new'), { store: afterCrash(store) }),
    ).rejects.toMatchObject({
      code: 'SNAPSHOT_INVALID',
      details: { path: 'kid.value', state: 'child.old' },
    });
  });

  it('is told when the store holds something else, or something of a later format', async () => {
    const { machine } = bench();
    const store = new MemoryStore();
    store.state = { phases: [] };
    await expect(createDurableActor(machine, { store })).rejects.toMatchObject({
      code: 'SNAPSHOT_INVALID',
    });
    store.state = { durable: 2, machine: 'bench', run: 'r', transitions: 1, snapshot: {} };
    await expect(createDurableActor(machine, { store })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
  });

  it('ends the actor when the store goes back to an earlier checkpoint', async () => {
    const { log, machine } = bench();
    const store = new MemoryStore();
    const actor = await live(store, machine);
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    store.tell({ type: 'restored', sequence: 9, from: 3, cause: 'automatic' });
    await settle();
    expect(errors).toMatchObject([{ code: 'STATE_REPLACED', details: { sequence: 9, from: 3 } }]);
    expect(log).toEqual([]);
    await expect(actor.submit({ type: 'go' })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('stops the children of an actor that throws, and leaves what is saved', async () => {
    const stopped: string[] = [];
    const machine = setup({
      actors: { child: fromCallback(() => () => stopped.push('child')) },
    }).createMachine({
      id: 'thrower',
      invoke: { src: 'child', id: 'child' },
      context: { count: 0 },
      on: {
        go: {
          actions: assign(() => {
            throw new TypeError('not so');
          }),
        },
      },
    });
    const store = new MemoryStore();
    const actor = await live(store, machine);
    const { saves } = store;
    actor.subscribe({ error: () => {} });
    await expect(actor.submit({ type: 'go' })).rejects.toThrow('not so');
    expect(stopped).toEqual(['child']);
    expect(store.saves).toBe(saves);
    expect((await live(afterCrash(store), machine)).getSnapshot().status).toBe('active');
  });
});

describe('errors that a machine keeps', () => {
  it('come back with name, message, code and cause', async () => {
    const machine = setup({
      types: { context: {} as { problem: unknown } },
      actors: {
        task: fromPromise(async () => {
          const cause = new RangeError('too far');
          throw Object.assign(new TypeError('no', { cause }), { code: 'E_NO', more: 1 });
        }),
      },
    }).createMachine({
      id: 'failing',
      context: { problem: null },
      initial: 'trying',
      states: {
        trying: {
          invoke: {
            src: 'task',
            onError: { target: 'failed', actions: assign({ problem: ({ event }) => event.error }) },
          },
        },
        failed: {},
      },
    });
    const store = new MemoryStore();
    await live(store, machine);
    const { problem } = (await live(afterCrash(store), machine)).getSnapshot().context;
    expect(problem).toBeInstanceOf(Error);
    expect(problem).toMatchObject({ name: 'TypeError', message: 'no', code: 'E_NO' });
    expect((problem as Error).cause).toMatchObject({ name: 'RangeError', message: 'too far' });
  });

  it('end the actor where nobody handles them, also in the next run', async () => {
    const machine = setup({
      actors: {
        task: fromPromise(async () => {
          throw Object.assign(new Error('no'), { code: 'E_NO' });
        }),
      },
    }).createMachine({ id: 'failing', invoke: { src: 'task', id: 'task' } });
    const store = new MemoryStore();
    const actor = await createDurableActor(machine, { store });
    const errors: unknown[] = [];
    actor.subscribe({ error: (error) => errors.push(error) });
    actor.start();
    await settle();
    const again = await createDurableActor(machine, { store: afterCrash(store) });
    again.subscribe({ error: (error) => errors.push(error) });
    again.start();
    expect(errors).toMatchObject([{ code: 'E_NO' }, { code: 'E_NO', message: 'no' }]);
  });
});

describe('a place in a store', () => {
  it('is shared by actors with paths of their own, beside what else is there', async () => {
    const store = new MemoryStore();
    store.state = { phases: ['one'] };
    const [left, right] = [bench(), bench()];
    const a = await live(store, left.machine, { path: 'actors.left' });
    const b = await live(store, right.machine, { path: ['actors', 'right'] });
    await Promise.all([a.submit({ type: 'go' }), b.submit({ type: 'go' })]);
    expect(store.state).toMatchObject({
      phases: ['one'],
      actors: { left: { snapshot: { value: 'fetching' } }, right: { machine: 'bench' } },
    });
    const next = afterCrash(store);
    expect((await live(next, left.machine, { path: 'actors.left' })).isRestored).toBe(true);
    expect((await live(next, left.machine, { path: 'actors.third' })).isRestored).toBe(false);
  });

  it('belongs to one actor at a time', async () => {
    const store = new MemoryStore();
    const actor = await live(store, bench().machine);
    await expect(createDurableActor(bench().machine, { store })).rejects.toThrow(TypeError);
    actor.stop();
    await actor.whenDurable();
    expect((await live(store, bench().machine)).isRestored).toBe(true);
  });
});

describe('the end of a durable actor', () => {
  it('by stop() saves what it had taken, and starts nothing of it', async () => {
    const first = bench();
    const store = new MemoryStore();
    const actor = await live(store, first.machine);
    store.isSlow = true;
    const submitted = actor.submit({ type: 'go' });
    await settle();
    actor.stop();
    await expect(submitted).rejects.toMatchObject({
      code: 'CLOSED',
      details: { outcome: 'unknown' },
    });
    await store.letThrough();
    await actor.whenDurable();
    expect(first.log).toEqual([]);
    const second = bench();
    await live(afterCrash(store), second.machine);
    expect(second.log).toEqual(['fetch /fetch@2', 'enter fetching']);
  });

  it('by a final state is what the next run finds, with its output', async () => {
    const machine = createMachine({
      id: 'short',
      initial: 'on',
      states: { on: { on: { go: 'off' } }, off: { type: 'final' } },
      output: { done: true },
    });
    const store = new MemoryStore();
    const actor = await live(store, machine);
    await actor.submit({ type: 'go' });
    await expect(toPromise(actor)).resolves.toEqual({ done: true });
    const again = await createDurableActor(machine, { store: afterCrash(store) });
    again.start();
    await expect(toPromise(again)).resolves.toEqual({ done: true });
  });
});

describe('a durable actor of another kind', () => {
  it('is a promise that is done once, and keeps what it came to', async () => {
    const runs: number[] = [];
    const logic = fromPromise(async ({ input }: { input: number }) => {
      runs.push(input);
      return input * 2;
    });
    const store = new MemoryStore();
    const actor = await live(store, logic, { input: 21 });
    expect(actor.getSnapshot().output).toBe(42);
    const again = await createDurableActor(logic, { store: afterCrash(store), input: 0 });
    again.start();
    expect(again.getSnapshot().output).toBe(42);
    expect(runs).toEqual([21]);
  });

  it('is a reducer whose state is durable before anybody sees it', async () => {
    const logic = fromTransition(
      (count: number, event: { type: 'add' }) => count + event.type.length,
      0,
    );
    const store = new MemoryStore();
    const actor = await live(store, logic);
    store.isSlow = true;
    actor.send({ type: 'add' });
    await settle();
    expect(actor.getSnapshot().context).toBe(0);
    await store.letThrough();
    expect(actor.getSnapshot().context).toBe(3);
    expect((await live(afterCrash(store), logic)).getSnapshot().context).toBe(3);
  });
});

describe('references to actors', () => {
  it('in contexts, inputs and messages find their actors in the next run', async () => {
    const heard: string[] = [];
    const machine = setup({
      types: {
        events: {} as { type: 'ask' } | { type: 'told'; by: string },
        context: {} as { ear: AnyActorRef },
      },
      actors: {
        ear: fromCallback<{ type: 'listen'; to: AnyActorRef }, { boss: AnyActorRef }>(
          ({ input, receive }) => {
            receive(({ to }) => {
              heard.push(input.boss === to ? 'the boss' : 'somebody');
              input.boss.send({ type: 'told', by: 'ear' });
            });
          },
        ),
      },
    }).createMachine({
      id: 'boss',
      context: ({ spawn, self }) => ({ ear: spawn('ear', { id: 'ear', input: { boss: self } }) }),
      on: {
        ask: {
          actions: sendTo(
            ({ context }) => context.ear,
            ({ self }) => ({ type: 'listen', to: self }),
          ),
        },
      },
    });
    const store = new MemoryStore();
    const actor = await live(store, machine);
    store.isSlow = true;
    actor.send({ type: 'ask' });
    await settle();
    expect(heard).toEqual([]);
    const crashed = new MemoryStore();
    const [image] = [store.letThrough()];
    crashed.state = store.state;
    await image;
    heard.length = 0;
    const again = await live(afterCrash(crashed), machine);
    expect(heard).toEqual(['the boss']);
    expect(again.getSnapshot().context.ear).toBe(again.getSnapshot().children.ear);
  });
});
