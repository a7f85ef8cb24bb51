/**
 * `list`: the stores in the folders right below one, as their files tell without being opened. Reads only
 * the end of each file, without locks. Documented in `docs/cli.md`.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CheckpointError } from '../errors.js';
import { listCheckpointStores, type StoreSummary } from '../store/list-stores.js';
import { CommandError } from './cli-error.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { age, count, grouped, printable, shortened } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal list workflows
  checkpoint-wal list workflows --json
  checkpoint-wal list . --file state.yaml`;

/** Adds the command. */
export function addListCommand(program: Command, launch: Launch): Command {
  return program
    .command('list')
    .summary('the stores in the folders below one')
    .description(
      'Lists the stores in the folders right below ROOT: number, age, size, label, who has it open, ' +
        'and whether a crash left a log. Reads the end of each file only, takes no lock.',
    )
    .argument('<ROOT>', 'the folder whose folders are stores')
    .addHelpText('after', EXAMPLES)
    .action(async (root: string, _options: unknown, command: Command) => {
      await launch(command, (context) => list(context, root));
    });
}

async function list(context: CliContext, root: string): Promise<ExitCode> {
  const { environment, file, progress } = context;
  const folder = resolve(environment.cwd, root);
  const found: StoreSummary[] = [];
  const words = () => `looking at stores: ${grouped(found.length)}`;
  await progress.during(words, async () => {
    try {
      for await (const store of listCheckpointStores(folder, { file })) {
        found.push(store);
        environment.signal.throwIfAborted();
      }
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== 'NO_STORE') throw error;
      throw new CommandError(error, { hint: 'Name the folder whose folders are stores.' });
    }
  });
  context.result({ root: folder, stores: found.map(toData) }, textOf(found, context.colors));
  return found.some(needsLook) ? EXIT.findings : EXIT.ok;
}

function needsLook({ problem, isLogWaiting }: StoreSummary): boolean {
  return problem !== undefined || isLogWaiting;
}

function toData({ timeMs, holder, isLogWaiting, ...facts }: StoreSummary): Record<string, unknown> {
  return {
    ...facts,
    ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
    lock: holder === undefined ? { held: false } : { held: true, holder },
    logWaiting: isLogWaiting,
  };
}

/** Characters of a label, and of a name, in a row. */
const LABEL_WIDTH = 40;
const NAME_WIDTH = 60;

function textOf(stores: readonly StoreSummary[], colors: Colors): string {
  if (stores.length === 0) return 'no stores\n';
  const nowMs = Date.now();
  const starts = stores.map(({ name, sequence, timeMs, size }) => [
    shortened(name, NAME_WIDTH),
    sequence === undefined ? '-' : String(sequence),
    timeMs === undefined ? '-' : age(nowMs - timeMs),
    size === undefined ? '-' : `${grouped(size)} B`,
  ]);
  const widths = [0, 1, 2, 3].map((at) =>
    starts.reduce((widest, cells) => Math.max(widest, cells[at]?.length ?? 0), 0),
  );
  const lines = stores.map((store, index) => {
    const start = (starts[index] ?? []).map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
    const line = printable(`${start}  ${marksOf(store)}`.trimEnd()).replaceAll('\n', ' ');
    if (store.problem !== undefined) return colors.red(line);
    return store.isLogWaiting ? colors.yellow(line) : line;
  });
  const looks = stores.filter(needsLook).length;
  const note = looks === 0 ? '' : `, ${grouped(looks)} to look at`;
  return `${[...lines, `${count(stores.length, 'store')}${note}`].join('\n')}\n`;
}

function marksOf({ label, holder, isLogWaiting, problem }: StoreSummary): string {
  return [
    ...(label === undefined ? [] : [`"${shortened(label, LABEL_WIDTH)}"`]),
    ...(holder === undefined ? [] : [`open in process ${holder.pid}`]),
    ...(isLogWaiting ? ['a log waits for recovery'] : []),
    ...(problem === undefined ? [] : [`${problem.code}: ${problem.message}`]),
  ].join(', ');
}
