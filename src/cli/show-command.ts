/**
 * `show CHECKPOINT`: the text of one checkpoint, byte for byte and without its seal; verified, or said
 * not to be. Documented in `docs/cli.md`.
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
      'Prints the text of one checkpoint, verified, byte for byte and without its seal. Of a current ' +
        'one that was edited since it was saved, the text as it is, with exit code 3. Reads only, takes ' +
        'no lock.',
    )
    .argument('<CHECKPOINT>', 'number, label, previous or current')
    .addHelpText('after', EXAMPLES)
    .action(async (selector: string, _options: unknown, command: Command) => {
      await launch(command, (context) => show(context, selector));
    });
}

async function show(context: CliContext, selector: string): Promise<ExitCode> {
  const access = await accessHistory(context);
  const { entry, text, artifacts, edit } = access.read(access.select(selector));
  const { timeMs, artifacts: _count, problem: _problem, ...facts } = entry;
  const time = new Date(timeMs).toISOString();
  const verified = edit === undefined;
  const problem = edit && { problem: edit };
  if (edit !== undefined) context.note(`note: this is no checkpoint yet: ${edit.message}`);
  context.result({ ...facts, time, verified, ...problem, artifacts, text }, text);
  return verified ? EXIT.ok : EXIT.findings;
}
