/**
 * The one long-lived actor that does a store's I/O. It takes `io.requested`, performs the operation
 * on the port and answers the machine that asked. Where the port answers at once, so does the actor:
 * a run on a simulated disk is synchronous from end to end.
 */
import type { AnyActorRef } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { CheckpointIo, FailureKind, IoFailure, OperationName } from './checkpoint-io.js';
import type {
  CheckpointIoLogic,
  CheckpointRequest,
  IoBehaviour,
  IoEvent,
  IoInput,
  IoRequest,
  IoSnapshot,
} from './io-messages.js';
import { isPromiseLike } from './run.js';

/**
 * Actor logic of which each actor behaves as `begin` says. An actor that XState brings back from a
 * persisted snapshot fails with `NOT_RESUMABLE`: what a store is at is known from its disk alone.
 */
export function createIoLogic(
  begin: (self: AnyActorRef, input: IoInput) => IoBehaviour,
): CheckpointIoLogic {
  const behaviours = new WeakMap<object, IoBehaviour>();
  return {
    begin,
    getInitialSnapshot: ({ self }, input) => {
      const behaviour = begin(self, input);
      behaviours.set(self, behaviour);
      return { ...active, policies: behaviour.policies };
    },
    start: (_snapshot, { self }) => {
      const behaviour = behaviours.get(self);
      if (behaviour === undefined) throw notResumable();
      behaviour.start?.();
    },
    transition: (snapshot, event, { self }) => {
      const behaviour = behaviours.get(self);
      // XState's own event, which is not among those that an actor is sent.
      if ((event.type as string) === 'xstate.stop') {
        behaviour?.stop?.();
        return { ...snapshot, status: 'stopped', output: undefined, error: undefined };
      }
      behaviour?.receive(event);
      return snapshot;
    },
    getPersistedSnapshot: () => active,
    restoreSnapshot: () => active,
  };
}

const active: IoSnapshot = { status: 'active', output: undefined, error: undefined };

/** Actor logic for the machines' `io` actor, on top of one implementation of the port. */
export function createIoActor(io: CheckpointIo): CheckpointIoLogic {
  return createIoLogic((self) => onPort(io, self));
}

/** The same, with a port or other logic given as input: one logic for any number of stores. */
export const ioActor: CheckpointIoLogic = createIoLogic((self, input) => {
  if (input === undefined) throw new TypeError("the 'io' actor needs a port as its input");
  return 'begin' in input ? input.begin(self, undefined) : onPort(input, self);
});

function onPort(io: CheckpointIo, self: AnyActorRef): IoBehaviour {
  return {
    receive: (event) => {
      if (event.type === 'io.requested') perform(io, event, (reply) => event.replyTo.send(reply));
      else if (isContentRequest(event)) refuseContent(event, self._parent);
    },
  };
}

function isContentRequest(event: IoEvent): event is CheckpointRequest {
  return event.type.startsWith('checkpoint.');
}

/** A port moves checkpoints; what is in them is known only to who gave it its content. */
function refuseContent(request: CheckpointRequest, machine: AnyActorRef | undefined): void {
  const { type: command, id, replyTo } = { id: undefined, replyTo: undefined, ...request };
  const to = replyTo ?? machine?._parent;
  if (to?.getSnapshot()?.status !== 'active') return;
  const error = new CheckpointError(
    'NO_CONTENT',
    `The checkpoint actor can't take ${command}: its io is a plain port, which knows no states. Give it input: { io: fileCheckpointIo(options) }.`,
    { outcome: 'notSaved' },
  );
  to.send({ type: 'checkpoint.failed', error, command, ...(id !== undefined && { id }) });
}

function notResumable(): CheckpointError {
  return new CheckpointError(
    'NOT_RESUMABLE',
    "A checkpoint actor can't be brought back from a persisted snapshot: what is on disk may be another state by now. Start it anew; it recovers from the disk by itself.",
  );
}

/** The answer to a request. */
export interface IoAnswer {
  readonly type: `${OperationName}.done` | `${OperationName}.failed`;
  readonly id: number;
  readonly output?: unknown;
  readonly failure?: IoFailure;
}

/** Performs one operation, and hands its answer on: at once where the port answers at once. */
export function perform(
  io: CheckpointIo,
  { operation, input, id }: Pick<IoRequest, 'operation' | 'input' | 'id'>,
  answer: (reply: IoAnswer) => void,
): void {
  const done = (output: unknown) => answer({ type: `${operation}.done`, id, output });
  const failed = (error: unknown) =>
    answer({ type: `${operation}.failed`, id, failure: toFailure(error, operation) });
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
