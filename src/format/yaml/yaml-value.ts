/**
 * What a state may hold: values that YAML 1.2 carries there and back unchanged. Checking and
 * copying them, freezing and comparing them. Assumes nothing of its input: it is a caller's object.
 * The rule that unfaithful values are refused when a save is asked for is in docs/fault-model.md.
 */
import { CheckpointError, type CheckpointErrorCode } from '../../errors.js';
import { formatPath } from './yaml-path.js';

/**
 * A value of a state. Numbers include `NaN`, the infinities and negative zero, which YAML spells
 * `.nan`, `.inf` and `-0.0`. A `bigint` stands for an integer in the file whose digits a number
 * can't hold; it is never inside the safe range.
 */
export type YamlValue = null | boolean | number | string | bigint | YamlValue[] | YamlMap;

/** A mapping. Keys are text, and every key is own data, `__proto__` too. */
export interface YamlMap {
  [key: string]: YamlValue;
}

/** The deepest nesting of lists and maps that is read or written. Why 200: see {@link YamlLimits}. */
export const MAX_DEPTH = 200;

/** How many values a state may hold, every use of a shared object counted. */
const MAX_VALUES = 10_000_000;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a value is a list. */
export function isList(value: unknown): value is YamlValue[] {
  return Array.isArray(value);
}

/** Whether a value of a state is a mapping. */
export function isMap(value: YamlValue | undefined): value is YamlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets own data, also under the names that assignment would treat specially. */
export function setKey(map: YamlMap, key: string, value: YamlValue): void {
  if (key !== '__proto__') {
    map[key] = value;
    return;
  }
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
}

/** Options of {@link cloneValue}. */
export interface CloneOptions {
  /**
   * The state that the value derives from. A `bigint` outside the safe range is accepted only where
   * this state holds the same one, that is, where the file itself does.
   */
  readonly carried?: YamlValue;
  /**
   * A state that the value is much like. Lists and maps that equal those at the same place of it are not
   * copied: the result holds those of this state, which nobody may change any more.
   */
  readonly before?: YamlValue | undefined;
  /** What an object stands for, see `draftOf`. */
  readonly heldBy?: (object: object) => object;
}

/**
 * A deep copy that shares nothing with the value given, checked to survive YAML unchanged. Objects
 * without prototype come back as ordinary ones, a `bigint` in the safe range as a number; an object
 * used twice is copied once.
 *
 * @throws CheckpointError `UNFAITHFUL_VALUE` with `details.path` for `undefined`, functions,
 * symbols, other `bigint`s, dates, maps, sets, buffers and all class instances, cycles, holes and
 * extra properties of arrays, symbol keys, accessors and hidden properties, lone surrogates;
 * `TOO_DEEP` and `TOO_LARGE` for what could not be read back.
 */
export function cloneValue(value: unknown, options: CloneOptions = {}): YamlValue {
  // Most of what is set: there is nothing to keep in mind.
  if (typeof value === 'string' && !LONE_SURROGATE.test(value)) return value;
  return new Cloner(options).clone(value, options.before);
}

class Cloner {
  private readonly path: (string | number)[] = [];
  private readonly active = new Set<object>();
  private readonly done = new Map<object, { copy: YamlValue; count: number; height: number }>();
  private readonly options: CloneOptions;
  private knownIntegers: Set<bigint> | undefined;
  private count = 0;
  private height = 0;

  constructor(options: CloneOptions) {
    this.options = options;
  }

  /** @param before what is at this place of the state before; of that, what is the same is kept */
  clone(value: unknown, before: YamlValue | undefined): YamlValue {
    this.count += 1;
    if (this.count > MAX_VALUES) this.fail('TOO_LARGE', `holds more than ${MAX_VALUES} values`);
    if (before !== undefined && Object.is(value, before)) return before;
    switch (typeof value) {
      case 'string':
        this.checkText(value, 'a string with a lone surrogate, which has no UTF-8 form');
        return value;
      case 'number':
      case 'boolean':
        return value;
      case 'bigint':
        return this.cloneInteger(value);
      case 'object':
        return value === null
          ? null
          : this.cloneObject(this.options.heldBy?.(value) ?? value, before);
      default:
        return this.refuse(typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
    }
  }

  private cloneInteger(value: bigint): YamlValue {
    const asNumber = Number(value);
    if (Number.isSafeInteger(asNumber)) return asNumber;
    this.knownIntegers ??= integersIn(this.options.carried);
    if (!this.knownIntegers.has(value)) this.refuse('a BigInt outside the safe integer range');
    return value;
  }

  private cloneObject(value: object, before: YamlValue | undefined): YamlValue {
    if (this.active.has(value)) this.refuse('a cycle: the object contains itself');
    const known = this.done.get(value);
    if (known) {
      this.count += known.count;
      this.checkDepth(this.active.size + known.height);
      this.height = Math.max(this.height, known.height);
      return known.copy;
    }
    this.checkDepth(this.active.size + 1);
    const countBefore = this.count;
    const siblingHeight = this.height;
    this.height = 0;
    this.active.add(value);
    const copy = Array.isArray(value)
      ? this.cloneList(value, before)
      : this.cloneMap(value, before);
    this.active.delete(value);
    const height = this.height + 1;
    // What is as it was before is compared again wherever it is used again, and shared there as well.
    if (copy !== before) this.done.set(value, { copy, count: this.count - countBefore, height });
    this.height = Math.max(siblingHeight, height);
    return copy;
  }

  private checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) this.fail('TOO_DEEP', `is nested deeper than ${MAX_DEPTH} levels`);
  }

  private cloneList(list: unknown[], before: YamlValue | undefined): YamlValue {
    if (prototypeDepth(list) !== 2) this.refuse(`an instance of ${classNameOf(list)}`);
    const descriptors = Object.getOwnPropertyNames(list);
    if (descriptors.length !== list.length + 1 || Object.getOwnPropertySymbols(list).length > 0) {
      this.refuse('an array with holes or extra properties');
    }
    const old = isList(before) ? before : undefined;
    // Made as soon as something differs.
    let copy: YamlValue[] | undefined = old?.length === list.length ? undefined : [];
    for (let index = 0; index < list.length; index += 1) {
      const item = this.cloneProperty(list, index, old?.[index]);
      if (copy === undefined && !Object.is(item, old?.[index])) copy = old?.slice(0, index) ?? [];
      copy?.push(item);
    }
    return copy ?? old ?? [];
  }

  private cloneMap(map: object, before: YamlValue | undefined): YamlValue {
    const isPlain =
      Object.getPrototypeOf(map) === Object.prototype && isMap(before)
        ? true
        : prototypeDepth(map) <= 1 && Object.prototype.toString.call(map) === PLAIN;
    if (!isPlain) this.refuse(`an instance of ${classNameOf(map)}`);
    if (Object.getOwnPropertySymbols(map).length > 0) this.refuse('an object with a symbol as key');
    const keys = Object.getOwnPropertyNames(map);
    const old = isMap(before) ? before : undefined;
    const oldKeys = old && Object.keys(old);
    // Made as soon as something differs.
    let copy: YamlMap | undefined = oldKeys?.length === keys.length ? undefined : {};
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] ?? '';
      const isKnown = key === oldKeys?.[index] || (old !== undefined && Object.hasOwn(old, key));
      const known = isKnown ? old?.[key] : undefined;
      if (known === undefined) this.checkText(key, 'an object with a lone surrogate in a key');
      const item = this.cloneProperty(map, key, known);
      if (copy === undefined && !Object.is(item, known)) copy = firstOf(old ?? {}, keys, index);
      if (copy !== undefined) setKey(copy, key, item);
    }
    return copy ?? old ?? {};
  }

  private cloneProperty(
    owner: object,
    key: string | number,
    before: YamlValue | undefined,
  ): YamlValue {
    if (before !== undefined) {
      // By far most of what is compared: what it says is as before, however the property is made.
      const item = (owner as Readonly<Record<string | number, unknown>>)[key];
      if (Object.is(item, before)) {
        this.count += 1;
        return before;
      }
    }
    this.path.push(key);
    const property = Object.getOwnPropertyDescriptor(owner, key);
    if (!property) return this.refuse('a hole in an array');
    if (!('value' in property)) return this.refuse('an accessor (getter or setter)');
    if (!property.enumerable) this.refuse('a hidden (not enumerable) property');
    const copy = this.clone(property.value, before);
    this.path.pop();
    return copy;
  }

  private checkText(text: string, what: string): void {
    if (LONE_SURROGATE.test(text)) this.refuse(what);
  }

  private refuse(what: string): never {
    return this.fail('UNFAITHFUL_VALUE', `is ${what}, which YAML can't carry back unchanged`);
  }

  private fail(code: CheckpointErrorCode, what: string): never {
    const path = formatPath(this.path);
    const where = path === '' ? 'The state' : `The state at ${path}`;
    throw new CheckpointError(code, `${where} ${what}. Convert or remove it.`, { path });
  }
}

/** A map of the first of some keys. */
function firstOf(map: YamlMap, keys: readonly string[], count: number): YamlMap {
  const first: YamlMap = {};
  for (const key of keys.slice(0, count)) setKey(first, key, map[key] ?? null);
  return first;
}

const PLAIN = '[object Object]';

/** How many prototypes are above a value: 0 for none, 1 for plain objects, 2 for arrays, of any realm. */
function prototypeDepth(value: object): number {
  let depth = 0;
  let prototype: unknown = Object.getPrototypeOf(value);
  while (prototype !== null && depth < 4) {
    depth += 1;
    prototype = Object.getPrototypeOf(prototype);
  }
  return depth;
}

function classNameOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== 'object' || prototype === null) return 'an unknown class';
  const owner = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown;
  return typeof owner === 'function' && owner.name !== '' ? owner.name : 'an unnamed class';
}

function integersIn(value: YamlValue | undefined, found = new Set<bigint>()): Set<bigint> {
  if (typeof value === 'bigint') found.add(value);
  else if (isList(value)) for (const item of value) integersIn(item, found);
  else if (isMap(value)) for (const key of Object.keys(value)) integersIn(value[key], found);
  return found;
}

/** Freezes a value and everything in it, cycles included, and returns it. What is frozen already is taken as frozen throughout. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
  return value;
}

/**
 * Whether two values are the same state: same structure, the order of map keys ignored (YAML gives
 * it no meaning), `NaN` equal to itself, and `0` and `-0` different, because YAML tells them apart.
 */
export function equalValues(a: YamlValue, b: YamlValue): boolean {
  if (Object.is(a, b)) return true;
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    return a.every((item, index) => {
      const other = b[index];
      return other !== undefined && equalValues(item, other);
    });
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const [left, right] = [a[key], Object.hasOwn(b, key) ? b[key] : undefined];
    return left !== undefined && right !== undefined && equalValues(left, right);
  });
}
