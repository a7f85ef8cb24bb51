/**
 * What the parts of a durable actor know of each other: a machine of the tree as its run sees it, what is
 * saved of it, and the events by which the run tells it things.
 */
import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { DurableTimer, OutboxItem } from './held-effects.js';

/** A snapshot of any actor; machines have children. */
export type AnySnapshot = Snapshot<unknown> & {
  readonly children?: Record<string, AnyActorRef | undefined>;
};

/** What is saved of a machine besides its own snapshot. */
export interface DurableExtras {
  readonly children?: Readonly<
    Record<string, { readonly entry: number; readonly settled?: boolean }>
  >;
  readonly timers?: readonly DurableTimer[];
  readonly outbox?: readonly OutboxItem[];
}

/** Who waits for the transition that an event leads to. */
export interface Waiter {
  readonly resolve: (snapshot: AnySnapshot) => void;
  readonly reject: (error: unknown) => void;
}

/** A child of a machine, as its entry knows it. */
export interface DurableChild {
  readonly ref: AnyActorRef;
  /** The transition that created it. */
  readonly entry: number;
  /** It had ended in an earlier run. */
  readonly hasEnded: boolean;
  /** Its end has been taken notice of by its parent. */
  settled: boolean;
}

/** Sent to an actor by its own run; told apart by identity, so nobody else can send them. */
export const SAVED: EventObject = { type: 'checkpoint-wal.saved' };
/** See {@link SAVED}: it is the turn of what waits. */
export const CONTINUE: EventObject = { type: 'checkpoint-wal.continue' };

/** An event that has come to a machine and waits for its turn. */
export interface Arrival {
  readonly event: EventObject;
  readonly source: AnyActorRef | undefined;
  readonly order: Order;
}

/**
 * The place of an event among all that come to machines of the tree: after the one that caused it, before
 * those that came later than that. Compared number by number.
 */
export type Order = readonly number[];

/** A machine of the tree, as its run sees it. */
export interface DurablePart {
  readonly self: AnyActorRef;
  /** Whether there is something that is not durable yet. */
  readonly isPending: boolean;
  /** The place of the first event that waits; `undefined` where none does. */
  readonly firstOrder: Order | undefined;
  /** The place of the event whose transition is pending. */
  readonly pendingOrder: Order | undefined;
  /** The place of the event whose effects were done last. */
  readonly lastOrder: Order;
  /** What it will be once everything is durable; `undefined` where that is what it shows. */
  readonly newest: AnySnapshot | undefined;
  /** The effect that is being done: transition and place in it. */
  readonly performing: string | undefined;
  readonly children: ReadonlyMap<string, DurableChild>;
  readonly outbox: ReadonlySet<OutboxItem>;
  /** An event has been sent to it. */
  arrives(arrival: Arrival): void;
  /** It takes nothing any more: what has been sent to it is not waited for. */
  dropAll(): void;
  /** What it was left to do is done, though it has ended. */
  resumeEnded(): void;
  /** What is saved of it besides its snapshot; `undefined` where there is nothing. */
  extras(): DurableExtras | undefined;
}
