/**
 * `watch`: guard mode. Somebody keeps editing the file as text; each settled change is published as a
 * sealed checkpoint, damage is told at once, and at the threshold the last good checkpoint is restored.
 * One line for each event; with `--json` one JSON object a line. Documented in `docs/cli.md`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { CheckpointError, type Problem } from '../errors.js';
import type { RestoreMode } from '../format/health-format.js';
import type { ExternalEditPolicy } from '../machines/recovery-decision.js';
import type { CheckpointStoreEvent } from '../store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../store.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { recoveryText } from './recovery-text.js';
import { printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal watch
  checkpoint-wal watch --threshold 1
  checkpoint-wal watch --mode manual --json | jq -c 'select(.event == "damaged")'`;

interface Options {
  readonly mode: string;
  readonly threshold: number;
  readonly edits: string;
  readonly settle: number;
  readonly recheck: number;
}

/** Adds the command. */
export function addWatchCommand(program: Command, launch: Launch): Command {
  return program
    .command('watch')
    .summary('guard a file that people and agents edit')
    .description(
      'Guards the file while people and agents edit it as text: each settled change becomes a sealed ' +
        'checkpoint with history; a torn, emptied, deleted or malformed file is told at once, with line ' +
        'and column, its bytes are kept, and at the threshold the last good checkpoint is restored. ' +
        'Ends on Ctrl-C or SIGTERM, in order, with exit code 0.',
    )
    .option('--mode <MODE>', 'at the threshold: automatic, manual or off', 'automatic')
    .option('--threshold <N>', 'damage found so many times is restored', integer, 3)
    .option('--edits <POLICY>', 'edits that are well-formed: adopt, reject or restore', 'adopt')
    .option('--settle <MS>', 'left alone for so long, a change counts as finished', integer, 200)
    .option('--recheck <MS>', 'damage that nobody mends counts again after so long', integer, 2000)
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      await launch(command, (context) => watch(context, options));
    });
}

async function watch(context: CliContext, options: Options): Promise<ExitCode> {
  const { directory, file, environment } = context;
  const { mode, threshold, edits, settle, recheck } = options;
  const { signal } = environment;
  const store = await openCheckpointStore({
    directory,
    file,
    externalEdits: oneOf<ExternalEditPolicy>('--edits', edits, ['adopt', 'reject', 'restore']),
    restore: {
      mode: oneOf<RestoreMode>('--mode', mode, ['automatic', 'manual', 'off']),
      threshold,
      countCrashes: false,
    },
  });
  const told = new Told(context);
  try {
    for (const warning of store.warnings) context.note(`warning: ${warning}`);
    if (!store.recovery.clean) {
      context.note(recoveryText(store.recovery, 'The store was recovered first.').trimEnd());
    }
    told.say({ event: 'watching', file: store.file, sequence: store.sequence, threshold, mode });
    store.subscribe((event) => told.take(event));
    const guard = store.watch({
      settleMs: settle,
      recheckMs: recheck,
      onError: (error) => told.say({ event: 'failed', ...toFacts(error) }),
    });
    await untilInterrupted(signal, guard.done);
    guard.stop();
    return told.halted ? EXIT.error : EXIT.ok;
  } finally {
    await close(store);
    told.say({ event: 'stopped', sequence: store.sequence });
  }
}

async function close(store: CheckpointStore): Promise<void> {
  await store.close();
}

/** One thing that happened. */
interface Line {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** Turns what the store tells into lines. */
class Told {
  halted = false;
  readonly #context: CliContext;
  #kept: string | undefined;

  constructor(context: CliContext) {
    this.#context = context;
  }

  take(event: CheckpointStoreEvent): void {
    switch (event.type) {
      case 'editedOutside':
        this.#kept = event.keptAs;
        if (event.action === 'setAside') {
          this.say({ event: 'setAside', change: event.change, keptAs: event.keptAs });
        }
        return;
      case 'checked':
        if (event.action === 'published') {
          this.say({ event: 'published', sequence: event.sequence, change: event.change });
        } else if (event.action === 'rejected') {
          this.say({ event: 'rejected', sequence: event.sequence });
        } else if (event.action === 'kept' && event.known !== true) {
          const { change, problem, sequence } = event;
          this.say({ event: 'damaged', change, problem, keptAs: this.#kept, sequence });
          this.#kept = undefined;
        }
        return;
      case 'health': {
        const { state, failures, threshold, wouldRestore, because } = event.report;
        if (state === 'failing' || state === 'due' || state === 'stopped') {
          const failed = failures.length;
          const name = state === 'stopped' ? 'exhausted' : state;
          this.say({ event: name, failures: failed, threshold, wouldRestore, because });
        }
        return;
      }
      case 'restored':
        this.say({ event: 'restored', from: event.from, sequence: event.sequence });
        return;
      case 'failed':
        this.say({ event: 'failed', ...toFacts(event.error) });
        return;
      case 'halted':
        this.halted = true;
        this.say({ event: 'halted', ...toFacts(event.error) });
        return;
      default:
    }
  }

  say(line: Line): void {
    const { json, environment, colors } = this.#context;
    const { stdout } = environment;
    const time = new Date().toISOString();
    if (json) {
      stdout.write(`${JSON.stringify({ time, ...line })}\n`);
      return;
    }
    const color = COLORS[line.event];
    const name = line.event.padEnd(9);
    const painted = color === undefined ? name : colors[color](name);
    stdout.write(
      `${time.slice(11, 19)}  ${painted}  ${printable(wordsOf(line)).replaceAll('\n', ' ')}\n`,
    );
  }
}

const COLORS: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  published: 'green',
  restored: 'yellow',
  setAside: 'yellow',
  rejected: 'yellow',
  damaged: 'red',
  failing: 'red',
  due: 'red',
  exhausted: 'red',
  halted: 'red',
  failed: 'red',
};

function wordsOf(line: Line): string {
  const { event, sequence, file, from, keptAs, failures, threshold, because } = line;
  const problem = line.problem as Problem | undefined;
  const wouldRestore = line.wouldRestore as { sequence: number } | undefined;
  switch (event) {
    case 'watching':
      return `${String(file)}, checkpoint ${String(sequence)}; restores at ${String(threshold)} (${String(line.mode)})`;
    case 'published':
      return line.change === 'edited'
        ? `the edit is checkpoint ${String(sequence)}`
        : `the file is sealed as checkpoint ${String(sequence)}`;
    case 'damaged': {
      const what = line.change === 'missing' ? 'the file is gone' : placeOf(problem);
      return keptAs === undefined ? what : `${what} (kept as ${String(keptAs)})`;
    }
    case 'setAside':
      return `an edit was set aside as ${String(keptAs)}`;
    case 'rejected':
      return 'an edit is left as it is: the policy is to reject it';
    case 'failing':
      return `${String(failures)} of ${String(threshold)} before an earlier checkpoint is restored`;
    case 'due':
      return wouldRestore === undefined
        ? 'the threshold is reached, and history holds nothing to go back to'
        : `the threshold is reached: "checkpoint-wal restore ${wouldRestore.sequence}" would mend it`;
    case 'restored':
      return `checkpoint ${String(from)} is back, as checkpoint ${String(sequence)}`;
    case 'exhausted':
      return `nothing is restored any more: ${String(because)}`;
    case 'stopped':
      return `at checkpoint ${String(sequence)}`;
    default:
      return String(line.message ?? '');
  }
}

function placeOf(problem: Problem | undefined): string {
  if (problem === undefined) return 'the file is no checkpoint';
  const { line, column, code, path } = problem;
  // The reader of YAML begins with the place in words: it is told once.
  const message = problem.message.replace(/^[^:]*, line \d+, column \d+: /, '');
  const place =
    line === undefined ? '' : `line ${line}${column === undefined ? '' : `, column ${column}`}: `;
  const where = path === undefined || message.includes(path) ? '' : ` at ${path}`;
  return `${place}${message}${where} [${code}]`;
}

function toFacts(error: unknown): { code: string; message: string } {
  if (error instanceof CheckpointError) return { code: error.code, message: error.message };
  return { code: 'UNKNOWN', message: error instanceof Error ? error.message : String(error) };
}

function untilInterrupted(signal: AbortSignal, done: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    void done.then(resolve);
  });
}

function oneOf<Value extends string>(flag: string, value: string, all: readonly Value[]): Value {
  const found = all.find((one) => one === value);
  if (found !== undefined) return found;
  throw new UsageError(
    `${flag} is ${all.slice(0, -1).join(', ')} or ${all.at(-1)}, not "${value}".`,
  );
}

function integer(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It has to be an integer above 0.');
}
