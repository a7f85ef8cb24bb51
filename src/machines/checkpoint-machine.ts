/**
 * The root machine of a store: it takes the lock, recovers, then turns save requests into rounds of
 * the write protocol. Ruled by `docs/protocol.md`.
 *
 * Invariants, in every state:
 * - every request that was taken is answered exactly once: `save.logged` (if asked for),
 *   `save.committed` or `save.failed`;
 * - at most one round is in flight; requests that arrive meanwhile wait and go together;
 * - after a failure that can't be undone safely nothing is written until the store is opened anew.
 */
import {
  type ActorRefFrom,
  assign,
  emit,
  enqueueActions,
  fromCallback,
  sendTo,
  setup,
} from 'xstate';
import { CheckpointError, toProblem } from '../errors.js';
import type {
  CheckpointIo,
  IoOperations,
  KeptFile,
  Observation,
  OperationName,
} from '../io/checkpoint-io.js';
import type { IoReply, IoRequest } from '../io/io-messages.js';
import { failureOf, type IoContext, isCurrentReply } from './io-events.js';
import type { ExternalEditPolicy } from './recovery-decision.js';
import { type RecoveryOutput, recoveryMachine } from './recovery-machine.js';
import type { RecoveryReport } from './recovery-report.js';
import { type RoundEvent, type WriteOutput, writeMachine } from './write-machine.js';

/** After which step a save is acknowledged. */
export type Durability = 'logged' | 'committed';

/** One save that was asked for. Its content stays with whoever renders it; the machine knows its number. */
export interface SaveRequest {
  readonly requestId: number;
  readonly label?: string | undefined;
  /** Whether history keeps the checkpoint under that label for good. */
  readonly pinned?: boolean | undefined;
  readonly durability: Durability;
}

/** Policies of a store. */
export interface CheckpointInput {
  /** Passed on to the `io` actor as its input. */
  readonly io?: CheckpointIo | undefined;
  readonly externalEdits?: ExternalEditPolicy | undefined;
  /** How often a failed sync may be answered with a fresh file before the store halts; 2 by default. */
  readonly syncRetryLimit?: number | undefined;
}

/** Events that the machine takes from outside. */
export type CheckpointCommand =
  | ({ readonly type: 'save.requested' } & SaveRequest)
  | { readonly type: 'save.aborted'; readonly requestId: number }
  | { readonly type: 'close.requested' };

/** Events that the machine emits: its output contract. */
export type CheckpointEmitted =
  | {
      readonly type: 'checkpoint.ready';
      readonly sequence: number;
      readonly recovery: RecoveryReport;
      readonly lock: IoOperations['acquireLock']['output'];
    }
  | {
      readonly type: 'checkpoint.refused';
      readonly error: CheckpointError;
      readonly recovery?: RecoveryReport;
    }
  | {
      readonly type: 'save.logged';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.published';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.committed';
      readonly sequence: number;
      readonly requestIds: readonly number[];
    }
  | {
      readonly type: 'save.failed';
      readonly requestIds: readonly number[];
      readonly error: CheckpointError;
    }
  /** The request was still waiting and is now dropped; one that a round has taken is not aborted. */
  | { readonly type: 'save.aborted'; readonly requestId: number }
  | {
      readonly type: 'checkpoint.editedOutside';
      readonly change: 'edited' | 'damaged' | 'missing';
      readonly action: 'adopted' | 'rejected' | 'setAside';
      readonly sequence: number;
      readonly keptAs?: string;
    }
  | { readonly type: 'checkpoint.halted'; readonly error: CheckpointError }
  | { readonly type: 'checkpoint.closed'; readonly error?: CheckpointError };

type RootOperation = Extract<
  OperationName,
  'acquireLock' | 'releaseLock' | 'observeCheckpoint' | 'adoptCheckpoint' | 'keepCheckpoint'
>;

type CheckpointEvent = CheckpointCommand | RoundEvent | IoReply<RootOperation>;

/** What the root machine remembers. */
export interface CheckpointContext extends IoContext {
  readonly externalEdits: ExternalEditPolicy;
  readonly syncRetryLimit: number;
  /** Requests that no round has taken yet, oldest first. */
  readonly waiting: readonly SaveRequest[];
  /** Requests of the round in flight. */
  readonly round: readonly SaveRequest[];
  /** The sequence number of the current checkpoint. */
  readonly sequence: number;
  /** The highest sequence number in use; each round takes the next. */
  readonly highestSequence: number;
  readonly lock: IoOperations['acquireLock']['output'] | undefined;
  readonly recovery: RecoveryReport | undefined;
  readonly observation: Observation | undefined;
  readonly closeRequested: boolean;
  readonly error: CheckpointError | undefined;
}

const idsOf = (requests: readonly SaveRequest[]): number[] =>
  requests.map(({ requestId }) => requestId);

/** Of several saves in one round the newest that has a label names the checkpoint. */
const labelledLast = (requests: readonly SaveRequest[]): SaveRequest | undefined =>
  requests.findLast(({ label }) => label !== undefined);

const refusedIo = fromCallback<IoRequest, CheckpointIo | undefined>(() => {
  throw new TypeError(
    "checkpointMachine needs an 'io' actor: use checkpointMachine.provide({ actors: { io } })",
  );
});

/** The statechart of a store. Provide the actor `io` before starting it. */
export const checkpointMachine = setup({
  types: {
    context: {} as CheckpointContext,
    events: {} as CheckpointEvent,
    emitted: {} as CheckpointEmitted,
    input: {} as CheckpointInput,
  },
  actors: { io: refusedIo, recovery: recoveryMachine, write: writeMachine },
  actions: {
    nextOperation: assign({ operationId: ({ context }) => context.operationId + 1 }),
    request: sendTo(
      ({ context }) => context.io,
      (
        { context, self },
        params: { operation: 'acquireLock' | 'releaseLock' | 'observeCheckpoint' },
      ) => ({
        type: 'io.requested' as const,
        operation: params.operation,
        input: undefined,
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestAdoption: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested' as const,
        operation: 'adoptCheckpoint' as const,
        input: { sequence: context.highestSequence },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestKeeping: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested' as const,
        operation: 'keepCheckpoint' as const,
        input: { reason: `outside-${context.observation?.change ?? 'edited'}` },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    enqueueSave: assign({
      waiting: ({ context, event }) =>
        event.type === 'save.requested'
          ? [
              ...context.waiting,
              {
                requestId: event.requestId,
                label: event.label,
                pinned: event.pinned,
                durability: event.durability,
              },
            ]
          : context.waiting,
    }),
    tellAborted: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'save.aborted') return;
      const { requestId } = event;
      if (context.waiting.some((request) => request.requestId === requestId)) {
        enqueue.emit({ type: 'save.aborted', requestId });
      }
    }),
    dropAborted: assign({
      waiting: ({ context, event }) =>
        event.type === 'save.aborted'
          ? context.waiting.filter(({ requestId }) => requestId !== event.requestId)
          : context.waiting,
    }),
    rememberClose: assign({ closeRequested: true }),
    rememberLock: assign({
      lock: ({ context, event }) =>
        event.type === 'acquireLock.done' ? event.output : context.lock,
    }),
    rememberRecovery: assign((_, params: { output: RecoveryOutput }) => ({
      recovery: params.output.report,
      sequence: params.output.report.sequence,
      highestSequence: params.output.highestSequence,
      error: params.output.error,
    })),
    rememberFailure: assign({
      error: ({ context, event }) => failureOf(event)?.error ?? context.error,
    }),
    rememberObservation: assign({
      observation: ({ context, event }) =>
        event.type === 'observeCheckpoint.done' ? event.output : context.observation,
    }),
    takeRound: assign({
      round: ({ context }) => context.waiting,
      waiting: [],
    }),
    takeSequence: assign({ highestSequence: ({ context }) => context.highestSequence + 1 }),
    takeAdoptedSequence: assign({ sequence: ({ context }) => context.highestSequence }),
    forgetRound: assign({ round: [] }),
    endRound: assign((_, params: { output: WriteOutput }) => ({
      round: [],
      ...(params.output.status === 'committed' && { sequence: params.output.sequence }),
      // A round that was taken back has left nothing, durably: its number is free. A checkpoint is
      // never more than one above history, by which a file that lost its seal is counted.
      ...(params.output.status === 'failed' && { highestSequence: params.output.sequence - 1 }),
      ...(params.output.status === 'halted' && { error: params.output.error }),
    })),
    tellReady: enqueueActions(({ enqueue, context }) => {
      const { recovery, lock, sequence } = context;
      if (recovery && lock) {
        enqueue.emit({ type: 'checkpoint.ready', sequence, recovery, lock });
      }
    }),
    tellRefused: emit(({ context }) => ({
      type: 'checkpoint.refused' as const,
      error: context.error ?? new CheckpointError('REFUSED', 'The store could not be opened.'),
      ...(context.recovery && { recovery: context.recovery }),
    })),
    tellLogged: emit(({ context, event }) => ({
      type: 'save.logged' as const,
      sequence: sequenceOf(event),
      requestIds: idsOf(context.round),
    })),
    tellPublished: emit(({ context, event }) => ({
      type: 'save.published' as const,
      sequence: sequenceOf(event),
      requestIds: idsOf(context.round),
    })),
    tellLateEdit: enqueueActions(({ enqueue, event, context }) => {
      if (event.type === 'round.published' && event.editKeptAs !== undefined) {
        enqueue.emit({
          type: 'checkpoint.editedOutside',
          change: 'edited',
          action: 'setAside',
          sequence: context.sequence,
          keptAs: event.editKeptAs,
        });
      }
    }),
    tellCommitted: emit(({ context }, params: { output: WriteOutput }) => ({
      type: 'save.committed' as const,
      sequence: params.output.sequence,
      requestIds: idsOf(context.round),
    })),
    tellRoundFailed: emit(({ context }, params: { output: WriteOutput }) => ({
      type: 'save.failed' as const,
      requestIds: idsOf(context.round),
      error: errorOfRound(params.output),
    })),
    tellRoundRejected: emit(({ context, event }) => ({
      type: 'save.failed' as const,
      requestIds: idsOf(context.round),
      error: notTried(failureOf(event)?.error) ?? rejectedEdit(),
    })),
    tellEdited: emit(
      ({ context, event }, params: { action: 'adopted' | 'rejected' | 'setAside' }) => {
        const kept = keptBy(event);
        const change = context.observation?.change ?? 'edited';
        return {
          type: 'checkpoint.editedOutside' as const,
          change: change === 'unchanged' ? ('edited' as const) : change,
          action: params.action,
          sequence: context.sequence,
          ...(kept && { keptAs: kept.file }),
        };
      },
    ),
    tellHalted: emit(({ context }) => ({
      type: 'checkpoint.halted' as const,
      error: context.error ?? new CheckpointError('HALTED', 'The store is halted.'),
    })),
    refuseSave: enqueueActions(
      ({ enqueue, event, context }, params: { code: 'HALTED' | 'CLOSED' }) => {
        if (event.type === 'save.requested') {
          const error = refusedSave(params.code, context.error);
          enqueue.emit({ type: 'save.failed', requestIds: [event.requestId], error });
        }
      },
    ),
    refuseWaiting: enqueueActions(({ enqueue, context }, params: { code: 'HALTED' | 'CLOSED' }) => {
      if (context.waiting.length > 0) {
        const error = refusedSave(params.code, context.error);
        enqueue.emit({ type: 'save.failed', requestIds: idsOf(context.waiting), error });
        enqueue.assign({ waiting: [] });
      }
    }),
    tellClosed: emit(({ event }) => {
      const failure = failureOf(event);
      return { type: 'checkpoint.closed' as const, ...(failure && { error: failure.error }) };
    }),
  },
  guards: {
    isCurrent: ({ context, event }) => isCurrentReply(context, event),
    isStale: ({ context, event }) => !isCurrentReply(context, event),
    isLockLost: ({ event }) => failureOf(event)?.kind === 'lockLost',
    hasWaiting: ({ context }) => context.waiting.length > 0,
    isCloseRequested: ({ context }) => context.closeRequested,
    isUnchanged: ({ event }) =>
      event.type === 'observeCheckpoint.done' && event.output.change === 'unchanged',
    isRejected: ({ context }) => context.externalEdits === 'reject',
    isAdoptable: ({ context, event }) =>
      context.externalEdits === 'adopt' &&
      event.type === 'observeCheckpoint.done' &&
      event.output.change === 'edited',
    hasRecovered: (_, params: { output: RecoveryOutput }) =>
      params.output.report.outcome === 'ready',
    hasCommitted: (_, params: { output: WriteOutput }) => params.output.status === 'committed',
    hasFailed: (_, params: { output: WriteOutput }) => params.output.status === 'failed',
  },
}).createMachine({
  id: 'checkpoint',
  description: 'One store: recovering, then ready and saving in turn, until it closes or halts.',
  context: ({ input, spawn }) => ({
    io: spawn('io', { id: 'io', input: input.io }) satisfies ActorRefFrom<typeof refusedIo>,
    operationId: 0,
    externalEdits: input.externalEdits ?? 'adopt',
    syncRetryLimit: input.syncRetryLimit ?? 2,
    waiting: [],
    round: [],
    sequence: 0,
    highestSequence: 0,
    lock: undefined,
    recovery: undefined,
    observation: undefined,
    closeRequested: false,
    error: undefined,
  }),
  on: {
    'save.requested': { actions: 'enqueueSave' },
    'save.aborted': { actions: ['tellAborted', 'dropAborted'] },
    'close.requested': { actions: 'rememberClose' },
  },
  initial: 'locking',
  states: {
    locking: {
      description: 'Take the lock: one writer, or none.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'acquireLock' } }],
      on: {
        'acquireLock.done': { guard: 'isCurrent', target: 'recovering', actions: 'rememberLock' },
        'acquireLock.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    recovering: {
      description: 'The recovery protocol runs; saves that arrive wait.',
      invoke: {
        id: 'recovery',
        src: 'recovery',
        input: ({ context }) => ({
          io: context.io,
          externalEdits: context.externalEdits,
          syncRetryLimit: context.syncRetryLimit,
        }),
        onDone: [
          {
            guard: { type: 'hasRecovered', params: ({ event }) => ({ output: event.output }) },
            target: 'ready',
            actions: [
              { type: 'rememberRecovery', params: ({ event }) => ({ output: event.output }) },
              'tellReady',
            ],
          },
          {
            target: 'unlocking',
            actions: {
              type: 'rememberRecovery',
              params: ({ event }) => ({ output: event.output }),
            },
          },
        ],
      },
    },
    ready: {
      description: 'No save is in flight.',
      always: [
        { guard: 'hasWaiting', target: 'checkingForEdits' },
        { guard: 'isCloseRequested', target: 'closing' },
      ],
    },
    checkingForEdits: {
      description: 'Has somebody changed the file since it was last seen? Is the lock still ours?',
      entry: [
        'takeRound',
        'nextOperation',
        { type: 'request', params: { operation: 'observeCheckpoint' } },
      ],
      on: {
        'observeCheckpoint.done': [
          { guard: 'isStale' },
          { guard: 'isUnchanged', target: 'saving' },
          {
            guard: 'isRejected',
            target: 'ready',
            actions: [
              'rememberObservation',
              { type: 'tellEdited', params: { action: 'rejected' } },
              'tellRoundRejected',
              'forgetRound',
            ],
          },
          {
            guard: 'isAdoptable',
            target: 'adoptingEdit',
            actions: ['rememberObservation', 'takeSequence'],
          },
          { target: 'keepingEdit', actions: 'rememberObservation' },
        ],
        'observeCheckpoint.failed': [
          { guard: 'isStale' },
          {
            guard: 'isLockLost',
            target: 'halted',
            actions: ['rememberFailure', 'tellRoundRejected', 'forgetRound'],
          },
          { target: 'ready', actions: ['tellRoundRejected', 'forgetRound'] },
        ],
      },
    },
    adoptingEdit: {
      description:
        'The edit becomes a checkpoint of its own; the waiting saves are rendered onto it.',
      entry: ['nextOperation', 'requestAdoption'],
      on: {
        'adoptCheckpoint.done': {
          guard: 'isCurrent',
          target: 'saving',
          actions: ['takeAdoptedSequence', { type: 'tellEdited', params: { action: 'adopted' } }],
        },
        'adoptCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'ready', actions: ['tellRoundRejected', 'forgetRound'] },
        ],
      },
    },
    keepingEdit: {
      description: 'The file is set aside in quarantine; the save takes its place.',
      entry: ['nextOperation', 'requestKeeping'],
      on: {
        'keepCheckpoint.done': {
          guard: 'isCurrent',
          target: 'saving',
          actions: { type: 'tellEdited', params: { action: 'setAside' } },
        },
        'keepCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'ready', actions: ['tellRoundRejected', 'forgetRound'] },
        ],
      },
    },
    saving: {
      description: 'One round of the write protocol; saves that arrive wait for the next.',
      entry: 'takeSequence',
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({
          io: context.io,
          sequence: context.highestSequence,
          label: labelledLast(context.round)?.label,
          pinned: labelledLast(context.round)?.pinned,
          source: { kind: 'requests', requestIds: idsOf(context.round) },
          promisedWhenLogged: context.round.some(({ durability }) => durability === 'logged'),
          syncRetryLimit: context.syncRetryLimit,
        }),
        onDone: [
          {
            guard: { type: 'hasCommitted', params: ({ event }) => ({ output: event.output }) },
            target: 'ready',
            actions: [
              { type: 'tellCommitted', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
          {
            guard: { type: 'hasFailed', params: ({ event }) => ({ output: event.output }) },
            target: 'ready',
            actions: [
              { type: 'tellRoundFailed', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
          {
            target: 'halted',
            actions: [
              { type: 'tellRoundFailed', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
        ],
      },
      on: {
        'round.logged': { actions: 'tellLogged' },
        'round.published': { actions: ['tellPublished', 'tellLateEdit'] },
      },
    },
    halted: {
      description:
        'Going on could break a promise: saves are refused until the store is opened anew.',
      entry: ['tellHalted', { type: 'refuseWaiting', params: { code: 'HALTED' } }],
      on: {
        'save.requested': { actions: { type: 'refuseSave', params: { code: 'HALTED' } } },
        'close.requested': { target: 'closing' },
      },
      always: { guard: 'isCloseRequested', target: 'closing' },
    },
    closing: {
      description:
        'Everything accepted is finished: make the last unlink durable, give up the lock.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'releaseLock' } }],
      on: {
        'save.requested': { actions: { type: 'refuseSave', params: { code: 'CLOSED' } } },
        'releaseLock.done': { guard: 'isCurrent', target: 'closed', actions: 'tellClosed' },
        'releaseLock.failed': [{ guard: 'isStale' }, { target: 'closed', actions: 'tellClosed' }],
      },
    },
    closed: { type: 'final', description: 'The lock is free.' },
    unlocking: {
      description: 'Recovery refused: give up the lock, change nothing.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'releaseLock' } }],
      on: {
        'releaseLock.done': { guard: 'isCurrent', target: 'refused' },
        'releaseLock.failed': [{ guard: 'isStale' }, { target: 'refused' }],
      },
    },
    refused: {
      type: 'final',
      description: 'The store could not be opened; a person has to look.',
      entry: ['tellRefused', { type: 'refuseWaiting', params: { code: 'CLOSED' } }],
    },
  },
});

function sequenceOf(event: { readonly type: string }): number {
  return 'sequence' in event && typeof event.sequence === 'number' ? event.sequence : 0;
}

function keptBy(event: CheckpointEvent): KeptFile | undefined {
  return event.type === 'keepCheckpoint.done' ? event.output.kept : undefined;
}

function rejectedEdit(): CheckpointError {
  return new CheckpointError(
    'EDITED_OUTSIDE',
    "The checkpoint was edited outside of the store, and the policy is to reject that. Nothing was written. Reopen the store with externalEdits 'adopt' to take the edit, or 'restore' to set it aside.",
    { outcome: 'notSaved' },
  );
}

/** The round failed before its first step: the file was looked at and nothing was written over it. */
function notTried(error: CheckpointError | undefined): CheckpointError | undefined {
  if (error === undefined) return undefined;
  const details = { ...error.details, outcome: 'notSaved' as const };
  return new CheckpointError(error.code, error.message, details, { cause: error.cause ?? error });
}

function refusedSave(
  code: 'HALTED' | 'CLOSED',
  cause: CheckpointError | undefined,
): CheckpointError {
  return code === 'HALTED'
    ? new CheckpointError(
        'HALTED',
        `The store stopped after a failure: ${cause?.message ?? 'unknown'} Open it again to recover.`,
        { outcome: 'notSaved', ...(cause && { problem: toProblem(cause) }) },
        { cause },
      )
    : new CheckpointError('CLOSED', 'The store is closed.', { outcome: 'notSaved' }, { cause });
}

/** The error of a round, with what is known of its outcome. */
function errorOfRound(output: WriteOutput): CheckpointError {
  if (output.status === 'committed') throw new TypeError('a committed round has no error');
  const { error, published, sequence, status } = output;
  const outcome = published ? 'published' : status === 'halted' ? 'unknown' : 'notSaved';
  return new CheckpointError(
    error.code,
    error.message,
    { ...error.details, sequence, outcome },
    { cause: error.cause ?? error },
  );
}
