/**
 * `save [FILE|-]`: saves a whole edited file verbatim. The input is parsed before the store is opened,
 * so that a broken one touches nothing. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import { MAX_LABEL_BYTES } from '../format/wal-format.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { SaveResult } from '../store/store-options.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { readInput } from './read-input.js';
import { artifactProgress, artifactsRoot } from './verify-artifacts.js';
import { addWaitOption, type WaitOption } from './wait-for-lock.js';
import { type StoreOutcome, withStore } from './with-store.js';

const EXAMPLES = `
Examples:
  checkpoint-wal save plan.yaml
  checkpoint-wal save plan.yaml --label "after review" --pin
  checkpoint-wal save plan.yaml --artifact out/app.tar --artifact out/app.log
  generate-plan | checkpoint-wal save --dir state`;

/** Parsing this much takes about a second: then progress is shown from the start. */
const LARGE_TEXT = 500_000;

interface Options extends WaitOption {
  readonly label?: string;
  readonly pin?: boolean;
  readonly artifact?: readonly string[];
  readonly artifactsRoot?: string;
}

/** Adds the command. */
export function addSaveCommand(program: Command, launch: Launch): Command {
  const command = program
    .command('save')
    .summary('save a whole file, verbatim')
    .description(
      'Saves a whole YAML file verbatim, once it parses. Begins a store where there is none.',
    )
    .argument('[FILE]', 'the file to save; - or nothing: standard input')
    .option('--label <TEXT>', 'a short name for this checkpoint, kept in its seal')
    .option('--pin', 'keep this checkpoint in history for good; needs --label')
    .option(
      '--artifact <PATH>',
      'a file that belongs to this checkpoint, relative to the root; repeat it for each',
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option('--artifacts-root <DIR>', "where artifacts lie (default: the store's directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, options: Options, command: Command) => {
      await launch(command, (context) => save(context, file, options));
    });
  return addWaitOption(command);
}

async function save(
  context: CliContext,
  file: string | undefined,
  { label, pin: pinned, artifact: artifacts, artifactsRoot: asked, wait }: Options,
): Promise<ExitCode> {
  checkLabel(label);
  if (pinned && label === undefined) {
    throw new UsageError('--pin needs --label: a checkpoint that is kept for good has a name.');
  }
  const { text, name } = await readInput(context, file);
  const atOnce = text.length > LARGE_TEXT;
  await context.progress.during(`checking ${name}`, async () => parseYaml(text, { file: name }), {
    atOnce,
  });
  const { signal } = context.environment;
  const { words: doing, onProgress } = artifactProgress('saving');
  const root = artifactsRoot(context, asked);
  const outcome = await withStore(
    context,
    { mustExist: false, doing, atOnce, artifacts: { root, onProgress }, wait },
    async (store) => {
      const result = await store.saveText(text, { signal, label, pinned, artifacts });
      return { ...result, file: store.file };
    },
  );
  const facts = { ...(pinned && { pinned }), ...(artifacts && { artifacts: artifacts.length }) };
  return printSaved(context, outcome, facts);
}

/** @throws UsageError for a label that a log can't hold */
export function checkLabel(label: string | undefined): void {
  if (label === undefined) return;
  const bytes = new TextEncoder().encode(label).length;
  if (bytes <= MAX_LABEL_BYTES) return;
  throw new UsageError(`--label has ${bytes} bytes; at most ${MAX_LABEL_BYTES} are kept.`);
}

/** Tells of a save that was committed. */
export function printSaved(
  context: CliContext,
  { value, recovery, exitCode }: StoreOutcome<SaveResult & { readonly file: string }>,
  facts: Readonly<Record<string, unknown>>,
): ExitCode {
  const { sequence, durability, file } = value;
  const data = {
    sequence,
    durability,
    file,
    ...facts,
    ...(recovery.clean ? {} : { recovery }),
  };
  const done = context.colors.green('saved');
  context.result(data, `${done} checkpoint ${sequence} in ${file}\n`);
  return exitCode;
}
