/**
 * `demo`: watch an orchestration survive a kill in each of the six states of the write protocol, and
 * one more during recovery. Prints what it finds on disk afterwards; a broken promise is exit code 1.
 */
import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliContext, Launch } from './context.js';
import type { DemoRow } from './demo-judge.js';
import { DEMO_ROUNDS } from './demo-plan.js';
import { prepareDemo, runDemo } from './demo-rounds.js';
import { EXIT, type ExitCode } from './exit-codes.js';

const EXAMPLES = `
Examples:
  checkpoint-wal demo
  checkpoint-wal demo --json`;

/** Adds the command. */
export function addDemoCommand(program: Command, launch: Launch): Command {
  return program
    .command('demo')
    .summary('kill a save in each of its states, and watch it recover')
    .description(
      'Copies an example orchestration to a temporary folder, starts a process that saves it, kills ' +
        'that process with SIGKILL on entering each of the six states of the write protocol and once ' +
        'during recovery, recovers, and prints what is on disk. --dir and --file have no influence.',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await launch(command, demo);
    });
}

async function demo(context: CliContext): Promise<ExitCode> {
  const { environment, progress } = context;
  const directory = await prepareDemo();
  context.note(`An example orchestration was saved in ${directory}`);
  const rows: DemoRow[] = [];
  const rounds = runDemo(directory, environment.signal);
  for (const [index, { killedIn }] of DEMO_ROUNDS.entries()) {
    const step = `[${index + 1}/${DEMO_ROUNDS.length}]`;
    const next = () => rounds.next();
    const { value } = await progress.during(`${step} killing in ${killedIn}`, next, {
      atOnce: true,
    });
    if (value === undefined) break;
    rows.push(value);
    context.note(`${step} killed on entering ${killedIn}, recovered in ${ms(value.recoveryMs)} ms`);
  }
  const failed = rows.filter(({ problems }) => problems.length > 0);
  const survived = failed.length === 0 && rows.length === DEMO_ROUNDS.length;
  context.result({ directory, survived, rows }, demoText(context, directory, rows, survived));
  return survived ? EXIT.ok : EXIT.error;
}

const HEADINGS = ['killed in', 'log found', 'decision', 'sequence', 'file', 'comments', 'ms'];

function demoText(
  context: CliContext,
  directory: string,
  rows: readonly DemoRow[],
  survived: boolean,
): string {
  const { bold, green, red, dim } = context.colors;
  const cells = rows.map(cellsOf);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const table = cells.map((row, index) => {
    const problems = rows[index]?.problems ?? [];
    const text = line(row);
    return problems.length === 0
      ? text
      : [red(text), ...problems.map((why) => `  ! ${why}`)].join('\n');
  });
  const outcome = survived
    ? green(
        `All ${rows.length} kills survived: the file was whole every time, and no promise was broken.`,
      )
    : red('A promise was broken: see the lines marked with !');
  const parts = [
    '',
    bold(line(HEADINGS)),
    ...table,
    '',
    outcome,
    '',
    ...explanation().map(dim),
    '',
  ];
  return [...parts, 'Try next, on the same folder:', ...nextCommands(context, directory), ''].join(
    '\n',
  );
}

function cellsOf(row: DemoRow): string[] {
  const { killedIn, log, decision, sequenceBefore, sequenceAfter, fileIntact } = row;
  return [
    killedIn === 'applyingWal' ? 'recovery: applyingWal' : killedIn,
    log,
    decision,
    `${sequenceBefore} -> ${sequenceAfter} (${row.state})`,
    fileIntact ? 'intact' : 'DAMAGED',
    row.commentsIntact ? 'intact' : 'CHANGED',
    ms(row.recoveryMs),
  ];
}

function ms(duration: number): string {
  return duration.toFixed(1);
}

function explanation(): string[] {
  return [
    'old: the save was not promised yet and is gone. new: recovery finished it.',
    'file: its seal (SHA-256) verifies. comments: every one is there, byte for byte.',
    'A killed process leaves what it wrote in the page cache; a power failure may not.',
  ];
}

function nextCommands({ environment }: CliContext, directory: string): string[] {
  const program = programName(environment.cwd);
  const store = `--dir ${directory}`;
  return [
    `  ${program} status ${store}`,
    `  ${program} verify ${store}`,
    `  ${program} get 'phases[0].agents' ${store}`,
    `  ${program} set workflow.status COMPLETE ${store}`,
    `  ${program} audit log --machine recovery ${store}`,
    `  ${program} inspect --open ${store}`,
    `  cat ${directory}/ORCHESTRATION.yaml`,
    `  ls -la ${directory} ${directory}/checkpoints`,
  ];
}

/** How this program was called: from a checkout by its path, else by its name. */
function programName(cwd: string): string {
  const script = process.argv[1] ?? '';
  const path = relative(cwd, resolve(cwd, script));
  const isInCheckout = path.endsWith('.js') && !path.startsWith('..') && !/node_modules/.test(path);
  return isInCheckout ? `node ${path}` : 'npx checkpoint-wal';
}
