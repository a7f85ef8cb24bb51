/**
 * `restore CHECKPOINT`: brings an earlier checkpoint back, as a save of its own. Shows first what will
 * change and asks, where somebody is there to answer. Documented in `docs/cli.md`.
 */
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import type { CheckpointSelector } from '../io/checkpoint-io.js';
import type { RestoreResult } from '../store/restore.js';
import { diffTexts } from '../store/state-diff.js';
import type { CheckpointStore } from '../store.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { structuralText } from './difference-text.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { SELECTOR_HELP, selectorIn } from './history-access.js';
import { artifactProgress, artifactsRoot } from './verify-artifacts.js';
import { addWaitOption, type WaitOption } from './wait-for-lock.js';
import { withStore } from './with-store.js';
import { count, section } from './words.js';

const EXAMPLES = `${SELECTOR_HELP}

Examples:
  checkpoint-wal restore previous --dry-run
  checkpoint-wal restore 12 --yes
  checkpoint-wal restore label:reviewed --allow-missing-artifacts --json`;

interface Options extends WaitOption {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly allowMissingArtifacts?: boolean;
  readonly artifactsRoot?: string;
}

/** Adds the command. */
export function addRestoreCommand(program: Command, launch: Launch): Command {
  const command = program
    .command('restore')
    .summary('bring an earlier checkpoint back')
    .description(
      'Brings an earlier checkpoint back, verified, as a save of its own: it can be undone, for what it ' +
        'replaces is in history. Says what will change, and asks first on a terminal. Works also while ' +
        'the file is missing, empty or damaged.',
    )
    .argument('<CHECKPOINT>', 'number, label, previous, or before:TIME')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would change')
    .option('--allow-missing-artifacts', 'also if artifacts that it names are missing or changed')
    .option('--artifacts-root <DIR>', 'the directory that artifacts lie in (default: the store)')
    .addHelpText('after', EXAMPLES)
    .action(async (selector: string, options: Options, command: Command) => {
      await launch(command, (context) => restore(context, selector, options));
    });
  return addWaitOption(command);
}

async function restore(context: CliContext, text: string, options: Options): Promise<ExitCode> {
  const selector = selectorIn(text);
  const root = artifactsRoot(context, options.artifactsRoot);
  const { words: doing, onProgress } = artifactProgress('restoring');
  const { wait } = options;
  const settings = { mustExist: true, doing, artifacts: { root, onProgress }, wait };
  const { value, exitCode } = await withStore(context, settings, async (store) => {
    const before = store.text ?? '';
    const plan = await store.restore(withCall(selector, { dryRun: true }));
    const wrong = plan.artifacts.filter(({ state }) => state !== 'intact');
    // Refused here with its code, before anybody is asked.
    if (options.dryRun !== true && wrong.length > 0 && options.allowMissingArtifacts !== true) {
      return { plan: await store.restore(selector), before, restored: undefined };
    }
    const isAgreed = options.dryRun === true ? false : await agree(context, store, plan, options);
    if (!isAgreed) return { plan, before, restored: undefined };
    const { allowMissingArtifacts } = options;
    const restored = await store.restore(withCall(selector, { allowMissingArtifacts }));
    return { plan, before, restored };
  });
  const { plan, before, restored } = value;
  const { text: after, artifacts, from } = plan;
  const data = {
    from: from.sequence,
    label: from.label ?? null,
    sequence: restored?.sequence ?? null,
    dryRun: options.dryRun === true,
    changes: diffTexts(before, after) ?? null,
    artifacts,
  };
  context.result(data, told(context, { plan, before, restored }, options));
  return restored === undefined && options.dryRun !== true ? EXIT.error : exitCode;
}

function told(
  context: CliContext,
  {
    plan,
    before,
    restored,
  }: { plan: RestoreResult; before: string; restored: RestoreResult | undefined },
  { dryRun }: Options,
): string {
  const { sequence } = plan.from;
  if (restored !== undefined) {
    const now = restored.sequence ?? sequence;
    const done = context.colors.green('restored');
    return now === sequence
      ? `Checkpoint ${sequence} is the current one already: nothing had to be done.\n`
      : `${done} checkpoint ${sequence}, as checkpoint ${now}\n`;
  }
  if (dryRun === true) return changesText(context, plan, before, 'would');
  return 'Nothing was changed.\n';
}

function changesText(
  context: CliContext,
  { from, text, artifacts }: RestoreResult,
  before: string,
  mood: 'will' | 'would',
): string {
  const wrong = artifacts.filter(({ state }) => state !== 'intact');
  const named = [
    { name: 'current', text: before },
    { name: `checkpoint ${from.sequence}`, text },
  ] as const;
  const label = from.label === undefined ? '' : ` (${from.label})`;
  return [
    `Checkpoint ${from.sequence}${label} ${mood} be restored. This changes:\n`,
    structuralText(named[0], named[1], context.colors),
    section(
      `${count(wrong.length, 'artifact')} that it names ${wrong.length === 1 ? 'is' : 'are'} not as recorded:`,
      wrong.map(({ path, state, reason }) => `${path}: ${state}${reason ? `, ${reason}` : ''}`),
    ),
  ].join('');
}

/** Asks where there is a terminal; elsewhere `--yes` has to be given. */
async function agree(
  context: CliContext,
  store: CheckpointStore,
  plan: RestoreResult,
  { yes }: Options,
): Promise<boolean> {
  if (yes === true || plan.from.current) return true;
  const { stdin, stderr, signal } = context.environment;
  if (context.json || stdin.isTTY !== true) {
    throw new UsageError(
      'Nobody is there to be asked: add --yes, or --dry-run to see what would change.',
    );
  }
  context.note(changesText(context, plan, store.text ?? '', 'will').trimEnd());
  return await confirm('Restore it? [y/N] ', stdin, stderr, signal);
}

async function confirm(
  question: string,
  input: Readable,
  output: Writable,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = createInterface({ input, output });
  try {
    const answer = await lines.question(question, { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}

function withCall(
  selector: CheckpointSelector,
  call: { readonly dryRun?: boolean; readonly allowMissingArtifacts?: boolean | undefined },
) {
  if (selector === 'previous') return { previous: true as const, ...call };
  if (selector === 'current') throw new UsageError('The current checkpoint needs no restoring.');
  return { ...selector, ...call };
}
