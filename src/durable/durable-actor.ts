/**
 * Durable actors: any XState actor whose snapshot survives a crash in a checkpoint store, and whose
 * effects begin only when the snapshot that they belong to is durable. Ruled by `docs/durable-actors.md`.
 */
import {
  type Actor,
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  createActor,
  type EventFromLogic,
  type InputFrom,
  type InspectionEvent,
  type Snapshot,
  type SnapshotFrom,
  toObserver,
} from 'xstate';
import { CheckpointError } from '../errors.js';
import { getAt } from '../format/yaml/path-access.js';
import { parsePath, type YamlPath } from '../format/yaml/yaml-path.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { CheckpointStoreEvent, SaveOptions, StoreClock } from '../store/store-options.js';
import { checkChildren, checkSnapshot } from './check-image.js';
import { type DurableImage, fromMapping, toMapping } from './durable-image.js';
import { durableLogic } from './durable-logic.js';
import { DurableRun } from './durable-run.js';
import { longTimers } from './long-timers.js';
import { takePlace } from './place-in-store.js';
import { isMachine } from './rebuild-machine.js';
import { decodeSnapshot, reviveActors } from './snapshot-codec.js';

/** What a durable actor needs of a store; a `CheckpointStore` has it. */
export interface DurableStore {
  /** What is saved; `undefined` in a new store. */
  readonly state: unknown;
  /** Replaces the whole state; resolves when that is durable. It is cloned at once. */
  save(state: never, options?: SaveOptions): Promise<unknown>;
  /** Replaces the value at a path; resolves when that is durable. It is cloned at once. */
  set(path: YamlPath, value: unknown, options?: SaveOptions): Promise<unknown>;
  /** Tells what happens in the store; only `restored` matters here. Returns what ends it. */
  subscribe(listener: (event: CheckpointStoreEvent) => void): () => void;
}

/** A snapshot that another version of a machine has saved. */
export interface SavedSnapshot {
  /** `undefined` where none was given then. */
  readonly version: string | number | undefined;
  /** As XState's `getPersistedSnapshot()` gave it. */
  readonly snapshot: Snapshot<unknown>;
}

/** Options of {@link createDurableActor}: settings, and the machine's input where it needs one. */
export type DurableActorOptions<Logic extends AnyActorLogic> = DurableActorSettings &
  (undefined extends InputFrom<Logic>
    ? { readonly input?: InputFrom<Logic> | undefined }
    : { readonly input: InputFrom<Logic> });

/** Settings of a durable actor. */
export interface DurableActorSettings {
  /** Where the snapshots go. It stays the caller's: close it after the actor has been stopped. */
  readonly store: DurableStore;
  /**
   * Where in the state of the store the actor has its place, as `actors.review`; absent: it is all of the
   * state. Several actors can share one store so.
   */
  readonly path?: string | YamlPath | undefined;
  /** Of the machine; its own `version` by default. A snapshot of another one is not taken as it is. */
  readonly version?: string | number | undefined;
  /** Makes a snapshot of another version fit this one; it is given a copy that it may change. */
  readonly migrate?:
    | ((saved: SavedSnapshot) => Snapshot<unknown> | Promise<Snapshot<unknown>>)
    | undefined;
  /** When a snapshot counts as saved; what the store says by default. */
  readonly durability?: SaveOptions['durability'];
  /** Clock and timers for delayed events; XState's `SimulatedClock` is one. */
  readonly clock?: StoreClock | undefined;
  /** XState inspection of the actor's system. */
  readonly inspect?: ActorOptions<AnyActorLogic>['inspect'];
  /** What actions of the machine log to. */
  readonly logger?: ActorOptions<AnyActorLogic>['logger'];
  /** The actor's id; the machine's by default. */
  readonly id?: string | undefined;
}

/** An actor as XState's `createActor` makes it, and what is to be known of its durability. */
export type DurableActor<Logic extends AnyActorLogic> = Actor<Logic> & {
  /** Whether a saved snapshot was found, and the actor goes on from that. */
  readonly isRestored: boolean;
  /**
   * Sends an event, and resolves to the snapshot when the transition that follows from it is durable (at
   * once if none follows). Rejects with what the actor failed with, or with `CLOSED` where it was stopped.
   */
  submit(event: EventFromLogic<Logic>): Promise<SnapshotFrom<Logic>>;
  /** Resolves when nothing is left to be saved. Rejects with what the actor failed with. */
  whenDurable(): Promise<void>;
};

/**
 * Makes an actor that survives a crash. Resolves when its snapshot is durable: the saved one, or the first
 * of a new life. Nothing has begun then; subscribe to it and call `start()`.
 *
 * - A transition is saved before anything that it asks for is done: before invoked and spawned actors
 *   start, before actions run, before messages are sent. Only then do `getSnapshot()` and subscribers see
 *   it, and only then is the next event taken. Guards, `assign`, `input` and the like run before.
 * - The next run goes on from the last saved snapshot: with children, history and delayed events, which
 *   keep their absolute deadlines. Actors that were active start again; messages and named actions that
 *   were not done yet are done: at least once. `idempotencyKey(self)` names each of them stably.
 * - Where a snapshot can't be saved the actor ends with the error: nothing more begins.
 *
 * Rejects with `CHILD_LOGIC_MISSING`, `MACHINE_CHANGED` (another version and no `migrate`),
 * `SNAPSHOT_INVALID`, `SNAPSHOT_NOT_SERIALISABLE` (path in details), `UNSUPPORTED_VERSION`, and as the
 * store's `save` does; with a `TypeError` where another actor has that place in the store.
 */
export async function createDurableActor<Logic extends AnyActorLogic>(
  logic: Logic,
  options: DurableActorOptions<Logic>,
): Promise<DurableActor<Logic>> {
  const { store } = options;
  const path = typeof options.path === 'string' ? parsePath(options.path) : (options.path ?? []);
  const leave = await takePlace(store, path);
  try {
    const found = savedAt(store, path);
    const name = isMachine(logic) ? logic.id : (options.id ?? 'actor');
    const version = options.version ?? (isMachine(logic) ? logic.version : undefined);
    const facts = { machine: name, version, run: found?.run ?? crypto.randomUUID() };
    const snapshot = found && (await fitting(found, facts, options.migrate));
    if (snapshot !== undefined) checkSnapshot(logic, snapshot);
    const { durability, clock } = options;
    const run = new DurableRun({
      id: facts.run,
      transitions: found?.transitions ?? 0,
      nowMs: () => (clock ?? Date).now(),
      onEnd: (settled) => {
        unsubscribe();
        leave(settled);
      },
      write: async (root, transitions) => {
        const mapping = imageOf(root, { ...facts, transitions }, run);
        const saving = durability === undefined ? {} : { durability };
        if (path.length === 0) await store.save(mapping as never, saving);
        else await store.set(path, mapping, saving);
      },
    });
    const actor = createActor(durableLogic(logic, run), {
      ...actorOptions(options, run),
      ...(snapshot === undefined
        ? { input: (options as { readonly input?: unknown }).input }
        : { snapshot }),
    }) as Actor<AnyActorLogic>;
    const unsubscribe = store.subscribe((event) => {
      if (event.type === 'restored') run.fail(replaced(event));
    });
    try {
      checkCreated(actor, snapshot);
      reviveInputs(actor, run);
      keepNamesFree(actor);
      if (snapshot === undefined || found?.version !== version) await run.saveFirst();
      if (actor.getSnapshot().status !== 'active') run.endedAlready();
    } catch (error) {
      unsubscribe();
      throw error;
    }
    const stop = actor.stop.bind(actor);
    return Object.assign(actor, {
      subscribe: eachOnce(actor, run),
      stop: () => {
        if (!run.isStarted) run.endedAlready();
        return stop();
      },
      isRestored: snapshot !== undefined,
      submit: (event: EventFromLogic<Logic>) => run.submit(event),
      whenDurable: () => run.whenDurable(),
    }) as unknown as DurableActor<Logic>;
  } catch (error) {
    leave(Promise.resolve());
    throw error;
  }
}

function savedAt({ state }: DurableStore, path: YamlPath): DurableImage | undefined {
  if (state === undefined) return undefined;
  const value = getAt(state as YamlValue, path);
  return value === undefined || value === null ? undefined : fromMapping(value, path);
}

/** The snapshot, made to fit this version of the machine. */
async function fitting(
  found: DurableImage,
  { machine, version }: { readonly machine: string; readonly version: string | number | undefined },
  migrate: DurableActorSettings['migrate'],
): Promise<Snapshot<unknown>> {
  const snapshot = decodeSnapshot(found.snapshot) as Snapshot<unknown>;
  if (found.version === version && found.machine === machine) return snapshot;
  if (migrate !== undefined) {
    const migrated: unknown = await migrate({ version: found.version, snapshot });
    if (typeof migrated === 'object' && migrated !== null && 'status' in migrated) {
      return migrated as Snapshot<unknown>;
    }
    throw new TypeError(
      'migrate() must return a snapshot: the one it was given, changed, or another',
    );
  }
  throw new CheckpointError(
    'MACHINE_CHANGED',
    `The snapshot was saved by ${nameOf(found)}, and this is ${nameOf({ machine, version })}. Give createDurableActor() a migrate function that makes it fit.`,
    { saved: found.version, version, machine: found.machine },
  );
}

function nameOf({ machine, version }: Pick<DurableImage, 'machine' | 'version'>): string {
  return version === undefined
    ? `'${machine}' without a version`
    : `'${machine}' version ${version}`;
}

function imageOf(
  root: AnyActorRef,
  facts: Omit<DurableImage, 'snapshot'>,
  run: DurableRun,
): ReturnType<typeof toMapping> {
  run.eachMachine(root, (machine, children) => checkChildren(machine, children));
  try {
    const snapshot = (root as Actor<AnyActorLogic>).getPersistedSnapshot();
    return toMapping(facts, snapshot, run.mention);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CheckpointError(
      'SNAPSHOT_NOT_SERIALISABLE',
      "The actor's snapshot can't be saved: its context holds a cycle, or nests without end.",
      { path: 'context' },
      { cause: error },
    );
  }
}

function actorOptions({ clock, inspect, logger, id }: DurableActorSettings, run: DurableRun) {
  const observers = inspect === undefined ? [] : [toObserver(inspect)];
  const { setTimeout: set, clearTimeout: clear } = clock ?? longTimers;
  return {
    ...(id !== undefined && { id }),
    ...(logger !== undefined && { logger }),
    ...(set !== undefined &&
      clear !== undefined && {
        clock: { setTimeout: set.bind(clock), clearTimeout: clear.bind(clock) },
      }),
    inspect: (event: InspectionEvent) => {
      run.observe(event);
      for (const observer of observers) observer.next?.(event);
    },
  };
}

/**
 * XState tells its observers of every event that was looked at; here an event is looked at before it is
 * taken. They are told of each snapshot once.
 */
function eachOnce(actor: Actor<AnyActorLogic>, run: DurableRun): Actor<AnyActorLogic>['subscribe'] {
  const subscribe = actor.subscribe.bind(actor);
  return (...observed: unknown[]) => {
    const observer = toObserver(...(observed as Parameters<typeof toObserver<unknown>>));
    let last: unknown = run.isStarted ? actor.getSnapshot() : undefined;
    return subscribe({
      ...observer,
      next: (snapshot) => {
        if (snapshot === last) return;
        last = snapshot;
        observer.next?.(snapshot);
      },
    });
  };
}

/** XState turns what goes wrong while creating into a snapshot: it is told before anything is saved. */
function checkCreated(actor: Actor<AnyActorLogic>, persisted: Snapshot<unknown> | undefined): void {
  const { status, error } = actor.getSnapshot() as Snapshot<unknown>;
  if (status !== 'error' || persisted?.status === 'error') return;
  if (persisted === undefined) throw error;
  throw new CheckpointError(
    'SNAPSHOT_INVALID',
    `The saved snapshot could not be taken back: ${error instanceof Error ? error.message : String(error)}`,
    {},
    { cause: error },
  );
}

/** Inputs may name actors, which are all there only now. */
function reviveInputs(actor: AnyActorRef, run: DurableRun): void {
  const snapshot = actor.getSnapshot() as {
    input?: unknown;
    context?: unknown;
    children?: Record<string, AnyActorRef>;
  };
  for (const part of ['input', 'context'] as const) {
    if (snapshot[part] !== undefined) snapshot[part] = reviveActors(snapshot[part], run.reviver);
  }
  for (const child of Object.values(snapshot.children ?? {})) if (child) reviveInputs(child, run);
}

/**
 * An actor that is spawned without an id is named by XState's counter, which begins anew with each process:
 * it goes on after the names that are taken.
 */
function keepNamesFree(root: AnyActorRef): void {
  const { _bookId: next } = root.system as unknown as { readonly _bookId: () => string };
  const taken = Math.max(-1, ...namesBelow(root));
  while (numberOf(next()) < taken);
}

function namesBelow(actor: AnyActorRef): number[] {
  const { children = {} } = actor.getSnapshot() as {
    readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
  };
  return Object.values(children).flatMap((child) =>
    child === undefined ? [] : [numberOf(child.id), ...namesBelow(child)],
  );
}

function numberOf(id: string): number {
  const [, digits] = /^x:(\d+)$/.exec(id) ?? [];
  return digits === undefined ? -1 : Number(digits);
}

function replaced({ sequence, from }: { readonly sequence: number; readonly from: number }) {
  return new CheckpointError(
    'STATE_REPLACED',
    `The store went back to checkpoint ${from} while the actor was running; what it had done since is in history. Create the actor again to go on from there.`,
    { sequence, from },
  );
}
