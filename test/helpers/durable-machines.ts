/**
 * Machines for the crash lab of durable actors: each uses other parts of what statecharts can do, tells
 * the world of every effect, and comes to one end by itself.
 */
import {
  type AnyActorLogic,
  type AnyActorRef,
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

/** Children that do things as they end, that say two things at once, and that nobody waits for then. */
const ending: DurableSubject = {
  logic: (world) => {
    const note = ({ self }: { readonly self: AnyActorRef }, params: string) =>
      world.begin(self, params);
    const teller = setup({ actors: { task: task(world) }, actions: { note } }).createMachine({
      id: 'teller',
      initial: 'working',
      states: {
        working: { invoke: { src: 'task', input: { name: 'teller' }, onDone: 'end' } },
        end: {
          type: 'final',
          entry: [
            { type: 'note', params: 'receipt' },
            sendParent({ type: 'one' }),
            sendParent({ type: 'two' }),
            sendTo(({ system }) => system.get('hearer'), { type: 'poke' }),
            sendTo(({ system }) => system.get('hearer'), { type: 'poke' }),
          ],
        },
      },
    });
    const hearer = setup({ actions: { note } }).createMachine({
      id: 'hearer',
      context: { pokes: 0 },
      initial: 'idle',
      states: { idle: {} },
      on: {
        poke: {
          actions: [
            assign({ pokes: ({ context }) => context.pokes + 1 }),
            { type: 'note', params: 'poked' },
            sendParent({ type: 'poked' }),
          ],
        },
      },
    });
    return setup({
      types: {
        context: {} as { ones: number; twos: number; pokes: number },
        events: {} as { type: 'one' } | { type: 'two' } | { type: 'poked' },
      },
      actors: { teller, hearer },
      guards: { isAll: ({ context }) => context.twos === 1 && context.pokes === 2 },
    }).createMachine({
      id: 'ending',
      context: { ones: 0, twos: 0, pokes: 0 },
      invoke: { src: 'hearer', id: 'hearer', systemId: 'hearer' },
      initial: 'telling',
      on: {
        two: { actions: assign({ twos: ({ context }) => context.twos + 1 }) },
        poked: { actions: assign({ pokes: ({ context }) => context.pokes + 1 }) },
      },
      states: {
        telling: {
          invoke: { src: 'teller', id: 'teller' },
          on: {
            one: { target: 'told', actions: assign({ ones: ({ context }) => context.ones + 1 }) },
          },
        },
        told: { always: { guard: 'isAll', target: 'over' } },
        over: { type: 'final' },
      },
    });
  },
};

/** Who answers whom is kept in contexts: of a parent, of a sibling, in lists. */
const acquainted: DurableSubject = {
  logic: (world) => {
    const clerk = setup({
      types: {
        input: {} as { peers: AnyActorRef[] },
        context: {} as { peers: AnyActorRef[] },
        events: {} as { type: 'ask' },
      },
      actions: { note: ({ self }, params: string) => world.begin(self, params) },
    }).createMachine({
      id: 'clerk',
      context: ({ input }) => input,
      on: {
        ask: {
          actions: [
            { type: 'note', params: 'asked' },
            sendTo(({ context }) => context.peers[0] as AnyActorRef, { type: 'answer' }),
          ],
        },
      },
    });
    return setup({
      types: {
        context: {} as { answers: number; clerks: AnyActorRef[] },
        events: {} as { type: 'answer' },
      },
      actors: { clerk },
    }).createMachine({
      id: 'acquainted',
      context: ({ spawn, self }) => {
        const first = spawn('clerk', { id: 'first', input: { peers: [self] } });
        const second = spawn('clerk', { id: 'second', input: { peers: [self, first] } });
        return { answers: 0, clerks: [first, second] };
      },
      initial: 'first',
      states: {
        first: {
          after: { 5: 'second' },
          entry: sendTo(({ context }) => context.clerks[0] as AnyActorRef, { type: 'ask' }),
        },
        second: {
          after: { 5: { guard: ({ context }) => context.answers === 2, target: 'over' } },
          entry: sendTo(({ context }) => context.clerks[1] as AnyActorRef, { type: 'ask' }),
        },
        over: { type: 'final' },
      },
      on: { answer: { actions: assign({ answers: ({ context }) => context.answers + 1 }) } },
    });
  },
  result: (snapshot) => {
    const { status, context } = snapshot as unknown as {
      readonly status: string;
      readonly context: { readonly answers: number };
    };
    return { status, output: undefined, error: undefined, context: { answers: context.answers } };
  },
};

/** All of them, by name. */
export const durableMachines: Readonly<Record<string, DurableSubject>> = {
  review,
  pausing,
  kinds,
  reentering,
  interrupted,
  ending,
  acquainted,
};
