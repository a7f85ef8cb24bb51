/**
 * The recovery protocol: runs at every open, under the lock, from disk evidence alone. Ruled by
 * `docs/recovery.md`; what it decides stands in `recovery-decision.ts`.
 *
 * Invariants, in every state:
 * - the log is deleted only when it promised nothing, or when what it promised is durable;
 * - a file that is not understood is moved or copied to quarantine before anything takes its place;
 * - a crash at any point leaves evidence from which the next recovery comes to the same end.
 */
import { type AnyActorRef, assign, sendTo, setup } from 'xstate';
import { type CheckpointError, toProblem } from '../errors.js';
import type {
  CheckpointEvidence,
  HistoryEvidence,
  KeptFile,
  OperationName,
  WalEvidence,
} from '../io/checkpoint-io.js';
import type { IoReply } from '../io/io-messages.js';
import { failureOf, type IoContext, isCurrentReply } from './io-events.js';
import {
  checkpointCases,
  type DecisionCase,
  decide,
  type ExternalEditPolicy,
  historyCases,
  walCases,
  walTailCase,
} from './recovery-decision.js';
import { lostBy, type RecoveryReport, refusalOf } from './recovery-report.js';
import { type WriteOutput, writeMachine } from './write-machine.js';

/** What a recovery starts from. */
export interface RecoveryInput {
  readonly io: AnyActorRef;
  readonly externalEdits: ExternalEditPolicy;
  readonly syncRetryLimit: number;
}

/** How a recovery ended. */
export interface RecoveryOutput {
  readonly report: RecoveryReport;
  /** The highest sequence number in use; the next save takes a higher one. */
  readonly highestSequence: number;
  /** Set if the store was refused. */
  readonly error?: CheckpointError;
}

type SimpleOperation = Exclude<
  RecoveryOperation,
  'quarantineWal' | 'keepCheckpoint' | 'adoptCheckpoint'
>;
type RecoveryOperation = Extract<
  OperationName,
  | 'checkWal'
  | 'readWal'
  | 'verifyWal'
  | 'quarantineWal'
  | 'finishWal'
  | 'loadWal'
  | 'writeCheckpoint'
  | 'syncCheckpoint'
  | 'deleteWal'
  | 'checkCheckpoint'
  | 'findInHistory'
  | 'keepCheckpoint'
  | 'adoptCheckpoint'
  | 'removeLeftovers'
>;

/** What the recovery machine remembers. */
export interface RecoveryContext extends RecoveryInput, IoContext {
  readonly wal: WalEvidence | undefined;
  readonly checkpoint: CheckpointEvidence | undefined;
  readonly history: HistoryEvidence | undefined;
  readonly decided: readonly DecisionCase<never, string>[];
  readonly kept: readonly KeptFile[];
  readonly removed: readonly string[];
  readonly sequence: number;
  readonly highestSequence: number;
  readonly error: CheckpointError | undefined;
}

const lastAction = (context: RecoveryContext): string | undefined => context.decided.at(-1)?.action;

/** The statechart of recovery. */
export const recoveryMachine = setup({
  types: {
    context: {} as RecoveryContext,
    events: {} as IoReply<RecoveryOperation>,
    input: {} as RecoveryInput,
    output: {} as RecoveryOutput,
  },
  actors: { write: writeMachine },
  actions: {
    nextOperation: assign({ operationId: ({ context }) => context.operationId + 1 }),
    request: sendTo(
      ({ context }) => context.io,
      ({ context, self }, params: { operation: SimpleOperation }) => ({
        type: 'io.requested',
        operation: params.operation,
        input: undefined,
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestKeeping: sendTo(
      ({ context }) => context.io,
      ({ context, self }, params: { operation: 'quarantineWal' | 'keepCheckpoint' }) => ({
        type: 'io.requested',
        operation: params.operation,
        input: { reason: reasonToKeep(context, params.operation) },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    requestAdoption: sendTo(
      ({ context }) => context.io,
      ({ context, self }) => ({
        type: 'io.requested',
        operation: 'adoptCheckpoint',
        input: { sequence: context.highestSequence + 1 },
        id: context.operationId,
        replyTo: self,
      }),
    ),
    rememberWal: assign({
      wal: ({ context, event }) => (event.type === 'verifyWal.done' ? event.output : context.wal),
    }),
    rememberCheckpoint: assign(({ context, event }) => {
      if (event.type !== 'checkCheckpoint.done') return {};
      const highestSequence = Math.max(
        context.highestSequence,
        event.output.highestSequence,
        promisedBy(context.wal),
      );
      return { checkpoint: event.output, highestSequence };
    }),
    rememberHistory: assign({
      history: ({ context, event }) =>
        event.type === 'findInHistory.done' ? event.output : context.history,
    }),
    rememberKept: assign({
      kept: ({ context, event }) => {
        const kept =
          'output' in event && event.output && 'kept' in event.output
            ? event.output.kept
            : undefined;
        return kept === undefined ? context.kept : [...context.kept, kept];
      },
    }),
    rememberRemoved: assign({
      removed: ({ context, event }) =>
        event.type === 'removeLeftovers.done' ? event.output.removed : context.removed,
    }),
    decideWal: assign({
      decided: ({ context }) => [
        ...context.decided,
        decide(walCases, context.wal ?? { verdict: 'absent', relation: 'none' }),
      ],
    }),
    decideTail: assign({
      decided: ({ context }) =>
        context.wal !== undefined && walTailCase.matches(context.wal)
          ? [...context.decided, walTailCase]
          : context.decided,
    }),
    decideCheckpoint: assign({
      decided: ({ context }) => [
        ...context.decided,
        decide(checkpointCases, {
          condition: context.checkpoint?.condition ?? 'missing',
          everPublished: context.checkpoint?.everPublished ?? false,
          externalEdits: context.externalEdits,
        }),
      ],
    }),
    decideHistory: assign({
      decided: ({ context }) => [
        ...context.decided,
        decide(historyCases, { entryVerifies: context.history?.newest !== undefined }),
      ],
    }),
    acceptCheckpoint: assign({
      sequence: ({ context }) => context.checkpoint?.sequence ?? 0,
    }),
    countAdoption: assign({
      sequence: ({ context }) => context.highestSequence + 1,
      highestSequence: ({ context }) => context.highestSequence + 1,
    }),
    rememberRestore: assign(({ context }) => ({
      sequence: context.highestSequence + 1,
      highestSequence: context.highestSequence + 1,
    })),
    rememberFailedWrite: assign({
      error: (_, params: { output: WriteOutput }) =>
        params.output.status === 'committed' ? undefined : params.output.error,
    }),
    rememberFailure: assign({ error: ({ event }) => failureOf(event)?.error }),
    rememberRefusal: assign({ error: ({ context }) => refusalOf(context) }),
  },
  guards: {
    isCurrent: ({ context, event }) => isCurrentReply(context, event),
    isStale: ({ context, event }) => !isCurrentReply(context, event),
    isWalPresent: ({ context, event }) =>
      isCurrentReply(context, event) && event.type === 'checkWal.done' && event.output.present,
    isPartlyDamaged: ({ context, event }) =>
      context.wal?.verdict === 'partlyDamaged' && isCurrentReply(context, event),
    hasDecided: ({ context }, params: { action: string }) => lastAction(context) === params.action,
    hasCommitted: (_, params: { output: WriteOutput }) => params.output.status === 'committed',
  },
}).createMachine({
  id: 'recovery',
  description:
    'Brings a store from whatever a crash left to a checkpoint that verifies, or refuses.',
  context: ({ input }) => ({
    ...input,
    operationId: 0,
    wal: undefined,
    checkpoint: undefined,
    history: undefined,
    decided: [],
    kept: [],
    removed: [],
    sequence: 0,
    highestSequence: 0,
    error: undefined,
  }),
  output: ({ context }) => outputOf(context),
  initial: 'checkingWal',
  states: {
    checkingWal: {
      description: 'Is there a log?',
      entry: ['nextOperation', { type: 'request', params: { operation: 'checkWal' } }],
      on: {
        'checkWal.done': [
          { guard: 'isStale' },
          { guard: 'isWalPresent', target: 'readingWal' },
          { target: 'checkingCheckpoint', actions: 'decideWal' },
        ],
        'checkWal.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    readingWal: {
      description: 'Read the log, bounded.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'readWal' } }],
      on: {
        'readWal.done': { guard: 'isCurrent', target: 'verifyingWal' },
        'readWal.failed': [{ guard: 'isStale' }, { target: 'refused', actions: 'rememberFailure' }],
      },
    },
    verifyingWal: {
      description: 'Verify every checksum, then compare the checkpoint with pre- and after-image.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'verifyWal' } }],
      on: {
        'verifyWal.done': {
          guard: 'isCurrent',
          target: 'decidingWal',
          actions: ['rememberWal', 'decideTail', 'decideWal'],
        },
        'verifyWal.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    decidingWal: {
      description: 'The first table of docs/recovery.md.',
      always: [
        { guard: { type: 'hasDecided', params: { action: 'discard' } }, target: 'deletingWal' },
        { guard: { type: 'hasDecided', params: { action: 'apply' } }, target: 'applyingWal' },
        {
          guard: { type: 'hasDecided', params: { action: 'keepAndApply' } },
          target: 'keepingConflict',
        },
        { guard: { type: 'hasDecided', params: { action: 'finish' } }, target: 'finishingWal' },
        { target: 'quarantiningWal' },
      ],
    },
    keepingConflict: {
      description: 'Copy the file that the log does not know into quarantine.',
      entry: ['nextOperation', { type: 'requestKeeping', params: { operation: 'keepCheckpoint' } }],
      on: {
        'keepCheckpoint.done': {
          guard: 'isCurrent',
          target: 'applyingWal',
          actions: 'rememberKept',
        },
        'keepCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    applyingWal: {
      description: 'Publish the after-image through the operations of steps 4 and 5.',
      initial: 'loadingWal',
      states: {
        loadingWal: {
          description: 'Take the after-image from the log.',
          entry: ['nextOperation', { type: 'request', params: { operation: 'loadWal' } }],
          on: {
            'loadWal.done': { guard: 'isCurrent', target: 'writingCheckpoint' },
            'loadWal.failed': [
              { guard: 'isStale' },
              { target: '#recovery.refused', actions: 'rememberFailure' },
            ],
          },
        },
        writingCheckpoint: {
          description: 'Step 4 of the write protocol.',
          entry: ['nextOperation', { type: 'request', params: { operation: 'writeCheckpoint' } }],
          on: {
            'writeCheckpoint.done': { guard: 'isCurrent', target: 'syncingCheckpoint' },
            'writeCheckpoint.failed': [
              { guard: 'isStale' },
              { target: '#recovery.refused', actions: 'rememberFailure' },
            ],
          },
        },
        syncingCheckpoint: {
          description: 'Step 5 of the write protocol.',
          entry: ['nextOperation', { type: 'request', params: { operation: 'syncCheckpoint' } }],
          on: {
            'syncCheckpoint.done': [
              { guard: 'isStale' },
              {
                guard: 'isPartlyDamaged',
                target: '#recovery.quarantiningWal',
                actions: 'rememberKept',
              },
              { target: '#recovery.deletingWal', actions: 'rememberKept' },
            ],
            'syncCheckpoint.failed': [
              { guard: 'isStale' },
              { target: '#recovery.refused', actions: 'rememberFailure' },
            ],
          },
        },
      },
    },
    finishingWal: {
      description: 'The save is on disk: sync it there, and keep it in history if it was edited.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'finishWal' } }],
      on: {
        'finishWal.done': [
          { guard: 'isStale' },
          { guard: 'isPartlyDamaged', target: 'quarantiningWal' },
          { target: 'deletingWal' },
        ],
        'finishWal.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    quarantiningWal: {
      description: 'Move the log into quarantine, then judge the checkpoint by itself.',
      entry: ['nextOperation', { type: 'requestKeeping', params: { operation: 'quarantineWal' } }],
      on: {
        'quarantineWal.done': {
          guard: 'isCurrent',
          target: 'checkingCheckpoint',
          actions: 'rememberKept',
        },
        'quarantineWal.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    deletingWal: {
      description: 'Nothing depends on the log any more: unlink it.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'deleteWal' } }],
      on: {
        'deleteWal.done': { guard: 'isCurrent', target: 'checkingCheckpoint' },
        'deleteWal.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    checkingCheckpoint: {
      description:
        'Read the checkpoint, verify its seal; parse it if the seal does not vouch for it.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'checkCheckpoint' } }],
      on: {
        'checkCheckpoint.done': {
          guard: 'isCurrent',
          target: 'decidingCheckpoint',
          actions: ['rememberCheckpoint', 'decideCheckpoint'],
        },
        'checkCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    decidingCheckpoint: {
      description: 'The second table of docs/recovery.md.',
      always: [
        {
          guard: { type: 'hasDecided', params: { action: 'accept' } },
          target: 'removingLeftovers',
          actions: 'acceptCheckpoint',
        },
        {
          guard: { type: 'hasDecided', params: { action: 'start' } },
          target: 'removingLeftovers',
        },
        {
          guard: { type: 'hasDecided', params: { action: 'adopt' } },
          target: 'adoptingCheckpoint',
        },
        {
          guard: { type: 'hasDecided', params: { action: 'searchHistory' } },
          target: 'checkingHistory',
        },
        { target: 'refused', actions: 'rememberRefusal' },
      ],
    },
    adoptingCheckpoint: {
      description: 'Take the file as it is as the next state; the next save seals it.',
      entry: ['nextOperation', 'requestAdoption'],
      on: {
        'adoptCheckpoint.done': {
          guard: 'isCurrent',
          target: 'removingLeftovers',
          actions: 'countAdoption',
        },
        'adoptCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    checkingHistory: {
      description: 'Look for the newest history entry that verifies.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'findInHistory' } }],
      on: {
        'findInHistory.done': {
          guard: 'isCurrent',
          target: 'decidingHistory',
          actions: ['rememberHistory', 'decideHistory'],
        },
        'findInHistory.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    decidingHistory: {
      description: 'The third table of docs/recovery.md.',
      always: [
        {
          guard: { type: 'hasDecided', params: { action: 'restore' } },
          target: 'keepingCheckpoint',
        },
        { target: 'refused', actions: 'rememberRefusal' },
      ],
    },
    keepingCheckpoint: {
      description: 'Copy the file that can not be used into quarantine.',
      entry: ['nextOperation', { type: 'requestKeeping', params: { operation: 'keepCheckpoint' } }],
      on: {
        'keepCheckpoint.done': {
          guard: 'isCurrent',
          target: 'restoringFromHistory',
          actions: 'rememberKept',
        },
        'keepCheckpoint.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    restoringFromHistory: {
      description: 'Publish that entry again, as a save of its own with a new sequence number.',
      invoke: {
        id: 'write',
        src: 'write',
        input: ({ context }) => ({
          io: context.io,
          sequence: context.highestSequence + 1,
          label: `restored from ${context.history?.newest?.sequence ?? 0}`,
          source: { kind: 'history', sequence: context.history?.newest?.sequence ?? 0 },
          promisedWhenLogged: false,
          syncRetryLimit: context.syncRetryLimit,
        }),
        onDone: [
          {
            guard: { type: 'hasCommitted', params: ({ event }) => ({ output: event.output }) },
            target: 'removingLeftovers',
            actions: 'rememberRestore',
          },
          {
            target: 'refused',
            actions: {
              type: 'rememberFailedWrite',
              params: ({ event }) => ({ output: event.output }),
            },
          },
        ],
      },
    },
    removingLeftovers: {
      description: 'Remove temporary files of saves that a crash cut off.',
      entry: ['nextOperation', { type: 'request', params: { operation: 'removeLeftovers' } }],
      on: {
        'removeLeftovers.done': { guard: 'isCurrent', target: 'ready', actions: 'rememberRemoved' },
        'removeLeftovers.failed': [
          { guard: 'isStale' },
          { target: 'refused', actions: 'rememberFailure' },
        ],
      },
    },
    ready: {
      type: 'final',
      description: 'There is no log; the checkpoint is a state that the store can go on from.',
    },
    refused: {
      type: 'final',
      description: 'Nothing was deleted; a person has to look.',
    },
  },
});

/** Why a file is set aside: what was decided about it, not about what takes its place. */
function reasonToKeep(
  { decided, wal }: RecoveryContext,
  operation: 'quarantineWal' | 'keepCheckpoint',
): string {
  if (operation === 'quarantineWal' && wal?.verdict === 'partlyDamaged') return walTailCase.label;
  return decided.findLast(({ label }) => !label.startsWith('history-'))?.label ?? 'unexplained';
}

/** The log's sequence number if it may have promised it; else the number is free to be used again. */
function promisedBy(wal: WalEvidence | undefined): number {
  const isSealed = ['sealed', 'partlyDamaged', 'damaged'].includes(wal?.verdict ?? 'absent');
  return isSealed ? Math.max(wal?.sequence ?? 0, wal?.claimed ?? 0) : 0;
}

function outputOf(context: RecoveryContext): RecoveryOutput {
  const { wal, checkpoint, history, decided, kept, removed, error } = context;
  const decisions = decided.map(({ label, action, because, finding }) => ({
    label,
    action,
    because,
    finding,
  }));
  const report: RecoveryReport = {
    outcome: error === undefined ? 'ready' : 'refused',
    clean: error === undefined && wal === undefined && !decisions.some(({ finding }) => finding),
    sequence: context.sequence,
    ...(wal && { wal }),
    ...(checkpoint && { checkpoint }),
    ...(history && { history }),
    decisions,
    lost: error === undefined ? lostBy(context) : [],
    kept,
    removed,
    ...(error && { problem: toProblem(error) }),
  };
  return { report, highestSequence: context.highestSequence, ...(error && { error }) };
}
