/**
 * What a transition wants to do, held back until its snapshot is durable; and the part of it that must
 * not be lost if the process ends in between, as data: messages to other actors, named actions, emitted
 * events, delayed events with their absolute deadlines.
 */
import type { AnyActorRef, AnyActorScope, EventObject, ExecutableActionObject } from 'xstate';
import type { Mention } from './snapshot-codec.js';

/** One thing that a transition does, in the order in which the machine asked for it. */
export type HeldEffect =
  | { readonly kind: 'action'; readonly action: ExecutableActionObject }
  | { readonly kind: 'defer'; readonly run: () => void };

/** Whom something is for: as it is saved, or the actor itself, whose mention is known only when all of the transition is. */
export type Addressee = Mention | { readonly target: AnyActorRef };

/** An effect that is done again by the next run if this one ends before it. */
export type OutboxItem =
  | (Addressee & { readonly kind: 'send'; readonly event: EventObject; readonly number: number })
  | {
      readonly kind: 'action';
      /** Its place among all that the transition does. */
      readonly index: number;
      readonly type: string;
      readonly params?: unknown;
      readonly event: EventObject;
      /** Absent where it is that of the snapshot. */
      readonly context?: unknown;
      readonly number: number;
    }
  | { readonly kind: 'emit'; readonly event: EventObject; readonly number: number };

/** A delayed event that is waiting. */
export type DurableTimer = Addressee & {
  readonly id: string;
  readonly event: EventObject;
  /** Milliseconds since 1970. */
  readonly dueMs: number;
  /** The transition that set it: of those that are due together the earliest comes first. */
  readonly number: number;
};

/** The parameters of XState's own actions for sending, as far as they are needed. */
interface SendParams {
  event: EventObject;
  id?: string | undefined;
  readonly delay?: number | undefined;
  readonly to?: unknown;
}

/** A scope in which effects are collected instead of done. */
export class EffectCapture {
  readonly effects: HeldEffect[] = [];
  readonly scope: AnyActorScope;
  #isOpen = true;

  constructor(scope: AnyActorScope) {
    this.scope = {
      ...scope,
      defer: (run) => {
        if (this.#isOpen) this.effects.push({ kind: 'defer', run });
        else scope.defer(run);
      },
      actionExecutor: (action) => {
        if (!this.#isOpen) {
          scope.actionExecutor(action);
          return;
        }
        if (action.type === 'xstate.stopChild') unregister(action.params, scope.system);
        this.effects.push({ kind: 'action', action });
      },
    };
  }

  /** The actors that it stops, those included that it has only just created. */
  stopped(): AnyActorRef[] {
    return this.effects.flatMap((effect) =>
      effect.kind === 'action' && effect.action.type === 'xstate.stopChild' && effect.action.params
        ? [effect.action.params as unknown as AnyActorRef]
        : [],
    );
  }

  /** From here on what was collected may be done: it goes through the same scope. */
  close(): readonly HeldEffect[] {
    this.#isOpen = false;
    return this.effects;
  }
}

/** What the effects of one transition leave to be remembered. */
export interface Remembered {
  readonly outbox: ReadonlyMap<HeldEffect, OutboxItem>;
  /** Delayed events that were set, and the ids of those that were cancelled, in order. */
  readonly timers: readonly ({ readonly set: DurableTimer } | { readonly cancel: string })[];
}

/** What {@link remember} has to know. */
export interface RememberOptions {
  readonly self: AnyActorRef;
  readonly number: number;
  readonly nowMs: number;
  readonly context: unknown;
  /** Whether an actor is part of the tree. */
  readonly isInTree: (actor: object) => boolean;
  /** The implementation of a named action, if that is a plain function. */
  readonly actionNamed: (type: string) => unknown;
}

/**
 * The name of an actor in its system is free as soon as it is to be stopped, as the same transition may
 * create another one under it; XState does so at once, too.
 */
function unregister(actor: unknown, system: AnyActorScope['system']): void {
  if (typeof actor !== 'object' || actor === null) return;
  const { children = {} } = (actor as AnyActorRef).getSnapshot() as {
    readonly children?: Readonly<Record<string, unknown>>;
  };
  for (const child of Object.values(children)) unregister(child, system);
  const { _unregister } = system as unknown as { readonly _unregister: (actor: object) => void };
  _unregister(actor);
}

/**
 * Reads effects as data. Events that are sent become objects of their own, so that each can be told from
 * others of the same kind; a delayed one without an id is given one.
 */
export function remember(effects: readonly HeldEffect[], options: RememberOptions): Remembered {
  const outbox = new Map<HeldEffect, OutboxItem>();
  const timers: Remembered['timers'][number][] = [];
  for (const [index, effect] of effects.entries()) {
    if (effect.kind === 'defer') continue;
    const { action } = effect;
    if (action.type === 'xstate.cancel') {
      timers.push({ cancel: (action.params as { readonly sendId: string }).sendId });
    } else if (action.type === 'xstate.raise' || action.type === 'xstate.sendTo') {
      const params = action.params as SendParams;
      params.event = { ...params.event };
      if (typeof params.delay === 'number') {
        params.id ??= `checkpoint-wal.${options.number}.${index}`;
        const timer = timerOf(params, params.id, params.delay, options);
        if (timer !== undefined) timers.push({ set: timer });
        continue;
      }
    }
    const item = outboxItem(action, index, options);
    if (item !== undefined) outbox.set(effect, item);
  }
  return { outbox, timers };
}

function timerOf(
  { event, to }: SendParams,
  id: string,
  delay: number,
  { self, nowMs, number, isInTree }: RememberOptions,
): DurableTimer | undefined {
  const target = (to ?? self) as AnyActorRef;
  return isInTree(target) ? { id, event, target, dueMs: nowMs + delay, number } : undefined;
}

function outboxItem(
  { type, params, info, exec }: ExecutableActionObject,
  index: number,
  { number, context, isInTree, actionNamed }: RememberOptions,
): OutboxItem | undefined {
  if (type === 'xstate.sendTo') {
    const { to, event } = params as SendParams;
    const target = to as AnyActorRef;
    // XState makes another event of an escalated error.
    if (!isInTree(target) || event.type === 'xstate.error') return undefined;
    return { kind: 'send', target, event, number };
  }
  if (type === 'xstate.emit') {
    return { kind: 'emit', event: (params as SendParams).event, number };
  }
  // An action that has no name can't be found again by the next run; and news of a child's snapshot hold
  // what is no data.
  if (exec === undefined || actionNamed(type) !== exec) return undefined;
  if (info.event.type.startsWith('xstate.snapshot.')) return undefined;
  return {
    kind: 'action',
    index,
    type,
    ...(params !== undefined && { params }),
    event: info.event,
    ...(info.context !== context && { context: info.context }),
    number,
  };
}
