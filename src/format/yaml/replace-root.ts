/**
 * Replacing the whole value of a document. What surrounds it stays: directives, markers, an anchor,
 * and the comments above and below it.
 */
import type { EditPlan } from './edit-plan.js';
import type { Printed } from './yaml-print.js';
import { isCollection, type Node } from './yaml-tree.js';
import type { YamlValue } from './yaml-value.js';

/** Plans the text of `next` in place of the root's. */
export function replaceRoot(plan: EditPlan, node: Node, next: YamlValue): void {
  const printed = plan.printer.value(next, -1, node, true);
  const isBlock = isCollection(node) && !node.isFlow;
  const last = isBlock ? node.entries.at(-1) : undefined;
  const end = plan.beforeBreak(last ? plan.ownEnd(last) : node.end);
  const isOwnLine = plan.lines.isFirstOnLine(node.start);
  const space = /\s/.test(plan.text[node.start - 1] ?? ' ') ? '' : ' ';
  if (printed.kind === 'scalar' && !isBlock) {
    putRootScalar(plan, node, printed, space);
    return;
  }
  const lines = printed.kind === 'inline' ? [printed.text] : plan.printer.documentLines(printed);
  if (isOwnLine) {
    plan.replace(plan.lines.startOf(node.start), end, lines.join(plan.eol));
  } else if (printed.kind === 'block') {
    // After `---` or an anchor a block collection has to begin on a line of its own.
    plan.replace(plan.beforeBlanks(node.start), end, plan.below(lines));
  } else {
    plan.replace(node.start, end, space + lines.join(plan.eol));
  }
}

/** A block scalar in place of a scalar or flow collection; a comment on its line stays behind the header. */
function putRootScalar(
  plan: EditPlan,
  node: Node,
  { header, lines }: Extract<Printed, { kind: 'scalar' }>,
  space: string,
): void {
  const headerEnd = node.kind === 'scalar' ? node.headerEnd : node.end;
  const bodyStart = plan.lines.endOf(headerEnd);
  plan.replace(node.start, headerEnd, space + header);
  if (headerEnd === node.end) plan.insert(bodyStart, plan.below(lines));
  else plan.replace(bodyStart, Math.max(bodyStart, plan.beforeBreak(node.end)), plan.below(lines));
}
