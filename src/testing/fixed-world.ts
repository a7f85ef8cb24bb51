/**
 * The chance and the time that the lab's stores see: the same in every run, so that crashes which lead to
 * the same files lead to the same bytes and names, and the states after them are recovered once. Assumes
 * nothing of a store but that no promise depends on either; `docs/testing.md` says so.
 */
import { createRandom } from '../io/random.js';
import type { StoreClock } from '../store/store-options.js';

/** After every time stamp of a simulated disk, so that these are believed as those of a real disk are. */
const NOW_MS = Date.UTC(2040, 0, 1);
/** Time stands still, so no timer ever fires; a real one would keep every store of a crash alive for minutes. */
const clock = { now: () => NOW_MS, setTimeout: () => undefined, clearTimeout: () => {} };

/** Who draws. Streams differ, so that no two of those who share a disk come to the same name. */
export type DrawsFrom =
  | 'the run'
  | 'a second recovery'
  | 'a recovery after a refusal'
  | `recovery ${number}`;

/** The options of a store that tie it to the lab rather than to this machine. */
export interface FixedWorld {
  readonly clock: StoreClock;
  readonly random: (length: number) => Uint8Array;
}

/** Options for all stores of one run, or of one recovery. */
export function fixedWorld(who: DrawsFrom): FixedWorld {
  const random = createRandom(seedOf(who));
  return {
    clock,
    random: (length) => {
      const drawn = new Uint8Array(length);
      for (let at = 0; at < length; at += 1) drawn[at] = random.next(256);
      return drawn;
    },
  };
}

function seedOf(who: DrawsFrom): number {
  if (who === 'the run') return 1;
  if (who === 'a second recovery') return 2;
  if (who === 'a recovery after a refusal') return 3;
  return 100 + Number(who.slice('recovery '.length));
}
