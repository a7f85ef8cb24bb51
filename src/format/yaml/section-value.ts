/**
 * What the sections of a text say, each read by itself and only when it is needed, and the habits of
 * the text, counted over its sections as `yaml-style.ts` counts them over a whole tree.
 */

import { siblingString } from './replace-node.js';
import { endOfComments } from './section-scan.js';
import { type Body, bodyValue, type Leaf, type Part } from './section-tree.js';
import type { PrintStyle } from './yaml-print.js';
import { STYLE_SAMPLE, StyleCounts } from './yaml-style.js';
import { DEFAULT_LIMITS, type ParseYamlOptions, parseYaml, type YamlText } from './yaml-text.js';
import { type CollectionNode, isCollection } from './yaml-tree.js';
import { equalValues, isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/** A leaf turned out to hold something else than its lines look like: the text has to be read whole. */
export class NotInSections extends Error {}

/** A leaf and its tree. @throws CheckpointError as `parseYaml` does; {@link NotInSections} */
export function readLeaf(
  leaf: Leaf,
  depth: number,
  options: ParseYamlOptions,
): { yaml: YamlText; root: CollectionNode } {
  const maxDepth = (options.limits?.maxDepth ?? DEFAULT_LIMITS.maxDepth) - depth + 1;
  // What begins behind a dash stands in its column.
  const text = leaf.indent === 0 ? leaf.text : ' '.repeat(leaf.indent) + leaf.text;
  const yaml = parseYaml(text, { ...options, limits: { ...options.limits, maxDepth } });
  const { root } = yaml;
  const isExpected =
    isCollection(root) &&
    !root.isFlow &&
    root.entries.length === leaf.count &&
    (root.kind === 'list') === (leaf.keys.length === 0) &&
    leaf.keys.every((key, index) => root.entries[index]?.key === key);
  if (!isExpected) throw new NotInSections('a section holds other entries than its lines begin');
  leaf.known.value = root.value;
  leaf.known.tokens = yaml.tokens;
  leaf.known.hasText = siblingString(root) !== undefined;
  return { yaml, root };
}

/** What a leaf says, read once. */
export function leafValue(leaf: Leaf, depth: number, options: ParseYamlOptions): YamlValue {
  return leaf.known.value ?? readLeaf(leaf, depth, options).root.value;
}

/** What a part says: a map or a list of its entries. */
export function partValue(
  part: Part,
  body: Pick<Body, 'isList'>,
  depth: number,
  options: ParseYamlOptions,
): YamlValue {
  const read = (leaf: Leaf, at: number) => leafValue(leaf, at, options);
  if (part.kind === 'leaf') return read(part, depth);
  const value = bodyValue(part.body, read, depth + 1);
  return body.isList ? [value] : Object.fromEntries([[part.key, value]]);
}

/** The habits of a text whose root begins at `start`. Reads the leaves at the beginning of the text. */
export function styleOfSections(root: Body, start: number, options: ParseYamlOptions): PrintStyle {
  const counts = new StyleCounts();
  addBody(counts, root, start, undefined, 1, options);
  return counts.style();
}

function addBody(
  counts: StyleCounts,
  body: Body,
  start: number,
  parentColumn: number | undefined,
  depth: number,
  options: ParseYamlOptions,
): void {
  if (start + firstEntryOf(body) >= STYLE_SAMPLE) return;
  counts.addCollection(body.isList ? 'list' : 'map', body.column, parentColumn);
  let at = start;
  for (const part of body.parts) {
    if (at >= STYLE_SAMPLE) return;
    if (part.kind === 'leaf') addLeaf(counts, part, STYLE_SAMPLE - at, depth, options);
    else {
      const isBehindDash = body.isCompact && at === start;
      const entry = isBehindDash ? 0 : keyLineOf(part.head) + body.column;
      if (at + entry >= STYLE_SAMPLE) return;
      if (part.body.isCompact) counts.addItem(part.head.length - entry);
      const column = body.isList ? undefined : body.column;
      addBody(counts, part.body, at + part.head.length, column, depth + 1, options);
    }
    at += part.length;
  }
}

const leafCounts = new WeakMap<Leaf, StyleCounts>();

function addLeaf(
  counts: StyleCounts,
  leaf: Leaf,
  limit: number,
  depth: number,
  options: ParseYamlOptions,
): void {
  const isWhole = leaf.length <= limit;
  let found = isWhole ? leafCounts.get(leaf) : undefined;
  if (!found) {
    const { yaml, root } = readLeaf(leaf, depth, options);
    found = new StyleCounts();
    found.addEntries(root, yaml.lines, limit + leaf.indent);
    if (isWhole) leafCounts.set(leaf, found);
  }
  counts.add(found);
}

/** Where the line of a branch's key begins in its head. */
export function keyLineOf(head: string): number {
  return head.lastIndexOf('\n', head.length - 2) + 1;
}

/** Where the first entry of a body begins in it. */
function firstEntryOf({ parts, column, isCompact }: Body): number {
  const [part] = parts;
  if (!part || isCompact) return 0;
  if (part.kind === 'branch') return keyLineOf(part.head) + column;
  const comments = leadingComments(part.text);
  return comments.length + column;
}

/** The comments and blank lines that a text begins with. */
export function leadingComments(text: string): string {
  return text.slice(0, endOfComments(text));
}

/** The value `after`, with whatever equals a part of `before` being that very part. */
export function shareValue(before: YamlValue | undefined, after: YamlValue): YamlValue {
  if (before === undefined || Object.is(before, after)) return after;
  if (typeof after !== 'object' || after === null) return after;
  if (equalValues(before, after)) return before;
  if (isList(before) && isList(after)) {
    return Object.freeze(
      after.map((item, index) => shareValue(before[index], item)),
    ) as YamlValue[];
  }
  if (!isMap(before) || !isMap(after)) return after;
  const old: YamlMap = before;
  return Object.freeze(
    Object.fromEntries(
      Object.entries(after).map(([key, value]) => [
        key,
        shareValue(Object.hasOwn(old, key) ? old[key] : undefined, value),
      ]),
    ),
  );
}
