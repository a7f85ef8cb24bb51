/** Machines as a diagnosis sees them, with whatever a test wants to be different. */
import type { MountFacts, SpaceFacts, SystemProbe } from '../../src/io/system-probe.js';

export const EXT4: MountFacts = {
  type: 'ext4',
  source: '/dev/disk',
  mountPoint: '/',
  options: ['rw', 'relatime'],
};

export const ROOMY: SpaceFacts = {
  magic: 0xef53,
  freeBytes: 2 ** 30,
  totalBytes: 2 ** 31,
  freeInodes: 10_000,
};

/** The times of everything in memory: a plausible date. */
export const NOW_MS = Date.UTC(2024, 0, 2);

/** A sound Linux machine whose every sync takes a quarter of a millisecond. */
export function soundSystem(
  changes: Partial<SystemProbe> & {
    readonly mount?: MountFacts | undefined;
    readonly space?: SpaceFacts | undefined;
  } = {},
): SystemProbe {
  const { mount = EXT4, space = ROOMY, ...rest } = changes;
  let elapsedMs = 0;
  let next = 0;
  return {
    platform: 'linux',
    nodeVersion: '20.19.0',
    nodeVersionMin: '20.19',
    userId: 0,
    now: () => NOW_MS,
    elapsedMs: () => {
      elapsedMs += 0.25;
      return elapsedMs;
    },
    random: (length) => new Uint8Array(length).map(() => next++),
    hasKernelLocks: () => true,
    mountOf: () => mount,
    spaceOf: () => space,
    pause: () => Promise.resolve(),
    ...rest,
  };
}
