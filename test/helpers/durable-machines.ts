/**
 * Machines for the crash lab of durable actors: each uses other parts of what statecharts can do, tells
 * the world of every effect, and comes to one end by itself.
 */
import {
  type AnyActorLogic,
  assign,
  type EventObject,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  raise,
  type Subscribable,
  sendParent,
  sendTo,
  setup,
} from 'xstate';
import type { DurableSubject, DurableWorld } from '../../src/testing/durable-lab.js';

/** A promise that begins an effect and ends after a few turns. */
const task = (world: DurableWorld, fails: (attempt: number) => boolean = () => false) =>
  fromPromise<string, { readonly name: string; readonly attempt?: number }>(
    async ({ input: { name, attempt = 1 }, self }) => {
      world.begin(self, `${name} ${attempt}`);
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
      if (fails(attempt)) throw Object.assign(new Error(`${name} failed`), { code: 'E_TASK' });
      return `${name} after ${attempt}`;
    },
  );

/** A review by two workers in parallel, a barrier, retries with a delay, a child machine with its own. */
const review: DurableSubject = {
  logic: (world) => {
    const worker = setup({
      types: {
        input: {} as { name: string },
        context: {} as { name: string; attempt: number; result: string; code: string },
        output: {} as string,
      },
      actors: { task: task(world, (attempt) => attempt < 3) },
      actions: { note: ({ self }, params: string) => world.begin(self, params) },
      guards: { mayRetry: ({ context }) => context.attempt < 3 },
      delays: { backoff: ({ context }) => context.attempt * 100 },
    }).createMachine({
      id: 'worker',
      context: ({ input }) => ({ name: input.name, attempt: 1, result: '', code: '' }),
      initial: 'working',
      states: {
        working: {
          invoke: {
            src: 'task',
            id: 'task',
            input: ({ context: { name, attempt } }) => ({ name, attempt }),
            onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
            onError: {
              target: 'waiting',
              guard: 'mayRetry',
              actions: assign({ code: ({ event }) => (event.error as { code: string }).code }),
            },
          },
        },
        waiting: {
          entry: { type: 'note', params: 'waits' },
          after: {
            backoff: {
              target: 'working',
              actions: assign({ attempt: ({ context }) => context.attempt + 1 }),
            },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => `${context.result} ${context.code}`,
    });
    return setup({
      types: { context: {} as { results: string[] } },
      actors: { worker, publish: task(world) },
      actions: { note: ({ self }, params: string) => world.begin(self, params) },
    }).createMachine({
      id: 'review',
      context: { results: [] },
      initial: 'working',
      states: {
        working: {
          type: 'parallel',
          onDone: 'publishing',
          states: {
            left: {
              initial: 'busy',
              states: {
                busy: {
                  invoke: {
                    src: 'worker',
                    id: 'left',
                    input: { name: 'left' },
                    onDone: {
                      target: 'over',
                      actions: assign({
                        results: ({ context, event }) => [...context.results, event.output].sort(),
                      }),
                    },
                  },
                },
                over: { type: 'final', entry: { type: 'note', params: 'left is over' } },
              },
            },
            right: {
              initial: 'busy',
              states: {
                busy: {
                  invoke: {
                    src: 'worker',
                    id: 'right',
                    input: { name: 'right' },
                    onDone: {
                      target: 'over',
                      actions: assign({
                        results: ({ context, event }) => [...context.results, event.output].sort(),
                      }),
                    },
                  },
                },
                over: { type: 'final' },
              },
            },
          },
        },
        publishing: {
          invoke: {
            src: 'publish',
            id: 'publish',
            input: { name: 'publish' },
            onDone: 'published',
          },
        },
        published: { type: 'final', entry: { type: 'note', params: 'published' } },
      },
    });
  },
};

/** Pauses by history, a timeout that another event cancels, a message with a delay to a child. */
const pausing: DurableSubject = {
  logic: (world) => {
    const listener = setup({
      types: { events: {} as { type: 'wake' }, context: {} as { woken: number } },
      actions: { note: ({ self }, params: string) => world.begin(self, params) },
    }).createMachine({
      id: 'listener',
      context: { woken: 0 },
      on: {
        wake: {
          actions: [
            assign({ woken: ({ context }) => context.woken + 1 }),
            { type: 'note', params: 'woken' },
            sendParent({ type: 'awake' }),
          ],
        },
      },
    });
    return setup({
      types: {
        context: {} as { steps: string[] },
        events: {} as { type: 'pause' } | { type: 'resume' } | { type: 'awake' } | { type: 'tick' },
      },
      actors: { listener, task: task(world) },
      actions: {
        step: assign({ steps: ({ context }, name: string) => [...context.steps, name] }),
      },
    }).createMachine({
      id: 'pausing',
      context: { steps: [] },
      invoke: { src: 'listener', id: 'listener' },
      initial: 'running',
      states: {
        running: {
          initial: 'first',
          on: { pause: 'paused' },
          states: {
            hist: { type: 'history' },
            first: {
              entry: sendTo('listener', { type: 'wake' }, { delay: 50, id: 'wake' }),
              after: { 1000: { target: 'never' } },
              on: { awake: { target: 'second', actions: { type: 'step', params: 'awake' } } },
            },
            second: {
              invoke: {
                src: 'task',
                id: 'second',
                input: { name: 'second' },
                onDone: { target: 'third', actions: { type: 'step', params: 'second' } },
              },
            },
            third: {
              entry: raise({ type: 'tick' }, { delay: 20 }),
              on: { tick: { target: 'last', actions: { type: 'step', params: 'tick' } } },
            },
            last: { type: 'final' },
            never: { entry: { type: 'step', params: 'never' } },
          },
          onDone: 'over',
        },
        paused: {
          on: { resume: { target: 'running.hist', actions: { type: 'step', params: 'resumed' } } },
        },
        over: { type: 'final' },
      },
    });
  },
  drive: (actor) => {
    const { value, context } = actor.getSnapshot() as {
      value: unknown;
      context: { steps: string[] };
    };
    const isThird = JSON.stringify(value) === '{"running":"third"}';
    if (value === 'paused') actor.send({ type: 'resume' });
    else if (isThird && !context.steps.includes('resumed')) actor.send({ type: 'pause' });
  },
};

/** Actors of every other kind, spawned ones too, that are told things and tell things. */
const kinds: DurableSubject = {
  logic: (world) =>
    setup({
      types: {
        context: {} as { seen: string[] },
        events: {} as { type: 'heard'; what: string } | { type: 'enough' },
      },
      actors: {
        ear: fromCallback<{ type: 'say'; what: string }>(({ self, receive, sendBack }) => {
          world.begin(self, 'ear');
          receive(({ what }) => sendBack({ type: 'heard', what }));
        }),
        tally: fromTransition(
          (state: { count: number }, { type }: { type: 'add' }) =>
            type === 'add' ? { count: state.count + 1 } : state,
          { count: 0 },
        ),
        stream: fromObservable(({ self }): Subscribable<number> => {
          world.begin(self, 'stream');
          return {
            subscribe: (observer) => {
              const next = typeof observer === 'function' ? observer : observer.next;
              next?.(1);
              if (typeof observer === 'object') observer.complete?.();
              return { unsubscribe: () => {} };
            },
          } as Subscribable<number>;
        }),
        task: task(world),
      },
      actions: {
        note: ({ self }, params: string) => world.begin(self, params),
        seeInline: assign({ seen: ({ context }) => [...context.seen, 'inline'] }),
      },
    }).createMachine({
      id: 'kinds',
      context: ({ spawn }) => {
        spawn('tally', { id: 'tally' });
        return { seen: [] };
      },
      initial: 'talking',
      states: {
        talking: {
          invoke: { src: 'ear', id: 'ear' },
          entry: sendTo('ear', { type: 'say', what: 'hello' }),
          on: {
            heard: {
              target: 'streaming',
              actions: [
                assign({ seen: ({ context, event }) => [...context.seen, event.what] }),
                sendTo('tally', { type: 'add' }),
              ],
            },
          },
        },
        streaming: {
          entry: { type: 'note', params: 'streaming' },
          invoke: { src: 'stream', id: 'stream', onDone: 'inline' },
        },
        inline: {
          invoke: [
            {
              src: fromPromise(async ({ self }) => {
                world.begin(self, 'inline');
                return 'inline';
              }),
              onDone: { target: 'over', actions: 'seeInline' },
            },
            { src: 'task', id: 'beside', input: { name: 'beside' } },
          ],
        },
        over: { type: 'final' },
      },
    }) as AnyActorLogic,
};

/** One state entered again and again under the same id, left before its effect has ended. */
const reentering: DurableSubject = {
  logic: (world) =>
    setup({
      types: {
        context: {} as { round: number },
        events: {} as { type: 'next' },
      },
      actors: { task: task(world), timer: fromCallback(({ self }) => world.begin(self, 'timer')) },
    }).createMachine({
      id: 'reentering',
      context: { round: 0 },
      initial: 'round',
      states: {
        round: {
          entry: assign({ round: ({ context }) => context.round + 1 }),
          invoke: [
            { src: 'timer', id: 'timer', systemId: 'the timer' },
            {
              src: 'task',
              id: 'task',
              input: ({ context }) => ({ name: 'round', attempt: context.round }),
              onDone: [
                { guard: ({ context }) => context.round < 4, target: 'round', reenter: true },
                { target: 'over' },
              ],
            },
          ],
        },
        over: { type: 'final' },
      },
    }),
};

/** A state that is entered anew while its effect goes on, which then ends when nobody waits for it. */
const interrupted: DurableSubject = {
  logic: (world) =>
    setup({
      types: {
        context: {} as { round: number; result: string },
        events: {} as { type: 'poke' },
      },
      actors: {
        task: task(world),
        poker: fromCallback<EventObject, { readonly round: number }>(
          ({ input, self, sendBack }) => {
            world.begin(self, 'poker');
            if (input.round === 1) void Promise.resolve().then(() => sendBack({ type: 'poke' }));
          },
        ),
      },
    }).createMachine({
      id: 'interrupted',
      context: { round: 0, result: '' },
      initial: 'round',
      states: {
        round: {
          entry: assign({ round: ({ context }) => context.round + 1 }),
          on: { poke: { target: 'round', reenter: true } },
          invoke: [
            {
              src: 'task',
              id: 'task',
              input: ({ context }) => ({ name: 'round', attempt: context.round }),
              onDone: { target: 'over', actions: assign({ result: ({ event }) => event.output }) },
            },
            { src: 'poker', id: 'poker', input: ({ context }) => ({ round: context.round }) },
          ],
        },
        over: { type: 'final' },
      },
    }),
};

/** All of them, by name. */
export const durableMachines: Readonly<Record<string, DurableSubject>> = {
  review,
  pausing,
  kinds,
  reentering,
  interrupted,
};
