/**
 * The habits of a document: how deep it indents, how it writes lists, how it quotes. Counted once
 * for each edit over the parsed tree; new text follows the majority.
 */
import type { PrintStyle } from './yaml-print.js';
import type { QuoteStyle } from './yaml-scalar.js';
import type { YamlText } from './yaml-text.js';
import { type CollectionNode, isCollection, type Node } from './yaml-tree.js';

/** The habits of a document: what most of its text does. */
export function styleOf(source: YamlText): PrintStyle {
  const counts = new StyleCounts(source);
  counts.visit(source.root, undefined);
  return {
    mapIndent: counts.most('map', 2),
    listIndent: counts.most('list', counts.most('map', 2)),
    dashGap: counts.most('dash', 2),
    quote: counts.quote(),
    hasBlockScalars: true,
  };
}

class StyleCounts {
  private readonly source: YamlText;
  private readonly counts = new Map<string, Map<number, number>>();
  private readonly quotes = { plain: 0, single: 0, double: 0 };

  constructor(source: YamlText) {
    this.source = source;
  }

  visit(node: Node, parentColumn: number | undefined): void {
    if (node.kind === 'scalar' && typeof node.value === 'string') this.countQuote(node.style);
    if (!isCollection(node) || node.isFlow) return;
    const { lines } = this.source;
    const column = lines.columnOf(node.start);
    if (parentColumn !== undefined) this.count(node.kind, column - parentColumn);
    for (const { start, node: child } of node.entries) {
      const isInline = lines.isSameLine(start, child.start);
      if (node.kind === 'list' && isInline) this.count('dash', child.start - start);
      this.visit(child, node.kind === 'map' ? lines.columnOf(start) : undefined);
    }
  }

  private countQuote(style: string): void {
    if (style === 'plain' || style === 'single' || style === 'double') this.quotes[style] += 1;
  }

  private count(what: CollectionNode['kind'] | 'dash', columns: number): void {
    const isSensible = columns <= 8 && columns >= (what === 'list' ? 0 : what === 'dash' ? 2 : 1);
    if (!isSensible) return;
    const counts = this.counts.get(what) ?? new Map<number, number>();
    this.counts.set(what, counts.set(columns, (counts.get(columns) ?? 0) + 1));
  }

  most(what: CollectionNode['kind'] | 'dash', fallback: number): number {
    let [best, bestCount] = [fallback, 0];
    for (const [columns, count] of this.counts.get(what) ?? []) {
      if (count > bestCount) [best, bestCount] = [columns, count];
    }
    return best;
  }

  quote(): QuoteStyle {
    const { plain, single, double } = this.quotes;
    if (plain >= single && plain >= double) return 'plain';
    return double >= single ? 'double' : 'single';
  }
}
