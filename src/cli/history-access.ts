/**
 * Reading history for commands: without the lock, so also while another process has the store open.
 * Reads no more of a long history than what is asked for.
 */

import { CheckpointError } from '../errors.js';
import type { CheckpointSelector } from '../io/checkpoint-io.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import { resolvePaths, type StorePaths } from '../io/store-paths.js';
import { parseSelector, selectCheckpoint } from '../store/checkpoint-selector.js';
import {
  countHistory,
  type FoundCheckpoint,
  type HistoryEntry,
  listHistory,
  readHistoryEntry,
  readListed,
} from '../store/history.js';
import { inspectStore } from '../store/inspect-store.js';
import { UsageError } from './cli-error.js';
import type { CliContext } from './context.js';
import { noteIfBehind } from './get-command.js';

/** One store's history. */
export interface HistoryAccess {
  readonly paths: StorePaths;
  /** How many checkpoints there are, the current one among them. */
  readonly total: number;
  /** The newest, ascending. */
  readonly list: (newest: number) => HistoryEntry[];
  /** @throws as {@link readListed} does */
  readonly read: (entry: HistoryEntry) => FoundCheckpoint;
  /** @throws UsageError, CheckpointError `NOT_IN_HISTORY`, `ENTRY_DAMAGED` */
  readonly select: (text: string) => HistoryEntry;
}

/**
 * Opens the history of the store that the options name. Where the last promised state is only in the
 * log, says so on stderr.
 * @throws CheckpointError `NO_STORE`, `READ_FAILED`
 */
export async function accessHistory(context: CliContext): Promise<HistoryAccess> {
  const { directory, file } = context;
  const fs = createNodeFileSystem();
  const paths = resolvePaths(fs, directory, file);
  if (fs.statLink(paths.wal) !== undefined) {
    noteIfBehind(context, await inspectStore({ directory, file }));
  }
  const [newest] = listHistory(fs, paths, { newest: 1 });
  if (newest === undefined) throw noStore(paths);
  const list = (many: number) => listHistory(fs, paths, { newest: many });
  return {
    paths,
    total: countHistory(fs, paths, newest),
    list,
    read: (entry) => readListed(fs, paths, entry),
    select: (text) => {
      const selector = selectorIn(text);
      // A number is found by its file's name, the newest by theirs; a label only by reading them all.
      const numbered = entryWithNumber(selector, (one) => readHistoryEntry(fs, paths, one).entry);
      if (numbered !== undefined) return numbered;
      const isPlace = selector === 'previous' || selector === 'current';
      return selectCheckpoint(list(isPlace ? 2 : Number.POSITIVE_INFINITY), selector);
    },
  };
}

/** A selector as it was typed. @throws UsageError */
export function selectorIn(text: string): CheckpointSelector {
  try {
    if (text === '') throw new TypeError('an empty text names no checkpoint');
    return parseSelector(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${error.message}.`, SELECTOR_HELP.trim());
  }
}

function entryWithNumber(
  selector: CheckpointSelector,
  read: (sequence: number) => HistoryEntry,
): HistoryEntry | undefined {
  if (typeof selector !== 'object' || !('sequence' in selector)) return undefined;
  try {
    return read(selector.sequence);
  } catch (error) {
    // Who looks at them all can say more about what was meant.
    if (error instanceof CheckpointError && error.code === 'NOT_IN_HISTORY') return undefined;
    throw error;
  }
}

function noStore({ directory, targetName, target }: StorePaths): CheckpointError {
  return new CheckpointError(
    'NO_STORE',
    `There is no checkpoint in ${directory}: neither ${targetName} nor history.`,
    { file: target },
  );
}

/** How a checkpoint may be named, for `--help`. */
export const SELECTOR_HELP = `
A checkpoint is named by its number (12), its label (reviewed, or label:12 for one that looks like a
number), a time (before:2026-11-24T10:00Z), previous, or current.`;
