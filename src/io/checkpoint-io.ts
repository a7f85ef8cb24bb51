/**
 * The port between the statecharts and the world: the protocol's operations, one for each state that
 * does I/O. Implementations keep bytes to themselves; what crosses the port is small plain data, so
 * that a transition can be audited and shown without leaking the contents of a file.
 *
 * `src/machines` imports the types of this file and nothing else of `src/io`. A store on something
 * other than files implements {@link CheckpointIo} and runs on the same machines.
 */

import type { CheckpointError, Problem } from '../errors.js';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import type { HealthMemory } from '../format/health-format.js';
import type { Splice } from '../format/image-splice.js';
import type { MaybePromise } from './file-system.js';

/**
 * What a scan of the log came to; see `docs/format.md`. `partlyDamaged`: saves verify, and behind the last
 * of them lies what may have been promised too.
 */
export type WalVerdict =
  | 'absent'
  | 'torn'
  | 'unsealed'
  | 'sealed'
  | 'partlyDamaged'
  | 'damaged'
  | 'unsupportedVersion'
  | 'foreignTarget';

/**
 * How the checkpoint on disk stands to the newest sealed save in the log.
 *
 * - `preImage`: what the log says was there before (or an earlier save of the same log)
 * - `afterImage`: exactly what the log would publish
 * - `editedAfterImage`: somebody edited what the log published; its seal still names that save
 * - `newer`: a checkpoint that verifies and is later than the log
 * - `missing`: no file
 * - `other`: anything else
 * - `none`: there is no sealed save to compare with
 */
export type CheckpointRelation =
  | 'preImage'
  | 'afterImage'
  | 'editedAfterImage'
  | 'newer'
  | 'missing'
  | 'other'
  | 'none';

/** What {@link IoOperations.verifyWal} found. */
export interface WalEvidence {
  /** Whether it holds a promise, and whether that can be read. */
  readonly verdict: WalVerdict;
  /** How the checkpoint file stands to what the log holds. */
  readonly relation: CheckpointRelation;
  /** Newest sequence number that the log seals, or else claims. */
  readonly sequence?: number;
  /** Newest that a seal claims which belongs to no save that verifies. */
  readonly claimed?: number;
  /** Of whoever wrote the log. */
  readonly epoch?: number;
  /** The label of its save. */
  readonly label?: string;
  /** Byte offset of the first thing wrong, and what it is. */
  readonly offset?: number;
  /** Why it is damaged or of no use, in words. */
  readonly reason?: string;
  /** Size of the log in bytes. */
  readonly size: number;
}

/**
 * What the checkpoint file is by itself.
 *
 * - `missing`: no file
 * - `sealed`: its seal verifies
 * - `older`: its seal verifies, but history has a later checkpoint that verifies too: somebody put an
 *   old copy in its place
 * - `edited`: it parses and has a seal that doesn't match: changed since we published it
 * - `unsealed`: it parses and has no seal: never saved by us, or rewritten by somebody
 * - `damaged`: empty, not text, or not one well-formed document
 * - `schemaInvalid`: parses, but the user's schema refuses it
 * - `unsupportedVersion`: sealed by a newer version of this package
 */
export type CheckpointCondition =
  | 'missing'
  | 'sealed'
  | 'older'
  | 'edited'
  | 'unsealed'
  | 'damaged'
  | 'schemaInvalid'
  | 'unsupportedVersion';

/** What {@link IoOperations.checkCheckpoint} found. */
export interface CheckpointEvidence {
  /** What the file is, by itself. */
  readonly condition: CheckpointCondition;
  /** Absolute path of the checkpoint file, where the store is on files. */
  readonly file?: string;
  /** What its seal says, verified or only claimed; for an adopted file, the number it is given. */
  readonly sequence?: number;
  /** Of whoever published it. */
  readonly epoch?: number;
  /** Bytes on disk. */
  readonly size: number;
  /** Why it is `damaged` or `schemaInvalid`. */
  readonly problem?: Problem;
  /** The highest sequence number that any file of the store uses or claims. */
  readonly highestSequence: number;
  /** Whether the store has ever published: a seal or a history entry exists. */
  readonly everPublished: boolean;
}

/** What {@link IoOperations.findInHistory} found, newest first. */
export interface HistoryEvidence {
  /** The newest entry that verifies. */
  readonly newest?: { readonly sequence: number; readonly file: string };
  /** Entries that don't verify, with why. */
  readonly refused: readonly { readonly file: string; readonly problem: Problem }[];
  /** Number of entries in all. */
  readonly entries: number;
}

/** Conditions of a search in history. */
export interface HistorySearch {
  /** SHA-256 digests of texts that are not wanted. */
  readonly except: readonly string[];
  /** Whether every artifact that the entry names must be there and unchanged. */
  readonly withArtifacts: boolean;
}

/** What happened to the file since it was last seen by this store. */
export interface Observation {
  /** `unchanged` is the ordinary case; the others as in {@link CheckpointCondition}. */
  readonly change: 'unchanged' | 'edited' | 'damaged' | 'missing';
  /** Of an unchanged file: whether it carries its own seal, or is an edit that was adopted as it is. */
  readonly sealed?: boolean;
  /** Why it is no checkpoint, if it is damaged. */
  readonly problem?: Problem;
  /** Bytes of the file, if it is there. */
  readonly size?: number;
}

/** Where the content of a save comes from. Bytes never cross the port. */
export type SaveSource =
  | { readonly kind: 'requests'; readonly requestIds: readonly number[] }
  | { readonly kind: 'history'; readonly sequence: number };

/** One kept file: where evidence was put, and why. Paths are relative to the store's directory. */
export interface KeptFile {
  /** Path of the copy, relative to the store's directory. */
  readonly file: string;
  /** Why it was kept: the label of the decision. */
  readonly reason: string;
}

/** What {@link IoOperations.readHealth} found. */
export interface HealthEvidence {
  /** Absent where there is nothing to remember: all is well. */
  readonly memory?: HealthMemory;
  /** Where an unreadable memory was set aside, and why. */
  readonly kept?: KeptFile;
  /** The time, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** What the store goes on from, or would; absent where there is no such text. */
  readonly current?: { readonly sequence: number; readonly digest: string };
}

/** Input and output of every operation. */
export interface IoOperations {
  /** Creates the directory if needed, resolves the target, takes the lock. Fails with `LOCKED`. */
  acquireLock: {
    input: undefined;
    output: {
      readonly directory: string;
      readonly target: string;
      readonly lock: 'kernel' | 'owner-file' | 'memory';
      readonly warnings: readonly string[];
    };
  };
  /** Makes the last unlink durable and gives up the lock. */
  releaseLock: { input: undefined; output: undefined };

  /** Whether there is a log. Changes nothing. */
  checkWal: { input: undefined; output: { readonly present: boolean } };
  /** Reads the log whole. Fails with `READ_FAILED`; a log that is damaged is no failure. */
  readWal: { input: undefined; output: { readonly size: number } };
  /** What the log that was read is worth, held against the checkpoint file. */
  verifyWal: { input: undefined; output: WalEvidence };
  /** Moves the log into quarantine. */
  quarantineWal: { input: { readonly reason: string }; output: { readonly kept: KeptFile } };
  /** Before deleting a log whose save is already on disk: makes sure that it is durable there. */
  finishWal: { input: undefined; output: undefined };
  /** Loads the after-image from the log, for {@link IoOperations.writeCheckpoint}. */
  loadWal: { input: undefined; output: { readonly sequence: number } };
  /** Reads the checkpoint file and judges it by itself. Damage is an answer, not a failure. */
  checkCheckpoint: { input: undefined; output: CheckpointEvidence };
  /** Looks for the newest entry that verifies and meets the conditions, if there are any. */
  findInHistory: {
    input: HistorySearch | undefined;
    output: HistoryEvidence;
  };
  /** Copies the checkpoint file into quarantine, durably. */
  keepCheckpoint: { input: { readonly reason: string }; output: { readonly kept?: KeptFile } };
  /** Takes the file as it is as the current state, under the given sequence number. */
  adoptCheckpoint: { input: { readonly sequence: number }; output: { readonly size: number } };
  /** Removes temporary files that a crash left behind. */
  removeLeftovers: { input: undefined; output: { readonly removed: readonly string[] } };

  /** Reads the failure detector's memory, and what it needs to judge it. */
  readHealth: { input: undefined; output: HealthEvidence };
  /** Replaces that memory, durably; `undefined` removes it. */
  writeHealth: { input: { readonly memory: HealthMemory | undefined }; output: undefined };

  /** Looks whether somebody changed the file, and that the lock is still held. */
  observeCheckpoint: { input: undefined; output: Observation };

  /** Step 1. */
  writeIntent: {
    input: {
      readonly sequence: number;
      readonly label?: string | undefined;
      /** Whether history keeps this checkpoint for good. */
      readonly pinned?: boolean | undefined;
      readonly source: SaveSource;
      /**
       * Whether other saves may follow this one in its log before any is published. From the second on
       * the log is there, and holds saves that were promised.
       */
      readonly mayRest?: boolean | undefined;
    };
    /**
     * `sha256`: of the image, for the audit: of the bytes that step 4 will write, or, behind other saves of
     * its log, as its intent has it.
     */
    output: { readonly bytes: number; readonly sha256?: string };
  };
  /** Step 2. */
  writeData: { input: undefined; output: { readonly bytes: number } };
  /** Step 3. */
  syncWal: { input: undefined; output: undefined };
  /** Step 4. */
  writeCheckpoint: { input: undefined; output: { readonly bytes: number } };
  /** Step 5. `kept` names an outside edit that slipped in after the last look and was set aside. */
  syncCheckpoint: { input: undefined; output: { readonly kept?: KeptFile } };
  /** Step 6. */
  deleteWal: { input: undefined; output: undefined };

  /** After a failed sync of the log: closes and removes it without syncing it again. */
  dropWal: { input: undefined; output: undefined };
  /** After a failed sync of the temporary file: closes and removes it. */
  dropTemporary: { input: undefined; output: undefined };
  /**
   * Gives a round up that nobody was promised: removes its temporary file and its log. Where the log holds
   * saves of earlier rounds, they stay, and what was written behind them is removed, durably.
   */
  abandonRound: { input: undefined; output: undefined };
}

/** The name of an operation of the port. */
export type OperationName = keyof IoOperations;

/**
 * What an implementation provides. An operation that fails throws a {@link CheckpointError}; the
 * machine decides what follows from its {@link IoFailure.kind}.
 */
export type CheckpointIo = {
  readonly [Name in OperationName]: (
    input: IoOperations[Name]['input'],
  ) => MaybePromise<IoOperations[Name]['output']>;
} & {
  /** Absent where history can't be read; `store.history()` then says so. */
  readonly history?: CheckpointHistory;
};

/**
 * How a failed operation failed, as far as the protocol cares.
 *
 * - `write`: nothing was published; the files of this round can be dropped
 * - `sync`: a file's fsync failed: its pages can't be trusted, a fresh file may be tried
 * - `directorySync`: a directory's fsync failed: what is durable is unknown, the store halts
 * - `lockLost`: somebody else may be writing: touch nothing
 * - `unexplained`: a log is there that nobody of this store wrote: touch nothing, a recovery must judge
 * - `read`: nothing was changed
 */
export type FailureKind = 'write' | 'sync' | 'directorySync' | 'lockLost' | 'unexplained' | 'read';

/** A failed operation as the machines see it. */
export interface IoFailure {
  /** What the protocol makes of it. */
  readonly kind: FailureKind;
  /** Whether the new checkpoint is already visible under its name. */
  readonly published: boolean;
  /** The error that the caller is given. */
  readonly error: CheckpointError;
}

/** What a round publishes. */
export interface RoundContent {
  /** What the file holds, without its seal. May be made when it is asked for, which takes time if it is long. */
  readonly text: string;
  /** Stands for the text: the same object for the same text, as long as it may be published. */
  readonly version?: object;
  /**
   * What was replaced in the text that `of` stands for, in bytes of that text, ascending and not
   * overlapping; absent where that is not known. Who holds that text may do without `text`.
   */
  readonly edit?: { readonly of: object; readonly splices: readonly Splice[] };
  /** The artifacts that belong to it; absent: those of the checkpoint before it. */
  readonly artifacts?: readonly ArtifactRecord[];
}

/** What the checkpoint on disk is. */
export interface CurrentContent {
  /** The text of the file, without its seal. */
  readonly text: string;
  /** The number that it counts as. */
  readonly sequence: number;
  /** That of the {@link RoundContent} which was published, where it had one: who knows it need not ask for the text. */
  readonly version?: object | undefined;
}

/** One checkpoint in a list of history, as its seal line tells it. Whether it verifies is not asked. */
export interface HistoryEntry {
  /** Of an edited current checkpoint: the next free number; it is adopted under that or a later one. */
  readonly sequence: number;
  /** Absolute path; elsewhere than on files, whatever names the entry. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** When it was saved, milliseconds since 1970; of a file whose seal has no time, its last change. */
  readonly timeMs: number;
  /** The label it was saved with. */
  readonly label?: string;
  /** Whether it is kept whatever the retention. */
  readonly pinned: boolean;
  /** How many artifacts belong to it. */
  readonly artifacts: number;
  /** Whether it is the checkpoint itself rather than an earlier one. */
  readonly current: boolean;
  /** What is known to be wrong with it, without having verified it. */
  readonly problem?: Problem;
}

/** One checkpoint that verifies, whole. */
export interface HistoryContent {
  /** What the list of history says of it. */
  readonly entry: HistoryEntry;
  /** The user's text, without the seal. */
  readonly text: string;
  /** The artifacts that were recorded with it. */
  readonly artifacts: readonly ArtifactRecord[];
}

/** Which checkpoint is meant. */
export type CheckpointSelector =
  | { readonly sequence: number }
  /** The newest with this label. */
  | { readonly label: string }
  /** The one that was current at this time: a date, milliseconds since 1970, or ISO 8601. */
  | { readonly before: Date | number | string }
  /** The newest in history below the current one. */
  | { readonly previous: true }
  | 'previous'
  | 'current';

/** History for reading, where a port offers it. Works at any time, also while a save is in flight. */
export interface CheckpointHistory {
  /** Every earlier checkpoint, ascending, and the current one last. */
  list(): MaybePromise<readonly HistoryEntry[]>;
  /** One of them. Throws `NOT_IN_HISTORY` or `ENTRY_DAMAGED`. */
  read(sequence: number): MaybePromise<HistoryContent>;
}

/**
 * The other side of the port: who renders saves to text and wants to know what is on disk. Kept
 * apart from the machines, which handle request numbers only.
 */
export interface CheckpointContent {
  /**
   * What to publish for a round of these requests, newest last, rendered onto what {@link rebase} told
   * last; that itself for a round of none. Throws a coded error if none of them can be rendered, or an
   * artifact can't be recorded.
   */
  textFor(requestIds: readonly number[]): MaybePromise<RoundContent>;
  /** Throws a coded error if `text` is not a state that this store accepts. */
  validate(text: string): MaybePromise<void>;
  /**
   * The round that was asked for last is durable, in the log: what comes next is rendered onto it, and can
   * rely on it. Not told where the round is published at once.
   */
  advance(sequence: number): void;
  /**
   * Tells what the checkpoint on disk is now: after recovery, adoption and publication. Its text may be made
   * at the first look; told the same object again, nothing has changed.
   */
  rebase(current: CurrentContent | undefined): void;
}
