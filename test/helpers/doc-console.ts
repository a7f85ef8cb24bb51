/**
 * The `console` blocks of the documents: each `$ command` is run, in a folder that `doc-stores.ts` has
 * prepared, and what it prints is compared with what the block shows. Times, ages, digests and what
 * depends on the machine count as equal.
 */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { buildProgram } from '../../src/cli/program.js';
import { runInMemory } from './cli-run.js';
import type { Block } from './doc-blocks.js';

/** A command of a block, and the lines that are shown below it. */
export interface Shown {
  readonly line: number;
  readonly command: string;
  readonly lines: readonly string[];
}

/** The commands that a block shows. */
export function commandsOf({ text, line, place }: Block): Shown[] {
  const shown: { line: number; command: string; lines: string[] }[] = [];
  for (const [index, row] of text.replace(/\n$/, '').split('\n').entries()) {
    const last = shown.at(-1);
    if (row.startsWith('$ ')) {
      shown.push({ line: line + 1 + index, command: row.slice(2), lines: [] });
    } else if (last !== undefined) last.lines.push(row);
    else throw new Error(`${place}: output without a command: begin with "$ command"`);
  }
  return shown;
}

/** Runs the commands of a block in `folder`; every difference from what is shown. */
export async function consoleProblems(block: Block, folder: string): Promise<string[]> {
  const problems: string[] = [];
  for (const { command, line, lines } of commandsOf(block)) {
    const printed = await run(command, folder);
    const [expected, found] = [lines.join('\n'), printed].map((text) => stable(text, folder));
    if (expected === found) continue;
    problems.push(
      `${block.path}:${line}: $ ${command}\n--- shown\n${lines.join('\n')}\n--- printed\n${printed}\n--- compared\n${firstDifference(expected, found)}`,
    );
  }
  return problems;
}

function firstDifference(expected = '', found = ''): string {
  const [shown, printed] = [expected.split('\n'), found.split('\n')];
  const at = shown.findIndex((row, index) => row !== printed[index]);
  const index = at === -1 ? shown.length : at;
  return `< ${shown[index] ?? '(nothing)'}\n> ${printed[index] ?? '(nothing)'}`;
}

async function run(command: string, folder: string): Promise<string> {
  if (!command.startsWith('checkpoint-wal ')) {
    return execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: folder,
      encoding: 'utf8',
    }).replace(/\n$/, '');
  }
  const { exitCode, stdout, stderr } = await runInMemory(wordsOf(command).slice(1), {
    cwd: realpathSync(folder),
  });
  const ended = exitCode === 0 ? '' : `(exit code ${exitCode})`;
  return [stderr, stdout, ended]
    .map((text) => text.replace(/\n$/, ''))
    .filter(Boolean)
    .join('\n');
}

/** Whether the command line takes these arguments; why not, where it doesn't. Runs nothing. */
export async function parseProblem(command: string): Promise<string | undefined> {
  const program = buildProgram(async () => {});
  const quiet = { writeOut: () => {}, writeErr: () => {} };
  const all = [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ];
  for (const one of all) one.exitOverride().configureOutput(quiet);
  try {
    await program.parseAsync(wordsOf(command).slice(1), { from: 'user' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The words of a command, by the quoting that the documents use. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );
}

/** A text in which what changes from run to run, or from machine to machine, is the same. */
export function stable(text: string, folder: string): string {
  return text
    .replaceAll(realpathSync(folder), '/tmp/example')
    .replaceAll(folder, '/tmp/example')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/\b\d{8}T\d{6}-\d{3}Z/g, 'TIME')
    .replace(/just now|\d+ (second|minute)s? ago/g, 'AGE')
    .replace(/\b[0-9a-f]{8,}(?:…[0-9a-f]*)?|\b[0-9a-f]{4}…/g, 'HEX')
    .replace(/\b\d{1,3}(,\d{3})+\b/g, 'N')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, 'N $2')
    .replace(/ {2,}/g, ' ')
    .replace(/ +$/gm, '');
}
