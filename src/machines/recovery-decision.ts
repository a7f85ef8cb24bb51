/**
 * What recovery decides, as three tables of labelled cases over evidence from disk. Pure: the same
 * evidence always gives the same decision. Ruled by `docs/recovery.md`, which prints these tables;
 * a test walks every combination of evidence and asserts that exactly one case matches.
 */
import type { CheckpointCondition, CheckpointRelation, WalVerdict } from '../io/checkpoint-io.js';

/** What to do about an edit made outside of the store. */
export type ExternalEditPolicy = 'adopt' | 'reject' | 'restore';

/** One row of a decision table. */
export interface DecisionCase<Evidence, Action extends string> {
  /** Stable label: appears in reports, in the audit and in the docs. */
  readonly label: string;
  /** The evidence in words. */
  readonly when: string;
  readonly matches: (evidence: Evidence) => boolean;
  readonly action: Action;
  /** Why this is right. */
  readonly because: string;
  /** Whether the report calls this a finding: something a person should know of. */
  readonly finding: boolean;
}

/** Evidence about the log. */
export interface WalCaseEvidence {
  readonly verdict: WalVerdict;
  readonly relation: CheckpointRelation;
}

/**
 * - `continue`: there is no log
 * - `discard`: delete the log, nothing in it was promised
 * - `apply`: publish the log's after-image
 * - `keepAndApply`: set the file aside, then publish the log's after-image
 * - `finish`: it is published already; make that durable, then delete the log
 * - `quarantine`: move the log aside, unread bytes and all
 */
export type WalAction = 'continue' | 'discard' | 'apply' | 'keepAndApply' | 'finish' | 'quarantine';

const sealedWith =
  (...relations: CheckpointRelation[]) =>
  ({ verdict, relation }: WalCaseEvidence) =>
    (verdict === 'sealed' || verdict === 'partlyDamaged') && relations.includes(relation);

/**
 * Decided before the log's table where saves verify and damage follows: what verifies is dealt with as
 * the table says, and then the log goes into quarantine instead of being deleted.
 */
export const walTailCase: DecisionCase<WalCaseEvidence, 'setLogAside'> = {
  label: 'wal-tail-damaged',
  when: 'saves of the log verify, and behind them lies a seal, or a record, that belongs to none',
  matches: ({ verdict }) => verdict === 'partlyDamaged',
  action: 'setLogAside',
  because: 'what verifies was promised; what follows may have been: its bytes are kept as evidence',
  finding: true,
};

/** The log's table: the first question of every recovery. */
export const walCases: readonly DecisionCase<WalCaseEvidence, WalAction>[] = [
  {
    label: 'wal-absent',
    when: 'there is no log',
    matches: ({ verdict }) => verdict === 'absent',
    action: 'continue',
    because: 'no save was in flight',
    finding: false,
  },
  {
    label: 'wal-never-promised',
    when: 'the log is torn or unsealed',
    matches: ({ verdict }) => verdict === 'torn' || verdict === 'unsealed',
    action: 'discard',
    because: 'a save is promised only after its sealed log was synced',
    finding: false,
  },
  {
    label: 'wal-damaged',
    when: 'something was sealed in the log, but the log does not verify',
    matches: ({ verdict }) => verdict === 'damaged',
    action: 'quarantine',
    because: 'damage is never taken for the end of the log: its bytes are kept as evidence',
    finding: true,
  },
  {
    label: 'wal-future-version',
    when: 'the log has a newer format version',
    matches: ({ verdict }) => verdict === 'unsupportedVersion',
    action: 'quarantine',
    because: 'only the program that wrote it can tell what it promises',
    finding: true,
  },
  {
    label: 'wal-foreign',
    when: 'the log belongs to another checkpoint file',
    matches: ({ verdict }) => verdict === 'foreignTarget',
    action: 'quarantine',
    because: 'applying it would overwrite one state with another',
    finding: true,
  },
  {
    label: 'wal-apply',
    when: 'the log is sealed and the checkpoint is its pre-image',
    matches: sealedWith('preImage'),
    action: 'apply',
    because: 'the save was logged and may have been promised',
    finding: false,
  },
  {
    label: 'wal-apply-missing',
    when: 'the log is sealed and there is no checkpoint',
    matches: sealedWith('missing'),
    action: 'apply',
    because: 'the first save has no pre-image, and a lost file is rebuilt from the log',
    finding: false,
  },
  {
    label: 'wal-applied',
    when: 'the log is sealed and the checkpoint is its after-image',
    matches: sealedWith('afterImage'),
    action: 'finish',
    because: 'only the deletion of the log is missing',
    finding: false,
  },
  {
    label: 'wal-applied-then-edited',
    when: 'the log is sealed and the checkpoint is an edit of what it published',
    matches: sealedWith('editedAfterImage'),
    action: 'finish',
    because: 'the edit is later than the save; the save itself goes into history',
    finding: false,
  },
  {
    label: 'wal-superseded',
    when: 'the log is sealed and the checkpoint verifies with a later sequence number',
    matches: sealedWith('newer'),
    action: 'quarantine',
    because: 'the protocol never leaves this behind, so it is kept as evidence',
    finding: true,
  },
  {
    label: 'wal-conflict',
    when: 'the log is sealed and the checkpoint is neither its pre-image nor its after-image',
    matches: sealedWith('other'),
    action: 'keepAndApply',
    because: 'the save was promised and the file was changed or torn outside: keep both',
    finding: true,
  },
  {
    label: 'wal-unrelated',
    when: 'the log is sealed but was not compared with the checkpoint',
    matches: sealedWith('none'),
    action: 'quarantine',
    because: 'nothing is applied on guesswork',
    finding: true,
  },
];

/** Evidence about the checkpoint, once the log has been dealt with. */
export interface CheckpointCaseEvidence {
  readonly condition: CheckpointCondition;
  /** Whether the store has ever published. */
  readonly everPublished: boolean;
  readonly externalEdits: ExternalEditPolicy;
}

/**
 * - `accept`: go on with it
 * - `adopt`: take it as a new state
 * - `start`: a new store
 * - `searchHistory`: look for the newest entry that verifies
 * - `refuse`: stop, change nothing
 */
export type CheckpointAction = 'accept' | 'adopt' | 'start' | 'searchHistory' | 'refuse';

const changedOutside = ({ condition, everPublished }: CheckpointCaseEvidence) =>
  condition === 'edited' || condition === 'older' || (condition === 'unsealed' && everPublished);

/** The checkpoint's table. */
export const checkpointCases: readonly DecisionCase<CheckpointCaseEvidence, CheckpointAction>[] = [
  {
    label: 'checkpoint-intact',
    when: 'its seal verifies',
    matches: ({ condition }) => condition === 'sealed',
    action: 'accept',
    because: 'these are the bytes that were published',
    finding: false,
  },
  {
    label: 'checkpoint-first-seen',
    when: 'it parses, has no seal, and the store has never published',
    matches: ({ condition, everPublished }) => condition === 'unsealed' && !everPublished,
    action: 'adopt',
    because: 'the file existed before the store did',
    finding: false,
  },
  {
    label: 'checkpoint-edited-adopt',
    when: 'it parses but is not what was published; policy adopt',
    matches: (evidence) =>
      changedOutside(evidence) &&
      evidence.condition !== 'older' &&
      evidence.externalEdits === 'adopt',
    action: 'adopt',
    because: 'people and agents edit the file; what they wrote is the state',
    finding: false,
  },
  {
    label: 'checkpoint-older-adopt',
    when: 'its seal verifies, but history has a later checkpoint; policy adopt',
    matches: ({ condition, externalEdits }) => condition === 'older' && externalEdits === 'adopt',
    action: 'adopt',
    because: 'somebody put an old copy in its place; the later ones stay in history',
    finding: true,
  },
  {
    label: 'checkpoint-edited-reject',
    when: 'it parses but is not what was published; policy reject',
    matches: (evidence) => changedOutside(evidence) && evidence.externalEdits === 'reject',
    action: 'refuse',
    because: 'the policy asks a person to decide',
    finding: true,
  },
  {
    label: 'checkpoint-edited-restore',
    when: 'it parses but is not what was published; policy restore',
    matches: (evidence) => changedOutside(evidence) && evidence.externalEdits === 'restore',
    action: 'searchHistory',
    because: 'the policy goes back to what was published; the edit is kept aside',
    finding: true,
  },
  {
    label: 'checkpoint-new-store',
    when: 'there is no file and the store has never published',
    matches: ({ condition, everPublished }) => condition === 'missing' && !everPublished,
    action: 'start',
    because: 'a new store has no state until its first save',
    finding: false,
  },
  {
    label: 'checkpoint-lost',
    when: 'there is no file although the store has published',
    matches: ({ condition, everPublished }) => condition === 'missing' && everPublished,
    action: 'searchHistory',
    because: 'a missing file is damage, never an empty state',
    finding: true,
  },
  {
    label: 'checkpoint-damaged',
    when: 'it is empty, torn or does not parse',
    matches: ({ condition }) => condition === 'damaged',
    action: 'searchHistory',
    because: 'an unreadable file is damage, never an empty state',
    finding: true,
  },
  {
    label: 'checkpoint-schema-invalid',
    when: 'it parses, but the schema refuses it',
    matches: ({ condition }) => condition === 'schemaInvalid',
    action: 'refuse',
    because: 'either the file or the program is wrong, and only a person can tell which',
    finding: true,
  },
  {
    label: 'checkpoint-future-version',
    when: 'it was sealed by a newer version',
    matches: ({ condition }) => condition === 'unsupportedVersion',
    action: 'refuse',
    because: 'only the program that wrote it can tell whether it verifies',
    finding: true,
  },
];

/** Evidence about history, looked at only where the checkpoint can't be used. */
export interface HistoryCaseEvidence {
  readonly entryVerifies: boolean;
}

/**
 * - `restore`: publish that entry again, as a save of its own
 * - `refuse`: stop, change nothing
 */
export type HistoryAction = 'restore' | 'refuse';

/** History's table. */
export const historyCases: readonly DecisionCase<HistoryCaseEvidence, HistoryAction>[] = [
  {
    label: 'history-restore',
    when: 'an entry verifies',
    matches: ({ entryVerifies }) => entryVerifies,
    action: 'restore',
    because: 'the newest checkpoint that verifies is the best there is',
    finding: true,
  },
  {
    label: 'history-nothing-valid',
    when: 'no entry verifies',
    matches: ({ entryVerifies }) => !entryVerifies,
    action: 'refuse',
    because: 'nothing is invented and nothing is deleted',
    finding: true,
  },
];

/** The one case of a table that matches. */
export function decide<Evidence, Action extends string>(
  cases: readonly DecisionCase<Evidence, Action>[],
  evidence: Evidence,
): DecisionCase<Evidence, Action> {
  const found = cases.find((candidate) => candidate.matches(evidence));
  if (found === undefined) {
    throw new Error(`no recovery case matches ${JSON.stringify(evidence)}`);
  }
  return found;
}
