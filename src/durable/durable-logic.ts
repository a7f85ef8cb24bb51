/**
 * Logic of an actor with its effects held back until they may begin; see {@link DurableEntry}. Machines
 * are treated so at every depth. Other actors need it only at the root: what starts them is held already.
 */
import type { AnyActorLogic, Snapshot } from 'xstate';
import { CheckpointError } from '../errors.js';
import { storeMachine } from '../store/store-machine.js';
import { DurableEntry } from './durable-entry.js';
import type { DurableExtras } from './durable-part.js';
import type { DurableRun } from './durable-run.js';
import { isMachine, rebuildMachine } from './rebuild-machine.js';

/** What holds files can't be brought back by a snapshot: XState would bring it back half-alive. */
function storeInside(name: string): CheckpointError {
  return new CheckpointError(
    'SNAPSHOT_NOT_SERIALISABLE',
    `The actor '${name}' is a checkpointMachine: its state is on its disk, and can't be part of a snapshot. Open that store beside the durable actor, by openCheckpointStore().`,
    { path: name },
  );
}

/**
 * The logic of a durable actor's root.
 * @throws CheckpointError `SNAPSHOT_NOT_SERIALISABLE` where a store is to be one of its actors
 */
export function durableLogic(logic: AnyActorLogic, run: DurableRun): AnyActorLogic {
  const made = new Map<AnyActorLogic, AnyActorLogic>();
  const child = (one: AnyActorLogic, name: string): AnyActorLogic => {
    if (one.config === storeMachine.config) throw storeInside(name);
    const known = made.get(one);
    if (known !== undefined) return known;
    // Known before what it holds is looked at: a machine may invoke itself.
    const wrapped = {} as AnyActorLogic;
    made.set(one, wrapped);
    return isMachine(one)
      ? gated(rebuildMachine(one, child), run, wrapped)
      : watched(one, run, wrapped);
  };
  return gated(isMachine(logic) ? rebuildMachine(logic, child) : logic, run, {} as AnyActorLogic);
}

function gated(inner: AnyActorLogic, run: DurableRun, wrapped: AnyActorLogic): AnyActorLogic {
  const entryOf: (self: DurableEntry['self']) => DurableEntry = (self) =>
    run.entryOf(self, () => new DurableEntry(self, inner, run));
  return derived(wrapped, inner, {
    getInitialSnapshot: (scope, input) => entryOf(scope.self).initial(scope, input),
    restoreSnapshot: (persisted, scope) => entryOf(scope.self).restore(persisted, scope),
    start: (snapshot, scope) => {
      if (scope.self._parent === undefined) run.isStarted = true;
      entryOf(scope.self).start(snapshot, scope);
    },
    transition: (snapshot, event, scope) => entryOf(scope.self).transition(snapshot, event, scope),
    getPersistedSnapshot: (snapshot, options): Snapshot<unknown> & { durable?: DurableExtras } => {
      const entry = run.entryKnownBy(snapshot);
      const extras = entry?.extras();
      const newest: unknown = entry?.newest ?? snapshot;
      return {
        ...inner.getPersistedSnapshot(newest, options),
        // As it is: XState would keep of an actor in it only its id, which is another's elsewhere.
        ...(isMachine(inner) && { context: (newest as { readonly context: unknown }).context }),
        ...(extras && { durable: extras }),
      };
    },
  });
}

/** What such an actor comes to is worth saving, even if its parent takes no notice of it. */
function watched(inner: AnyActorLogic, run: DurableRun, wrapped: AnyActorLogic): AnyActorLogic {
  return derived(wrapped, inner, {
    transition: (snapshot, event, scope) => {
      const next = inner.transition(snapshot, event, scope);
      if (next !== snapshot && event.type !== 'xstate.stop') run.saveSoon();
      return next;
    },
  });
}

/** Inspectors look at what else logic has, as a machine's definition: that stays. */
function derived(
  wrapped: AnyActorLogic,
  inner: AnyActorLogic,
  methods: Partial<AnyActorLogic>,
): AnyActorLogic {
  return Object.assign(Object.setPrototypeOf(wrapped, inner) as AnyActorLogic, methods);
}
