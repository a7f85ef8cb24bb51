/**
 * The one error type of this package and its stable codes. A code never changes its meaning within
 * a major version; messages may. Misuse of the API (a wrong argument type) is a `TypeError`.
 */

/**
 * What went wrong, as a stable string.
 *
 * | code | meaning |
 * |---|---|
 * | `INVALID_YAML` | the text is not one well-formed YAML document (line and column in details) |
 * | `DUPLICATE_KEY` | a mapping holds the same key twice |
 * | `TOO_DEEP` / `TOO_LARGE` / `TOO_MANY_ALIASES` | the input exceeds a reading limit |
 * | `TRUNCATED` | the file is the beginning of the checkpoint before, without its seal: it was cut off |
 * | `EMPTY_DOCUMENT` | the file is empty or holds no value: damage, never an empty state |
 * | `UNFAITHFUL_VALUE` | the state holds a value that YAML can't carry back unchanged (path in details) |
 * | `INVALID_PATH` / `PATH_NOT_FOUND` | a path can't be read, or leads nowhere in this state |
 * | `SCHEMA_INVALID` | the state does not pass the user's schema |
 * | `LOCKED` | another writer holds the store (holder in details) |
 * | `LOCK_LOST` | the lock was taken away while the store was open |
 * | `EDITED_OUTSIDE` | the file was edited outside and the policy is `reject` |
 * | `REFUSED` | recovery found nothing valid to go on with; every file looked at is in details |
 * | `UNSUPPORTED_VERSION` | a file was written by a newer format version |
 * | `NOT_IN_HISTORY` | history holds no checkpoint of that number (the nearest that exist in details) |
 * | `ENTRY_DAMAGED` | a checkpoint in history does not verify |
 * | `NO_HISTORY` | this store's port offers no history to read |
 * | `ARTIFACT_MISSING` | a file that is to be recorded as an artifact is not there |
 * | `ARTIFACT_OUTSIDE_ROOT` | an artifact's path leads out of the artifacts' root, or to something that is no regular file |
 * | `ARTIFACTS_NOT_INTACT` | artifacts of the checkpoint that is to be restored are missing or changed |
 * | `NO_STORE` | there is no checkpoint file where one was expected |
 * | `PATH_OUTSIDE_STORE` | a name would leave the store's directory |
 * | `INVALID_NAME` | a text can't be the name of a store among many |
 * | `READ_FAILED` / `WRITE_FAILED` / `SHORT_WRITE` / `NO_SPACE` / `SYNC_FAILED` | an I/O operation failed (`cause` holds the system's error) |
 * | `LOG_IN_THE_WAY` | a log appeared that this store did not write; only a recovery may judge it |
 * | `HALTED` | the store stopped after a failure that can't be undone safely; open it again |
 * | `CLOSED` | the store is closed or closing |
 * | `RESTORES_EXHAUSTED` | automatic restores did not help, or there was nothing to go back to; a person has to look |
 * | `AUDIT_FAILED` | a save was published, but its entries in the audit could not be made durable |
 * | `INVALID_COMMAND` | an event to an embedded store can't be carried out as it is (`cause` says why) |
 * | `NO_CONTENT` | an embedded store on a plain port was asked for something that takes knowing states |
 * | `NOT_RESUMABLE` | a checkpoint actor was brought back from a persisted snapshot |
 * | `NO_DETECTOR` | failures are not counted: the store was opened with `restore: false` |
 * | `CHILD_LOGIC_MISSING` | a durable actor has a child, or an action to do, whose logic this machine has not |
 * | `MACHINE_CHANGED` | a durable actor's snapshot is of another version of its machine, and nothing migrates it |
 * | `SNAPSHOT_INVALID` | what is saved is no snapshot of a durable actor, or does not fit its machine |
 * | `SNAPSHOT_NOT_SERIALISABLE` | a durable actor's snapshot holds what would not come back as it was (path in details) |
 * | `STATE_REPLACED` | the store went back to an earlier checkpoint under a running durable actor |
 */
export type CheckpointErrorCode =
  | 'INVALID_YAML'
  | 'DUPLICATE_KEY'
  | 'TOO_DEEP'
  | 'TOO_LARGE'
  | 'TOO_MANY_ALIASES'
  | 'TRUNCATED'
  | 'EMPTY_DOCUMENT'
  | 'UNFAITHFUL_VALUE'
  | 'INVALID_PATH'
  | 'PATH_NOT_FOUND'
  | 'SCHEMA_INVALID'
  | 'LOCKED'
  | 'LOCK_LOST'
  | 'EDITED_OUTSIDE'
  | 'REFUSED'
  | 'UNSUPPORTED_VERSION'
  | 'NOT_IN_HISTORY'
  | 'ENTRY_DAMAGED'
  | 'NO_HISTORY'
  | 'ARTIFACT_MISSING'
  | 'ARTIFACT_OUTSIDE_ROOT'
  | 'ARTIFACTS_NOT_INTACT'
  | 'NO_STORE'
  | 'PATH_OUTSIDE_STORE'
  | 'INVALID_NAME'
  | 'READ_FAILED'
  | 'WRITE_FAILED'
  | 'SHORT_WRITE'
  | 'NO_SPACE'
  | 'SYNC_FAILED'
  | 'LOG_IN_THE_WAY'
  | 'HALTED'
  | 'CLOSED'
  | 'RESTORES_EXHAUSTED'
  | 'AUDIT_FAILED'
  | 'NO_DETECTOR'
  | 'CHILD_LOGIC_MISSING'
  | 'MACHINE_CHANGED'
  | 'SNAPSHOT_INVALID'
  | 'SNAPSHOT_NOT_SERIALISABLE'
  | 'STATE_REPLACED'
  | 'INVALID_COMMAND'
  | 'NO_CONTENT'
  | 'NOT_RESUMABLE';

/** Structured facts about an error. Every field is present only where it applies. */
export interface CheckpointErrorDetails {
  /** File or directory concerned. */
  readonly file?: string;
  /** Path inside the state, as `phases[0].status`. */
  readonly path?: string;
  /** 1-based line in the text. */
  readonly line?: number;
  /** 1-based column in the line, in UTF-16 code units. */
  readonly column?: number;
  /** Byte offset in the file. */
  readonly offset?: number;
  /** Sequence number of the save concerned. */
  readonly sequence?: number;
  /** What is known of a save that failed: nothing of it will be seen, it may be, or it was published. */
  readonly outcome?: 'notSaved' | 'unknown' | 'published';
  /** Whether it was a directory that could not be synced, rather than a file. */
  readonly directory?: boolean;
  /** Further facts, by error code. */
  readonly [fact: string]: unknown;
}

/** An error with a stable {@link CheckpointErrorCode}, structured details and the original `cause`. */
export class CheckpointError extends Error {
  /** Always `CheckpointError`, also in a log that has only names. */
  override readonly name = 'CheckpointError';
  /** What happened, stable within a major version: see `docs/errors.md`. */
  readonly code: CheckpointErrorCode;
  /** What the error is about, as far as it is known; empty where nothing is. */
  readonly details: CheckpointErrorDetails;

  /** `options.cause` keeps the error that this one comes from. */
  constructor(
    code: CheckpointErrorCode,
    message: string,
    details: CheckpointErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  /** The same facts as plain data, for logs and `--json`. */
  toJSON(): Record<string, unknown> {
    const cause = this.cause instanceof Error ? { cause: this.cause.message } : {};
    return { code: this.code, message: this.message, ...this.details, ...cause };
  }
}

/** The facts of an error that may leave the process: plain data, for reports, the audit and inspectors. */
export interface Problem {
  /** The code that an error about it has. */
  readonly code: CheckpointErrorCode;
  /** What is wrong and what to do, in a sentence or two. */
  readonly message: string;
  /** Line in the text, from 1. */
  readonly line?: number;
  /** Column in that line, from 1, in UTF-16 units. */
  readonly column?: number;
  /** Offset in the text, from 0. */
  readonly offset?: number;
  /** Path of the value that it is about, as `phases[0].status`. */
  readonly path?: string;
}

/** An error as a {@link Problem}. */
export function toProblem(error: CheckpointError): Problem {
  const { line, column, offset, path } = error.details;
  return {
    code: error.code,
    message: error.message,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(offset !== undefined && { offset }),
    ...(path !== undefined && { path }),
  };
}
