/**
 * How a state asks for an I/O operation and how the answer comes back: types only, shared by the
 * machines and the `io` actor. A machine sends one `io.requested` on entering a state and leaves it
 * on `<operation>.done` or `<operation>.failed`. Each request carries a number that is unique in its
 * machine; an answer with another number is stale and ignored.
 */
import type { AnyActorRef } from 'xstate';
import type { IoFailure, IoOperations, OperationName } from './checkpoint-io.js';

/** The request for one operation, as the `io` actor receives it. */
export type IoRequest = {
  [Name in OperationName]: {
    readonly type: 'io.requested';
    readonly operation: Name;
    readonly input: IoOperations[Name]['input'];
    readonly id: number;
    readonly replyTo: AnyActorRef;
  };
}[OperationName];

/** The answer to operations `Names`: done with an output, or failed. */
export type IoReply<Names extends OperationName> = {
  [Name in Names]:
    | {
        readonly type: `${Name}.done`;
        readonly id: number;
        readonly output: IoOperations[Name]['output'];
      }
    | { readonly type: `${Name}.failed`; readonly id: number; readonly failure: IoFailure };
}[Names];
