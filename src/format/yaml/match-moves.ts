/**
 * Which items of a list that were removed at one place and added at another are the same items,
 * moved: equal ones, ones with the same identity (`id`, `name`, …), and collections much alike.
 * Purely about values; what is moved takes its own text along, comments included.
 */
import { canonical, identityOf, type ListMatch, likeness } from './match-lists.js';
import { isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/** For items that were moved: the index after the edit, and the index before it. */
export function findMoves(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  matches: readonly ListMatch[],
): Map<number, number> {
  const removed: number[] = [];
  const added: number[] = [];
  for (const match of matches) {
    if (match.after === undefined && match.before !== undefined) removed.push(match.before);
    if (match.before === undefined && match.after !== undefined) added.push(match.after);
  }
  const moves = new Map<number, number>();
  if (removed.length === 0 || added.length === 0) return moves;
  for (const likeness of [worthMoving, identityOf]) {
    const taken = new Set(moves.values());
    const sources = new Map<string, number[]>();
    for (const index of removed) {
      const text = taken.has(index) ? undefined : likeness(before[index] ?? null);
      if (text !== undefined) sources.set(text, [...(sources.get(text) ?? []), index]);
    }
    for (const index of added) {
      const text = moves.has(index) ? undefined : likeness(after[index] ?? null);
      const source = text === undefined ? undefined : sources.get(text)?.shift();
      if (source !== undefined) moves.set(index, source);
    }
  }
  const taken = new Set(moves.values());
  const left = removed.filter((index) => !taken.has(index));
  addAlike(before, after, left, added, moves);
  return moves;
}

/** Pairs of removed and added items that are compared one by one; more would take too long. */
const MAX_PAIRS = 10_000;

/** How alike an item must be before and after to have moved and changed at once. */
const ALIKE = 0.5;

/** Items without identity that changed on their way, the likest first come. */
function addAlike(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  removed: readonly number[],
  added: readonly number[],
  moves: Map<number, number>,
): void {
  const sources = new Set(removed.filter((index) => isCollection(before[index])));
  if (sources.size * added.length > MAX_PAIRS) return;
  for (const index of added) {
    const value = after[index];
    if (moves.has(index) || !isCollection(value)) continue;
    let best: number | undefined;
    let most = 0;
    for (const source of sources) {
      const like = alikeness(before[source] ?? null, value);
      if (like < ALIKE || like <= most) continue;
      best = source;
      most = like;
    }
    if (best === undefined) continue;
    moves.set(index, best);
    sources.delete(best);
  }
}

function isCollection(value: YamlValue | undefined): value is YamlValue[] | YamlMap {
  return isList(value) || isMap(value);
}

function alikeness(a: YamlValue, b: YamlValue): number {
  if (!isList(a) || !isList(b)) return isMap(a) && isMap(b) ? likeness(a, b) : 0;
  const items = new Set(a.map(canonical));
  const shared = b.filter((item) => items.has(canonical(item))).length;
  return shared / Math.max(1, a.length, b.length);
}

/** Equal items are the same item, unless they are as good as empty. */
function worthMoving(value: YamlValue): string | undefined {
  const text = canonical(value);
  return text === 'null' || text === '[]' || text === '{}' ? undefined : text;
}
