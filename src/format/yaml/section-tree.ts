/**
 * A block text cut into sections, so that an edit touches one of them: entries of a block map or
 * items of a block list, grouped to a few lines, and maps and lists within these where they are
 * long. Immutable but for what is remembered; where the cuts are is decided by `section-scan.ts`.
 */
import { utf8Length } from '../utf8.js';
import { isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/**
 * Entries that stand together, with the comments above them: a valid document by itself, once its
 * first line is indented.
 */
export interface Leaf {
  readonly kind: 'leaf';
  readonly text: string;
  /** The column in which the text begins: 0, or behind a dash that stands before it on its line. */
  readonly indent: number;
  readonly length: number;
  /** How many entries. */
  readonly count: number;
  /** The entries' keys; none for items of a list. */
  readonly keys: readonly string[];
  /** Whether an entry may be a string that is no block scalar. */
  readonly mayHoldText: boolean;
  /** What was found out about it. */
  readonly known: { value?: YamlValue; hasText?: boolean; tokens?: number; bytes?: number };
}

/** One entry whose value is cut into sections itself. */
export interface Branch {
  readonly kind: 'branch';
  /**
   * The comments above the entry, and its line with the key or dash; of a dash that the first entry of
   * the body stands behind only what comes before that.
   */
  readonly head: string;
  /** Empty for an item of a list. */
  readonly key: string;
  readonly body: Body;
  readonly length: number;
  readonly count: 1;
}

/** A piece of a {@link Body}. */
export type Part = Leaf | Branch;

/** A block map or a block list in sections. */
export interface Body {
  readonly isList: boolean;
  /** Where keys or dashes stand. */
  readonly column: number;
  /** Whether its first entry stands behind a dash, on its line: `- key: value`, `- - a`. */
  readonly isCompact: boolean;
  readonly parts: readonly Part[];
  readonly length: number;
  readonly count: number;
  readonly known: {
    value?: YamlValue;
    index?: ReadonlyMap<string, number>;
    text?: string;
    bytes?: number;
  };
}

/** A leaf of the text given. */
export function leafOf(
  text: string,
  count: number,
  keys: readonly string[],
  { indent, mayHoldText }: Pick<Leaf, 'indent' | 'mayHoldText'>,
): Leaf {
  const { length } = text;
  return { kind: 'leaf', text, indent, length, count, keys, mayHoldText, known: {} };
}

/** A branch, its length added up. */
export function branchOf(head: string, key: string, body: Body): Branch {
  return { kind: 'branch', head, key, body, length: head.length + body.length, count: 1 };
}

/** A body, its lengths added up. */
export function bodyOf(
  { isList, column, isCompact }: Pick<Body, 'isList' | 'column' | 'isCompact'>,
  parts: readonly Part[],
): Body {
  let [length, count] = [0, 0];
  for (const part of parts) {
    length += part.length;
    count += part.count;
  }
  return { isList, column, isCompact, parts, length, count, known: {} };
}

/** Whether there is more than one section. */
export function isCut({ parts }: Body): boolean {
  return parts.length > 1 || parts[0]?.kind === 'branch';
}

/** Which part of a map holds a key; `undefined` where none does. */
export function partOfKey(body: Body, key: string): number | undefined {
  body.known.index ??= indexOf(body);
  return body.known.index.get(key);
}

function indexOf({ parts }: Body): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  parts.forEach((part, at) => {
    for (const key of keysOf(part)) index.set(key, at);
  });
  return index;
}

/** The keys of a part of a map. */
export function keysOf(part: Part): readonly string[] {
  return part.kind === 'leaf' ? part.keys : [part.key];
}

/** Which part of a list holds an item, and how many items stand before the part. */
export function partOfItem(body: Body, item: number): { at: number; before: number } | undefined {
  let before = 0;
  for (let at = 0; at < body.parts.length; at += 1) {
    const count = body.parts[at]?.count ?? 0;
    if (item < before + count) return { at, before };
    before += count;
  }
  return undefined;
}

/** How many entries stand before a part of a body. */
export function countBefore(body: Body, at: number): number {
  let count = 0;
  for (let index = 0; index < at; index += 1) count += body.parts[index]?.count ?? 0;
  return count;
}

/** How many units stand before a part of a body. */
export function lengthBefore(body: Body, at: number): number {
  let length = 0;
  for (let index = 0; index < at; index += 1) length += body.parts[index]?.length ?? 0;
  return length;
}

/** The text of some parts. */
export function textOf(parts: readonly Part[]): string {
  return parts
    .map((part) => (part.kind === 'leaf' ? part.text : part.head + bodyText(part.body)))
    .join('');
}

/** The text of a body, joined once. */
export function bodyText(body: Body): string {
  body.known.text ??= textOf(body.parts);
  return body.known.text;
}

/** The body with some parts replaced. The index of its keys is kept where no key moves. */
export function replaceParts(body: Body, from: number, to: number, parts: readonly Part[]): Body {
  // Not by splice(): there may be more parts than a call can have arguments.
  const gone = body.parts.slice(from, to + 1);
  const all = body.parts.slice(0, from).concat(parts, body.parts.slice(to + 1));
  let { length, count } = body;
  for (const part of parts) [length, count] = [length + part.length, count + part.count];
  for (const part of gone) [length, count] = [length - part.length, count - part.count];
  const replaced: Body = { ...body, parts: all, length, count, known: {} };
  const before = body.parts[from];
  const [after] = parts;
  if (from === to && parts.length === 1 && before && after && sameKeys(before, after)) {
    if (body.known.index) replaced.known.index = body.known.index;
  }
  return replaced;
}

function sameKeys(a: Part, b: Part): boolean {
  const [left, right] = [keysOf(a), keysOf(b)];
  return left.length === right.length && left.every((key, index) => key === right[index]);
}

/** The value of a body, from those of its leaves, deeply frozen. What `read` gives is reused. */
export function bodyValue(
  body: Body,
  read: (leaf: Leaf, depth: number) => YamlValue,
  depth = 1,
): YamlValue {
  body.known.value ??= assemble(body, read, depth);
  return body.known.value;
}

function assemble(
  body: Body,
  read: (leaf: Leaf, depth: number) => YamlValue,
  depth: number,
): YamlValue {
  if (body.isList) {
    const items: YamlValue[] = [];
    for (const part of body.parts) {
      if (part.kind === 'branch') items.push(bodyValue(part.body, read, depth + 1));
      else for (const item of read(part, depth) as YamlValue[]) items.push(item);
    }
    return Object.freeze(items) as YamlValue[];
  }
  const entries: [string, YamlValue][] = [];
  for (const part of body.parts) {
    if (part.kind === 'branch') entries.push([part.key, bodyValue(part.body, read, depth + 1)]);
    else {
      const map = read(part, depth) as YamlMap;
      for (const key of part.keys) entries.push([key, map[key] ?? null]);
    }
  }
  // Defines own data under any name, `__proto__` too.
  return Object.freeze(Object.fromEntries(entries));
}

/**
 * Notes what the sections of a body say, given what all of it says. False, with nothing or only a part
 * noted, where the value has other entries.
 */
export function noteValue(body: Body, value: YamlValue): boolean {
  if (body.isList) return isList(value) && noteItems(body, value);
  if (!isMap(value) || Object.keys(value).length !== body.count) return false;
  for (const part of body.parts) {
    if (!keysOf(part).every((key) => Object.hasOwn(value, key))) return false;
    if (part.kind === 'leaf') {
      const entries = part.keys.map((key): [string, YamlValue] => [key, value[key] ?? null]);
      part.known.value ??= Object.freeze(Object.fromEntries(entries));
    } else if (!noteValue(part.body, value[part.key] ?? null)) return false;
  }
  body.known.value = value;
  return true;
}

function noteItems(body: Body, value: readonly YamlValue[]): boolean {
  if (value.length !== body.count) return false;
  let at = 0;
  for (const part of body.parts) {
    if (part.kind === 'leaf') {
      part.known.value ??= Object.freeze(value.slice(at, at + part.count)) as YamlValue[];
    } else if (!noteValue(part.body, value[at] ?? null)) return false;
    at += part.count;
  }
  body.known.value = value as YamlValue[];
  return true;
}

/** How many bytes of UTF-8 the first units of a body's text take. */
export function bytesBefore(body: Body, units: number): number {
  let left = units;
  let bytes = 0;
  for (const part of body.parts) {
    if (left >= part.length) {
      left -= part.length;
      bytes += bytesOf(part);
      continue;
    }
    if (part.kind === 'leaf') return bytes + utf8Length(part.text.slice(0, left));
    bytes += utf8Length(part.head.slice(0, left));
    const inner = left - part.head.length;
    return inner > 0 ? bytes + bytesBefore(part.body, inner) : bytes;
  }
  return bytes;
}

function bytesOf(part: Part): number {
  if (part.kind === 'leaf') {
    part.known.bytes ??= utf8Length(part.text);
    return part.known.bytes;
  }
  const { known, parts } = part.body;
  known.bytes ??= parts.reduce((bytes, inner) => bytes + bytesOf(inner), 0);
  return utf8Length(part.head) + known.bytes;
}

/** How many lexical tokens the sections of a body have. */
export function tokensIn(body: Body, count: (text: string) => number): number {
  let tokens = 0;
  for (const part of body.parts) {
    if (part.kind === 'branch') tokens += tokensIn(part.body, count);
    else tokens += part.known.tokens ??= count(part.text);
  }
  return tokens;
}

/** A body with what another one knows of the same sections. */
export function reuseKnown(body: Body, known: Body): Body {
  const isAlike = (['isList', 'column', 'isCompact'] as const).every(
    (of) => body[of] === known[of],
  );
  if (!isAlike) return body;
  // Each part once: a value that stands in two places is two values.
  const leaves = new Map<string, Leaf[]>();
  const branches = new Map<string, Branch[]>();
  for (const part of known.parts) {
    if (part.kind === 'leaf') addTo(leaves, part.text, part);
    else addTo(branches, nameOf(part), part);
  }
  const parts = body.parts.map((part) => {
    if (part.kind === 'leaf') return leaves.get(part.text)?.shift() ?? part;
    const branch = branches.get(nameOf(part))?.shift();
    return branch ? branchOf(part.head, part.key, reuseKnown(part.body, branch.body)) : part;
  });
  const isSame =
    parts.length === known.parts.length &&
    parts.every((part, index) => isSamePart(part, known.parts[index]));
  return isSame ? known : { ...body, parts };
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** What a branch is found again by: its key, or the beginning of an item. */
function nameOf({ key, body }: Branch): string {
  const [first] = body.parts;
  return key !== '' || !first ? key : first.kind === 'leaf' ? first.text : nameOf(first);
}

function isSamePart(part: Part, other: Part | undefined): boolean {
  if (part === other) return true;
  return (
    part.kind === 'branch' &&
    other?.kind === 'branch' &&
    part.head === other.head &&
    part.body === other.body
  );
}
