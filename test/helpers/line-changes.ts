/**
 * Which lines of a text an edit touched, found without knowing how the edit was made: the lines
 * outside the longest common prefix and suffix. Shared by the tests of the YAML editor.
 */

/** Lines that are only in the text before, and only in the text after, between equal head and tail. */
export interface LineChanges {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  /** 0-based index of the first touched line. */
  readonly at: number;
}

/** The touched lines. Line breaks count as part of their line. */
export function lineChanges(before: string, after: string): LineChanges {
  const [old, now] = [linesOf(before), linesOf(after)];
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return {
    removed: old.slice(head, old.length - tail),
    added: now.slice(head, now.length - tail),
    at: head,
  };
}

/** A text's lines with their line breaks. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
