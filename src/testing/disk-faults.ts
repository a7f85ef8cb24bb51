/**
 * Faults of the file system for runs and recoveries: a bounded list for every commit, in which each kind
 * of operation fails in each way that matters to it, and random ones drawn by seed for longer searches.
 * What must hold of a store under them stands in `docs/testing.md`.
 */
import {
  atMost,
  atRandom,
  type FaultRule,
  failNth,
  firstOf,
  type Match,
} from '../io/fault-rules.js';
import {
  doneThenFail,
  dropPages,
  type FaultCode,
  fail,
  flipBit,
  lie,
  loseLock,
  misdirect,
  short,
} from '../io/faults.js';
import { createRandom } from '../io/random.js';

const LOG = '/lab/.checkpoint.wal';
const TARGET = '/lab/ORCHESTRATION.yaml';
const OLDER = '/lab/checkpoints/000000000002.ORCHESTRATION.yaml';
const ENTRY = /checkpoints\//;

/** What the system says of each operation on which a store depends. */
const errors: readonly (readonly [NonNullable<Match['operation']>, readonly FaultCode[]])[] = [
  ['open', ['EIO', 'EMFILE', 'EACCES']],
  ['read', ['EIO']],
  ['write', ['EIO', 'ENOSPC']],
  ['sync', ['EIO']],
  ['syncDirectory', ['EIO']],
  ['rename', ['EIO', 'EROFS', 'ENOSPC']],
  ['link', ['EIO', 'EPERM']],
  ['unlink', ['EIO', 'EROFS']],
  ['makeDirectory', ['ENOSPC']],
  [['stat', 'statLink', 'handleStat', 'size'], ['EIO']],
  ['list', ['EIO']],
  ['lock', ['EIO', 'EROFS']],
];

/** Reads that return what is not there, each once: on disk everything is as it was. */
const wrongReads: readonly FaultRule[] = [
  failNth({ path: LOG }, flipBit(70, 3)),
  failNth({ path: LOG }, misdirect({ shift: 512 })),
  failNth({ path: LOG }, misdirect({ from: TARGET })),
  failNth({ path: TARGET }, flipBit(3, 0)),
  failNth({ path: TARGET }, misdirect({ shift: 4096 })),
  failNth({ path: TARGET }, misdirect({ from: OLDER })),
  failNth({ path: ENTRY }, flipBit(3, 1)),
];

/** Each a plan of its own, in a run and in a recovery. */
export const diskFaults: readonly FaultRule[] = [
  ...errors.flatMap(([operation, codes]) =>
    codes.map((code, index) => failNth({ operation, nth: index + 1 }, code)),
  ),
  failNth({ operation: 'rename' }, doneThenFail('EIO')),
  failNth({ operation: 'unlink' }, doneThenFail('EIO')),
  failNth({ operation: 'sync', nth: 2 }, doneThenFail('EIO')),
  failNth({ operation: 'write', nth: 2 }, short('half')),
  failNth({ operation: 'write', nth: 3 }, short('none')),
  failNth({ operation: 'read' }, short('one')),
  failNth({ operation: 'sync' }, dropPages()),
  failNth({ operation: 'sync', nth: 2 }, dropPages()),
  failNth({ operation: 'sync' }, lie()),
  failNth({ operation: 'syncDirectory' }, lie()),
  failNth({ operation: 'isHeld' }, loseLock()),
  ...wrongReads,
];

const drawn = [
  ...(['EIO', 'ENOSPC', 'EROFS', 'EACCES', 'EMFILE'] as const).flatMap((code) => [
    fail(code),
    doneThenFail(code),
  ]),
  short('half'),
  short('one'),
  dropPages(),
];

/** How likely an operation fails, in percent, where faults are drawn. */
const PERCENT_MAX = 12;
const FAULTS_MAX = 4;
const BYTES_MAX = 600;

/**
 * Random faults, the same for the same seed: a few operations fail, and at most one read is wrong, as
 * two wrong reads that agree can't be told from what is on disk.
 */
export function drawDiskFaults(seed: number): FaultRule {
  const random = createRandom(seed);
  const probability = (1 + random.next(PERCENT_MAX)) / 100;
  const failing = atRandom(random.next(2 ** 30), probability, {}, ...drawn);
  const [offset, bit] = [random.next(BYTES_MAX), random.next(8)];
  const wrong = [flipBit(offset, bit), misdirect({ shift: 8 * (1 + random.next(80)) })];
  return firstOf(
    atMost(1, atRandom(random.next(2 ** 30), probability, { operation: 'read' }, ...wrong)),
    atMost(1 + random.next(FAULTS_MAX), failing),
  );
}
