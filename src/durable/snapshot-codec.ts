/**
 * Between what XState persists of an actor and what a checkpoint can hold. Errors and references to
 * actors are written as tagged mappings and come back as what they were; a property that is `undefined`
 * is left out, as in JSON. Everything else that would not come back unchanged is refused with its path.
 */
import { CheckpointError } from '../errors.js';
import { formatPath } from '../format/yaml/yaml-path.js';
import { setKey, type YamlMap, type YamlValue } from '../format/yaml/yaml-value.js';

/** Keys by which errors and actors are told apart from the user's own mappings. */
const ERROR_KEY = '$error';
const ACTOR_KEY = '$actor';

/** How deep a snapshot may nest; beyond that it is taken for a cycle. */
const MAX_DEPTH = 200;

/** Where an actor is in its tree: the ids on the way from the root, which itself is `[]`. */
export type ActorPath = readonly string[];

/** An actor of the tree, and not another one that takes its place later. */
export interface Mention {
  readonly to: ActorPath;
  /** The transition that created it; 0 for the root. */
  readonly entry: number;
}

/** How an actor of the tree that is saved is mentioned; `undefined` for one of elsewhere. */
export type MentionOf = (actor: object) => Mention | undefined;

/**
 * The plain form of a persisted snapshot.
 * @throws CheckpointError `SNAPSHOT_NOT_SERIALISABLE` with `details.path`
 */
export function encodeSnapshot(value: unknown, mentionOf: MentionOf): YamlValue {
  return new Encoder(mentionOf).encode(value) ?? null;
}

class Encoder {
  readonly #path: (string | number)[] = [];
  readonly #mentionOf: MentionOf;

  constructor(mentionOf: MentionOf) {
    this.#mentionOf = mentionOf;
  }

  encode(value: unknown): YamlValue | undefined {
    switch (typeof value) {
      case 'undefined':
        return undefined;
      case 'string':
      case 'number':
      case 'boolean':
      case 'bigint':
        return value;
      case 'object':
        return value === null ? null : this.#object(value);
      default:
        return this.#refuse(`a ${typeof value}`);
    }
  }

  #object(value: object): YamlValue {
    if (this.#path.length > MAX_DEPTH) return this.#refuse('a cycle, or nesting that has no end');
    if (Array.isArray(value)) return value.map((item, index) => this.#item(item, index));
    if (value instanceof Error) return { [ERROR_KEY]: this.#error(value) };
    if (isActor(value)) return this.#actor(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      return this.#refuse(`an instance of ${value.constructor?.name || 'a class'}`);
    }
    if (ERROR_KEY in value || ACTOR_KEY in value) {
      return this.#refuse(`a mapping with the key ${ERROR_KEY} or ${ACTOR_KEY}, which are taken,`);
    }
    return this.#map(value);
  }

  #map(value: object): YamlMap {
    const map: YamlMap = {};
    for (const [key, inner] of Object.entries(value)) {
      const encoded = this.#at(key, inner);
      if (encoded !== undefined) setKey(map, key, encoded);
    }
    return map;
  }

  #item(item: unknown, index: number): YamlValue {
    this.#path.push(index);
    const encoded = this.encode(item) ?? this.#refuse('undefined in a list');
    this.#path.pop();
    return encoded;
  }

  #at(key: string, inner: unknown): YamlValue | undefined {
    this.#path.push(key);
    const encoded = this.encode(inner);
    this.#path.pop();
    return encoded;
  }

  /** Name, message, code and cause: what a program decides by. A stack means nothing in another run. */
  #error(error: Error): YamlMap {
    const { name, message } = error;
    const code: unknown = 'code' in error ? error.code : undefined;
    return this.#map({
      name,
      message,
      ...((typeof code === 'string' || typeof code === 'number') && { code }),
      ...(error.cause !== undefined && { cause: error.cause }),
    });
  }

  #actor(actor: object): YamlValue {
    const mention = this.#mentionOf(actor);
    if (mention === undefined) return this.#refuse('a reference to an actor of another system');
    return { [ACTOR_KEY]: { to: [...mention.to], entry: mention.entry } };
  }

  #refuse(what: string): never {
    const path = formatPath(this.#path);
    throw new CheckpointError(
      'SNAPSHOT_NOT_SERIALISABLE',
      `The actor's snapshot can't be saved: ${path || 'its root'} holds ${what} that would not come back as it was. Keep plain data there, or make it anew from such data.`,
      { path },
    );
  }
}

/** The snapshot as XState takes it back. Actors are {@link reviveActors | found} when they are there. */
export function decodeSnapshot(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decodeSnapshot);
  if (typeof value !== 'object' || value === null) return value;
  if (ERROR_KEY in value) return toError(value[ERROR_KEY]);
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: decodeSnapshot(inner),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}

/** Puts actors in the places of their mentions, in the given value itself; returns it or its stand-in. */
export function reviveActors(value: unknown, find: (mention: Mention) => object): unknown {
  if (typeof value !== 'object' || value === null || isActor(value)) return value;
  if (isMentioned(value)) return find(value[ACTOR_KEY]);
  const container = value as Record<string, unknown>;
  for (const [key, inner] of Object.entries(container)) {
    const revived = reviveActors(inner, find);
    if (revived !== inner) container[key] = revived;
  }
  return value;
}

function toError(value: unknown): Error {
  const { name, message, code, cause } = (value ?? {}) as Record<string, unknown>;
  const options = cause === undefined ? {} : { cause: decodeSnapshot(cause) };
  const error = new Error(typeof message === 'string' ? message : '', options);
  if (typeof name === 'string') {
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  }
  return code === undefined ? error : Object.assign(error, { code });
}

function isMentioned(value: object): value is { readonly [ACTOR_KEY]: Mention } {
  return ACTOR_KEY in value;
}

/** Whether a value is a reference to an actor. */
export function isActor(value: object): boolean {
  return 'sessionId' in value && 'send' in value && 'ref' in value;
}
