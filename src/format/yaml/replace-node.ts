/**
 * Replacing one value's text by another's, where a collection can't be edited entry by entry: the
 * value is a scalar, changes its kind, or becomes or stops being empty. Keeps what surrounds the
 * value on its lines: key, properties, trailing comment.
 */
import type { EditPlan, Place } from './edit-plan.js';
import { replaceRoot } from './replace-root.js';
import type { Printed } from './yaml-print.js';
import { type CollectionNode, type Entry, isCollection, type Node } from './yaml-tree.js';
import { isList, isMap, type YamlValue } from './yaml-value.js';

/** Plans the text of `next` in place of a node's. */
export function replaceNode(plan: EditPlan, node: Node, next: YamlValue, place: Place): void {
  const { parent, entry } = place;
  dropContradictedTag(plan, node, next);
  if (!parent || !entry) replaceRoot(plan, node, next);
  else if (place.inFlow) replaceInFlow(plan, node, next, entry);
  else if (holdsOnlyComments(plan, node, next)) fillFlow(plan, node, next);
  else if (entry.indicatorEnd === -1) rewritePair(plan, next, entry);
  else new BlockReplacement(plan, node, parent, entry).put(next);
}

/** A tag stays as long as the value under it is of the same kind of text; otherwise it would lie. */
function dropContradictedTag(plan: EditPlan, node: Node, next: YamlValue): void {
  const { tag } = node;
  if (!tag) return;
  const isText = typeof node.value === 'string' && typeof next === 'string';
  if (isText && node.kind === 'scalar') return;
  // Together with the space before it, so that it can go alone; at the beginning of a line, after it.
  const start = plan.beforeBlanks(tag.start);
  if (start < tag.start && start > plan.lines.startOf(start)) plan.replace(start, tag.end, '');
  else plan.replace(tag.start, Math.max(tag.end, Math.min(node.start, tag.end + 1)), '');
}

function replaceInFlow(plan: EditPlan, node: Node, next: YamlValue, entry: Entry): void {
  const text = plan.printer.flow(next, node);
  if (!isEmptyScalar(node)) plan.replace(node.start, node.end, text);
  else if (entry.key !== undefined && entry.indicatorEnd === -1) {
    plan.insert(node.start, `: ${text}`);
  } else plan.insert(node.start, plan.text[node.start - 1] === ' ' ? text : ` ${text}`);
}

/** Whether an empty flow collection has comments in it and becomes one of the same kind with entries. */
function holdsOnlyComments(plan: EditPlan, node: Node, next: YamlValue): node is CollectionNode {
  if (!isCollection(node) || !node.isFlow || node.entries.length > 0) return false;
  const isSameKind = node.kind === 'list' ? isList(next) && next.length > 0 : isMap(next);
  return isSameKind && plan.text.slice(node.start, node.end).includes('#');
}

/** Puts entries in front of the bracket that closes an empty flow collection. */
function fillFlow(plan: EditPlan, node: CollectionNode, next: YamlValue): void {
  const close = node.end - 1;
  const inner = plan.printer.flow(next).slice(1, -1);
  if (!plan.lines.isFirstOnLine(close)) plan.insert(close, inner);
  else
    plan.insert(
      plan.lines.startOf(close),
      `${' '.repeat(plan.lines.columnOf(close) + 2)}${inner}${plan.eol}`,
    );
}

function isEmptyScalar(node: Node): boolean {
  return node.kind === 'scalar' && node.style === 'empty';
}

/** Writes a pair anew that has no colon yet (`? key`). */
function rewritePair(plan: EditPlan, next: YamlValue, entry: Entry): void {
  const lines: string[] = [];
  const column = plan.lines.columnOf(entry.start);
  plan.printer.addPair(lines, entry.key ?? '', next, column, undefined);
  const text = lines.join(plan.eol).slice(column);
  plan.replace(entry.start, plan.lastLineOf(entry.start, entry.end), text);
}

/** How the old value stands in its entry. */
type Shape = 'empty' | 'inline' | 'ownLine' | 'blockScalar' | 'compact' | 'below';

class BlockReplacement {
  private readonly plan: EditPlan;
  private readonly node: Node;
  private readonly entry: Entry;
  private readonly column: number;
  private readonly isDash: boolean;
  private readonly parent: CollectionNode;
  private readonly shape: Shape;

  constructor(plan: EditPlan, node: Node, parent: CollectionNode, entry: Entry) {
    this.plan = plan;
    this.node = node;
    this.entry = entry;
    this.parent = parent;
    this.column = plan.lines.columnOf(entry.start);
    this.isDash = parent.kind === 'list' && node.propertiesEnd === entry.indicatorEnd;
    this.shape = this.shapeOf();
  }

  put(next: YamlValue): void {
    const { plan, column } = this;
    const model = this.modelFor(next);
    const printed = plan.printer.value(next, column, model, model === this.node);
    if (printed.kind === 'inline') this.putInline(printed.text);
    else if (printed.kind === 'block') this.putBlock(printed);
    else if (this.hasRoomForBlockScalar()) this.putScalar(printed.header, printed.lines);
    else this.putInline(plan.printer.flow(next, model));
  }

  /** Whether a block scalar can be written here without taking in the lines below it. */
  private hasRoomForBlockScalar(): boolean {
    const { plan, node } = this;
    // The lines below the old block scalar were no part of it, and its indentation is kept.
    if (this.shape === 'blockScalar') return true;
    const after =
      this.shape === 'below'
        ? this.ownLines().after
        : plan.lines.nextStart(plan.lastLineOf(node.start, node.end));
    return !plan.wouldSwallow(after, this.column);
  }

  /** The value whose looks a new string follows: the old one, or a sibling if the old one was no string. */
  private modelFor(next: YamlValue): Node {
    const { node, parent } = this;
    if (typeof next !== 'string' || typeof node.value === 'string') return node;
    return siblingString(parent) ?? node;
  }

  private shapeOf(): Shape {
    const { node, plan } = this;
    const isFirst = plan.lines.isFirstOnLine(node.start);
    if (isCollection(node) && !node.isFlow) return isFirst ? 'below' : 'compact';
    if (isEmptyScalar(node)) return 'empty';
    if (node.kind === 'scalar' && node.headerEnd !== node.end) return 'blockScalar';
    return isFirst ? 'ownLine' : 'inline';
  }

  private get headerEnd(): number {
    return this.node.kind === 'scalar' ? this.node.headerEnd : this.node.end;
  }

  /** Replaces the lines of a block scalar's content. */
  private replaceBody(text: string): void {
    const start = this.plan.lines.endOf(this.headerEnd);
    this.plan.replace(start, Math.max(start, this.plan.beforeBreak(this.node.end)), text);
  }

  /** The lines of a collection below its key: from where its first line begins to where its last ends, without line break. */
  private ownLines(): { start: number; end: number; after: number } {
    const { plan, node } = this;
    const entries = isCollection(node) ? node.entries : [];
    const last = entries.at(-1);
    const after = last ? plan.ownEnd(last) : node.end;
    return { start: plan.lines.startOf(node.start), end: plan.beforeBreak(after), after };
  }

  /** Puts text after the indicator where nothing stands yet. */
  private fill(at: number, text: string): void {
    const rest = this.plan.text.slice(at, this.plan.lines.endOf(at));
    if (/^[ \t]+$/.test(rest)) this.plan.insert(at + 1, text);
    else this.plan.insert(at, ` ${text}`);
  }

  private putInline(text: string): void {
    const { plan, node } = this;
    switch (this.shape) {
      case 'empty':
        this.fill(node.start, text);
        return;
      case 'inline':
      case 'ownLine':
        plan.replace(node.start, node.end, text);
        return;
      case 'blockScalar':
        plan.replace(node.start, this.headerEnd, text);
        this.replaceBody('');
        return;
      case 'compact':
        plan.replace(node.start, plan.lineEndOf(node), text);
        return;
      case 'below': {
        const { start, after } = this.ownLines();
        this.fill(node.propertiesEnd, text);
        plan.replace(start, after, '');
      }
    }
  }

  private putScalar(header: string, lines: readonly string[]): void {
    const { plan, node } = this;
    const body = plan.below(lines);
    switch (this.shape) {
      case 'empty':
        this.fill(node.start, header);
        plan.insert(plan.lines.endOf(node.start), body);
        return;
      case 'inline':
      case 'ownLine':
        plan.replace(node.start, node.end, header);
        plan.insert(plan.lines.endOf(node.end), body);
        return;
      case 'blockScalar':
        if (plan.text.slice(node.start, this.headerEnd) !== header) {
          plan.replace(node.start, this.headerEnd, header);
        }
        this.replaceBody(body);
        return;
      case 'compact':
        plan.replace(node.start, plan.lineEndOf(node), header + body);
        return;
      case 'below':
        this.fill(node.propertiesEnd, header);
        plan.replace(plan.lines.endOf(node.propertiesEnd), this.ownLines().end, body);
    }
  }

  private putBlock(printed: Extract<Printed, { kind: 'block' }>): void {
    const { plan, node } = this;
    const nodeColumn = plan.lines.columnOf(node.start);
    if (this.shape === 'ownLine' || this.shape === 'compact') {
      const end = this.shape === 'ownLine' ? node.end : plan.lineEndOf(node);
      const text = printed.linesAt(nodeColumn).join(plan.eol).slice(nodeColumn);
      plan.replace(node.start, end, text);
    } else if (this.shape === 'below') {
      const isDeepEnough = nodeColumn > this.column || (printed.isList && !this.isDash);
      const column = isDeepEnough ? nodeColumn : this.column + plan.printer.indentOf(printed);
      const { start, end } = this.ownLines();
      plan.replace(start, end, printed.linesAt(column).join(plan.eol));
    } else {
      this.putBlockAfterIndicator(printed);
    }
  }

  /** A block collection in place of nothing, a value on the indicator's line, or a block scalar. */
  private putBlockAfterIndicator(printed: Extract<Printed, { kind: 'block' }>): void {
    const { plan, node, entry, column } = this;
    const { dashGap, mapIndent } = plan.printer.style;
    const [head, rest] = this.isDash
      ? firstAndRest(printed.linesAt(column + dashGap), column + 1)
      : ['', printed.linesAt(column + this.indentBelow(printed, mapIndent))];
    const from = this.isDash ? entry.indicatorEnd : node.propertiesEnd;
    const below = plan.below(rest);
    if (this.shape === 'blockScalar') {
      plan.replace(from, this.headerEnd, head);
      this.replaceBody(below);
      return;
    }
    plan.replace(from, node.end, head);
    plan.insert(plan.lines.endOf(node.end), below);
  }

  private indentBelow(printed: { isList: boolean }, mapIndent: number): number {
    if (this.parent.kind === 'list' || this.entry.isExplicit) return mapIndent;
    return this.plan.printer.indentOf(printed);
  }
}

function firstAndRest(lines: readonly string[], column: number): [string, string[]] {
  const [first = '', ...rest] = lines;
  return [first.slice(column), rest];
}

/** The last entry of a collection that is a string on one line: how strings look here. */
export function siblingString(parent: CollectionNode): Node | undefined {
  return parent.entries.findLast(
    ({ node }) =>
      node.kind === 'scalar' &&
      typeof node.value === 'string' &&
      node.style !== 'literal' &&
      node.style !== 'folded',
  )?.node;
}
