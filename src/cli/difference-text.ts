/**
 * A difference between two texts as people read it: by path, or line by line.
 */
import { createTwoFilesPatch } from 'diff';
import { describeChange, diffTexts, type StateChange } from '../store/state-diff.js';
import type { CliContext, Colors } from './context.js';
import { printable } from './words.js';

/** A text and what it is called. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Paths added, removed, changed and moved, a line each; says so where only the layout differs. */
export function structuralText(
  before: NamedText,
  after: NamedText,
  colors: Colors,
  changes: readonly StateChange[] | undefined = diffTexts(before.text, after.text),
): string {
  if (before.text === after.text) return 'The two are the same, byte for byte.\n';
  if (changes === undefined) return unifiedPatch(before, after);
  if (changes.length === 0)
    return 'The states are equal; comments or layout differ (see --text).\n';
  return changes.map((change) => `${painted(change, colors)}\n`).join('');
}

/**
 * Lines that differ, at most, that are matched as well as can be: the work grows with their square, and
 * this many take about a second. Texts that differ more are shown one after the other.
 */
const MAX_EDITS = 4000;
/** Times would stand beside the names; those of checkpoints are in `history`. */
const NO_TIMES = [undefined, undefined] as const;

/** A unified diff, as `diff -u` prints it and `patch` reads it; empty where the two are the same. */
export function unifiedPatch(before: NamedText, after: NamedText): string {
  if (before.text === after.text) return '';
  const names = [before, after].map(({ name }) => printable(name).replaceAll(/[\t\r\n]/g, ' '));
  const [left = '', right = ''] = names;
  const options = { context: 3, maxEditLength: MAX_EDITS };
  const patch = createTwoFilesPatch(left, right, before.text, after.text, ...NO_TIMES, options);
  // Its first line is a rule across the page, which no other tool prints.
  if (patch !== undefined) return patch.replace(/^=+\n/, '');
  return `--- ${left}\n+++ ${right}\n${wholly(before.text, after.text)}`;
}

/** Everything removed, everything added. */
function wholly(before: string, after: string): string {
  const [removed, added] = [linesOf(before), linesOf(after)];
  const range = ({ length }: readonly string[]) => `${length === 0 ? 0 : 1},${length}`;
  const print = (sign: string, lines: readonly string[]) =>
    lines
      .map((line) => (line.endsWith('\n') ? sign + line : `${sign}${line}${NO_NEWLINE}`))
      .join('');
  return `@@ -${range(removed)} +${range(added)} @@\n${print('-', removed)}${print('+', added)}`;
}

const NO_NEWLINE = '\n\\ No newline at end of file\n';

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A patch for whoever reads it: with colours where they are wanted, harmless on a terminal, and untouched in a pipe. */
export function paintedPatch(patch: string, { colors, environment }: CliContext): string {
  const isTerminal = environment.stdout.isTTY === true;
  const shown = isTerminal ? printable(patch.replaceAll('\r\n', '\n')) : patch;
  let isHeader = true;
  return shown
    .split('\n')
    .map((line) => {
      isHeader &&= !line.startsWith('@@');
      return isHeader ? colors.bold(line) : paintedLine(line, colors);
    })
    .join('\n');
}

function paintedLine(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.green(line);
  if (line.startsWith('-')) return colors.red(line);
  return line.startsWith('@@') ? colors.cyan(line) : line;
}

const COLORS = {
  added: 'green',
  removed: 'red',
  changed: 'yellow',
  moved: 'cyan',
} as const satisfies Record<StateChange['kind'], keyof Colors>;

function painted(change: StateChange, colors: Colors): string {
  const line = printable(describeChange(change)).replaceAll('\n', ' ');
  return colors[COLORS[change.kind]](line);
}
