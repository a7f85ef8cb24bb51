/**
 * `show CHECKPOINT`: the text of one checkpoint, byte for byte and verified, without its seal.
 * Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory, SELECTOR_HELP } from './history-access.js';

const EXAMPLES = `${SELECTOR_HELP}

Examples:
  checkpoint-wal show 12
  checkpoint-wal show previous > before.yaml
  checkpoint-wal show label:reviewed --json`;

/** Adds the command. */
export function addShowCommand(program: Command, launch: Launch): Command {
  return program
    .command('show')
    .summary('print the text of one checkpoint')
    .description(
      'Prints the text of one checkpoint, verified, byte for byte and without its seal. Reads only, ' +
        'takes no lock.',
    )
    .argument('<CHECKPOINT>', 'number, label, previous or current')
    .addHelpText('after', EXAMPLES)
    .action(async (selector: string, _options: unknown, command: Command) => {
      await launch(command, (context) => show(context, selector));
    });
}

async function show(context: CliContext, selector: string): Promise<ExitCode> {
  const access = accessHistory(context);
  const { entry, text, artifacts } = access.read(access.select(selector).sequence);
  const { timeMs, artifacts: _, ...facts } = entry;
  const time = new Date(timeMs).toISOString();
  context.result({ ...facts, time, artifacts, text }, text);
  return EXIT.ok;
}
