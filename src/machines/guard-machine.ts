/**
 * Guard mode: somebody keeps editing the file as text, and each settled change is looked at. Ruled by
 * `docs/guard.md`.
 *
 * Invariants, in every state:
 * - the file is looked at only when it has been left alone for a while, and always once more after a
 *   change that came during a look: no change goes unseen;
 * - while the file is no checkpoint it is looked at again and again, so that damage that nobody mends
 *   goes on counting.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import type { CheckpointError } from '../errors.js';
import type { Observation } from '../io/checkpoint-io.js';

/** How long the guard waits, in milliseconds. */
export interface GuardInput {
  /** Without a further change for so long, the file counts as settled. */
  readonly settleMs: number;
  /** So long after a look that found damage, the next one follows. */
  readonly recheckMs: number;
}

/** What a look at the file came to. */
export interface GuardFinding {
  readonly change: Observation['change'];
  readonly action: 'none' | 'published' | 'kept' | 'rejected';
}

/** What the guard takes. */
export type GuardEvent = { readonly type: 'file.changed' } | { readonly type: 'stop.requested' };

/** What the guard remembers. */
export interface GuardContext extends GuardInput {
  readonly hasChanged: boolean;
  /** Whether this look follows one that found damage, and nothing has changed since. */
  readonly isRecheck: boolean;
  readonly finding: GuardFinding | undefined;
  /** Why the last look failed. */
  readonly error: CheckpointError | undefined;
}

const notProvided = () => {
  throw new TypeError('guardMachine needs the actors "watch" and "look"');
};

/** The statechart of guard mode. Provide `watch`, which tells of changes, and `look`, which takes one look. */
export const guardMachine = setup({
  types: {
    context: {} as GuardContext,
    events: {} as GuardEvent,
    input: {} as GuardInput,
  },
  actors: {
    watch: fromCallback<GuardEvent>(notProvided),
    look: fromPromise<GuardFinding, boolean>(notProvided),
  },
  actions: {
    noteChange: assign({ hasChanged: true }),
    noteRecheck: assign({ isRecheck: true }),
    noteSettled: assign({ isRecheck: false }),
    forgetChange: assign({ hasChanged: false }),
    noteFinding: assign((_, params: { finding: GuardFinding }) => ({
      finding: params.finding,
      error: undefined,
    })),
    noteError: assign((_, params: { error: unknown }) => ({
      error: params.error as CheckpointError,
    })),
  },
  guards: {
    hasChanged: ({ context }) => context.hasChanged,
    isUnwell: ({ context }) =>
      context.finding?.action === 'kept' ||
      (context.error !== undefined && context.error.code !== 'HALTED'),
    isOver: (_, params: { error: unknown }) => isOver(params.error),
  },
  delays: {
    settle: ({ context }) => context.settleMs,
    recheck: ({ context }) => context.recheckMs,
  },
}).createMachine({
  id: 'guard',
  description: 'Looks at the file whenever somebody has changed it and has left it alone since.',
  context: ({ input }) => ({
    ...input,
    hasChanged: false,
    isRecheck: false,
    finding: undefined,
    error: undefined,
  }),
  initial: 'guarding',
  states: {
    guarding: {
      invoke: { id: 'watch', src: 'watch' },
      on: { 'stop.requested': { target: 'stopped' } },
      description: 'Changes of the file are told.',
      initial: 'looking',
      states: {
        looking: {
          description: 'One look at the file: an edit is published, damage is kept and counted.',
          entry: 'forgetChange',
          invoke: {
            id: 'look',
            src: 'look',
            input: ({ context }) => context.isRecheck,
            onDone: {
              target: 'judging',
              actions: { type: 'noteFinding', params: ({ event }) => ({ finding: event.output }) },
            },
            onError: [
              {
                guard: { type: 'isOver', params: ({ event }) => ({ error: event.error }) },
                target: '#guard.stopped',
                actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
              },
              {
                target: 'judging',
                actions: { type: 'noteError', params: ({ event }) => ({ error: event.error }) },
              },
            ],
          },
          on: { 'file.changed': { actions: 'noteChange' } },
        },
        judging: {
          description: 'Did it change again meanwhile? Is it well?',
          always: [
            { guard: 'hasChanged', target: 'settling' },
            { guard: 'isUnwell', target: 'rechecking' },
            { target: 'waiting' },
          ],
        },
        waiting: {
          description: 'The file is the checkpoint.',
          on: { 'file.changed': { target: 'settling' } },
        },
        rechecking: {
          description: 'The file is no checkpoint, or could not be looked at.',
          after: { recheck: { target: 'looking', actions: 'noteRecheck' } },
          on: { 'file.changed': { target: 'settling' } },
        },
        settling: {
          description: 'Somebody is at it: wait until it is left alone.',
          after: { settle: { target: 'looking', actions: 'noteSettled' } },
          on: { 'file.changed': { target: 'settling', reenter: true } },
        },
      },
    },
    stopped: { type: 'final', description: 'The file is left to itself.' },
  },
});

/** A store that takes nothing any more can't be looked after. */
function isOver(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'HALTED' || code === 'CLOSED' || code === 'LOCK_LOST';
}
