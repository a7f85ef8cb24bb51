/**
 * A difference between two texts as people read it: by path, or line by line.
 */
import { createTwoFilesPatch } from 'diff';
import { describeChange, diffTexts, type StateChange } from '../store/state-diff.js';
import type { Colors } from './context.js';
import { printable } from './words.js';

/** A text and what it is called. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Paths added, removed and changed, a line each; says so where only the layout differs. */
export function structuralText(before: NamedText, after: NamedText, colors: Colors): string {
  if (before.text === after.text) return 'The two are the same, byte for byte.\n';
  const changes = diffTexts(before.text, after.text);
  if (changes === undefined) return unifiedText(before, after, colors);
  if (changes.length === 0)
    return 'The states are equal; comments or layout differ (see --text).\n';
  return changes.map((change) => `${painted(change, colors)}\n`).join('');
}

/** A unified diff, as `diff -u` prints it. */
export function unifiedText(before: NamedText, after: NamedText, colors: Colors): string {
  if (before.text === after.text) return '';
  const patch = createTwoFilesPatch(before.name, after.name, before.text, after.text);
  const lines = patch.split('\n').filter((line) => !line.startsWith('======'));
  return lines.map((line) => paintedLine(printable(line), colors)).join('\n');
}

function painted(change: StateChange, colors: Colors): string {
  const line = printable(describeChange(change)).replaceAll('\n', ' ');
  if (change.kind === 'added') return colors.green(line);
  return change.kind === 'removed' ? colors.red(line) : `~ ${line}`;
}

function paintedLine(line: string, colors: Colors): string {
  if (line.startsWith('+++') || line.startsWith('---')) return colors.bold(line);
  if (line.startsWith('+')) return colors.green(line);
  if (line.startsWith('-')) return colors.red(line);
  return line.startsWith('@@') ? colors.cyan(line) : line;
}
