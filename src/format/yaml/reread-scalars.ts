/**
 * Reading a text back of which it is known that only scalars on one line changed since it was read: the
 * tree before, with every range moved, says what the parser would say, and takes a tenth of the time.
 * `undefined` wherever that is not certain from the new text of the scalars alone. What makes it certain:
 * the old scalar ended where the new one ends, in the same style, so whatever stands around it can't
 * become part of it; and the new text is one of few plain spellings, chosen by YAML 1.2.2, chapter 7.3.
 */
import type { Splice } from './splice.js';
import { readPlain } from './yaml-scalar.js';
import { DEFAULT_LIMITS, type YamlText } from './yaml-text.js';
import {
  type Entry,
  isCollection,
  Lines,
  type Node,
  type Property,
  type ScalarNode,
} from './yaml-tree.js';
import { isList, isMap, setKey, type YamlValue } from './yaml-value.js';

/** Characters that need a second look: control, white space but the space, and what has no UTF-8 form. */
const SPECIAL = String.raw`\p{Cc}\p{Surrogate}\p{Noncharacter_Code_Point}\u2028\u2029\ufeff`;
/** Words between single spaces; a colon or `#` only where it can't mean anything. */
const PLAIN = new RegExp(
  String.raw`^(?:[\p{L}\p{N}_/]|[-+.](?=\d))(?:[^\s:${SPECIAL}]|:(?=[^\s${SPECIAL}])| (?=[^\s#]))*$`,
  'u',
);
const SINGLE = new RegExp(`^'[^'${SPECIAL}]*'$`, 'u');
const DOUBLE = new RegExp(String.raw`^"[^"\\${SPECIAL}]*"$`, 'u');
const FLOW_INDICATOR = /[,[\]{}:#]/;

/**
 * The text that comes of replacing scalars, read.
 * @param splices ascending, in UTF-16 units of the source's text
 * @returns exactly what `parseYaml` gives, or `undefined` where only that can tell
 */
export function rereadScalars(
  source: YamlText,
  splices: readonly Splice[],
  text: string,
): YamlText | undefined {
  const { body, aliases, options } = source;
  const { maxBytes } = { ...DEFAULT_LIMITS, ...options.limits };
  // A unit takes three bytes at most. A byte-order mark would move all ranges.
  if (splices.length === 0 || aliases.length > 0 || text.length * 3 > maxBytes) return undefined;
  if (source.text !== body) return undefined;
  const mover = new Mover(body, splices);
  const root = mover.node(source.root, false);
  if (!root || mover.replaced < splices.length) return undefined;
  const { tokens } = source;
  return {
    text,
    body: text,
    value: root.value,
    root,
    lines: new Lines(text),
    aliases,
    tokens,
    options,
  };
}

/** What the text of a scalar on one line says, or `undefined` where that takes a parser to know. */
function readScalar(
  text: string,
  style: ScalarNode['style'],
  inFlow: boolean,
): { readonly content: string; readonly value: YamlValue } | undefined {
  if (style === 'plain') {
    if (!PLAIN.test(text) || (inFlow && FLOW_INDICATOR.test(text))) return undefined;
    return { content: text, value: readPlain(text) };
  }
  const isQuoted = style === 'single' ? SINGLE.test(text) : style === 'double' && DOUBLE.test(text);
  if (!isQuoted) return undefined;
  const content = text.slice(1, -1);
  return { content, value: content };
}

/** Copies a tree for the text after some splices. */
class Mover {
  /** How many of the splices have met their scalar. */
  replaced = 0;
  private readonly text: string;
  private readonly splices: readonly Splice[];
  /** How far what stands behind each splice moves. */
  private readonly shifts: readonly number[];

  constructor(text: string, splices: readonly Splice[]) {
    this.text = text;
    this.splices = splices;
    let shift = 0;
    this.shifts = splices.map(({ start, end, text }) => {
      shift += text.length - (end - start);
      return shift;
    });
  }

  /** The node in the new text, or `undefined` where a splice replaces something else than one scalar. */
  node(node: Node, inFlow: boolean): Node | undefined {
    const next = this.splices[this.replaced];
    if (next?.start === node.start && next.end === node.end) return this.scalar(node, next, inFlow);
    const base = this.placed(node);
    if (!isCollection(node)) {
      if (node.kind !== 'scalar') return undefined;
      return { ...node, ...base, headerEnd: this.at(node.headerEnd) };
    }
    const entries: Entry[] = [];
    let value = node.value;
    for (const [index, entry] of node.entries.entries()) {
      const moved = this.entry(entry, inFlow || node.isFlow);
      if (!moved) return undefined;
      entries.push(moved);
      const inner = moved.node.value;
      if (Object.is(inner, entry.node.value)) continue;
      if (value === node.value) value = copyOf(value);
      if (isList(value)) value[index] = inner;
      else if (isMap(value)) setKey(value, entry.key ?? '', inner);
    }
    return { ...node, ...base, entries, value: Object.freeze(value) as YamlValue };
  }

  private scalar(node: Node, { start, text }: Splice, inFlow: boolean): Node | undefined {
    if (node.kind !== 'scalar' || node.tag || node.anchor) return undefined;
    if (node.headerEnd !== node.end || node.end === start) return undefined;
    const read = readScalar(text, node.style, inFlow);
    // What was spelled on several lines may end in a way that one line doesn't.
    if (!read || !readScalar(this.text.slice(start, node.end), node.style, inFlow))
      return undefined;
    const base = this.placed(node);
    this.replaced += 1;
    const end = base.start + text.length;
    return { ...node, ...base, end, headerEnd: end, ...read };
  }

  private entry(entry: Entry, inFlow: boolean): Entry | undefined {
    if (Math.max(entry.end, entry.commaEnd) <= (this.splices[0]?.start ?? 0)) return entry;
    const { keyNode } = entry;
    const node = this.node(entry.node, inFlow);
    if (!node || keyNode?.kind === 'alias') return undefined;
    return {
      ...entry,
      start: this.at(entry.start),
      end: this.at(entry.end),
      indicatorEnd: this.at(entry.indicatorEnd),
      keyNode: keyNode && {
        ...keyNode,
        ...this.placed(keyNode),
        headerEnd: this.at(keyNode.headerEnd),
      },
      node,
      commaEnd: this.at(entry.commaEnd),
    };
  }

  private placed({ start, end, propertiesEnd, anchor, tag }: Node) {
    return {
      start: this.at(start),
      end: this.at(end),
      propertiesEnd: this.at(propertiesEnd),
      anchor: anchor && this.property(anchor),
      tag: tag && this.property(tag),
    };
  }

  private property(property: Property): Property {
    return { ...property, start: this.at(property.start), end: this.at(property.end) };
  }

  /** Where an offset of the old text is in the new one; -1 stays what it is. */
  private at(offset: number): number {
    let [low, high] = [0, this.splices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.splices[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return offset + (this.shifts[low - 1] ?? 0);
  }
}

function copyOf(value: YamlValue): YamlValue {
  return isList(value) ? value.slice() : isMap(value) ? { ...value } : value;
}
