/**
 * What an inspector gets to see: copies of events and snapshots in which every text that is not known to
 * be harmless is replaced by its length. The copies serialise: no bytes, no functions, no bigints, no
 * circles, bounded in depth and number. Actors stay the very objects that they are, and nothing of the
 * machines is changed. Which texts are harmless: `src/audit/transition-details.ts`.
 */
import type { InspectionEvent, Snapshot } from 'xstate';
import { type Disclosure, mayTell, withoutContent } from '../audit/transition-details.js';
import { CheckpointError } from '../errors.js';

const TEXT_MAX = 1000;
const ITEMS_MAX = 100;
const DEPTH_MAX = 8;

/** Members that hold names of XState's: which actor, which logic. */
const identities = new Set(['id', 'actorId', 'sessionId', 'src', 'systemId', 'xstate$$type']);

/** Members of a snapshot that hold data; the others say where the machine is. */
const data = ['context', 'output', 'error', 'input'] as const;

type Actor = InspectionEvent['actorRef'];

/** A function that makes the copies, each once, so that the same event is the same object every time. */
export function createRedaction(
  disclosure: Disclosure,
): (event: InspectionEvent) => InspectionEvent {
  const copies = new WeakMap<object, object>();

  function once<T extends object>(original: T, copy: (original: T) => object): T {
    const known = copies.get(original);
    if (known !== undefined) return known as T;
    const made = copy(original);
    copies.set(original, made);
    return made as T;
  }

  const plain = <T extends object>(value: T): T =>
    once(value, () => redactObject(withoutContent(value), disclosure, 0));

  const snapshotOf = (snapshot: Snapshot<unknown>): Snapshot<unknown> =>
    once(snapshot, () => redactSnapshot(snapshot, disclosure));

  /** For the event that announces an actor, whose snapshot tools ask the actor for. */
  const announced = (actor: Actor): Actor =>
    once(
      actor,
      () =>
        new Proxy(actor, {
          get: (target, name) => {
            if (name === 'getSnapshot') return () => snapshotOf(target.getSnapshot());
            if (name === '_snapshot') return snapshotOf(target.getSnapshot());
            return Reflect.get(target, name, target);
          },
        }),
    );

  return (inspected) => {
    switch (inspected.type) {
      case '@xstate.actor':
        return { ...inspected, actorRef: announced(inspected.actorRef) };
      case '@xstate.event':
        return { ...inspected, event: plain(inspected.event) };
      case '@xstate.action': {
        const { type, params } = inspected.action;
        return { ...inspected, action: { type, params: redact(params, 'params', disclosure, 0) } };
      }
      default:
        return {
          ...inspected,
          event: plain(inspected.event),
          snapshot: snapshotOf(inspected.snapshot),
        };
    }
  };
}

/** The methods of a snapshot work on what they are called on, so they work on the copy. */
function redactSnapshot(snapshot: Snapshot<unknown>, disclosure: Disclosure): object {
  const copy: Record<string, unknown> = { ...snapshot };
  for (const name of data) {
    if (name in copy) copy[name] = redact(copy[name], name, disclosure, 0);
  }
  return copy;
}

function redact(value: unknown, name: string, disclosure: Disclosure, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value, name, disclosure);
    case 'bigint':
      return String(value);
    case 'symbol':
    case 'function':
      return undefined;
    case 'object':
      return value === null || isActor(value) ? value : redactThing(value, name, disclosure, depth);
    default:
      return value;
  }
}

function redactText(text: string, name: string, disclosure: Disclosure): string {
  if (!identities.has(name) && !mayTell(name, disclosure)) return lengthOf(text);
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`;
}

function lengthOf({ length }: string): string {
  return `(${length} ${length === 1 ? 'character' : 'characters'})`;
}

function redactThing(value: object, name: string, disclosure: Disclosure, depth: number): unknown {
  if (depth >= DEPTH_MAX) return '(deeper)';
  if (value instanceof Error) return redactError(value, disclosure, depth);
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (Array.isArray(value)) return redactList(value, name, disclosure, depth);
  const made: unknown = value.constructor;
  if (typeof made === 'function' && made !== Object) return `(${made.name})`;
  return redactObject(value, disclosure, depth + 1);
}

function redactList(
  list: readonly unknown[],
  name: string,
  disclosure: Disclosure,
  depth: number,
): unknown[] {
  const shown = list.slice(0, ITEMS_MAX).map((item) => redact(item, name, disclosure, depth + 1));
  return list.length <= ITEMS_MAX ? shown : [...shown, { more: list.length - ITEMS_MAX }];
}

function redactObject(
  value: object,
  disclosure: Disclosure,
  depth: number,
): Record<string, unknown> {
  const members = Object.entries(value)
    .slice(0, ITEMS_MAX)
    .map(([name, member]) => [name, redact(member, name, disclosure, depth)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

/** Coded errors stay what they are; of others the facts are told, as JSON leaves them out. */
function redactError(error: Error, disclosure: Disclosure, depth: number): object {
  const message = redactText(error.message, 'message', disclosure);
  if (!(error instanceof CheckpointError)) {
    const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
    return { name: error.name, ...code, message };
  }
  const details = redactObject(error.details, disclosure, depth + 1);
  const { cause } = error;
  if (!(cause instanceof Error)) return new CheckpointError(error.code, message, details);
  const why = new Error(redactText(cause.message, 'message', disclosure));
  return new CheckpointError(error.code, message, details, { cause: why });
}

function isActor(value: object): boolean {
  return 'sessionId' in value && 'send' in value && typeof value.send === 'function';
}
