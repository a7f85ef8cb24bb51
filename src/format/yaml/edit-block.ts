/**
 * Adding, removing and moving entries of block lists and maps. Works in whole lines: an entry owns
 * its lines, its trailing comment and the deeper-indented comments right below it; comments and
 * blank lines above an entry are nobody's and stay. Only an item that moves takes along the comments
 * that stand right above it, and the blank lines that set it apart.
 */
import { type CarriedItem, carriedItem } from './edit-move.js';
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
  /** Items that are elsewhere now, with the text they took along. */
  private readonly carried = new Map<Entry, CarriedItem>();

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
    this.carryItems(changes);
    let previous: Entry | undefined;
    let additions: Addition[] = [];
    let shield: (() => void) | undefined;
    const flush = () => {
      if (additions.length > 0) this.add(additions, previous);
      additions = [];
      // Only now is it known what else goes from below the entry that is kept.
      shield?.();
      shield = undefined;
    };
    for (const change of changes) {
      if (change.kind === 'add') {
        additions.push(change);
      } else if (change.kind === 'remove') {
        this.remove(change.entry, leads.length > 0);
        const above =
          previous && additions.length === 0 ? blockScalarAtEnd(previous.node) : undefined;
        const end = this.carried.get(change.entry)?.end ?? plan.ownEnd(change.entry);
        if (above) shield ??= () => plan.shieldFromBlockScalar(end, this.column, keeps(above));
      } else {
        flush();
        change.edit();
        previous = change.entry;
      }
    }
    flush();
  }

  /** Takes up the text of the items that move, before anything is planned for where they were. */
  private carryItems(changes: readonly EntryChange[]): void {
    const { plan, node } = this;
    for (const change of changes) {
      if (change.kind !== 'add' || !change.from) continue;
      const { entry, edit } = change.from;
      if (plan.mode.isStill || (entry === this.first && this.isCompact)) continue;
      const item = carriedItem(plan, node, entry, edit);
      if (item) this.carried.set(entry, item);
    }
  }

  /** The lines of entries that go above what stands at an offset: new ones, or of moved items their own. */
  private linesOf(additions: readonly Addition[], above: number, isInFront: boolean): string[] {
    const { plan, node, column } = this;
    const lines: string[] = [];
    const lastItem = node.entries.at(-1)?.node;
    const stringModel = node.kind === 'map' ? siblingString(node) : undefined;
    const isTight = plan.wouldSwallow(above, column);
    additions.forEach(({ key, value, from }, index) => {
      const item = from && this.carried.get(from.entry);
      if (item) {
        const { blankLines } = item;
        const all = isInFront ? [item.lines, blankLines] : [blankLines, item.lines];
        for (const line of all.flat()) lines.push(line);
        return;
      }
      for (const line of from ? this.commentsOf(from.entry) : []) lines.push(line);
      const isLast = index === additions.length - 1;
      const usual = key === undefined ? this.localPrinter() : plan.printer;
      const printer = isTight && isLast ? usual.withoutBlockScalars() : usual;
      if (key === undefined) printer.addItem(lines, value, column, lastItem);
      else printer.addPair(lines, key, value, column, stringModel);
    });
    return lines;
  }

  /** The comments within an item that moves and is written anew: they go above it. */
  private commentsOf(entry: Entry): string[] {
    const { plan, column } = this;
    const end = plan.ownEnd(entry);
    const inner = plan.comments.filter(({ start }) => entry.start < start && start < end);
    return inner.map(({ text }) => ' '.repeat(column) + text);
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
    if (previous) {
      const at = plan.ownEnd(previous);
      plan.insertLines(at, this.linesOf(additions, at, false));
      return;
    }
    if (!first) return;
    if (!this.isCompact) {
      const at = this.frontOf(first);
      plan.insertLines(at, this.linesOf(additions, at, true));
      return;
    }
    const text = this.linesOf(additions, first.start, true).join(plan.eol).slice(column);
    const followed = this.firstIsGone ? text : text + plan.eol + ' '.repeat(column);
    plan.insert(first.start, followed);
  }

  /** Where lines go that come before the first entry: above the comments that stand right on it. */
  private frontOf(first: Entry): number {
    const { plan } = this;
    const stays = this.firstIsGone && !this.carried.has(first);
    if (stays || this.node === plan.source.root) return plan.lines.startOf(first.start);
    return plan.attachedStart(first, 0);
  }

  private remove(entry: Entry, isReplaced: boolean): void {
    const { plan } = this;
    const item = this.carried.get(entry);
    if (item) {
      plan.replace(item.start, item.end, '');
      return;
    }
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
