/**
 * `verify [FILE…]`: whether files are what was saved. Without a file: the store's checkpoint, its log
 * and every history entry. Reads only, without the lock. Documented in `docs/cli.md`.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CheckpointError } from '../errors.js';
import { readSeal } from '../format/seal.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import { entryName } from '../io/history-files.js';
import { join } from '../io/store-paths.js';
import { inspectStore, type StoreInspection } from '../store/inspect-store.js';
import { nameOfSave } from '../store/recovery-words.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode, graver } from './exit-codes.js';
import { readBytes } from './read-input.js';
import {
  type ArtifactReport,
  artifactsRoot,
  artifactText,
  checkArtifacts,
  exitCodeOfArtifacts,
} from './verify-artifacts.js';
import {
  exitCodeOfVerdict,
  type FileJudgement,
  type FileVerdict,
  judgeFile,
} from './verify-file.js';
import { count, printable } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal verify
  checkpoint-wal verify --artifacts
  checkpoint-wal verify orchestration/checkpoints/*.yaml
  checkpoint-wal verify backup/ORCHESTRATION.yaml mailed.yaml --json`;

/** A log may hold several images: as much more is read of it as recovery reads. */
const LOG_BYTES_MAX = DEFAULT_LIMITS.maxBytes * 2;

/** Adds the command. */
export function addVerifyCommand(program: Command, launch: Launch): Command {
  return program
    .command('verify')
    .summary('check seals and logs')
    .description(
      'Checks files by their seals and checksums: sealed, edited, damaged (with line and column) or ' +
        'unsealed. Without FILE: the checkpoint, the log and every history entry of the store. ' +
        'Exits with the gravest verdict: 4 damaged, 1 unreadable, 3 edited or unsealed, 0 all sealed; ' +
        'with --artifacts, 3 too if one is missing, changed or unreadable.',
    )
    .argument('[FILE...]', 'checkpoints, history entries, logs, or copies of them')
    .option('--artifacts', 'also compare the artifacts of the checkpoint, or of each FILE')
    .option('--artifacts-root <DIR>', "where artifacts lie (default: the store's directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: Options, command: Command) => {
      await launch(command, (context) =>
        files.length === 0 ? verifyStore(context, options) : verifyFiles(context, files, options),
      );
    });
}

interface Options {
  readonly artifacts?: boolean;
  readonly artifactsRoot?: string;
}

async function verifyFiles(
  context: CliContext,
  files: readonly string[],
  options: Options,
): Promise<ExitCode> {
  const judged: FileJudgement[] = [];
  for (const file of files) judged.push(await judge(context, file));
  const artifacts = await artifactsOf(context, judged, options);
  const exitCode = artifacts.map(exitCodeOfArtifacts).reduce(graver, gravest(judged));
  context.result(
    {
      verified: exitCode === EXIT.ok,
      files: judged,
      ...(options.artifacts && { artifacts }),
    },
    [
      ...judged.map((judgement) => lineFor(judgement, context.colors)),
      ...artifacts.map((report) => artifactText(report, context.colors)),
    ].join(''),
  );
  return exitCode;
}

/** Compares the artifacts of the checkpoints among these files, where that is asked for. */
async function artifactsOf(
  context: CliContext,
  judged: readonly FileJudgement[],
  { artifacts, artifactsRoot: asked }: Options,
): Promise<ArtifactReport[]> {
  const reports: ArtifactReport[] = [];
  if (!artifacts) return reports;
  const root = artifactsRoot(context, asked);
  for (const { file, kind, verdict } of judged) {
    if (kind !== 'checkpoint' || verdict === 'unreadable') continue;
    const path = resolve(context.environment.cwd, file);
    const reading = readSeal(await readBytes(context, path, LOG_BYTES_MAX));
    const records = 'artifacts' in reading ? reading.artifacts : [];
    reports.push(await checkArtifacts(context, file, root, records));
  }
  return reports;
}

async function verifyStore(context: CliContext, options: Options): Promise<ExitCode> {
  const { directory, file, colors } = context;
  const inspection = await inspectStore({ directory, file });
  const { paths, holder, wal } = inspection;
  const judged: FileJudgement[] = [await judge(context, paths.target)];
  // What an open store's log looks like at this moment says nothing: it is being written.
  if (wal !== undefined && holder === undefined) {
    judged.push(await judge(context, paths.wal, paths.targetName));
  }
  const entries = await judgeHistory(context, inspection);
  const bad = entries.filter(({ verdict }) => verdict !== 'sealed');
  const isBehind = inspection.plan.decisions.some(
    ({ action }) => action === 'apply' || action === 'keepAndApply',
  );
  const artifacts = await artifactsOf(context, judged, options);
  const exitCode = artifacts
    .map(exitCodeOfArtifacts)
    .reduce(graver, graver(gravest([...judged, ...bad]), isBehind ? EXIT.findings : EXIT.ok));
  const behind = isBehind
    ? `the checkpoint is not the last promised state: ${nameOfSave(wal)} is in the log; run: checkpoint-wal recover\n`
    : '';
  const history = `${count(entries.length - bad.length, 'history entry', 'history entries')} of ${entries.length} verified\n`;
  context.result(
    {
      verified: exitCode === EXIT.ok,
      lastPromised: !isBehind,
      files: judged,
      history: { entries: entries.length, verified: entries.length - bad.length, bad },
      ...(options.artifacts && { artifacts }),
    },
    [
      ...judged.map((judgement) => lineFor(judgement, colors)),
      ...bad.map((judgement) => lineFor(judgement, colors)),
      history,
      ...artifacts.map((report) => artifactText(report, colors)),
      behind,
    ].join(''),
  );
  return exitCode;
}

/** History entries must be sealed under the number in their name. */
async function judgeHistory(
  context: CliContext,
  { entries, paths }: StoreInspection,
): Promise<FileJudgement[]> {
  const judged: FileJudgement[] = [];
  for (const sequence of entries) {
    const file = join(paths.history, entryName(sequence, paths.targetName));
    const judgement = await judge(context, file);
    const isOther = judgement.verdict === 'sealed' && judgement.sequence !== sequence;
    const reason = `it is checkpoint ${judgement.sequence} under another's name`;
    judged.push(isOther ? { ...judgement, verdict: 'damaged', reason } : judgement);
  }
  return judged;
}

async function judge(context: CliContext, file: string, target?: string): Promise<FileJudgement> {
  try {
    const path = resolve(context.environment.cwd, file);
    return judgeFile(await readBytes(context, path, LOG_BYTES_MAX), file, target);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return { file, kind: 'checkpoint', verdict: 'unreadable', reason: error.message };
  }
}

function gravest(judged: readonly FileJudgement[]): ExitCode {
  return judged.reduce<ExitCode>(
    (gravestYet, { verdict }) => graver(gravestYet, exitCodeOfVerdict(verdict)),
    EXIT.ok,
  );
}

const COLORS = {
  sealed: 'green',
  edited: 'yellow',
  unsealed: 'yellow',
  damaged: 'red',
  unsupported: 'red',
  unreadable: 'red',
} as const satisfies Record<FileVerdict, keyof Colors>;

function lineFor(judgement: FileJudgement, colors: Colors): string {
  const { file, kind, verdict, sequence, line, column, reason } = judgement;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const what = kind === 'log' ? 'log, save' : 'checkpoint';
  const which = sequence === undefined ? '' : ` (${what} ${sequence})`;
  const why = reason === undefined ? '' : `: ${withoutPlace(reason, file)}`;
  return `${colors[COLORS[verdict]](verdict.padEnd(11))} ${printable(`${place}${which}${why}`)}\n`;
}

/** The place stands at the start of the line already. */
function withoutPlace(reason: string, file: string): string {
  const rest = reason.startsWith(file) ? reason.slice(file.length) : reason;
  return rest.replace(/^, line \d+, column \d+: /, '').replace(/^ /, '');
}
