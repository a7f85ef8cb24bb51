/**
 * A checkpoint as it is named on the command line. Owns the words for it in `--help`, and that what
 * can't be read is a usage error. The forms are those of `parseSelector`.
 */
import { type CheckpointSelector, parseSelector } from '../store/checkpoint-selector.js';
import { UsageError } from './cli-error.js';

/** What a command's help says of such an argument. */
export const SELECTOR_HELP = 'a number, a label (or label:NAME), before:TIME, previous or current';

/** Reads a selector. @throws UsageError for what can't be read as one */
export function readSelector(text: string): CheckpointSelector {
  try {
    return parseSelector(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(error.message, `A checkpoint is named by ${SELECTOR_HELP}.`);
  }
}
