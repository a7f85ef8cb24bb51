/**
 * `audit export`: the record in forms that other tools read; and `audit head`: the one line to keep
 * elsewhere, by which anybody can tell later that nothing was cut off. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import { CSV_HEADER, toCsv } from '../audit/export-csv.js';
import { SpanBuilder } from '../audit/export-spans.js';
import type { AuditEntry } from '../format/audit-entry.js';
import { auditSources } from './audit-files.js';
import { addFilterOptions, type FilterOptions, filterFor } from './audit-filter.js';
import { Complaints, readWithProgress } from './audit-log.js';
import { verifySources } from './audit-verify.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { toFileOrStdout, type Write } from './stream-output.js';

const EXPORT_EXAMPLES = `
Examples:
  checkpoint-wal audit export --format csv --out audit.csv
  checkpoint-wal audit export --format otel --since 1h > spans.json
  checkpoint-wal audit export --sequence 10..20`;

const HEAD_EXAMPLES = `
Examples:
  checkpoint-wal audit head --out audit-head.json
  checkpoint-wal audit verify --head audit-head.json`;

interface ExportOptions extends FilterOptions {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
}

interface HeadOptions {
  readonly out?: string;
  readonly force?: boolean;
}

/** Adds `audit export`. */
export function addAuditExport(audit: Command, launch: Launch): Command {
  const command = audit
    .command('export')
    .summary('the record as JSON, CSV or OpenTelemetry spans')
    .description(
      'Writes the record in a form that other tools read: json (a list), csv (RFC 4180), or otel (OTLP in ' +
        'JSON: one trace for each open, round and close; a span for each state). Does not verify; a line ' +
        'that is no entry is left out and told, and the exit code is 4.',
    )
    .argument('[FILES...]', 'files of an audit, oldest first; by default those of the store')
    .option('--format <FORMAT>', 'json, csv or otel', 'json');
  return addFilterOptions(command)
    .option('--out <FILE>', 'write there instead of to stdout')
    .option('--force', 'even if that is there already')
    .addHelpText('after', EXPORT_EXAMPLES)
    .action(async (files: string[], options: ExportOptions, own: Command) => {
      await launch(own, (context) => exportAudit(context, files, options));
    });
}

/** Adds `audit head`. */
export function addAuditHead(audit: Command, launch: Launch): Command {
  return audit
    .command('head')
    .summary('the last entry of a verified record: to be kept elsewhere')
    .description(
      'Verifies the record and prints number and hash of its last entry. Who keeps that elsewhere can ' +
        'prove later, with "audit verify --head", that nothing up to it was changed or cut off.',
    )
    .option('--out <FILE>', 'write it there as JSON')
    .option('--force', 'even if that is there already')
    .addHelpText('after', HEAD_EXAMPLES)
    .action(async (options: HeadOptions, own: Command) => {
      await launch(own, (context) => head(context, options));
    });
}

/** Text around and between what is exported. */
interface Exporter {
  readonly begin: string;
  take(entry: AuditEntry): string;
  finish(last: AuditEntry | undefined): string;
}

const exporters: Readonly<Record<string, () => Exporter>> = {
  json: () => listOf((entry: AuditEntry) => [JSON.stringify(entry)], '[', ']\n'),
  csv: () => ({ begin: CSV_HEADER, take: toCsv, finish: () => '' }),
  otel: () => {
    const spans = new SpanBuilder();
    const open =
      '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkpoint-wal"}}]},' +
      '"scopeSpans":[{"scope":{"name":"checkpoint-wal"},"spans":[';
    return listOf(
      (entry) => spans.take(entry).map((span) => JSON.stringify(span)),
      open,
      ']}]}]}\n',
      (last) => spans.finish(last).map((span) => JSON.stringify(span)),
    );
  },
};

function listOf(
  items: (entry: AuditEntry) => readonly string[],
  begin: string,
  end: string,
  rest: (last: AuditEntry | undefined) => readonly string[] = () => [],
): Exporter {
  let isFirst = true;
  const joined = (texts: readonly string[]) =>
    texts
      .map((text) => {
        const separator = isFirst ? '\n' : ',\n';
        isFirst = false;
        return `${separator}${text}`;
      })
      .join('');
  return {
    begin,
    take: (entry) => joined(items(entry)),
    finish: (last) => `${joined(rest(last))}\n${end}`,
  };
}

async function exportAudit(
  context: CliContext,
  files: readonly string[],
  { format, out, force, ...options }: ExportOptions,
): Promise<ExitCode> {
  const make = Object.hasOwn(exporters, format) ? exporters[format] : undefined;
  if (make === undefined) throw new UsageError(`--format is json, csv or otel, not ${format}.`);
  const sources = auditSources(context.directory, files, context.environment.cwd);
  const bad = new Complaints(context);
  const isWanted = filterFor(options);
  const produce = async (write: Write) => {
    const exporter = make();
    let last: AuditEntry | undefined;
    await write(exporter.begin);
    for await (const lines of readWithProgress(context, sources)) {
      const entries = lines.flatMap((line) => bad.read(line)).filter(isWanted);
      last = entries.at(-1) ?? last;
      await write(entries.map((entry) => exporter.take(entry)).join(''));
    }
    await write(exporter.finish(last));
  };
  await toFileOrStdout(context, { name: out, force }, produce);
  return bad.exitCode;
}

async function head(context: CliContext, { out, force }: HeadOptions): Promise<ExitCode> {
  const verdict = await verifySources(context, auditSources(context.directory), {});
  const { number, hash } = verdict.head;
  if (verdict.broken !== undefined) {
    const { file, line, message } = verdict.broken;
    context.note(`The audit is broken at ${file}:${line}: ${message}. "audit verify" says more.`);
    return EXIT.corrupt;
  }
  const text = `${JSON.stringify({ number, hash }, undefined, 2)}\n`;
  if (out === undefined) {
    context.result({ number, hash }, `${number}:${hash}\n`);
    return EXIT.ok;
  }
  await toFileOrStdout(context, { name: out, force }, (write) => write(text));
  context.result({ number, hash, file: out }, `${number}:${hash} is written to ${out}\n`);
  return EXIT.ok;
}
