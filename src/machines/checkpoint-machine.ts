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
import type { ActorRefFrom } from 'xstate';
import type { IoSnapshot } from '../io/io-messages.js';
import type { CheckpointInput } from './checkpoint-messages.js';
import { isPromisedEarly, labelOf, sourceOf } from './checkpoint-rounds.js';
import { checkpointSetup, type refusedIo } from './checkpoint-setup.js';
import { mayRest } from './publish-policy.js';

/** The statechart of a store. Provide the actor `io` before starting it. */
export const checkpointMachine = checkpointSetup.createMachine({
  id: 'checkpoint',
  description: 'One store: recovering, then ready and saving in turn, until it closes or halts.',
  context: ({ input, spawn }) => ({
    ...withPolicies(input, spawn('io', { id: 'io', input: input.io })),
    operationId: 0,
    waiting: [],
    round: [],
    sequence: 0,
    highestSequence: 0,
    lock: undefined,
    recovery: undefined,
    observation: undefined,
    closeRequested: false,
    error: undefined,
    detector: undefined,
    news: [],
    isAnnounced: false,
    isRefused: false,
    mustClear: false,
    damage: undefined,
    isSaveFailing: false,
    resting: undefined,
  }),
  on: {
    'save.requested': { actions: 'enqueueRequest' },
    'save.aborted': { actions: ['tellAborted', 'dropAborted'] },
    'restore.requested': { actions: 'enqueueRequest' },
    'check.requested': { actions: 'enqueueRequest' },
    'flush.requested': { actions: 'enqueueRequest' },
    'detector.restoreWanted': { actions: 'enqueueRequest' },
    'detector.settled': { actions: 'tellHealth' },
    'detector.failed': { actions: 'tellHealth' },
    'health.changed': { actions: 'forwardToDetector' },
    'health.heartbeat': { actions: 'forwardToDetector' },
    'close.requested': { actions: 'rememberClose' },
    'checkpoint.*': { actions: 'forwardToContent' },
    'notice.due': { actions: 'passNotice' },
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
            target: 'assessing',
            actions: {
              type: 'rememberRecovery',
              params: ({ event }) => ({ output: event.output }),
            },
          },
          {
            guard: { type: 'isCountable', params: ({ event }) => ({ output: event.output }) },
            target: 'assessing',
            actions: [
              { type: 'rememberRecovery', params: ({ event }) => ({ output: event.output }) },
              'markRefused',
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
    assessing: {
      description:
        'The failure detector counts this attempt, durably, before the store says that it is ready.',
      entry: 'startDetector',
      always: { guard: 'hasNoDetector', target: 'ready', actions: ['announce', 'tellReady'] },
      on: {
        'detector.settled': [
          { guard: 'hasStopped', target: 'unlocking', actions: 'rememberExhausted' },
          { guard: 'isRefused', target: 'unlocking', actions: 'rememberRefusal' },
          { target: 'ready', actions: ['announce', 'tellReady', 'tellHealth'] },
        ],
        'detector.failed': { target: 'unlocking', actions: 'rememberDetectorFailure' },
        'detector.restoreWanted': [
          { guard: 'isRefused', target: 'keepingRefused', actions: 'enqueueFirst' },
          { target: 'checkingForEdits', actions: 'enqueueFirst' },
        ],
      },
    },
    keepingRefused: {
      description: 'Copy the checkpoint that recovery refused into quarantine.',
      entry: ['takeRound', 'nextOperation', 'requestKeeping'],
      on: {
        'keepCheckpoint.done': { guard: 'isCurrent', target: 'saving' },
        'keepCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'unlocking', actions: 'rememberFailure' },
        ],
      },
    },
    clearing: {
      description: 'What the refused recovery has left to be cleared up.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'removeLeftovers' } }],
      on: {
        'removeLeftovers.done': {
          guard: 'isCurrent',
          target: 'ready',
          actions: 'rememberCleared',
        },
        'removeLeftovers.failed': [
          { guard: 'isStale' },
          { target: 'unlocking', actions: 'rememberFailure' },
        ],
      },
    },
    ready: {
      description: 'Nothing is in flight.',
      always: [
        { guard: 'mustClear', target: 'clearing' },
        { guard: 'mustAssess', target: 'assessing' },
        { guard: 'isFlushNext', target: 'ready', actions: 'answerFlush' },
        { guard: 'hasWaiting', target: 'checkingForEdits' },
        { guard: 'isCloseRequested', target: 'leaving' },
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
          {
            guard: 'isCheckOfKnownDamage',
            target: 'ready',
            actions: [
              { type: 'tellChecked', params: { action: 'kept' } },
              'countDamage',
              'forgetRound',
            ],
          },
          {
            guard: 'isCheckOfNothing',
            target: 'ready',
            actions: [{ type: 'tellChecked', params: { action: 'none' } }, 'forgetRound'],
          },
          { guard: 'isUnchanged', target: 'saving', actions: 'rememberObservation' },
          {
            guard: 'isCheckOfDamage',
            target: 'keepingDamage',
            actions: 'rememberObservation',
          },
          {
            guard: 'isCheckOfEdit',
            target: 'ready',
            actions: [
              'rememberObservation',
              { type: 'tellEdited', params: { action: 'rejected' } },
              { type: 'tellChecked', params: { action: 'rejected' } },
              'forgetRound',
            ],
          },
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
            actions: ['rememberFailure', 'declineAutomatic', 'tellRoundRejected', 'forgetRound'],
          },
          { target: 'ready', actions: ['declineAutomatic', 'tellRoundRejected', 'forgetRound'] },
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
          { target: 'ready', actions: ['declineAutomatic', 'tellRoundRejected', 'forgetRound'] },
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
          { target: 'ready', actions: ['declineAutomatic', 'tellRoundRejected', 'forgetRound'] },
        ],
      },
    },
    keepingDamage: {
      description:
        'The file is no checkpoint: a copy goes into quarantine, and the failure counts.',
      entry: ['nextOperation', 'requestKeeping'],
      on: {
        'keepCheckpoint.done': {
          guard: 'isCurrent',
          target: 'ready',
          actions: [
            'forgetDamage',
            { type: 'tellEdited', params: { action: 'kept' } },
            { type: 'tellChecked', params: { action: 'kept' } },
            'countDamage',
            'rememberDamage',
            'forgetRound',
          ],
        },
        'keepCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'ready', actions: ['tellRoundRejected', 'forgetRound'] },
        ],
      },
    },
    saving: {
      description:
        'One round of the write protocol; what is asked for meanwhile waits. Under a publish policy rounds go behind each other in one log, until it is published.',
      entry: 'takeSequence',
      exit: 'stopWaiting',
      always: [
        { guard: 'mustPublish', actions: 'askToPublish' },
        { guard: 'mayAppend', actions: ['takeRound', 'takeSequence', 'appendRound'] },
      ],
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({
          io: context.io,
          sequence: context.highestSequence,
          ...labelOf(context.round),
          source: sourceOf(context.round),
          promisedWhenLogged: context.round.some(isPromisedEarly),
          mayRest: mayRest(context),
          syncRetryLimit: context.syncRetryLimit,
        }),
        onDone: [
          {
            guard: { type: 'hasCommitted', params: ({ event }) => ({ output: event.output }) },
            target: 'ready',
            actions: [
              { type: 'tellRestored', params: ({ event }) => ({ output: event.output }) },
              { type: 'tellPublishedCheck', params: ({ event }) => ({ output: event.output }) },
              { type: 'tellCommitted', params: ({ event }) => ({ output: event.output }) },
              { type: 'informDetector', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
          {
            guard: { type: 'hasFailed', params: ({ event }) => ({ output: event.output }) },
            target: 'ready',
            actions: [
              { type: 'tellRoundFailed', params: ({ event }) => ({ output: event.output }) },
              { type: 'informDetector', params: ({ event }) => ({ output: event.output }) },
              { type: 'noteFailingSaves', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
          {
            guard: 'isNotAnnounced',
            target: 'unlocking',
            actions: { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
          },
          {
            target: 'halted',
            actions: [
              { type: 'tellRoundFailed', params: ({ event }) => ({ output: event.output }) },
              { type: 'informDetector', params: ({ event }) => ({ output: event.output }) },
              { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            ],
          },
        ],
      },
      on: {
        'round.logged': [
          { guard: 'rests', actions: ['tellLogged', 'rest'] },
          { actions: 'tellLogged' },
        ],
        'round.failed': {
          actions: [
            { type: 'tellRoundFailed', params: ({ event }) => ({ output: event.output }) },
            { type: 'informDetector', params: ({ event }) => ({ output: event.output }) },
            { type: 'noteFailingSaves', params: ({ event }) => ({ output: event.output }) },
            { type: 'endRound', params: ({ event }) => ({ output: event.output }) },
            'restAgain',
          ],
        },
        'publish.due': { actions: 'markDue' },
        'publish.tick': { actions: 'lookForIdleness' },
        'round.published': { actions: ['tellPublished', 'tellLateEdit'] },
      },
    },
    halted: {
      description:
        'Going on could break a promise: saves are refused until the store is opened anew.',
      entry: ['tellHalted', { type: 'refuseWaiting', params: { code: 'HALTED' } }],
      on: {
        'save.requested': { actions: { type: 'refuseRequest', params: { code: 'HALTED' } } },
        'restore.requested': { actions: { type: 'refuseRequest', params: { code: 'HALTED' } } },
        'check.requested': { actions: { type: 'refuseRequest', params: { code: 'HALTED' } } },
        'flush.requested': { actions: { type: 'refuseRequest', params: { code: 'HALTED' } } },
        'detector.restoreWanted': { actions: 'declineRestore' },
        'close.requested': { target: 'leaving' },
      },
      always: { guard: 'isCloseRequested', target: 'leaving' },
    },
    leaving: {
      description: 'The failure detector notes that this run has ended well.',
      entry: 'askDetectorToLeave',
      always: { guard: 'hasNoDetector', target: 'closing' },
      on: {
        'save.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'restore.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'check.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'flush.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'health.changed': { actions: 'refuseHealth' },
        'detector.restoreWanted': { actions: 'declineRestore' },
        'detector.left': { target: 'closing' },
      },
    },
    closing: {
      description:
        'Everything accepted is finished: make the last unlink durable, give up the lock.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'releaseLock' } }],
      on: {
        'save.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'restore.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'check.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'flush.requested': { actions: { type: 'refuseRequest', params: { code: 'CLOSED' } } },
        'health.changed': { actions: 'refuseHealth' },
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

/** Policies are the input's, else those that come with the content. */
function withPolicies(input: CheckpointInput, io: ActorRefFrom<typeof refusedIo>) {
  const { policies }: IoSnapshot = io.getSnapshot();
  return {
    io,
    externalEdits: input.externalEdits ?? policies?.externalEdits ?? 'adopt',
    syncRetryLimit: input.syncRetryLimit ?? policies?.syncRetryLimit ?? 2,
    restore: input.restore ?? policies?.restore,
    publish: input.publish ?? policies?.publish,
  };
}
