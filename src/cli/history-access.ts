/**
 * Reading history for commands: without the lock, so also while another process has the store open.
 */

import { CheckpointError } from '../errors.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import { resolvePaths, type StorePaths } from '../io/store-paths.js';
import { parseSelector, selectCheckpoint } from '../store/checkpoint-selector.js';
import { type HistoryEntry, listHistory, readHistoryEntry } from '../store/history.js';
import { UsageError } from './cli-error.js';
import type { CliContext } from './context.js';

/** One store's history. */
export interface HistoryAccess {
  readonly paths: StorePaths;
  readonly entries: readonly HistoryEntry[];
  readonly read: (sequence: number) => ReturnType<typeof readHistoryEntry>;
  /** @throws UsageError, CheckpointError `NOT_IN_HISTORY` */
  readonly select: (text: string) => HistoryEntry;
}

/** Lists the history of the store that the options name. @throws CheckpointError `NO_STORE`, `READ_FAILED` */
export function accessHistory({ directory, file }: CliContext): HistoryAccess {
  const fs = createNodeFileSystem();
  const paths = resolvePaths(fs, directory, file);
  const entries = listHistory(fs, paths);
  if (entries.length === 0) {
    throw new CheckpointError(
      'NO_STORE',
      `There is no checkpoint in ${paths.directory}: neither ${paths.targetName} nor history.`,
      { file: paths.target },
    );
  }
  return {
    paths,
    entries,
    read: (sequence) => readHistoryEntry(fs, paths, sequence),
    select: (text) => {
      try {
        return selectCheckpoint(entries, parseSelector(text));
      } catch (error) {
        throw error instanceof TypeError ? new UsageError(`${error.message}.`) : error;
      }
    },
  };
}

/** How a checkpoint may be named, for `--help`. */
export const SELECTOR_HELP = `
A checkpoint is named by its number (12), its label (reviewed, or label:12 for one that looks like a
number), a time (before:2026-11-24T10:00Z), previous, or current.`;
