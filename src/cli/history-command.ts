/**
 * `history`: the timeline of a store, newest first: number, age, label, size, what changed, and whether
 * it verifies. Reads only what it shows, without the lock. Documented in `docs/cli.md`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { HistoryEntry } from '../store/history.js';
import { diffStates, summarize } from '../store/state-diff.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory, type HistoryAccess } from './history-access.js';
import { age, count, grouped, printable, shortened } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal history
  checkpoint-wal history --limit 5 --json
  checkpoint-wal history --all`;

const LIMIT = 20;

interface Options {
  readonly limit: number;
  readonly all?: boolean;
}

/** Adds the command. */
export function addHistoryCommand(program: Command, launch: Launch): Command {
  return program
    .command('history')
    .summary('the timeline: number, age, label, size, what changed')
    .description(
      'Lists the checkpoints of a store, newest first, with what each changed and whether it verifies. ' +
        'Reads only, takes no lock.',
    )
    .option('--limit <N>', 'how many to show', positive, LIMIT)
    .option('--all', 'show all of them')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      await launch(command, (context) => history(context, options));
    });
}

/** One row of the timeline. */
interface Row {
  readonly entry: HistoryEntry;
  /** What is different from the one before; absent of the oldest, and where one of the two is damaged. */
  readonly changes?: { readonly count: number; readonly summary: string; readonly since: number };
  /** Why the current one is no checkpoint yet. */
  readonly edit?: Problem;
  /** Why it can't be had any more. */
  readonly damage?: Problem;
}

async function history(context: CliContext, { limit, all }: Options): Promise<ExitCode> {
  const access = await accessHistory(context);
  const { total } = access;
  const shown = all === true ? total : Math.min(limit, total);
  let done = 0;
  const words = () => `reading checkpoints: ${grouped(done)} of ${shown}`;
  const rows = await context.progress.during(words, () =>
    readRows(access, shown, context.environment.signal, () => {
      done += 1;
    }),
  );
  context.result({ entries: total, shown: rows.map(toData) }, textOf(rows, total, context.colors));
  return rows.some(({ damage }) => damage !== undefined) ? EXIT.corrupt : EXIT.ok;
}

/** What the next row is compared with. */
interface Before {
  readonly sequence: number;
  readonly text: string;
  readonly value: YamlValue;
}

/**
 * Newest first. Each checkpoint is read and parsed once, and only two are in memory at a time; timers and
 * signals have their turn in between.
 */
async function readRows(
  access: HistoryAccess,
  shown: number,
  signal: AbortSignal,
  onRead: () => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  let before: Before | undefined;
  for (const entry of access.list(shown + 1)) {
    const { row, now } = readRow(access, entry, before);
    // Pruned since it was listed: it is no longer there to be shown.
    if (row !== undefined) rows.push(row);
    before = now;
    onRead();
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return rows.slice(-shown).reverse();
}

function readRow(
  access: HistoryAccess,
  entry: HistoryEntry,
  before: Before | undefined,
): { readonly row?: Row; readonly now?: Before } {
  try {
    const { text, edit } = access.read(entry);
    const isSame = text === before?.text;
    const value = isSame ? before.value : parseYaml(text, { file: entry.file }).value;
    const now = { sequence: entry.sequence, text, value };
    const changes = before && { changes: changesSince(before, now) };
    return { row: { entry, ...changes, ...(edit && { edit }) }, now };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.code === 'NOT_IN_HISTORY' ? {} : { row: { entry, damage: toProblem(error) } };
  }
}

function changesSince(before: Before, now: Before): NonNullable<Row['changes']> {
  const changes = diffStates(before.value, now.value);
  const layout = before.text === now.text ? 'the same text' : 'comments or layout only';
  const summary = changes.length === 0 ? layout : summarize(changes);
  return { count: changes.length, summary, since: before.sequence };
}

function toData({ entry, changes, edit, damage }: Row): Record<string, unknown> {
  const { timeMs, problem: _problem, ...facts } = entry;
  const problem = damage ?? edit;
  return {
    ...facts,
    time: new Date(timeMs).toISOString(),
    verified: problem === undefined,
    ...(problem && { problem }),
    ...(changes && { changes: changes.count, summary: changes.summary, since: changes.since }),
  };
}

function textOf(rows: readonly Row[], total: number, colors: CliContext['colors']): string {
  const nowMs = Date.now();
  const starts = rows.map(({ entry: { sequence, current, timeMs, size } }) => [
    `${sequence}${current ? ' *' : ''}`,
    age(nowMs - timeMs),
    `${grouped(size)} B`,
  ]);
  const widths = [0, 1, 2].map((at) =>
    starts.reduce((widest, cells) => Math.max(widest, cells[at]?.length ?? 0), 0),
  );
  const lines = rows.map((row, index) => {
    const start = (starts[index] ?? []).map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
    const end = [marksOf(row.entry), whatOf(row)].filter((part) => part !== '').join('  ');
    const line = printable(`${start}  ${end}`.trimEnd()).replaceAll('\n', ' ');
    if (row.damage !== undefined) return colors.red(line);
    return row.edit === undefined ? line : colors.yellow(line);
  });
  const left = total - rows.length;
  const more = left > 0 ? [`… ${count(left, 'earlier one')}: --all shows them`] : [];
  return `${[...lines, ...more].join('\n')}\n`;
}

/** Characters of a label in a row. */
const LABEL_WIDTH = 40;

function marksOf({ label, pinned, artifacts }: HistoryEntry): string {
  return [
    ...(label === undefined ? [] : [`"${shortened(label, LABEL_WIDTH)}"`]),
    ...(pinned ? ['pinned'] : []),
    ...(artifacts > 0 ? [count(artifacts, 'artifact')] : []),
  ].join(', ');
}

function whatOf({ entry, changes, edit, damage }: Row): string {
  if (damage !== undefined) return `DAMAGED: ${damage.message}`;
  const isGap = changes !== undefined && edit === undefined && changes.since < entry.sequence - 1;
  const since = isGap ? `since ${changes.since}: ` : '';
  const what = changes === undefined ? '' : `${since}${changes.summary}`;
  return edit === undefined ? what : `EDITED, not saved yet: ${what || edit.message}`;
}

function positive(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It has to be an integer above 0.');
}
