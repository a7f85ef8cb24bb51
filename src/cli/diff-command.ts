/**
 * `diff A [B]`: what is different between two checkpoints, or a checkpoint and a file: paths added,
 * removed and changed, or line by line. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import { CheckpointError } from '../errors.js';
import { MAX_SEAL_BYTES, readSeal } from '../format/seal.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import { diffTexts } from '../store/state-diff.js';
import type { CliContext, Launch } from './context.js';
import { type NamedText, structuralText, unifiedText } from './difference-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory, SELECTOR_HELP } from './history-access.js';
import { readBytes } from './read-input.js';
import { unifiedDiff } from './unified-diff.js';

const EXAMPLES = `${SELECTOR_HELP} A file is named with a slash: ./plan.yaml

Examples:
  checkpoint-wal diff previous
  checkpoint-wal diff 3 7 --text
  checkpoint-wal diff current ./plan.yaml --exit-code
  checkpoint-wal diff label:reviewed ./edited.yaml --json`;

interface Options {
  readonly text?: boolean;
  readonly exitCode?: boolean;
}

/** Adds the command. */
export function addDiffCommand(program: Command, launch: Launch): Command {
  return program
    .command('diff')
    .summary('what is different between two checkpoints')
    .description(
      'Says what is different between two checkpoints: paths added (+), removed (-), changed (~) and ' +
        'moved (>). Items of lists are matched by what they are, not by where they stand. Reads only, ' +
        'takes no lock.',
    )
    .argument('<A>', 'the checkpoint or file before')
    .argument('[B]', 'the one after (default: current)', 'current')
    .option('--text', 'line by line, as diff -u does')
    .option('--exit-code', 'exit with 3 where they differ')
    .addHelpText('after', EXAMPLES)
    .action(async (a: string, b: string, options: Options, command: Command) => {
      await launch(command, (context) => diff(context, a, b, options));
    });
}

async function diff(
  context: CliContext,
  a: string,
  b: string,
  { text = false, exitCode = false }: Options,
): Promise<ExitCode> {
  const [before, after] = [await textOf(context, a), await textOf(context, b)];
  const changes = text ? undefined : diffTexts(before.text, after.text);
  if (changes === undefined && !text) {
    context.note('note: one of the two is no YAML, so they are compared line by line');
  }
  const same = before.text === after.text;
  const names = { from: before.name, to: after.name };
  const isByLine = changes === undefined;
  context.result(
    {
      before: before.name,
      after: after.name,
      same,
      ...(!text && { changes: changes ?? null }),
      ...(isByLine && { text: unifiedDiff(before.text, after.text, names) }),
    },
    isByLine
      ? unifiedText(before, after, context.colors)
      : structuralText(before, after, context.colors, changes),
  );
  const differ = isByLine ? !same : changes.length > 0;
  return exitCode && differ ? EXIT.findings : EXIT.ok;
}

async function textOf(context: CliContext, name: string): Promise<NamedText> {
  if (/[/\\]/.test(name) && !/^(label|before):/.test(name)) {
    return { name, text: await fileText(context, name) };
  }
  const access = await accessHistory(context);
  const { entry, text, edit } = access.read(access.select(name));
  const { sequence, label } = entry;
  if (edit !== undefined) return { name: 'current (edited)', text };
  // A label may hold line breaks, which must not look like lines of the diff.
  const suffix = label === undefined ? '' : ` (${label.replaceAll(/\s+/g, ' ')})`;
  return { name: `checkpoint ${sequence}${suffix}`, text };
}

/** The text in a file, without a seal. It need not be YAML: lines can be compared all the same. */
async function fileText(context: CliContext, name: string): Promise<string> {
  const reading = readSeal(
    await readBytes(context, name, DEFAULT_LIMITS.maxBytes + MAX_SEAL_BYTES),
  );
  if ('text' in reading) return reading.text;
  throw new CheckpointError(
    'INVALID_YAML',
    `${name} is not UTF-8 text: byte ${reading.offset} begins no character.`,
    { file: name, offset: reading.offset },
  );
}
