/**
 * Failures at the port: any operation of the protocol can be made to fail, before or after it was done,
 * in each way that the machines tell apart. Faults of the disk below are `src/io`'s own wrapper.
 */
import { CheckpointError } from '../errors.js';
import type { CheckpointIo, FailureKind, OperationName } from '../io/checkpoint-io.js';
import { isPromiseLike } from '../io/run.js';

/** One failure. */
export interface PortFault {
  /** The operation of the port that fails. */
  readonly operation: OperationName;
  /** Which call of that operation fails, from 1 on; `all` of them from the first. */
  readonly nth: number | 'all';
  /** How it fails, as the protocol sees it. */
  readonly kind: FailureKind;
  /** Whether the operation is done all the same. */
  readonly done?: boolean;
}

/** A port on which these operations fail, and all others work. */
export function faultyIo(io: CheckpointIo, faults: readonly PortFault[]): CheckpointIo {
  const counts = new Map<string, number>();
  const operations = Object.entries(io).map(([name, perform]) => {
    const failing = (input: never) => {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const fault = faults.find(
        ({ operation, nth }) => operation === name && (nth === 'all' || nth === count),
      );
      const act = perform as (input: never) => unknown;
      if (fault === undefined) return act(input);
      if (fault.done !== true) throw errorOf(fault);
      const done = act(input);
      if (!isPromiseLike(done)) throw errorOf(fault);
      return done.then(() => {
        throw errorOf(fault);
      });
    };
    return [name, failing];
  });
  return Object.fromEntries(operations) as CheckpointIo;
}

function errorOf({ operation, kind }: PortFault): CheckpointError {
  const message = `${operation} was made to fail (${kind})`;
  switch (kind) {
    case 'write':
      return new CheckpointError('WRITE_FAILED', message);
    case 'read':
      return new CheckpointError('READ_FAILED', message);
    case 'sync':
      return new CheckpointError('SYNC_FAILED', message);
    case 'directorySync':
      return new CheckpointError('SYNC_FAILED', message, { directory: true });
    case 'lockLost':
      return new CheckpointError('LOCK_LOST', message);
    case 'unexplained':
      return new CheckpointError('LOG_IN_THE_WAY', message);
  }
}

/** A fault as one line. */
export function describeFault({ operation, nth, kind, done }: PortFault): string {
  const which = nth === 'all' ? 'every' : `no. ${nth} of`;
  return `${which} ${operation} fails (${kind}${done === true ? ', although done' : ''})`;
}

const writing: readonly OperationName[] = [
  'writeIntent',
  'writeData',
  'syncWal',
  'writeCheckpoint',
  'syncCheckpoint',
  'deleteWal',
];

const recovering: readonly OperationName[] = [
  'checkWal',
  'readWal',
  'verifyWal',
  'quarantineWal',
  'finishWal',
  'loadWal',
  'writeCheckpoint',
  'syncCheckpoint',
  'deleteWal',
  'checkCheckpoint',
  'findInHistory',
  'keepCheckpoint',
  'adoptCheckpoint',
  'removeLeftovers',
];

/** Failures of a run, each a plan of its own: every step of the protocol in every way. */
export const runFaults: readonly (readonly PortFault[])[] = [
  ...writing.flatMap((operation): PortFault[][] => [
    [{ operation, nth: 1, kind: 'write' }],
    [{ operation, nth: 2, kind: 'write', done: operation !== 'syncCheckpoint' }],
  ]),
  ...(['syncWal', 'syncCheckpoint'] as const).flatMap((operation): PortFault[][] => [
    [{ operation, nth: 2, kind: 'sync' }],
    [{ operation, nth: 'all', kind: 'sync' }],
    [{ operation, nth: 2, kind: 'directorySync' }],
  ]),
  [{ operation: 'syncCheckpoint', nth: 2, kind: 'lockLost' }],
  [{ operation: 'writeIntent', nth: 2, kind: 'unexplained' }],
  [
    { operation: 'syncWal', nth: 1, kind: 'sync' },
    { operation: 'dropWal', nth: 1, kind: 'write' },
  ],
  [
    { operation: 'syncCheckpoint', nth: 1, kind: 'sync' },
    { operation: 'dropTemporary', nth: 1, kind: 'write' },
  ],
  [
    { operation: 'writeData', nth: 1, kind: 'write' },
    { operation: 'abandonRound', nth: 1, kind: 'directorySync' },
  ],
  [{ operation: 'observeCheckpoint', nth: 2, kind: 'lockLost' }],
  [{ operation: 'observeCheckpoint', nth: 2, kind: 'read' }],
  [{ operation: 'adoptCheckpoint', nth: 2, kind: 'write' }],
  [{ operation: 'keepCheckpoint', nth: 1, kind: 'write' }],
  [{ operation: 'acquireLock', nth: 1, kind: 'write' }],
  [{ operation: 'releaseLock', nth: 1, kind: 'write' }],
  [{ operation: 'checkWal', nth: 1, kind: 'read' }],
  [
    { operation: 'checkWal', nth: 1, kind: 'read' },
    { operation: 'releaseLock', nth: 1, kind: 'write' },
  ],
];

/** Failures of a recovery, each a plan of its own. */
export const recoveryFaults: readonly (readonly PortFault[])[] = [
  ...recovering.map((operation): PortFault[] => [{ operation, nth: 1, kind: 'read' }]),
  [{ operation: 'writeData', nth: 1, kind: 'write' }],
];
