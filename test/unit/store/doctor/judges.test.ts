import { describe, expect, it } from 'vitest';
import type { HealthMemory } from '../../../../src/format/health-format.js';
import type { FileStat } from '../../../../src/io/file-system.js';
import type { SpaceFacts } from '../../../../src/io/system-probe.js';
import {
  judgeAccess,
  judgeClock,
  judgeLock,
  judgePlatform,
} from '../../../../src/store/doctor/access-checks.js';
import {
  judgeDirectorySync,
  judgeFileSystem,
  judgeLatency,
  judgeMountOptions,
  judgeSpace,
} from '../../../../src/store/doctor/disk-checks.js';
import {
  examined,
  fine,
  guaranteesOf,
  problem,
  warning,
} from '../../../../src/store/doctor/doctor-check.js';
import { judgeMemory } from '../../../../src/store/doctor/store-checks.js';
import { EXT4, NOW_MS, ROOMY } from '../../../helpers/system-probes.js';

describe('judging a disk', () => {
  it.each([
    ['ext4', 'ok', []],
    ['xfs', 'ok', []],
    ['btrfs', 'ok', []],
    ['tmpfs', 'problem', ['durable', 'recoverable']],
    ['nfs4', 'problem', ['atomic', 'durable', 'oneWriter']],
    ['cifs', 'problem', ['atomic', 'durable', 'oneWriter']],
    ['9p', 'problem', ['atomic', 'durable', 'oneWriter']],
    ['fuse.sshfs', 'problem', ['atomic', 'durable', 'oneWriter']],
    ['fuse.something', 'warning', ['atomic', 'durable']],
    ['overlay', 'warning', ['durable']],
    ['vfat', 'warning', ['atomic', 'durable']],
    ['newfs', 'warning', ['durable']],
  ] as const)('names %s and takes it for: %s', (type, verdict, affects) => {
    const check = judgeFileSystem({ ...EXT4, type }, ROOMY);
    expect(check).toMatchObject({ verdict, affects });
    expect(check.found).toContain(type);
  });

  it.each([
    [0x01021994, 'tmpfs', 'problem'],
    [0x6969, 'nfs', 'problem'],
    // As a 32-bit number with its sign, as some systems give it.
    [0xff534d42 | 0, 'cifs', 'problem'],
    [0x9123683e, 'btrfs', 'ok'],
    [0x1234, 'unknown', 'warning'],
  ])('goes by the magic number %i where there is no mount table: %s', (magic, type, verdict) => {
    const check = judgeFileSystem(undefined, { ...ROOMY, magic });
    expect(check.verdict).toBe(verdict);
    expect(check.found).toContain(type);
  });

  it.each([
    ['relatime', 'ok', []],
    ['nobarrier', 'problem', ['atomic', 'durable']],
    ['barrier=0', 'problem', ['atomic', 'durable']],
    ['volatile', 'problem', ['atomic', 'durable']],
    ['fsync_mode=nobarrier', 'problem', ['atomic', 'durable']],
    ['data=writeback', 'warning', []],
    ['barrier=1', 'ok', []],
    ['data=ordered', 'ok', []],
  ] as const)('takes the mount option %s for: %s', (option, verdict, affects) => {
    const check = judgeMountOptions({ ...EXT4, options: ['rw', option] });
    expect(check).toMatchObject({ verdict, affects });
    if (verdict !== 'ok') expect(`${check.means}${check.advice}`).toContain(option);
  });

  it('says how to mount for writing what is mounted read-only', () => {
    const check = judgeMountOptions({ ...EXT4, mountPoint: '/data', options: ['ro'] });
    expect(check).toMatchObject({ verdict: 'problem', affects: ['durable', 'recoverable'] });
    expect(check.advice).toContain('remount,rw /data');
  });

  it('takes directories that can not be synced for a save that may be missing', () => {
    expect(judgeDirectorySync({})).toMatchObject({ verdict: 'problem', affects: ['durable'] });
  });

  it.each([
    [0.003, 'ok', 'A hint only'],
    [0.25, 'ok', 'Plausible'],
    [30, 'ok', 'Plausible'],
    [200, 'warning', 'slow'],
  ])('calls a sync of %d ms: %s, %s', (medianMs, verdict, means) => {
    const check = judgeLatency({
      file: { samples: 40, medianMs, p99Ms: medianMs },
      stampsAheadMs: 0,
    });
    expect(check).toMatchObject({ verdict, affects: [] });
    expect(check.means).toContain(means);
  });

  const MIB = 2 ** 20;
  it.each([
    [{ freeBytes: 3 * MIB - 1 }, 'problem'],
    [{ freeBytes: 3 * MIB }, 'warning'],
    [{ freeBytes: 30 * MIB - 1 }, 'warning'],
    [{ freeBytes: 30 * MIB }, 'ok'],
    [{ freeInodes: 3 }, 'problem'],
    [{ freeInodes: 4 }, 'warning'],
    [{ freeInodes: 40 }, 'ok'],
  ] satisfies [Partial<SpaceFacts>, string][])(
    'for a checkpoint of 1 MiB takes %j for: %s',
    (change, verdict) => {
      expect(judgeSpace({ ...ROOMY, ...change }, MIB).verdict).toBe(verdict);
    },
  );

  it('needs no inodes where a file system does not count them', () => {
    const { freeInodes: _none, ...space } = ROOMY;
    expect(judgeSpace(space, 1).verdict).toBe('ok');
  });
});

describe('judging access', () => {
  it.each([
    [{ hasKernelLocks: true, tried: true, kind: 'kernel' }, 'ok', []],
    [{ hasKernelLocks: true, tried: true, kind: 'owner-file' }, 'warning', ['oneWriter']],
    [{ hasKernelLocks: false, tried: true, kind: 'owner-file' }, 'warning', ['oneWriter']],
    [{ hasKernelLocks: true, tried: true }, 'problem', ['oneWriter']],
    [{ hasKernelLocks: true, tried: false }, 'warning', []],
  ] as const)('takes the lock %j for: %s', (facts, verdict, affects) => {
    expect(judgeLock(facts)).toMatchObject({ verdict, affects });
  });

  it('says what to install where the native package is missing', () => {
    const check = judgeLock({ hasKernelLocks: false, tried: true, kind: 'owner-file' });
    expect(check.advice).toContain('npm install fs-native-extensions');
  });

  const stat = (change: Partial<FileStat>): FileStat => ({
    ...{ kind: 'file', size: 1, mode: 0o700, uid: 7, gid: 7, device: 1, inode: 1, links: 1 },
    ...{ modifiedMs: 0, changedMs: 0, ...change },
  });

  it.each([
    ['nothing special', {}, 'ok', 'directory of user 7, mode 700'],
    ['a symbolic link', { linkedFrom: '/a/link' }, 'ok', 'symbolic link /a/link'],
    ['a second name', { target: stat({ links: 2 }) }, 'warning', '2 names'],
    ['the name in history', { target: stat({ links: 2 }), ownLinks: 1 }, 'ok', 'mode 700'],
    ['another owner', { target: stat({ uid: 8 }) }, 'warning', 'user 8, this is user 7'],
    ['root', { target: stat({ uid: 8 }), userId: 0 }, 'ok', 'mode 700'],
    ['a public directory', { directory: stat({ mode: 0o777 }) }, 'warning', 'mode 777'],
  ])('judges %s', (_name, change, verdict, found) => {
    const check = judgeAccess({ directory: stat({}), ownLinks: 0, userId: 7, ...change });
    expect(check.verdict).toBe(verdict);
    expect(check.found).toContain(found);
  });

  it.each([
    ['no times at all', {}, 'ok', '2024-01-02'],
    ['a seal a little ahead', { sealedMs: NOW_MS + 5000 }, 'ok', ''],
    ['a seal from the future', { sealedMs: NOW_MS + 86_400_000 }, 'warning', 'sealed 1 day later'],
    ['a file from the future', { stampedMs: NOW_MS + 6000 }, 'warning', 'stamped 6 seconds later'],
    ['stamps behind', { stampsAheadMs: -60_000 }, 'warning', '1 minute behind'],
    ['stamps ahead', { stampsAheadMs: 60_000 }, 'warning', '1 minute ahead of'],
  ])('judges a clock that meets %s', (_name, facts, verdict, found) => {
    const check = judgeClock({ nowMs: NOW_MS, ...facts });
    expect(check).toMatchObject({ verdict, affects: [] });
    expect(check.found).toContain(found);
  });

  it.each([
    ['linux', '20.19.0', 'ok'],
    ['linux', '22.0.0', 'ok'],
    ['linux', '20.9.0', 'problem'],
    ['linux', '18.20.0', 'problem'],
    ['darwin', '20.19.0', 'warning'],
    ['win32', '20.19.0', 'warning'],
  ])('takes %s with Node %s for: %s', (platform, nodeVersion, verdict) => {
    const check = judgePlatform({ platform, nodeVersion, nodeVersionMin: '20.19' });
    expect(check.verdict).toBe(verdict);
  });
});

describe('judging what the failure detector remembers', () => {
  const failure = { signal: 'reported', atMs: NOW_MS, sequence: 1, message: 'no' } as const;
  const policy = { mode: 'automatic', threshold: 3, windowMs: 60_000, maxRestores: 3 } as const;
  const judge = (memory: Partial<HealthMemory>, isOpen = false) =>
    judgeMemory({
      memory: { failures: [], restores: 0, bad: [], policy, ...memory },
      ...{ nowMs: NOW_MS, sequence: 1, isOpen },
    });

  it.each([
    ['nothing', {}, 'ok', '0 failures that count'],
    ['a failure', { failures: [failure] }, 'warning', '1 failure that counts; newest: reported'],
    ['an old failure', { failures: [{ ...failure, atMs: NOW_MS - 60_001 }] }, 'ok', '0 failures'],
    ['an end', { stopped: { atMs: 0, because: 'no help' } }, 'problem', 'stopped: no help'],
    ['a run', { attempt: { sequence: 1, sinceMs: 0 } }, 'warning', 'did not end with close()'],
    [
      'a bad mark',
      { bad: [{ sequence: 1, digest: 'd', atMs: 0, because: 'b' }] },
      'warning',
      '1 checkpoint marked bad',
    ],
  ] satisfies [string, Partial<HealthMemory>, string, string][])(
    'judges %s',
    (_name, memory, verdict, found) => {
      expect(judge(memory).verdict).toBe(verdict);
      expect(judge(memory).found).toContain(found);
    },
  );

  it('takes the run that an open store has noted for what it is', () => {
    expect(judge({ attempt: { sequence: 1, sinceMs: 0 } }, true).verdict).toBe('ok');
  });

  it('tells of a memory that can not be read', () => {
    const facts = { reason: 'damaged', nowMs: NOW_MS, sequence: 0, isOpen: false };
    expect(judgeMemory(facts)).toMatchObject({ verdict: 'warning', affects: [] });
  });
});

describe('the guarantees', () => {
  const finding = { found: '', means: '' };

  it('are limited by warnings and broken by problems, each with the names of the checks', () => {
    const checks = [
      fine('a', '', ''),
      warning({ name: 'b', ...finding, affects: ['atomic', 'durable'] }),
      problem({ name: 'c', ...finding, affects: ['durable'] }),
      problem({ name: 'd', ...finding }),
    ];
    expect(guaranteesOf(checks)).toEqual([
      { guarantee: 'atomic', met: 'limited', because: ['b'] },
      { guarantee: 'durable', met: 'no', because: ['b', 'c'] },
      { guarantee: 'oneWriter', met: 'yes', because: [] },
      { guarantee: 'recoverable', met: 'yes', because: [] },
    ]);
  });

  it('do not hide a defect of this program behind a finding', async () => {
    const defect = () => {
      throw new TypeError('a defect');
    };
    await expect(examined('a', [], defect)).rejects.toThrow('a defect');
  });
});
