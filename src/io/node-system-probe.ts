/**
 * The machine as node tells it: `statfs`, the mount table of Linux, the clocks. Reads only; whatever
 * the platform does not tell is `undefined`, never a guess.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, statfsSync } from 'node:fs';
import { loadKernelLocks } from './kernel-lock.js';
import { findMount } from './mount-table.js';
import { packageFile } from './node-package.js';
import type { MountFacts, SpaceFacts, SystemProbe } from './system-probe.js';

/** The {@link SystemProbe} of this machine and process. */
export function createNodeSystemProbe(): SystemProbe {
  const userId = process.geteuid?.();
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    nodeVersionMin: requiredNode(),
    ...(userId !== undefined && { userId }),
    now: () => Date.now(),
    elapsedMs: () => performance.now(),
    random: (length) => randomBytes(length),
    hasKernelLocks: () => loadKernelLocks() !== undefined,
    mountOf,
    spaceOf,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

function mountOf(directory: string): MountFacts | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return findMount(readFileSync('/proc/self/mountinfo', 'utf8'), directory);
  } catch {
    // Without /proc the magic number has to do.
    return undefined;
  }
}

function spaceOf(directory: string): SpaceFacts | undefined {
  try {
    const { type, bsize, bavail, blocks, files, ffree } = statfsSync(directory);
    return {
      magic: type,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      // File systems that make inodes as they need them count none.
      ...(files > 0 && { freeInodes: ffree }),
    };
  } catch {
    return undefined;
  }
}

/** The lowest version in `engines` of this package, which stands in one place only. */
function requiredNode(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  return /"node":\s*">=\s*([\d.]+)"/.exec(text)?.[1] ?? '0';
}
