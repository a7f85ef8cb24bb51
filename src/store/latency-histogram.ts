/**
 * Durations, summed up in a fixed number of classes, so that percentiles of any number of them take the
 * same few bytes. Neighbouring classes differ by a twelfth root of two: a percentile is at most 6 % above
 * what it stands for, and never above the greatest.
 */

/** Durations in milliseconds; all 0 where there were none. */
export interface Latency {
  /** How many were measured since the store was opened. */
  readonly count: number;
  /** Arithmetic mean, in milliseconds. */
  readonly meanMs: number;
  /** Median, in milliseconds, at most 6 % too high. */
  readonly p50Ms: number;
  /** 99th percentile, in milliseconds, at most 6 % too high. */
  readonly p99Ms: number;
  /** The longest, in milliseconds, exactly. */
  readonly maxMs: number;
}

const CLASSES_PER_DOUBLING = 12;
const SMALLEST_MS = 0.001;
/** Up to 2^27 times the smallest: two minutes. What takes longer is in the last class. */
const CLASSES = 27 * CLASSES_PER_DOUBLING + 1;

/** See the head of this file. */
export class LatencyHistogram {
  /** By class, those of which there are any. */
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  /** Takes a duration in; what a clock that was set back makes negative counts as 0. */
  add(ms: number): void {
    const duration = Math.max(0, ms);
    const doublings = Math.log2(Math.max(duration, SMALLEST_MS) / SMALLEST_MS);
    const index = Math.min(CLASSES - 1, Math.ceil(doublings * CLASSES_PER_DOUBLING));
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + 1);
    this.#count += 1;
    this.#sumMs += duration;
    this.#maxMs = Math.max(this.#maxMs, duration);
  }

  /** What was taken in, summed up. */
  summary(): Latency {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.#percentile(0.5),
      p99Ms: this.#percentile(0.99),
      maxMs: this.#maxMs,
    };
  }

  #percentile(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (const [index, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      seen += count;
      if (seen < wanted || wanted === 0) continue;
      const top =
        index === CLASSES - 1 ? Infinity : SMALLEST_MS * 2 ** (index / CLASSES_PER_DOUBLING);
      return Math.min(top, this.#maxMs);
    }
    return 0;
  }
}
