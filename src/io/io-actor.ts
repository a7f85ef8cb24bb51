/**
 * The one long-lived actor that does a store's I/O. It takes `io.requested`, performs the operation
 * on the port and answers the machine that asked. Where the port answers at once, so does the actor:
 * a run on a simulated disk is synchronous from end to end.
 */
import { fromCallback } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { CheckpointIo, FailureKind, IoFailure, OperationName } from './checkpoint-io.js';
import type { IoRequest } from './io-messages.js';
import { isPromiseLike } from './run.js';

/** Actor logic for the machines' `io` actor, on top of one implementation of the port. */
export function createIoActor(io: CheckpointIo) {
  return fromCallback<IoRequest, CheckpointIo | undefined>(({ receive }) => {
    receive((request) => answer(io, request));
  });
}

/** The same, with the implementation given as input: one logic for any number of stores. */
export const ioActor = fromCallback<IoRequest, CheckpointIo | undefined>(({ input, receive }) => {
  if (input === undefined) throw new TypeError("the 'io' actor needs a port as its input");
  receive((request) => answer(input, request));
});

function answer(io: CheckpointIo, { operation, input, id, replyTo }: IoRequest): void {
  const done = (output: unknown) => replyTo.send({ type: `${operation}.done`, id, output });
  const failed = (error: unknown) =>
    replyTo.send({ type: `${operation}.failed`, id, failure: toFailure(error, operation) });
  // The port's type ties input to name; that tie is lost in a message, so it is taken up again here.
  const perform = io[operation] as (input: unknown) => unknown;
  let output: unknown;
  try {
    output = perform(input);
  } catch (error) {
    failed(error);
    return;
  }
  if (isPromiseLike(output)) output.then(done, failed);
  else done(output);
}

/** What the protocol needs to know of an error. */
export function toFailure(error: unknown, operation: OperationName): IoFailure {
  const coded = error instanceof CheckpointError ? error : codeFor(error, operation);
  return { kind: kindOf(coded), published: coded.details.outcome === 'published', error: coded };
}

/** Operations that change nothing before they have read what they need. */
const READING: ReadonlySet<OperationName> = new Set([
  'acquireLock',
  'checkWal',
  'readWal',
  'verifyWal',
  'loadWal',
  'checkCheckpoint',
  'findInHistory',
  'observeCheckpoint',
  'readHealth',
]);

/** An error that no operation has given a code, as a system call that hardly ever fails. */
function codeFor(error: unknown, operation: OperationName): CheckpointError {
  const message = `${operation} failed: ${error instanceof Error ? error.message : String(error)}`;
  const code = READING.has(operation) ? 'READ_FAILED' : 'WRITE_FAILED';
  return new CheckpointError(code, message, {}, { cause: error });
}

function kindOf({ code, details }: CheckpointError): FailureKind {
  switch (code) {
    case 'LOCK_LOST':
      return 'lockLost';
    case 'SYNC_FAILED':
      return details.directory === true ? 'directorySync' : 'sync';
    case 'LOG_IN_THE_WAY':
      return 'unexplained';
    case 'READ_FAILED':
      return 'read';
    default:
      return 'write';
  }
}
