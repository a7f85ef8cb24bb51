/**
 * The `console` blocks of the documents: each `$ command` is run, in a folder that `doc-stores.ts` has
 * prepared, and what it prints is compared with what the block shows. Times, ages, digests and what
 * depends on the machine count as equal. `DOCS_WRITE=1` puts what is printed into the documents.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { buildProgram } from '../../src/cli/program.js';
import { runInMemory } from './cli-run.js';
import type { Block } from './doc-blocks.js';
import { commandFolder } from './doc-folder.js';

/** A command of a block, and the lines that are shown below it. */
export interface Shown {
  readonly line: number;
  readonly command: string;
  readonly lines: readonly string[];
}

/** The commands that a block shows. */
export function commandsOf({ text, line, place, marker }: Block): Shown[] {
  const shown: { line: number; command: string; lines: string[] }[] = [];
  for (const [index, row] of text.replace(/\n$/, '').split('\n').entries()) {
    const last = shown.at(-1);
    if (row.startsWith('$ ')) {
      shown.push({ line: line + 1 + index, command: row.slice(2), lines: [] });
    } else if (last !== undefined) last.lines.push(row);
    else if (marker?.kind !== 'sample') {
      throw new Error(`${place}: output without a command: begin with "$ command"`);
    }
  }
  return shown;
}

/** A command that prints something else than its block shows. */
export interface Difference {
  readonly path: string;
  /** The line of the command, from 1; what is shown stands below it. */
  readonly line: number;
  readonly shown: readonly string[];
  /** What it prints, in the words of the documents. */
  readonly printed: string;
  readonly message: string;
}

/** Runs the commands of a block in `folder`; every difference from what is shown. */
export async function differencesOf(block: Block, folder: string): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const { command, line, lines } of commandsOf(block)) {
    const printed = (await run(command, folder))
      .replaceAll(realpathSync(folder), '/tmp/example')
      .replaceAll(folder, '/tmp/example');
    const [expected, found] = [stable(lines.join('\n')), stable(printed)];
    if (expected === found) continue;
    const message = `${block.path}:${line}: $ ${command}\n${firstDifference(expected, found)}`;
    differences.push({ path: block.path, line, shown: lines, printed, message });
  }
  return differences;
}

/** Puts what is printed into the documents. */
export function writePrinted(differences: readonly Difference[]): void {
  const bottomUp = [...differences].sort((a, b) => b.line - a.line);
  for (const { path, line, shown, printed } of bottomUp) {
    const file = new URL(`../../${path}`, import.meta.url);
    const lines = readFileSync(file, 'utf8').split('\n');
    lines.splice(
      line,
      shown.length,
      ...(printed === '' ? [] : printed.replace(/ +$/gm, '').split('\n')),
    );
    writeFileSync(file, lines.join('\n'));
  }
}

function firstDifference(expected: string, found: string): string {
  const [shown, printed] = [expected.split('\n'), found.split('\n')];
  const at = shown.findIndex((row, index) => row !== printed[index]);
  const index = at === -1 ? shown.length : at;
  return `  shown:   ${shown[index] ?? '(nothing)'}\n  printed: ${printed[index] ?? '(nothing)'}`;
}

async function run(command: string, folder: string): Promise<string> {
  if (!command.startsWith('checkpoint-wal ')) {
    const env = { ...process.env, PATH: `${commandFolder()}:${process.env.PATH}`, NO_COLOR: '1' };
    const options = { cwd: folder, encoding: 'utf8', env } as const;
    const shell = ['-euo', 'pipefail', '-c', `{ ${command}; } 2>&1`];
    const { status, stdout } = spawnSync('bash', shell, options);
    const ended = status === 0 ? '' : `(exit code ${status})`;
    return [stdout.replace(/\n$/, ''), ended].filter(Boolean).join('\n');
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
  const program = await buildProgram(async () => {});
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
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );
}

/** A text in which what changes from run to run, or from machine to machine, is the same. */
function stable(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/\b\d{8}T\d{6}-\d{3}Z/g, 'TIME')
    .replace(/just now|\d+ (second|minute)s? ago/g, 'AGE')
    .replace(/\b[0-9a-f]{8,}(?:…[0-9a-f]*)?|\b[0-9a-f]{4}…/g, 'HEX')
    .replace(/\b\d{1,3}(,\d{3})+\b/g, 'N')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, 'N $2')
    .replace(/ {2,}/g, ' ')
    .replace(/ +$/gm, '');
}
