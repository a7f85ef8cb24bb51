/**
 * The write protocol: one round, from intent to committed. Ruled by `docs/protocol.md`.
 *
 * Invariants, in every state:
 * - the file under the checkpoint's name is a complete checkpoint: the old one until the rename in
 *   `syncingCheckpoint`, the new one after it;
 * - the log is deleted only after what it promises is durable under the checkpoint's name, or while
 *   nobody has been promised anything;
 * - a descriptor whose sync failed is never synced again.
 */
import { type AnyActorRef, assign, sendParent, sendTo, setup } from 'xstate';
import type { CheckpointError } from '../errors.js';
import type { IoFailure, SaveSource } from '../io/checkpoint-io.js';
import type { IoReply } from '../io/io-messages.js';
import { failureOf, type IoContext, isCurrentReply } from './io-events.js';

/** What one round is about. */
export interface WriteInput {
  /** The `io` actor of the store. */
  readonly io: AnyActorRef;
  readonly sequence: number;
  readonly label?: string | undefined;
  readonly pinned?: boolean | undefined;
  readonly source: SaveSource;
  /** Whether somebody is told of success as soon as the save is logged: then it can't be taken back. */
  readonly promisedWhenLogged: boolean;
  /** Whether the save may wait in the log, for others to follow, instead of being published at once. */
  readonly mayRest?: boolean | undefined;
  /** How often a failed sync may be answered with a fresh file before the store halts. */
  readonly syncRetryLimit: number;
}

/** How a round ended. `halted` means that the store must not write again until it is opened anew. */
export type WriteOutput =
  | { readonly status: 'committed'; readonly sequence: number }
  | {
      readonly status: 'failed' | 'halted';
      readonly sequence: number;
      readonly error: CheckpointError;
      /** Whether the new checkpoint is visible under its name although the round did not end well. */
      readonly published: boolean;
      /** Whether the log was synced: then the next recovery finishes the save. */
      readonly logged: boolean;
    };

/** What a round tells the machine that started it. */
export type RoundEvent =
  | {
      readonly type: 'round.logged';
      readonly sequence: number;
      /** Whether it now waits in the log, and how many bytes it took there. */
      readonly rests: boolean;
      readonly bytes: number;
    }
  /** A save behind others was given up; they wait on. */
  | { readonly type: 'round.failed'; readonly output: WriteOutput }
  | { readonly type: 'round.published'; readonly sequence: number; readonly editKeptAs?: string };

type WriteOperation =
  | 'writeIntent'
  | 'writeData'
  | 'syncWal'
  | 'writeCheckpoint'
  | 'syncCheckpoint'
  | 'deleteWal'
  | 'dropWal'
  | 'dropTemporary'
  | 'abandonRound';

/** What a round that waits in the log is told: another save goes behind it, or it is to be published. */
export type RoundCommand =
  | ({ readonly type: 'round.append' } & NextSave)
  | { readonly type: 'round.publish' };

/** A save that goes behind those in the log. */
type NextSave = Pick<WriteInput, 'sequence' | 'label' | 'pinned' | 'source' | 'mayRest'>;

type WriteEvent = IoReply<WriteOperation> | RoundCommand;

/** What the write machine remembers. */
export interface WriteContext extends WriteInput, IoContext {
  readonly syncFailures: number;
  readonly logged: boolean;
  readonly published: boolean;
  /** The newest save that waits in the log; `undefined` where none does. */
  readonly resting: number | undefined;
  /** Bytes that the save has taken in the log. */
  readonly bytes: number;
  /** The failure that decides the outcome: the first one of the round that was not retried. */
  readonly failure: IoFailure | undefined;
  readonly status: WriteOutput['status'];
}

/** The statechart of one round. */
export const writeMachine = setup({
  types: {
    context: {} as WriteContext,
    events: {} as WriteEvent,
    input: {} as WriteInput,
    output: {} as WriteOutput,
  },
  actions: {
    nextOperation: assign({ operationId: ({ context }) => context.operationId + 1 }),
    requestWriteIntent: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested',
        operation: 'writeIntent',
        input: {
          sequence: context.sequence,
          label: context.label,
          pinned: context.pinned,
          source: context.source,
          mayRest: context.mayRest,
        },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    request: sendTo(
      ({ context }) => context.io,
      ({ context, self }, params: { operation: Exclude<WriteOperation, 'writeIntent'> }) => ({
        type: 'io.requested',
        operation: params.operation,
        input: undefined,
        id: context.operationId,
        replyTo: self,
      }),
    ),
    rememberFailure: assign({
      failure: ({ context, event }) => failureOf(event) ?? context.failure,
    }),
    keepFirstFailure: assign({
      failure: ({ context, event }) => context.failure ?? failureOf(event),
    }),
    countSyncFailure: assign({ syncFailures: ({ context }) => context.syncFailures + 1 }),
    end: assign({ status: (_, params: { status: WriteOutput['status'] }) => params.status }),
    markLogged: assign({ logged: true }),
    markResting: assign(({ context }) => ({
      logged: true,
      resting: context.sequence,
      promisedWhenLogged: true,
    })),
    countBytes: assign({
      bytes: ({ context, event }) =>
        event.type === 'writeIntent.done' || event.type === 'writeData.done'
          ? context.bytes + event.output.bytes
          : context.bytes,
    }),
    takeNext: assign(({ event }) => {
      if (event.type !== 'round.append') return {};
      const { type: _, ...next } = event;
      return { label: undefined, pinned: undefined, ...next, bytes: 0, syncFailures: 0 };
    }),
    tellFailed: sendParent(({ context }) => ({
      type: 'round.failed',
      output: outputOf(context),
    })),
    forgetFailed: assign(({ context }) => ({
      sequence: context.resting ?? context.sequence,
      failure: undefined,
    })),
    markPublished: assign({ published: true }),
    tellLogged: sendParent(({ context }) => ({
      type: 'round.logged',
      sequence: context.sequence,
      rests: context.mayRest === true,
      bytes: context.bytes,
    })),
    tellPublished: sendParent(({ context, event }) => ({
      type: 'round.published',
      sequence: context.sequence,
      editKeptAs: event.type === 'syncCheckpoint.done' ? event.output.kept?.file : undefined,
    })),
  },
  guards: {
    isCurrent: ({ context, event }) => isCurrentReply(context, event),
    isStale: ({ context, event }) => !isCurrentReply(context, event),
    mustTouchNothing: ({ event }) => {
      const kind = failureOf(event)?.kind;
      return kind === 'lockLost' || kind === 'unexplained';
    },
    canRetrySync: ({ context, event }) =>
      failureOf(event)?.kind === 'sync' && context.syncFailures < context.syncRetryLimit,
    mayRest: ({ context, event }) => context.mayRest === true && isCurrentReply(context, event),
    isBehindOthers: ({ context }) => context.resting !== undefined,
    canPublishUnlogged: ({ context, event }) =>
      context.resting !== undefined &&
      failureOf(event)?.kind === 'sync' &&
      context.syncFailures < context.syncRetryLimit,
    isSyncFailure: ({ event }) => failureOf(event)?.kind.toLowerCase().endsWith('sync') ?? false,
    mustNotTakeBack: ({ context, event }) =>
      context.promisedWhenLogged || failureOf(event)?.published === true,
  },
}).createMachine({
  id: 'write',
  description: 'One save through the six steps of the write protocol.',
  context: ({ input }) => ({
    ...input,
    operationId: 0,
    syncFailures: 0,
    logged: false,
    published: false,
    resting: undefined,
    bytes: 0,
    failure: undefined,
    status: 'failed',
  }),
  output: ({ context }) => outputOf(context),
  initial: 'writingIntent',
  states: {
    writingIntent: {
      description: 'Step 1: create the log and write the intent. Nothing is durable yet.',
      entry: ['nextOperation', 'requestWriteIntent'],
      on: {
        'writeIntent.done': { guard: 'isCurrent', target: 'writingData', actions: 'countBytes' },
        'writeIntent.failed': [
          { guard: 'isStale' },
          { guard: 'mustTouchNothing', target: 'halted', actions: 'rememberFailure' },
          { target: 'abandoning', actions: 'rememberFailure' },
        ],
      },
    },
    writingData: {
      description: 'Step 2: append the after-image and its seal. Nothing is durable yet.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'writeData' } }],
      on: {
        'writeData.done': { guard: 'isCurrent', target: 'syncingWal', actions: 'countBytes' },
        'writeData.failed': [
          { guard: 'isStale' },
          { target: 'abandoning', actions: 'rememberFailure' },
        ],
      },
    },
    syncingWal: {
      description:
        'Step 3: sync the log and its directory; meanwhile a head start for steps 4 and 5. Nothing is durable yet.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'syncWal' } }],
      on: {
        'syncWal.done': [
          { guard: 'isStale' },
          { guard: 'mayRest', target: 'logged', actions: ['markResting', 'tellLogged'] },
          { target: 'writingCheckpoint', actions: ['markLogged', 'tellLogged'] },
        ],
        'syncWal.failed': [
          { guard: 'isStale' },
          {
            guard: 'canPublishUnlogged',
            target: 'writingCheckpoint',
            actions: ['countSyncFailure', 'rememberFailure'],
          },
          {
            guard: 'canRetrySync',
            target: 'droppingWal',
            actions: ['countSyncFailure', 'rememberFailure'],
          },
          { guard: 'isSyncFailure', target: 'halted', actions: 'rememberFailure' },
          { target: 'abandoning', actions: 'rememberFailure' },
        ],
      },
    },
    logged: {
      description:
        'The save is durable in the log and waits: for the next one behind it, or to be published. Only under a publish policy.',
      on: {
        'round.append': { target: 'writingIntent', actions: 'takeNext' },
        'round.publish': { target: 'writingCheckpoint' },
      },
    },
    writingCheckpoint: {
      description:
        'Step 4: see to a fresh temporary file beside the checkpoint. The save is logged: recovery will finish it.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'writeCheckpoint' } }],
      on: {
        'writeCheckpoint.done': { guard: 'isCurrent', target: 'syncingCheckpoint' },
        'writeCheckpoint.failed': [
          { guard: 'isStale' },
          { guard: 'mustNotTakeBack', target: 'halted', actions: 'rememberFailure' },
          { target: 'abandoning', actions: 'rememberFailure' },
        ],
      },
    },
    syncingCheckpoint: {
      description:
        'Step 5: sync the temporary file, keep the predecessor in history, rename over the checkpoint, sync the directory. The save is logged.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'syncCheckpoint' } }],
      on: {
        'syncCheckpoint.done': {
          guard: 'isCurrent',
          target: 'deletingWal',
          actions: ['markPublished', 'tellPublished'],
        },
        'syncCheckpoint.failed': [
          { guard: 'isStale' },
          { guard: 'mustTouchNothing', target: 'halted', actions: 'rememberFailure' },
          {
            guard: 'canRetrySync',
            target: 'droppingTemporary',
            actions: ['countSyncFailure', 'rememberFailure'],
          },
          { guard: 'isSyncFailure', target: 'halted', actions: 'rememberFailure' },
          { guard: 'mustNotTakeBack', target: 'halted', actions: 'rememberFailure' },
          { target: 'abandoning', actions: 'rememberFailure' },
        ],
      },
    },
    deletingWal: {
      description: 'Step 6: unlink the log. The save is published and durable.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'deleteWal' } }],
      on: {
        'deleteWal.done': { guard: 'isCurrent', target: 'committed' },
        'deleteWal.failed': [
          { guard: 'isStale' },
          { target: 'halted', actions: 'rememberFailure' },
        ],
      },
    },
    droppingWal: {
      description:
        'The sync of the log failed: drop that file, to write a new one. Nothing is durable.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'dropWal' } }],
      on: {
        'dropWal.done': { guard: 'isCurrent', target: 'writingIntent' },
        'dropWal.failed': [{ guard: 'isStale' }, { target: 'halted', actions: 'keepFirstFailure' }],
      },
    },
    droppingTemporary: {
      description:
        'The sync of the temporary file failed: drop it, to write a new one. The save is logged.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'dropTemporary' } }],
      on: {
        'dropTemporary.done': { guard: 'isCurrent', target: 'writingCheckpoint' },
        'dropTemporary.failed': [
          { guard: 'isStale' },
          { target: 'halted', actions: 'keepFirstFailure' },
        ],
      },
    },
    abandoning: {
      description:
        'The save failed and nobody was promised it: remove its files, or cut it off the log. The old checkpoint is untouched.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'abandonRound' } }],
      on: {
        'abandonRound.done': [
          { guard: 'isStale' },
          { guard: 'isBehindOthers', target: 'logged', actions: ['tellFailed', 'forgetFailed'] },
          { target: 'failed' },
        ],
        'abandonRound.failed': [
          { guard: 'isStale' },
          { target: 'halted', actions: 'keepFirstFailure' },
        ],
      },
    },
    committed: {
      type: 'final',
      entry: { type: 'end', params: { status: 'committed' } },
      description: 'The new checkpoint is durable under its name and the log is gone.',
    },
    failed: {
      type: 'final',
      entry: { type: 'end', params: { status: 'failed' } },
      description:
        'The save was taken back; the old checkpoint is untouched; the next save may try.',
    },
    halted: {
      type: 'final',
      entry: { type: 'end', params: { status: 'halted' } },
      description:
        'Going on could break a promise. The files stay as they are for the next recovery.',
    },
  },
});

function outputOf(context: WriteContext): WriteOutput {
  const { sequence, status, failure, published, logged } = context;
  if (failure === undefined || status === 'committed') return { status: 'committed', sequence };
  return {
    status,
    sequence,
    error: failure.error,
    published: published || failure.published,
    logged,
  };
}
