/**
 * `set PATH VALUE`: changes one value and leaves every other byte of the file as it is. Documented in
 * `docs/cli.md`.
 */
import type { Command } from 'commander';
import { CheckpointError } from '../errors.js';
import { parsePath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import { CommandError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import type { ExitCode } from './exit-codes.js';
import { checkLabel, printSaved } from './save-command.js';
import { addWaitOption, type WaitOption } from './wait-for-lock.js';
import { withStore } from './with-store.js';

const EXAMPLES = `
Examples:
  checkpoint-wal set workflow.status COMPLETE
  checkpoint-wal set 'phases[1].agents[0].status' IN_PROGRESS --label "agent started"
  checkpoint-wal set metrics.scores '[0.92, 0.95]'
  checkpoint-wal set 'metadata["schema.version"]' 1.10 --string
  checkpoint-wal set limits.offset -- -5
  checkpoint-wal set notes 'failed: see #3' --string --wait 10`;

interface Options extends WaitOption {
  readonly string?: boolean;
  readonly label?: string;
}

/** Adds the command. */
export function addSetCommand(program: Command, launch: Launch): Command {
  const command = program
    .command('set')
    .summary('change one value, and nothing else')
    .description(
      'Changes the value at a path; comments, order and layout of everything else stay byte for byte. ' +
        'Missing mappings on the way are created; an index one past the end of a list appends.',
    )
    .argument('<PATH>', 'dotted and bracketed, as phases[0].status or metadata["a.b"]')
    .argument('<VALUE>', 'the new value as YAML; after -- if it begins with a dash')
    .option('--string', 'take VALUE as the text it is, not as YAML')
    .option('--label <TEXT>', 'a short name for this checkpoint, kept in its seal')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, value: string, options: Options, command: Command) => {
      await launch(command, (context) => set(context, path, value, options));
    });
  return addWaitOption(command);
}

async function set(
  context: CliContext,
  pathText: string,
  valueText: string,
  options: Options,
): Promise<ExitCode> {
  const { label } = options;
  checkLabel(label);
  const path = parsePath(pathText);
  const value = options.string === true ? valueText : readValue(valueText);
  if (options.string !== true && isSurprising(valueText, value)) {
    context.note(
      'note: VALUE was read as YAML, which is not the text as it is; --string takes that.',
    );
  }
  const { signal } = context.environment;
  const outcome = await withStore(
    context,
    { mustExist: true, doing: `setting ${pathText}`, wait: options.wait },
    async (store) => {
      const save = { signal, ...(label !== undefined && { label }) };
      return { ...(await store.set(path, value, save)), file: store.file };
    },
  );
  return printSaved(context, outcome, { path: pathText });
}

/** A text with a colon or a number sign in it, that YAML takes for a mapping or cuts off. */
function isSurprising(text: string, value: YamlValue): boolean {
  if (typeof value === 'string') return / #/.test(text) && !value.includes('#');
  return typeof value === 'object' && value !== null && !/^[\s]*[[{&!]|\n/.test(text);
}

function readValue(text: string): YamlValue {
  try {
    return parseYaml(text, { file: 'VALUE' }).value;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CommandError(error, {
      hint: 'VALUE is read as YAML; to take it as the text it is, add --string.',
    });
  }
}
