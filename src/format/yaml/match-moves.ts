/**
 * Which items of a list that were removed at one place and added at another are the same items,
 * moved: equal ones, and ones with the same identity (`id`, `name`, …). Purely about values; what
 * is moved takes its own text along, comments included.
 */
import { canonical, identityOf, type ListMatch } from './match-lists.js';
import type { YamlValue } from './yaml-value.js';

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
  return moves;
}

/** Equal items are the same item, unless they are as good as empty. */
function worthMoving(value: YamlValue): string | undefined {
  const text = canonical(value);
  return text === 'null' || text === '[]' || text === '{}' ? undefined : text;
}
