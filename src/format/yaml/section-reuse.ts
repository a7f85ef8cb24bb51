/**
 * Taking over what is known of the sections of one text for those of another one that is much like it:
 * a text that was edited outside, or as a whole. Sections are found again by their text; each is taken
 * over once. See docs/adr/0019-edits-work-on-sections.md.
 */
import { type Body, type Branch, branchOf, type Leaf, type Part } from './section-tree.js';

/** A body with what another one knows of the same sections. */
export function reuseKnown(body: Body, known: Body): Body {
  const isAlike = (['isList', 'column', 'isCompact'] as const).every(
    (of) => body[of] === known[of],
  );
  if (!isAlike) return body;
  // Each part once: a value that stands in two places is two values.
  const leaves = new Map<string, Leaf[]>();
  const branches = new Map<string, Branch[]>();
  for (const part of known.parts) {
    if (part.kind === 'leaf') addTo(leaves, part.text, part);
    else addTo(branches, nameOf(part), part);
  }
  const parts = body.parts.map((part) => {
    if (part.kind === 'leaf') return leaves.get(part.text)?.shift() ?? part;
    const branch = branches.get(nameOf(part))?.shift();
    return branch ? branchOf(part.head, part.key, reuseKnown(part.body, branch.body)) : part;
  });
  const isSame =
    parts.length === known.parts.length &&
    parts.every((part, index) => isSamePart(part, known.parts[index]));
  return isSame ? known : { ...body, parts };
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** What a branch is found again by: its key, or the beginning of an item. */
function nameOf({ key, body }: Branch): string {
  const [first] = body.parts;
  return key !== '' || !first ? key : first.kind === 'leaf' ? first.text : nameOf(first);
}

function isSamePart(part: Part, other: Part | undefined): boolean {
  if (part === other) return true;
  return (
    part.kind === 'branch' &&
    other?.kind === 'branch' &&
    part.head === other.head &&
    part.body === other.body
  );
}
