/**
 * `doctor` on real file systems: where the tests lie, in memory, full, read-only, without the right to
 * write, under an open store, and interrupted. What this machine can't offer is skipped with a reason.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/cli/cli-error.js';
import type { DoctorCheck } from '../../src/store/doctor/doctor-check.js';
import { openCheckpointStore } from '../../src/store.js';
import { builtFile, outcomeOf, runInMemory, startProcess } from '../helpers/cli-run.js';
import { crashedStore, makeStore } from '../helpers/crashed-stores.js';
import { freshFolder } from '../helpers/temporary-folders.js';

interface Report {
  readonly corrupt: boolean;
  readonly checks: readonly DoctorCheck[];
  readonly guarantees: readonly { guarantee: string; met: string; because: string[] }[];
}

async function doctor(directory: string): Promise<Report & { readonly exitCode: number | null }> {
  const { exitCode, stdout } = await runInMemory(['doctor', '--dir', directory, '--json']);
  return { exitCode, ...(JSON.parse(stdout) as Report) };
}

const check = ({ checks }: Pick<Report, 'checks'>, name: string) =>
  checks.find((found) => found.name === name);
const met = ({ guarantees }: Report, name: string) =>
  guarantees.find(({ guarantee }) => guarantee === name)?.met;
const names = (directory: string) =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** Mounts a tmpfs of its own; says why not where that can't be done. */
function mountTmpfs(options: string): { readonly at: string } | { readonly reason: string } {
  const at = freshFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]);
  if (mounted.status !== 0) {
    return { reason: `mounting a tmpfs needs more rights: ${String(mounted.stderr)}` };
  }
  cleanups.push(() => spawnSync('umount', [at]));
  return { at };
}

describe('doctor', () => {
  it('leaves nothing, and exits with 0 exactly if every check is ok', async () => {
    const directory = await makeStore(['NEXT']);
    const before = names(directory);
    const report = await doctor(directory);
    const isFine = report.checks.every(({ verdict }) => verdict === 'ok');
    expect(report.exitCode).toBe(isFine ? 0 : 3);
    expect(check(report, 'writing')).toMatchObject({ verdict: 'ok' });
    expect(check(report, 'checkpoint')).toMatchObject({ verdict: 'ok' });
    expect(names(directory)).toEqual(before);
  });

  it('prints a line for each check, advice below findings, then the guarantees', async () => {
    const directory = await makeStore();
    mkdirSync(join(directory, 'quarantine'));
    writeFileSync(join(directory, 'quarantine', 'a\nok       all is well'), '1');
    const { exitCode, stdout, stderr } = await runInMemory(['doctor', '--dir', directory]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
    expect(stdout).toMatch(/^(ok|warning|problem) +file system /);
    expect(stdout).toMatch(/^warning {2}quarantine {7}1 file, 1 byte, newest a ok all is well/m);
    expect(stdout).toMatch(/^ {26}Look into quarantine\//m);
    expect(stdout).toMatch(/^atomic +(yes|limited|no)/m);
    expect(stdout).toMatch(/^one writer +(yes|limited|no)/m);
    expect(stdout).toMatch(/\d+ checks: \d+ ok, \d+ warnings?, \d+ problems?\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('colours verdicts on a terminal, unless NO_COLOR is set', async () => {
    const args = ['doctor', '--dir', await makeStore()];
    const colored = await runInMemory(args, { stdoutIsTerminal: true });
    expect(colored.stdout).toContain('\u001b[32mok\u001b[39m ');
    const plain = await runInMemory(args, { stdoutIsTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001b');
  });

  it('exits with 10 where there is no directory', async () => {
    const { exitCode, stderr } = await runInMemory(['doctor', '--dir', 'nowhere']);
    expect(exitCode).toBe(10);
    expect(stderr).toContain('error NO_STORE');
  });

  it('exits with 4 where recovery would refuse', async () => {
    const directory = await makeStore();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), '');
    rmSync(join(directory, 'checkpoints'), { recursive: true });
    const report = await doctor(directory);
    expect(report).toMatchObject({ exitCode: 4, corrupt: true });
    expect(met(report, 'recoverable')).toBe('no');
  });

  it('tells of what a crash left, and leaves that to recovery', async () => {
    const directory = await crashedStore('syncingCheckpoint');
    const before = names(directory);
    const report = await doctor(directory);
    expect(check(report, 'left by a crash')).toMatchObject({
      verdict: 'warning',
      found: 'a log and 1 temporary file',
    });
    expect(names(directory)).toEqual(before);
  });

  it('runs while the store is open, says who has it, and disturbs no save', async () => {
    const directory = await makeStore();
    const store = await openCheckpointStore({ directory });
    const saves = Array.from({ length: 20 }, (_, index) => store.set('workflow.status', index));
    const report = await doctor(directory);
    await Promise.all(saves);
    await store.close();
    expect(check(report, 'lock')?.found).toContain(`held by process ${process.pid}`);
    expect(check(report, 'left by a crash')?.verdict).toBe('ok');
    expect(names(directory).filter((name) => /\.tmp|doctor/.test(name))).toEqual([]);
  });

  it('tells of a symbolic link, and tries the directory that it leads to', async () => {
    const directory = await makeStore();
    const other = freshFolder();
    symlinkSync(join(directory, 'ORCHESTRATION.yaml'), join(other, 'ORCHESTRATION.yaml'));
    const report = await doctor(other);
    expect(check(report, 'owner and names')?.found).toContain('symbolic link');
    expect(names(other)).toEqual(['ORCHESTRATION.yaml']);
  });

  it('ends at once when interrupted, with 130 and nothing left', async () => {
    const directory = await makeStore();
    const before = names(directory);
    const interruption = new AbortController();
    const { signal } = interruption;
    const running = runInMemory(['doctor', '--dir', directory], { signal });
    setImmediate(() => interruption.abort(new InterruptedError('SIGINT')));
    expect((await running).exitCode).toBe(130);
    expect(names(directory)).toEqual(before);
  });

  it('leaves only what the next recovery and the next doctor remove when it is killed', async () => {
    const directory = await makeStore();
    const before = names(directory);
    const child = startProcess(['doctor', '--dir', directory]);
    const outcome = outcomeOf(child);
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGKILL');
    await outcome;
    // Whenever that kill came, these are all the names that one can leave behind.
    const left = ['.ORCHESTRATION.yaml.0123456789ab.tmp', '.checkpoint.doctor'];
    for (const name of [...left, '.checkpoint.doctor.0123456789abcdef.tmp']) {
      writeFileSync(join(directory, name), '');
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
    await doctor(directory);
    await runInMemory(['recover', '--dir', directory]);
    // The recovery is recorded.
    expect(names(directory)).toEqual([...before, 'audit.jsonl'].sort());
  });
});

describe('doctor on a file system', () => {
  it('in memory says that nothing survives a power failure', async ({ skip }) => {
    if (!existsSync('/dev/shm')) skip('there is no /dev/shm here');
    const at = mkdtempSync('/dev/shm/checkpoint-wal-');
    cleanups.push(() => rmSync(at, { recursive: true }));
    const report = await doctor(at);
    expect(check(report, 'file system')).toMatchObject({ verdict: 'problem' });
    expect(check(report, 'file system')?.found).toMatch(/^tmpfs on .*\/dev\/shm$/);
    expect(met(report, 'atomic')).toBe('yes');
    expect(met(report, 'durable')).toBe('no');
    expect(report.exitCode).toBe(3);
  });

  it('that is full says that the next save will be refused', async ({ skip }) => {
    const mounted = mountTmpfs('size=256k');
    if ('reason' in mounted) return skip(mounted.reason);
    const filler = join(mounted.at, 'filler');
    try {
      writeFileSync(filler, new Uint8Array(2 ** 20));
    } catch {
      // As much as there is room for.
    }
    const report = await doctor(mounted.at);
    expect(check(report, 'free space')).toMatchObject({ verdict: 'problem' });
    expect(check(report, 'writing')?.found).toContain('No space left');
    expect(names(mounted.at)).toEqual(['filler']);
  });

  it('that has no inodes left says so', async ({ skip }) => {
    const mounted = mountTmpfs('size=4m,nr_inodes=4');
    if ('reason' in mounted) return skip(mounted.reason);
    for (const name of ['a', 'b', 'c']) writeFileSync(join(mounted.at, name), '');
    const report = await doctor(mounted.at);
    expect(check(report, 'free space')?.found).toContain('0 more files');
    expect(check(report, 'free space')?.verdict).toBe('problem');
  });

  it('that is read-only says how to change that', async ({ skip }) => {
    const mounted = mountTmpfs('size=1m');
    if ('reason' in mounted) return skip(mounted.reason);
    expect(spawnSync('mount', ['-o', 'remount,ro', mounted.at]).status).toBe(0);
    const report = await doctor(mounted.at);
    expect(check(report, 'mount options')?.advice).toContain(`remount,rw ${mounted.at}`);
    expect(check(report, 'writing')?.found).toContain('EROFS');
    expect(met(report, 'recoverable')).toBe('no');
  });
});

describe('doctor in a directory that this user may not write', () => {
  it('says so, and judges what it may read', ({ skip }) => {
    const directory = mkdtempSync('/tmp/checkpoint-wal-doctor-');
    cleanups.push(() => rmSync(directory, { recursive: true }));
    chmodSync(directory, 0o555);
    const main = builtFile('main.js');
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const canRead = spawnSync(process.execPath, ['--check', main], user).status === 0;
    if (!canRead) skip('another user may not read this checkout');
    const args = [main, 'doctor', '--dir', directory, '--json'];
    const { status, stdout } = spawnSync(process.execPath, args, { ...user, encoding: 'utf8' });
    expect(status).toBe(3);
    const report = JSON.parse(stdout) as Report;
    expect(check(report, 'writing')).toMatchObject({ verdict: 'problem' });
    expect(check(report, 'writing')?.found).toContain('EACCES');
    expect(() => accessSync(directory, constants.R_OK)).not.toThrow();
    expect(names(directory)).toEqual([]);
  });
});
