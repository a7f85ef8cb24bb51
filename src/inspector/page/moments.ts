/**
 * What one can scrub to: every entry, and between entries every crash. A moment is an index into both
 * together, so that a crash is a place of its own in the timeline. Pure.
 */
import type { CrashView } from '../run-model.js';

/** One moment: an entry, or a crash after `entry` (-1 before the first one). */
export interface Moment {
  readonly entry: number;
  /** Index of the crash, where the moment is one. */
  readonly crash?: number;
}

/** The moments of a run that may grow. */
export class Moments {
  /** Moments that are crashes, ascending. */
  readonly #crashes: readonly number[];
  readonly #entryCount: () => number;

  constructor(crashes: readonly CrashView[], entryCount: () => number) {
    this.#crashes = crashes.map(({ at }, index) => at + 1 + index);
    this.#entryCount = entryCount;
  }

  /** How many there are. */
  get count(): number {
    return this.#entryCount() + this.#crashes.length;
  }

  /** What a moment is. */
  at(moment: number): Moment {
    let before = 0;
    for (const place of this.#crashes) {
      if (place === moment) return { entry: moment - before - 1, crash: before };
      if (place < moment) before += 1;
    }
    return { entry: moment - before };
  }

  /** The moment of an entry. */
  ofEntry(entry: number): number {
    let moment = entry;
    for (const place of this.#crashes) if (place <= moment) moment += 1;
    return moment;
  }

  /** The moments that are crashes. */
  get crashes(): readonly number[] {
    return this.#crashes;
  }
}
