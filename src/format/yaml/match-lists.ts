/**
 * Which items of a changed list are which items of the list before: equal ones by longest common
 * subsequence, changed ones by identity (`id`, `name`, …) and by likeness. Purely about values;
 * the better the match, the fewer lines an edit touches. Order is kept: an item that moved is
 * removed here and added there, and `match-moves.ts` finds the two.
 */
import { equalValues, isList, isMap, type YamlValue } from './yaml-value.js';

/** One item of the result. `before` and `after` are indexes; an item without `before` was added, one without `after` removed. */
export interface ListMatch {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

/** Table cells that an exact comparison may use; longer lists are matched by their unique items. */
const MAX_CELLS = 1_000_000;

/** Matches in the order in which both lists can be walked. */
export function matchLists(before: readonly YamlValue[], after: readonly YamlValue[]): ListMatch[] {
  const { head, tail } = equalEnds(before, after);
  const matches: ListMatch[] = [];
  for (let index = 0; index < head; index += 1) matches.push({ before: index, after: index });
  const old = range(head, before.length - tail);
  const now = range(head, after.length - tail);
  if (keepIdentities(before, after, old, now)) {
    for (const index of now) {
      matches.push({ before: index < before.length - tail ? index : undefined, after: index });
    }
  } else fillGaps(before, after, { old, now }, matchEqual(before, after, old, now), matches);
  for (let left = tail; left > 0; left -= 1) {
    matches.push({ before: before.length - left, after: after.length - left });
  }
  return matches;
}

/** How many items are the same at the front and, behind those, at the end. */
function equalEnds(before: readonly YamlValue[], after: readonly YamlValue[]) {
  let head = 0;
  const shorter = Math.min(before.length, after.length);
  while (head < shorter && isSame(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSame(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  return { head, tail };
}

/** Whether each item is as it was or has the identity that it had, where it was: nothing is to be found out. */
function keepIdentities(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  old: readonly number[],
  now: readonly number[],
): boolean {
  if (old.length > now.length) return false;
  return old.every((index) => {
    const [a, b] = [before[index] ?? null, after[index] ?? null];
    return isSame(a, b) || likeness(a, b) >= SAME_IDENTITY;
  });
}

/** Whether {@link matchLists} finds every item where it was, and new ones only behind all of them. */
export function areMatchedInPlace(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
): boolean {
  const { head, tail } = equalEnds(before, after);
  if (tail > 0 && before.length !== after.length) return false;
  const old = before.slice(head, before.length - tail);
  const now = after.slice(head, after.length - tail);
  return matchLists(old, now).every((match, index) => {
    const isNew = match.before === undefined && index >= old.length;
    return match.after === index && (isNew || match.before === index);
  });
}

function isSame(a: YamlValue | undefined, b: YamlValue | undefined): boolean {
  return a !== undefined && b !== undefined && equalValues(a, b);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

type Pair = readonly [before: number, after: number];

/** Equal items in ascending order on both sides. */
function matchEqual(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  old: readonly number[],
  now: readonly number[],
): Pair[] {
  if (old.length === 0 || now.length === 0) return [];
  const classes = new Map<string, number>();
  const classOf = (value: YamlValue | undefined) => {
    const text = canonical(value ?? null);
    const known = classes.get(text) ?? classes.size;
    classes.set(text, known);
    return known;
  };
  const left = old.map((index) => classOf(before[index]));
  const right = now.map((index) => classOf(after[index]));
  const isSmall = left.length * right.length <= MAX_CELLS;
  const pairs = isSmall
    ? alignBest(left.length, right.length, (i, j) => (left[i] === right[j] ? 1 : 0))
    : longestAscending(uniquePairs(left, right));
  return pairs.map(([i, j]) => [old[i] ?? 0, now[j] ?? 0] as const);
}

/** Text that two values share exactly when they are equal. */
export function canonical(value: YamlValue): string {
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  if (isMap(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join(',')}}`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

/** The order-keeping alignment with the highest total score; pairs of score 0 are not made. */
function alignBest(rows: number, columns: number, score: (i: number, j: number) => number): Pair[] {
  const width = columns + 1;
  const best = new Float64Array((rows + 1) * width);
  const at = (i: number, j: number) => best[i * width + j] ?? 0;
  const scores = new Float64Array(rows * columns);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      const here = score(i, j);
      scores[i * columns + j] = here;
      const paired = here > 0 ? here + at(i + 1, j + 1) : 0;
      best[i * width + j] = Math.max(paired, at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: Pair[] = [];
  let [i, j] = [0, 0];
  while (i < rows && j < columns) {
    const here = scores[i * columns + j] ?? 0;
    if (here > 0 && at(i, j) === here + at(i + 1, j + 1)) {
      pairs.push([i, j]);
      i += 1;
      j += 1;
    } else if (at(i, j) === at(i + 1, j)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Pairs of items that occur once on each side. */
function uniquePairs(left: readonly number[], right: readonly number[]): Pair[] {
  const count = (list: readonly number[]) => {
    const places = new Map<number, number>();
    list.forEach((item, index) => {
      places.set(item, places.has(item) ? -1 : index);
    });
    return places;
  };
  const [lefts, rights] = [count(left), count(right)];
  const pairs: Pair[] = [];
  for (const [item, i] of lefts) {
    const j = rights.get(item) ?? -1;
    if (i >= 0 && j >= 0) pairs.push([i, j]);
  }
  return pairs.sort((a, b) => a[0] - b[0]);
}

/** The longest run of pairs that ascends on both sides, for pairs that ascend on the first. */
function longestAscending(pairs: readonly Pair[]): Pair[] {
  const ends: number[] = [];
  const previous: number[] = [];
  pairs.forEach(([, value], index) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[ends[middle] ?? 0]?.[1] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    previous.push(low > 0 ? (ends[low - 1] ?? -1) : -1);
    ends[low] = index;
  });
  const run: Pair[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) {
    const pair = pairs[at];
    if (pair) run.push(pair);
  }
  return run.reverse();
}

/** Adds the fixed pairs and, between them, the changed, removed and added items. */
function fillGaps(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  { old, now }: { old: readonly number[]; now: readonly number[] },
  fixed: readonly Pair[],
  matches: ListMatch[],
): void {
  let [i, j] = [0, 0];
  const last: Pair = [(old.at(-1) ?? -1) + 1, (now.at(-1) ?? -1) + 1];
  for (const [nextOld, nextNow] of [...fixed, last]) {
    const gapOld: number[] = [];
    const gapNow: number[] = [];
    for (; i < old.length && (old[i] ?? 0) < nextOld; i += 1) gapOld.push(old[i] ?? 0);
    for (; j < now.length && (now[j] ?? 0) < nextNow; j += 1) gapNow.push(now[j] ?? 0);
    matchGap(before, after, gapOld, gapNow, matches);
    if (i < old.length && j < now.length) matches.push({ before: old[i], after: now[j] });
    i += 1;
    j += 1;
  }
}

function matchGap(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  old: readonly number[],
  now: readonly number[],
  matches: ListMatch[],
): void {
  const known = new Map<YamlValue, ReadonlySet<string>>();
  const likenessAt = (i: number, j: number) =>
    likeness(before[old[i] ?? 0] ?? null, after[now[j] ?? 0] ?? null, known);
  const isSmall = old.length * now.length <= MAX_CELLS / 10;
  const pairs = isSmall
    ? alignBest(old.length, now.length, likenessAt)
    : matchByIdentity(before, after, old, now);
  let [i, j] = [0, 0];
  for (const [pairOld, pairNow] of [...pairs, [old.length, now.length] as const]) {
    for (; i < pairOld; i += 1) matches.push({ before: old[i], after: undefined });
    for (; j < pairNow; j += 1) matches.push({ before: undefined, after: now[j] });
    if (i < old.length && j < now.length) matches.push({ before: old[i], after: now[j] });
    i += 1;
    j += 1;
  }
}

/** For long gaps: items whose identity occurs once on each side, or else by position. */
function matchByIdentity(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  old: readonly number[],
  now: readonly number[],
): Pair[] {
  const classes = new Map<string, number>();
  const identities = (list: readonly YamlValue[], indexes: readonly number[]) =>
    indexes.map((index) => {
      const text = identityOf(list[index] ?? null);
      if (text === undefined) return -1;
      const known = classes.get(text) ?? classes.size;
      classes.set(text, known);
      return known;
    });
  const [left, right] = [identities(before, old), identities(after, now)];
  const pairs = uniquePairs(left, right).filter(([i]) => left[i] !== -1);
  return pairs.length > 0 ? longestAscending(pairs) : byPosition(old, now);
}

/** What people tell an item of a list by, as text; `undefined` for other items. */
export function identityOf(value: YamlValue): string | undefined {
  if (!isMap(value)) return undefined;
  const key = IDENTITY_KEYS.find((name) => own(value, name) !== undefined);
  return key === undefined ? undefined : `${key}=${canonical(own(value, key) ?? null)}`;
}

function byPosition(old: readonly number[], now: readonly number[]): Pair[] {
  return range(0, Math.min(old.length, now.length)).map((index) => [index, index] as const);
}

/** Keys by which people tell the items of a list apart, the strongest first. */
const IDENTITY_KEYS = ['id', 'name', 'key', 'path', 'file', 'title'];

/** From here on two items have one identity; see {@link likeness}. */
const SAME_IDENTITY = 2;

/**
 * How much two different items look like one item that changed: 0 not at all, up to 3. `known` keeps
 * what was found out about lists, for callers that compare the same ones often.
 */
export function likeness(
  a: YamlValue,
  b: YamlValue,
  known: Map<YamlValue, ReadonlySet<string>> = new Map(),
): number {
  if (isList(a) && isList(b)) return 0.2 + sharedPart(a, b, known);
  if (isList(a) || isList(b)) return 0.05;
  if (!isMap(a) || !isMap(b)) return isMap(a) || isMap(b) ? 0.05 : 0.1;
  const keys = Object.keys(a);
  const same = keys.filter((key) => Object.hasOwn(b, key) && isSame(a[key], b[key])).length;
  const share = same / Math.max(1, keys.length, Object.keys(b).length);
  for (const key of IDENTITY_KEYS) {
    const [left, right] = [own(a, key), own(b, key)];
    if (left === undefined || right === undefined) continue;
    if (equalValues(left, right)) return SAME_IDENTITY + share;
    if (share >= 0.5) return share;
    // Nothing but the identity differs: an item that was renamed.
    return keys.length === same + 1 && Object.keys(b).length === keys.length ? 0.3 : 0;
  }
  return 0.1 + share;
}

function own(map: { [key: string]: YamlValue }, key: string): YamlValue | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/**
 * The share of two lists' scalars that both have, however deep: a list stays recognizable when it
 * grows at either end and when something in one of its own lists changes.
 */
function sharedPart(
  a: YamlValue[],
  b: YamlValue[],
  known: Map<YamlValue, ReadonlySet<string>>,
): number {
  const [left, right] = [scalarsOf(a, known), scalarsOf(b, known)];
  let shared = 0;
  for (const text of left) if (right.has(text)) shared += 1;
  return shared / Math.max(1, left.size, right.size);
}

function scalarsOf(
  list: YamlValue[],
  known: Map<YamlValue, ReadonlySet<string>>,
): ReadonlySet<string> {
  const found = known.get(list) ?? new Set(scalarTexts(list));
  known.set(list, found);
  return found;
}

function* scalarTexts(value: YamlValue): Generator<string> {
  if (isList(value)) for (const item of value) yield* scalarTexts(item);
  else if (isMap(value))
    for (const key of Object.keys(value)) yield* scalarTexts(value[key] ?? null);
  else yield canonical(value);
}
