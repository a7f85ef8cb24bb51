/**
 * Editing a few sections of a text by themselves: a window is a small text with the sections to be
 * changed, the keys above them, and what else of the document an edit looks at. The whole-text editor
 * edits and verifies the window; its splices then fit the whole text, because everything that the
 * editor looks at is in the window. `undefined` wherever that is not certain.
 */

import { siblingString } from './replace-node.js';
import { scanParts } from './section-scan.js';
import {
  type Body,
  type Branch,
  bodyText,
  branchOf,
  countBefore,
  lengthBefore,
  noteValue,
  type Part,
  replaceParts,
  textOf,
} from './section-tree.js';
import { keyLineOf, leadingComments, partValue, readLeaf, shareValue } from './section-value.js';
import { applySplices, type Splice } from './splice.js';
import type { YamlPath } from './yaml-path.js';
import type { ParseYamlOptions, YamlText } from './yaml-text.js';
import { type CollectionNode, isCollection } from './yaml-tree.js';
import { isList, isMap, type YamlValue } from './yaml-value.js';

/** Some parts of a body: `branches` leads there, each an index among the parts of the one above. */
export interface Place {
  readonly branches: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** One step from a body to the body in one of its branches. */
export interface Step {
  /** The key; an item's index in the document, and how many stand before it in a window. */
  readonly key: string;
  readonly item: number;
  readonly shownBefore: number;
  readonly isList: boolean;
}

/** A place with what is around it. */
export interface Window {
  readonly place: Place;
  /** The bodies from the root to the one of the place. */
  readonly bodies: readonly Body[];
  /** The keys and items that lead there. */
  readonly steps: readonly Step[];
  readonly body: Body;
  readonly parts: readonly Part[];
  /** Where the parts begin in the root. */
  readonly offset: number;
  readonly text: string;
  /** Where the parts are in {@link text}. */
  readonly start: number;
  readonly end: number;
  /** A part that shows how strings or items of this body look, before or behind the parts. */
  readonly before: Part | undefined;
  readonly after: Part | undefined;
}

/** A part of one of the bodies that lead to a place, to be in its window, too: see {@link Window.before}. */
export interface Model {
  /** Which body: 0 is the root. */
  readonly level: number;
  readonly index: number;
  readonly part: Part;
}

/** The bodies from the root down to a place. */
export function bodiesAt(root: Body, branches: readonly number[]): Body[] {
  const bodies = [root];
  for (const index of branches) {
    const part = bodies.at(-1)?.parts[index];
    if (part?.kind === 'branch') bodies.push(part.body);
  }
  return bodies;
}

/** The window on a place. */
export function openWindow(root: Body, place: Place, model?: Model): Window {
  const { branches, from, to } = place;
  const bodies = bodiesAt(root, branches);
  const body = bodies.at(-1) ?? root;
  const parts = body.parts.slice(from, to + 1);
  const shown = model?.part;
  const isInner = model?.level === branches.length;
  const before = isInner && model.index < from ? shown : undefined;
  const after = isInner && model.index > to ? shown : undefined;
  let head = '';
  let offset = lengthBefore(body, from);
  const steps: Step[] = [];
  branches.forEach((index, level) => {
    const outer = bodies[level];
    const branch = outer?.parts[index];
    if (!outer || branch?.kind !== 'branch') return;
    const ahead = shown && model?.level === level ? shown : undefined;
    const { key } = branch;
    const item = outer.isList ? countBefore(outer, index) : 0;
    steps.push({ key, item, shownBefore: ahead?.count ?? 0, isList: outer.isList });
    offset += lengthBefore(outer, index) + branch.head.length;
    if (ahead) head += textOf([ahead]);
    const next = branches[level + 1] ?? from;
    const first = model?.level === level + 1 ? Math.min(model.index, next) : next;
    head += lineOf(branch, first === 0);
  });
  if (before) head += textOf([before]);
  const inner = textOf(parts);
  const trailing = leadingComments(textBehind(bodies, place));
  const text = head + inner + trailing + (after ? textOf([after]) : '');
  const range = { start: head.length, end: head.length + inner.length };
  return { place, bodies, steps, body, parts, offset, text, ...range, before, after };
}

/**
 * The line of a branch's key or dash. Where its first entry, which stands behind the dash, is not
 * there, the dash stands alone, so that the others stay in their column.
 */
function lineOf({ head }: Branch, isFirstThere: boolean): string {
  const line = head.slice(keyLineOf(head));
  return isFirstThere || line.endsWith('\n') ? line : `${line.trimEnd()}\n`;
}

/** The text that follows the parts of a place in the document, at least its comments. */
function textBehind(bodies: readonly Body[], { branches, to }: Place): string {
  const ends = [...branches, to];
  for (let level = bodies.length - 1; level >= 0; level -= 1) {
    const next = bodies[level]?.parts[(ends[level] ?? 0) + 1];
    if (next) return next.kind === 'leaf' ? next.text : next.head;
  }
  return '';
}

/** The node of the window's body in a tree of the window's text. */
export function nodeOf(
  { steps }: Pick<Window, 'steps'>,
  yaml: YamlText,
): CollectionNode | undefined {
  let node = yaml.root;
  for (const { isList, key, shownBefore } of steps) {
    if (!isCollection(node) || (node.kind === 'list') !== isList) return undefined;
    const { entries } = node;
    const entry = isList ? entries[shownBefore] : entries.find((one) => one.key === key);
    if (!entry) return undefined;
    node = entry.node;
  }
  return isCollection(node) ? node : undefined;
}

/** What the window's text is to say, if its parts are to say `next`. */
export function nextOf(window: Window, next: YamlValue, options: ParseYamlOptions): YamlValue {
  const depth = window.bodies.length;
  const [before, after] = [window.before, window.after].map(
    (part) => part && partValue(part, window.body, depth, options),
  );
  let value: YamlValue;
  if (isList(next)) {
    const items = (list: YamlValue | undefined) => (isList(list) ? list : []);
    value = [...items(before), ...next, ...items(after)];
  } else {
    const entries = (map: YamlValue | undefined) => (isMap(map) ? Object.entries(map) : []);
    value = Object.fromEntries([...entries(before), ...entries(next), ...entries(after)]);
  }
  for (const step of [...window.steps].reverse()) {
    value = step.isList ? [value] : Object.fromEntries([[step.key, value]]);
  }
  return value;
}

/**
 * Which leaf of a body shows how its strings look: the last one with a string. `undefined` where that
 * is among the parts of the place, or where there is none.
 * @param root the text before an edit of several places, of which those behind this one are done
 */
export function textModel(
  root: Body,
  { place, steps }: Window,
  level: number,
  yaml: YamlText,
  options: ParseYamlOptions,
): Model | undefined {
  const body = bodiesAt(root, place.branches)[level];
  const isInner = level === place.branches.length;
  const from = isInner ? place.from : (place.branches[level] ?? 0);
  const to = isInner ? place.to : from;
  for (let index = (body?.parts.length ?? 0) - 1; index >= 0; index -= 1) {
    if (index === to) {
      const node = nodeOf({ steps: steps.slice(0, level) }, yaml);
      if (node && siblingString(node)) return undefined;
      index = from;
      continue;
    }
    const part = body?.parts[index];
    if (part?.kind !== 'leaf' || !part.mayHoldText) continue;
    if (part.known.hasText === undefined) readLeaf(part, level + 1, options);
    if (part.known.hasText) return { level, index, part };
  }
  return undefined;
}

/** What an edit of a window comes to in the document. */
export interface Committed {
  readonly root: Body;
  /** In the root's text before the edit. */
  readonly splices: readonly Splice[];
}

/** The root with a window's edit made in it, or `undefined` where the edit reaches beyond. */
export function commitWindow(
  window: Window,
  splices: readonly Splice[],
  edited: YamlText,
): Committed | undefined {
  const { start, end, body, place, parts, offset } = window;
  if (splices.some((splice) => splice.start < start || splice.end > end)) return undefined;
  const inner = applySplices(window.text.slice(start, end), moved(splices, -start));
  const scanned = scanParts(inner, body, place.from === 0);
  const node = nodeOf(window, edited);
  if (!scanned || !node) return undefined;
  const skipped = window.before?.count ?? 0;
  const count = node.entries.length - skipped - (window.after?.count ?? 0);
  if (countOf(scanned) !== count) return undefined;
  rememberValues(scanned, parts, node, skipped);
  const changed = replaceParts(body, place.from, place.to, scanned);
  const root = replaceBody(window.bodies, place.branches, changed);
  return root && { root, splices: moved(splices, offset - start) };
}

/**
 * As {@link commitWindow}, for one entry that was added to the body of `level` behind its last part,
 * which is a branch: the place is the last leaf in it.
 */
export function commitAppended(
  window: Window,
  level: number,
  splices: readonly Splice[],
): Committed | undefined {
  const { start, end, place, bodies, offset, body, parts } = window;
  const outer = bodies[level];
  const [splice, ...others] = splices;
  if (!outer || !splice || others.length > 0 || splice.start !== splice.end) return undefined;
  if (splice.start <= start || splice.end > end) return undefined;
  const above = scanParts(window.text.slice(start, splice.start), body, place.from === 0);
  const added = scanParts(splice.text + window.text.slice(splice.start, end), outer, false);
  if (!above || !added || countOf(above) !== countOf(parts) || countOf(added) !== 1) {
    return undefined;
  }
  const changed = replaceParts(body, place.from, place.to, above);
  const inside = bodies.slice(level);
  const before = replaceBody(inside, place.branches.slice(level), changed);
  if (!before) return undefined;
  const longer = replaceParts(before, before.parts.length, before.parts.length, added);
  const root = replaceBody(bodies.slice(0, level + 1), place.branches.slice(0, level), longer);
  return root && { root, splices: moved(splices, offset - start) };
}

/** The first of the bodies, with another one in place of the last. */
function replaceBody(
  bodies: readonly Body[],
  branches: readonly number[],
  changed: Body,
): Body | undefined {
  let root = changed;
  for (let level = branches.length - 1; level >= 0; level -= 1) {
    const outer = bodies[level];
    const index = branches[level] ?? 0;
    const branch = outer?.parts[index];
    if (!outer || branch?.kind !== 'branch') return undefined;
    root = replaceParts(outer, index, index, [branchOf(branch.head, branch.key, root)]);
  }
  return root;
}

function countOf(parts: readonly Part[]): number {
  let count = 0;
  for (const part of parts) count += part.count;
  return count;
}

function moved(splices: readonly Splice[], by: number): Splice[] {
  return splices.map(({ start, end, text }) => ({ start: start + by, end: end + by, text }));
}

/** Notes what new parts say. What they share with the parts that they replace are the same objects. */
function rememberValues(
  scanned: readonly Part[],
  replaced: readonly Part[],
  node: CollectionNode,
  skipped: number,
): void {
  const isItems = node.kind === 'list';
  const known = new Map<string | number, YamlValue>();
  let passed = 0;
  for (const part of replaced) {
    const value = part.kind === 'leaf' ? part.known.value : undefined;
    if (part.kind === 'branch') {
      const of = isItems ? passed : part.key;
      if (part.body.known.value !== undefined) known.set(of, part.body.known.value);
    } else if (isList(value))
      for (const [at, item] of value.entries()) known.set(passed + at, item);
    else if (isMap(value)) for (const key of part.keys) known.set(key, value[key] ?? null);
    passed += part.count;
  }
  let at = skipped;
  for (const part of scanned) {
    const values = node.entries.slice(at, at + part.count).map((entry, index) => {
      const before = known.get(isItems ? at - skipped + index : (entry.key ?? ''));
      return [entry.key ?? '', shareValue(before, entry.node.value)] as const;
    });
    at += part.count;
    if (part.kind === 'branch') noteValue(part.body, values[0]?.[1] ?? null);
    else if (isItems)
      part.known.value = Object.freeze(values.map(([, value]) => value)) as YamlValue[];
    else part.known.value = Object.freeze(Object.fromEntries(values));
  }
}

/** Where a path in a window leads in the document; `before` is how many items stand before the sections. */
export function outerPath(window: Window, path: YamlPath, before: number): YamlPath {
  return movedPath(window, path, { level: window.steps.length, before, sign: 1 });
}

/**
 * Where a path of the document leads in a window; `level` is that of the body with the sections, or of
 * one above it, and `before` how many of its items stand before them.
 */
export function innerPath(window: Window, path: YamlPath, level: number, before: number): YamlPath {
  return movedPath(window, path, { level, before, sign: -1 });
}

function movedPath(
  { steps, bodies, before: model }: Window,
  path: YamlPath,
  { level, before, sign }: { level: number; before: number; sign: 1 | -1 },
): YamlPath {
  return path.map((part, at) => {
    if (at > level || bodies[at]?.isList !== true) return part;
    const step = at < level ? steps[at] : undefined;
    const by = step ? step.item - step.shownBefore : before - (model?.count ?? 0);
    return Number(part) + sign * by;
  });
}

/** The text of a whole document in sections. */
export function documentText(preamble: string, root: Body): string {
  return preamble === '' ? bodyText(root) : preamble + bodyText(root);
}
