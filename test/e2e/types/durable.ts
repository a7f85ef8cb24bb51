/** Durable actors in a strict project: no casts. */
import {
  createDurableActor,
  type DurableActor,
  idempotencyKey,
  openCheckpointStore,
} from 'checkpoint-wal';
import { assign, fromPromise, setup, toPromise, waitFor } from 'xstate';

const machine = setup({
  types: {
    context: {} as { count: number },
    events: {} as { type: 'add'; by: number } | { type: 'end' },
    input: {} as { from: number },
    output: {} as { total: number },
  },
  actors: {
    work: fromPromise<string, { readonly of: number }>(
      async ({ self, input }) => `${idempotencyKey(self)} ${input.of}`,
    ),
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ count: input.from }),
  initial: 'on',
  invoke: { src: 'work', input: ({ context }) => ({ of: context.count }) },
  states: {
    on: {
      on: {
        add: { actions: assign({ count: ({ context, event }) => context.count + event.by }) },
        end: 'off',
      },
    },
    off: { type: 'final' },
  },
  output: ({ context }) => ({ total: context.count }),
});

export async function use(): Promise<number> {
  const store = await openCheckpointStore({ directory: 'd' });
  const actor: DurableActor<typeof machine> = await createDurableActor(machine, {
    store,
    input: { from: 1 },
    path: ['actors', 'counter'],
    version: 2,
    migrate: async ({ version, snapshot }) => (version === 1 ? snapshot : snapshot),
  });
  actor.start();
  const snapshot = await actor.submit({ type: 'add', by: 2 });
  const count: number = snapshot.context.count;
  const isOn: boolean = snapshot.matches('on');
  // @ts-expect-error There is no such event.
  void actor.submit({ type: 'subtract' });
  // @ts-expect-error It takes a number.
  actor.send({ type: 'add', by: '2' });
  // @ts-expect-error The input is another one.
  void createDurableActor(machine, { store, input: { from: '1' } });
  // @ts-expect-error The machine needs an input.
  void createDurableActor(machine, { store });
  await waitFor(actor, (one) => one.matches('off'));
  const { total } = await toPromise(actor);
  const restored: boolean = actor.isRestored;
  return restored && isOn ? total : count;
}
