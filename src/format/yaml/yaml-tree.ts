/**
 * The tree that the editor works on: each value of a document with the range of text that spells
 * it. Built from the concrete syntax that the `yaml` package's parser gives; read-only. Offsets are
 * UTF-16 code units, columns count from 0.
 */
import type { YamlValue } from './yaml-value.js';

/** A tag or anchor written before a value. */
export interface Property {
  readonly start: number;
  readonly end: number;
  /** The anchor's name without `&`, or the tag's resolved name. */
  readonly name: string;
}

interface NodeBase {
  /** Where the content begins, tag and anchor not included. */
  readonly start: number;
  /** Where the content ends. A block scalar includes its last newline. */
  readonly end: number;
  /** Where tag and anchor end; {@link NodeBase.start} or before it. Without any, where the indicator ends. */
  readonly propertiesEnd: number;
  readonly anchor: Property | undefined;
  readonly tag: Property | undefined;
  /** Frozen; shared between an anchor and its aliases. */
  readonly value: YamlValue;
  /** How many levels of collections this value has, aliases followed. */
  readonly height: number;
  /** How many values this value has, aliases followed. */
  readonly weight: number;
}

/** How a scalar is written; `empty` is the null that no text stands for. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'empty';

/** A scalar. */
export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly style: ScalarStyle;
  /** What the scalar says, unquoted, before it is given a type. */
  readonly content: string;
  /** Where a block scalar's header (`|2-`) ends; otherwise `end`. */
  readonly headerEnd: number;
  /** Columns from a block scalar's parent to its content; 0 for other styles or without content. */
  readonly blockIndent: number;
}

/** A use of an anchor. */
export interface AliasNode extends NodeBase {
  readonly kind: 'alias';
  readonly target: Node;
}

/** An entry of a list or a map. */
export interface Entry {
  /** Where the entry begins: its dash, question mark, key (with the key's properties) or value. */
  readonly start: number;
  /** Where its value's content ends. */
  readonly end: number;
  /** Just after the dash or colon; -1 for a key without colon. */
  readonly indicatorEnd: number;
  /** A map's key, as text. */
  readonly key: string | undefined;
  readonly keyNode: ScalarNode | AliasNode | undefined;
  /** Written with a question mark. */
  readonly isExplicit: boolean;
  readonly node: Node;
  /** In flow collections, just after the comma that follows the entry; -1 without one. */
  readonly commaEnd: number;
}

/** A list or a map. */
export interface CollectionNode extends NodeBase {
  readonly kind: 'list' | 'map';
  readonly isFlow: boolean;
  /** The map of one pair that `[key: value]` spells without braces. */
  readonly isImplicitPair: boolean;
  readonly entries: readonly Entry[];
}

/** Any value of a document. */
export type Node = ScalarNode | AliasNode | CollectionNode;

/** Whether a node is a list or a map. */
export function isCollection(node: Node): node is CollectionNode {
  return node.kind === 'list' || node.kind === 'map';
}

/** Line starts of a text and what follows from them, in logarithmic time. */
export class Lines {
  readonly text: string;
  private readonly starts: number[] = [];

  constructor(text: string) {
    this.text = text;
    this.starts.push(0);
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      this.starts.push(at + 1);
    }
  }

  /** Index of the line that holds an offset, from 0. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where the line that holds an offset begins. */
  startOf(offset: number): number {
    return this.starts[this.indexOf(offset)] ?? 0;
  }

  /** Column of an offset, from 0. */
  columnOf(offset: number): number {
    return Math.max(0, offset - this.startOf(offset));
  }

  /** Where the next line begins, or the text ends. */
  nextStart(offset: number): number {
    return this.starts[this.indexOf(offset) + 1] ?? this.text.length;
  }

  /** Where the line's content ends, its line break excluded. */
  endOf(offset: number): number {
    let end = this.nextStart(offset);
    if (this.text[end - 1] === '\n' && end > offset) end -= 1;
    if (this.text[end - 1] === '\r' && this.text[end] === '\n' && end > offset) end -= 1;
    return end;
  }

  /** Whether only white space stands before an offset on its line. */
  isFirstOnLine(offset: number): boolean {
    return /^[ \t]*$/.test(this.text.slice(this.startOf(offset), offset));
  }

  /** Whether two offsets are on one line. */
  isSameLine(a: number, b: number): boolean {
    return this.indexOf(a) === this.indexOf(b);
  }
}
