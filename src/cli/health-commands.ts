/**
 * `mark-healthy` and `reset`: what the failure detector is to forget. Both work without opening the
 * store, so also where opening is refused. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import type { ChangedHealth } from '../store/change-health.js';
import { changeHealth } from '../store/change-health.js';
import { inspectStore } from '../store/inspect-store.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { count } from './words.js';

/** Adds `mark-healthy`. */
export function addMarkHealthyCommand(program: Command, launch: Launch): Command {
  return program
    .command('mark-healthy')
    .summary('forget the failures that were counted')
    .description(
      'Says that all is well: failures and automatic restores are forgotten, and a failure detector ' +
        'that had stopped starts again. Checkpoints that were marked as bad stay marked, but for the ' +
        'current one.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  checkpoint-wal mark-healthy\n  checkpoint-wal mark-healthy --dir state --json',
    )
    .action(async (_options: unknown, command: Command) => {
      await launch(command, (context) => change(context, 'healthy'));
    });
}

/** Adds `reset`. */
export function addResetCommand(program: Command, launch: Launch): Command {
  return program
    .command('reset')
    .summary('forget all that the failure detector remembers')
    .description(
      'Forgets failures, automatic restores and bad checkpoints: the next start begins anew. For a ' +
        'store that is refused with RESTORES_EXHAUSTED, once the cause is found. The checkpoint, its ' +
        'history and quarantine are not touched.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  checkpoint-wal reset\n  checkpoint-wal reset --dir state --json',
    )
    .action(async (_options: unknown, command: Command) => {
      await launch(command, (context) => change(context, 'reset'));
    });
}

async function change(context: CliContext, kind: 'healthy' | 'reset'): Promise<ExitCode> {
  const { directory, file } = context;
  // A store that is not there is not begun by this.
  await inspectStore({ directory, file });
  const changed = await changeHealth({ directory, file }, kind);
  context.result(changed, `${textOf(changed)}\n`);
  return EXIT.ok;
}

function textOf({ before, after }: ChangedHealth): string {
  const forgotten = [
    ...(before.failures.length > 0 ? [count(before.failures.length, 'failure')] : []),
    ...(before.attempt ? ['a run that was never ended'] : []),
    ...(before.restores > 0 ? [count(before.restores, 'automatic restore')] : []),
    ...(before.stopped ? ['that the detector had stopped'] : []),
    ...(before.bad.length > after.bad.length
      ? [count(before.bad.length - after.bad.length, 'bad checkpoint')]
      : []),
  ];
  const still =
    after.bad.length > 0
      ? ` Still not restored: ${after.bad.map(({ sequence }) => sequence).join(', ')}.`
      : '';
  return forgotten.length === 0
    ? `There was nothing to forget.${still}`
    : `Forgotten: ${forgotten.join(', ')}.${still}`;
}
