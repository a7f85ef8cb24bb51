/**
 * The habits of a document: how deep it indents, how it writes lists, how it quotes. Counted once
 * for each edit over the parsed tree; new text follows the majority.
 */
import type { PrintStyle } from './yaml-print.js';
import type { QuoteStyle } from './yaml-scalar.js';
import type { YamlText } from './yaml-text.js';
import { type CollectionNode, isCollection, type Lines, type Node } from './yaml-tree.js';

/**
 * How much of a text its habits are counted over: its beginning, so that finding them out costs the
 * same for a text of any length.
 */
export const STYLE_SAMPLE = 64 * 1024;

/** The habits of a document: what most of the beginning of its text does. */
export function styleOf(source: YamlText): PrintStyle {
  const counts = new StyleCounts();
  counts.addNode(source.root, undefined, source.lines, STYLE_SAMPLE);
  return counts.style();
}

/** A style that is found out only where something is written that depends on it. */
export function lazyStyle(find: () => PrintStyle, hasBlockScalars: boolean): PrintStyle {
  let found: PrintStyle | undefined;
  const style = () => {
    found ??= find();
    return found;
  };
  return {
    get mapIndent() {
      return style().mapIndent;
    },
    get listIndent() {
      return style().listIndent;
    },
    get dashGap() {
      return style().dashGap;
    },
    get quote() {
      return style().quote;
    },
    hasBlockScalars,
  };
}

/** Counts of what a text does, to be added up over its parts. */
export class StyleCounts {
  private readonly counts = new Map<string, Map<number, number>>();
  private readonly quotes = { plain: 0, single: 0, double: 0 };

  /** Counts a node and what is in it, as far as it begins before `limit`. */
  addNode(node: Node, parentColumn: number | undefined, lines: Lines, limit: number): void {
    if (node.start >= limit) return;
    if (node.kind === 'scalar' && typeof node.value === 'string') this.countQuote(node.style);
    if (!isCollection(node) || node.isFlow) return;
    this.addCollection(node.kind, lines.columnOf(node.start), parentColumn);
    this.addEntries(node, lines, limit);
  }

  /** Counts a block collection itself. */
  addCollection(kind: CollectionNode['kind'], column: number, parentColumn?: number): void {
    if (parentColumn !== undefined) this.count(kind, column - parentColumn);
  }

  /** Counts an item that begins so many columns behind its dash. */
  addItem(columns: number): void {
    this.count('dash', columns);
  }

  /** Counts what is in a block collection. */
  addEntries(node: CollectionNode, lines: Lines, limit: number): void {
    for (const { start, node: child } of node.entries) {
      if (start >= limit) return;
      const isInline = lines.isSameLine(start, child.start);
      if (node.kind === 'list' && isInline) this.addItem(child.start - start);
      this.addNode(child, node.kind === 'map' ? lines.columnOf(start) : undefined, lines, limit);
    }
  }

  /** Adds what was counted elsewhere. */
  add(other: StyleCounts): void {
    for (const [what, counts] of other.counts) {
      for (const [columns, count] of counts) this.count(what, columns, count);
    }
    this.quotes.plain += other.quotes.plain;
    this.quotes.single += other.quotes.single;
    this.quotes.double += other.quotes.double;
  }

  /** What most of it does. */
  style(): PrintStyle {
    return {
      mapIndent: this.most('map', 2),
      listIndent: this.most('list', this.most('map', 2)),
      dashGap: this.most('dash', 2),
      quote: this.quote(),
      hasBlockScalars: true,
    };
  }

  private countQuote(style: string): void {
    if (style === 'plain' || style === 'single' || style === 'double') this.quotes[style] += 1;
  }

  private count(what: string, columns: number, times = 1): void {
    const isSensible = columns <= 8 && columns >= (what === 'list' ? 0 : what === 'dash' ? 2 : 1);
    if (!isSensible) return;
    const counts = this.counts.get(what) ?? new Map<number, number>();
    this.counts.set(what, counts.set(columns, (counts.get(columns) ?? 0) + times));
  }

  private most(what: CollectionNode['kind'] | 'dash', fallback: number): number {
    let [best, bestCount] = [fallback, 0];
    for (const [columns, count] of this.counts.get(what) ?? []) {
      if (count > bestCount) [best, bestCount] = [columns, count];
    }
    return best;
  }

  private quote(): QuoteStyle {
    const { plain, single, double } = this.quotes;
    if (plain >= single && plain >= double) return 'plain';
    return double >= single ? 'double' : 'single';
  }
}
