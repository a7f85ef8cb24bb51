/**
 * Which sections of a text say something else than a new value does. Parts of the value that are the
 * same objects as before are equal without a look into them.
 */
import { areMatchedInPlace, likeness } from './match-lists.js';
import { type Body, type Branch, keysOf, type Part } from './section-tree.js';
import type { Place } from './section-window.js';
import { formatPath, type YamlPath } from './yaml-path.js';
import { equalValues, isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/** Sections that change together. */
export interface PlaceChange {
  readonly place: Place;
  /** What they are to say: a map or a list of their entries alone. */
  readonly next: YamlValue;
  /** Whether an entry becomes a string that was none; its looks follow its siblings'. */
  readonly hasNewText: boolean;
  /** The last part of a list: what is added looks like it. */
  readonly model: number | undefined;
  /** How many items of a list stand before the sections. */
  readonly before: number;
}

/** Whether the items of the list at a path are where they were, with new ones behind them. */
export type KeepsPlaces = (path: YamlPath) => boolean;

/** What is known of a change beyond the values. */
export interface KnownPlaces {
  readonly keepsPlaces: KeepsPlaces;
  /** Bodies that change in one piece, with the entry that they belong to. */
  readonly closed: ReadonlySet<Body>;
}

/** What an edit from a value to another one comes to. */
export interface ChangedPlaces {
  /** The last one in the text first. */
  readonly changes: readonly PlaceChange[];
  /** As was known before, or has been found out. */
  readonly keepsPlaces: KeepsPlaces;
}

/** The changes; `undefined` where the text has to be edited as a whole. */
export function changedPlaces(
  root: Body,
  value: YamlValue,
  next: YamlValue,
  known: KnownPlaces,
): ChangedPlaces | undefined {
  const changes: PlaceChange[] = [];
  const kept = new Set<string>();
  const where = { body: root, branches: [], path: [], known, kept };
  if (!addChanges(where, value, next, changes)) return undefined;
  const keepsPlaces: KeepsPlaces = (path) =>
    known.keepsPlaces(path) || (kept.size > 0 && kept.has(formatPath(path)));
  return { changes: changes.reverse(), keepsPlaces };
}

/** A body, and how one gets there. */
interface Where {
  readonly body: Body;
  readonly branches: readonly number[];
  readonly path: YamlPath;
  readonly known: KnownPlaces;
  /** Lists that were found to have their items where they were. */
  readonly kept: Set<string>;
}

function addChanges(
  where: Where,
  value: YamlValue,
  next: YamlValue,
  changes: PlaceChange[],
): boolean {
  if (isList(value) && isList(next)) {
    return isKept(where, value, next)
      ? addItemChanges(where, value, next, changes)
      : addListChange(where, value, next, changes);
  }
  return isMap(value) && isMap(next) && addMapChanges(where, value, next, changes);
}

/** Whether the items of a list are where they were: as is known, or as they are matched otherwise. */
function isKept(
  { path, known, kept, body }: Where,
  value: readonly YamlValue[],
  next: readonly YamlValue[],
): boolean {
  if (next.length < value.length) return false;
  if (known.keepsPlaces(path)) return true;
  if (body.parts.length < 2 || !areMatchedInPlace(value, next)) return false;
  kept.add(formatPath(path));
  return true;
}

/** The changes within a branch; false, with none added, where it changes in one piece. */
function addInnerChanges(
  { branches, path, known, kept }: Where,
  { index, branch, step }: { index: number; branch: Branch; step: string | number },
  value: YamlValue | undefined,
  next: YamlValue | undefined,
  changes: PlaceChange[],
): boolean {
  const { body } = branch;
  if (value === undefined || next === undefined || known.closed.has(body)) return false;
  const below: PlaceChange[] = [];
  const where = { body, branches: [...branches, index], path: [...path, step], known, kept };
  if (!addChanges(where, value, next, below)) return false;
  for (const change of below) changes.push(change);
  return true;
}

/** A change for each section with an item that differs; new ones go to the last. */
function addItemChanges(
  where: Where,
  value: readonly YamlValue[],
  next: readonly YamlValue[],
  changes: PlaceChange[],
): boolean {
  const { body, branches } = where;
  let before = 0;
  for (const [index, part] of body.parts.entries()) {
    const step = before;
    const after = before + part.count;
    before = after;
    const isLast = index === body.parts.length - 1;
    const now = next.slice(step, isLast ? undefined : after);
    const isSomeNew = now.some((item, at) => !isSame(value[step + at], item));
    if (!isSomeNew) continue;
    if (part.kind === 'branch' && now.length === 1) {
      const branch = { index, branch: part, step };
      if (addInnerChanges(where, branch, value[step], next[step], changes)) continue;
    }
    const old = value.slice(step, after);
    const place = { branches, from: index, to: index };
    const hasNewText = now.some(
      (item, at) => typeof item === 'string' && typeof old[at] !== 'string',
    );
    changes.push({ place, next: now, hasNewText, model: undefined, before: step });
  }
  return true;
}

/** One change that holds everything between the items that stay at the front and at the end. */
function addListChange(
  where: Where,
  value: readonly YamlValue[],
  next: readonly YamlValue[],
  changes: PlaceChange[],
): boolean {
  const { body, branches } = where;
  const shorter = Math.min(value.length, next.length);
  let head = 0;
  while (head < shorter && isSame(value[head], next[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSame(value.at(-1 - tail), next.at(-1 - tail))) tail += 1;
  const isOneChanged = value.length === next.length && head + tail + 1 === value.length;
  const isKept = isOneChanged && isStillAlike(value[head], next[head]);
  // With an item more on either side: the edit looks at the neighbours of what is added or removed.
  const first = isKept ? head : Math.max(0, head - 1);
  const last = isKept ? head : Math.min(value.length - 1, value.length - tail);
  let [from, to, before, after] = [-1, -1, 0, 0];
  let passed = 0;
  for (const [index, part] of body.parts.entries()) {
    if (from === -1 && first < passed + part.count) [from, before] = [index, passed];
    passed += part.count;
    if (to === -1 && last < passed) [to, after] = [index, value.length - passed];
  }
  if (from === -1 || to === -1 || next.length === 0) return false;
  const part = body.parts[from];
  if (isKept && part?.kind === 'branch') {
    const branch = { index: from, branch: part, step: head };
    if (addInnerChanges(where, branch, value[head], next[head], changes)) return true;
  }
  const model = !isKept && to < body.parts.length - 1 ? body.parts.length - 1 : undefined;
  const isText = (item: YamlValue | undefined) => typeof item === 'string';
  const changed = next.slice(head, next.length - tail);
  const old = value.slice(head, value.length - tail);
  changes.push({
    place: { branches, from, to },
    next: next.slice(before, next.length - after),
    hasNewText: changed.some(isText) && !old.every(isText),
    model,
    before,
  });
  return true;
}

/** Whether an item counts as one that changed, not as one removed and another added. */
function isStillAlike(a: YamlValue | undefined, b: YamlValue | undefined): boolean {
  return a !== undefined && b !== undefined && likeness(a, b) > 0;
}

function isSame(a: YamlValue | undefined, b: YamlValue | undefined): boolean {
  return a !== undefined && b !== undefined && equalValues(a, b);
}

/** Parts of a map that change, from index to index. */
interface Run {
  from: number;
  to: number;
}

function addMapChanges(
  where: Where,
  value: YamlMap,
  next: YamlMap,
  changes: PlaceChange[],
): boolean {
  const { body, branches } = where;
  const added = addedKeys(body, value, next);
  if (!added) return false;
  const runs: Run[] = [];
  const inner = new Map<number, PlaceChange[]>();
  for (const [index, part] of body.parts.entries()) {
    if (!isChanged(part, value, next) && !added.has(index)) continue;
    if (part.kind === 'branch' && !added.has(index)) {
      const below: PlaceChange[] = [];
      const { key } = part;
      const branch = { index, branch: part, step: key };
      const isEdited = addInnerChanges(where, branch, own(value, key), own(next, key), below);
      if (isEdited) {
        inner.set(index, below);
        continue;
      }
    }
    addRun(runs, neighbourhood(body, index, next));
  }
  // What changes inside a branch that changes as a whole, too, is done with it.
  for (const index of [...inner.keys()]) {
    if (runs.some(({ from, to }) => from <= index && index <= to)) inner.delete(index);
  }
  for (const index of body.parts.keys()) {
    const run = runs.find(({ from }) => from === index);
    if (run) changes.push(changeOf(body, branches, run, value, next, added));
    else for (const change of inner.get(index) ?? []) changes.push(change);
  }
  return true;
}

/** A part that loses its first entry is edited together with what stands before it. */
function neighbourhood(body: Body, index: number, next: YamlMap): Run {
  const part = body.parts[index];
  const keys = part ? keysOf(part) : [];
  const losesFirst = keys[0] !== undefined && !Object.hasOwn(next, keys[0]);
  const losesAll = keys.every((key) => !Object.hasOwn(next, key));
  const from = losesFirst ? Math.max(0, index - 1) : index;
  const to = losesAll && from === index ? Math.min(body.parts.length - 1, index + 1) : index;
  return { from, to };
}

/** Runs that touch become one. */
function addRun(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last && run.from <= last.to + 1) {
    last.from = Math.min(last.from, run.from);
    last.to = Math.max(last.to, run.to);
  } else runs.push(run);
}

function changeOf(
  body: Body,
  branches: readonly number[],
  { from, to }: Run,
  value: YamlMap,
  next: YamlMap,
  added: ReadonlyMap<number, ReadonlySet<string>>,
): PlaceChange {
  const keys = new Set<string>();
  for (let index = from; index <= to; index += 1) {
    const part = body.parts[index];
    for (const key of part ? keysOf(part) : []) keys.add(key);
    for (const key of added.get(index) ?? []) keys.add(key);
  }
  const entries: [string, YamlValue][] = [];
  let hasNewText = false;
  // In the order of the new value: it says where new keys go.
  for (const key of Object.keys(next)) {
    const item = own(next, key);
    if (!keys.has(key) || item === undefined) continue;
    entries.push([key, item]);
    hasNewText ||= typeof item === 'string' && typeof own(value, key) !== 'string';
  }
  const place = { branches, from, to };
  const list = { model: undefined, before: 0 };
  return { place, next: Object.fromEntries(entries), hasNewText, ...list };
}

/**
 * Keys that are new, by the part whose key they follow. `undefined` where one follows a branch, or
 * follows no key, so that it goes to the end.
 */
function addedKeys(
  body: Body,
  value: YamlMap,
  next: YamlMap,
): Map<number, Set<string>> | undefined {
  const added = new Map<number, Set<string>>();
  const names = Object.keys(next);
  if (names.every((key) => Object.hasOwn(value, key))) return added;
  const partOf = new Map<string, number>();
  body.parts.forEach((part, index) => {
    for (const key of keysOf(part)) partOf.set(key, index);
  });
  let previous: number | undefined;
  for (const key of names) {
    const known = partOf.get(key);
    if (known !== undefined) {
      previous = known;
      continue;
    }
    if (previous === undefined || body.parts[previous]?.kind === 'branch') return undefined;
    added.set(previous, (added.get(previous) ?? new Set()).add(key));
  }
  return added;
}

function isChanged(part: Part, value: YamlMap, next: YamlMap): boolean {
  return keysOf(part).some((key) => !isSame(own(value, key), own(next, key)));
}

function own(map: YamlMap, key: string): YamlValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
