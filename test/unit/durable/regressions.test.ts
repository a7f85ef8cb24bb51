/** What was found in durable actors, so that it stays found. */
import { describe, expect, it, vi } from 'vitest';
import {
  type AnyActorRef,
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  fromCallback,
  fromPromise,
  raise,
  SimulatedClock,
  sendParent,
  sendTo,
  setup,
  stopChild,
} from 'xstate';
import { createDurableActor } from '../../../src/durable/durable-actor.js';
import { Turns } from '../../../src/durable/turns.js';
import { checkpointMachine, fileCheckpointIo } from '../../../src/index.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { afterCrash, live, MemoryStore, settle } from '../../helpers/durable-bench.js';

describe('a child that its parent leaves', () => {
  const machineOf = (log: string[]) =>
    setup({
      types: { context: {} as { round: number }, events: {} as { type: 'next' } },
      actors: {
        child: setup({
          types: {
            input: {} as { round: number },
            context: {} as { round: number },
            events: {} as { type: 'bye' } | { type: 'hello' },
          },
          actions: {
            note: ({ context, event }) => log.push(`${event.type} ${context.round}`),
          },
        }).createMachine({
          id: 'child',
          context: ({ input }) => input,
          on: { bye: { actions: 'note' }, hello: { actions: 'note' } },
        }),
      },
    }).createMachine({
      id: 'parent',
      context: { round: 0 },
      initial: 'on',
      states: {
        on: {
          entry: [
            assign({ round: ({ context }) => context.round + 1 }),
            sendTo('child', { type: 'hello' }),
          ],
          exit: sendTo('child', { type: 'bye' }),
          invoke: { src: 'child', id: 'child', input: ({ context }) => ({ round: context.round }) },
          on: { next: { target: 'on', reenter: true } },
        },
      },
    });

  it('hears the last word of its parent, which no child after it hears', async () => {
    const log: string[] = [];
    const store = new MemoryStore();
    const actor = await live(store, machineOf(log));
    await actor.submit({ type: 'next' });
    await actor.whenDurable();
    await settle();
    expect(log).toEqual(['hello 1', 'bye 1', 'hello 2']);
    const after: string[] = [];
    await live(afterCrash(store), machineOf(after));
    expect(after).toEqual([]);
  });

  it('is not taken for the one after it when the run ends before that word', async () => {
    const store = new MemoryStore();
    const actor = await live(store, machineOf([]));
    store.isSlow = true;
    actor.send({ type: 'next' });
    await settle();
    const held = store.letThrough();
    const crashed = new MemoryStore();
    crashed.state = store.state;
    await held;
    expect(JSON.stringify(crashed.state)).toContain('bye');
    const log: string[] = [];
    await live(afterCrash(crashed), machineOf(log));
    expect(log).toEqual(['hello 2']);
  });
});

it('a child without an id has a name that none of an earlier run has', async () => {
  const machine = setup({
    actors: { child: fromCallback(() => {}) },
    types: { events: {} as { type: 'more' } },
  }).createMachine({
    id: 'spawner',
    initial: 'on',
    on: { more: '.on' },
    states: {
      on: {
        entry: assign(({ spawn }) => {
          spawn('child');
          return {};
        }),
      },
    },
  });
  const store = new MemoryStore();
  await live(store, machine);
  // As if this process had only begun to count.
  const image = structuredClone(store.state) as never as {
    snapshot: { children: Record<string, unknown>; durable: { children: Record<string, unknown> } };
  };
  for (const part of [image.snapshot.children, image.snapshot.durable.children]) {
    const [[name = '', value] = []] = Object.entries(part);
    delete part[name];
    part['x:9999'] = value;
  }
  const next = new MemoryStore();
  next.state = image as never;
  const actor = await live(next, machine);
  await actor.submit({ type: 'more' });
  const names = Object.keys(actor.getSnapshot().children).map((id) => Number(id.slice(2)));
  expect(names).toHaveLength(2);
  expect(Math.min(...names)).toBe(9999);
});

it('an actor that has ended leaves its place in the store', async () => {
  const machine = createMachine({
    id: 'short',
    initial: 'end',
    states: { end: { type: 'final' } },
  });
  const store = new MemoryStore();
  for (const isRestored of [false, true, true]) {
    const actor = await createDurableActor(machine, { store });
    expect([actor.isRestored, actor.getSnapshot().status]).toEqual([isRestored, 'done']);
    actor.start();
    await settle();
  }
});

describe('an event that waits for its turn', () => {
  it('is not the end of an actor that was left meanwhile', async () => {
    const ends: ((value: string) => void)[] = [];
    const machine = setup({
      types: {
        context: {} as { round: number; result: string },
        events: {} as { type: 'note' } | { type: 'again' },
      },
      actors: { job: fromPromise<string>(() => new Promise((resolve) => ends.push(resolve))) },
    }).createMachine({
      id: 'jobs',
      context: { round: 0, result: '' },
      initial: 'on',
      on: { note: { actions: assign({ round: ({ context }) => context.round + 1 }) } },
      states: {
        on: {
          invoke: {
            id: 'job',
            src: 'job',
            onDone: { target: 'off', actions: assign({ result: ({ event }) => event.output }) },
          },
          on: { again: { target: 'on', reenter: true } },
        },
        off: {},
      },
    });
    const store = new MemoryStore();
    const actor = await live(store, machine);
    store.isSlow = true;
    actor.send({ type: 'note' });
    actor.send({ type: 'again' });
    ends[0]?.('of the first');
    for (let turn = 0; turn < 4; turn++) await store.letThrough();
    expect(actor.getSnapshot().value).toBe('on');
    ends[1]?.('of the second');
    for (let turn = 0; turn < 4; turn++) await store.letThrough();
    expect(actor.getSnapshot().context.result).toBe('of the second');
  });

  it('is not a delayed one that was cancelled, or whose state was left, meanwhile', async () => {
    const machine = setup({
      types: { context: {} as { late: number }, events: {} as { type: 'note' | 'stop' | 'late' } },
    }).createMachine({
      id: 'delays',
      context: { late: 0 },
      initial: 'on',
      entry: raise({ type: 'late' }, { delay: 10, id: 'late' }),
      on: {
        note: { actions: assign({ late: ({ context }) => context.late }) },
        late: { actions: assign({ late: ({ context }) => context.late + 1 }) },
        stop: { target: '.on', reenter: true, actions: cancel('late') },
      },
      states: { on: { after: { 10: 'timedOut' } }, timedOut: {} },
    });
    const store = new MemoryStore();
    const clock = new SimulatedClock();
    const actor = await live(store, machine, { clock });
    store.isSlow = true;
    actor.send({ type: 'note' });
    actor.send({ type: 'stop' });
    clock.increment(10);
    for (let turn = 0; turn < 6; turn++) await store.letThrough();
    const { value, context } = actor.getSnapshot();
    expect([value, context.late]).toEqual(['on', 0]);
  });

  it('is a message to a child before it is the one by which its parent leaves that child', async () => {
    const log: string[] = [];
    const kid = setup({ actions: { flush: () => log.push('flushed') } }).createMachine({
      id: 'kid',
      on: { flush: { actions: 'flush' } },
    });
    const machine = setup({
      types: { events: {} as { type: 'go' } | { type: 'leave' } },
      actors: { kid },
    }).createMachine({
      id: 'parent',
      initial: 'on',
      states: {
        on: {
          invoke: { src: 'kid', id: 'kid' },
          on: { go: { actions: sendTo('kid', { type: 'flush' }) }, leave: 'off' },
        },
        off: {},
      },
    });
    const actor = await live(new MemoryStore(), machine);
    actor.send({ type: 'go' });
    await actor.submit({ type: 'leave' });
    expect(log).toEqual(['flushed']);
  });
});

describe('the end of a run', () => {
  const machine = createMachine({
    id: 'counter',
    context: { n: 0 },
    on: { add: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  });

  it('by stop() keeps the place until its last save has ended', async () => {
    const store = new MemoryStore();
    const actor = await live(store, machine);
    store.isSlow = true;
    actor.send({ type: 'add' });
    actor.stop();
    const next = createDurableActor(machine, { store });
    await settle();
    await store.letThrough();
    expect((await next).getSnapshot().context.n).toBe(1);
  });

  it('by stop() tells whenDurable() of a last save that failed', async () => {
    const store = new MemoryStore();
    const actor = await live(store, machine);
    store.failure = new Error('disk full');
    actor.send({ type: 'add' });
    actor.stop();
    await expect(actor.whenDurable()).rejects.toThrow('disk full');
  });

  it('before it has begun gives the place back, and answers who has submitted', async () => {
    const store = new MemoryStore();
    const actor = await createDurableActor(machine, { store });
    const submitted = actor.submit({ type: 'add' });
    actor.stop();
    await expect(submitted).rejects.toMatchObject({ code: 'CLOSED' });
    expect((await live(store, machine)).isRestored).toBe(true);
  });

  it('by an action that throws answers who waits; the next run does that action again', async () => {
    const log: string[] = [];
    const failing = (throws: boolean) =>
      setup({
        actions: {
          act: () => {
            log.push('act');
            if (throws) throw new Error('boom');
          },
        },
      }).createMachine({ id: 'acting', on: { go: { actions: 'act' } } });
    const store = new MemoryStore();
    const actor = await live(store, failing(true));
    actor.subscribe({ error: () => {} });
    const submitted = [actor.submit({ type: 'go' }), actor.submit({ type: 'go' })];
    await expect(submitted[1]).rejects.toThrow('boom');
    await expect(actor.whenDurable()).rejects.toThrow('boom');
    await live(store, failing(false));
    expect(log).toEqual(['act', 'act']);
  });
});

describe('places in a store', () => {
  const machine = createMachine({ id: 'm', initial: 'on', states: { on: {} } });

  it.each([
    ['actors', 'actors.one'],
    ['actors.one', 'actors'],
    [[], 'actors'],
  ])('do not lie inside of each other: %j and %j', async (first, second) => {
    const store = new MemoryStore();
    await live(store, machine, { path: first });
    await expect(createDurableActor(machine, { store, path: second })).rejects.toThrow(TypeError);
  });
});

it('a child with two delayed events of one name gets both, in the next run too', async () => {
  const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
    id: 'twice',
    context: { n: 0 },
    entry: [
      raise({ type: 'tick' }, { delay: 5, id: 'x' }),
      raise({ type: 'tick' }, { delay: 5, id: 'x' }),
    ],
    on: { tick: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  });
  const store = new MemoryStore();
  await live(store, machine, { clock: new SimulatedClock() });
  const clock = new SimulatedClock();
  const actor = await live(afterCrash(store), machine, { clock });
  clock.increment(5);
  await settle();
  expect(actor.getSnapshot().context.n).toBe(2);
});

it('a machine may invoke itself', async () => {
  const machine = setup({
    types: { input: {} as { depth: number }, context: {} as { depth: number } },
    actors: { self: fromPromise(async () => {}) as never as AnyStateMachine },
  }).createMachine({
    id: 'nested',
    context: ({ input }) => input,
    initial: 'on',
    states: {
      on: {
        always: { guard: ({ context }) => context.depth === 0, target: 'off' },
        invoke: {
          src: 'self',
          id: 'inner',
          input: ({ context }: { readonly context: { readonly depth: number } }) => ({
            depth: context.depth - 1,
          }),
          onDone: 'off',
        },
      },
      off: { type: 'final' },
    },
  });
  Object.assign(machine.implementations.actors, { self: machine });
  const actor = await live(new MemoryStore(), machine, { input: { depth: 2 } });
  expect(actor.getSnapshot().status).toBe('done');
});

it('a migration that returns nothing is refused, and nothing is changed', async () => {
  const of = (version: string) => createMachine({ id: 'm', version, context: { n: 1 } });
  const store = new MemoryStore();
  await live(store, of('1'));
  const { saves } = store;
  const next = createDurableActor(of('2'), {
    store: afterCrash(store),
    migrate: (() => undefined) as never,
  });
  await expect(next).rejects.toThrow('migrate() must return a snapshot');
  expect(store.saves).toBe(saves);
});

it('news of the snapshots of a child come once each, and named actions may take them', async () => {
  const seen: unknown[] = [];
  const child = createMachine({
    id: 'child',
    initial: 'a',
    states: { a: { after: { 1: 'b' } }, b: { after: { 1: 'c' } }, c: {} },
  });
  const machine = setup({
    actors: { child },
    actions: {
      see: ({ event }) => {
        seen.push((event as unknown as { snapshot: { value: unknown } }).snapshot.value);
      },
    },
  }).createMachine({
    id: 'watcher',
    invoke: { src: 'child', id: 'child', onSnapshot: { actions: 'see' } },
  });
  const clock = new SimulatedClock();
  const actor = await live(new MemoryStore(), machine, { clock });
  for (let step = 0; step < 2; step++) {
    clock.increment(1);
    await settle();
  }
  expect([seen, actor.getSnapshot().status]).toEqual([['a', 'b', 'c'], 'active']);
});

it('a delay beyond what node takes does not come at once', async () => {
  const machine = createMachine({
    id: 'patient',
    initial: 'waiting',
    states: { waiting: { after: { [2 ** 31 + 5]: 'over' } }, over: {} },
  });
  const actor = await live(new MemoryStore(), machine);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(actor.getSnapshot().value).toBe('waiting');
  actor.stop();
});

it('a store inside of a durable actor is refused by name', async () => {
  const machine = setup({ actors: { checkpoint: checkpointMachine } }).createMachine({
    id: 'parent',
    invoke: {
      src: 'checkpoint',
      id: 'store',
      input: { io: fileCheckpointIo({ directory: '/lab', fileSystem: new MemoryFileSystem() }) },
    },
  });
  await expect(createDurableActor(machine, { store: new MemoryStore() })).rejects.toMatchObject({
    code: 'SNAPSHOT_NOT_SERIALISABLE',
    details: { path: 'checkpoint' },
  });
});

describe('the order of events', () => {
  it('has what an event causes before what was sent later, however long it takes to be saved', async () => {
    const bank = createMachine({
      id: 'bank',
      on: { ask: { actions: sendParent({ type: 'no' }) } },
    });
    const machine = setup({
      types: { events: {} as { type: 'buy' | 'ship' | 'no' } },
      actors: { bank },
    }).createMachine({
      id: 'shop',
      invoke: { src: 'bank', id: 'bank' },
      initial: 'idle',
      states: {
        idle: { on: { buy: 'asking' } },
        asking: {
          entry: sendTo('bank', { type: 'ask' }),
          on: { no: 'refused', ship: 'shipped' },
        },
        refused: {},
        shipped: {},
      },
    });
    const actor = await live(new MemoryStore(), machine);
    actor.send({ type: 'buy' });
    await actor.submit({ type: 'ship' });
    expect(actor.getSnapshot().value).toBe('refused');
  });

  it('has all that a transition sends before the answers to it', async () => {
    const answering = createMachine({
      id: 'answering',
      on: { ask: { actions: sendParent({ type: 'answer' }) } },
    });
    const machine = setup({
      types: { context: {} as { answers: number }, events: {} as { type: 'answer' | 'back' } },
      actors: { answering },
    }).createMachine({
      id: 'asking',
      context: { answers: 0 },
      initial: 'on',
      on: { answer: { actions: assign({ answers: ({ context }) => context.answers + 1 }) } },
      states: {
        on: {
          invoke: { src: 'answering', id: 'answering' },
          entry: [1, 2, 3].map(() => sendTo('answering', { type: 'ask' })),
          on: {
            answer: {
              target: 'off',
              actions: assign({ answers: ({ context }) => context.answers + 1 }),
            },
          },
        },
        off: {},
      },
    });
    const store = new MemoryStore();
    const actor = await live(store, machine);
    await actor.whenDurable();
    expect(actor.getSnapshot().context.answers).toBe(3);
    expect(JSON.stringify(store.state)).not.toContain('outbox');
  });

  it('does not make long chains of messages slow', async () => {
    const echo = createMachine({
      id: 'echo',
      on: { ping: { actions: sendParent({ type: 'pong' }) } },
    });
    const machine = setup({
      types: { context: {} as { left: number }, events: {} as { type: 'pong' } },
      actors: { echo },
      guards: { goesOn: ({ context }) => context.left > 1 },
    }).createMachine({
      id: 'chain',
      context: { left: 1_000 },
      invoke: { src: 'echo', id: 'echo' },
      entry: sendTo('echo', { type: 'ping' }),
      on: {
        pong: [
          {
            guard: 'goesOn',
            actions: [
              assign({ left: ({ context }) => context.left - 1 }),
              sendTo('echo', { type: 'ping' }),
            ],
          },
          { actions: assign({ left: 0 }) },
        ],
      },
    });
    let longest = 0;
    const { nextOrder } = Turns.prototype;
    vi.spyOn(Turns.prototype, 'nextOrder').mockImplementation(function (this: Turns, receiver) {
      const order = nextOrder.call(this, receiver);
      longest = Math.max(longest, order.length);
      return order;
    });
    const actor = await live(new MemoryStore(), machine);
    await actor.whenDurable();
    vi.restoreAllMocks();
    expect(actor.getSnapshot().context.left).toBe(0);
    expect(longest).toBeLessThan(10);
  });
});

it('what is sent to an actor that has ended is not waited for, at once or with a delay', async () => {
  const machine = setup({
    types: { events: {} as { type: 'more' } },
    actors: {
      short: createMachine({ id: 'short', initial: 'end', states: { end: { type: 'final' } } }),
    },
  }).createMachine({
    id: 'sender',
    invoke: { src: 'short', id: 'short' },
    on: {
      more: {
        actions: [
          sendTo('short', { type: 'late' }),
          sendTo('short', { type: 'later' }, { delay: 1, id: 'later' }),
        ],
      },
    },
  });
  const clock = new SimulatedClock();
  const store = new MemoryStore();
  const actor = await live(store, machine, { clock });
  for (let round = 0; round < 3; round++) {
    await actor.submit({ type: 'more' });
    clock.increment(5);
    await settle();
  }
  expect(JSON.stringify(store.state)).not.toMatch(/outbox|timers/);
});

it('a reference to an actor that is gone can be saved again after a restart', async () => {
  const machine = setup({
    types: {
      context: {} as { kid: AnyActorRef; n: number },
      events: {} as { type: 'stop' | 'add' },
    },
    actors: { kid: createMachine({ id: 'kid' }) },
  }).createMachine({
    id: 'keeper',
    context: ({ spawn }) => ({ kid: spawn('kid', { id: 'kid' }), n: 0 }),
    on: {
      stop: { actions: stopChild('kid') },
      add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
    },
  });
  let store = new MemoryStore();
  await (await live(store, machine)).submit({ type: 'stop' });
  for (const n of [1, 2]) {
    store = afterCrash(store);
    const actor = await live(store, machine);
    expect((await actor.submit({ type: 'add' })).context.n).toBe(n);
  }
});
