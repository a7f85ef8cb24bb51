/**
 * Errors that only the command line knows, and how any error is told to a person or a program: one
 * clear sentence with code and place, then what to do. Stack traces only where asked for.
 */
import { CheckpointError, type CheckpointErrorCode } from '../errors.js';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.js';

/** The command line was not understood; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** SIGINT or SIGTERM arrived before the work was done; exit code 130 or 143. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode: ExitCode;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Interrupted by ${signal}: nothing was saved, and nothing is left half done.`);
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }
}

/** An error of the library together with what this command makes of it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly error: CheckpointError;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(error: CheckpointError, options: { exitCode?: ExitCode; hint?: string } = {}) {
    super(error.message, { cause: error });
    this.error = error;
    this.exitCode = options.exitCode ?? exitCodeOf(error.code);
    this.hint = options.hint;
  }
}

/** An error as it is told: the fields of `{"error": …}` in JSON. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  readonly exitCode: ExitCode;
  readonly hint?: string;
  /** Structured facts, as in `CheckpointErrorDetails`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** `file:line:column`, as far as known. */
  readonly place?: string;
}

const HINTS: Partial<Record<CheckpointErrorCode, string>> = {
  INVALID_YAML: 'Correct that place and try again.',
  DUPLICATE_KEY: 'Remove or rename one of the two keys and try again.',
  EMPTY_DOCUMENT: 'An empty document is never taken for a state; was the right file given?',
  TOO_DEEP: 'Flatten the document: it nests deeper than this package reads.',
  TOO_LARGE: 'Keep large artifacts in files of their own and name them in the state.',
  TOO_MANY_ALIASES: 'Write the repeated values out, or use fewer aliases.',
  UNFAITHFUL_VALUE: 'Save it as text: quote it (set … --string), or edit the file and save that.',
  INVALID_PATH: 'Paths look like this: phases[0].status, or metadata["a.b"].',
  PATH_OUTSIDE_STORE: 'Give the directory with --dir and a plain file name with --file.',
  ARTIFACT_MISSING:
    'Paths of artifacts are relative to --artifacts-root, by default the store itself.',
  ARTIFACT_OUTSIDE_ROOT: 'Name the directory that artifacts lie in with --artifacts-root.',
  NOT_IN_HISTORY: 'See what there is: checkpoint-wal history --all',
  ENTRY_DAMAGED: 'Take another; which verify: checkpoint-wal history',
  NO_STORE: 'Name the directory with --dir, or begin a store with: checkpoint-wal save FILE',
  LOCKED: 'See who has it: checkpoint-wal status',
  REFUSED: 'See what is there: checkpoint-wal status, checkpoint-wal verify',
  UNSUPPORTED_VERSION: 'Update checkpoint-wal and try again.',
  NO_SPACE: 'Make room on the disk; the checkpoint that was there is untouched.',
  SYNC_FAILED: 'Check the disk; then run: checkpoint-wal recover',
  HALTED: 'Run: checkpoint-wal recover',
  LOCK_LOST: 'Make sure that nobody else uses the store, then run: checkpoint-wal recover',
};

/** What to tell of an error. */
export function tellError(error: unknown): ToldError {
  if (error instanceof CommandError) {
    const told = tellError(error.error);
    const hint = error.hint ?? told.hint;
    return { ...told, exitCode: error.exitCode, ...(hint !== undefined && { hint }) };
  }
  if (error instanceof CheckpointError) return tellCheckpointError(error);
  if (error instanceof UsageError) {
    const { message, hint } = error;
    const exitCode = EXIT.usage;
    return { code: 'USAGE', message, exitCode, details: {}, ...(hint !== undefined && { hint }) };
  }
  if (error instanceof InterruptedError) {
    return { code: 'INTERRUPTED', message: error.message, exitCode: error.exitCode, details: {} };
  }
  return {
    code: 'INTERNAL',
    message: `Unexpected failure: ${error instanceof Error ? error.message : String(error)}`,
    exitCode: EXIT.error,
    hint: 'This is a defect of checkpoint-wal; run again with --verbose and report what it prints.',
    details: {},
  };
}

function tellCheckpointError(error: CheckpointError): ToldError {
  const { code, message, ...details } = error.toJSON();
  const { file, line, column } = error.details;
  const lineAndColumn =
    line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`;
  const hint = HINTS[error.code];
  return {
    code: String(code),
    message: String(message),
    exitCode: exitCodeOf(error.code),
    details,
    ...(hint !== undefined && { hint }),
    ...(file !== undefined && { place: `${file}${lineAndColumn}` }),
  };
}

/** The chain of stack traces, for `--verbose`. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
