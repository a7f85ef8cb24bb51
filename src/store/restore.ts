/**
 * Bringing an earlier checkpoint back: which one is meant, whether it verifies, and whether what it
 * names is there. The restore itself is a save of the store.
 */
import { CheckpointError } from '../errors.js';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import type { ArtifactCheck } from '../io/artifacts.js';
import type { CheckpointHistory, CheckpointSelector } from '../io/checkpoint-io.js';
import { selectCheckpoint } from './checkpoint-selector.js';
import type { HistoryEntry } from './history.js';

/** Which checkpoint to restore, and how. */
export type RestoreTarget = CheckpointSelector | (CheckpointSelector & RestoreCall);

/** How to restore. */
export interface RestoreCall {
  /** Only says what would be restored; nothing is changed. */
  readonly dryRun?: boolean | undefined;
  /** Restores although artifacts that the checkpoint names are missing or changed. */
  readonly allowMissingArtifacts?: boolean | undefined;
}

/** What a restore did, or would do. */
export interface RestoreResult {
  /** The checkpoint that was restored. */
  readonly from: HistoryEntry;
  /** The number that it has now; absent of a dry run. */
  readonly sequence?: number;
  /** Its text, without the seal. */
  readonly text: string;
  /** How the artifacts that it names are. */
  readonly artifacts: readonly ArtifactCheck[];
}

/**
 * Finds and verifies what is to be restored.
 * @throws CheckpointError `NOT_IN_HISTORY`, `ENTRY_DAMAGED`, `ARTIFACTS_NOT_INTACT`, `READ_FAILED`
 */
export async function planRestore(
  history: CheckpointHistory,
  target: RestoreTarget,
  verify: (records: readonly ArtifactRecord[]) => Promise<ArtifactCheck[]>,
): Promise<Omit<RestoreResult, 'sequence'>> {
  const entries = await history.list();
  // The current checkpoint is a save away from being history: it counts under its number there.
  const { sequence } = selectCheckpoint(entries, target);
  const { entry, text, artifacts: records } = await history.read(sequence);
  const artifacts = await verify(records);
  const { dryRun, allowMissingArtifacts } = callOf(target);
  const wrong = artifacts.filter(({ state }) => state !== 'intact');
  if (wrong.length > 0 && dryRun !== true && allowMissingArtifacts !== true) {
    throw notIntact(sequence, wrong);
  }
  return { from: entry, text, artifacts };
}

/** The part of a target that says how. */
export function callOf(target: RestoreTarget): RestoreCall {
  return typeof target === 'object' ? (target as RestoreCall) : {};
}

function notIntact(sequence: number, wrong: readonly ArtifactCheck[]): CheckpointError {
  const named = wrong.slice(0, 3).map(({ path, state }) => `${path} (${state})`);
  const more = wrong.length > 3 ? ` and ${wrong.length - 3} more` : '';
  return new CheckpointError(
    'ARTIFACTS_NOT_INTACT',
    `Checkpoint ${sequence} names artifacts that are not as they were: ${named.join(', ')}${more}. Nothing was changed. Bring them back, or restore with allowMissingArtifacts (--allow-missing-artifacts).`,
    { sequence, artifacts: wrong, outcome: 'notSaved' },
  );
}
