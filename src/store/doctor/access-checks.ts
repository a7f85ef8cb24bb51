/**
 * Judging who may do what: writing in the directory, the one writer's lock, names and owners of the
 * files, the clock, and the platform. Pure: facts in, a check out.
 */
import type { FileLock, FileStat, LockOwner } from '../../io/file-system.js';
import type { SystemProbe } from '../../io/system-probe.js';
import { type DoctorCheck, fine, problem, warning } from './doctor-check.js';
import { spanText, timeText } from './measures.js';

/** How locks work here. */
export interface LockFacts {
  /** Whether the native package is there. */
  readonly hasKernelLocks: boolean;
  /** Whether locking could be tried: not where nothing can be written. */
  readonly tried: boolean;
  /** The kind that was had by trying; absent where none was. */
  readonly kind?: FileLock['kind'];
  readonly holder?: LockOwner;
}

/** Whether two writers exclude each other, and who is one now. */
export function judgeLock({ hasKernelLocks, tried, kind, holder }: LockFacts): DoctorCheck {
  const name = 'lock';
  const who = holder
    ? `held by process ${holder.pid} on ${holder.host} since ${holder.since}`
    : 'free';
  if (kind === 'kernel' || kind === 'memory') {
    const means = 'One writer at a time; the system itself releases the lock of a dead one.';
    return fine(name, `kernel lock, ${who}`, means);
  }
  if (!tried) {
    const means = 'Nothing can be written here, so no lock could be tried, and nobody can save.';
    const advice = 'Make the directory writable first, then run doctor again.';
    return warning({ name, found: `not tried, ${who}`, means, advice });
  }
  if (kind === undefined) {
    const means = 'Whether two writers would exclude each other is not known.';
    const advice = 'See what the other checks say about the directory.';
    const found = `none could be taken, ${who}`;
    return problem({ name, found, means, advice, affects: ['oneWriter'] });
  }
  const means =
    "The lock is a file with its owner's process. It holds on one machine; two containers that share the directory can't judge each other.";
  const advice = hasKernelLocks
    ? 'This file system has no kernel locks: use one that has.'
    : 'Install the optional package: npm install fs-native-extensions';
  const why = hasKernelLocks ? 'no kernel locks here' : 'fs-native-extensions is not installed';
  return warning({
    name,
    found: `owner file (${why}), ${who}`,
    means,
    advice,
    affects: ['oneWriter'],
  });
}

/** The files whose owners and names are judged. */
export interface AccessFacts {
  readonly directory: FileStat;
  /** What was asked for, if it differs from where the checkpoint lies: a symbolic link. */
  readonly linkedFrom?: string;
  readonly target?: FileStat;
  /** Names of the checkpoint file that history accounts for: a link that a save was cut off after. */
  readonly ownLinks: number;
  readonly userId?: number;
}

const OTHERS_WRITE = 0o002;

/** Owner, mode and names of the directory and the checkpoint. */
export function judgeAccess(facts: AccessFacts): DoctorCheck {
  const { directory, target, linkedFrom, ownLinks, userId } = facts;
  const name = 'owner and names';
  const mode = `mode ${directory.mode.toString(8).padStart(3, '0')}`;
  const at = linkedFrom === undefined ? '' : `, reached by the symbolic link ${linkedFrom}`;
  const found = `directory of user ${directory.uid}, ${mode}${at}`;
  const names = (target?.links ?? 1) - ownLinks;
  if (names > 1) {
    return warning({
      name,
      found: `the checkpoint has ${names} names (hard links)`,
      means: 'A save replaces this name only: the others keep the old content.',
      advice: 'Give the other names their own copies, or make them symbolic links.',
    });
  }
  const isForeign = userId !== undefined && userId !== 0 && target && target.uid !== userId;
  if (isForeign) {
    return warning({
      name,
      found: `the checkpoint belongs to user ${target.uid}, this is user ${userId}`,
      means: 'A save replaces the file, and the new one belongs to who saved.',
      advice: 'Run this and the orchestrator as the same user.',
    });
  }
  if ((directory.mode & OTHERS_WRITE) !== 0) {
    return warning({
      name,
      found,
      means: 'Everybody on this machine may write here. Seals find accidents, not forgery.',
      advice: 'Take the right away: chmod o-w on the directory.',
    });
  }
  return fine(name, found, 'New checkpoints keep the mode and owner of the one before.');
}

/** Times that are compared with the clock, in milliseconds. */
export interface ClockFacts {
  readonly nowMs: number;
  /** The latest time in a seal. */
  readonly sealedMs?: number;
  /** The latest time stamp of the store's files. */
  readonly stampedMs?: number;
  /** How far a file that was written just now is stamped ahead of the clock. */
  readonly stampsAheadMs?: number;
}

const TOLERANCE_MS = 5000;

/** Whether the clock goes with what stands in the files. */
export function judgeClock({ nowMs, sealedMs, stampedMs, stampsAheadMs = 0 }: ClockFacts) {
  const name = 'clock';
  const means =
    'No guarantee depends on it: sequence numbers order checkpoints. Retention by age, "before" a time and the failure window do.';
  const advice = 'Set the clock, and keep it set (NTP).';
  const sealAheadMs = (sealedMs ?? 0) - nowMs;
  if (sealedMs !== undefined && sealAheadMs > TOLERANCE_MS) {
    const found = `${timeText(nowMs)}, but a checkpoint was sealed ${spanText(sealAheadMs)} later`;
    return warning({ name, found, means, advice });
  }
  const fileAheadMs = (stampedMs ?? 0) - nowMs;
  if (stampedMs !== undefined && fileAheadMs > TOLERANCE_MS) {
    const found = `${timeText(nowMs)}, but a file is stamped ${spanText(fileAheadMs)} later`;
    return warning({ name, found, means, advice });
  }
  if (Math.abs(stampsAheadMs) > TOLERANCE_MS) {
    const where = stampsAheadMs > 0 ? 'ahead of' : 'behind';
    const found = `the file system's clock is ${spanText(Math.abs(stampsAheadMs))} ${where} this machine's`;
    return warning({ name, found, means, advice });
  }
  return fine(name, timeText(nowMs), 'It goes with the times in seals and on files.');
}

/** Node and the operating system against what this package is made for. */
export function judgePlatform(
  system: Pick<SystemProbe, 'platform' | 'nodeVersion' | 'nodeVersionMin'>,
): DoctorCheck {
  const { platform, nodeVersion, nodeVersionMin } = system;
  const name = 'platform';
  const found = `Node ${nodeVersion} on ${platform}`;
  if (compareVersions(nodeVersion, nodeVersionMin) < 0) {
    const means = 'Nothing is promised on a version that this package is not tested on.';
    const advice = `Use Node ${nodeVersionMin} or later.`;
    return problem({ name, found, means, advice });
  }
  if (platform === 'linux') return fine(name, found, 'The system that this package is tested on.');
  const means =
    platform === 'win32'
      ? "Directories can't be synced: the newest save may be missing after a power failure, never torn. Written for, but not tested."
      : 'Written for, but not tested. On macOS a sync asks for F_FULLFSYNC, where the file system has it.';
  return warning({ name, found, means, affects: ['durable'] });
}

/** Negative, zero or positive, as `left` is lower than, equal to or higher than `right`. */
function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10)),
  );
  for (const index of [0, 1, 2]) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
