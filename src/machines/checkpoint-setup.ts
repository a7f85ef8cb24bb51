/**
 * What the root machine knows and does: its context, the actions and the guards that the states of
 * `checkpoint-machine.ts` name. Ruled by `docs/protocol.md`.
 */
import { type ActorRefFrom, assign, emit, enqueueActions, sendTo, setup } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { DetectorSettings } from '../format/health-format.js';
import type { IoOperations, KeptFile, Observation } from '../io/checkpoint-io.js';
import type { CheckpointIoLogic } from '../io/io-messages.js';
import {
  type CheckpointEmitted,
  type CheckpointEvent,
  type CheckpointInput,
  errorOfRound,
  idsOf,
  isContentRequest,
  notTried,
  refusalWith,
  refusedSave,
  rejectedEdit,
  restoresExhausted,
  type WaitingRequest,
} from './checkpoint-messages.js';
import {
  countsAsFailedSave,
  isAutomatic,
  labelOf,
  lengthOfRound,
  newsFor,
  noDetector,
  requestsOf,
  restoredAtStart,
  sourceOf,
} from './checkpoint-rounds.js';
import { type DetectorCommand, failureDetectorMachine } from './failure-detector-machine.js';
import { failureOf, type IoContext, isCurrentReply } from './io-events.js';
import {
  IDLE_MS,
  mayAppend,
  mayRest,
  mustPublish,
  type PublishPolicy,
  type Resting,
  restingAfter,
} from './publish-policy.js';
import type { ExternalEditPolicy } from './recovery-decision.js';
import { type RecoveryOutput, recoveryMachine } from './recovery-machine.js';
import type { RecoveryReport } from './recovery-report.js';
import { type WriteOutput, writeMachine } from './write-machine.js';

/** What the root machine remembers. */
export interface CheckpointContext extends IoContext {
  readonly externalEdits: ExternalEditPolicy;
  readonly syncRetryLimit: number;
  /** Requests that no round has taken yet, oldest first. */
  readonly waiting: readonly WaitingRequest[];
  /** Requests of the round in flight: saves, or one request of another kind. */
  readonly round: readonly WaitingRequest[];
  /** The sequence number of the current checkpoint. */
  readonly sequence: number;
  /** The highest sequence number in use; each round takes the next. */
  readonly highestSequence: number;
  readonly lock: IoOperations['acquireLock']['output'] | undefined;
  readonly recovery: RecoveryReport | undefined;
  readonly observation: Observation | undefined;
  readonly closeRequested: boolean;
  readonly error: CheckpointError | undefined;
  readonly restore: DetectorSettings | undefined;
  readonly publish: PublishPolicy | undefined;
  /** What waits in the log to be published; `undefined` where nothing does. */
  readonly resting: Resting | undefined;
  readonly detector: ActorRefFrom<typeof failureDetectorMachine> | undefined;
  /** What the detector is to hear when the store is assessed again. */
  readonly news: readonly DetectorCommand[];
  /** Whether the store has said that it is ready. */
  readonly isAnnounced: boolean;
  /** Recovery refused a checkpoint that a restore may replace. */
  readonly isRefused: boolean;
  /** What recovery would have cleared up, had it not refused. */
  readonly mustClear: boolean;
  /** The file is no checkpoint, is known not to be, and has been kept. */
  readonly damage: Observation | undefined;
  /** The last round of saves failed. */
  readonly isSaveFailing: boolean;
}

const needsIo = () => {
  throw new TypeError(
    "checkpointMachine needs an 'io' actor: use checkpointMachine.provide({ actors: { io } })",
  );
};
/** @internal Stands where an actor `io` must be provided. */
export const refusedIo: CheckpointIoLogic = {
  begin: needsIo,
  getInitialSnapshot: needsIo,
  transition: (snapshot) => snapshot,
  getPersistedSnapshot: (snapshot) => snapshot,
};

/** @internal What the states of the root machine name: its actors, actions and guards. */
export const checkpointSetup = setup({
  types: {
    context: {} as CheckpointContext,
    events: {} as CheckpointEvent,
    emitted: {} as CheckpointEmitted,
    input: {} as CheckpointInput,
  },
  actors: {
    io: refusedIo,
    recovery: recoveryMachine,
    write: writeMachine,
    detector: failureDetectorMachine,
  },
  actions: {
    nextOperation: assign({ operationId: ({ context }) => context.operationId + 1 }),
    request: sendTo(
      ({ context }) => context.io,
      (
        { context, self },
        params: {
          operation: 'acquireLock' | 'releaseLock' | 'observeCheckpoint' | 'removeLeftovers';
        },
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
        input: {
          reason: context.isRefused
            ? 'replaced-by-restore'
            : `outside-${context.observation?.change ?? 'edited'}`,
        },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    enqueueRequest: assign({
      waiting: ({ context, event }) => [...context.waiting, ...requestsOf(event)],
    }),
    /** Before anything else: the store is not open yet. */
    enqueueFirst: assign({
      waiting: ({ context, event }) => [...requestsOf(event), ...context.waiting],
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
    takeRound: assign(({ context: { waiting } }) => {
      const count = lengthOfRound(waiting);
      return { round: waiting.slice(0, count), waiting: waiting.slice(count) };
    }),
    takeSequence: assign({ highestSequence: ({ context }) => context.highestSequence + 1 }),
    takeAdoptedSequence: assign({ sequence: ({ context }) => context.highestSequence }),
    forgetRound: assign({ round: [] }),
    endRound: assign(({ context }, params: { output: WriteOutput }) => {
      const { status, sequence } = params.output;
      if (status === 'committed') {
        const ended = { round: [], sequence, damage: undefined, isSaveFailing: false };
        return { ...ended, ...restoredAtStart(context, sequence) };
      }
      // A round that was taken back has left nothing, durably: its number is free. A checkpoint is
      // never more than one above history, by which a file that lost its seal is counted.
      if (status === 'failed') return { round: [], highestSequence: sequence - 1 };
      return { round: [], error: params.output.error };
    }),
    noteFailingSaves: assign({
      isSaveFailing: ({ context }, params: { output: WriteOutput }) =>
        context.isSaveFailing || countsAsFailedSave(context, params.output),
    }),
    rememberDamage: assign({ damage: ({ context }) => context.observation }),
    forgetDamage: assign({ damage: undefined }),
    announce: assign({ isAnnounced: true }),
    rememberCleared: assign({ mustClear: false }),
    rememberExhausted: assign({
      error: ({ context, event }) =>
        event.type === 'detector.settled' ? restoresExhausted(event.report) : context.error,
    }),
    rememberRefusal: assign({
      error: ({ context, event }) =>
        event.type === 'detector.settled' && context.error
          ? refusalWith(context.error, event.report)
          : context.error,
    }),
    rememberDetectorFailure: assign({
      error: ({ context, event }) =>
        event.type === 'detector.failed' ? event.error : context.error,
    }),
    markRefused: assign({ isRefused: true }),
    /** The first thing it hears is how the store was found. */
    startDetector: enqueueActions(({ enqueue, context }) => {
      const { restore: settings, detector, io, isRefused, error } = context;
      if (settings === undefined) return;
      if (detector !== undefined) {
        for (const message of context.news) enqueue.sendTo(detector, message);
        enqueue.assign({ news: [] });
        return;
      }
      enqueue.assign({
        detector: ({ spawn }) => spawn('detector', { id: 'detector', input: { io, settings } }),
      });
      enqueue.sendTo('detector', {
        type: 'health.changed',
        change: isRefused
          ? { kind: 'refused', message: error?.message ?? '' }
          : { kind: 'opened', countCrashes: settings.countCrashes },
      });
    }),
    /** What the end of a round means to the failure detector. */
    informDetector: enqueueActions(({ enqueue, context }, params: { output: WriteOutput }) => {
      if (context.detector === undefined) return;
      const news = newsFor(context, params.output);
      // Its answer is waited for while assessing, so that is where it is asked.
      if (!context.isAnnounced) enqueue.assign({ news });
      else for (const message of news) enqueue.sendTo(context.detector, message);
    }),
    countDamage: enqueueActions(({ enqueue, context }) => {
      if (context.detector === undefined) return;
      const [request] = context.round;
      if (request?.kind === 'check' && request.uncounted) return;
      if (isKnown(context) && !(request?.kind === 'check' && request.countAgain)) return;
      const found = context.damage ?? context.observation;
      const message = found?.problem?.message ?? 'the checkpoint file is gone';
      const change = { kind: 'failed' as const, signal: 'invalidCheckpoint' as const, message };
      enqueue.sendTo(context.detector, { type: 'health.changed', change });
    }),
    forwardToDetector: enqueueActions(({ enqueue, context, event }) => {
      if (event.type === 'health.heartbeat') {
        if (context.detector) enqueue.sendTo(context.detector, event);
        return;
      }
      if (event.type !== 'health.changed') return;
      if (context.detector) enqueue.sendTo(context.detector, event);
      else
        enqueue.emit({ type: 'health.failed', error: noDetector(), requestIds: [event.requestId] });
    }),
    declineRestore: enqueueActions(({ enqueue, context }) => {
      if (context.detector) {
        enqueue.sendTo(context.detector, { type: 'restore.ended', restored: false });
      }
    }),
    askDetectorToLeave: enqueueActions(({ enqueue, context }) => {
      if (context.detector) enqueue.sendTo(context.detector, { type: 'health.leave' });
    }),
    refuseHealth: enqueueActions(({ enqueue, event }) => {
      if (event.type !== 'health.changed') return;
      const error = refusedSave('CLOSED', undefined);
      enqueue.emit({ type: 'health.failed', error, requestIds: [event.requestId] });
    }),
    tellHealth: enqueueActions(({ enqueue, event }) => {
      if (event.type === 'detector.settled') {
        const { report, requestIds } = event;
        enqueue.emit({ type: 'health.answered', report, requestIds });
      } else if (event.type === 'detector.failed') {
        enqueue.emit({ type: 'health.failed', error: event.error, requestIds: event.requestIds });
      }
    }),
    tellRestored: enqueueActions(({ enqueue, context }, params: { output: WriteOutput }) => {
      const [request] = context.round;
      if (request?.kind !== 'restore') return;
      enqueue.emit({
        type: 'checkpoint.restored',
        sequence: params.output.sequence,
        from: request.sequence,
        cause: request.requestId === undefined ? 'automatic' : 'requested',
      });
    }),
    tellPublishedCheck: enqueueActions(({ enqueue, context }, params: { output: WriteOutput }) => {
      if (context.round[0]?.kind !== 'check') return;
      enqueue.emit({
        type: 'checkpoint.checked',
        requestIds: idsOf(context.round),
        change: context.observation?.change ?? 'unchanged',
        action: 'published',
        sequence: params.output.sequence,
      });
    }),
    tellChecked: emit(({ context }, params: { action: 'none' | 'kept' | 'rejected' }) => {
      const { damage, observation, sequence } = context;
      const found = damage ?? observation;
      return {
        type: 'checkpoint.checked' as const,
        requestIds: idsOf(context.round),
        change: params.action === 'none' ? ('unchanged' as const) : (found?.change ?? 'unchanged'),
        action: params.action,
        sequence,
        ...(found?.problem && params.action !== 'none' && { problem: found.problem }),
        ...(params.action === 'kept' && isKnown(context) && { known: true as const }),
      };
    }),
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
    /** The newest save waits in the log; its callers have their answer. */
    rest: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'round.logged') return;
      const { publish, resting, isSaveFailing, detector } = context;
      const { sequence } = event;
      if (isSaveFailing && detector) {
        enqueue.sendTo(detector, { type: 'health.changed', change: { kind: 'saved' } });
      }
      enqueue.assign({
        round: [],
        sequence,
        isSaveFailing: false,
        resting: restingAfter(resting, event.bytes),
      });
      if (resting !== undefined || publish === undefined) return;
      if (publish.afterMs === Number.POSITIVE_INFINITY) return;
      const { afterMs } = publish;
      enqueue.raise({ type: 'publish.due' }, { id: 'publish.due', delay: afterMs });
      enqueue.raise(
        { type: 'publish.tick' },
        { id: 'publish.tick', delay: Math.min(afterMs, IDLE_MS) },
      );
    }),
    markDue: assign(({ context }) => ({
      resting: context.resting && { ...context.resting, isDue: true },
    })),
    /** Idle is what has seen no save since the last look. */
    lookForIdleness: enqueueActions(({ enqueue, context: { publish, resting } }) => {
      if (resting === undefined || publish === undefined) return;
      const isDue = resting.isDue || resting.saves === resting.savesAtTick;
      enqueue.assign({ resting: { ...resting, isDue, savesAtTick: resting.saves } });
      const delay = Math.min(publish.afterMs, IDLE_MS);
      if (!isDue) enqueue.raise({ type: 'publish.tick' }, { id: 'publish.tick', delay });
    }),
    stopWaiting: enqueueActions(({ enqueue, context }) => {
      if (context.resting === undefined) return;
      enqueue.cancel('publish.due');
      enqueue.cancel('publish.tick');
      enqueue.assign({ resting: undefined });
    }),
    askToPublish: enqueueActions(({ enqueue, context }) => {
      enqueue.sendTo('write', { type: 'round.publish' });
      enqueue.assign({ resting: context.resting && { ...context.resting, isAtRest: false } });
    }),
    appendRound: enqueueActions(({ enqueue, context }) => {
      const { highestSequence, resting, round } = context;
      enqueue.sendTo('write', {
        type: 'round.append',
        sequence: highestSequence,
        ...labelOf(round),
        source: sourceOf(round),
        mayRest: mayRest(context),
      });
      enqueue.assign({ resting: resting && { ...resting, isAtRest: false } });
    }),
    restAgain: assign(({ context }) => ({
      resting: context.resting && { ...context.resting, isAtRest: true },
    })),
    answerFlush: enqueueActions(({ enqueue, context: { waiting, sequence } }) => {
      enqueue.emit({ type: 'flush.done', sequence, requestIds: idsOf(waiting.slice(0, 1)) });
      enqueue.assign({ waiting: waiting.slice(1) });
    }),
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
      ({ context, event }, params: { action: 'adopted' | 'rejected' | 'setAside' | 'kept' }) => {
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
    refuseRequest: enqueueActions(
      ({ enqueue, event, context }, params: { code: 'HALTED' | 'CLOSED' }) => {
        const requestIds = idsOf(requestsOf(event));
        if (requestIds.length > 0) {
          const error = refusedSave(params.code, context.error);
          enqueue.emit({ type: 'save.failed', requestIds, error });
        }
      },
    ),
    refuseWaiting: enqueueActions(({ enqueue, context }, params: { code: 'HALTED' | 'CLOSED' }) => {
      const { waiting, detector } = context;
      if (waiting.length === 0) return;
      const error = refusedSave(params.code, context.error);
      enqueue.emit({ type: 'save.failed', requestIds: idsOf(waiting), error });
      if (detector && waiting.some(isAutomatic)) {
        enqueue.sendTo(detector, { type: 'restore.ended', restored: false });
      }
      enqueue.assign({ waiting: [] });
    }),
    /** A round that ends before its first step, where it was the detector that asked. */
    declineAutomatic: enqueueActions(({ enqueue, context }) => {
      if (context.detector && context.round.some(isAutomatic)) {
        enqueue.sendTo(context.detector, { type: 'restore.ended', restored: false });
      }
    }),
    /** What an embedding machine asks for is done by who has the content. */
    forwardToContent: enqueueActions(({ enqueue, context, event }) => {
      if (isContentRequest(event)) enqueue.sendTo(context.io, event);
    }),
    passNotice: enqueueActions(({ enqueue, context, event }) => {
      if (event.type !== 'notice.due') return;
      const { id, to, notice } = event;
      // Whoever has ended meanwhile hears nothing any more.
      if (to.getSnapshot()?.status === 'active') enqueue.sendTo(to, notice);
      enqueue.sendTo(context.io, { type: 'notice.passed', id });
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
    isFlushNext: ({ context }) => context.waiting[0]?.kind === 'flush',
    mustPublish: ({ context }) => mustPublish(context),
    mayAppend: ({ context }) => mayAppend(context),
    rests: ({ event }) => event.type === 'round.logged' && event.rests,
    isCloseRequested: ({ context }) => context.closeRequested,
    isUnchanged: ({ event }) =>
      event.type === 'observeCheckpoint.done' && event.output.change === 'unchanged',
    isRejected: ({ context }) =>
      context.externalEdits === 'reject' && context.round[0]?.kind === 'save',
    isCheckOfEdit: ({ context, event }) =>
      context.externalEdits === 'reject' &&
      context.round[0]?.kind === 'check' &&
      event.type === 'observeCheckpoint.done' &&
      event.output.change === 'edited',
    isCheckOfDamage: ({ context, event }) =>
      context.round[0]?.kind === 'check' &&
      event.type === 'observeCheckpoint.done' &&
      (event.output.change === 'damaged' || event.output.change === 'missing'),
    isCheckOfKnownDamage: ({ context, event }) =>
      context.round[0]?.kind === 'check' &&
      context.damage !== undefined &&
      event.type === 'observeCheckpoint.done' &&
      event.output.change === 'unchanged',
    isCheckOfNothing: ({ context, event }) =>
      context.round[0]?.kind === 'check' &&
      event.type === 'observeCheckpoint.done' &&
      event.output.change === 'unchanged' &&
      (event.output.sealed === true || context.sequence === 0),
    hasNoDetector: ({ context }) => context.detector === undefined,
    mustAssess: ({ context }) => !context.isAnnounced,
    mustClear: ({ context }) => context.mustClear,
    isNotAnnounced: ({ context }) => !context.isAnnounced,
    isRefused: ({ context }) => context.isRefused,
    hasStopped: ({ event }) =>
      event.type === 'detector.settled' && event.report.state === 'stopped',
    isCountable: ({ context }, params: { output: RecoveryOutput }) =>
      context.restore !== undefined && params.output.error?.code === 'SCHEMA_INVALID',
    isAdoptable: ({ context, event }) =>
      context.externalEdits === 'adopt' &&
      event.type === 'observeCheckpoint.done' &&
      event.output.change === 'edited',
    hasRecovered: (_, params: { output: RecoveryOutput }) =>
      params.output.report.outcome === 'ready',
    hasCommitted: (_, params: { output: WriteOutput }) => params.output.status === 'committed',
    hasFailed: (_, params: { output: WriteOutput }) => params.output.status === 'failed',
  },
});

/** Whether the damage that a look has met had been met before. */
function isKnown({ damage }: CheckpointContext): boolean {
  return damage !== undefined;
}

function sequenceOf(event: { readonly type: string }): number {
  return 'sequence' in event && typeof event.sequence === 'number' ? event.sequence : 0;
}

function keptBy(event: CheckpointEvent): KeptFile | undefined {
  return event.type === 'keepCheckpoint.done' ? event.output.kept : undefined;
}
