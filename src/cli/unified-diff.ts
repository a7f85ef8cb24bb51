/**
 * A unified diff of two texts, exact to the byte and bounded in time: texts that have too little in
 * common are replaced as a whole instead of being searched without end.
 */
import { type StructuredPatch, structuredPatch } from 'diff';

/** Lines added and removed that are searched for, at most: the work grows with their square. */
const MAX_EDITS = 2500;

/** What the two texts are called in the head of a diff. */
export interface DiffNames {
  readonly from: string;
  readonly to: string;
}

type Hunk = StructuredPatch['hunks'][number];

/**
 * A unified diff with three lines of context; the empty text exactly where the texts are equal.
 * `patch` makes `to` of `from` with it, byte for byte.
 */
export function unifiedDiff(from: string, to: string, names: DiffNames): string {
  if (from === to) return '';
  const hunks = hunksOf(from, to).map((hunk) => [headOf(hunk), ...hunk.lines].join('\n'));
  return [`--- ${names.from}`, `+++ ${names.to}`, ...hunks, ''].join('\n');
}

function hunksOf(from: string, to: string): readonly Hunk[] {
  const options = { context: 3, maxEditLength: MAX_EDITS };
  const patch = structuredPatch('', '', from, to, undefined, undefined, options);
  return patch?.hunks ?? [replacement(from, to)];
}

/** One hunk that takes every line away and puts every line there. */
function replacement(from: string, to: string): Hunk {
  const [old, now] = [signed('-', from), signed('+', to)];
  const isLine = (line: string) => !line.startsWith('\\');
  return {
    oldStart: 1,
    oldLines: old.filter(isLine).length,
    newStart: 1,
    newLines: now.filter(isLine).length,
    lines: [...old, ...now],
  };
}

function signed(sign: string, text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const isWhole = lines.at(-1) === '';
  if (isWhole) lines.pop();
  const all = lines.map((line) => sign + line);
  return isWhole ? all : [...all, '\\ No newline at end of file'];
}

function headOf({ oldStart, oldLines, newStart, newLines }: Hunk): string {
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`;
}

/** A range without lines is named by the line before it. */
function range(start: number, length: number): string {
  if (length === 1) return String(start);
  return `${length === 0 ? start - 1 : start},${length}`;
}
