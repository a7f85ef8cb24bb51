import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRandomPool } from '../../../src/io/random-pool.js';

describe('a pool of random bytes', () => {
  afterEach(() => vi.restoreAllMocks());

  it('asks the system once for hundreds of portions, and gives none twice', () => {
    const asked = vi.spyOn(crypto, 'getRandomValues');
    const random = createRandomPool();
    const portions = Array.from({ length: 512 }, () => random(8).toString());
    expect(asked).toHaveBeenCalledTimes(1);
    expect(new Set(portions).size).toBe(512);
    random(8);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('hands out bytes of their own, which later portions leave alone', () => {
    const random = createRandomPool();
    const first = random(16);
    const copy = Uint8Array.from(first);
    for (let count = 0; count < 1000; count += 1) random(16);
    expect(first).toEqual(copy);
  });

  it('gives as many as are asked for, also more than the pool holds', () => {
    const random = createRandomPool();
    expect([0, 1, 4096, 10_000].map((length) => random(length).length)).toEqual([
      0, 1, 4096, 10_000,
    ]);
  });
});
