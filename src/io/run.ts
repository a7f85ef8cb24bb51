/**
 * Runs protocol code that is written once and works both ways: synchronously where every operation
 * answers at once (a simulated disk), asynchronously where one returns a promise (a real fsync).
 * An ordinary `async` function would yield to the event loop at each step even if nothing waits,
 * which makes crash exploration slow and its order uncertain. Assumes nothing about what is run.
 */

import type { MaybePromise } from './file-system.js';

/**
 * Protocol code for {@link run}: a generator that hands out the promises it waits for and ends with
 * a value of type `T`. Write it as `function*`, and every possible wait as `yield* wait(…)`.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/**
 * Runs `steps` to its end.
 *
 * - If the generator never meets a promise, the value is returned, or the error thrown, at once:
 *   nothing is deferred, not even by a microtask.
 * - From the first promise on, the rest is asynchronous and a promise of the value is returned.
 * - A rejection is thrown into the generator at its `wait`, so that `try`/`catch`/`finally` work.
 *
 * @throws whatever the generator throws; as a rejection once it has waited.
 */
export function run<T>(steps: Steps<T>): MaybePromise<T> {
  return proceed(steps, () => steps.next());
}

/**
 * Waits for `value` inside {@link run}: a promise suspends the generator until it settles, anything
 * else is returned at once.
 *
 * @throws what the promise rejects with.
 */
export function* wait<T>(value: MaybePromise<T>): Steps<T> {
  if (!isPromiseLike(value)) return value;
  // What `run` sends back is what this very promise resolved to.
  return (yield value as Promise<unknown>) as T;
}

/** How steps ended that nobody may be waiting for yet. */
export type Outcome =
  | { readonly failed: false }
  | { readonly failed: true; readonly error: unknown };

/** Starts steps now, to be waited for later or never: their error is a value, so that none goes unhandled. */
export function settle(steps: () => Steps<void>): MaybePromise<Outcome> {
  return run(
    (function* (): Steps<Outcome> {
      try {
        yield* steps();
        return { failed: false };
      } catch (error) {
        return { failed: true, error };
      }
    })(),
  );
}

/** Waits for steps that were started; throws their error. */
export function* succeeded(started: MaybePromise<Outcome>): Steps<void> {
  const outcome = yield* wait(started);
  if (outcome.failed) throw outcome.error;
}

function proceed<T>(
  steps: Steps<T>,
  resume: () => IteratorResult<Promise<unknown>, T>,
): MaybePromise<T> {
  const step = resume();
  if (step.done === true) return step.value;
  return step.value.then(
    (value) => proceed(steps, () => steps.next(value)),
    (reason: unknown) => proceed(steps, () => steps.throw(reason)),
  );
}

/** Whether `value` has to be waited for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
