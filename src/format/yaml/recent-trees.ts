/**
 * The trees of the windows that were edited last: edits come back to the same few places. Bounded, as a
 * tree takes far more memory than its text. Immutable.
 */
import type { YamlText } from './yaml-text.js';

/** Texts that were read, the newest first. */
export type RecentTrees = readonly YamlText[];

const MAX_TREES = 16;
/** In UTF-16 units, beside the newest. */
const MAX_UNITS = 8192;

/** The trees with one more. @param before the tree that it came from, which goes */
export function withRecent(
  trees: RecentTrees | undefined,
  newest: YamlText,
  before = newest,
): RecentTrees {
  const kept = [newest];
  let units = 0;
  for (const tree of trees ?? []) {
    if (tree === before || tree === newest) continue;
    units += tree.text.length;
    if (kept.length === MAX_TREES || units > MAX_UNITS) break;
    kept.push(tree);
  }
  return kept;
}
