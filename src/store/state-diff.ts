/**
 * What differs between two states, as a list of paths. Items of lists are told apart as an edit tells
 * them apart: by identity (`id`, `name`, …) and likeness, so that an item which was inserted is one
 * change and not a change of all that follow. Comments, layout and the order of keys are no difference.
 */
import { matchLists } from '../format/yaml/match-lists.js';
import { findMoves } from '../format/yaml/match-moves.js';
import { formatPath, type YamlPath } from '../format/yaml/yaml-path.js';
import {
  cloneValue,
  equalValues,
  isList,
  isMap,
  type YamlValue,
} from '../format/yaml/yaml-value.js';

/**
 * One difference. Paths are written as `phases[0].status`; the root is the empty text.
 *
 * - `added`, `removed`: what is at the path, with all that is in it, is only in one of the states
 * - `changed`: a value that was replaced; lists and mappings are looked into instead
 * - `moved`: an item of a list that stands in another place among the others
 */
export interface StateChange {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  /** Where it is in the newer state; of what was removed, where it was in the older one. */
  readonly path: string;
  /** Where it was in the older state, if that was another path. */
  readonly fromPath?: string;
  /** The older value; absent for what was added or moved. */
  readonly from?: YamlValue;
  /** The newer value; absent for what was removed or moved. */
  readonly to?: YamlValue;
}

/**
 * The differences between two states, in the order of the newer one, removed ones before what took
 * their place; none exactly where the two are equal. Takes states as a store returns them, or any
 * plain data that could be saved.
 * @throws CheckpointError `UNFAITHFUL_VALUE`, `TOO_DEEP`, `TOO_LARGE` for what could not be saved
 */
export function diffStates(from: unknown, to: unknown): StateChange[] {
  return compareStates(copyOf(from), copyOf(to));
}

/** The same for values that were read from YAML, without a copy. */
export function compareStates(from: YamlValue, to: YamlValue): StateChange[] {
  const found: StateChange[] = [];
  compare(from, to, { old: [], now: [] }, found);
  return found;
}

/** Integers beyond the safe range can only be saved where they were read, and may be compared. */
function copyOf(state: unknown): YamlValue {
  return cloneValue(state, { carried: integersIn(state, new Set()) });
}

function integersIn(value: unknown, seen: Set<object>): bigint[] {
  if (typeof value === 'bigint') return [value];
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  return Object.values(value).flatMap((item) => integersIn(item, seen));
}

/** Where a value is in either state. */
interface Place {
  readonly old: YamlPath;
  readonly now: YamlPath;
}

function compare(from: YamlValue, to: YamlValue, place: Place, found: StateChange[]): void {
  if (isMap(from) && isMap(to)) compareMaps(from, to, place, found);
  else if (isList(from) && isList(to)) compareLists(from, to, place, found);
  else if (!equalValues(from, to)) found.push({ kind: 'changed', ...pathsOf(place), from, to });
}

function compareMaps(
  from: Readonly<Record<string, YamlValue>>,
  to: Readonly<Record<string, YamlValue>>,
  place: Place,
  found: StateChange[],
): void {
  for (const [key, value] of Object.entries(from)) {
    if (Object.hasOwn(to, key)) continue;
    found.push({ kind: 'removed', path: formatPath([...place.old, key]), from: value });
  }
  for (const [key, value] of Object.entries(to)) {
    const at = step(place, key, key);
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    if (before === undefined) found.push({ kind: 'added', path: formatPath(at.now), to: value });
    else compare(before, value, at, found);
  }
}

function compareLists(
  from: readonly YamlValue[],
  to: readonly YamlValue[],
  place: Place,
  found: StateChange[],
): void {
  const matches = matchLists(from, to);
  const moves = findMoves(from, to, matches);
  const moved = new Set(moves.values());
  for (const { before, after } of matches) {
    const [old, now] = [valueAt(from, before), valueAt(to, after)];
    if (before !== undefined && after !== undefined) {
      compare(old, now, step(place, before, after), found);
    } else if (before !== undefined && !moved.has(before)) {
      found.push({ kind: 'removed', path: formatPath([...place.old, before]), from: old });
    } else if (after !== undefined) {
      const source = moves.get(after);
      if (source === undefined) {
        found.push({ kind: 'added', path: formatPath([...place.now, after]), to: now });
      } else {
        const at = step(place, source, after);
        found.push({ kind: 'moved', path: formatPath(at.now), fromPath: formatPath(at.old) });
        compare(valueAt(from, source), now, at, found);
      }
    }
  }
}

function valueAt(list: readonly YamlValue[], index: number | undefined): YamlValue {
  return (index === undefined ? undefined : list[index]) ?? null;
}

function step({ old, now }: Place, before: string | number, after: string | number): Place {
  return { old: [...old, before], now: [...now, after] };
}

function pathsOf({ old, now }: Place): { path: string; fromPath?: string } {
  const [path, fromPath] = [formatPath(now), formatPath(old)];
  return path === fromPath ? { path } : { path, fromPath };
}
