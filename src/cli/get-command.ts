/**
 * `get [PATH]`: prints a value of the checkpoint on disk, without the lock and without recovery. Says
 * on stderr when what it reads is not the last promised state. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import { CheckpointError } from '../errors.js';
import { getAt } from '../format/yaml/path-access.js';
import { printYaml } from '../format/yaml/yaml-edit.js';
import { formatPath, parsePath, type YamlPath } from '../format/yaml/yaml-path.js';
import { parseYaml } from '../format/yaml/yaml-text.js';
import { isList, isMap, type YamlValue } from '../format/yaml/yaml-value.js';
import { inspectStore, type StoreInspection } from '../store/inspect-store.js';
import { nameOfSave } from '../store/recovery-words.js';
import { CommandError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';

const EXAMPLES = `
Examples:
  checkpoint-wal get > plan.yaml         the whole text, comments included
  checkpoint-wal get workflow.status
  checkpoint-wal get 'phases[0]' --json`;

/** Adds the command. */
export function addGetCommand(program: Command, launch: Launch): Command {
  return program
    .command('get')
    .summary('print a value, or the whole text')
    .description(
      'Prints the value at a path: scalars as they are, lists and maps as YAML. Without a path, the ' +
        "file's own text without its seal. Reads without the lock; what a crash left in the log is " +
        'not seen before a recovery, and is told on stderr.',
    )
    .argument('[PATH]', 'dotted and bracketed, as phases[0].status or metadata["a.b"]')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined, _options: unknown, command: Command) => {
      await launch(command, (context) => get(context, path));
    });
}

async function get(context: CliContext, pathText: string | undefined): Promise<ExitCode> {
  const path = parsePath(pathText ?? '');
  const { directory, file } = context;
  const inspection = await inspectStore({ directory, file });
  noteIfBehind(context, inspection);
  const { text } = inspection;
  if (text === undefined) throw unreadable(inspection);
  if (path.length === 0 && !context.json) {
    checkText(text, inspection);
    context.result(undefined, text);
    return EXIT.ok;
  }
  const root = checkText(text, inspection);
  const value = getAt(root, path);
  if (value === undefined) throw notFound(root, path);
  context.result(value, display(value));
  return EXIT.ok;
}

/** Says on stderr where the file on disk is not what was promised last: a sealed log holds a later save. */
export function noteIfBehind({ environment }: CliContext, { wal, holder }: StoreInspection): void {
  const isBehind = wal?.verdict === 'sealed' && !PUBLISHED.has(wal.relation);
  if (!isBehind) return;
  const what = holder
    ? `process ${holder.pid} is saving ${nameOfSave(wal)} at this moment`
    : `${nameOfSave(wal)} is still in the log; run: checkpoint-wal recover`;
  // On stderr in JSON mode too: stdout holds the value alone.
  environment.stderr.write(`note: this is not the last promised state: ${what}\n`);
}

const PUBLISHED: ReadonlySet<string> = new Set(['afterImage', 'editedAfterImage', 'newer']);

function checkText(text: string, { paths }: StoreInspection): YamlValue {
  try {
    return parseYaml(text, { file: paths.target }).value;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CommandError(error, { exitCode: EXIT.corrupt, hint: RECOVER_HINT });
  }
}

const RECOVER_HINT = 'See what recovery would do about it: checkpoint-wal recover --dry-run';

function unreadable({ checkpoint, paths }: StoreInspection): Error {
  const file = paths.target;
  if (checkpoint.condition === 'missing') {
    const error = new CheckpointError('NO_STORE', `There is no checkpoint file ${file}.`, { file });
    return new CommandError(error, { hint: RECOVER_HINT });
  }
  const {
    code = 'READ_FAILED',
    message = 'it can not be read',
    ...place
  } = checkpoint.problem ?? {};
  const error = new CheckpointError(code, `${file}: ${message}.`, { file, ...place });
  return new CommandError(error, { exitCode: EXIT.corrupt, hint: RECOVER_HINT });
}

/** Strings, numbers and the like as they are; lists and maps as YAML. */
function display(value: YamlValue): string {
  return typeof value === 'string' ? `${value}\n` : printYaml(value);
}

/** Keys that are named in an error, at most. */
const KEYS_MAX = 12;

function notFound(root: YamlValue, path: YamlPath): CheckpointError {
  let depth = path.length - 1;
  let prefix = getAt(root, path.slice(0, depth));
  while (prefix === undefined) {
    depth -= 1;
    prefix = getAt(root, path.slice(0, depth));
  }
  const there = formatPath(path.slice(0, depth));
  const missing = formatPath(path.slice(0, depth + 1));
  return new CheckpointError(
    'PATH_NOT_FOUND',
    `There is no ${missing}: ${there === '' ? 'the root' : there} is ${kindOf(prefix)}.`,
    { path: formatPath(path), prefix: there },
  );
}

function kindOf(value: YamlValue): string {
  if (isList(value)) {
    if (value.length === 0) return 'an empty list';
    return `a list with the indexes 0 to ${value.length - 1}`;
  }
  if (!isMap(value)) return 'a scalar';
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty mapping';
  const more = keys.length > KEYS_MAX ? `, … (${keys.length} in all)` : '';
  return `a mapping with the keys ${keys.slice(0, KEYS_MAX).join(', ')}${more}`;
}
