/**
 * `diff A [B]`: what is different between two checkpoints, or a checkpoint and a file: paths added,
 * removed and changed, or line by line. Documented in `docs/cli.md`.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { removeSealLines } from '../format/seal.js';
import { readError } from '../io/io-error.js';
import { diffTexts } from '../store/state-diff.js';
import type { CliContext, Launch } from './context.js';
import { type NamedText, structuralText, unifiedText } from './difference-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory, SELECTOR_HELP } from './history-access.js';

const EXAMPLES = `${SELECTOR_HELP} A file is named with a slash: ./plan.yaml

Examples:
  checkpoint-wal diff previous
  checkpoint-wal diff 3 7 --text
  checkpoint-wal diff label:reviewed ./edited.yaml --json`;

interface Options {
  readonly text?: boolean;
}

/** Adds the command. */
export function addDiffCommand(program: Command, launch: Launch): Command {
  return program
    .command('diff')
    .summary('what is different between two checkpoints')
    .description(
      'Says what is different between two checkpoints: paths added (+), removed (-) and changed (~). ' +
        'Items of lists are matched by what they are, not by where they stand. Reads only, takes no lock.',
    )
    .argument('<A>', 'the checkpoint or file before')
    .argument('[B]', 'the one after (default: current)', 'current')
    .option('--text', 'line by line, as diff -u does')
    .addHelpText('after', EXAMPLES)
    .action(async (a: string, b: string, options: Options, command: Command) => {
      await launch(command, (context) => diff(context, a, b, options));
    });
}

async function diff(
  context: CliContext,
  a: string,
  b: string,
  { text = false }: Options,
): Promise<ExitCode> {
  const [before, after] = [textOf(context, a), textOf(context, b)];
  const data = {
    before: before.name,
    after: after.name,
    same: before.text === after.text,
    ...(text
      ? { text: unifiedText(before, after, context.colors) }
      : { changes: diffTexts(before.text, after.text) ?? null }),
  };
  const told = text ? unifiedText : structuralText;
  context.result(data, told(before, after, context.colors));
  return EXIT.ok;
}

function textOf(context: CliContext, name: string): NamedText {
  if (/[/\\]/.test(name) && !/^(label|before):/.test(name)) {
    const path = resolve(context.environment.cwd, name);
    try {
      return { name, text: removeSealLines(readFileSync(path, 'utf8')) };
    } catch (error) {
      throw readError(error, path);
    }
  }
  const access = accessHistory(context);
  const { sequence, label } = access.select(name);
  const { text } = access.read(sequence);
  return {
    name: label === undefined ? `checkpoint ${sequence}` : `checkpoint ${sequence} (${label})`,
    text,
  };
}
