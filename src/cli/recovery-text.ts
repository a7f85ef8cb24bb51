/**
 * Telling a recovery to a person: what was found, decided, done, lost and kept. One layout for a
 * recovery that happened and for one that is only planned (`recover --dry-run`).
 */
import type { CheckpointEvidence, HistoryEvidence, WalEvidence } from '../io/checkpoint-io.js';
import type { RecoveryDecision, RecoveryReport } from '../machines/recovery-report.js';
import type { StoreInspection } from '../store/inspect-store.js';
import { describeSteps, nameOfSave } from '../store/recovery-words.js';
import { grouped, printable, section } from './words.js';

/** Whether a person should know of this recovery: it lost something, or it found what should not be. */
export function hasFindings({ lost, decisions }: Pick<RecoveryReport, 'lost' | 'decisions'>) {
  return lost.length > 0 || decisions.some(({ finding }) => finding);
}

/** A recovery that happened, for people. */
export function recoveryText(report: RecoveryReport, heading: string): string {
  const { wal, checkpoint, history, decisions, lost, kept, removed, sequence } = report;
  // Where a save was applied, the evidence about the checkpoint was gathered after it.
  const applies = decisions.some(({ action }) => action === 'apply' || action === 'keepAndApply');
  const adopts = decisions.some(({ action }) => action === 'adopt' || action === 'restore');
  const highest = adopts ? sequence - 1 : sequence;
  const steps = decisions.map(({ action }) => action);
  const { does } = describeSteps(
    steps,
    { wal, found: checkpoint, checkpoint, history, highest },
    'done',
  );
  return printable(
    [
      `${heading}\n`,
      section('found', foundLines(wal, applies ? undefined : checkpoint, history)),
      section('decided', decisions.map(decisionLine)),
      section('done', [...does, ...removed.map((name) => `removed the temporary file ${name}`)]),
      section('lost', lost.length > 0 ? lost : ['nothing']),
      section(
        'kept',
        kept.map(({ file, reason }) => `${file} (${reason})`),
      ),
    ].join(''),
  );
}

/** A recovery that would happen, for people. */
export function planText({ wal, checkpoint, history, plan }: StoreInspection, heading: string) {
  const removes = plan.removes.map((name) => `remove the temporary file ${name}`);
  return printable(
    [
      `${heading}\n`,
      section('found', foundLines(wal, checkpoint, history)),
      section('would decide', plan.decisions.map(decisionLine)),
      section('would do', [...plan.does, ...removes]),
      section('would lose', lossLines(plan)),
      section('would keep', plan.keeps),
    ].join(''),
  );
}

function lossLines({ outcome, loses }: StoreInspection['plan']): readonly string[] {
  if (loses.length > 0) return loses;
  return [outcome === 'refused' ? 'nothing is given up: the store stays closed' : 'nothing'];
}

function decisionLine({ label, because }: RecoveryDecision): string {
  return `${label}: ${because}`;
}

function foundLines(
  wal: WalEvidence | undefined,
  checkpoint: CheckpointEvidence | undefined,
  history: HistoryEvidence | undefined,
): string[] {
  return [
    walText(wal),
    ...(checkpoint ? [checkpointText(checkpoint)] : []),
    ...(history ? [historyText(history)] : []),
    ...(history?.refused ?? []).map(({ file, problem }) => `${file}: ${problem.message}`),
  ];
}

/** The log in one phrase. */
export function walText(wal: WalEvidence | undefined): string {
  if (wal === undefined || wal.verdict === 'absent') return 'no log';
  const where = wal.offset === undefined ? '' : ` at byte ${wal.offset}`;
  const why = wal.reason === undefined ? '' : `${where}: ${wal.reason}`;
  switch (wal.verdict) {
    case 'sealed':
      return `a sealed log with ${nameOfSave(wal)}; the checkpoint ${RELATIONS[wal.relation]}`;
    case 'partlyDamaged':
      return `a log with ${nameOfSave(wal)}, and damage behind it${why}; the checkpoint ${RELATIONS[wal.relation]}`;
    case 'torn':
    case 'unsealed':
      return `a log that was never sealed (${wal.verdict}${why})`;
    case 'damaged':
      return `a damaged log (${nameOfSave(wal)}${why})`;
    case 'unsupportedVersion':
      return `a log of a newer format (${wal.reason ?? 'version unknown'})`;
    case 'foreignTarget':
      return `a log of another checkpoint file (${wal.reason ?? 'which, is unknown'})`;
  }
}

const RELATIONS: Readonly<Record<WalEvidence['relation'], string>> = {
  preImage: 'is the one from before it',
  afterImage: 'holds it already',
  editedAfterImage: 'holds it already, edited',
  newer: 'is later',
  missing: 'is missing',
  other: 'is neither the one before nor the one after it',
  none: 'was not compared',
};

/** The checkpoint file in one phrase. */
export function checkpointText({ condition, sequence, size, problem }: CheckpointEvidence): string {
  const which = sequence === undefined ? 'the checkpoint' : `checkpoint ${sequence}`;
  switch (condition) {
    case 'missing':
      return 'no checkpoint file';
    case 'sealed':
      return `${which}, ${grouped(size)} bytes, its seal verifies`;
    case 'older':
      return `${which}, its seal verifies, but history has a later one`;
    case 'edited':
      return `${which}, edited since it was saved`;
    case 'unsealed':
      return 'a checkpoint file without a seal that parses';
    case 'damaged':
      return `${which}, damaged: ${whyText(problem)}`;
    case 'schemaInvalid':
      return `${which}, refused by the schema: ${whyText(problem)}`;
    case 'unsupportedVersion':
      return `${which}, sealed by a newer version of checkpoint-wal`;
  }
}

/** The reader of a text that has no name calls it "the YAML text"; here it is clear which is meant. */
function whyText(problem: CheckpointEvidence['problem']): string {
  return (problem?.message ?? 'it can not be read').replace(/^the YAML text, /, '');
}

function historyText({ entries, newest }: HistoryEvidence): string {
  if (entries === 0) return 'no history';
  const verified = newest ? `the newest that verifies is ${newest.sequence}` : 'none verifies';
  return `history with ${entries} ${entries === 1 ? 'entry' : 'entries'}; ${verified}`;
}
