/**
 * Replacing ranges of a text. Offsets are UTF-16 code units of the text before any replacement, so
 * that several places can be changed without tracking how earlier changes shift later ones.
 * Shared by the YAML editor and by whatever else patches text or bytes by range.
 */

/** One replacement: the code units from `start` to before `end` become `text`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Splices in the order in which {@link applySplices} applies them: by start, at the same start the
 * insertions (`start === end`) first, and otherwise in the order given.
 */
export function sortSplices(splices: readonly Splice[]): Splice[] {
  const isReplacement = (splice: Splice) => (splice.end > splice.start ? 1 : 0);
  return [...splices].sort((a, b) => a.start - b.start || isReplacement(a) - isReplacement(b));
}

/**
 * The text with every splice applied. Splices may come in any order; several insertions at one
 * offset are written in the order given.
 *
 * @throws RangeError if a splice leaves the text or two of them overlap: misuse, never a property of the text.
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const { start, end, text: replacement } of sortSplices(splices)) {
    if (start < done || end < start || end > text.length) {
      throw new RangeError(`Splice ${start}..${end} overlaps another one or leaves the text.`);
    }
    parts.push(text.slice(done, start), replacement);
    done = end;
  }
  parts.push(text.slice(done));
  return parts.join('');
}
