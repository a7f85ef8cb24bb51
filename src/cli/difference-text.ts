/**
 * A difference between two texts as people read it: by path, or line by line.
 */
import { describeChange, diffTexts, type StateChange } from '../store/state-diff.js';
import type { Colors } from './context.js';
import { unifiedDiff } from './unified-diff.js';
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
  if (changes === undefined) return unifiedText(before, after, colors);
  if (changes.length === 0)
    return 'The states are equal; comments or layout differ (see --text).\n';
  return changes.map((change) => `${painted(change, colors)}\n`).join('');
}

/**
 * A unified diff, as `diff -u` prints it. Line ends stay as they are, also those of Windows, so that
 * `patch` applies what is piped to it.
 */
export function unifiedText(before: NamedText, after: NamedText, colors: Colors): string {
  const names = { from: before.name, to: after.name };
  const [fromHead = '', toHead = '', ...lines] = unifiedDiff(before.text, after.text, names).split(
    '\n',
  );
  if (lines.length === 0) return '';
  const heads = [fromHead, toHead].map((head) => colors.bold(printable(head)));
  return [...heads, ...lines.map((line) => paintedLine(line, colors))].join('\n');
}

const COLORS = {
  added: 'green',
  removed: 'red',
  changed: 'yellow',
  moved: 'cyan',
} as const satisfies Record<StateChange['kind'], keyof Colors>;

function painted(change: StateChange, colors: Colors): string {
  return colors[COLORS[change.kind]](printable(describeChange(change)).replaceAll('\n', ' '));
}

function paintedLine(line: string, colors: Colors): string {
  const end = line.endsWith('\r') ? '\r' : '';
  const shown = printable(line.slice(0, line.length - end.length));
  if (line.startsWith('+')) return colors.green(shown) + end;
  if (line.startsWith('-')) return colors.red(shown) + end;
  return (line.startsWith('@@') ? colors.cyan(shown) : shown) + end;
}
