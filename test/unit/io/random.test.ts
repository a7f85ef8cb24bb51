/** Reproducible numbers: the same for a seed, spread evenly, different between seeds. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../src/io/random.js';

const take = (seed: number, count: number, bound: number) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.next(bound));
};

describe('a stream of numbers', () => {
  test('is the same for the same seed, in this version and in the next', () => {
    expect(take(1, 50, 1000)).toEqual(take(1, 50, 1000));
    // A saved case names its seed: these numbers must never change.
    expect(take(1, 8, 1000)).toEqual([615, 493, 165, 637, 332, 491, 726, 953]);
  });

  test.each([0, 1, 2, -1, 2 ** 31, 2 ** 32 - 1])(
    'differs between seed %i and its neighbour',
    (seed) => {
      expect(take(seed, 20, 1000)).not.toEqual(take(seed + 1, 20, 1000));
    },
  );

  test.each([1, 2, 3, 7, 100, 2 ** 30])('keeps below the bound %i', (bound) => {
    for (const one of take(5, 2000, bound)) {
      expect(Number.isInteger(one) && one >= 0 && one < bound).toBe(true);
    }
  });

  test.each([2, 3, 5])(
    'gives each of %i values about equally often, also after each other',
    (bound) => {
      const numbers = take(9, 20_000, bound);
      const counts = new Map<string, number>();
      for (const [index, one] of numbers.entries()) {
        const pair = `${one},${numbers[index + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
      const expected = numbers.length / bound ** 2;
      for (let left = 0; left < bound; left += 1) {
        for (let right = 0; right < bound; right += 1) {
          const count = counts.get(`${left},${right}`) ?? 0;
          expect(Math.abs(count - expected), `${left},${right}`).toBeLessThan(expected * 0.15);
        }
      }
    },
  );

  test('does not run in a short circle', () => {
    expect(new Set(take(3, 10_000, 2 ** 30)).size).toBeGreaterThan(9_950);
  });
});
