/**
 * One machine of a durable actor's tree: it takes an event when its turn has come, computes the transition
 * with all effects held back, and does them when it is told that the snapshot is saved. What it shows to
 * others is always a durable snapshot.
 */
import type { AnyActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate';
import {
  type AnySnapshot,
  type Arrival,
  CONTINUE,
  type DurableChild,
  type DurableExtras,
  type DurablePart,
  type Order,
  SAVED,
  type Waiter,
} from './durable-part.js';
import type { DurableRun } from './durable-run.js';
import { EffectCapture, type OutboxItem, type Remembered, remember } from './held-effects.js';
import { isMachine } from './rebuild-machine.js';
import { insertInOrder } from './turns.js';
import { Unfinished } from './unfinished.js';

interface Pending {
  readonly snapshot: AnySnapshot;
  readonly capture: EffectCapture;
  readonly remembered: Remembered;
  readonly number: number;
  readonly waiter: Waiter | undefined;
  readonly order: Order;
}

const ENDS = /^xstate\.(?:done|error)\.actor\.(.*)$/s;
const NEWS = /^xstate\.(?:done\.actor|error\.actor|snapshot)\./;

/** See the head of this file. */
export class DurableEntry implements DurablePart {
  performing: string | undefined;
  lastOrder: Order = [];
  readonly children = new Map<string, DurableChild>();
  readonly self: AnyActorRef;
  readonly #logic: AnyActorLogic;
  readonly #run: DurableRun;
  readonly #unfinished: Unfinished;
  /** Events that wait for their turn. */
  readonly #queue: Arrival[] = [];
  /** Events that have been sent and have not come yet, in order. */
  readonly #arrivals: Arrival[] = [];
  /** The snapshots of children that were told last. */
  readonly #told = new Map<string, unknown>();
  #pending: Pending | undefined;
  /** Of a restored machine: what it does its effects with if it has ended. */
  #scope: AnyActorScope | undefined;

  constructor(self: AnyActorRef, logic: AnyActorLogic, run: DurableRun) {
    this.self = self;
    this.#logic = logic;
    this.#run = run;
    this.#unfinished = new Unfinished(this, logic, run);
  }

  get outbox(): ReadonlySet<OutboxItem> {
    return this.#unfinished.outbox;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  get firstOrder(): Order | undefined {
    return this.#queue[0]?.order;
  }

  get pendingOrder(): Order | undefined {
    return this.#pending?.order;
  }

  get newest(): AnySnapshot | undefined {
    return this.#pending?.snapshot;
  }

  /** The first snapshot; its effects wait for {@link start}. */
  initial(scope: AnyActorScope, input: unknown): AnySnapshot {
    const capture = new EffectCapture(scope);
    const snapshot = this.#logic.getInitialSnapshot(capture.scope, input) as AnySnapshot;
    // After those of its children, which XState starts first: see the transitions.
    const number = this.#run.nextNumber();
    const pending = this.#hold(snapshot, capture, number, [], undefined, undefined);
    // XState does not start what has ended at once; its effects come due all the same.
    if (snapshot.status === 'active') this.#pending = pending;
    else scope.defer(() => this.#perform(pending, scope));
    return snapshot;
  }

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
      const hasEnded = (ref.getSnapshot() as Snapshot<unknown>).status !== 'active';
      this.children.set(id, { ref, entry, hasEnded, settled });
      this.#run.created(ref, entry);
    }
    this.#unfinished.restore(durable);
    this.#scope = scope;
    this.#run.know(snapshot, this);
    // XState starts neither; of the root it does what is deferred.
    if (snapshot.status !== 'active' && this.self._parent === undefined) {
      scope.defer(() => this.#resume(scope));
    }
    return snapshot;
  }

  /** Its snapshot is durable: what it holds may begin. */
  start(snapshot: AnySnapshot, scope: AnyActorScope): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#logic.start?.(snapshot, scope);
    if (pending !== undefined) scope.defer(() => this.#begin(pending, scope));
    if (this.#scope !== undefined) scope.defer(() => this.#resume(scope));
  }

  resumeEnded(): void {
    const scope = this.#scope;
    if (scope === undefined) return;
    // It is not running, so XState would put off what it is given to do.
    this.#resume({
      ...scope,
      defer: (run) => run(),
      actionExecutor: ({ exec, info, params }) => exec?.(info, params),
    });
  }

  /** One event: at once, or when its turn has come. */
  transition(snapshot: AnySnapshot, event: EventObject, scope: AnyActorScope): AnySnapshot {
    if (event.type === 'xstate.stop') return this.#stop(snapshot, event, scope);
    if (event === SAVED) return this.#release(snapshot, scope);
    const failure = this.#run.failureIn(event);
    if (failure !== undefined) this.#break(snapshot, failure.error, scope);
    const arrival = this.#arrivalOf(event);
    if (this.#run.isRemoved(this.self)) return this.#takeLast(snapshot, arrival, scope);
    if (event !== CONTINUE) insertInOrder(this.#queue, arrival);
    const hadTurn = this.#takeAll(snapshot, scope);
    this.#run.turns.waits(this, this.#queue.length > 0);
    if (hadTurn && this.#pending === undefined) scope.defer(() => this.#run.turns.nudge());
    return snapshot;
  }

  dropAll(): void {
    const left = [...this.#queue.splice(0), ...this.#arrivals.splice(0)];
    const taken = left.filter(({ event }) => this.#run.tracked.take(event) !== 'untracked');
    if (taken.length > 0) this.#run.saveSoon();
  }

  /** @returns whether there was a turn */
  #takeAll(snapshot: AnySnapshot, scope: AnyActorScope): boolean {
    let hadTurn = false;
    while (this.#pending === undefined && this.#queue.length > 0 && this.#run.turns.mayTake(this)) {
      const next = this.#queue.shift();
      hadTurn = true;
      if (next !== undefined && !this.#isVoid(next)) this.#take(snapshot, next, scope);
    }
    return hadTurn;
  }

  #arrivalOf(event: EventObject): Arrival {
    const at = this.#arrivals.findIndex((arrival) => arrival.event === event);
    const found = this.#arrivals.splice(0, at + 1).at(-1);
    return found ?? { event, source: undefined, order: this.#run.turns.nextOrder() };
  }

  /**
   * What an actor sends after its parent has left the state that it belongs to has not been sent: in XState it
   * would have been stopped. What a machine sends it has sent durably; only of its end nobody is told then.
   */
  #isVoid({ event, source }: Arrival): boolean {
    const isNews = NEWS.test(event.type);
    if (source !== undefined && source !== this.self && this.#run.isRemoved(source)) {
      if (isNews || this.#run.partOf(source) === undefined) return true;
    }
    if (!isNews || source === undefined || !('snapshot' in event)) return false;
    // XState tells a parent of every event that its child has looked at.
    if (this.#told.get(source.id) === event.snapshot) return true;
    this.#told.set(source.id, event.snapshot);
    return false;
  }

  #take(snapshot: AnySnapshot, { event, order }: Arrival, scope: AnyActorScope): void {
    const taken = this.#run.tracked.take(event);
    if (taken === 'void') return;
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
      if (taken === 'taken' || ended !== undefined) this.#run.saveSoon();
      waiter?.resolve(snapshot);
      return;
    }
    this.#pending = this.#hold(next, capture, number, order, snapshot, waiter);
    this.#run.save(this);
  }

  /**
   * Its parent has left the state that it belongs to: nothing more of it will be durable. What the parent
   * says as it leaves still reaches it, as it does in XState, and has its effects at once.
   */
  #takeLast(snapshot: AnySnapshot, { event, source }: Arrival, scope: AnyActorScope): AnySnapshot {
    if (source === undefined || source !== this.self._parent) return snapshot;
    this.#run.tracked.take(event);
    return this.#logic.transition(snapshot, event, scope) as AnySnapshot;
  }

  #hold(
    snapshot: AnySnapshot,
    capture: EffectCapture,
    number: number,
    order: Order,
    before: AnySnapshot | undefined,
    waiter: Waiter | undefined,
  ): Pending {
    this.#run.know(snapshot, this);
    this.#adoptChildren(snapshot, number);
    for (const child of Object.values(before?.children ?? {})) {
      if (child === undefined || snapshot.children?.[child.id] === child) continue;
      this.#told.delete(child.id);
      this.#run.remove(child);
      for (const item of this.#run.unheardOf(child)) this.#unfinished.add(item);
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
    for (const item of remembered.outbox.values()) this.#unfinished.add(item);
    for (const change of remembered.timers) {
      if ('cancel' in change) this.#unfinished.cancel(change.cancel);
      else this.#unfinished.set(change.set);
    }
    return { snapshot, capture, remembered, number, order, waiter };
  }

  #adoptChildren({ children = {} }: AnySnapshot, number: number): void {
    for (const id of [...this.children.keys()]) {
      if (children[id] === undefined) this.children.delete(id);
    }
    for (const [id, ref] of Object.entries(children)) {
      if (ref === undefined || this.children.get(id)?.ref === ref) continue;
      this.children.set(id, { ref, entry: number, hasEnded: false, settled: false });
      this.#run.created(ref, number);
    }
  }

  #release(shown: AnySnapshot, scope: AnyActorScope): AnySnapshot {
    const pending = this.#pending;
    if (pending === undefined) return shown;
    this.#pending = undefined;
    this.lastOrder = pending.order;
    pending.waiter?.resolve(pending.snapshot);
    scope.defer(() => this.#perform(pending, scope));
    if (pending.snapshot.status !== 'active') this.#run.ended(this);
    return pending.snapshot;
  }

  #begin(pending: Pending, scope: AnyActorScope): void {
    const { order, end } = this.#run.turns.begin();
    this.lastOrder = order;
    try {
      this.#perform(pending, scope, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  #perform(pending: Pending, scope: AnyActorScope, end = () => {}): void {
    const { capture, remembered, number, snapshot } = pending;
    this.#orBreak(snapshot, scope, () => {
      for (const [index, effect] of capture.close().entries()) {
        if (effect.kind === 'defer') scope.defer(effect.run);
        else this.perform(`${number}.${index}`, () => scope.actionExecutor(effect.action));
        this.#unfinished.done(remembered.outbox.get(effect));
      }
    });
    // After the effects that are deferred by it.
    scope.defer(() => {
      end();
      this.#run.dropAll(capture.stopped());
      if (snapshot.status !== 'active') this.dropAll();
      this.#run.turns.nudge();
    });
  }

  perform(which: string, action: () => void): void {
    this.performing = which;
    try {
      action();
    } finally {
      this.performing = undefined;
    }
  }

  #resume(scope: AnyActorScope): void {
    const shown = this.self.getSnapshot() as AnySnapshot;
    this.#orBreak(shown, scope, () => {
      this.#unfinished.resume(scope);
      for (const child of this.children.values()) this.#resumeChild(child);
    });
    if (this.self._parent === undefined) this.#run.setRestored();
  }

  /** A child that had ended is not started: what it has left to do is done here, and its end told. */
  #resumeChild({ ref, hasEnded, settled }: DurableChild): void {
    if (!hasEnded) return;
    this.#run.partOf(ref)?.resumeEnded();
    if (settled) return;
    const { status, output, error } = ref.getSnapshot() as Snapshot<unknown>;
    if (status === 'done') {
      this.self.send({ type: `xstate.done.actor.${ref.id}`, output, actorId: ref.id });
    } else if (status === 'error') {
      this.self.send({ type: `xstate.error.actor.${ref.id}`, error, actorId: ref.id });
    }
  }

  #childThatEnded(event: EventObject, { children }: AnySnapshot): DurableChild | undefined {
    const child = this.children.get(ENDS.exec(event.type)?.[1] ?? '');
    return child !== undefined && children?.[child.ref.id] === child.ref ? child : undefined;
  }

  /** An action that throws ends the machine, as in XState. */
  #orBreak(snapshot: AnySnapshot, scope: AnyActorScope, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#break(snapshot, error, scope);
    }
  }

  /** XState leaves the children of an actor that throws running. */
  #break(snapshot: AnySnapshot, error: unknown, scope: AnyActorScope): never {
    const newest = this.#pending?.snapshot;
    for (const child of Object.values({ ...newest?.children, ...snapshot.children })) {
      if (child !== undefined) scope.stopChild(child);
    }
    this.#pending = undefined;
    this.dropAll();
    this.#run.ended(this, error);
    throw error;
  }

  #stop(snapshot: AnySnapshot, event: EventObject, scope: AnyActorScope): AnySnapshot {
    this.#run.stopping(this);
    const newest = this.#pending?.snapshot ?? snapshot;
    this.#pending = undefined;
    // Those that the newest snapshot has not any more would be forgotten.
    for (const child of Object.values(snapshot.children ?? {})) {
      if (child !== undefined && newest.children?.[child.id] !== child) scope.stopChild(child);
    }
    this.#run.turns.gone(this);
    this.dropAll();
    return this.#logic.transition(newest, event, scope) as AnySnapshot;
  }

  extras(): DurableExtras | undefined {
    const children = Object.fromEntries(
      [...this.children].map(([id, { entry, settled }]) => [
        id,
        { entry, ...(settled && { settled }) },
      ]),
    );
    const extras = {
      ...(this.children.size > 0 && { children }),
      ...this.#unfinished.extras(),
    };
    return Object.keys(extras).length > 0 ? extras : undefined;
  }
}
