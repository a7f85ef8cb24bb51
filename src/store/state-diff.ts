/**
 * What is different between two states, by path: added, removed, changed. Items of lists are matched by
 * identity and likeness, as edits match them, so that an item that was put in between is one item that
 * was added. Pure.
 */
import { matchLists } from '../format/yaml/match-lists.js';
import { formatPath, type YamlPath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import { equalValues, isList, isMap, type YamlValue } from '../format/yaml/yaml-value.js';

/** One difference. Paths of what is there after are those of the state after; of what is gone, before. */
export type StateChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: YamlValue }
  | { readonly kind: 'removed'; readonly path: string; readonly before: YamlValue }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly before: YamlValue;
      readonly after: YamlValue;
    };

/** Every difference, in the order of the state after. Equal states have none. */
export function diffStates(before: YamlValue, after: YamlValue): StateChange[] {
  return [...walk(before, after, [])];
}

/** The differences of two texts; `undefined` where one of them is no YAML, or they differ in layout only. */
export function diffTexts(before: string, after: string): StateChange[] | undefined {
  try {
    return diffStates(parseYaml(before).value, parseYaml(after).value);
  } catch {
    return undefined; // what can't be parsed can be compared as text only
  }
}

/** The differences in a few words, for a line of a timeline. */
export function summarize(changes: readonly StateChange[] | undefined): string {
  if (changes === undefined) return 'not comparable';
  const [first, ...rest] = [...changes].sort((a, b) => rank(a) - rank(b));
  if (first === undefined) return 'no change of the state';
  const more = rest.length === 0 ? '' : `, and ${rest.length} more`;
  return `${describeChange(first)}${more}`;
}

/** One difference as a line: `phases[0].status: PENDING → COMPLETE`. */
export function describeChange(change: StateChange): string {
  const path = change.path === '' ? '(the whole state)' : change.path;
  switch (change.kind) {
    case 'added':
      return `+ ${path}: ${short(change.after)}`;
    case 'removed':
      return `- ${path}: ${short(change.before)}`;
    case 'changed':
      return `${path}: ${short(change.before)} → ${short(change.after)}`;
  }
}

function* walk(before: YamlValue, after: YamlValue, path: YamlPath): Generator<StateChange> {
  if (equalValues(before, after)) return;
  if (isMap(before) && isMap(after)) {
    for (const [key, value] of Object.entries(after)) {
      const at = [...path, key];
      const old = Object.hasOwn(before, key) ? before[key] : undefined;
      if (old === undefined) yield { kind: 'added', path: formatPath(at), after: value };
      else yield* walk(old, value, at);
    }
    for (const [key, value] of Object.entries(before)) {
      if (Object.hasOwn(after, key)) continue;
      yield { kind: 'removed', path: formatPath([...path, key]), before: value };
    }
  } else if (isList(before) && isList(after)) {
    for (const match of matchLists(before, after)) yield* walkItem(before, after, match, path);
  } else {
    yield { kind: 'changed', path: formatPath(path), before, after };
  }
}

function* walkItem(
  before: readonly YamlValue[],
  after: readonly YamlValue[],
  match: { readonly before: number | undefined; readonly after: number | undefined },
  path: YamlPath,
): Generator<StateChange> {
  const old = match.before === undefined ? undefined : before[match.before];
  const now = match.after === undefined ? undefined : after[match.after];
  const at = formatPath([...path, match.after ?? match.before ?? 0]);
  if (old !== undefined && now !== undefined) yield* walk(old, now, [...path, match.after ?? 0]);
  else if (now !== undefined) yield { kind: 'added', path: at, after: now };
  else if (old !== undefined) yield { kind: 'removed', path: at, before: old };
}

/** What people look for first: a change of a plain value near the top. */
function rank({ kind, path }: StateChange): number {
  const depth = path.split(/[.[]/).length;
  const isStatus = /(^|\.)(status|state|phase)$/.test(path);
  return depth + (kind === 'changed' ? 0 : 2) - (isStatus ? 2 : 0);
}

const VALUE_LENGTH_MAX = 40;

function short(value: YamlValue): string {
  const text = typeof value === 'string' ? value : isMap(value) ? mapText(value) : listText(value);
  const line = text.replace(/\s+/g, ' ');
  return line.length <= VALUE_LENGTH_MAX ? line : `${line.slice(0, VALUE_LENGTH_MAX - 1)}…`;
}

function mapText(value: Readonly<Record<string, YamlValue>>): string {
  const { id, name } = value;
  const known = [id, name].find((one) => typeof one === 'string');
  const keys = Object.keys(value).length;
  return `{${known === undefined ? '' : `${String(known)}, `}${keys} ${keys === 1 ? 'key' : 'keys'}}`;
}

function listText(value: YamlValue): string {
  if (!isList(value)) return String(value);
  return `[${value.length} ${value.length === 1 ? 'item' : 'items'}]`;
}
