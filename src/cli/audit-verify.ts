/**
 * `audit verify`: reads a whole audit and says where its chain is broken first, or what its head is.
 * Documented in `docs/cli.md`.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type AuditVerdict, AuditVerifier, type BrokenLink } from '../audit/audit-verifier.js';
import { type AuditHead, EMPTY_HEAD } from '../format/audit-entry.js';
import { isSha256Hex, sha256Hex } from '../format/bytes.js';
import { type AuditSource, auditLines, auditSources } from './audit-files.js';
import { UsageError } from './cli-error.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { accessHistory } from './history-access.js';
import { aligned, count, printable, section } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal audit verify
  checkpoint-wal audit verify --head 'audit-head.json'
  checkpoint-wal audit verify --head 4711:8c5f…e1 --json
  checkpoint-wal audit verify incident/audit/*.jsonl incident/audit.jsonl`;

interface Options {
  readonly head?: readonly string[];
}

/** Adds the command. */
export function addAuditVerify(audit: Command, launch: Launch): Command {
  return audit
    .command('verify')
    .summary('prove that nobody changed the record, or name the first broken link')
    .description(
      'Verifies each line, its tie to the one before, across all files; and the checkpoints on disk ' +
        'against the hashes that the record holds. With --head, also that the chain goes through an ' +
        'entry that was written down elsewhere: only that proves that the end was not cut off, and that ' +
        'the whole was not made anew. Reads only. Exits with 4 at the first broken link.',
    )
    .argument('[FILES...]', 'files of an audit, oldest first; by default those of the store')
    .option(
      '--head <HEAD>',
      'NUMBER:HASH, or a file that "audit head" wrote; more than once for more than one',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: Options, command: Command) => {
      await launch(command, (context) => verify(context, files, options));
    });
}

async function verify(
  context: CliContext,
  files: readonly string[],
  { head = [] }: Options,
): Promise<ExitCode> {
  const heads = head.map((text) => readHead(context, text));
  const sources = auditSources(context.directory, files, context.environment.cwd);
  const checkpoints = files.length > 0 ? new Map() : await checkpointsOf(context);
  const verdict = await verifySources(context, sources, { heads, checkpoints });
  context.result(
    { ...verdict, heads: heads.length, checkpoints: checkpoints.size },
    textOf(context, verdict, heads),
  );
  if (!verdict.intact) return EXIT.corrupt;
  return verdict.hasFindings || verdict.headsUnproven.length > 0 ? EXIT.findings : EXIT.ok;
}

/** Verifies files, with progress. */
export async function verifySources(
  { progress, environment: { signal } }: CliContext,
  sources: readonly AuditSource[],
  known: ConstructorParameters<typeof AuditVerifier>[0],
): Promise<AuditVerdict> {
  const verifier = new AuditVerifier(known);
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0);
  let read = 0;
  let entries = 0;
  const words = () => `verifying ${bar(read, total)} ${count(entries, 'entry', 'entries')}`;
  await progress.during(words, async () => {
    const onBytes = (bytes: number) => {
      read += bytes;
    };
    for await (const lines of auditLines(sources, { signal, onBytes })) {
      for (const { text, file, line, ended, isLastFile } of lines) {
        if (ended) verifier.take(text, file, line);
        else verifier.takeUnended(text, file, line, isLastFile);
      }
      entries += lines.length;
    }
  });
  return verifier.finish();
}

const BAR_WIDTH = 20;

/** `[#####···············] 25 %` */
export function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %`;
}

/** What is on disk, as far as it verifies by itself. */
async function checkpointsOf(context: CliContext) {
  const known = new Map<number, { sha256: string; file: string }>();
  let access: Awaited<ReturnType<typeof accessHistory>>;
  try {
    access = await accessHistory(context);
  } catch {
    return known;
  }
  for (const entry of access.list(access.total)) {
    const { sequence, file } = entry;
    try {
      // One that does not verify by itself is told by "verify"; an edit is nobody's save yet.
      if (access.read(entry).edit !== undefined) continue;
      known.set(sequence, { sha256: sha256Hex(readFileSync(file)), file });
    } catch {
      // Damaged, or gone since it was listed.
    }
  }
  return known;
}

function readHead({ environment: { cwd } }: CliContext, text: string): AuditHead {
  const inline = /^(\d+):([0-9a-f]{64})$/.exec(text);
  if (inline !== null) return { number: Number(inline[1]), hash: inline[2] ?? '' };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(resolve(cwd, text), 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--head takes NUMBER:HASH, or a file that "audit head" wrote. ${reason}`);
  }
  const { number, hash } = (value ?? {}) as { readonly number?: unknown; readonly hash?: unknown };
  if (!Number.isSafeInteger(number) || typeof hash !== 'string' || !isSha256Hex(hash)) {
    throw new UsageError(`${text} holds no head: it has the members "number" and "hash".`);
  }
  return { number: Number(number), hash };
}

function textOf(
  { colors }: CliContext,
  { intact, broken, brokenCount, entries, runs, first, head, notes, ...rest }: AuditVerdict,
  heads: readonly AuditHead[],
): string {
  const range = first === undefined ? 'no entries' : `entries ${first.number} to ${head.number}`;
  const line = intact
    ? `The audit is intact: ${range}, ${count(runs, 'run')}.`
    : `The audit is broken: ${count(brokenCount, 'broken link')} in ${count(entries, 'entry', 'entries')}.`;
  const rows = [
    ...(head.number > 0 ? [['head', `${head.number}:${head.hash}`] as const] : []),
    ...(heads.length > 0
      ? [['known heads', `the chain goes through ${rest.headsProven} of ${heads.length}`] as const]
      : []),
    ...rest.headsUnproven.map(
      (number) =>
        [
          'not proven',
          `entry ${number} was removed by retention: its head proves nothing here`,
        ] as const,
    ),
  ];
  const hint =
    intact && heads.length === 0 && head.hash !== EMPTY_HEAD.hash
      ? 'Whether its end was cut off, or all of it made anew, only a head that was kept elsewhere can tell: --head.\n'
      : '';
  const text = `${broken ? brokenText(broken) : ''}${aligned(rows)}${section('Notes:', notes)}${hint}`;
  return `${intact ? colors.green(line) : colors.red(line)}\n${printable(text)}`;
}

function brokenText(link: BrokenLink): string {
  const { kind, file, line, number, expected, found, message } = link;
  const where = file === undefined ? '' : line === undefined ? file : `${file}:${line}`;
  return aligned([
    ['first', `${where}${number === undefined ? '' : ` (entry ${number})`}`],
    ['what', `${message} [${kind}]`],
    ...(expected === undefined ? [] : [['expected', String(expected)] as const]),
    ...(found === undefined ? [] : [['found', String(found)] as const]),
  ]);
}
