/**
 * Adding, removing and moving entries of flow lists and maps (`[a, b]`, `{a: 1}`), on one line or
 * several. Comments between entries stay, one on an item's own line goes where the item goes; a
 * comma that becomes a trailing one is legal and stays, too.
 */
import type { EditPlan, EntryChange } from './edit-plan.js';
import { siblingString } from './replace-node.js';
import type { CollectionNode, Entry } from './yaml-tree.js';

type Addition = Extract<EntryChange, { kind: 'add' }>;

interface EntryText {
  readonly text: string;
  readonly comment: string;
}

/** Plans the changes of a flow collection of which at least one entry is kept. */
export function editFlow(plan: EditPlan, node: CollectionNode, changes: readonly EntryChange[]) {
  const edit = new FlowEdit(plan, node);
  let previous: Entry | undefined;
  let additions: Addition[] = [];
  let removals: Entry[] = [];
  for (const change of changes) {
    if (change.kind === 'add') additions.push(change);
    else if (change.kind === 'remove') removals.push(change.entry);
    else {
      edit.between(previous, change.entry, additions, removals);
      change.edit();
      previous = change.entry;
      additions = [];
      removals = [];
    }
  }
  edit.between(previous, undefined, additions, removals);
}

class FlowEdit {
  private readonly plan: EditPlan;
  private readonly node: CollectionNode;

  constructor(plan: EditPlan, node: CollectionNode) {
    this.plan = plan;
    this.node = node;
  }

  /** Changes what stands between two kept entries, or before the first or after the last one. */
  between(
    previous: Entry | undefined,
    next: Entry | undefined,
    additions: readonly Addition[],
    removals: readonly Entry[],
  ): void {
    if (removals.length > 0) this.remove(previous, next, removals);
    if (additions.length === 0) return;
    const texts = additions.map((addition) => this.textOf(addition));
    if (previous) this.addAfter(previous, texts);
    else if (next) this.addBefore(next, texts);
  }

  /** The text of a new entry, or of a moved one its own, with the comment on its line. */
  private textOf({ key, value, from }: Addition): EntryText {
    const { node, plan } = this;
    const comment = from ? this.commentOf(from.entry) : '';
    if (key !== undefined) {
      return { text: plan.printer.flowPair(key, value, siblingString(node)), comment };
    }
    const carried = from && !plan.mode.isStill ? this.carriedText(from) : undefined;
    return { text: carried ?? plan.printer.flow(value, node.entries.at(-1)?.node), comment };
  }

  private carriedText({ entry, edit }: NonNullable<Addition['from']>): string | undefined {
    const { start, end } = entry;
    return this.plan.holdsReference(start, end) ? undefined : this.plan.textAfter(start, end, edit);
  }

  /** The comment behind an entry that has its line to itself, with the space before it. */
  private commentOf(entry: Entry): string {
    const { plan } = this;
    const after = entry.commaEnd === -1 ? entry.end : entry.commaEnd;
    const rest = plan.text.slice(after, plan.lines.endOf(after));
    return plan.lines.isFirstOnLine(entry.start) && /^[ \t]*#/.test(rest) ? rest : '';
  }

  private addAfter(previous: Entry, texts: readonly EntryText[]): void {
    const { plan } = this;
    const after = previous.commaEnd === -1 ? previous.end : previous.commaEnd;
    const rest = /^[ \t]*(?:#.*)?$/.test(plan.text.slice(after, plan.lines.endOf(after)));
    const isOwnLine = plan.lines.isFirstOnLine(previous.start);
    if (!rest || !isOwnLine) {
      plan.insert(previous.end, texts.map(({ text }) => `, ${text}`).join(''));
      return;
    }
    // One entry a line: the previous line gets its comma if it has none, and new lines follow it.
    const indent = ' '.repeat(plan.lines.columnOf(previous.start));
    const hasComma = previous.commaEnd !== -1;
    if (!hasComma) plan.insert(previous.end, ',');
    const lines = texts.map(({ text, comment }, index) => {
      const comma = hasComma || index < texts.length - 1 ? ',' : '';
      return `${indent}${text}${comma}${comment}`;
    });
    plan.insert(plan.lines.endOf(after), plan.below(lines));
  }

  private addBefore(next: Entry, texts: readonly EntryText[]): void {
    const { plan } = this;
    const indent = ' '.repeat(plan.lines.columnOf(next.start));
    const isOwnLine = plan.lines.isFirstOnLine(next.start);
    const parts = texts.map(({ text, comment }) => {
      return isOwnLine ? `${text},${comment}${plan.eol}${indent}` : `${text}, `;
    });
    plan.insert(next.start, parts.join(''));
  }

  private remove(previous: Entry | undefined, next: Entry | undefined, removals: readonly Entry[]) {
    const { plan } = this;
    const [first, last] = [removals[0], removals.at(-1)];
    if (!first || !last) return;
    const [from, to] = next ? [first.start, next.start] : [previous?.end ?? first.start, last.end];
    if (this.isOneLine(from, to, removals)) plan.replace(from, to, '');
    else for (const entry of removals) this.removeOne(entry);
  }

  /** Whether a range holds nothing but entries, commas and spaces on one line. */
  private isOneLine(from: number, to: number, removals: readonly Entry[]): boolean {
    let rest = '';
    let at = from;
    for (const { start, end } of removals) {
      rest += this.plan.text.slice(at, Math.max(at, start));
      at = end;
    }
    rest += this.plan.text.slice(at, to);
    return !/[\n#]/.test(rest);
  }

  /** Removes an entry and its comma, and its line if nothing else stands on it. */
  private removeOne(entry: Entry): void {
    const { plan } = this;
    const end = entry.commaEnd === -1 ? entry.end : entry.commaEnd;
    const isFirst = plan.lines.isFirstOnLine(entry.start);
    const rest = plan.text.slice(end, plan.lines.endOf(end));
    const isAlone = isFirst && /^[ \t]*(?:#.*)?$/.test(rest);
    if (isAlone) plan.replace(plan.lines.startOf(entry.start), plan.lines.nextStart(end), '');
    else plan.replace(entry.start, end, '');
  }
}
