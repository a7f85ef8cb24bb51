/**
 * `wal [FILE]`: lists what a log holds, record by record, also of a damaged or half-written one. Reads
 * only. Documented in `docs/cli.md`; the records are those of `docs/format.md`.
 */
import type { Command } from 'commander';
import { dumpWal, type WalDumpRecord } from '../format/wal-dump.js';
import type { WalScan } from '../format/wal-scan.js';
import { scanWal } from '../format/wal-scanner.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import { inspectStore } from '../store/inspect-store.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { readBytes } from './read-input.js';
import { grouped, printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal wal
  checkpoint-wal wal orchestration/quarantine/*-checkpoint.wal --json`;

const LOG_BYTES_MAX = DEFAULT_LIMITS.maxBytes * 2;

/** Adds the command. */
export function addWalCommand(program: Command, launch: Launch): Command {
  return program
    .command('wal')
    .summary('list the records of a log, also of a damaged one')
    .description(
      'Lists what a log holds, record by record, with the state of every checksum. Reads only, and ' +
        'reads damaged logs too. Without FILE: the log of the store. Exits with 4 if the log is damaged.',
    )
    .argument('[FILE]', 'a log; by default that of the store')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string | undefined, _options: unknown, command: Command) => {
      await launch(command, (context) => dump(context, file));
    });
}

async function dump(context: CliContext, asked: string | undefined): Promise<ExitCode> {
  const file = asked ?? (await logOfStore(context));
  if (file === undefined) {
    context.result(
      { file: null, verdict: 'absent', size: 0, records: [] },
      'There is no log: no save is in flight.\n',
    );
    return EXIT.ok;
  }
  const bytes = await readBytes(context, file, LOG_BYTES_MAX);
  const scan = scanWal(bytes);
  const records = dumpWal(bytes);
  const problem = problemOf(scan);
  context.result(
    { file, verdict: scan.kind, ...problem, size: bytes.length, records },
    printable(dumpText(file, scan, bytes.length, records)).replace(/^.*$/m, (line) =>
      paint(line, scan, context.colors),
    ),
  );
  return scan.kind === 'damaged' ? EXIT.corrupt : EXIT.ok;
}

async function logOfStore({ directory, file }: CliContext): Promise<string | undefined> {
  const { paths, wal } = await inspectStore({ directory, file });
  return wal === undefined ? undefined : paths.wal;
}

function problemOf(scan: WalScan): { readonly offset?: number; readonly reason?: string } {
  if ('offset' in scan) return { offset: scan.offset, reason: scan.reason };
  const defect =
    scan.kind === 'sealed' && (scan.tail.kind === 'clean' ? scan.findings[0] : scan.tail);
  return defect ? { offset: defect.offset, reason: defect.reason } : {};
}

function paint(line: string, { kind }: WalScan, colors: Colors): string {
  if (kind === 'sealed') return colors.green(line);
  return kind === 'damaged' ? colors.red(line) : colors.yellow(line);
}

function dumpText(
  file: string,
  scan: WalScan,
  size: number,
  records: readonly WalDumpRecord[],
): string {
  const { offset, reason } = problemOf(scan);
  const where = offset === undefined ? '' : ` at byte ${offset}`;
  const why = reason === undefined ? '' : `${where}: ${reason}`;
  const heading = `${file}: ${scan.kind}, ${grouped(size)} bytes${why}\n`;
  const table = '  offset   bytes  record   checksum\n';
  return heading + (records.length === 0 ? '' : table + records.map(recordText).join(''));
}

const FIELD_INDENT = ' '.repeat(18);

function recordText({ type, offset, length, checksum, fields, problem }: WalDumpRecord): string {
  const numbers = `${String(offset).padStart(8)}${String(length).padStart(8)}`;
  const heading = `${numbers}  ${type.padEnd(8)} ${checksum}${problem ? `  ${problem}` : ''}\n`;
  const lines = Object.entries(fields).map(
    ([name, value]) => `${FIELD_INDENT}${name} ${String(value)}\n`,
  );
  return heading + lines.join('');
}
