/** What was found in durable actors, so that it stays found. */
import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromCallback, sendTo, setup } from 'xstate';
import { createDurableActor } from '../../../src/durable/durable-actor.js';
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
