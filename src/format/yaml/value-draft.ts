/**
 * A copy of a state that a caller changes as if it were his own, made only as far as he looks: what is
 * short is copied when it is first read, what is long is a proxy that does the same for its entries. So a
 * change of one entry of a long state costs what that entry costs. Values are not checked here; that, and
 * finding out what changed, is up to `cloneValue`.
 */
import { isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/** A draft of a state. */
export interface ValueDraft {
  readonly draft: YamlValue;
  /** What a proxy of this draft stands for; entries that nobody looked at are those of the state itself. Other objects stand for themselves. */
  readonly heldBy: (object: object) => object;
}

/** How many values are copied at once rather than put behind a proxy. */
const SHORT = 64;

/** A draft of a state, which itself is never changed. */
export function draftOf(value: YamlValue): ValueDraft {
  const held = new WeakMap<object, object>();
  return { draft: draftIn(value, held), heldBy: (object) => held.get(object) ?? object };
}

/** A deep copy of a state. */
export function copyValue(value: YamlValue): YamlValue {
  return copyWithin({ left: Number.POSITIVE_INFINITY }, value) ?? value;
}

function draftIn(value: YamlValue, held: WeakMap<object, object>): YamlValue {
  if (!isList(value) && !isMap(value)) return value;
  const short = copyWithin({ left: SHORT }, value);
  if (short !== undefined) return short;
  const copy: YamlValue[] | YamlMap = isList(value) ? value.slice() : { ...value };
  const proxy = proxyOf(copy, value, held);
  held.set(proxy, copy);
  return proxy;
}

/** Makes a list or map that can be changed of each one in the copy when it is first read; all else is done to the copy itself. */
function proxyOf(
  copy: YamlValue[] | YamlMap,
  origin: YamlValue[] | YamlMap,
  held: WeakMap<object, object>,
): YamlValue[] | YamlMap {
  const read = (key: string | symbol): void => {
    const before: unknown = Reflect.getOwnPropertyDescriptor(origin, key)?.value;
    if (typeof before !== 'object' || before === null) return;
    const now = Reflect.getOwnPropertyDescriptor(copy, key);
    // One that was frozen keeps what it has, which nobody can change either.
    if (now?.value !== before || now.writable !== true) return;
    Reflect.defineProperty(copy, key, { ...now, value: draftIn(before as YamlValue, held) });
  };
  return new Proxy(copy, {
    get(target, key, receiver) {
      read(key);
      return Reflect.get(target, key, receiver) as unknown;
    },
    getOwnPropertyDescriptor(target, key) {
      read(key);
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
}

/** A deep copy, or `undefined` where it would hold more values than are left. */
function copyWithin(budget: { left: number }, value: YamlValue): YamlValue | undefined {
  if (isList(value)) {
    budget.left -= value.length;
    if (budget.left < 0) return undefined;
    const list = value.slice();
    for (let index = 0; index < list.length; index += 1) {
      const item = list[index];
      if (typeof item !== 'object' || item === null) continue;
      const copy = copyWithin(budget, item);
      if (copy === undefined) return undefined;
      list[index] = copy;
    }
    return list;
  }
  if (!isMap(value)) return value;
  const keys = Object.keys(value);
  budget.left -= keys.length;
  if (budget.left < 0) return undefined;
  const map: YamlMap = { ...value };
  for (const key of keys) {
    const item = map[key];
    if (typeof item !== 'object' || item === null) continue;
    const copy = copyWithin(budget, item);
    if (copy === undefined) return undefined;
    // Every key is there already, so that `__proto__` is no special name.
    map[key] = copy;
  }
  return map;
}
