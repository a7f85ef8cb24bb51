/**
 * What a machine of a durable actor has still to do: messages, actions and emitted events that its last
 * transitions asked for, and delayed events. Saved with its snapshot; done by the next run where this one
 * ends before.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope, EventObject } from 'xstate';
import type { DurableExtras } from './durable-part.js';
import type { DurableRun } from './durable-run.js';
import type { DurableTimer, OutboxItem } from './held-effects.js';
import { isMachine } from './rebuild-machine.js';
import { reviveActors } from './snapshot-codec.js';

/** What it needs of its machine. */
export interface UnfinishedOf {
  readonly self: AnyActorRef;
  /** Does an effect, which is known by that name meanwhile. */
  perform(which: string, act: () => void): void;
}

/** See the head of this file. */
export class Unfinished {
  readonly outbox = new Set<OutboxItem>();
  readonly timers = new Set<DurableTimer>();
  readonly #part: UnfinishedOf;
  readonly #logic: AnyActorLogic;
  readonly #run: DurableRun;

  constructor(part: UnfinishedOf, logic: AnyActorLogic, run: DurableRun) {
    this.#part = part;
    this.#logic = logic;
    this.#run = run;
  }

  /** What an earlier run has left. */
  restore({ timers = [], outbox = [] }: DurableExtras): void {
    for (const timer of timers) this.timers.add(timer);
    for (const item of outbox) this.outbox.add(item);
  }

  /** It stays in the outbox until it has been done, or taken by whom it is for. */
  add(item: OutboxItem): void {
    this.outbox.add(item);
    if (item.kind === 'send')
      this.#run.tracked.track(item.event, () => this.outbox.delete(item) || true);
  }

  /** As XState's scheduler: of those with one name the last. */
  cancel(id: string): void {
    const last = [...this.timers].findLast((timer) => timer.id === id);
    if (last !== undefined) this.timers.delete(last);
  }

  /** It counts when it is taken, unless it was cancelled while it waited for its turn. */
  set(timer: DurableTimer): void {
    this.timers.add(timer);
    this.#run.tracked.track(timer.event, () => this.timers.delete(timer));
  }

  /** What is done; a message to another actor is done when that one takes it. */
  done(item: OutboxItem | undefined): void {
    if (item === undefined || item.kind === 'send') return;
    this.outbox.delete(item);
    this.#run.saveSoon();
  }

  /** Does what is left, in order; delayed events are set when all actors are there. */
  resume(scope: AnyActorScope): void {
    for (const item of [...this.outbox]) this.#redo(item, scope);
    for (const timer of this.timers) this.#run.setLater(timer, () => this.#setAgain(timer, scope));
  }

  #setAgain(stored: DurableTimer, scope: AnyActorScope): void {
    this.timers.delete(stored);
    const event = reviveActors(stored.event, this.#run.reviver) as EventObject;
    const timer = { ...stored, event };
    const target = this.#run.findAt(timer);
    if (target === undefined) return;
    this.set(timer);
    const delayMs = Math.max(0, timer.dueMs - this.#run.nowMs());
    scope.system.scheduler.schedule(this.#part.self, target, timer.event, delayMs, timer.id);
  }

  #redo(stored: OutboxItem, scope: AnyActorScope): void {
    const item = reviveActors(stored, this.#run.reviver) as OutboxItem;
    const { event } = item;
    if (item.kind === 'send') {
      const target = this.#run.findAt(item);
      if (target === undefined) this.outbox.delete(stored);
      else {
        this.#run.tracked.track(event, () => this.outbox.delete(stored) || true);
        target.send(event);
      }
      return;
    }
    if (item.kind === 'emit') scope.emit(event);
    else this.#redoAction(item, scope);
    this.done(stored);
  }

  #redoAction(item: Extract<OutboxItem, { kind: 'action' }>, scope: AnyActorScope): void {
    const { type, params, event, number, index } = item;
    const exec = isMachine(this.#logic) ? this.#logic.implementations.actions[type] : undefined;
    const shown = this.#part.self.getSnapshot() as { readonly context: unknown };
    const context = (item.context ?? shown.context) as Record<string, unknown>;
    const info = { context, event, self: this.#part.self, system: scope.system };
    this.#part.perform(`${number}.${index}`, () =>
      scope.actionExecutor({ type, params, info, exec } as Parameters<
        AnyActorScope['actionExecutor']
      >[0]),
    );
  }

  /** As it is saved. */
  extras(): Pick<DurableExtras, 'timers' | 'outbox'> {
    return {
      ...(this.timers.size > 0 && {
        timers: [...this.timers].map((timer) => this.#run.addressed(timer)),
      }),
      ...(this.outbox.size > 0 && {
        outbox: [...this.outbox].map((item) =>
          item.kind === 'send' ? this.#run.addressed(item) : item,
        ),
      }),
    };
  }
}
