/**
 * Adding and removing entries of block lists and maps. Works in whole lines: an entry owns its
 * lines, its trailing comment and the deeper-indented comments right below it; comments and blank
 * lines above an entry are nobody's and stay.
 */
import type { EditPlan, EntryChange } from './edit-plan.js';
import { siblingString } from './replace-node.js';
import { Printer } from './yaml-print.js';
import {
  type CollectionNode,
  type Entry,
  isCollection,
  type Node,
  type ScalarNode,
} from './yaml-tree.js';

type Addition = Extract<EntryChange, { kind: 'add' }>;

/** Plans the changes of a block collection of which at least one entry is kept. */
export function editBlock(plan: EditPlan, node: CollectionNode, changes: readonly EntryChange[]) {
  new BlockEdit(plan, node).apply(changes);
}

class BlockEdit {
  private readonly plan: EditPlan;
  private readonly node: CollectionNode;
  private readonly first: Entry | undefined;
  private readonly column: number;
  /** Whether the first entry shares its line with what the collection belongs to: `- - a`, `- key: value`. */
  private readonly isCompact: boolean;
  private firstIsGone = false;

  constructor(plan: EditPlan, node: CollectionNode) {
    this.plan = plan;
    this.node = node;
    this.first = node.entries[0];
    this.column = plan.lines.columnOf(node.start);
    this.isCompact = !plan.lines.isFirstOnLine(node.start);
  }

  apply(changes: readonly EntryChange[]): void {
    const { plan } = this;
    this.firstIsGone = changes.some(
      (change) => change.kind === 'remove' && change.entry === this.first,
    );
    const leads = this.isCompact && this.firstIsGone ? leadingAdditions(changes) : [];
    let previous: Entry | undefined;
    let additions: Addition[] = [];
    const flush = () => {
      if (additions.length > 0) this.add(additions, previous);
      additions = [];
    };
    for (const change of changes) {
      if (change.kind === 'add') {
        additions.push(change);
      } else if (change.kind === 'remove') {
        this.remove(change.entry, leads.length > 0);
        const above =
          previous && additions.length === 0 ? blockScalarAtEnd(previous.node) : undefined;
        if (above) plan.shieldFromBlockScalar(plan.ownEnd(change.entry), this.column, keeps(above));
      } else {
        flush();
        change.edit();
        previous = change.entry;
      }
    }
    flush();
  }

  private linesOf(additions: readonly Addition[]): string[] {
    const { plan, node, column } = this;
    const lines: string[] = [];
    const printer = this.localPrinter();
    const lastItem = node.entries.at(-1)?.node;
    const stringModel = node.kind === 'map' ? siblingString(node) : undefined;
    for (const { key, value } of additions) {
      if (key === undefined) printer.addItem(lines, value, column, lastItem);
      else plan.printer.addPair(lines, key, value, column, stringModel);
    }
    return lines;
  }

  /** A printer that puts items as far from their dash as the list's last item is. */
  private localPrinter(): Printer {
    const { plan, node } = this;
    const last = node.entries.at(-1);
    if (node.kind === 'map' || !last || !plan.lines.isSameLine(last.start, last.node.start)) {
      return plan.printer;
    }
    const dashGap = last.node.start - last.start;
    const isUsual = dashGap < 2 || dashGap > 8 || last.node.propertiesEnd !== last.indicatorEnd;
    return isUsual ? plan.printer : new Printer({ ...plan.printer.style, dashGap });
  }

  private add(additions: readonly Addition[], previous: Entry | undefined): void {
    const { plan, first, column } = this;
    const lines = this.linesOf(additions);
    if (previous) {
      plan.insertLines(plan.ownEnd(previous), lines);
      return;
    }
    if (!first) return;
    if (!this.isCompact) {
      plan.insertLines(this.frontOf(first), lines);
      return;
    }
    const text = lines.join(plan.eol).slice(column);
    const followed = this.firstIsGone ? text : text + plan.eol + ' '.repeat(column);
    plan.insert(first.start, followed);
  }

  /** Where lines go that come before the first entry: above the comments that stand right on it. */
  private frontOf(first: Entry): number {
    const { plan, column } = this;
    let at = plan.lines.startOf(first.start);
    if (this.firstIsGone || this.node === plan.source.root) return at;
    while (at > 0) {
      const above = plan.lines.startOf(at - 1);
      const line = plan.text.slice(above, at).trimEnd();
      if (!line.trimStart().startsWith('#') || line.indexOf('#') !== column) return at;
      at = above;
    }
    return at;
  }

  private remove(entry: Entry, isReplaced: boolean): void {
    const { plan } = this;
    const end = plan.ownEnd(entry);
    if (entry !== this.first || !this.isCompact) {
      plan.replace(plan.lines.startOf(entry.start), end, '');
      return;
    }
    // What stands before the entry on its line, a dash, stays alone there, so that no other line changes.
    const start = isReplaced ? entry.start : plan.beforeBlanks(entry.start);
    plan.replace(start, plan.beforeBreak(end), '');
  }
}

/** The block scalar that a value ends with, if it does. */
function blockScalarAtEnd(node: Node): ScalarNode | undefined {
  if (node.kind === 'scalar') return node.headerEnd === node.end ? undefined : node;
  const last = isCollection(node) && !node.isFlow ? node.entries.at(-1) : undefined;
  return last && blockScalarAtEnd(last.node);
}

/** Whether a block scalar keeps all its final line breaks; the one without content may, too. */
function keeps({ content }: ScalarNode): boolean {
  return content === '' || content.endsWith('\n\n');
}

/** Additions that come before every kept entry. */
function leadingAdditions(changes: readonly EntryChange[]): EntryChange[] {
  const firstKept = changes.findIndex(({ kind }) => kind === 'keep');
  return changes.slice(0, firstKept).filter(({ kind }) => kind === 'add');
}
