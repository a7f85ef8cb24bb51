/**
 * New YAML text for values that have none yet: whole documents, and entries that are added to a
 * document in the habits of what stands around them. Block style where nothing suggests otherwise.
 */

import { isDateLike, type QuoteStyle, writeBlockScalar, writeScalar } from './yaml-scalar.js';
import { isCollection, type Node, type ScalarNode } from './yaml-tree.js';
import { isList, isMap, type YamlMap, type YamlValue } from './yaml-value.js';

/** The habits of a document that new text follows. */
export interface PrintStyle {
  /** Columns from a key to the keys of its map. */
  readonly mapIndent: number;
  /** Columns from a key to the dashes of its list; 0 where lists are not indented. */
  readonly listIndent: number;
  /** Columns from a dash to what follows it. */
  readonly dashGap: number;
  /** How strings are quoted that need no quotes. */
  readonly quote: QuoteStyle;
  /** Whether strings of several lines become block scalars; otherwise they are quoted, on one line. */
  readonly hasBlockScalars: boolean;
}

/** What `printYaml` writes: two spaces, indented lists, no needless quotes. */
export const DEFAULT_STYLE: PrintStyle = {
  mapIndent: 2,
  listIndent: 2,
  dashGap: 2,
  quote: 'plain',
  hasBlockScalars: true,
};

/** Longest key that may stand before a colon without a question mark (YAML 1.2.2, 7.4: 1,024 characters). */
const MAX_IMPLICIT_KEY = 1000;

/** How a value is written in block context. */
export type Printed =
  /** One line: a scalar, a flow collection or an empty one. */
  | { readonly kind: 'inline'; readonly text: string }
  /** A block scalar: its header, and its lines with their indentation. */
  | { readonly kind: 'scalar'; readonly header: string; readonly lines: readonly string[] }
  /** A block collection. `linesAt` gives its lines, indented to a column. */
  | {
      readonly kind: 'block';
      readonly isList: boolean;
      readonly linesAt: (column: number) => string[];
    };

/** Writes values in one style. A `model` is a similar value's node, whose looks are followed. */
export class Printer {
  readonly style: PrintStyle;

  constructor(style: PrintStyle) {
    this.style = style;
  }

  /**
   * A value below a key or dash at `parentColumn` (-1 at the root), in block context. `isReplacement`
   * says that it takes the place of its model.
   */
  value(
    value: YamlValue,
    parentColumn: number,
    model: Node | undefined,
    isReplacement = false,
  ): Printed {
    if (isList(value) || isMap(value)) {
      const isEmpty = isList(value) ? value.length === 0 : Object.keys(value).length === 0;
      if (isEmpty || this.isFlowModel(value, model)) {
        return { kind: 'inline', text: this.flow(value, model) };
      }
      const linesAt = (column: number) => this.collectionLines(value, column, model);
      return { kind: 'block', isList: isList(value), linesAt };
    }
    const block =
      typeof value === 'string'
        ? this.blockScalar(value, parentColumn, model, isReplacement)
        : undefined;
    return block ?? { kind: 'inline', text: this.scalar(value, model, false) };
  }

  /** Whether a new collection should be written in flow style, as its model is. */
  private isFlowModel(value: YamlValue, model: Node | undefined): boolean {
    if (!model || !isCollection(model) || !model.isFlow || model.entries.length === 0) return false;
    const parts = isList(value) ? value : Object.values(isMap(value) ? value : {});
    return parts.every((part) => typeof part !== 'object' || part === null);
  }

  private blockScalar(
    value: string,
    parentColumn: number,
    model: Node | undefined,
    isReplacement: boolean,
  ): Printed | undefined {
    if (!this.style.hasBlockScalars) return undefined;
    const old = model?.kind === 'scalar' && isBlockStyle(model) ? model : undefined;
    if (!old && !/\n./s.test(value)) return undefined;
    const columns = old?.blockIndent || this.style.mapIndent;
    const keepsBreaks = old?.content.endsWith('\n\n') === true || !value.endsWith('\n\n');
    const options = {
      isReplacement: isReplacement && old !== undefined && keepsBreaks,
      indicator: parentColumn < 0 ? 0 : columns,
    };
    const text =
      (old?.style === 'folded'
        ? writeBlockScalar(value, { ...options, style: 'folded' })
        : undefined) ?? writeBlockScalar(value, { ...options, style: 'literal' });
    if (!text) return undefined;
    const indent = ' '.repeat(Math.max(0, parentColumn) + columns);
    const lines = text.lines.map((line) => (line === '' ? '' : indent + line));
    return { kind: 'scalar', header: text.header, lines };
  }

  /** The one-line text of a scalar, quoted as its model or as is usual here. */
  scalar(
    value: null | boolean | number | bigint | string,
    model: Node | undefined,
    inFlow: boolean,
  ): string {
    // Only strings are quoted; the habits of the document need not be known for anything else.
    const quote = typeof value === 'string' ? (quoteOf(model) ?? this.style.quote) : 'plain';
    const allowPlainDate = model?.kind === 'scalar' && isDateLike(model.content);
    return writeScalar(value, { quote, inFlow, allowPlainDate });
  }

  /** One line of flow style. */
  flow(value: YamlValue, model?: Node): string {
    const modelItem = model && isCollection(model) ? model.entries.at(-1)?.node : undefined;
    if (isList(value)) return `[${value.map((item) => this.flow(item, modelItem)).join(', ')}]`;
    if (!isMap(value)) return this.scalar(value, model, true);
    const pairs = Object.keys(value).map((key) =>
      this.flowPair(key, value[key] ?? null, modelFor(model, key) ?? modelItem),
    );
    return `{${pairs.join(', ')}}`;
  }

  /** One pair of a flow map. */
  flowPair(key: string, value: YamlValue, model: Node | undefined): string {
    const text = this.key(key, true);
    const question = text.length > MAX_IMPLICIT_KEY ? '? ' : '';
    return `${question}${text}: ${this.flow(value, model)}`;
  }

  private key(key: string, inFlow: boolean): string {
    return writeScalar(key, { quote: 'plain', inFlow });
  }

  /** The same printer, but strings of several lines are quoted. */
  withoutBlockScalars(): Printer {
    return new Printer({ ...this.style, hasBlockScalars: false });
  }

  /** A key's text, as it may stand anywhere. */
  keyText(key: string): string {
    return this.key(key, true);
  }

  /** The lines of a collection that is not empty, every line indented. */
  collectionLines(value: YamlValue[] | YamlMap, column: number, model: Node | undefined): string[] {
    const lines: string[] = [];
    if (isList(value)) {
      const modelItem = model && isCollection(model) ? model.entries.at(-1)?.node : undefined;
      for (const item of value) this.addItem(lines, item, column, modelItem);
    } else {
      for (const key of Object.keys(value)) {
        this.addPair(lines, key, value[key] ?? null, column, modelFor(model, key));
      }
    }
    return lines;
  }

  /** Adds the lines of a list's item whose dash stands at `column`. */
  addItem(lines: string[], value: YamlValue, column: number, model: Node | undefined): void {
    this.addIndicated(lines, '-', value, column, model);
  }

  /** Adds the lines of a map's pair whose key begins at `column`. */
  addPair(
    lines: string[],
    key: string,
    value: YamlValue,
    column: number,
    model: Node | undefined,
  ): void {
    const indent = ' '.repeat(column);
    const keyText = this.key(key, false);
    if (keyText.length > MAX_IMPLICIT_KEY) {
      lines.push(`${indent}? ${keyText}`);
      this.addIndicated(lines, ':', value, column, model);
      return;
    }
    const head = `${indent}${keyText}:`;
    const printed = this.value(value, column, model);
    if (printed.kind === 'inline') lines.push(`${head} ${printed.text}`);
    else if (printed.kind === 'scalar') lines.push(`${head} ${printed.header}`);
    else lines.push(head);
    if (printed.kind === 'scalar') append(lines, printed.lines);
    if (printed.kind === 'block') append(lines, printed.linesAt(column + this.indentOf(printed)));
  }

  /** Columns from a key to the block collection below it. */
  indentOf({ isList: list }: { isList: boolean }): number {
    return list ? this.style.listIndent : this.style.mapIndent;
  }

  /** A value after `- ` or `: `, where a block collection begins on the same line. */
  private addIndicated(
    lines: string[],
    indicator: string,
    value: YamlValue,
    column: number,
    model: Node | undefined,
  ): void {
    const head = ' '.repeat(column) + indicator;
    const printed = this.value(value, column, model);
    if (printed.kind === 'inline') {
      lines.push(`${head}${' '.repeat(this.style.dashGap - 1)}${printed.text}`);
    } else if (printed.kind === 'scalar') {
      lines.push(`${head} ${printed.header}`);
      append(lines, printed.lines);
    } else {
      const inner = printed.linesAt(column + this.style.dashGap);
      const [first = '', ...rest] = inner;
      lines.push(head + first.slice(column + 1));
      append(lines, rest);
    }
  }

  /** The lines of a block scalar or collection at the root. */
  documentLines(printed: Exclude<Printed, { kind: 'inline' }>): string[] {
    return printed.kind === 'scalar' ? [printed.header, ...printed.lines] : printed.linesAt(0);
  }
}

function isBlockStyle({ style }: ScalarNode): boolean {
  return style === 'literal' || style === 'folded';
}

/** Pushing one by one: spreading a large array would exhaust the stack. */
function append(target: string[], lines: readonly string[]): void {
  for (const line of lines) target.push(line);
}

function quoteOf(model: Node | undefined): QuoteStyle | undefined {
  if (model?.kind !== 'scalar' || typeof model.value !== 'string') return undefined;
  switch (model.style) {
    case 'single':
    case 'double':
    case 'plain':
      return model.style;
    default:
      return undefined;
  }
}

function modelFor(model: Node | undefined, key: string): Node | undefined {
  if (model?.kind !== 'map') return undefined;
  return model.entries.find((entry) => entry.key === key)?.node;
}
