/**
 * One run of a durable actor: the image of its whole tree, saved whenever a part of it has something new,
 * one save at a time; and what is known of the tree's actors. Whoever waits for a save is in the image of
 * that save or waits for the next.
 */
import {
  type AnyActorRef,
  createEmptyActor,
  type EventObject,
  type InspectionEvent,
  type Snapshot,
} from 'xstate';
import { CheckpointError } from '../errors.js';
import { type DurablePart, SAVED, type Waiter } from './durable-part.js';
import type { Addressee, DurableTimer, OutboxItem } from './held-effects.js';
import type { ActorPath, Mention } from './snapshot-codec.js';
import { TrackedEvents } from './tracked-events.js';
import { Turns } from './turns.js';

/** What a run is given. */
export interface DurableRunOptions {
  /** Names this life of the actor; part of every idempotency key. */
  readonly id: string;
  /** The number of transitions before. */
  readonly transitions: number;
  readonly nowMs: () => number;
  /** Writes the image of the tree. Takes it at once, and resolves when it is durable. */
  readonly write: (root: AnyActorRef, transitions: number) => Promise<void>;
  /** The run has come to its end: stopped, done or failed; and when its last save has ended. */
  readonly onEnd: (settled: Promise<void>) => void;
}

/** The runs that actors belong to. */
const keys = new WeakMap<object, DurableRun>();

/**
 * The stable name of what an actor of a durable actor is doing, for use as an idempotency key: the same
 * when the next run does it again, another one for each time that its state is entered. In the logic of
 * an actor, give it `self`. In an action, `self` is the machine's: the key names the transition.
 * @returns `undefined` for an actor that is not part of a durable one, as in a test of its logic
 */
export function idempotencyKey(actor: AnyActorRef): string | undefined {
  return keys.get(actor)?.keyOf(actor);
}

/** See the head of this file. */
export class DurableRun {
  readonly #options: DurableRunOptions;
  readonly #entries = new WeakMap<object, DurablePart>();
  readonly #known = new WeakMap<object, DurablePart>();
  /** Events that somebody wants to hear of. */
  readonly tracked = new TrackedEvents();
  /** Whose turn it is. */
  readonly turns = new Turns((actor) => this.isRemoved(actor));
  readonly #removed = new WeakSet<object>();
  readonly #created = new WeakMap<object, number>();
  /** Actors that are gone, and are still mentioned. */
  readonly #standIns = new WeakMap<object, Mention>();
  readonly #waiters = new WeakMap<object, Waiter>();
  readonly #open = new Set<Waiter>();
  #restored: { readonly timer: DurableTimer; readonly set: () => void }[] = [];
  #root: AnyActorRef | undefined;
  #transitions: number;
  #waiting: DurablePart[] = [];
  #isDirty = false;
  #saving: Promise<void> | undefined;
  /** The one that is made when the root is stopped. */
  #lastSave: Promise<void> | undefined;
  #failure: { readonly error: unknown; readonly event: EventObject } | undefined;
  #isEnded = false;
  #isStopped = false;
  /** Whether the root has begun. */
  isStarted = false;

  constructor(options: DurableRunOptions) {
    this.#options = options;
    this.#transitions = options.transitions;
  }

  /** The number of the next transition, counted over all runs. */
  nextNumber(): number {
    this.#transitions += 1;
    return this.#transitions;
  }

  /** Takes a number back that nothing has come of. */
  giveBack(number: number): void {
    if (this.#transitions === number) this.#transitions -= 1;
  }

  /** A delayed event of an earlier run, to be set when all actors are there. */
  setLater(timer: DurableTimer, set: () => void): void {
    this.#restored.push({ timer, set });
  }

  /** Sets them, so that those that are due together come in the order in which they were set first. */
  setRestored(): void {
    const inOrder = this.#restored.sort(
      (one, other) => one.timer.dueMs - other.timer.dueMs || one.timer.number - other.timer.number,
    );
    this.#restored = [];
    for (const { set } of inOrder) set();
  }

  nowMs(): number {
    return this.#options.nowMs();
  }

  /** The entry of an actor, made when it is first asked for. */
  entryOf<Part extends DurablePart>(self: AnyActorRef, make: () => Part): Part {
    let entry = this.#entries.get(self) as Part | undefined;
    if (entry === undefined) {
      entry = make();
      this.#entries.set(self, entry);
      if (self._parent === undefined) {
        this.#root = self;
        keys.set(self, this);
      }
    }
    return entry;
  }

  /** Says whose snapshot that is. */
  know(snapshot: object, entry: DurablePart): void {
    this.#known.set(snapshot, entry);
  }

  entryKnownBy(snapshot: object): DurablePart | undefined {
    return this.#known.get(snapshot);
  }

  /** An inspector: who sends what to whom. */
  observe(inspected: InspectionEvent): void {
    if (inspected.type !== '@xstate.event') return;
    const { event, sourceRef, actorRef } = inspected;
    const source = sourceRef as AnyActorRef | undefined;
    const target = this.#entries.get(actorRef);
    const takesEvents = target?.self.getSnapshot().status === 'active';
    if (target !== undefined && takesEvents) {
      target.arrives({ event, source, order: this.turns.nextOrder(target) });
    } else if (this.tracked.take(event) !== 'untracked') this.saveSoon();
  }

  /** The machine that an actor is; `undefined` of others. */
  partOf(actor: AnyActorRef): DurablePart | undefined {
    return this.#entries.get(actor);
  }

  /** Actors, and those below them, take nothing any more. */
  dropAll(actors: readonly AnyActorRef[]): void {
    for (const actor of actors) {
      const part = this.#entries.get(actor);
      part?.dropAll();
      if (part !== undefined) this.dropAll([...part.children.values()].map(({ ref }) => ref));
    }
  }

  /** What an actor that is left behind, and those below it, have sent to others and nobody has taken yet. */
  *unheardOf(actor: AnyActorRef): Generator<OutboxItem> {
    const part = this.#entries.get(actor);
    if (part === undefined) return;
    for (const item of part.outbox) {
      if (item.kind !== 'send') continue;
      const target = this.findAt(item);
      if (target !== undefined && !this.isRemoved(target)) yield item;
    }
    for (const { ref } of part.children.values()) yield* this.unheardOf(ref);
  }

  /** An actor was created by the transition of that number. */
  created(actor: AnyActorRef, number: number): void {
    this.#created.set(actor, number);
    keys.set(actor, this);
  }

  /** An actor is not part of the newest image any more. */
  remove(actor: AnyActorRef): void {
    this.#removed.add(actor);
  }

  isRemoved(actor: AnyActorRef): boolean {
    for (let one: AnyActorRef | undefined = actor; one !== undefined; one = one._parent) {
      if (this.#removed.has(one)) return true;
    }
    return false;
  }

  /** Every machine of the tree, with the children that it has in the newest snapshot. */
  eachMachine(
    root: AnyActorRef,
    look: (id: string, children: Readonly<Record<string, AnyActorRef | undefined>>) => void,
  ): void {
    const shown = root.getSnapshot() as { readonly children?: Record<string, AnyActorRef> };
    const newest = this.#entries.get(root)?.newest as typeof shown | undefined;
    const { children = {} } = newest ?? shown;
    look(root.id, children);
    for (const child of Object.values(children)) if (child) this.eachMachine(child, look);
  }

  /** Where an actor is in the tree; `undefined` outside of it. */
  pathOf(actor: object): ActorPath | undefined {
    const ids: string[] = [];
    let one = actor as AnyActorRef;
    for (; one._parent !== undefined; one = one._parent) ids.unshift(one.id);
    return one === this.#root ? ids : undefined;
  }

  /** What names an actor to the next run. */
  addressed<Item extends Addressee>(item: Item): Item {
    if (!('target' in item)) return item;
    const { target, ...rest } = item as Item & { readonly target: AnyActorRef };
    return { ...rest, ...this.mention(target) } as unknown as Item;
  }

  /** The actor that was meant; `undefined` where another one has taken its place, or none. */
  findAt(addressee: Addressee): AnyActorRef | undefined {
    if ('target' in addressee) return addressee.target;
    const { to, entry } = addressee;
    const actor = this.find(to);
    return actor !== undefined && (this.#created.get(actor) ?? 0) === entry ? actor : undefined;
  }

  /** Finds what a snapshot mentions; one that is gone is stood for by an actor that takes nothing. */
  readonly reviver = (mention: Mention): AnyActorRef => {
    const found = this.findAt(mention);
    if (found !== undefined) return found;
    const standIn = createEmptyActor();
    this.#standIns.set(standIn, mention);
    return standIn;
  };

  /** How an actor of the tree is mentioned in a snapshot; `undefined` of one outside. */
  readonly mention = (actor: object): Mention | undefined => {
    const standsFor = this.#standIns.get(actor);
    if (standsFor !== undefined) return standsFor;
    const to = this.pathOf(actor);
    return to && { to, entry: this.#created.get(actor) ?? 0 };
  };

  find(path: ActorPath): AnyActorRef | undefined {
    let one = this.#root;
    for (const id of path) {
      const entry = one && this.#entries.get(one);
      one = entry?.children.get(id)?.ref;
    }
    return one;
  }

  /** The stable name of what an actor is doing; see `idempotencyKey`. */
  keyOf(actor: AnyActorRef): string | undefined {
    const path = this.pathOf(actor);
    if (path === undefined) return undefined;
    const which = this.#entries.get(actor)?.performing ?? this.#created.get(actor) ?? 0;
    return `${[this.#options.id, ...path].join('/')}@${which}`;
  }

  /** Saves soon, and tells the entry then. */
  save(entry: DurablePart): void {
    this.turns.waits(entry, true);
    this.#waiting.push(entry);
    this.saveSoon();
  }

  /** Saves soon: something that nobody waits for has changed. */
  saveSoon(): void {
    if (this.#isStopped) return;
    this.#isDirty = true;
    if (this.#root === undefined) return;
    this.#saving ??= Promise.resolve().then(() => this.#saveAll());
  }

  /** Resolves when nothing is left to be saved; rejects with what made the run fail. */
  async whenDurable(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving;
    await this.#lastSave;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** There is nothing to run: the snapshot is that of an end. */
  endedAlready(): void {
    this.#end(undefined);
  }

  /** Saves the first image, before anything has begun. */
  async saveFirst(): Promise<void> {
    if (this.#root === undefined) throw new TypeError('the actor has not been created');
    await this.#options.write(this.#root, this.#transitions);
    this.#isDirty = false;
  }

  /** Ends the run with an error: nothing more is done. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    const { event } = this.#noteFailure(error);
    if (this.#isEnded) return;
    const root = this.#root;
    if (root?.getSnapshot().status === 'active') root.send(event);
    else this.#end(error);
  }

  /** The failure that an event tells of. */
  failureIn(event: EventObject): { readonly error: unknown } | undefined {
    return this.#failure?.event === event ? this.#failure : undefined;
  }

  /** Who waits for the transition that follows from an event. */
  waiterFor(event: EventObject): Waiter | undefined {
    return this.#waiters.get(event);
  }

  /** Sends an event to the root; resolves when what follows from it is durable. */
  submit(event: EventObject): Promise<Snapshot<unknown>> {
    const root = this.#root;
    return new Promise((resolve, reject) => {
      if (root === undefined || this.#isEnded || root.getSnapshot().status !== 'active') {
        reject(this.#stopped());
        return;
      }
      const waiter: Waiter = {
        resolve: (snapshot) => {
          this.#open.delete(waiter);
          resolve(snapshot);
        },
        reject,
      };
      this.#open.add(waiter);
      const own = { ...event };
      this.#waiters.set(own, waiter);
      root.send(own);
    });
  }

  /** The root is about to stop: what is not saved yet is saved as it is now. */
  stopping(entry: DurablePart): void {
    if (entry.self !== this.#root || this.#isEnded) return;
    if (this.#isDirty && this.#failure === undefined) {
      this.#isDirty = false;
      this.#lastSave = this.#options
        .write(this.#root, this.#transitions)
        .catch((error: unknown) => {
          this.#noteFailure(error);
        });
    }
    this.#isStopped = true;
    this.#end(undefined);
  }

  /** An actor has come to its end; with the root the run has. */
  ended(entry: DurablePart, error?: unknown): void {
    this.turns.gone(entry);
    if (entry.self === this.#root) this.#end(error);
  }

  async #saveAll(): Promise<void> {
    const root = this.#root;
    try {
      while (root !== undefined && this.#isDirty && this.#failure === undefined) {
        const told = this.#waiting.filter(
          (entry) => entry.isPending && !this.isRemoved(entry.self),
        );
        this.#waiting = [];
        this.#isDirty = false;
        await this.#options.write(root, this.#transitions);
        for (const { self, isPending, pendingOrder } of told) {
          if (isPending) this.turns.causedBy(pendingOrder, () => self.send(SAVED));
        }
      }
    } catch (error) {
      this.fail(error);
    }
    this.#saving = undefined;
  }

  #noteFailure(error: unknown): { readonly error: unknown; readonly event: EventObject } {
    this.#failure ??= { error, event: { type: 'checkpoint-wal.failed' } };
    return this.#failure;
  }

  #end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (error !== undefined) this.#noteFailure(error);
    this.#options.onEnd(this.whenDurable().catch(() => {}));
    const reason = error ?? this.#stopped();
    for (const { reject } of this.#open) reject(reason);
    this.#open.clear();
  }

  #stopped(): CheckpointError {
    return new CheckpointError(
      'CLOSED',
      'The durable actor has ended; whether the event was taken is told by its state after the next start.',
      { outcome: 'unknown' },
    );
  }
}
