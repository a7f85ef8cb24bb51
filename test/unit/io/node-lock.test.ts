/** The lock between processes: exclusion, naming of the holder, succession after a crash. */

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileLock, LockResult } from '../../../src/io/file-system.js';
import { loadKernelLocks } from '../../../src/io/kernel-lock.js';
import { inspectLockFile, type LockKind } from '../../../src/io/lock-file.js';
import { createNodeLocks } from '../../../src/io/node-lock.js';
import { ownIdentity } from '../../../src/io/process-identity.js';
import { LockProcesses } from '../../helpers/fs-lock-processes.js';

let processes: LockProcesses;
let counter = 0;
beforeAll(() => {
  processes = new LockProcesses();
});
afterAll(() => processes.dispose());

const freshPath = (): string => join(processes.directory, `lock-${counter++}`);
const kinds: LockKind[] =
  loadKernelLocks() === undefined ? ['owner-file'] : ['kernel', 'owner-file'];
const pairs = kinds.flatMap((first) => kinds.map((second) => [first, second] as const));
/** Where there is no /proc, a reused pid can't be told from the old process. */
const onLinux = process.platform === 'linux';

function held(result: LockResult): FileLock {
  if (!result.acquired) throw new Error(`not acquired: ${JSON.stringify(result.holder)}`);
  return result.lock;
}

function staleRecord(kind: LockKind): Record<string, unknown> {
  const since = '2024-01-01T00:00:00.000Z';
  return { ...ownIdentity(), startedAt: '1', since, kind, nonce: 'stale' };
}

function siblings(path: string): string[] {
  const name = path.slice(processes.directory.length + 1);
  return readdirSync(processes.directory).filter((other) => other.startsWith(`${name}`));
}

describe.each(pairs)('held by a process with a %s lock, wanted with a %s lock', (first, second) => {
  test('the second is refused with the holder’s pid; after SIGKILL it acquires at once', async () => {
    const path = freshPath();
    const locks = createNodeLocks({ kind: second });
    const child = processes.start(path, first, 'hold');
    expect(await child.next()).toMatchObject({ acquired: true, kind: first });
    const refused = locks.lock(path);
    expect(refused).toMatchObject({
      acquired: false,
      holder: { pid: child.pid, host: hostname() },
    });
    expect(refused.acquired || refused.holder).not.toHaveProperty('nonce');
    expect(locks.holder(path)).toMatchObject({ pid: child.pid });
    await child.kill();
    expect(existsSync(path)).toBe(true);
    expect(locks.holder(path)).toBeUndefined();
    const startedMs = performance.now();
    const lock = held(locks.lock(path));
    expect(performance.now() - startedMs).toBeLessThan(500);
    expect(lock.isHeld()).toBe(true);
    expect(locks.holder(path)?.pid).toBe(process.pid);
    lock.release();
    expect(siblings(path)).toEqual([]);
  });

  test('two processes that crash and release in turn never hold it together', async () => {
    const path = freshPath();
    const rounds = 150;
    const contenders = [first, second, first].map((kind) =>
      processes.start(path, kind, 'contend', rounds),
    );
    for (const contender of contenders) await contender.next();
    const results = await Promise.all(contenders.map((contender) => contender.next()));
    for (const result of results) expect(result).toEqual({ taken: rounds, violations: [] });
    const lock = held(createNodeLocks({ kind: second }).lock(path));
    lock.release();
    expect(siblings(path)).toEqual([]);
  });

  test('a release in the other process frees it', async () => {
    const path = freshPath();
    const child = processes.start(path, first, 'hold');
    await child.next();
    await child.end();
    expect(existsSync(path)).toBe(false);
    held(createNodeLocks({ kind: second }).lock(path)).release();
  });
});

describe.each(kinds)('a %s lock', (kind) => {
  const locks = createNodeLocks({ kind });

  test('its file is private and tells pid, start, boot, host, time and kind', () => {
    const path = freshPath();
    const lock = held(locks.lock(path));
    expect(lock.kind).toBe(kind);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const record = JSON.parse(readFileSync(path, 'utf8'));
    expect(record).toMatchObject({ ...ownIdentity(), kind });
    expect(new Date(record.since).toISOString()).toBe(record.since);
    lock.release();
  });

  test('asking who holds it, and closing other descriptors of its file, does not drop it', () => {
    const path = freshPath();
    const lock = held(locks.lock(path));
    for (let i = 0; i < 3; i++) {
      closeSync(openSync(path, 'r+'));
      expect(locks.holder(path)?.pid).toBe(process.pid);
      expect(locks.lock(path).acquired).toBe(false);
      expect(createNodeLocks({ kind: 'owner-file' }).holder(path)?.pid).toBe(process.pid);
    }
    expect(lock.isHeld()).toBe(true);
    lock.release();
  });

  test.runIf(onLinux)('a record with a living pid but another start time is stale', () => {
    const path = freshPath();
    writeFileSync(path, JSON.stringify(staleRecord('owner-file')));
    expect(locks.holder(path)).toBeUndefined();
    held(locks.lock(path)).release();
  });

  test.runIf(onLinux)('a record of an earlier boot is stale', () => {
    const path = freshPath();
    const record = { ...ownIdentity(), since: '', kind: 'owner-file', nonce: '' };
    writeFileSync(path, JSON.stringify({ ...record, bootId: 'earlier' }));
    held(locks.lock(path)).release();
  });

  test('an owner file from another host counts as held', () => {
    const path = freshPath();
    const record = { ...staleRecord('owner-file'), host: 'elsewhere.example', pid: 1 };
    writeFileSync(path, JSON.stringify(record));
    expect(locks.lock(path)).toMatchObject({ acquired: false, holder: { host: record.host } });
    expect(locks.holder(path)).toMatchObject({ host: record.host });
  });

  test.each([
    ['empty', ''],
    ['zeros', '\0'.repeat(250)],
    ['torn', '{"pid": 12, "ho'],
    ['foreign', '{"pid": "../../etc", "host": 1}'],
    ['huge', 'x'.repeat(100_000)],
  ])('an unreadable record (%s) is waited for a moment, then passed', (_name, content) => {
    const path = freshPath();
    writeFileSync(path, content);
    expect(locks.holder(path)).toBeUndefined();
    const startedMs = performance.now();
    held(locks.lock(path)).release();
    expect(performance.now() - startedMs).toBeGreaterThan(50);
    for (const offsetSeconds of [-3600, 3600]) {
      const time = Date.now() / 1000 + offsetSeconds;
      writeFileSync(path, content);
      utimesSync(path, time, time);
      held(locks.lock(path)).release();
    }
  });

  test.runIf(onLinux)(
    'what processes that died half-way left beside it is passed and removed',
    () => {
      const path = freshPath();
      const stale = JSON.stringify(staleRecord('owner-file'));
      writeFileSync(path, stale);
      writeFileSync(`${path}.0123456789abcdef`, stale);
      writeFileSync(`${path}.fedcba9876543210.tmp`, stale);
      writeFileSync(`${path}.notes`, 'not ours');
      const lock = held(locks.lock(path));
      expect(siblings(path)).toEqual(
        [path, `${path}.notes`].map((file) => file.slice(processes.directory.length + 1)),
      );
      lock.release();
    },
  );

  test('a thousand rounds leave no descriptor and no file', () => {
    const path = freshPath();
    const descriptors = () => (onLinux ? readdirSync('/proc/self/fd').length : 0);
    held(locks.lock(path)).release();
    const before = descriptors();
    for (let i = 0; i < 1000; i++) held(locks.lock(path)).release();
    expect(descriptors()).toBe(before);
    expect(siblings(path)).toEqual([]);
  });
});

test.runIf(onLinux && kinds.includes('kernel'))(
  'a kernel lock whose process lives but has let go is free for kernel lockers',
  () => {
    const path = freshPath();
    const record = { ...ownIdentity(), since: '', kind: 'kernel', nonce: '' };
    writeFileSync(path, JSON.stringify(record));
    expect(createNodeLocks({ kind: 'owner-file' }).lock(path).acquired).toBe(false);
    held(createNodeLocks({ kind: 'kernel' }).lock(path)).release();
  },
);

test.runIf(onLinux)(
  'a claim left by a process that died while succeeding another does not block',
  () => {
    const path = freshPath();
    const locks = createNodeLocks({ kind: 'owner-file' });
    // Let every link to the lock's path be preceded by a claim that its owner never gave up.
    writeFileSync(path, JSON.stringify(staleRecord('owner-file')));
    const seen = new Set<string>();
    for (let depth = 0; depth < 5; depth++) {
      const claim = claimName(path, seen);
      seen.add(claim);
      writeFileSync(
        claim,
        JSON.stringify({ ...staleRecord('owner-file'), nonce: `claim-${depth}` }),
      );
    }
    const lock = held(locks.lock(path));
    expect(lock.isHeld()).toBe(true);
    lock.release();
    expect(siblings(path)).toEqual([]);
  },
);

/** The name of the claim that is missing next: the one for the innermost stale record. */
function claimName(path: string, taken: ReadonlySet<string>): string {
  const innermost = [...taken].at(-1) ?? path;
  const found = inspectLockFile(innermost, () => undefined);
  return `${path}.${found?.fingerprint ?? ''}`;
}
