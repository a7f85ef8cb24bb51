/**
 * Blocks this thread for a moment, for the few bounded retries that must stay synchronous.
 */

/** Sleeps about `milliseconds`, blocking the thread. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
