/**
 * What an exploration tells: what was done, and what did not hold, each with how it was come to.
 */
import type { DiskState } from '../io/disk-state.js';
import type { Coverage } from './coverage.js';

/** A check that did not hold. */
export interface Failure {
  /** The name of the check. */
  readonly check: string;
  /** In words: what was found, and what was promised. */
  readonly message: string;
}

/** What was done. */
export interface ExploreCounts {
  /** Moments at which the clock was stopped. */
  readonly moments: number;
  /** Crash images taken. */
  readonly images: number;
  /** Of them, those that no earlier image equalled; what comes of each was checked. */
  readonly distinct: number;
  /** Of those, the ones whose recovery was run; that of the others was known to do the same. */
  readonly recovered: number;
  /** How many checks did not hold. */
  readonly failures: number;
}

/** The outcome of an exploration. */
export interface ExploreReport {
  /** What was done. */
  readonly counts: ExploreCounts;
  /** What did not hold; empty is what one wants to see. */
  readonly failures: readonly FoundFailure[];
  /** How often each transition of the statecharts was crashed at. */
  readonly coverage: Coverage;
  /**
   * Whether every image of every moment was taken, rather than a sample. What follows a mere kill is
   * always sampled.
   */
  readonly exhaustive: boolean;
}

/** A failed check and how it was come to. */
export interface FoundFailure extends Failure {
  /** One entry for each crash. */
  readonly trail: readonly TrailStep[];
  /** What had been promised at the first of them. */
  readonly promised: unknown;
}

/** One crash on the way to a failure. */
export interface TrailStep {
  /** What the program was at. */
  readonly at: string;
  /** What became of each pending operation. */
  readonly fates: readonly string[];
  /** What the disk held afterwards. */
  readonly state: DiskState;
}
