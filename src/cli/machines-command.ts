/**
 * `machines [NAME]`: the statecharts of this package, as a list, a picture, Mermaid text, or data that
 * XState's tools take. Documented in `docs/cli.md` and `docs/inspecting.md`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { CheckpointError } from '../errors.js';
import { definitionOf, summaryOf } from '../inspector/machine-definition.js';
import { type Diagram, machineDiagrams } from '../inspector/machine-diagrams.js';
import { toMermaid } from '../inspector/machine-graph-mermaid.js';
import { readDrawings } from '../inspector/node-drawings.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { toJson } from './json.js';

type Format = 'svg' | 'mermaid' | 'json';

interface MachinesFlags {
  readonly format?: Format;
  readonly out?: string;
}

const EXAMPLES = `
Examples:
  checkpoint-wal machines
  checkpoint-wal machines write
  checkpoint-wal machines recovery --format svg > recovery.svg
  checkpoint-wal machines --format json --out statecharts`;

const endings: Readonly<Record<Format, string>> = { svg: 'svg', mermaid: 'mmd', json: 'json' };

/** Adds the command. */
export function addMachinesCommand(program: Command, launch: Launch): Command {
  return program
    .command('machines')
    .summary('print the statecharts that decide')
    .description(
      'Lists the statecharts of this package, or prints one: as Mermaid text, as a picture, or as the ' +
        'JSON that XState and its tools take. With --out: writes them as files. Touches no store.',
    )
    .argument('[NAME]', 'the name of a machine; by default all')
    .addOption(
      new Option('--format <FORMAT>', 'how; mermaid unless given').choices([
        'svg',
        'mermaid',
        'json',
      ]),
    )
    .option('--out <DIR>', 'write one file for each machine into this directory')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, flags: MachinesFlags, command: Command) => {
      await launch(command, async (context) => machines(context, name, flags));
    });
}

function machines(
  context: CliContext,
  name: string | undefined,
  { format, out }: MachinesFlags,
): ExitCode {
  const diagrams = chosen(name);
  if (out !== undefined) return write(context, diagrams, format ?? 'mermaid', out);
  if (name === undefined && format === undefined) return list(context, diagrams);
  return print(context, diagrams, format ?? 'mermaid');
}

function chosen(name: string | undefined): Diagram[] {
  const all = machineDiagrams();
  const found = name === undefined ? all : all.filter((diagram) => diagram.name === name);
  if (found.length > 0) return found;
  const names = all.map((diagram) => diagram.name).join(', ');
  throw new UsageError(`There is no machine ${JSON.stringify(name)}.`, `There are: ${names}`);
}

function list({ result, colors }: CliContext, diagrams: readonly Diagram[]): ExitCode {
  const summaries = diagrams.map(({ name, title, machine }) => ({
    name,
    title,
    ...summaryOf(machine),
  }));
  const lines = summaries.map(({ name, states, transitions, title }) => {
    const counts = `${String(states).padStart(3)} states  ${String(transitions).padStart(3)} transitions`;
    return `${colors.bold(name.padEnd(10))}  ${counts}  ${title}\n`;
  });
  result({ machines: summaries }, lines.join(''));
  return EXIT.ok;
}

function print({ result }: CliContext, diagrams: readonly Diagram[], format: Format): ExitCode {
  const [first, ...others] = diagrams;
  if (format === 'svg' && others.length > 0) {
    throw new UsageError(
      'A picture shows one machine.',
      'Name it: checkpoint-wal machines write --format svg; or write all of them with --out',
    );
  }
  const texts = diagrams.map((diagram) => render(diagram, format));
  if (format !== 'json') {
    const named = diagrams.map(({ name }, index) => ({ name, format, text: texts[index] }));
    result(others.length === 0 ? named[0] : { machines: named }, texts.join('\n'));
    return EXIT.ok;
  }
  const definitions = diagrams.map(({ machine }) => definitionOf(machine));
  const data = others.length === 0 && first ? definitions[0] : { machines: definitions };
  result(data, toJson(data));
  return EXIT.ok;
}

function write(
  { result, environment, colors }: CliContext,
  diagrams: readonly Diagram[],
  format: Format,
  out: string,
): ExitCode {
  if (out === '') throw new UsageError('--out needs the name of a directory.');
  const directory = resolve(environment.cwd, out);
  const files = diagrams.map((diagram) => ({
    path: join(directory, `${diagram.name}.${endings[format]}`),
    text: render(diagram, format),
  }));
  try {
    mkdirSync(directory, { recursive: true });
    for (const { path, text } of files) writeFileSync(path, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `The statecharts can't be written into ${directory}: ${why}.`;
    throw new CheckpointError('WRITE_FAILED', message, { file: directory }, { cause: error });
  }
  const paths = files.map(({ path }) => path);
  result(
    { format, files: paths },
    paths.map((path) => `${colors.dim('wrote')} ${path}\n`).join(''),
  );
  return EXIT.ok;
}

function render(diagram: Diagram, format: Format): string {
  if (format === 'mermaid') return toMermaid(diagram);
  if (format === 'json') return toJson(definitionOf(diagram.machine));
  const drawing = readDrawings().find(({ name }) => name === diagram.name);
  if (drawing === undefined) throw new Error(`the ${diagram.name} machine is not drawn`);
  return drawing.svg;
}
