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
  /** Its end has been taken notice of by its parent. */
  settled: boolean;
}

/** Sent to an actor by its own run; told apart by identity, so nobody else can send them. */
export const SAVED: EventObject = { type: 'checkpoint-wal.saved' };
/** See {@link SAVED}: there are events that waited. */
export const CONTINUE: EventObject = { type: 'checkpoint-wal.continue' };

/** An event on its way to a machine. */
export interface Arrival {
  readonly event: EventObject;
  /** Its sender has been left behind by then. */
  readonly isLate: boolean;
  /** Its sender is the machine's parent. */
  readonly isParents: boolean;
}

/** A machine of the tree, as its run sees it. */
export interface DurablePart {
  readonly self: AnyActorRef;
  /** Whether there is something that is not durable yet. */
  readonly isPending: boolean;
  /** What it will be once everything is durable; `undefined` where that is what it shows. */
  readonly newest: AnySnapshot | undefined;
  /** The transition whose effects are being done. */
  readonly performing: number | undefined;
  readonly children: ReadonlyMap<string, DurableChild>;
  /** An event has been sent to it. */
  arrives(arrival: Arrival): void;
  /** What is saved of it besides its snapshot; `undefined` where there is nothing. */
  extras(): DurableExtras | undefined;
}
