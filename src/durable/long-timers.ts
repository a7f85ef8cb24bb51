/**
 * Timers for durable actors. Node's can't be set further ahead than 2^31 - 1 milliseconds, about 25 days,
 * and fire at once beyond: these go on in steps.
 */
const STEP_MS_MAX = 2 ** 31 - 1;

interface LongTimer {
  step: ReturnType<typeof setTimeout>;
}

/** Timers of this process, for any number of milliseconds. */
export const longTimers = {
  setTimeout(action: (...parameters: unknown[]) => void, afterMs: number): LongTimer {
    const start = (leftMs: number) =>
      setTimeout(
        () => {
          if (leftMs <= STEP_MS_MAX) action();
          else timer.step = start(leftMs - STEP_MS_MAX);
        },
        Math.min(leftMs, STEP_MS_MAX),
      );
    const timer: LongTimer = { step: start(afterMs) };
    return timer;
  },
  clearTimeout(timer: LongTimer): void {
    clearTimeout(timer.step);
  },
};
