/**
 * One machine of a durable actor's tree: it takes an event only when nothing of it waits to become
 * durable, computes the transition with all effects held back, and does them when it is told that the
 * snapshot is saved. What it shows to others is always a durable snapshot.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate';
import {
  type AnySnapshot,
  type Arrival,
  CONTINUE,
  type DurableChild,
  type DurableExtras,
  type DurablePart,
  SAVED,
  type Waiter,
} from './durable-part.js';
import type { DurableRun } from './durable-run.js';
import {
  type DurableTimer,
  EffectCapture,
  type OutboxItem,
  type Remembered,
  remember,
} from './held-effects.js';
import { isMachine } from './rebuild-machine.js';
import { reviveActors } from './snapshot-codec.js';

interface Pending {
  readonly snapshot: AnySnapshot;
  readonly capture: EffectCapture;
  readonly remembered: Remembered;
  readonly number: number;
  readonly waiter: Waiter | undefined;
}

/** See the head of this file. */
export class DurableEntry implements DurablePart {
  /** The transition whose effects are being done. */
  performing: number | undefined;
  readonly children = new Map<string, DurableChild>();
  readonly timers = new Map<string, DurableTimer>();
  readonly outbox = new Set<OutboxItem>();
  readonly self: AnyActorRef;
  readonly #logic: AnyActorLogic;
  readonly #run: DurableRun;
  readonly #queue: EventObject[] = [];
  /** What is on its way here, in order. */
  readonly #arrivals: Arrival[] = [];
  #pending: Pending | undefined;
  #isRestored = false;

  constructor(self: AnyActorRef, logic: AnyActorLogic, run: DurableRun) {
    this.self = self;
    this.#logic = logic;
    this.#run = run;
  }

  /** Whether there is something that is not durable yet. */
  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /** What it will be once everything is durable. */
  get newest(): AnySnapshot | undefined {
    return this.#pending?.snapshot;
  }

  /** The first snapshot; its effects wait for {@link start}. */
  initial(scope: AnyActorScope, input: unknown): AnySnapshot {
    const capture = new EffectCapture(scope);
    const snapshot = this.#logic.getInitialSnapshot(capture.scope, input) as AnySnapshot;
    // After those of its children, which XState starts first: see the transitions.
    const number = this.#run.nextNumber();
    const pending = this.#hold(snapshot, capture, number, undefined, undefined);
    // XState does not start what has ended at once; its effects come due all the same.
    if (snapshot.status === 'active') this.#pending = pending;
    else scope.defer(() => this.#perform(pending, scope));
    return snapshot;
  }

  /** An event has been sent to it. */
  arrives(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  /** The snapshot of an earlier run, with what that run had left to do. */
  restore(
    persisted: Snapshot<unknown> & { readonly durable?: DurableExtras },
    scope: AnyActorScope,
  ): AnySnapshot {
    const { durable = {}, ...plain } = persisted;
    const restore = this.#logic.restoreSnapshot;
    const snapshot = (restore ? restore(plain as Snapshot<unknown>, scope) : plain) as AnySnapshot;
    for (const [id, ref] of Object.entries(snapshot.children ?? {})) {
      if (ref === undefined) continue;
      const { entry = 0, settled = false } = durable.children?.[id] ?? {};
      this.children.set(id, { ref, entry, settled });
      this.#run.created(ref, entry);
    }
    for (const timer of durable.timers ?? []) this.timers.set(timer.id, timer);
    for (const item of durable.outbox ?? []) this.outbox.add(item);
    this.#isRestored = true;
    this.#run.know(snapshot, this);
    if (snapshot.status !== 'active') scope.defer(() => this.#resume(scope));
    return snapshot;
  }

  /** Its snapshot is durable: what it holds may begin. */
  start(snapshot: AnySnapshot, scope: AnyActorScope): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#logic.start?.(snapshot, scope);
    if (pending !== undefined) scope.defer(() => this.#perform(pending, scope));
    if (this.#isRestored) scope.defer(() => this.#resume(scope));
  }

  /** One event: at once, or when what came before it is durable. */
  transition(snapshot: AnySnapshot, event: EventObject, scope: AnyActorScope): AnySnapshot {
    if (event.type === 'xstate.stop') return this.#stop(snapshot, event, scope);
    if (event === SAVED) return this.#release(snapshot, scope);
    const arrival = this.#arrivalOf(event);
    const failure = this.#run.failureIn(event);
    if (failure !== undefined) this.#break(snapshot, failure.error, scope);
    if (arrival?.isLate) return snapshot;
    if (this.#run.isRemoved(this.self)) return this.#takeLast(snapshot, event, arrival, scope);
    if (event !== CONTINUE) this.#queue.push(event);
    while (this.#pending === undefined) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#take(snapshot, next, scope);
    }
    return snapshot;
  }

  #arrivalOf(event: EventObject): Arrival | undefined {
    const at = this.#arrivals.findIndex((arrival) => arrival.event === event);
    return at < 0 ? undefined : this.#arrivals.splice(0, at + 1).at(-1);
  }

  /**
   * Its parent has left the state that it belongs to: nothing more of it will be durable. What the parent
   * says as it leaves still reaches it, as it does in XState, and has its effects at once.
   */
  #takeLast(
    snapshot: AnySnapshot,
    event: EventObject,
    arrival: Arrival | undefined,
    scope: AnyActorScope,
  ): AnySnapshot {
    if (arrival?.isParents !== true) return snapshot;
    this.#run.take(event);
    const newest = this.#pending?.snapshot ?? snapshot;
    this.#pending = undefined;
    return this.#logic.transition(newest, event, scope) as AnySnapshot;
  }

  #take(snapshot: AnySnapshot, event: EventObject, scope: AnyActorScope): void {
    const wasTracked = this.#run.take(event);
    const waiter = this.#run.waiterFor(event);
    const ended = this.#childThatEnded(event, snapshot);
    if (ended !== undefined) ended.settled = true;
    const capture = new EffectCapture(scope);
    // Before those of the machines that it creates: what falls due at the same time keeps its order.
    const number = this.#run.nextNumber();
    let next: AnySnapshot;
    try {
      next = this.#logic.transition(snapshot, event, capture.scope) as AnySnapshot;
    } catch (error) {
      this.#break(snapshot, error, scope);
    }
    if (next === snapshot && capture.effects.length === 0) {
      this.#run.giveBack(number);
      if (wasTracked || ended !== undefined) this.#run.saveSoon();
      waiter?.resolve(snapshot);
      return;
    }
    this.#pending = this.#hold(next, capture, number, snapshot, waiter);
    this.#run.save(this);
  }

  /** XState leaves the children of an actor that throws running. */
  #break(snapshot: AnySnapshot, error: unknown, scope: AnyActorScope): never {
    for (const child of Object.values(snapshot.children ?? {})) {
      if (child !== undefined) scope.stopChild(child);
    }
    this.#pending = undefined;
    this.#run.ended(this, error);
    throw error;
  }

  #hold(
    snapshot: AnySnapshot,
    capture: EffectCapture,
    number: number,
    before: AnySnapshot | undefined,
    waiter: Waiter | undefined,
  ): Pending {
    this.#run.know(snapshot, this);
    this.#adoptChildren(snapshot, number);
    for (const child of Object.values(before?.children ?? {})) {
      if (child !== undefined && snapshot.children?.[child.id] !== child) this.#run.remove(child);
    }
    const logic = this.#logic;
    const remembered = remember(capture.effects, {
      self: this.self,
      number,
      nowMs: this.#run.nowMs(),
      context: 'context' in snapshot ? snapshot.context : undefined,
      isInTree: (actor) => this.#run.pathOf(actor) !== undefined,
      actionNamed: (type) => (isMachine(logic) ? logic.implementations.actions[type] : undefined),
    });
    for (const item of remembered.outbox.values()) {
      this.outbox.add(item);
      if (item.kind === 'send') this.#run.track(item.event, () => this.outbox.delete(item));
    }
    for (const change of remembered.timers) {
      if ('cancel' in change) this.timers.delete(change.cancel);
      else this.#watch(change.set);
    }
    return { snapshot, capture, remembered, number, waiter };
  }

  #watch(timer: DurableTimer): void {
    this.timers.set(timer.id, timer);
    this.#run.track(timer.event, () => {
      if (this.timers.get(timer.id) === timer) this.timers.delete(timer.id);
    });
  }

  #adoptChildren({ children = {} }: AnySnapshot, number: number): void {
    for (const id of [...this.children.keys()]) {
      if (children[id] === undefined) this.children.delete(id);
    }
    for (const [id, ref] of Object.entries(children)) {
      if (ref === undefined || this.children.get(id)?.ref === ref) continue;
      this.children.set(id, { ref, entry: number, settled: false });
      this.#run.created(ref, number);
    }
  }

  #release(shown: AnySnapshot, scope: AnyActorScope): AnySnapshot {
    const pending = this.#pending;
    if (pending === undefined) return shown;
    this.#pending = undefined;
    scope.defer(() => {
      this.#perform(pending, scope);
      if (this.#queue.length > 0) this.self.send(CONTINUE);
    });
    pending.waiter?.resolve(pending.snapshot);
    if (pending.snapshot.status !== 'active') this.#run.ended(this);
    return pending.snapshot;
  }

  #perform({ capture, remembered, number }: Pending, scope: AnyActorScope): void {
    for (const effect of capture.close()) {
      if (effect.kind === 'defer') scope.defer(effect.run);
      else this.#do(number, () => scope.actionExecutor(effect.action));
      this.#done(remembered.outbox.get(effect));
    }
  }

  /** What is done; a message to another actor is done when that one takes it. */
  #done(item: OutboxItem | undefined): void {
    if (item === undefined || item.kind === 'send') return;
    this.outbox.delete(item);
    this.#run.saveSoon();
  }

  #do(number: number, action: () => void): void {
    this.performing = number;
    try {
      action();
    } finally {
      this.performing = undefined;
    }
  }

  #resume(scope: AnyActorScope): void {
    for (const timer of this.timers.values()) {
      this.#run.setLater(timer, () => this.#setAgain(timer, scope));
    }
    for (const { ref, settled } of this.children.values()) {
      const { status, output, error } = ref.getSnapshot() as Snapshot<unknown>;
      if (settled) continue;
      if (status === 'done') {
        this.self.send({ type: `xstate.done.actor.${ref.id}`, output, actorId: ref.id });
      } else if (status === 'error') {
        this.self.send({ type: `xstate.error.actor.${ref.id}`, error, actorId: ref.id });
      }
    }
    for (const item of [...this.outbox]) this.#redo(item, scope);
    if (this.self._parent === undefined) this.#run.setRestored();
  }

  #setAgain(stored: DurableTimer, scope: AnyActorScope): void {
    const find = (path: readonly string[]) => this.#run.find(path);
    const timer = { ...stored, event: reviveActors(stored.event, find) as EventObject };
    const target = this.#run.findAt(timer);
    if (target === undefined) {
      this.timers.delete(timer.id);
      return;
    }
    this.#watch(timer);
    const delayMs = Math.max(0, timer.dueMs - this.#run.nowMs());
    scope.system.scheduler.schedule(this.self, target, timer.event, delayMs, timer.id);
  }

  #redo(stored: OutboxItem, scope: AnyActorScope): void {
    const item = reviveActors(stored, (path) => this.#run.find(path)) as OutboxItem;
    const { event } = item;
    if (item.kind === 'send') {
      this.#run.track(event, () => this.outbox.delete(stored));
      const target = this.#run.findAt(item);
      if (target === undefined) this.outbox.delete(stored);
      else target.send(event);
      return;
    }
    if (item.kind === 'emit') scope.emit(event);
    else this.#redoAction(item, scope);
    this.#done(stored);
  }

  #redoAction(item: Extract<OutboxItem, { kind: 'action' }>, scope: AnyActorScope): void {
    const { type, params, event, number } = item;
    const exec = isMachine(this.#logic) ? this.#logic.implementations.actions[type] : undefined;
    const shown = this.self.getSnapshot() as { readonly context: unknown };
    const context = (item.context ?? shown.context) as Record<string, unknown>;
    const info = { context, event, self: this.self, system: scope.system };
    this.#do(number, () =>
      scope.actionExecutor({ type, params, info, exec } as Parameters<
        AnyActorScope['actionExecutor']
      >[0]),
    );
  }

  #childThatEnded(event: EventObject, { children }: AnySnapshot): DurableChild | undefined {
    const { type } = event;
    if (!type.startsWith('xstate.done.actor.') && !type.startsWith('xstate.error.actor.'))
      return undefined;
    const child = this.children.get(type.slice(type.indexOf('.actor.') + '.actor.'.length));
    return child !== undefined && children?.[child.ref.id] === child.ref ? child : undefined;
  }

  #stop(snapshot: AnySnapshot, event: EventObject, scope: AnyActorScope): AnySnapshot {
    this.#run.stopping(this);
    const newest = this.#pending?.snapshot ?? snapshot;
    this.#pending = undefined;
    this.#queue.length = 0;
    // Those that the newest snapshot has not any more would be forgotten.
    for (const child of Object.values(snapshot.children ?? {})) {
      if (child !== undefined && newest.children?.[child.id] !== child) scope.stopChild(child);
    }
    return this.#logic.transition(newest, event, scope) as AnySnapshot;
  }

  /** What is saved of it besides its snapshot; `undefined` where there is nothing. */
  extras(): DurableExtras | undefined {
    const children = Object.fromEntries(
      [...this.children].map(([id, { entry, settled }]) => [
        id,
        { entry, ...(settled && { settled }) },
      ]),
    );
    const extras = {
      ...(this.children.size > 0 && { children }),
      ...(this.timers.size > 0 && {
        timers: [...this.timers.values()].map((timer) => this.#run.addressed(timer)),
      }),
      ...(this.outbox.size > 0 && {
        outbox: [...this.outbox].map((item) =>
          item.kind === 'send' ? this.#run.addressed(item) : item,
        ),
      }),
    };
    return Object.keys(extras).length > 0 ? extras : undefined;
  }
}
