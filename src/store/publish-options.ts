/**
 * When a store publishes what it has logged: the option, its defaults and its checks. What it means:
 * `docs/protocol.md`, "Publishing later".
 */
import {
  AFTER_BYTES_MAX,
  DEFAULT_PUBLISH,
  type PublishPolicy,
} from '../machines/publish-policy.js';

/** Limits on what waits in the log; the first that is reached publishes it. */
export interface PublishOptions {
  /**
   * Milliseconds after the first save that waits; 1,000 by default. A store without saves for a moment
   * (0.1 to 0.2 seconds) publishes earlier. `Infinity`: no time publishes, not even an idle one.
   */
  readonly afterMs?: number | undefined;
  /** Bytes of the saves behind the first in the log; 8 MiB by default, 64 MiB at most. */
  readonly afterBytes?: number | undefined;
  /** Number of rounds in the log; 1,000 by default, `Infinity` for any. */
  readonly afterSaves?: number | undefined;
}

/** Timers can't be set further ahead than this; node fires them at once instead. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const KEYS = ['afterMs', 'afterBytes', 'afterSaves'];

/**
 * The policy of a store; `undefined` where every save is published at once.
 * @throws TypeError that names the option that can't be meant, and what it may be
 */
export function publishPolicy(
  publish: PublishOptions | 'every-save' | undefined,
): PublishPolicy | undefined {
  if (publish === undefined || publish === 'every-save') return undefined;
  if (typeof publish !== 'object' || publish === null) {
    throw new TypeError("publish is 'every-save' or an object of limits");
  }
  for (const key of Object.keys(publish)) {
    if (!KEYS.includes(key)) {
      throw new TypeError(`publish.${key} is no option; there are ${KEYS.join(', ')}`);
    }
  }
  const {
    afterMs = DEFAULT_PUBLISH.afterMs,
    afterBytes = DEFAULT_PUBLISH.afterBytes,
    afterSaves = DEFAULT_PUBLISH.afterSaves,
  } = publish;
  check('afterMs', afterMs, 1, TIMER_MAX_MS, true);
  check('afterBytes', afterBytes, 1, AFTER_BYTES_MAX, false);
  check('afterSaves', afterSaves, 1, Number.MAX_SAFE_INTEGER, true);
  return { afterMs, afterBytes, afterSaves };
}

function check(name: string, value: unknown, from: number, to: number, isOpen: boolean): void {
  if (isOpen && value === Number.POSITIVE_INFINITY) return;
  if (Number.isInteger(value) && Number(value) >= from && Number(value) <= to) return;
  const orInfinity = isOpen ? ', or Infinity' : '';
  throw new TypeError(`publish.${name} is an integer from ${from} to ${to}${orInfinity}`);
}
