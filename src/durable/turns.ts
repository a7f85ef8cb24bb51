/**
 * The order in which the machines of a durable actor take their events. In XState an event is done with
 * before the next one is looked at; here it has to be saved meanwhile. Machines above and below each other
 * keep XState's order; others do not wait for each other, so that their saves go together.
 */
import type { AnyActorRef } from 'xstate';
import { type Arrival, CONTINUE, type DurablePart, type Order } from './durable-part.js';

/** Comes after everything that an event causes at once. */
const AFTER_ALL = Number.MAX_SAFE_INTEGER;

/** See the head of this file. */
export class Turns {
  /** Machines of which something is not durable yet, or waits for its turn. */
  readonly #busy = new Set<DurablePart>();
  readonly #isRemoved: (actor: AnyActorRef) => boolean;
  #last = 0;
  /** What is being done now is the effect of that event. */
  #cause: Order = [];

  /** `isRemoved`: whether an actor has been left behind; nobody waits for such. */
  constructor(isRemoved: (actor: AnyActorRef) => boolean) {
    this.#isRemoved = isRemoved;
  }

  /**
   * The place of an event that is being sent: right after what causes it. Where that is an effect of the
   * receiver's own last transition, XState has it wait until all of that is done.
   */
  nextOrder(receiver?: DurablePart): Order {
    this.#last += 1;
    const own = receiver?.lastOrder ?? [];
    if (own.length === 0 || !isBeginning(own, this.#cause)) return [...this.#cause, this.#last];
    const isAfter = own.at(-2) === AFTER_ALL;
    return [...(isAfter ? own.slice(0, -1) : [...own, AFTER_ALL]), this.#last];
  }

  /**
   * Begins what a start leads to, which is an event of its own.
   * @returns ends it
   */
  begin(): { readonly order: Order; readonly end: () => void } {
    const before = this.#cause;
    const order = this.nextOrder();
    this.#cause = order;
    return {
      order,
      end: () => {
        this.#cause = before;
      },
    };
  }

  /** Does what an event has led to: what is sent on the way comes right after it. */
  causedBy(order: Order | undefined, act: () => void): void {
    const before = this.#cause;
    this.#cause = order ?? [];
    try {
      act();
    } finally {
      this.#cause = before;
    }
  }

  /**
   * Whether it is a machine's turn. Machines that are above and below each other take their events in the
   * order in which they came, each when the transition before it is durable and done, as they do in XState;
   * others do not wait for each other.
   */
  mayTake(part: DurablePart): boolean {
    const { firstOrder: order } = part;
    for (const other of this.#busy) {
      if (other === part || !isInLine(part.self, other.self)) continue;
      if (this.#isRemoved(other.self)) continue;
      if (other.isPending || isBefore(other.firstOrder, order)) return false;
    }
    return true;
  }

  /** Whether events of a machine wait for their turn. */
  waits(part: DurablePart, isWaiting: boolean): void {
    if (isWaiting || part.isPending) this.#busy.add(part);
    else this.#busy.delete(part);
  }

  /** Lets those go on whose turn has come. */
  nudge(): void {
    const waiting = [...this.#busy]
      .filter(({ firstOrder, isPending }) => firstOrder !== undefined && !isPending)
      .sort((one, other) => (isBefore(one.firstOrder, other.firstOrder) ? -1 : 1));
    for (const part of waiting) {
      if (part.firstOrder !== undefined && this.mayTake(part)) part.self.send(CONTINUE);
    }
  }

  /** A machine has stopped: nobody waits for it. */
  gone(part: DurablePart): void {
    if (!this.#busy.delete(part)) return;
    void Promise.resolve().then(() => this.nudge());
  }
}

function isBeginning(one: Order, other: Order): boolean {
  return one.every((number, index) => number === other[index]);
}

/** Puts an event among those that wait, after all that came before it. */
export function insertInOrder(queue: Arrival[], arrival: Arrival): void {
  const at = queue.findIndex(({ order }) => isBefore(arrival.order, order));
  queue.splice(at < 0 ? queue.length : at, 0, arrival);
}

/** Whether one place is before another; none is after all. */
function isBefore(one: Order | undefined, other: Order | undefined): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  const at = one.findIndex((number, index) => number !== other[index]);
  // What one is the beginning of, it has caused.
  return at < 0
    ? one.length < other.length
    : (one[at] ?? 0) < (other[at] ?? Number.NEGATIVE_INFINITY);
}

/** Whether one is the other, or above or below it. */
function isInLine(one: AnyActorRef, other: AnyActorRef): boolean {
  return isAbove(one, other) || isAbove(other, one);
}

function isAbove(upper: AnyActorRef, lower: AnyActorRef): boolean {
  for (let at: AnyActorRef | undefined = lower; at !== undefined; at = at._parent) {
    if (at === upper) return true;
  }
  return false;
}
