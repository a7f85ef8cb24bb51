/**
 * What the actions of a recovery come to, in plain sentences: for a recovery that is planned and for
 * one that was done. Decides nothing; the actions are those of `docs/recovery.md`'s tables.
 */
import type { CheckpointEvidence, HistoryEvidence, WalEvidence } from '../io/checkpoint-io.js';
import type { CheckpointAction, HistoryAction, WalAction } from '../machines/recovery-decision.js';

/** An action of any of the three tables. */
export type PlannedStep = WalAction | CheckpointAction | HistoryAction;

/** Whether the sentences speak of what would be done or of what was. */
export type Tense = 'planned' | 'done';

/** What the sentences speak about. */
export interface StepFacts {
  readonly wal: WalEvidence | undefined;
  /** The checkpoint file as it was found. */
  readonly found: CheckpointEvidence | undefined;
  /** The checkpoint after the log was dealt with. */
  readonly checkpoint: CheckpointEvidence | undefined;
  readonly history: HistoryEvidence | undefined;
  /** The highest sequence number in use. */
  readonly highest: number;
}

/** What is done and what is set aside, in words, without a final full stop. */
export interface StepWords {
  readonly does: readonly string[];
  readonly keeps: readonly string[];
}

/** Describes actions in the order in which they are taken. */
export function describeSteps(steps: readonly string[], facts: StepFacts, tense: Tense): StepWords {
  const does: string[] = [];
  const keeps: string[] = [];
  for (const step of steps) {
    const sentence = sentenceFor(step, facts, tense);
    if (sentence !== undefined) does.push(sentence);
    const kept = keptBy(step);
    if (kept !== undefined) keeps.push(kept);
  }
  return { does, keeps };
}

function sentenceFor(step: string, facts: StepFacts, tense: Tense): string | undefined {
  const { wal, checkpoint, history, highest } = facts;
  const verb = (planned: string, done: string) => (tense === 'planned' ? planned : done);
  const save = nameOfSave(wal);
  switch (step) {
    case 'discard':
      return `${verb('delete', 'deleted')} the log: ${save} in it was never promised`;
    case 'apply':
      return `${verb('publish', 'published')} ${save} from the log, then ${verb('delete', 'deleted')} the log`;
    case 'keepAndApply':
      return `${verb('set', 'set')} the file aside in quarantine, ${verb('publish', 'published')} ${save} from the log, then ${verb('delete', 'deleted')} the log`;
    case 'finish':
      return `${verb('sync', 'synced')} the checkpoint and ${verb('delete', 'deleted')} the log: ${save} was published already`;
    case 'quarantine':
      return `${verb('move', 'moved')} the log to quarantine`;
    case 'accept':
      return `${verb('go', 'went')} on with checkpoint ${checkpoint?.sequence ?? 0}`;
    case 'adopt':
      return `${verb('take', 'took')} the file as it is as checkpoint ${highest + 1}`;
    case 'start':
      return `${verb('start', 'started')} a new store: nothing was ever saved in it`;
    case 'restore':
      return `${verb('publish', 'published')} history entry ${history?.newest?.sequence ?? 0} again, as checkpoint ${highest + 1}`;
    case 'refuse':
      return `${verb('refuse', 'refused')} the store and ${verb('change', 'changed')} nothing more`;
    default:
      return undefined;
  }
}

function keptBy(step: string): string | undefined {
  switch (step) {
    case 'quarantine':
      return 'the log, every byte of it, in quarantine/';
    case 'keepAndApply':
      return 'the file that the log does not know, in quarantine/';
    case 'restore':
      return 'the file that can not be used, if there is one, in quarantine/';
    default:
      return undefined;
  }
}

/** `save 7 ("label")`, as far as it is known. */
export function nameOfSave(wal: WalEvidence | undefined): string {
  if (wal?.sequence === undefined) return 'the save';
  return `save ${wal.sequence}${wal.label === undefined ? '' : ` (${JSON.stringify(wal.label)})`}`;
}
