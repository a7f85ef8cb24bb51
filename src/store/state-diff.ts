/**
 * What is different between two states, path by path, and the same in a few words. Purely about values:
 * comments and layout are the text's. Items of lists are matched by what people tell them by (`id`,
 * `name`, …) and by likeness, as edits match them, so that an inserted item is one change and no more.
 */
import { CheckpointError } from '../errors.js';
import { matchLists } from '../format/yaml/match-lists.js';
import { findMoves } from '../format/yaml/match-moves.js';
import { formatPath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import { equalValues, isList, isMap, type YamlValue } from '../format/yaml/yaml-value.js';

/**
 * One difference. `path` leads there in the state after; of what was removed, in the state before. A
 * collection that is new or gone as a whole is one difference.
 *
 * - `added`, `removed`: the value is there only after, or only before
 * - `changed`: another value
 * - `moved`: an item of a list that stands elsewhere among the others; what changed in it comes by itself
 */
export type StateChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: YamlValue }
  | { readonly kind: 'removed'; readonly path: string; readonly before: YamlValue }
  | (Relocated & {
      readonly kind: 'changed';
      readonly before: YamlValue;
      readonly after: YamlValue;
    })
  | (Relocated & { readonly kind: 'moved' });

/** A value that is in both states. */
export interface Relocated {
  /** Where it is in the later state. */
  readonly path: string;
  /** Where it was in the state before, if that is another path. */
  readonly pathBefore?: string;
}

/** A path on both sides; the indexes of lists may differ. */
interface Place {
  readonly before: readonly (string | number)[];
  readonly after: readonly (string | number)[];
}

/** Every difference, in the order of the state after; equal states have none. */
export function diffStates(before: YamlValue, after: YamlValue): StateChange[] {
  const changes: StateChange[] = [];
  compare({ before: [], after: [] }, before, after, changes);
  return changes;
}

/** The differences of the states in two texts; `undefined` where one of them is no YAML. */
export function diffTexts(before: string, after: string): StateChange[] | undefined {
  if (before === after) return [];
  try {
    return diffStates(parseYaml(before).value, parseYaml(after).value);
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

function compare(place: Place, before: YamlValue, after: YamlValue, changes: StateChange[]): void {
  if (isList(before) && isList(after)) {
    compareLists(place, before, after, changes);
  } else if (isMap(before) && isMap(after)) {
    for (const key of new Set([...Object.keys(after), ...Object.keys(before)])) {
      const left = Object.hasOwn(before, key) ? before[key] : undefined;
      const right = Object.hasOwn(after, key) ? after[key] : undefined;
      compareEntry(inside(place, key, key), left, right, changes);
    }
  } else if (!equalValues(before, after)) {
    changes.push({ kind: 'changed', ...relocated(place), before, after });
  }
}

function compareLists(
  place: Place,
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  changes: StateChange[],
): void {
  const matches = matchLists(before, after);
  const moves = findMoves(before, after, matches);
  const sources = new Set(moves.values());
  for (const { before: from, after: to } of matches) {
    const source = from ?? (to === undefined ? undefined : moves.get(to));
    if (to === undefined && source !== undefined && sources.has(source)) continue;
    const at = inside(place, source ?? 0, to ?? 0);
    if (from === undefined && source !== undefined) {
      changes.push({ kind: 'moved', ...relocated(at) });
    }
    const left = source === undefined ? undefined : before[source];
    compareEntry(at, left, to === undefined ? undefined : after[to], changes);
  }
}

function compareEntry(
  place: Place,
  before: YamlValue | undefined,
  after: YamlValue | undefined,
  changes: StateChange[],
): void {
  if (before !== undefined && after !== undefined) compare(place, before, after, changes);
  else if (after !== undefined) {
    changes.push({ kind: 'added', path: formatPath(place.after), after });
  } else if (before !== undefined) {
    changes.push({ kind: 'removed', path: formatPath(place.before), before });
  }
}

function inside({ before, after }: Place, left: string | number, right: string | number): Place {
  return { before: [...before, left], after: [...after, right] };
}

function relocated({ before, after }: Place): Relocated {
  const path = formatPath(after);
  const pathBefore = formatPath(before);
  return pathBefore === path ? { path } : { path, pathBefore };
}

/** How many differences of each kind there are. */
export function countChanges(
  changes: readonly StateChange[],
): Readonly<Record<StateChange['kind'], number>> {
  const counts = { added: 0, removed: 0, changed: 0, moved: 0 };
  for (const { kind } of changes) counts[kind] += 1;
  return counts;
}

/** One difference on one line, its values shortened to `valueWidth` characters each. */
export function describeChange(change: StateChange, valueWidth = 40): string {
  const isElsewhere = 'pathBefore' in change && change.pathBefore !== undefined;
  const from = isElsewhere ? ` (was ${change.pathBefore})` : '';
  return lineOf(change, `${nameOf(change)}${from}`, valueWidth);
}

const MARKS = { added: '+', removed: '-', changed: '~', moved: '>' } as const;

function lineOf(change: StateChange, place: string, width: number): string {
  const start = `${MARKS[change.kind]} ${place}`;
  switch (change.kind) {
    case 'added':
      return `${start}: ${shortValue(change.after, width)}`;
    case 'removed':
      return `${start}: ${shortValue(change.before, width)}`;
    case 'changed':
      return `${start}: ${shortValue(change.before, width)} → ${shortValue(change.after, width)}`;
    case 'moved':
      return start;
  }
}

function nameOf({ path }: StateChange): string {
  return path === '' ? '(root)' : path;
}

/** Characters of each value, and of a path, in {@link summarize}. */
const SUMMARY_VALUE = 32;
const SUMMARY_PATH = 60;

/**
 * The differences in a few words, for a timeline: the most telling one, and how many others there are:
 * `phases[1].status: ACTIVE → COMPLETE, +2 paths`. `+` counts what was added, `-` what was removed.
 */
export function summarize(changes: readonly StateChange[]): string {
  const first = mostTelling(changes);
  if (first === undefined) return 'the same state';
  const counts = { ...countChanges(changes) };
  counts[first.kind] -= 1;
  // The sign of a change goes without saying: most are.
  const text = lineOf(first, shortPath(nameOf(first)), SUMMARY_VALUE).replace(/^~ /, '');
  const others = [
    counts.changed > 0 ? `${counts.changed} more changed` : '',
    counts.added > 0 ? `+${paths(counts.added)}` : '',
    counts.removed > 0 ? `-${paths(counts.removed)}` : '',
    counts.moved > 0 ? `${counts.moved} moved` : '',
  ];
  return [text, ...others.filter((other) => other !== '')].join(', ');
}

/** What people call the state of a thing: where it changes, something happened. */
const TELLING = /(?:^|\.)(?:status|state|phase)$/;

function mostTelling(changes: readonly StateChange[]): StateChange | undefined {
  const changed = changes.filter(({ kind }) => kind === 'changed');
  return changed.find(({ path }) => TELLING.test(path)) ?? changed[0] ?? changes[0];
}

function paths(number: number): string {
  return `${number} ${number === 1 ? 'path' : 'paths'}`;
}

/** The end of a path says more than its beginning. */
function shortPath(path: string): string {
  const characters = [...path];
  return characters.length <= SUMMARY_PATH
    ? path
    : `…${characters.slice(1 - SUMMARY_PATH).join('')}`;
}

/**
 * A value on one line of at most `width` characters: plain words as they are, other strings as JSON,
 * collections in flow style. Takes no more work than is shown, however large the value is.
 */
export function shortValue(value: YamlValue, width: number): string {
  const text = flow(value, width);
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

const PLAIN = /^[A-Za-z_][\w ./@+-]*$/;
const WORDS_OF_OTHER_TYPES = /^(?:true|false|null|~)$/i;

function flow(value: YamlValue, room: number): string {
  if (isList(value)) return `[${joined(value, room, (item, rest) => flow(item, rest))}]`;
  if (isMap(value)) {
    const entry = (key: string, rest: number) => {
      return `${flow(key, rest)}: ${flow(value[key] ?? null, rest - key.length)}`;
    };
    return `{${joined(Object.keys(value), room, entry)}}`;
  }
  if (typeof value !== 'string') return Object.is(value, -0) ? '-0' : String(value);
  const isPlain = PLAIN.test(value) && !value.endsWith(' ') && !WORDS_OF_OTHER_TYPES.test(value);
  return isPlain ? value : JSON.stringify(value.slice(0, 2 * Math.max(room, 0) + 2));
}

/** Items, separated by commas, until there is no room for more; what is cut off shows by its length. */
function joined<T>(
  items: readonly T[],
  room: number,
  textOf: (item: T, room: number) => string,
): string {
  let text = '';
  for (const item of items) {
    if (text.length > room) break;
    text += `${text === '' ? '' : ', '}${textOf(item, room - text.length)}`;
  }
  return text;
}
