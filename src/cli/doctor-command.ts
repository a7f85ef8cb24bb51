/**
 * `doctor`: which guarantees are met for this store in this place, and what to do about those that
 * are not. Changes nothing of the store. Documented in `docs/cli.md`, with the JSON that programs read.
 */
import type { Command } from 'commander';
import type {
  DoctorCheck,
  DoctorVerdict,
  Guarantee,
  GuaranteeVerdict,
} from '../store/doctor/doctor-check.js';
import { type DoctorReport, examineStore } from '../store/doctor/examine-store.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { count, printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal doctor
  checkpoint-wal doctor --dir state --json`;

/** Adds the command. */
export function addDoctorCommand(program: Command, launch: Launch): Command {
  return program
    .command('doctor')
    .summary('which guarantees are met here, and what to do about the others')
    .description(
      'Examines the disk, the directory, the lock, the clock and the files of the store, and says which ' +
        'guarantees are met here: atomic, durable, one writer, recoverable. Tries the disk out with a ' +
        'temporary file, which it removes; changes nothing of the store, also while it is open.',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await launch(command, doctor);
    });
}

async function doctor(context: CliContext): Promise<ExitCode> {
  const { directory, file, progress, environment } = context;
  const { signal } = environment;
  const report = await progress.during('examining', () =>
    examineStore({ directory, file, signal }),
  );
  const exitCode = exitCodeOfReport(report);
  context.result(reportData(report), printable(reportText(report)).replace(MARKS, paint(context)));
  return exitCode;
}

function exitCodeOfReport({ corrupt, checks }: DoctorReport): ExitCode {
  if (corrupt) return EXIT.corrupt;
  return checks.every(({ verdict }) => verdict === 'ok') ? EXIT.ok : EXIT.findings;
}

function reportData({ paths, checks, guarantees, corrupt, measured }: DoctorReport) {
  return {
    directory: paths.directory,
    file: paths.target,
    corrupt,
    guarantees,
    checks,
    ...(measured && { measured }),
  };
}

function reportText({ checks, guarantees }: DoctorReport): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map((check) => checkText(check, width)).join('');
  return `${lines}\n${guarantees.map(guaranteeText).join('')}${summaryText(checks)}\n`;
}

function checkText({ name, verdict, found, means, advice }: DoctorCheck, width: number): string {
  // File names may hold line breaks, which must not look like lines of ours.
  const line = `${verdict.padEnd(7)}  ${name.padEnd(width)}  ${found.replaceAll(/\s+/g, ' ')}\n`;
  if (verdict === 'ok' && advice === undefined) return line;
  const indent = ' '.repeat(width + 11);
  return `${line}${indent}${means}\n${advice === undefined ? '' : `${indent}${advice}\n`}`;
}

const NAMES: Readonly<Record<Guarantee, string>> = {
  atomic: 'atomic',
  durable: 'durable',
  oneWriter: 'one writer',
  recoverable: 'recoverable',
};

function guaranteeText({ guarantee, met, because }: GuaranteeVerdict): string {
  const why = because.length === 0 ? '' : `  (${because.join(', ')})`;
  return `${NAMES[guarantee].padEnd(12)} ${met}${why}\n`;
}

function summaryText(checks: readonly DoctorCheck[]): string {
  const of = (wanted: DoctorVerdict) => checks.filter(({ verdict }) => verdict === wanted).length;
  return `${count(checks.length, 'check')}: ${of('ok')} ok, ${count(of('warning'), 'warning')}, ${count(of('problem'), 'problem')}`;
}

/** A verdict at the start of its line, and what is said of a guarantee. */
const MARKS =
  /^(ok|warning|problem)(?= )|(?<=^(?:atomic|durable|one writer|recoverable) +)(yes|limited|no)\b/gm;

const COLORS: Readonly<Record<string, keyof Colors & ('green' | 'yellow' | 'red')>> = {
  ok: 'green',
  yes: 'green',
  warning: 'yellow',
  limited: 'yellow',
  problem: 'red',
  no: 'red',
};

function paint({ colors }: CliContext): (mark: string) => string {
  return (mark) => colors[COLORS[mark] ?? 'green'](mark);
}
