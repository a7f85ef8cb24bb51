/**
 * `audit log` and `audit tail`: entries as lines for people, or as JSON. Documented in `docs/cli.md`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { type AuditEntry, readAuditLine } from '../format/audit-entry.js';
import { type AuditLine, type AuditSource, auditLines, auditSources } from './audit-files.js';
import { addFilterOptions, type FilterOptions, filterFor } from './audit-filter.js';
import { follow } from './audit-follow.js';
import { bar } from './audit-verify.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { toStdout, type Write } from './stream-output.js';
import { printable, shortened } from './words.js';

const LOG_EXAMPLES = `
Examples:
  checkpoint-wal audit log --sequence 12
  checkpoint-wal audit log --machine recovery,detector --since 2h
  checkpoint-wal audit log --event '*.failed' --json | jq '.[].details.code'`;

const TAIL_EXAMPLES = `
Examples:
  checkpoint-wal audit tail
  checkpoint-wal audit tail --lines 100 --no-follow
  checkpoint-wal audit tail --machine checkpoint --json | jq -c '[.time, .from, .to]'`;

interface LogOptions extends FilterOptions {
  readonly last?: number;
}

interface TailOptions extends FilterOptions {
  readonly lines: number;
  readonly follow: boolean;
}

/** Adds `audit log`. */
export function addAuditLog(audit: Command, launch: Launch): Command {
  const command = audit
    .command('log')
    .summary('the transitions of a store, filtered')
    .description(
      'Prints what the record holds, oldest first. Reads without verifying: a line that is no entry is ' +
        'told on stderr, and the exit code is 4. With --json: one list.',
    )
    .argument('[FILES...]', 'files of an audit, oldest first; by default those of the store');
  return addFilterOptions(command)
    .option('--last <N>', 'only the last N that are wanted', positive)
    .addHelpText('after', LOG_EXAMPLES)
    .action(async (files: string[], options: LogOptions, own: Command) => {
      await launch(own, (context) => log(context, files, options));
    });
}

/** Adds `audit tail`. */
export function addAuditTail(audit: Command, launch: Launch): Command {
  const command = audit
    .command('tail')
    .summary('the last transitions, and those that come')
    .description(
      'Prints the last entries and then each one that is written, also across rotation, until Ctrl-C ' +
        '(exit code 0). With --json: one JSON object a line.',
    );
  return addFilterOptions(command)
    .option('--lines <N>', 'how many of those that are there', positive, 10)
    .option('--no-follow', 'end after those')
    .addHelpText('after', TAIL_EXAMPLES)
    .action(async (options: TailOptions, own: Command) => {
      await launch(own, (context) => tail(context, options));
    });
}

async function log(
  context: CliContext,
  files: readonly string[],
  options: LogOptions,
): Promise<ExitCode> {
  const sources = auditSources(context.directory, files, context.environment.cwd);
  const bad = new Complaints(context);
  await toStdout(context, async (write) => {
    const printer = context.json ? new ListPrinter(write) : new LinePrinter(write, context.colors);
    for await (const entries of wanted(context, sources, options, bad))
      await printer.print(entries);
    await printer.end();
  });
  return bad.exitCode;
}

/** Wanted entries in batches; with `last`, one batch at the end. */
async function* wanted(
  context: CliContext,
  sources: readonly AuditSource[],
  { last, ...options }: LogOptions,
  bad: Complaints,
): AsyncGenerator<readonly AuditEntry[]> {
  const isWanted = filterFor(options);
  let kept: AuditEntry[] = [];
  for await (const lines of readWithProgress(context, sources)) {
    const entries = lines.flatMap((line) => bad.read(line)).filter(isWanted);
    if (last === undefined) yield entries;
    else kept = [...kept, ...entries].slice(-last);
  }
  yield kept;
}

/** Lines of files, with progress where nothing is printed for long. */
export async function* readWithProgress(
  { progress, environment: { signal } }: CliContext,
  sources: readonly AuditSource[],
): AsyncGenerator<readonly AuditLine[]> {
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  const lines = auditLines(sources, {
    signal,
    onBytes: (bytes) => {
      read += bytes;
    },
  });
  for (;;) {
    const next = await progress.during(
      () => `reading ${bar(read, total)}`,
      () => lines.next(),
    );
    if (next.done === true) return;
    yield next.value;
  }
}

/** Lines that are no entries: the first is told, all are counted. */
export class Complaints {
  readonly #context: CliContext;
  #count = 0;

  constructor(context: CliContext) {
    this.#context = context;
  }

  get exitCode(): ExitCode {
    return this.#count === 0 ? EXIT.ok : EXIT.corrupt;
  }

  read({ text, file, line, ended, isLastFile }: AuditLine): AuditEntry[] {
    if (!ended && isLastFile) return [];
    const reading = readAuditLine(text);
    if ('entry' in reading) return [reading.entry];
    this.#count += 1;
    if (this.#count === 1) {
      const { message } = reading.problem;
      this.#context.note(printable(`${file}:${line}: ${message}. "audit verify" says more.`));
    }
    return [];
  }
}

interface Printer {
  print(entries: readonly AuditEntry[]): Promise<void>;
  end(): Promise<void>;
}

/** One JSON list, written as it comes. */
class ListPrinter implements Printer {
  readonly #write: Write;
  #isFirst = true;

  constructor(write: Write) {
    this.#write = write;
  }

  async print(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = entries.map((entry) => JSON.stringify(entry)).join(',\n  ');
    await this.#write(`${this.#isFirst ? '[\n  ' : ',\n  '}${text}`);
    this.#isFirst = false;
  }

  async end(): Promise<void> {
    await this.#write(this.#isFirst ? '[]\n' : '\n]\n');
  }
}

/** One line for each entry, for people. */
class LinePrinter implements Printer {
  readonly #write: Write;
  readonly #colors: Colors;

  constructor(write: Write, colors: Colors) {
    this.#write = write;
    this.#colors = colors;
  }

  async print(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#write(entries.map((entry) => lineFor(entry, this.#colors)).join(''));
  }

  async end(): Promise<void> {}
}

const DETAILS_WIDTH = 100;

/** `12 08:15:01.123Z write seq 3  writingData -> syncingWal  writeData.done  bytes=400` */
export function lineFor(entry: AuditEntry, colors: Colors): string {
  const { number, time, machine, from, to, event, sequence, details } = entry;
  const way = from === to ? from : `${from === '' ? '·' : from} → ${to}`;
  const facts = Object.entries(details)
    .filter(([name]) => name !== 'guard')
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = shortened(facts.join(' '), DETAILS_WIDTH);
  const isFailure = /\.failed$|halted|refused|entriesLost/.test(`${event} ${to}`);
  const move = printable(way).padEnd(38);
  return [
    colors.dim(String(number).padStart(7)),
    time.replace('T', ' '),
    machine.padEnd(10),
    colors.dim(`#${sequence}`.padEnd(6)),
    isFailure ? colors.red(move) : move,
    printable(event).padEnd(24),
    `${colors.dim(printable(text))}\n`,
  ].join(' ');
}

async function tail(context: CliContext, options: TailOptions): Promise<ExitCode> {
  const { environment, json, colors } = context;
  const isWanted = filterFor(options);
  const bad = new Complaints(context);
  const print = (write: Write, entries: readonly AuditEntry[]) =>
    write(
      entries
        .map((entry) => (json ? `${JSON.stringify(entry)}\n` : lineFor(entry, colors)))
        .join(''),
    );
  await toStdout(context, async (write) => {
    const sources = auditSources(context.directory);
    let kept: AuditEntry[] = [];
    for await (const lines of readWithProgress(context, sources)) {
      kept = [...kept, ...lines.flatMap((line) => bad.read(line)).filter(isWanted)].slice(
        -options.lines,
      );
    }
    await print(write, kept);
    if (!options.follow) return;
    for await (const lines of follow(context.directory, sources, environment.signal)) {
      const entries = lines.flatMap((line) => bad.read(line)).filter(isWanted);
      if (entries.length > 0) await print(write, entries);
    }
  });
  return bad.exitCode;
}

function positive(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    throw new InvalidArgumentError('It is a whole number from 1.');
  }
  return Number(text);
}
