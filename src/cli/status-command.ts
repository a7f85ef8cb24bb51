/**
 * `status`: one line of health, then what is on disk. Reads only, without the lock. Documented in
 * `docs/cli.md`, with the JSON that programs read.
 */
import type { Command } from 'commander';
import type { CheckpointEvidence } from '../io/checkpoint-io.js';
import type { LockOwner } from '../io/file-system.js';
import { inspectStore, type StoreHealth, type StoreInspection } from '../store/inspect-store.js';
import { nameOfSave } from '../store/recovery-words.js';
import type { CliContext, Colors, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { detectorRows, detectorText } from './health-text.js';
import { checkpointText, walText } from './recovery-text.js';
import { aligned, count, printable, timeAndAge } from './words.js';

const EXAMPLES = `
Examples:
  checkpoint-wal status
  checkpoint-wal status --dir state --json`;

/** Adds the command. */
export function addStatusCommand(program: Command, launch: Launch): Command {
  return program
    .command('status')
    .summary('health in one line; sequence, last save, log, lock')
    .description(
      'Says how the store is: health, sequence number, last save, log, lock holder, history. ' +
        'Reads only, takes no lock, changes nothing.',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await launch(command, status);
    });
}

async function status(context: CliContext): Promise<ExitCode> {
  const { directory, file, progress } = context;
  const inspection = await progress.during('looking', () => inspectStore({ directory, file }));
  context.result(inspectionData(inspection), statusText(inspection, context.colors));
  return exitCodeOfHealth(inspection.health);
}

/** The exit code that tells of a store's health. */
export function exitCodeOfHealth(health: StoreHealth): ExitCode {
  if (health === 'corrupt') return EXIT.corrupt;
  return ['findings', 'failing', 'stopped'].includes(health) ? EXIT.findings : EXIT.ok;
}

/** What `status --json` and `recover --dry-run --json` print. */
export function inspectionData(inspection: StoreInspection): Record<string, unknown> {
  const { paths, health, holder, wal, checkpoint, history, entries, plan } = inspection;
  const { sequence, savedAtMs, temporaries } = inspection;
  return {
    health,
    summary: summaryOf(inspection),
    directory: paths.directory,
    file: paths.target,
    sequence: sequence ?? null,
    lastSave: savedAtMs === undefined ? null : new Date(savedAtMs).toISOString(),
    log: wal === undefined ? { present: false } : { present: true, ...wal },
    lock: holder === undefined ? { held: false } : { held: true, holder },
    checkpoint,
    history: {
      entries: entries.length,
      newest: entries.at(-1) ?? null,
      ...(history && { refused: history.refused }),
    },
    temporaries,
    detector: inspection.detector ?? null,
    plan,
  };
}

function statusText(inspection: StoreInspection, colors: Colors): string {
  const { paths, holder, wal, checkpoint, entries, savedAtMs, temporaries } = inspection;
  const history =
    entries.length === 0
      ? 'empty'
      : `${count(entries.length, 'entry', 'entries')}, newest ${entries.at(-1)}`;
  const rows: (readonly [string, string])[] = [
    ['file', paths.target],
    ['checkpoint', checkpointText(checkpoint)],
    ['last save', savedAtMs === undefined ? 'never' : timeAndAge(savedAtMs, Date.now())],
    ['log', wal === undefined ? 'none' : walText(wal)],
    ['lock', holder === undefined ? 'free' : holderText(holder)],
    ['history', history],
    ...detectorRows(inspection.detector),
    ...(temporaries.length > 0
      ? [['temporary', temporaries.join(', ')] satisfies readonly [string, string]]
      : []),
  ];
  const { health } = inspection;
  const painted = colors[COLORS[health]](health);
  return printable(`${health}  ${summaryOf(inspection)}\n${aligned(rows)}`).replace(
    health,
    () => painted,
  );
}

const COLORS = {
  ok: 'green',
  open: 'green',
  saving: 'green',
  pending: 'yellow',
  unsealed: 'yellow',
  edited: 'yellow',
  findings: 'red',
  failing: 'red',
  stopped: 'red',
  corrupt: 'red',
} as const satisfies Record<StoreHealth, keyof Colors>;

function holderText({ pid, host, since }: LockOwner): string {
  return `held by process ${pid} on ${host} since ${since}`;
}

function whereabouts({ condition, sequence, everPublished }: CheckpointEvidence): string {
  const which = sequence === undefined ? 'the checkpoint' : `checkpoint ${sequence}`;
  if (condition === 'damaged') return `${which} is damaged`;
  if (condition === 'missing')
    return everPublished ? 'the file is missing' : 'nothing is saved yet';
  return which;
}

/** The store's health in one sentence. */
function summaryOf(inspection: StoreInspection): string {
  const { health, checkpoint, wal, holder, plan } = inspection;
  const { sequence } = checkpoint;
  const at = whereabouts(checkpoint);
  switch (health) {
    case 'ok':
      return sequence === undefined ? at : `${at} verifies; no save is pending`;
    case 'open':
      return `${at}; open in process ${holder?.pid}`;
    case 'saving':
      return `${at}; process ${holder?.pid} is saving ${nameOfSave(wal)}`;
    case 'pending':
      return `${at}; a crash left a log, recovery will: ${plan.does[0] ?? 'deal with it'}`;
    case 'unsealed':
      return 'this file was never saved by a store; the next command that opens it adopts it';
    case 'edited':
      return `${at} was edited since; the next command that opens the store adopts the edit`;
    case 'findings':
      return `${at}; recovery will: ${plan.does.join('; ')}`;
    case 'failing':
      return `${at}; ${detectorText(inspection.detector)}`;
    case 'stopped':
      return `${at}; automatic restore has stopped: find out why the program fails, then "checkpoint-wal reset"`;
    case 'corrupt':
      return `${at}; recovery refuses (${plan.decisions.at(-1)?.label}), a person has to look`;
  }
}
