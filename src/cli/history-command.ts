/**
 * `history`: the timeline of a store, newest first: number, age, label, size, what changed, and whether
 * it verifies. Reads only what it shows, without the lock. Documented in `docs/cli.md`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import type { HistoryEntry } from '../store/history.js';
import { diffTexts, type StateChange, summarize } from '../store/state-diff.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory, type HistoryAccess } from './history-access.js';
import { age, count, printable } from './words.js';

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

/** One row. */
interface Row {
  readonly entry: HistoryEntry;
  /** What it changed against the one before; absent of the oldest, and where one does not verify. */
  readonly changes?: readonly StateChange[];
  readonly problem?: Problem;
}

async function history(context: CliContext, { limit, all }: Options): Promise<ExitCode> {
  const access = accessHistory(context);
  const { entries } = access;
  const shown = all === true ? entries.length : Math.min(limit, entries.length);
  const rows = await context.progress.during(`reading ${count(shown, 'checkpoint')}`, () =>
    readRows(access, shown),
  );
  const bad = rows.filter(({ problem }) => problem !== undefined).length;
  context.result(
    { entries: entries.length, shown: rows.map(toData) },
    textOf(rows, entries.length, context.colors),
  );
  return bad > 0 ? EXIT.findings : EXIT.ok;
}

/** Newest first. Each text is read once; timers have their turn between two. */
async function readRows({ entries, read }: HistoryAccess, shown: number): Promise<Row[]> {
  const wanted = entries.slice(-shown - 1);
  const texts: (string | Problem)[] = [];
  for (const { sequence } of wanted) {
    texts.push(textOrProblem(() => read(sequence).text));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const rows = wanted.map((entry, index): Row => {
    const [before, now] = [texts[index - 1], texts[index]];
    const problem = typeof now === 'object' ? { problem: now } : {};
    if (typeof before !== 'string' || typeof now !== 'string') return { entry, ...problem };
    const changes = diffTexts(before, now);
    return { entry, ...problem, ...(changes && { changes }) };
  });
  return rows.slice(-shown).reverse();
}

function textOrProblem(read: () => string): string | Problem {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return toProblem(error);
  }
}

function toData({ entry, changes, problem }: Row): Record<string, unknown> {
  const { timeMs, ...facts } = entry;
  return {
    ...facts,
    time: new Date(timeMs).toISOString(),
    verified: problem === undefined,
    ...(problem && { problem }),
    ...(changes && { changes: changes.length, summary: summarize(changes) }),
  };
}

function textOf(rows: readonly Row[], total: number, colors: CliContext['colors']): string {
  const nowMs = Date.now();
  const cells = rows.map(({ entry, changes, problem }) => {
    const { sequence, timeMs, size, label, pinned, artifacts, current } = entry;
    const marks = [
      ...(label === undefined ? [] : [`"${label}"`]),
      ...(pinned ? ['pinned'] : []),
      ...(artifacts > 0 ? [count(artifacts, 'artifact')] : []),
    ].join(', ');
    const changed = changes === undefined ? '' : summarize(changes);
    const what = problem === undefined ? changed : `DAMAGED: ${problem.message}`;
    const cells = [
      `${sequence}${current ? ' *' : ''}`,
      age(nowMs - timeMs),
      `${size.toLocaleString('en')} B`,
    ];
    return { cells, marks, what, isBad: problem !== undefined };
  });
  const widths = [0, 1, 2].map((at) => Math.max(...cells.map((row) => row.cells[at]?.length ?? 0)));
  const lines = cells.map(({ cells: row, marks, what, isBad }) => {
    const start = row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
    const end = [marks, what].filter((part) => part !== '').join('  ');
    const line = printable(`${start}  ${end}`.trimEnd()).replaceAll('\n', ' ');
    return isBad ? colors.red(line) : line;
  });
  const left = total - rows.length;
  const more = left > 0 ? [`… ${count(left, 'earlier one')}: --all shows them`] : [];
  return `${[...lines, ...more].join('\n')}\n`;
}

function positive(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It has to be an integer above 0.');
}
