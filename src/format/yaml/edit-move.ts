/**
 * The text that an item of a block list takes along when it moves: its lines, the comments right
 * above it, and how many blank lines set it apart. Its column stays, because it stays in its list.
 */
import type { EditPlan } from './edit-plan.js';
import type { CollectionNode, Entry } from './yaml-tree.js';

/** An item on its way. */
export interface CarriedItem {
  /** Where its text begins in the document, blank lines that go with it included. */
  readonly start: number;
  readonly end: number;
  /** Its lines as they are to be, comments above it first. */
  readonly lines: readonly string[];
  /** The blank lines between it and its neighbour. */
  readonly blankLines: readonly string[];
}

/**
 * What an item takes along, with the changes in it made; `undefined` if its text says something
 * else elsewhere (anchors and aliases) or the changes reach beyond it.
 */
export function carriedItem(
  plan: EditPlan,
  node: CollectionNode,
  entry: Entry,
  edit: () => void,
): CarriedItem | undefined {
  const index = node.entries.indexOf(entry);
  const previous = node.entries[index - 1];
  const end = plan.ownEnd(entry);
  if (plan.holdsReference(entry.start, end)) return undefined;
  const limit = previous ? plan.ownEnd(previous) : topOf(plan, node, entry);
  const start = plan.attachedStart(entry, limit);
  const text = plan.textAfter(start, end, edit);
  if (text === undefined) return undefined;
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  // The first item is set apart by what is below it, every other one by what is above it.
  const [from, to] = previous
    ? [blankStart(plan, start, limit), end]
    : [start, blankEnd(plan, end)];
  const blankText = previous ? plan.text.slice(from, start) : plan.text.slice(end, to);
  const blankLines = blankText === '' ? [] : blankText.replace(/\r?\n$/, '').split(/\r?\n/);
  return { start: from, end: to, lines, blankLines };
}

/** Where the text above the first item begins that may be about it: a file's opening comments are not. */
function topOf(plan: EditPlan, node: CollectionNode, entry: Entry): number {
  return node === plan.source.root ? plan.lines.startOf(entry.start) : 0;
}

function blankStart(plan: EditPlan, start: number, limit: number): number {
  let at = start;
  while (at > limit) {
    const above = plan.lines.startOf(at - 1);
    if (plan.text.slice(above, at).trim() !== '') break;
    at = above;
  }
  return at;
}

function blankEnd(plan: EditPlan, end: number): number {
  let at = end;
  while (at < plan.text.length && plan.text.slice(at, plan.lines.nextStart(at)).trim() === '') {
    at = plan.lines.nextStart(at);
  }
  return at;
}
