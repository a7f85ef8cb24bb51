/**
 * What a recovery found, decided, lost and kept: plain data for people, logs and the audit.
 */
import { CheckpointError, type CheckpointErrorDetails, type Problem } from '../errors.js';
import type {
  CheckpointEvidence,
  HistoryEvidence,
  KeptFile,
  WalEvidence,
} from '../io/checkpoint-io.js';

/** One decision that recovery took, by the label of its case in `docs/recovery.md`. */
export interface RecoveryDecision {
  /** Name of the case in the tables of `docs/recovery.md`; stable within a major version. */
  readonly label: string;
  /** What the case has recovery do. */
  readonly action: string;
  /** Why, in words. */
  readonly because: string;
  /** Whether a person should know of it. */
  readonly finding: boolean;
}

/** The report of one recovery. */
export interface RecoveryReport {
  /** `ready`: the store is open. `refused`: nothing valid was found, or an operation failed. */
  readonly outcome: 'ready' | 'refused';
  /** `true` if nothing was in flight and nothing was wrong. */
  readonly clean: boolean;
  /** The sequence number that the store goes on from; 0 in a new store. */
  readonly sequence: number;
  /** The log as it was found; absent where recovery ended before looking. */
  readonly wal?: WalEvidence;
  /** The checkpoint file as recovery last saw it. */
  readonly checkpoint?: CheckpointEvidence;
  /** History, if recovery had to look there. */
  readonly history?: HistoryEvidence;
  /** What was decided, in order. */
  readonly decisions: readonly RecoveryDecision[];
  /** What can't be had any more, in words; empty if nothing was lost. */
  readonly lost: readonly string[];
  /** Files that were set aside, relative to the store's directory. */
  readonly kept: readonly KeptFile[];
  /** Temporary files of a crashed save that were removed. */
  readonly removed: readonly string[];
  /** Why it was refused; or would have been, had no earlier checkpoint been restored. */
  readonly problem?: Problem;
  /** The failure detector has put an earlier checkpoint back: which, and the number it has now. */
  readonly restored?: { readonly from: number; readonly sequence: number };
}

/** The evidence that {@link lostBy} and {@link refusalOf} speak about. */
interface Evidence {
  readonly wal: WalEvidence | undefined;
  readonly checkpoint: CheckpointEvidence | undefined;
  readonly history: HistoryEvidence | undefined;
  readonly kept: readonly KeptFile[];
  readonly decided: readonly { readonly label: string; readonly because: string }[];
}

/** What a recovery that went well could not bring back, in words. */
export function lostBy({ wal, checkpoint, history, decided }: Evidence): string[] {
  const lost: string[] = [];
  const labels = decided.map(({ label }) => label);
  if (labels.includes('wal-damaged')) {
    const which = wal?.sequence === undefined ? 'a save' : `save ${wal.sequence}`;
    lost.push(
      `${which} that was only in the damaged log, if it was promised at all (${wal?.reason ?? 'unknown damage'})`,
    );
  }
  if (labels.includes('wal-tail-damaged')) {
    const which = wal?.claimed === undefined ? 'a save' : `save ${wal.claimed}`;
    lost.push(
      `${which} that lies damaged in the log behind save ${wal?.sequence ?? 0}, if it was promised at all (${wal?.reason ?? 'unknown damage'})`,
    );
  }
  if (labels.includes('history-restore') && checkpoint?.condition !== 'edited') {
    const restored = history?.newest?.sequence ?? 0;
    const claimed = checkpoint?.sequence;
    if (claimed !== undefined && claimed > restored) {
      lost.push(`checkpoint ${claimed}: the newest one that verifies is ${restored}`);
    } else if (claimed === undefined) {
      lost.push(`what changed after checkpoint ${restored}, if anything did`);
    }
  }
  return lost;
}

/** Why nothing could be opened, as the error that the caller gets. */
export function refusalOf({ checkpoint, history, kept, decided }: Evidence): CheckpointError {
  const problem = checkpoint?.problem;
  const files = [
    'the checkpoint file',
    ...(history?.refused ?? []).map(({ file, problem: why }) => `${file} (${why.message})`),
    ...kept.map(({ file, reason }) => `${file} (${reason})`),
  ];
  const details = {
    ...(checkpoint?.file !== undefined && { file: checkpoint.file }),
    ...(problem && toDetails(problem)),
    decision: decided.at(-1)?.label,
    filesLookedAt: files,
  };
  const nothingChanged = untouched(kept);
  switch (checkpoint?.condition) {
    case 'schemaInvalid':
      return new CheckpointError(
        'SCHEMA_INVALID',
        `The checkpoint does not pass the schema: ${problem?.message ?? 'no reason given'}. ${nothingChanged} Correct the file or the schema.`,
        details,
      );
    case 'unsupportedVersion':
      return new CheckpointError(
        'UNSUPPORTED_VERSION',
        `The checkpoint was sealed by a newer version of checkpoint-wal. ${nothingChanged} Open it with that version.`,
        details,
      );
    case 'edited':
    case 'older':
    case 'unsealed':
      if (history === undefined) {
        return new CheckpointError(
          'EDITED_OUTSIDE',
          `The checkpoint was edited outside of the store, and the policy is to reject that. ${nothingChanged} Open it with externalEdits 'adopt' or 'restore'.`,
          details,
        );
      }
      return nothingValid('The checkpoint was edited outside', details, history, kept);
    case 'missing':
      return nothingValid('The checkpoint is missing', details, history, kept);
    default:
      return damaged(problem, details, history, kept);
  }
}

function damaged(
  problem: Problem | undefined,
  details: CheckpointErrorDetails,
  history: HistoryEvidence | undefined,
  kept: readonly KeptFile[],
): CheckpointError {
  const why = problem?.message ?? 'it can not be read';
  return nothingValid(
    `The checkpoint is damaged: ${why.replace(/\.$/, '')}`,
    details,
    history,
    kept,
  );
}

function nothingValid(
  what: string,
  details: CheckpointErrorDetails,
  history: HistoryEvidence | undefined,
  kept: readonly KeptFile[],
): CheckpointError {
  const entries = history?.entries ?? 0;
  const past =
    entries === 0
      ? 'there is no history to go back to'
      : `none of the ${entries} history entries verifies`;
  return new CheckpointError(
    'REFUSED',
    `${what}, and ${past}. ${untouched(kept)} Correct the file by hand, or put a good copy in its place.`,
    details,
  );
}

/** What a refusal leaves as it was: everything, but that a log may have been set aside before. */
function untouched(kept: readonly KeptFile[]): string {
  if (kept.length === 0) return 'Nothing was deleted or changed.';
  return `Nothing was deleted; set aside: ${kept.map(({ file }) => file).join(', ')}.`;
}

function toDetails({ code, line, column, offset, path }: Problem): CheckpointErrorDetails {
  return {
    reason: code,
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
    ...(offset !== undefined && { offset }),
    ...(path !== undefined && { path }),
  };
}
