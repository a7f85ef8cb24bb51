import { describe, expect, it } from 'vitest';
import type { FileSystem } from '../../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../../src/io/recording-file-system.js';
import { systemError } from '../../../../src/io/system-error.js';
import type { DoctorCheck } from '../../../../src/store/doctor/doctor-check.js';
import { type ExamineOptions, examineStore } from '../../../../src/store/doctor/examine-store.js';
import { openCheckpointStore } from '../../../../src/store.js';
import { NOW_MS, soundSystem } from '../../../helpers/system-probes.js';

const TARGET = '/state/ORCHESTRATION.yaml';

/** Every name below a directory. */
function namesIn(fs: FileSystem, directory: string): string[] {
  return fs.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    return fs.statLink(path)?.kind === 'directory' ? [path, ...namesIn(fs, path)] : [path];
  });
}

function write(fs: FileSystem, path: string, content: string): void {
  if (fs.statLink(path) !== undefined) fs.unlink(path);
  const handle = fs.open(path, 'create', 0o600);
  handle.write(new TextEncoder().encode(content), 0);
  handle.close();
}

/** A memory file system whose files are all stamped with `NOW_MS`. */
const memory = () => new MemoryFileSystem({ now: () => NOW_MS });

/** A closed store with some checkpoints, saved by a clock that stands at `NOW_MS`. */
async function storeIn(fileSystem: FileSystem, saves = 2): Promise<void> {
  const clock = { now: () => NOW_MS };
  const directory = '/state';
  const store = await openCheckpointStore({ directory, fileSystem, restore: false, clock });
  for (let save = 1; save <= saves; save += 1) await store.saveText(`a: ${save}\n`);
  await store.close();
}

const examine = (fileSystem: FileSystem, options: Partial<ExamineOptions> = {}) =>
  examineStore({ directory: '/state', fileSystem, system: soundSystem(), ...options });

const named = (checks: readonly DoctorCheck[], name: string) =>
  checks.find((check) => check.name === name);

describe('examineStore', () => {
  it('finds every guarantee met for a sound store on a sound machine, and leaves nothing', async () => {
    const fs = memory();
    await storeIn(fs);
    const before = fs.snapshot();
    const report = await examine(fs);
    expect(report.checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(report.guarantees.map(({ met }) => met)).toEqual(['yes', 'yes', 'yes', 'yes']);
    expect(report.corrupt).toBe(false);
    expect(report.measured?.file).toEqual({ samples: 40, medianMs: 0.25, p99Ms: 0.25 });
    expect(fs.snapshot()).toEqual(before);
  });

  it('touches no file of the store, and makes only names that a recovery or it itself removes', async () => {
    const inner = memory();
    await storeIn(inner);
    const known = namesIn(inner, '/state');
    const fs = new RecordingFileSystem(inner);
    await examine(fs);
    const changing = ['write', 'rename', 'unlink', 'link', 'truncate', 'setMode', 'lock'];
    const changed = fs.operations.filter(
      ({ operation, how }) => changing.includes(operation) || how === 'create',
    );
    expect(changed.length).toBeGreaterThan(80);
    const ours = /^\/state\/(\.ORCHESTRATION\.yaml\.[0-9a-f]{12}\.tmp|\.checkpoint\.doctor)$/;
    for (const { path, to } of changed) {
      expect(path).toMatch(ours);
      if (to !== undefined) expect(to).toMatch(ours);
    }
    expect(namesIn(inner, '/state')).toEqual(known);
  });

  it('may run while the store is open, which goes on saving', async () => {
    const fs = memory();
    const clock = { now: () => NOW_MS };
    const store = await openCheckpointStore({ directory: '/state', fileSystem: fs, clock });
    await store.saveText('a: 1\n');
    const { checks } = await examine(fs);
    await store.saveText('a: 2\n');
    await store.close();
    expect(checks.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(named(checks, 'lock')?.found).toContain('held by process 1 on memory');
    expect(named(checks, 'left by a crash')?.found).toBe('the store is open, no save is in flight');
  });

  it('examines a directory in which no store has begun', async () => {
    const fs = memory();
    fs.makeDirectory('/state');
    const { checks, guarantees } = await examine(fs);
    expect(named(checks, 'checkpoint')?.found).toBe('nothing is saved here yet');
    expect(guarantees.every(({ met }) => met === 'yes')).toBe(true);
    expect(fs.list('/state')).toEqual([]);
  });

  it('refuses a directory that is not there', async () => {
    await expect(examine(memory())).rejects.toMatchObject({ code: 'NO_STORE' });
  });

  it.each([
    ['EROFS', 'open', '/state/.ORCHESTRATION.yaml'],
    ['ENOSPC', 'write', '/state/.ORCHESTRATION.yaml'],
    ['EIO', 'sync', '/state/.ORCHESTRATION.yaml'],
    ['EIO', 'syncDirectory', '/state'],
  ] as const)(
    'names %s at %s, goes on with the rest, leaves nothing',
    async (code, operation, path) => {
      const inner = memory();
      await storeIn(inner);
      const known = namesIn(inner, '/state');
      const fs = new RecordingFileSystem(inner, {
        before: (found) => {
          const isProbe = found.operation === operation && found.path.startsWith(path);
          if (isProbe && (operation !== 'open' || found.how === 'create')) {
            throw systemError(code, operation, found.path);
          }
          return undefined;
        },
      });
      const { checks, guarantees, measured } = await examine(fs);
      expect(named(checks, 'writing')).toMatchObject({ verdict: 'problem' });
      expect(named(checks, 'history')).toMatchObject({ verdict: 'ok' });
      expect(named(checks, 'lock')).toMatchObject({ verdict: 'warning', affects: [] });
      expect(
        guarantees.filter(({ met }) => met === 'no').map(({ guarantee }) => guarantee),
      ).toEqual(['durable', 'recoverable']);
      expect(measured).toBeUndefined();
      expect(namesIn(inner, '/state')).toEqual(known);
    },
  );

  it.each([5, 45, 80])('stops when interrupted (turn %i) and leaves nothing', async (turn) => {
    const fs = memory();
    await storeIn(fs);
    const before = fs.snapshot();
    const interruption = new AbortController();
    let turns = 0;
    const pause = async () => {
      turns += 1;
      if (turns === turn) interruption.abort(new Error('Ctrl-C'));
    };
    const { signal } = interruption;
    const examination = examine(fs, { system: soundSystem({ pause }), signal });
    await expect(examination).rejects.toThrow('Ctrl-C');
    expect(turns).toBe(turn);
    expect(fs.snapshot()).toEqual(before);
  });

  it('does not try a slow disk for longer than some seconds', async () => {
    let elapsedMs = 0;
    const elapsed = () => {
      elapsedMs += 400;
      return elapsedMs;
    };
    const fs = memory();
    await storeIn(fs);
    const { checks, measured } = await examine(fs, { system: soundSystem({ elapsedMs: elapsed }) });
    expect(measured?.file).toEqual({ samples: 3, medianMs: 400, p99Ms: 400 });
    expect(elapsedMs).toBeLessThan(8000);
    expect(named(checks, 'sync latency')).toMatchObject({ verdict: 'warning', affects: [] });
  });

  it('tells an edit, a bad history entry, quarantine, and leftovers', async () => {
    const fs = memory();
    await storeIn(fs, 3);
    write(fs, TARGET, 'a: edited\n');
    write(fs, '/state/checkpoints/000000000002.ORCHESTRATION.yaml', 'a: damaged\n');
    write(fs, '/state/.ORCHESTRATION.yaml.0123456789ab.tmp', 'a');
    fs.makeDirectory('/state/quarantine');
    write(fs, '/state/quarantine/20240101T000000-000Z-x-ORCHESTRATION.yaml', '12345');
    const { checks, guarantees } = await examine(fs);
    const findings = checks.filter(({ verdict }) => verdict !== 'ok');
    expect(findings.map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual([
      'checkpoint: warning',
      'left by a crash: warning',
      'history: warning',
      'quarantine: warning',
    ]);
    expect(named(checks, 'left by a crash')?.found).toContain('.0123456789ab.tmp');
    expect(named(checks, 'history')?.found).toContain('of the newest 3 do not verify: 2 (');
    expect(named(checks, 'quarantine')?.found).toContain('1 file, 5 bytes, newest 20240101T');
    expect(guarantees.map(({ met }) => met)).toEqual(['yes', 'limited', 'yes', 'limited']);
  });

  it('calls a store corrupt that recovery would refuse', async () => {
    const fs = memory();
    await storeIn(fs, 1);
    write(fs, TARGET, '[');
    for (const name of fs.list('/state/checkpoints')) write(fs, `/state/checkpoints/${name}`, '[');
    const report = await examine(fs);
    expect(report.corrupt).toBe(true);
    expect(named(report.checks, 'checkpoint')).toMatchObject({ verdict: 'problem' });
    expect(named(report.checks, 'history')).toMatchObject({ verdict: 'problem' });
    expect(report.guarantees.at(-1)).toMatchObject({ guarantee: 'recoverable', met: 'no' });
  });

  it('warns of a hard link by hand, and not of the one that a save was cut off after', async () => {
    const fs = memory();
    await storeIn(fs, 1);
    const kept = '/state/checkpoints/000000000001.ORCHESTRATION.yaml';
    if (fs.statLink(kept) !== undefined) fs.unlink(kept);
    fs.link(TARGET, kept);
    expect(named((await examine(fs)).checks, 'owner and names')).toMatchObject({ verdict: 'ok' });
    fs.link(TARGET, '/state/copy.yaml');
    expect(named((await examine(fs)).checks, 'owner and names')).toMatchObject({
      verdict: 'warning',
      found: 'the checkpoint has 2 names (hard links)',
    });
  });

  it('warns of a seal from the future', async () => {
    const fs = memory();
    await storeIn(fs);
    const now = () => NOW_MS - 7_200_000;
    const { checks, guarantees } = await examine(fs, { system: soundSystem({ now }) });
    expect(named(checks, 'clock')).toMatchObject({ verdict: 'warning' });
    expect(named(checks, 'clock')?.found).toContain('a checkpoint was sealed 2 hours later');
    expect(guarantees.every(({ met }) => met === 'yes')).toBe(true);
  });

  it('tells of one thing that can not be looked at, and of all others all the same', async () => {
    const inner = memory();
    await storeIn(inner);
    const fs = new RecordingFileSystem(inner, {
      before: ({ path }) => {
        if (path.includes('quarantine')) throw systemError('EACCES', 'scandir', path);
        return undefined;
      },
    });
    const { checks } = await examine(fs);
    expect(named(checks, 'quarantine')).toMatchObject({ verdict: 'problem', affects: [] });
    expect(named(checks, 'failures')).toMatchObject({ verdict: 'ok' });
  });
});
