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
    chunks?: readonly Chunk[];
  };
}

/** Parts of a body that stand together, added up: of many parts most are passed over in one step. */
interface Chunk {
  readonly size: number;
  readonly length: number;
  readonly count: number;
  bytes?: number;
}

/** How many parts are added up; and when they are too many. */
const CHUNK_SIZE = 128;
const MAX_CHUNK_SIZE = 4 * CHUNK_SIZE;

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
  let [at, before] = [0, 0];
  for (const chunk of chunksOf(body)) {
    if (item < before + chunk.count) break;
    [at, before] = [at + chunk.size, before + chunk.count];
  }
  for (; at < body.parts.length; at += 1) {
    const count = body.parts[at]?.count ?? 0;
    if (item < before + count) return { at, before };
    before += count;
  }
  return undefined;
}

/** How many entries stand before a part of a body. */
export function countBefore(body: Body, at: number): number {
  return sumBefore(body, at, 'count');
}

/** How many units stand before a part of a body. */
export function lengthBefore(body: Body, at: number): number {
  return sumBefore(body, at, 'length');
}

function sumBefore(body: Body, at: number, of: 'count' | 'length'): number {
  let [index, sum] = [0, 0];
  for (const chunk of chunksOf(body)) {
    if (at < index + chunk.size) break;
    [index, sum] = [index + chunk.size, sum + chunk[of]];
  }
  for (; index < at; index += 1) sum += body.parts[index]?.[of] ?? 0;
  return sum;
}

/** The parts of a body in chunks; none where they are few. */
function chunksOf({ parts, known }: Body): readonly Chunk[] {
  if (parts.length < 2 * CHUNK_SIZE) return [];
  known.chunks ??= Array.from({ length: Math.ceil(parts.length / CHUNK_SIZE) }, (_, index) =>
    chunkOf(parts.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE)),
  );
  return known.chunks;
}

function chunkOf(parts: readonly Part[]): Chunk {
  let [length, count] = [0, 0];
  for (const part of parts) [length, count] = [length + part.length, count + part.count];
  return { size: parts.length, length, count };
}

/** The chunks after parts were replaced; `undefined` where they have to be made anew. */
function replaceInChunks(
  chunks: readonly Chunk[] | undefined,
  from: number,
  gone: Chunk,
  added: Chunk,
): readonly Chunk[] | undefined {
  if (!chunks) return undefined;
  let start = 0;
  for (const [index, chunk] of chunks.entries()) {
    const end = start + chunk.size;
    // What is put behind the last part belongs to the last chunk.
    if (from < end || index === chunks.length - 1) {
      const size = chunk.size - gone.size + added.size;
      if (from + gone.size > end || size === 0 || size > MAX_CHUNK_SIZE) return undefined;
      const length = chunk.length - gone.length + added.length;
      return chunks.with(index, { size, length, count: chunk.count - gone.count + added.count });
    }
    start = end;
  }
  return undefined;
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
  const [only] = parts;
  const all =
    gone.length === 1 && parts.length === 1 && only
      ? body.parts.with(from, only)
      : body.parts.slice(0, from).concat(parts, body.parts.slice(to + 1));
  const [less, more] = [chunkOf(gone), chunkOf(parts)];
  const length = body.length - less.length + more.length;
  const count = body.count - less.count + more.count;
  const replaced: Body = { ...body, parts: all, length, count, known: {} };
  const chunks = replaceInChunks(body.known.chunks, from, less, more);
  if (chunks) replaced.known.chunks = chunks;
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
  let [index, left, bytes] = [0, units, 0];
  for (const chunk of chunksOf(body)) {
    if (left < chunk.length) break;
    chunk.bytes ??= bytesOfAll(body.parts.slice(index, index + chunk.size));
    [index, left, bytes] = [index + chunk.size, left - chunk.length, bytes + chunk.bytes];
  }
  for (; index < body.parts.length; index += 1) {
    const part = body.parts[index];
    if (!part) break;
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
  known.bytes ??= bytesOfAll(parts);
  return utf8Length(part.head) + known.bytes;
}

function bytesOfAll(parts: readonly Part[]): number {
  return parts.reduce((bytes, part) => bytes + bytesOf(part), 0);
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
