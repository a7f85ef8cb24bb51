/**
 * Opening the store for a command that writes, and giving it back whatever happens. Recovery runs at
 * every open; what it found is told here, so that no command can keep it to itself.
 */
import { CheckpointError } from '../errors.js';
import type { RecoveryReport } from '../machines/recovery-report.js';
import type { ArtifactsOptions } from '../store/artifact-source.js';
import { inspectStore, type StoreInspection } from '../store/inspect-store.js';
import { type CheckpointStore, openCheckpointStore } from '../store.js';
import { CommandError } from './cli-error.js';
import type { CliContext } from './context.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { hasFindings, recoveryText } from './recovery-text.js';
import { openWaiting, type WaitOption } from './wait-for-lock.js';

/** What a command got done with an open store. */
export interface StoreOutcome<T> {
  readonly value: T;
  readonly recovery: RecoveryReport;
  /** `ok`, or `findings` if recovery had any. */
  readonly exitCode: ExitCode;
}

/** Options of {@link withStore}. */
export interface WithStoreOptions extends WaitOption {
  /** Refuse with `NO_STORE` instead of beginning a store. */
  readonly mustExist: boolean;
  /** What to say while it takes long. */
  readonly doing: string | (() => string);
  /** Where artifacts lie, and who is told how far their reading is. */
  readonly artifacts?: ArtifactsOptions;
  /** Whether a recovery that was not clean is told on stderr; by default it is. */
  readonly tellsRecovery?: boolean;
  /** Whether the work is done as soon as the store is open. */
  readonly doneWhenOpen?: boolean;
  /** Whether the work is known to take long. */
  readonly atOnce?: boolean;
}

/**
 * Opens the store, runs `body` and closes it, also after an error and after an interruption.
 * @throws what opening and `body` throw; `InterruptedError` if interrupted before `body` began
 */
export async function withStore<T>(
  context: CliContext,
  options: WithStoreOptions,
  body: (store: CheckpointStore) => Promise<T>,
): Promise<StoreOutcome<T>> {
  const { signal } = context.environment;
  const { directory, file } = context;
  const { artifacts } = options;
  signal.throwIfAborted();
  return await context.progress.during(
    options.doing,
    async () => {
      if (options.mustExist) await inspectStore({ directory, file });
      const open = () => openCheckpointStore({ directory, file, artifacts, restore: false });
      const opening = openWaiting(open, options, signal, (words) => context.note(words));
      const store = await opening.catch(explainRefusal(context));
      try {
        const { recovery } = store;
        for (const warning of store.warnings) context.note(`warning: ${warning}`);
        if (!recovery.clean && options.tellsRecovery !== false) {
          context.note(recoveryText(recovery, 'The store was recovered first.').trimEnd());
        }
        if (options.doneWhenOpen !== true) signal.throwIfAborted();
        const value = await body(store);
        return { value, recovery, exitCode: hasFindings(recovery) ? EXIT.findings : EXIT.ok };
      } finally {
        await store.close();
      }
    },
    options.atOnce === undefined ? {} : { atOnce: options.atOnce },
  );
}

/** Adds the file's name to a refusal, so that line and column lead somewhere. */
function explainRefusal({ directory, file }: CliContext) {
  return async (error: unknown): Promise<never> => {
    if (!(error instanceof CheckpointError) || error.code !== 'REFUSED') throw error;
    const looked = await inspectStore({ directory, file }).catch(() => undefined);
    throw refusedAt(error, looked);
  };
}

function refusedAt(error: CheckpointError, looked: StoreInspection | undefined): Error {
  if (looked === undefined) return error;
  const details = { file: looked.paths.target, ...error.details };
  return new CommandError(
    new CheckpointError(error.code, error.message, details, { cause: error }),
    { exitCode: EXIT.corrupt },
  );
}
