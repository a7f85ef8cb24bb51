/**
 * Two texts line by line: what was removed, what was added, with a few lines around each change. For
 * the page only, where a diff did not come with the model. Pure.
 */

/** One line of a diff. `gap` stands for unchanged lines that are left out. */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap';
  readonly text: string;
}

const AROUND = 3;
/** Above this many comparisons, what differs is shown as one block. */
const COMPARISONS_MAX = 1_000_000;

/** What changed from one text to the next. Empty where nothing did. */
export function diffLines(before: string, after: string): DiffLine[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start += 1;
  let tail = 0;
  while (
    tail < Math.min(old.length, fresh.length) - start &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  ) {
    tail += 1;
  }
  const middle = compare(
    old.slice(start, old.length - tail),
    fresh.slice(start, fresh.length - tail),
  );
  if (middle.length === 0) return [];
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return shorten([
    ...old.slice(0, start).map(same),
    ...middle,
    ...old.slice(old.length - tail).map(same),
  ]);
}

/** Lines of a unified diff, as they come with a model. */
export function readDiff(lines: readonly string[]): DiffLine[] {
  return lines.map((line) => {
    if (line.startsWith('@@')) return { kind: 'gap', text: line };
    if (line.startsWith('+')) return { kind: 'added', text: line.slice(1) };
    if (line.startsWith('-')) return { kind: 'removed', text: line.slice(1) };
    return { kind: 'same', text: line.startsWith(' ') ? line.slice(1) : line };
  });
}

/** The lines of a text; an end of line at its end begins no further one. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function compare(old: readonly string[], fresh: readonly string[]): DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: 'removed', text });
  const added = (text: string): DiffLine => ({ kind: 'added', text });
  if (old.length * fresh.length > COMPARISONS_MAX)
    return [...old.map(removed), ...fresh.map(added)];
  const common = commonLengths(old, fresh);
  const lines: DiffLine[] = [];
  let [left, right] = [0, 0];
  while (left < old.length || right < fresh.length) {
    const [mine, theirs] = [old[left], fresh[right]];
    if (mine !== undefined && mine === theirs) {
      lines.push({ kind: 'same', text: mine });
      left += 1;
      right += 1;
      continue;
    }
    const without = common[left + 1]?.[right] ?? -1;
    const withNext = common[left]?.[right + 1] ?? -1;
    if (mine !== undefined && (theirs === undefined || without >= withNext)) {
      lines.push(removed(mine));
      left += 1;
    } else if (theirs !== undefined) {
      lines.push(added(theirs));
      right += 1;
    }
  }
  return lines;
}

/** `[left][right]`: the length of the longest list of lines that both rests share. */
function commonLengths(old: readonly string[], fresh: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  for (let left = old.length - 1; left >= 0; left -= 1) {
    const [row, below] = [rows[left], rows[left + 1]];
    if (row === undefined || below === undefined) continue;
    for (let right = fresh.length - 1; right >= 0; right -= 1) {
      const isSame = old[left] === fresh[right];
      row[right] = isSame
        ? (below[right + 1] ?? 0) + 1
        : Math.max(below[right] ?? 0, row[right + 1] ?? 0);
    }
  }
  return rows;
}

/** Leaves out what is far from any change. */
function shorten(lines: readonly DiffLine[]): DiffLine[] {
  const near = new Uint8Array(lines.length);
  for (const [index, { kind }] of lines.entries()) {
    if (kind !== 'same') near.fill(1, Math.max(0, index - AROUND), index + AROUND + 1);
  }
  const shown: DiffLine[] = [];
  let left = 0;
  for (const [index, line] of lines.entries()) {
    if (near[index] === 1) {
      if (left > 0) shown.push(gap(left));
      shown.push(line);
      left = 0;
    } else left += 1;
  }
  return left > 0 ? [...shown, gap(left)] : shown;
}

const gap = (count: number): DiffLine => ({
  kind: 'gap',
  text: `${count} unchanged ${count === 1 ? 'line' : 'lines'}`,
});
