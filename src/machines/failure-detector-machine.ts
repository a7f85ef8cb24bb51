/**
 * The failure detector: counts failures, durably, and past a threshold wants an earlier checkpoint
 * restored. Ruled by `docs/failure-detection.md`.
 *
 * Invariants, in every state:
 * - what a change makes of the memory is durable before anything follows from it: an attempt is
 *   written down before it is made, a restore is counted before it is begun;
 * - at most `maxRestores` automatic restores are made until the store was healthy: there is no loop;
 * - changes that arrive meanwhile wait; none is dropped, and who asked is answered.
 */
import { type AnyActorRef, assign, raise, sendParent, sendTo, setup } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { DetectorSettings, HealthMemory } from '../format/health-format.js';
import type { HistoryEvidence } from '../io/checkpoint-io.js';
import type { IoReply } from '../io/io-messages.js';
import {
  type HealthAction,
  type HealthCaseEvidence,
  healthCases,
  healthEvidence,
} from './failure-decision.js';
import {
  changedBy,
  HEALTHY,
  type HealthChange,
  type HealthCircumstances,
  isWorthKeeping,
  policyOf,
} from './failure-memory.js';
import { type HealthReport, reportOf } from './health-report.js';
import { failureOf, type IoContext, isCurrentReply } from './io-events.js';
import { type DecisionCase, decide } from './recovery-decision.js';

/** What the detector is started with. */
export interface DetectorInput {
  /** The `io` actor of the store. */
  readonly io: AnyActorRef;
  readonly settings: DetectorSettings;
}

/** What the detector takes. */
export type DetectorCommand =
  | { readonly type: 'health.changed'; readonly change: HealthChange; readonly requestId?: number }
  | { readonly type: 'health.heartbeat' }
  | { readonly type: 'restore.ended'; readonly restored: boolean }
  /** The run is over: note that, and say so. */
  | { readonly type: 'health.leave' };

/** What the detector tells the machine that started it. */
export type DetectorEvent =
  /** All that was asked is durable, and nothing is to be done. */
  | {
      readonly type: 'detector.settled';
      readonly report: HealthReport;
      readonly requestIds: readonly number[];
    }
  | { readonly type: 'detector.restoreWanted'; readonly sequence: number }
  /** Something could not be read or written. What was to be noted is not. */
  | {
      readonly type: 'detector.failed';
      readonly error: CheckpointError;
      readonly requestIds: readonly number[];
    }
  | { readonly type: 'detector.left' };

type DetectorOperation = 'readHealth' | 'writeHealth' | 'findInHistory';

type DetectorReply = DetectorCommand | IoReply<DetectorOperation>;

interface Queued {
  readonly change: HealthChange;
  readonly requestId?: number | undefined;
}

/** What the detector keeps. */
export interface DetectorContext extends DetectorInput, IoContext {
  /** Changes that are not noted yet, oldest first. */
  readonly queue: readonly Queued[];
  /** Those that are being noted. */
  readonly taken: readonly HealthChange[];
  /** Who is to be answered when the detector comes to rest. */
  readonly asking: readonly number[];
  /** What is on disk, as far as it is known. */
  readonly memory: HealthMemory;
  readonly isChanged: boolean;
  readonly at: HealthCircumstances;
  readonly decided: DecisionCase<HealthCaseEvidence, HealthAction> | undefined;
  readonly candidate: HistoryEvidence['newest'];
  readonly isLeaving: boolean;
}

const noneLeft = 'history holds no other checkpoint that verifies';

/** The statechart of the failure detector. */
export const failureDetectorMachine = setup({
  types: {
    context: {} as DetectorContext,
    events: {} as DetectorReply,
    input: {} as DetectorInput,
  },
  actions: {
    nextOperation: assign({ operationId: ({ context }) => context.operationId + 1 }),
    requestReading: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested' as const,
        operation: 'readHealth' as const,
        input: undefined,
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestWriting: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested' as const,
        operation: 'writeHealth' as const,
        input: { memory: toRemember(context) },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestSearch: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested' as const,
        operation: 'findInHistory' as const,
        input: {
          except: unwanted(context),
          withArtifacts: !context.settings.allowMissingArtifacts,
        },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    enqueue: assign({
      queue: ({ context, event }) =>
        event.type === 'health.changed'
          ? [...context.queue, { change: event.change, requestId: event.requestId }]
          : context.queue,
    }),
    leave: assign({
      isLeaving: true,
      queue: ({ context }) => [...context.queue, { change: { kind: 'closed' as const } }],
    }),
    noteRestore: assign({
      queue: ({ context, event }) =>
        event.type === 'restore.ended'
          ? [
              { change: { kind: 'restoreEnded' as const, restored: event.restored } },
              ...context.queue,
            ]
          : context.queue,
    }),
    takeQueue: assign({
      queue: [],
      taken: ({ context }) => context.queue.map(({ change }) => change),
      asking: ({ context }) => [
        ...context.asking,
        ...context.queue.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId])),
      ],
    }),
    applyChanges: assign(({ context, event }) => {
      if (event.type !== 'readHealth.done') return {};
      const { memory: found = HEALTHY, nowMs, current } = event.output;
      const at = { nowMs, ...(current && { current }) };
      const memory = context.taken.reduce((before, change) => changedBy(before, change, at), found);
      return { ...judge(memory, at, context.settings), isChanged: memory !== found };
    }),
    rememberCandidate: assign({
      candidate: ({ context, event }) =>
        event.type === 'findInHistory.done' ? event.output.newest : context.candidate,
    }),
    beginRestore: assign({
      memory: ({ context }) =>
        changedBy(
          context.memory,
          { kind: 'restoreBegun', to: context.candidate?.sequence ?? 0 },
          context.at,
        ),
    }),
    stop: assign(({ context }) => {
      const { decided, memory, at, settings } = context;
      const because = decided?.action === 'stop' ? decided.because : noneLeft;
      return judge(changedBy(memory, { kind: 'stopped', because }, at), at, settings);
    }),
    tellSettled: sendParent(({ context }) => ({
      type: 'detector.settled',
      report: reportOf(context),
      requestIds: context.asking,
    })),
    tellFailed: sendParent(({ context, event }) => ({
      type: 'detector.failed',
      error: failureOf(event)?.error ?? new CheckpointError('WRITE_FAILED', 'unknown failure'),
      requestIds: context.asking,
    })),
    askedNone: assign({ asking: [], taken: [] }),
    wantRestore: sendParent(({ context }) => ({
      type: 'detector.restoreWanted',
      sequence: context.candidate?.sequence ?? 0,
    })),
    tellLeft: sendParent({ type: 'detector.left' }),
    raiseHealthy: raise({ type: 'health.changed', change: { kind: 'healthy' } }),
    raiseMissed: raise(({ context }) => ({
      type: 'health.changed',
      change: {
        kind: 'failed',
        signal: 'heartbeatMissed',
        message: `no heartbeat for ${context.settings.heartbeatMs ?? 0} ms`,
      },
    })),
  },
  guards: {
    isCurrent: ({ context, event }) => isCurrentReply(context, event),
    isStale: ({ context, event }) => !isCurrentReply(context, event),
    hasQueue: ({ context }) => context.queue.length > 0,
    isLeaving: ({ context }) => context.isLeaving,
    isChanged: ({ context }) => context.isChanged,
    wantsSearch: ({ context }) =>
      context.decided?.action === 'restore' || context.decided?.action === 'tell',
    mustStop: ({ context }) =>
      context.decided?.action === 'stop' && context.memory.stopped === undefined,
    hasFound: ({ context, event }) =>
      event.type === 'findInHistory.done' &&
      event.output.newest !== undefined &&
      context.decided?.action === 'restore',
    isRestoring: ({ context }) => context.decided?.action === 'restore',
    isOpening: ({ event }) => event.type === 'health.changed' && event.change.kind === 'opened',
    isFailure: ({ event }) => event.type === 'health.changed' && event.change.kind === 'failed',
    expectsHeartbeat: ({ context, event }) =>
      event.type === 'health.changed' &&
      event.change.kind === 'opened' &&
      context.settings.heartbeatMs !== undefined,
  },
  delays: {
    healthyAfter: ({ context }) => context.settings.healthyAfterMs,
    heartbeat: ({ context }) => context.settings.heartbeatMs ?? 0,
  },
}).createMachine({
  id: 'detector',
  description: 'Counts failures durably; past the threshold it wants a checkpoint restored.',
  context: ({ input }) => ({
    ...input,
    operationId: 0,
    queue: [],
    taken: [],
    asking: [],
    memory: HEALTHY,
    isChanged: false,
    at: { nowMs: 0 },
    decided: undefined,
    candidate: undefined,
    isLeaving: false,
  }),
  type: 'parallel',
  states: {
    memory: {
      description: 'What is remembered, and what follows from it.',
      initial: 'idle',
      on: {
        'health.changed': { actions: 'enqueue' },
        'health.leave': { actions: 'leave' },
      },
      states: {
        idle: {
          description: 'All that was told is durable.',
          always: [
            { guard: 'hasQueue', target: 'reading' },
            { guard: 'isLeaving', target: 'left' },
          ],
        },
        reading: {
          description: 'Read the memory from disk, and the time.',
          entry: ['nextOperation', 'takeQueue', 'requestReading'],
          on: {
            'readHealth.done': [
              { guard: 'isStale' },
              { target: 'judging', actions: 'applyChanges' },
            ],
            'readHealth.failed': [
              { guard: 'isStale' },
              { target: 'idle', actions: ['tellFailed', 'askedNone'] },
            ],
          },
        },
        judging: {
          description: 'What was told is applied to the memory.',
          always: [{ guard: 'isChanged', target: 'recording' }, { target: 'deciding' }],
        },
        recording: {
          description: 'Make the new memory durable, before anything follows from it.',
          entry: ['nextOperation', 'requestWriting'],
          on: {
            'writeHealth.done': { guard: 'isCurrent', target: 'deciding' },
            'writeHealth.failed': [
              { guard: 'isStale' },
              { target: 'idle', actions: ['tellFailed', 'askedNone'] },
            ],
          },
        },
        deciding: {
          description: 'The table of docs/failure-detection.md.',
          always: [
            { guard: 'isLeaving', target: 'idle', actions: ['tellSettled', 'askedNone'] },
            { guard: 'wantsSearch', target: 'searching' },
            { guard: 'mustStop', target: 'stopping' },
            { target: 'idle', actions: ['tellSettled', 'askedNone'] },
          ],
        },
        searching: {
          description: 'Look for the newest checkpoint in history that verifies and is not bad.',
          entry: ['nextOperation', 'requestSearch'],
          on: {
            'findInHistory.done': [
              { guard: 'isStale' },
              { guard: 'hasFound', target: 'beginning', actions: 'rememberCandidate' },
              { guard: 'isRestoring', target: 'stopping', actions: 'rememberCandidate' },
              {
                target: 'idle',
                actions: ['rememberCandidate', 'tellSettled', 'askedNone'],
              },
            ],
            'findInHistory.failed': [
              { guard: 'isStale' },
              { target: 'idle', actions: ['tellFailed', 'askedNone'] },
            ],
          },
        },
        beginning: {
          description: 'Count the restore and mark the checkpoint as bad, before it is made.',
          entry: ['beginRestore', 'nextOperation', 'requestWriting'],
          on: {
            'writeHealth.done': { guard: 'isCurrent', target: 'restoring' },
            'writeHealth.failed': [
              { guard: 'isStale' },
              { target: 'idle', actions: ['tellFailed', 'askedNone'] },
            ],
          },
        },
        restoring: {
          description: 'The store makes the restore: a save of its own.',
          entry: 'wantRestore',
          on: { 'restore.ended': { target: 'idle', actions: 'noteRestore' } },
        },
        stopping: {
          description: 'Note that nothing is restored any more until a person says so.',
          entry: ['stop', 'nextOperation', 'requestWriting'],
          on: {
            'writeHealth.done': {
              guard: 'isCurrent',
              target: 'idle',
              actions: ['tellSettled', 'askedNone'],
            },
            'writeHealth.failed': [
              { guard: 'isStale' },
              { target: 'idle', actions: ['tellFailed', 'askedNone'] },
            ],
          },
        },
        left: {
          description: 'The end of the run is noted.',
          entry: 'tellLeft',
        },
      },
    },
    uptime: {
      description: 'How long nothing has failed.',
      initial: 'notRunning',
      states: {
        notRunning: {
          description: 'The run has not begun.',
          on: { 'health.changed': { guard: 'isOpening', target: 'proving' } },
        },
        proving: {
          description: 'Without a failure for long enough, the store is healthy.',
          after: { healthyAfter: { target: 'proven', actions: 'raiseHealthy' } },
          on: { 'health.changed': { guard: 'isFailure', target: 'proving', reenter: true } },
        },
        proven: {
          description: 'Healthy.',
          on: { 'health.changed': { guard: 'isFailure', target: 'proving' } },
        },
      },
    },
    pulse: {
      description: 'Whether the orchestrator gives signs of life, where it is to.',
      initial: 'notExpected',
      states: {
        notExpected: {
          description: 'No heartbeat is asked for.',
          on: { 'health.changed': { guard: 'expectsHeartbeat', target: 'expected' } },
        },
        expected: {
          description: 'The next heartbeat is due.',
          after: { heartbeat: { target: 'expected', reenter: true, actions: 'raiseMissed' } },
          on: { 'health.heartbeat': { target: 'expected', reenter: true } },
        },
      },
    },
  },
});

function toRemember({ memory, settings }: DetectorContext): HealthMemory | undefined {
  return isWorthKeeping(memory) ? { ...memory, policy: policyOf(settings) } : undefined;
}

/** A memory, and what is decided about it. */
function judge(memory: HealthMemory, at: HealthCircumstances, settings: DetectorSettings) {
  return {
    memory,
    at,
    candidate: undefined,
    decided: decide(healthCases, healthEvidence(memory, settings, at)),
  };
}

/** Texts that no restore brings back: the bad ones, and the one that is there. */
function unwanted({ memory, at }: DetectorContext): string[] {
  const bad = memory.bad.map(({ digest }) => digest);
  return at.current === undefined ? bad : [...bad, at.current.digest];
}
