/**
 * A line on the terminal that says what is going on, for whatever takes longer than a second. Shows
 * nothing where nobody watches, and leaves nothing behind.
 */
import type { Writable } from 'node:stream';

/** See {@link createProgress}. */
export interface Progress {
  /** Shows what is going on while `work` runs: after a second, or at once where it is known to be long. */
  during<T>(
    what: string | (() => string),
    work: () => Promise<T>,
    options?: { atOnce?: boolean },
  ): Promise<T>;
  /** Takes the line away, so that something else can be printed there; it comes back by itself. */
  clear(): void;
}

const DELAY_MS = 1000;
const TICK_MS = 200;
/** Back to the start of the line, and clear it. */
const CLEAR = '\r\u001b[K';

/** Progress on `stream`; a silent one unless `enabled`. */
export function createProgress(stream: Writable, enabled: boolean): Progress {
  let shown = false;
  const clear = () => {
    if (shown) stream.write(CLEAR);
    shown = false;
  };
  return {
    clear,
    async during(what, work, { atOnce = false } = {}) {
      if (!enabled) return await work();
      const startedMs = performance.now();
      const show = () => {
        const elapsedMs = performance.now() - startedMs;
        if (!atOnce && elapsedMs < DELAY_MS) return;
        shown = true;
        stream.write(
          `${CLEAR}${typeof what === 'function' ? what() : what} … ${Math.floor(elapsedMs / 1000)} s`,
        );
      };
      const timer = setInterval(show, TICK_MS);
      timer.unref();
      show();
      try {
        return await work();
      } finally {
        clearInterval(timer);
        clear();
      }
    },
  };
}
