/**
 * Judging the disk under a store: which file system, mounted how, what syncs do and cost, how much room
 * there is. Pure: facts in, a check out. What is assumed of a system rules it: `docs/fault-model.md`.
 */
import { fileSystemName, kindOfFileSystem, weakOptions } from '../../io/file-system-kinds.js';
import type { ProbeFacts, SyncTimes } from '../../io/sync-probe.js';
import type { MountFacts, SpaceFacts } from '../../io/system-probe.js';
import { type DoctorCheck, type Finding, fine, problem, warning } from './doctor-check.js';
import { bytesText, countText, millisecondsText } from './measures.js';

const LOCAL = 'Move the store to a disk of this machine: ext4, XFS or Btrfs.';

/** Which file system it is, and what that promises. */
export function judgeFileSystem(
  mount: MountFacts | undefined,
  space: SpaceFacts | undefined,
): DoctorCheck {
  const name = 'file system';
  const type = fileSystemName(mount, space);
  if (type === undefined) {
    return warning({
      name,
      found: 'unknown: this system does not tell',
      means: 'The guarantees hold if it is a local file system with a journal.',
      affects: ['durable'],
    });
  }
  const found = mount ? `${type} on ${mount.source}, mounted at ${mount.mountPoint}` : type;
  return judgeKind({ name, found, means: '' }, type);
}

function judgeKind(found: Finding, type: string): DoctorCheck {
  switch (kindOfFileSystem(type)) {
    case 'local':
      return fine(found.name, found.found, 'A local file system, as the guarantees need it.');
    case 'memory': {
      const means =
        'It lives in memory. A killed program loses nothing, but nothing at all survives a power failure or restart.';
      return problem({ ...found, means, advice: LOCAL, affects: ['durable', 'recoverable'] });
    }
    case 'network': {
      const means =
        'Locks, caches and renames of network file systems promise less than this needs: they are not supported.';
      const affects = ['atomic', 'durable', 'oneWriter'] as const;
      return problem({ ...found, means, advice: LOCAL, affects });
    }
    case 'overlay': {
      const means =
        'Layers of a container: what is saved goes when the container is removed. Syncs reach the disk of the upper layer.';
      const advice = 'Put the store on a volume that outlives the container.';
      return warning({ ...found, means, advice, affects: ['durable'] });
    }
    case 'program': {
      const means = 'A program (FUSE) is behind it, and what a sync or a rename does is up to it.';
      return warning({ ...found, means, advice: LOCAL, affects: ['atomic', 'durable'] });
    }
    case 'plain': {
      const means = 'It has no journal: a power failure during a rename may damage the directory.';
      return warning({ ...found, means, advice: LOCAL, affects: ['atomic', 'durable'] });
    }
    case 'unknown': {
      const means = 'It is not one that this package knows, so what it promises is not known.';
      return warning({ ...found, means, advice: LOCAL, affects: ['durable'] });
    }
  }
}

/** Whether mount options take away from what syncs promise, or from writing at all. */
export function judgeMountOptions(mount: MountFacts | undefined): DoctorCheck {
  const name = 'mount options';
  if (mount === undefined) {
    return fine(name, 'not told by this system', 'Nothing is known against them.');
  }
  const found = mount.options.join(',');
  if (mount.options.includes('ro')) {
    const means = 'It is mounted read-only: no save is possible, and no recovery.';
    const advice = `Mount it for writing: mount -o remount,rw ${mount.mountPoint}`;
    return problem({ name, found, means, advice, affects: ['durable', 'recoverable'] });
  }
  const weak = weakOptions(mount.options);
  if (weak.length === 0) return fine(name, found, 'None of them weakens a sync.');
  const reasons = weak.map(({ option, why }) => `${option}: ${why}`).join('; ');
  const losing = weak.filter(({ losesSyncs }) => losesSyncs).map(({ option }) => option);
  if (losing.length > 0) {
    const means = `${reasons}. A save that was promised may be missing or torn after a power failure.`;
    const advice = `Mount ${mount.mountPoint} without ${losing.join(' and ')}.`;
    return problem({ name, found, means, advice, affects: ['atomic', 'durable'] });
  }
  const means = `${reasons}. Checkpoints are synced before they are published, so they hold; edits by hand may not.`;
  const advice = `Mount ${mount.mountPoint} with data=ordered, which is the default.`;
  return warning({ name, found, means, advice });
}

/** Whether names can be made durable. */
export function judgeDirectorySync({ directory }: Pick<ProbeFacts, 'directory'>): DoctorCheck {
  const name = 'directory sync';
  if (directory !== undefined) {
    return fine(name, 'supported', 'The name of a new checkpoint is durable once a save is done.');
  }
  return problem({
    name,
    found: 'not supported',
    means: 'After a power failure the newest save may be missing, though never torn.',
    advice: LOCAL,
    affects: ['durable'],
  });
}

/** Below this a sync to a disk is hardly possible; memory answers in a few microseconds. */
const FAST_MS = 0.015;
/** A save syncs some five times. */
const SLOW_MS = 200;

/** What syncs cost, and whether that is plausible. How fast a disk is breaks no guarantee. */
export function judgeLatency({ file, directory }: ProbeFacts): DoctorCheck {
  const name = 'sync latency';
  const found = [
    `file ${timesText(file)}`,
    ...(directory ? [`directory ${timesText(directory)}`] : []),
    countText(file.samples, 'sample'),
  ].join('; ');
  if (file.medianMs < FAST_MS) {
    const means =
      'A hint only: disks are seldom this fast. It may be memory, a cache with a battery, or a disk that confirms what it has not written, which no program can tell.';
    const hint = 'If it matters, find out what the disk does when its power is cut.';
    return fine(name, found, means, hint);
  }
  if (file.medianMs >= SLOW_MS) {
    const means = 'Saves are safe but slow here: each waits for some five syncs.';
    const advice = 'Save less often, use { durability: "logged" }, or use a faster disk.';
    return warning({ name, found, means, advice });
  }
  return fine(name, found, 'Plausible for a disk that writes before it confirms.');
}

function timesText({ medianMs, p99Ms }: SyncTimes): string {
  return `median ${millisecondsText(medianMs)}, p99 ${millisecondsText(p99Ms)}`;
}

/** The log, the file beside the target and, where there are no hard links, the copy in history. */
const COPIES = 3;
const FILES_NEEDED = 4;
/** A warning while it still goes well. */
const RESERVE = 10;
/** A store without a checkpoint yet will have one of some such size. */
const BYTES_MIN = 64 * 1024;

/** Whether there is room for a save. */
export function judgeSpace(space: SpaceFacts | undefined, checkpointBytes: number): DoctorCheck {
  const name = 'free space';
  if (space === undefined) {
    return fine(name, 'not told by this system', 'A save that finds no room changes nothing.');
  }
  const { freeBytes, freeInodes } = space;
  const neededBytes = Math.max(checkpointBytes, BYTES_MIN) * COPIES;
  const files = freeInodes === undefined ? '' : `, ${countText(freeInodes, 'more file')}`;
  const found = `${bytesText(freeBytes)} free${files}; a save needs ${bytesText(neededBytes)}`;
  const roomFor = Math.min(freeBytes / neededBytes, (freeInodes ?? Infinity) / FILES_NEEDED);
  if (roomFor >= RESERVE) return fine(name, found, 'Room for saves.');
  const advice = 'Make room: delete what is not needed, or keep less history.';
  if (roomFor >= 1) {
    const means = 'There is room for a save, but not for many.';
    return warning({ name, found, means, advice });
  }
  const means =
    'The next save will be refused (NO_SPACE). The checkpoint that is there stays untouched.';
  return problem({ name, found, means, advice });
}
