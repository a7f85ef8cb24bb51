/** The runner of protocol code: synchronous while nothing waits, asynchronous from the first promise. */

import { describe, expect, test } from 'vitest';
import type { MaybePromise } from '../../../src/io/file-system.js';
import { run, type Steps, wait } from '../../../src/io/run.js';

function* sum(values: readonly MaybePromise<number>[]): Steps<number> {
  let total = 0;
  for (const value of values) total += yield* wait(value);
  return total;
}

describe('run', () => {
  test('returns plainly when nothing is a promise', () => {
    expect(run(sum([1, 2, 3]))).toBe(6);
    expect(run(sum([]))).toBe(0);
  });

  test('throws synchronously when nothing is a promise', () => {
    function* failing(): Steps<never> {
      yield* wait(1);
      throw new RangeError('at once');
    }
    expect(() => run(failing())).toThrow(RangeError);
  });

  test('returns a promise from the first promise on, in whatever order values come', async () => {
    const result = run(sum([1, Promise.resolve(2), 3, Promise.resolve(4)]));
    expect(result).toBeInstanceOf(Promise);
    await expect(result).resolves.toBe(10);
  });

  test('runs everything before the first promise at once', () => {
    const order: string[] = [];
    function* steps(): Steps<void> {
      order.push('before');
      yield* wait(Promise.resolve());
      order.push('after');
    }
    const result = run(steps());
    order.push('returned');
    return Promise.resolve(result).then(() => {
      expect(order).toEqual(['before', 'returned', 'after']);
    });
  });

  test('throws a rejection into the generator, so that catch and finally work', async () => {
    const order: string[] = [];
    function* steps(): Steps<string> {
      try {
        yield* wait(Promise.reject(new Error('sync failed')));
        return 'unreachable';
      } catch (error) {
        order.push(String(error));
        yield* wait(Promise.resolve());
        return 'caught';
      } finally {
        yield* wait(Promise.resolve());
        order.push('finally');
      }
    }
    await expect(run(steps())).resolves.toBe('caught');
    expect(order).toEqual(['Error: sync failed', 'finally']);
  });

  test('rejects with what the generator throws after it has waited, a plain value too', async () => {
    function* steps(): Steps<void> {
      yield* wait(Promise.resolve());
      throw 'not even an error';
    }
    await expect(run(steps())).rejects.toBe('not even an error');
  });

  test('runs finally when a synchronous step throws', () => {
    let cleaned = false;
    function* steps(): Steps<void> {
      try {
        yield* wait(undefined);
        throw new Error('stop');
      } finally {
        cleaned = true;
      }
    }
    expect(() => run(steps())).toThrow('stop');
    expect(cleaned).toBe(true);
  });

  test('passes values through that only look like work: undefined, null, functions, objects', () => {
    function* steps(value: unknown): Steps<unknown> {
      return yield* wait(value);
    }
    const object = { catch: 1 };
    for (const value of [undefined, null, 0, '', run, object])
      expect(run(steps(value))).toBe(value);
  });

  test('nests: steps inside steps, and a run inside steps', async () => {
    function* outer(): Steps<number> {
      const inner = yield* sum([1, Promise.resolve(2)]);
      return inner + (yield* wait(run(sum([Promise.resolve(3)]))));
    }
    await expect(run(outer())).resolves.toBe(6);
  });

  test('a hundred thousand synchronous steps and a thousand waits do not exhaust the stack', async () => {
    expect(run(sum(new Array<number>(100_000).fill(1)))).toBe(100_000);
    const waits = Array.from({ length: 1000 }, () => Promise.resolve(1));
    await expect(run(sum(waits))).resolves.toBe(1000);
  });
});
