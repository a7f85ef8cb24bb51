/**
 * What pruning remembers of a history between saves, so that no save has to look through all of it.
 * Filled by `retention.ts`, which prunes, and told of each entry that the store itself keeps.
 */

/** An entry that may be pruned one day; without a time its seal line has not been read yet. */
export interface Candidate {
  readonly sequence: number;
  readonly timeMs?: number;
}

/** See the head of this file. */
export interface Retention {
  /** Entries that are not known to be pinned, ascending. */
  readonly candidates: Candidate[];
  /** So many at the end of {@link candidates} have been read. */
  known: number;
}

/** Takes note of an entry that this store has just kept, so that it need not be read again. */
export function noteKept(
  retention: Retention | undefined,
  { sequence, timeMs }: Required<Candidate>,
  pinned: boolean,
): void {
  if (retention === undefined || pinned) return;
  const { candidates } = retention;
  let at = candidates.length;
  while (at > 0 && (candidates[at - 1]?.sequence ?? 0) > sequence) at -= 1;
  if (candidates[at - 1]?.sequence === sequence) return;
  // One that comes before entries which were not read yet is read together with them.
  const isAmongKnown = candidates.length - at <= retention.known;
  candidates.splice(at, 0, isAmongKnown ? { sequence, timeMs } : { sequence });
  if (isAmongKnown) retention.known += 1;
}
