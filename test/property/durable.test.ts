/**
 * Drawn statecharts, made durable and crashed everywhere: they begin the same effects and come to the same
 * end as the same chart in XState alone.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type AnyActorLogic,
  assign,
  createActor,
  fromPromise,
  sendParent,
  sendTo,
  setup,
} from 'xstate';
import { type DurableSubject, exploreDurableActor } from '../../src/testing/durable-lab.js';

type Kind = 'a' | 'b';

/** A state of a region; targets are places in the region, of those that come by themselves only later ones. */
interface DrawnState {
  readonly on: Readonly<Record<Kind, number | undefined>>;
  readonly isReentered: boolean;
  readonly effect: 'none' | 'note' | 'task' | 'child' | 'spawn';
  readonly later: number;
  readonly delayMs: number | undefined;
}

interface Chart {
  readonly regions: readonly (readonly DrawnState[])[];
  readonly events: readonly Kind[];
  /** Whether they come all at once. */
  readonly isBurst: boolean;
}

const place = fc.option(fc.nat(3), { nil: undefined });
const state: fc.Arbitrary<DrawnState> = fc.record({
  on: fc.record({ a: place, b: place }),
  isReentered: fc.boolean(),
  effect: fc.constantFrom('none', 'note', 'task', 'child', 'spawn'),
  later: fc.nat(3),
  delayMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
});
const chart: fc.Arbitrary<Chart> = fc.record({
  regions: fc.array(fc.array(state, { minLength: 2, maxLength: 4 }), {
    minLength: 1,
    maxLength: 2,
  }),
  events: fc.array(fc.constantFrom('a', 'b'), { maxLength: 4 }),
  isBurst: fc.boolean(),
});

/** The chart as a machine that tells of every effect, and takes each event once. */
function machineOf({ regions }: Chart, begin: (self: never, name: string) => void): AnyActorLogic {
  const task = fromPromise<string, string>(async ({ input, self }) => {
    begin(self as never, input);
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    return input;
  });
  const child = setup({
    types: { input: {} as string, events: {} as { type: 'hello' } | { type: 'bye' } },
    actors: { task },
    actions: {
      note: ({ self, context }, params: string) =>
        begin(self as never, `${(context as { name: string }).name} ${params}`),
    },
  }).createMachine({
    id: 'child',
    context: ({ input }) => ({ name: input }),
    initial: 'first',
    states: {
      first: { after: { 5: 'second' } },
      second: {
        invoke: { src: 'task', id: 'task', input: ({ context }) => context.name, onDone: 'end' },
      },
      end: {
        type: 'final',
        entry: [{ type: 'note', params: 'ends' }, sendParent({ type: 'told' })],
      },
    },
    on: {
      hello: { actions: { type: 'note', params: 'hears hello' } },
      // What is done about a last word is done once at most: nothing that is compared.
      bye: {},
    },
  });
  const taken = { type: 'taken' };
  const stateOf = (drawn: DrawnState, at: number, region: number, count: number) => {
    const name = `${region}.${at}`;
    const targetOf = (to: number) => `s${to % count}`;
    const later = at + 1 + (drawn.later % Math.max(1, count - at - 1));
    const onDone =
      later < count ? { target: targetOf(later), actions: 'ended' } : { actions: 'ended' };
    const invoke =
      drawn.effect === 'task' || drawn.effect === 'child'
        ? { invoke: { src: drawn.effect, id: `${drawn.effect}${region}`, input: name, onDone } }
        : {};
    const on = Object.fromEntries(
      Object.entries(drawn.on).flatMap(([kind, to]) =>
        to === undefined
          ? []
          : [[kind, { target: targetOf(to), actions: taken, reenter: drawn.isReentered }]],
      ),
    );
    const entry = [
      ...(drawn.effect === 'note' ? [{ type: 'note', params: name }] : []),
      ...(drawn.effect === 'spawn' ? [{ type: 'spawnTask', params: name }] : []),
    ];
    const kid = `child${region}`;
    const words =
      drawn.effect === 'child'
        ? { entry: [...entry, sendTo(kid, { type: 'hello' })], exit: sendTo(kid, { type: 'bye' }) }
        : { entry };
    const isTimed = drawn.delayMs !== undefined && later < count;
    return {
      ...words,
      on,
      ...invoke,
      ...(isTimed && {
        after: { [drawn.delayMs ?? 0]: { target: targetOf(later), actions: 'ended' } },
      }),
    };
  };
  return setup({
    types: { context: {} as { seen: number; ended: number; spawned: number; told: number } },
    actors: { task, child },
    actions: {
      note: ({ self }, params: string) => begin(self as never, params),
      taken: assign({ seen: ({ event }) => (event as unknown as { n: number }).n + 1 }),
      told: assign({ told: ({ context }) => context.told + 1 }),
      ended: assign({ ended: ({ context }) => context.ended + 1 }),
      spawnTask: assign({
        spawned: ({ context, spawn }, params: string) => {
          spawn('task', { id: `spawned${context.spawned}`, input: params });
          return context.spawned + 1;
        },
      }),
    },
  }).createMachine({
    id: 'chart',
    type: 'parallel',
    context: { seen: 0, ended: 0, spawned: 0, told: 0 },
    on: { a: { actions: taken }, b: { actions: taken }, told: { actions: 'told' } },
    states: Object.fromEntries(
      regions.map((states, region) => [
        `r${region}`,
        {
          initial: 's0',
          states: Object.fromEntries(
            states.map((drawn, at) => [`s${at}`, stateOf(drawn, at, region, states.length)]),
          ),
        },
      ]),
    ),
  } as never) as unknown as AnyActorLogic;
}

const subjectOf = (drawn: Chart): DurableSubject => ({
  logic: (world) => machineOf(drawn, (self, name) => world.begin(self, name)),
  drive: (actor) => {
    const { seen } = (actor.getSnapshot() as { context: { seen: number } }).context;
    for (const [n, type] of dueEvents(drawn, seen)) actor.send({ type, n });
  },
  result: resultOf,
});

function dueEvents({ events, isBurst }: Chart, seen: number): [number, Kind][] {
  const due = [...events.entries()].slice(seen);
  return isBurst ? due : due.slice(0, 1);
}

function resultOf(snapshot: unknown): unknown {
  const { value, context, status } = snapshot as Record<string, unknown>;
  return { value, context, status };
}

/** The chart in XState alone, in the same order: what moves by itself, then events, then time. */
async function livePlainly(drawn: Chart): Promise<unknown> {
  const due: { atMs: number; act: () => void }[] = [];
  let nowMs = 0;
  const clock = {
    setTimeout: (act: () => void, afterMs: number) => {
      const timer = { atMs: nowMs + afterMs, act };
      due.push(timer);
      return timer;
    },
    clearTimeout: (timer: unknown) => {
      const at = due.indexOf(timer as (typeof due)[number]);
      if (at >= 0) due.splice(at, 1);
    },
  };
  const begun: string[] = [];
  const actor = createActor(
    machineOf(drawn, (_, name) => begun.push(name)),
    { clock },
  );
  actor.start();
  for (;;) {
    for (let turn = 0; turn < 40; turn++) await Promise.resolve();
    const { seen } = (actor.getSnapshot() as { context: { seen: number } }).context;
    const events = dueEvents(drawn, seen);
    for (const [n, type] of events) actor.send({ type, n });
    if (events.length > 0) continue;
    const [first] = due.sort((one, other) => one.atMs - other.atMs);
    if (first === undefined) break;
    due.shift();
    nowMs = first.atMs;
    first.act();
  }
  return { end: resultOf(actor.getSnapshot()), begun: [...new Set(begun)].sort() };
}

it('begin the same effects and come to the same end, wherever they are crashed', async () => {
  await fc.assert(
    fc.asyncProperty(chart, async (drawn) => {
      const { end, effects, failures } = await exploreDurableActor(subjectOf(drawn), {
        // Events that come all at once come again at another moment after a crash.
        depth: drawn.isBurst ? 0 : 1,
        crashesMax: 40,
      });
      expect(failures.slice(0, 2)).toEqual([]);
      expect({ end, begun: [...effects.keys()].sort() }).toEqual(await livePlainly(drawn));
    }),
    { numRuns: 40 * Number(process.env.FC_RUNS ?? 1) },
  );
}, 120_000);
