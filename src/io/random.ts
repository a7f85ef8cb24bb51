/**
 * Small seeded randomness for reproducible sampling; not for anything that must not be guessed.
 */

/** A stream of reproducible numbers. */
export interface Random {
  /** An integer from 0 up to `bound`, exclusive. */
  next(bound: number): number;
}

/** The stream of a seed: a linear congruential step on 32 bits, its output mixed (Steele & Vigna's constants). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next(bound) {
      state = (Math.imul(state, 0xadb4a92d) + 0x9e3779b9) >>> 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      mixed ^= mixed >>> 15;
      return Math.floor(((mixed >>> 0) / 2 ** 32) * bound);
    },
  };
}
