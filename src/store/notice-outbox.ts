/**
 * The way of a notice to whom it is for: through the root machine, so that an inspector sees who sends
 * it, and directly once that machine has ended. Never to an actor that has ended.
 */
import type { AnyActorRef } from 'xstate';
import type { CheckpointNotice } from './checkpoint-notices.js';

/** Whether an actor still takes events. */
export function isRunning(actor: AnyActorRef): boolean {
  return actor.getSnapshot()?.status === 'active';
}

/** See the head of this file. */
export class NoticeOutbox {
  readonly #machine: AnyActorRef;
  /** Handed to the machine, which has not passed them on yet. */
  readonly #handed = new Map<number, { to: AnyActorRef; notice: CheckpointNotice<unknown> }>();
  #last = 0;

  constructor(machine: AnyActorRef) {
    this.#machine = machine;
  }

  /** Tells somebody, if there is somebody who still listens. */
  send(to: AnyActorRef | undefined, notice: CheckpointNotice<unknown>): void {
    if (to === undefined || !isRunning(to)) return;
    if (!isRunning(this.#machine)) {
      to.send(notice);
      return;
    }
    this.#last += 1;
    const id = this.#last;
    this.#handed.set(id, { to, notice });
    this.#machine.send({ type: 'notice.due', id, to, notice });
  }

  /** The machine has passed one on. */
  passed(id: number): void {
    this.#handed.delete(id);
  }

  /** The machine has ended: what it has not passed on goes directly. */
  flush(): void {
    const left = [...this.#handed.values()];
    this.#handed.clear();
    for (const { to, notice } of left) if (isRunning(to)) to.send(notice);
  }
}
