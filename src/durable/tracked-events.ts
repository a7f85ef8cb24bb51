/**
 * Events on their way, and who wants to hear when they are taken: messages leave the outbox then, delayed
 * events the list of those that wait. Each is an object of its own, so it is known by identity.
 */
import type { EventObject } from 'xstate';

/** See the head of this file. */
export class TrackedEvents {
  readonly #tracked = new WeakMap<object, () => boolean>();

  /** To be told when an event reaches an actor that takes it; who says `false` then has called it back. */
  track(event: EventObject, onTaken: () => boolean): void {
    this.#tracked.set(event, onTaken);
  }

  /** An event is taken. `void`: it was called back while it waited. */
  take(event: EventObject): 'untracked' | 'taken' | 'void' {
    const onTaken = this.#tracked.get(event);
    if (onTaken === undefined) return 'untracked';
    this.#tracked.delete(event);
    return onTaken() ? 'taken' : 'void';
  }
}
