/**
 * What every machine that does I/O keeps and asks of its events; the messages themselves are typed in
 * `src/io/io-messages.ts`.
 */
import type { AnyActorRef } from 'xstate';
import type { IoFailure } from '../io/checkpoint-io.js';

/** What every machine that does I/O keeps in its context. */
export interface IoContext {
  /** The `io` actor of the store. */
  readonly io: AnyActorRef;
  /** The number of the operation asked for last. */
  readonly operationId: number;
}

/** Whether an event answers the operation asked for last. */
export function isCurrentReply(context: IoContext, event: { readonly type: string }): boolean {
  return 'id' in event && event.id === context.operationId;
}

/** How the failed operation failed, if the event says so. */
export function failureOf(event: { readonly type: string }): IoFailure | undefined {
  return 'failure' in event ? (event.failure as IoFailure) : undefined;
}
