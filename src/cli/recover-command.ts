/**
 * `recover`: opens the store, which recovers it, and says exactly what was found, decided, done, lost
 * and kept. With `--dry-run` it only looks. Documented in `docs/cli.md`.
 */
import type { Command } from 'commander';
import type { RecoveryReport } from '../machines/recovery-report.js';
import { inspectStore } from '../store/inspect-store.js';
import type { CliContext, Launch } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { planText, recoveryText } from './recovery-text.js';
import { exitCodeOfHealth, inspectionData } from './status-command.js';
import { addWaitOption, type WaitOption } from './wait-for-lock.js';
import { withStore } from './with-store.js';

const EXAMPLES = `
Examples:
  checkpoint-wal recover --dry-run
  checkpoint-wal recover --dir state --json`;

interface Options extends WaitOption {
  readonly dryRun?: boolean;
}

/** Adds the command. */
export function addRecoverCommand(program: Command, launch: Launch): Command {
  const command = program
    .command('recover')
    .summary('finish or discard what a crash left')
    .description(
      'Recovers the store: finishes a promised save, discards one that was not, restores a damaged ' +
        'checkpoint from history. Says exactly what was found, decided, done, lost and kept. Every ' +
        'command that writes does this first; running it twice changes nothing the second time.',
    )
    .option('--dry-run', 'only say what would be done; takes no lock, changes nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options, command: Command) => {
      const run = (context: CliContext) => recover(context, options);
      await launch(command, options.dryRun === true ? dryRun : run);
    });
  return addWaitOption(command);
}

async function recover(context: CliContext, { wait }: WaitOption): Promise<ExitCode> {
  const how = { mustExist: true, doing: 'recovering', tellsRecovery: false, doneWhenOpen: true };
  const { recovery, exitCode } = await withStore(context, { ...how, wait }, async () => {});
  context.result(recovery, recoveryText(recovery, outcomeOf(recovery)));
  return exitCode;
}

function outcomeOf({ clean, sequence, decisions }: RecoveryReport): string {
  if (!clean) return `Recovered: the store is at checkpoint ${sequence}.`;
  const adopts = decisions.some(({ action }) => action === 'adopt');
  return adopts
    ? `Nothing had to be recovered: the file as it is counts as checkpoint ${sequence}; the next save seals it.`
    : `Nothing had to be recovered: the store is at checkpoint ${sequence}.`;
}

async function dryRun(context: CliContext): Promise<ExitCode> {
  const { directory, file, progress } = context;
  const inspection = await progress.during('looking', () => inspectStore({ directory, file }));
  const { plan, holder } = inspection;
  context.result(inspectionData(inspection), planText(inspection, headingOf(plan, holder?.pid)));
  if (holder !== undefined) return EXIT.locked;
  return exitCodeOfHealth(inspection.health);
}

function headingOf(
  { outcome, sequence }: { outcome: 'ready' | 'refused'; sequence: number },
  pid: number | undefined,
): string {
  if (pid !== undefined) {
    return `Process ${pid} has the store open: a recovery would be refused with LOCKED until it ends.`;
  }
  return outcome === 'refused'
    ? 'A recovery would refuse the store (dry run: nothing was changed).'
    : `A recovery would leave the store at checkpoint ${sequence} (dry run: nothing was changed).`;
}
