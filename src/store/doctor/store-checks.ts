/**
 * Judging a store's own files: the checkpoint against its seal, what a crash left behind, history,
 * quarantine, and the failure detector's memory. Pure: facts in, a check out.
 */
import type { HealthMemory } from '../../format/health-format.js';
import type { HistoryCount, QuarantineCount } from '../../io/store-facts.js';
import { counting } from '../../machines/failure-memory.js';
import type { StoreInspection } from '../inspect-store.js';
import { nameOfSave } from '../recovery-words.js';
import { type DoctorCheck, type Finding, fine, problem, warning } from './doctor-check.js';
import { bytesText, countText, timeText } from './measures.js';

const RECOVER = 'Run: checkpoint-wal recover';

/** The checkpoint file against its seal, as `inspectStore` judged it; absent where there is no store yet. */
export function judgeCheckpoint(inspection: StoreInspection | undefined): DoctorCheck {
  const name = 'checkpoint';
  if (inspection === undefined) {
    const means = 'There is nothing to lose yet.';
    return fine(name, 'nothing is saved here yet', means);
  }
  const { checkpoint, plan, health } = inspection;
  const { condition, sequence, problem: reason } = checkpoint;
  const which = sequence === undefined ? 'the checkpoint' : `checkpoint ${sequence}`;
  const why = reason === undefined ? '' : `: ${reason.message}`;
  const found = `${which}, ${CONDITIONS[condition]}${why}`;
  if (health === 'corrupt') {
    const means = `The next open will be refused: ${plan.problem?.message ?? 'nothing valid is left'}`;
    const advice = 'See what is there: checkpoint-wal status, checkpoint-wal verify';
    return problem({ name, found, means, advice, affects: ['recoverable'] });
  }
  switch (condition) {
    case 'sealed':
      return fine(name, found, 'These are the bytes that were saved.');
    case 'missing':
      if (!checkpoint.everPublished) return fine(name, found, 'There is nothing to lose yet.');
      break;
    case 'unsealed':
    case 'edited': {
      const means =
        'What was edited by hand lies in this file only, until the next open saves it. A power failure may take it.';
      return warning({ name, found, means, advice: RECOVER, affects: ['durable'] });
    }
  }
  const means = `A recovery will: ${plan.does.join('; ') || 'go on'}. It loses: ${plan.loses.join('; ') || 'nothing'}.`;
  const advice = `See what it would do: checkpoint-wal recover --dry-run`;
  return problem({ name, found, means, advice });
}

const CONDITIONS: Readonly<Record<StoreInspection['checkpoint']['condition'], string>> = {
  missing: 'missing',
  sealed: 'its seal verifies',
  older: 'its seal verifies, but history has a later one',
  edited: 'edited since it was saved',
  unsealed: 'without a seal: not saved by a store yet',
  damaged: 'damaged',
  schemaInvalid: 'refused by the schema',
  unsupportedVersion: 'sealed by a newer version',
};

/** The log, and the temporary files that a crash left. In an open store both are a save's own. */
export function judgeLeftovers(
  inspection: Pick<StoreInspection, 'wal' | 'holder' | 'plan' | 'temporaries'> | undefined,
): DoctorCheck {
  const name = 'left by a crash';
  const { wal, holder, plan, temporaries = [] } = inspection ?? {};
  if (holder !== undefined) {
    const what = wal === undefined ? 'no save is in flight' : `${nameOfSave(wal)} is in flight`;
    return fine(name, `the store is open, ${what}`, "The log is the open store's own business.");
  }
  const files = temporaries.length === 0 ? [] : [countText(temporaries.length, 'temporary file')];
  if (wal === undefined) {
    if (files.length === 0) return fine(name, 'no log, no temporary files', 'Nothing is pending.');
    const found = `${files.join()}: ${temporaries.slice(0, 3).join(', ')}`;
    const means = 'They take room and do no harm; the next open removes them.';
    return warning({ name, found, means, advice: RECOVER });
  }
  const found = ['a log', ...files].join(' and ');
  const means = `The next open will: ${plan?.does[0] ?? 'deal with it'}. Until then the file is not the last promised state.`;
  return warning({ name, found, means, advice: RECOVER });
}

/** Whether there is a checkpoint to go back to. */
export function judgeHistory(facts: HistoryCount): DoctorCheck {
  const { entries, oldest, newest, read, bad } = facts;
  const name = 'history';
  if (entries === 0) {
    const means =
      'The first save begins it; until there are two, damage leaves nothing to go back to.';
    return fine(name, 'empty', means);
  }
  const span =
    oldest && newest
      ? `, ${oldest.sequence} (${timeText(oldest.timeMs)}) to ${newest.sequence} (${timeText(newest.timeMs)})`
      : '';
  const counted = `${countText(entries, 'entry', 'entries')}${span}`;
  if (bad.length === 0) {
    const found = `${counted}; the newest ${read === 1 ? 'one verifies' : `${read} verify`}`;
    return fine(name, found, 'There is a checkpoint to go back to.');
  }
  const which = bad.map(({ sequence, reason }) => `${sequence} (${reason})`).join(', ');
  const finding: Finding = {
    name,
    found: `${counted}; of the newest ${read} do not verify: ${which}`,
    means: 'A recovery passes over entries that do not verify.',
    advice:
      'See all of them: checkpoint-wal verify. Bring them back from a backup if you have one.',
    affects: ['recoverable'],
  };
  return bad.length < read ? warning(finding) : problem(finding);
}

/** What recovery has set aside. */
export function judgeQuarantine({ files, bytes, newest }: QuarantineCount): DoctorCheck {
  const name = 'quarantine';
  if (files === 0) return fine(name, 'empty', 'Nothing was ever set aside.');
  const last = newest ? `, newest ${newest.name} (${timeText(newest.modifiedMs)})` : '';
  return warning({
    name,
    found: `${countText(files, 'file')}, ${bytesText(bytes)}${last}`,
    means: 'Bytes that could not be explained or used. They are kept until a person removes them.',
    advice: 'Look into quarantine/, take what you need, then delete the files there.',
  });
}

/** What is remembered of failures, and what it is judged by. */
export interface MemoryFacts {
  readonly memory?: HealthMemory;
  /** Why the file can't be read. */
  readonly reason?: string;
  readonly nowMs: number;
  /** SHA-256 of the present text. */
  readonly digest?: string;
  readonly sequence: number;
  readonly isOpen: boolean;
}

/** Counted so where the memory does not say by which rules. */
const USUAL_WINDOW_MS = 600_000;
const HEALTHY_ADVICE = 'Find out why it fails. Then run: checkpoint-wal mark-healthy';

/** The failure detector's memory. It breaks no guarantee; it may keep a store from opening. */
export function judgeMemory(facts: MemoryFacts): DoctorCheck {
  const { memory, reason, nowMs, digest, sequence, isOpen } = facts;
  const name = 'failures';
  if (reason !== undefined) {
    const found = `.checkpoint.health can not be read (${reason})`;
    const means = 'The next open sets it aside and begins to count anew.';
    return warning({ name, found, means });
  }
  if (memory?.stopped) {
    const found = `stopped: ${memory.stopped.because}`;
    const means = 'The next open is refused (RESTORES_EXHAUSTED): restoring did not help.';
    const advice = 'Find out why the program fails. Then run: checkpoint-wal reset';
    return problem({ name, found, means, advice });
  }
  const current = digest === undefined ? {} : { current: { sequence, digest } };
  const window = { windowMs: memory?.policy?.windowMs ?? USUAL_WINDOW_MS };
  const failures = memory ? counting(memory, window, { nowMs, ...current }) : [];
  const bad = memory?.bad.length ?? 0;
  const crashed = memory?.attempt !== undefined && !isOpen;
  const found = [
    countText(failures.length, 'failure that counts', 'failures that count'),
    ...(failures.length > 0 ? [`newest: ${failures.at(-1)?.signal}`] : []),
    ...(bad > 0 ? [countText(bad, 'checkpoint marked bad', 'checkpoints marked bad')] : []),
    ...(crashed ? ['the last run did not end with close()'] : []),
  ].join('; ');
  if (failures.length === 0 && bad === 0 && !crashed) {
    return fine(name, found, 'Nothing keeps the store from opening.');
  }
  const limit = memory?.policy?.threshold;
  const means = `${limit === undefined ? 'Failures past the threshold' : countText(limit, 'failure')} lead to an earlier checkpoint; those marked bad are passed over.`;
  return warning({ name, found, means, advice: HEALTHY_ADVICE });
}
