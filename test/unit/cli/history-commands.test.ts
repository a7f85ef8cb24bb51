import {
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { InterruptedError } from '../../../src/cli/cli-error.js';
import { readSeal } from '../../../src/format/seal.js';
import { NodeFileHandle } from '../../../src/io/node-file-handle.js';
import { createNodeFileSystem } from '../../../src/io/node-file-system.js';
import { openCheckpointStore } from '../../../src/store.js';
import { type RunOptions, runInMemory } from '../../helpers/cli-run.js';
import { crashedStore } from '../../helpers/crashed-stores.js';
import { fillHistory } from '../../helpers/history-filler.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const TEXT = '# by hand\nstatus: ACTIVE # first\nphases:\n  - name: one\n    status: PENDING\n';

/** A store with four checkpoints; the second is labelled, pinned, and names an artifact. */
async function fourCheckpoints(): Promise<string> {
  const directory = freshFolder();
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'out/report.md'), 'report');
  const store = await openCheckpointStore({ directory, restore: false });
  await store.saveText(TEXT);
  await store.set('phases[0].status', 'DONE', {
    label: 'reviewed',
    pinned: true,
    artifacts: ['out/report.md'],
  });
  await store.set('owner', 'ada', { artifacts: [] });
  await store.update((state) => {
    const { phases } = state as { phases: object[] };
    phases.unshift({ name: 'zero', status: 'DONE' });
  });
  await store.close();
  return directory;
}

const run = (directory: string, args: string[], options: RunOptions = {}) =>
  runInMemory([...args, '--dir', directory], options);
const textIn = (directory: string) => {
  const reading = readSeal(readFileSync(join(directory, 'ORCHESTRATION.yaml')));
  return reading.kind === 'sealed' ? reading.text : reading.kind;
};

describe('history', () => {
  it('lists the newest first, with label, artifacts and what changed', async () => {
    const directory = await fourCheckpoints();
    const { exitCode, stdout } = await run(directory, ['history']);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^4 \* .*\+ phases\[0\]: \{name: zero, status: DONE\}$/);
    expect(lines[1]).toMatch(/^3 .*\+ owner: ada$/);
    expect(lines[2]).toMatch(
      /^2 .*"reviewed", pinned, 1 artifact {2}phases\[0\]\.status: PENDING → DONE$/,
    );
    expect(lines[3]).toMatch(/^1 /);
  });

  it('says how many more there are, and gives all of it as JSON', async () => {
    const directory = await fourCheckpoints();
    expect((await run(directory, ['history', '--limit', '1'])).stdout).toContain('3 earlier ones');
    const { stdout } = await run(directory, ['history', '--all', '--json']);
    const { entries, shown } = JSON.parse(stdout);
    expect(entries).toBe(4);
    expect(shown[2]).toMatchObject({
      sequence: 2,
      label: 'reviewed',
      pinned: true,
      artifacts: 1,
      verified: true,
      changes: 1,
    });
  });

  it('marks what does not verify, goes on, and says by its exit code that something is corrupt', async () => {
    const directory = await fourCheckpoints();
    const entry = join(directory, 'checkpoints/000000000003.ORCHESTRATION.yaml');
    const text = readFileSync(entry, 'utf8');
    unlinkSync(entry);
    writeFileSync(entry, text.replace('ada', 'eve'));
    const { exitCode, stdout } = await run(directory, ['history']);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^3 .*DAMAGED: Checkpoint 3 does not verify/m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  it('tells an edit that nobody has saved yet from damage', async () => {
    const directory = await fourCheckpoints();
    const path = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('owner: ada', 'owner: eve'));
    const { exitCode, stdout } = await run(directory, ['history']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^5 \* .* {2}EDITED, not saved yet: owner: ada → eve$/m);
    const { shown } = JSON.parse((await run(directory, ['history', '--json'])).stdout);
    expect(shown[0]).toMatchObject({
      verified: false,
      problem: { code: 'EDITED_OUTSIDE' },
      changes: 1,
      since: 4,
    });
    writeFileSync(path, 'a: [1');
    expect(await run(directory, ['history'])).toMatchObject({
      exitCode: 4,
      stdout: expect.stringMatching(/^5 \* .*DAMAGED: /),
    });
  });

  it('says what a change is since where the one before was pruned, and what only looks different', async () => {
    const directory = await fourCheckpoints();
    unlinkSync(join(directory, 'checkpoints/000000000003.ORCHESTRATION.yaml'));
    const store = await openCheckpointStore({ directory, restore: false });
    await store.saveText(`${store.text}# a comment\n`);
    await store.saveText(store.text ?? '');
    await store.close();
    const lines = (await run(directory, ['history'])).stdout.split('\n');
    expect(lines[0]).toMatch(/^6 \* .* {2}the same text$/);
    expect(lines[1]).toMatch(/^5 .* {2}comments or layout only$/);
    expect(lines[2]).toMatch(/^4 .* {2}since 2: \+ phases\[0\]: .*, \+1 path$/);
  });

  it('says on stderr when the last promised state is still in the log', async () => {
    const directory = await crashedStore('syncingCheckpoint');
    for (const command of [['history'], ['show', 'current'], ['diff', '1', 'current']]) {
      const { exitCode, stderr } = await run(directory, command);
      expect({ exitCode, stderr }).toEqual({
        exitCode: 0,
        stderr: expect.stringContaining('note: this is not the last promised state: save 2'),
      });
    }
  });

  it('reads no more of a long history than it shows, and all of it once with --all', async () => {
    const directory = freshFolder();
    const entries = Array.from({ length: 300 }, (_, index) => ({ sequence: index + 1 }));
    fillHistory(createNodeFileSystem(), entries, directory);
    const opened = vi.spyOn(NodeFileHandle.prototype, 'close');
    const { stdout } = await run(directory, ['history', '--limit', '3']);
    expect(stdout).toContain('… 298 earlier ones: --all shows them');
    expect(opened.mock.calls.length).toBeLessThan(30);
    opened.mockClear();
    await run(directory, ['history', '--all']);
    expect(opened.mock.calls.length).toBeLessThan(4 * 301);
    opened.mockRestore();
  });

  it('ends when it is interrupted', async () => {
    const directory = await fourCheckpoints();
    const signal = AbortSignal.abort(new InterruptedError('SIGINT'));
    expect(await run(directory, ['history', '--all'], { signal })).toMatchObject({
      exitCode: 130,
      stdout: '',
    });
  });

  it.each([
    ['no store', ['history'], 10],
    ['a limit that is none', ['history', '--limit', '0'], 2],
    ['a checkpoint that is not there', ['show', '7'], 10],
  ])('refuses %s', async (_, args, exitCode) => {
    expect((await run(freshFolder(), args)).exitCode).toBe(exitCode);
  });
});

describe('show', () => {
  it.each([
    ['1', TEXT],
    ['reviewed', TEXT.replace('PENDING', 'DONE')],
    ['label:reviewed', TEXT.replace('PENDING', 'DONE')],
    ['previous', `${TEXT.replace('PENDING', 'DONE')}owner: ada\n`],
  ])('prints checkpoint %s byte for byte', async (selector, text) => {
    const directory = await fourCheckpoints();
    expect(await run(directory, ['show', selector])).toMatchObject({ exitCode: 0, stdout: text });
  });

  it('names what is there where nothing is found, and refuses a damaged one', async () => {
    const directory = await fourCheckpoints();
    const missing = await run(directory, ['show', 'gone']);
    expect(missing).toMatchObject({ exitCode: 1 });
    expect(missing.stderr).toContain('2 ("reviewed")');
    const entry = join(directory, 'checkpoints/000000000001.ORCHESTRATION.yaml');
    unlinkSync(entry);
    writeFileSync(entry, TEXT);
    expect(await run(directory, ['show', '1'])).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('ENTRY_DAMAGED'),
    });
  });
});

describe('a checkpoint that was edited and not saved', () => {
  it('is shown and compared as it is, and said to be no checkpoint', async () => {
    const directory = await fourCheckpoints();
    const path = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('owner: ada', 'owner: eve'));
    const shown = await run(directory, ['show', 'current']);
    expect(shown).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('owner: eve\n') });
    expect(shown.stdout).not.toContain('checkpoint-wal');
    expect(shown.stderr).toContain('note: this is no checkpoint yet: edited since it was saved');
    expect((await run(directory, ['diff', '3'])).stdout).toContain('~ owner: ada → eve\n');
    const { data } = {
      data: JSON.parse((await run(directory, ['show', 'current', '--json'])).stdout),
    };
    expect(data).toMatchObject({
      current: true,
      verified: false,
      problem: { code: 'EDITED_OUTSIDE' },
    });
  });

  it('is compared line by line where it is no YAML any more', async () => {
    const directory = await fourCheckpoints();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), 'status: [ACTIVE\n');
    const { exitCode, stdout, stderr } = await run(directory, ['diff', '1', 'current']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('no YAML, so they are compared line by line');
    expect(stdout).toContain('--- checkpoint 1\n+++ current (edited)\n@@ -1,5 +1 @@\n');
  });
});

describe('diff', () => {
  it('tells paths, matching items of lists by what they are', async () => {
    const directory = await fourCheckpoints();
    const { stdout } = await run(directory, ['diff', '1']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      '+ phases[0]: {name: zero, status: DONE}',
      '~ phases[1].status (was phases[0].status): PENDING → DONE',
      '+ owner: ada',
    ]);
  });

  it('compares with a file, line by line, without its seal', async () => {
    const directory = await fourCheckpoints();
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'plan.yaml'), TEXT.replace('# first', '# second'));
    const structural = await run(directory, ['diff', '1', './plan.yaml'], { cwd });
    expect(structural.stdout).toContain('comments or layout differ');
    const { stdout } = await run(directory, ['diff', '1', './plan.yaml', '--text'], { cwd });
    expect(stdout).toContain('-status: ACTIVE # first\n+status: ACTIVE # second\n');
    const same = await run(directory, ['diff', 'current', '--json']);
    expect(JSON.parse(same.stdout)).toMatchObject({ same: true, changes: [] });
  });
});

describe('diff --text', () => {
  const compare = async (left: string | Uint8Array, right: string, options: RunOptions = {}) => {
    const cwd = freshFolder();
    writeFileSync(join(cwd, 'a'), left);
    writeFileSync(join(cwd, 'b'), right);
    return await runInMemory(['diff', './a', './b', '--text'], { cwd, ...options });
  };

  it('keeps the line breaks of other systems in a pipe', async () => {
    const { stdout } = await compare('a: 1\r\nb: 1\r\n', 'a: 2\r\nb: 1\r\n');
    expect(stdout).toContain('-a: 1\r\n+a: 2\r\n b: 1\r\n');
    const shown = await compare('a: 1\r\n', 'a: \u001b[2J\r\n', { stdoutIsTerminal: true });
    expect(stripVTControlCharacters(shown.stdout)).toContain('-a: 1\r\n+a: \ufffd[2J\r\n');
  });

  it('paints lines on a terminal, also such that look like headers', async () => {
    const env = { FORCE_COLOR: '1' };
    const { stdout } = await compare('-- a\n', '++ b\n', { env });
    expect(stdout).toContain('\u001b[31m--- a\u001b[39m\n\u001b[32m+++ b\u001b[39m\n');
  });

  it('stays quick where everything is different, and remains a patch', async () => {
    const lines = (name: string) =>
      Array.from({ length: 20_000 }, (_, index) => `${name}${index}: 1\n`).join('');
    const startMs = performance.now();
    const { stdout } = await compare(lines('a'), `${lines('b')}end: 1`);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(stdout).toContain('@@ -1,20000 +1,20001 @@\n-a0: 1\n');
    expect(stdout.endsWith('+end: 1\n\\ No newline at end of file\n')).toBe(true);
  });

  it('refuses bytes that are no text, and a file that is not there', async () => {
    const outcome = await compare(Uint8Array.of(0x61, 0xff), 'a');
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' });
    expect(outcome.stderr).toContain('INVALID_YAML');
    expect((await runInMemory(['diff', './gone', './gone'])).stderr).toContain('READ_FAILED');
  });
});

describe('diff --exit-code', () => {
  it.each([
    [['1', '1'], 0],
    [['1', '2'], 3],
    [['2', 'previous', '--text'], 3],
    [['current', 'current', '--text'], 0],
  ])('tells by its exit code whether %j differ', async (args, exitCode) => {
    const directory = await fourCheckpoints();
    expect((await run(directory, ['diff', ...args])).exitCode).toBe(0);
    expect((await run(directory, ['diff', ...args, '--exit-code'])).exitCode).toBe(exitCode);
  });
});

describe('names of checkpoints', () => {
  it.each([
    ['', 2, 'USAGE'],
    ['before:noon', 2, 'USAGE'],
    ['reviwed', 1, 'Alike: 2 ("reviewed")'],
    ['9', 1, 'Nearest: 1, 2 ("reviewed"), 3, 4'],
    ['before:2001-01-01T00:00:00Z', 1, 'The oldest is 1.'],
  ])('say what may have been meant by %j', async (name, exitCode, said) => {
    const outcome = await run(await fourCheckpoints(), ['show', name]);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toContain(said);
  });
});

describe('restore', () => {
  it('says what would change and changes nothing with --dry-run', async () => {
    const directory = await fourCheckpoints();
    const before = textIn(directory);
    const { exitCode, stdout } = await run(directory, ['restore', 'reviewed', '--dry-run']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('- owner: ada');
    expect(textIn(directory)).toBe(before);
  });

  it('brings a checkpoint back byte for byte, and can be undone', async () => {
    const directory = await fourCheckpoints();
    const before = textIn(directory);
    const { exitCode, stdout } = await run(directory, ['restore', 'reviewed', '--yes']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'restored checkpoint 2, as checkpoint 5\n',
    });
    expect(textIn(directory)).toBe(TEXT.replace('PENDING', 'DONE'));
    const undone = await run(directory, ['restore', 'previous', '--yes', '--json']);
    expect(JSON.parse(undone.stdout)).toMatchObject({ from: 4, sequence: 6, dryRun: false });
    expect(textIn(directory)).toBe(before);
  });

  it.each([
    ['y\n', 0, true],
    ['n\n', 1, false],
    ['\n', 1, false],
  ])('asks on a terminal and takes the answer %j', async (stdin, exitCode, isRestored) => {
    const directory = await fourCheckpoints();
    const outcome = await run(directory, ['restore', '1'], { stdin, stdinIsTerminal: true });
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.stderr).toContain('~ phases[0].status (was phases[1].status): DONE → PENDING');
    expect(textIn(directory) === TEXT).toBe(isRestored);
  });

  it('does not guess where nobody can be asked', async () => {
    const directory = await fourCheckpoints();
    const before = textIn(directory);
    expect(await run(directory, ['restore', '1'])).toMatchObject({ exitCode: 2 });
    expect(textIn(directory)).toBe(before);
  });

  it('refuses artifacts that are not intact, names them, and goes on when allowed to', async () => {
    const directory = await fourCheckpoints();
    const before = textIn(directory);
    writeFileSync(join(directory, 'out/report.md'), 'another');
    const refused = await run(directory, ['restore', 'reviewed', '--yes', '--json']);
    expect(refused.exitCode).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: {
        code: 'ARTIFACTS_NOT_INTACT',
        artifacts: [{ path: 'out/report.md', state: 'changed' }],
      },
    });
    expect(textIn(directory)).toBe(before);
    const args = ['restore', 'reviewed', '--yes', '--allow-missing-artifacts'];
    expect(await run(directory, args)).toMatchObject({ exitCode: 0 });
    expect(textIn(directory)).toBe(TEXT.replace('PENDING', 'DONE'));
  });

  it.each<[string, (file: string) => void]>([
    ['missing', (file) => unlinkSync(file)],
    ['empty', (file) => truncateSync(file, 0)],
    ['damaged', (file) => writeFileSync(file, 'status: "ACT')],
    ['edited', (file) => writeFileSync(file, 'status: OTHER\n')],
  ])('works while the file is %s, and keeps what was there', async (_, damage) => {
    const directory = await fourCheckpoints();
    const path = join(directory, 'ORCHESTRATION.yaml');
    damage(path);
    const outcome = await run(directory, ['restore', '1', '--yes']);
    expect([0, 3]).toContain(outcome.exitCode);
    expect(textIn(directory)).toBe(TEXT);
    expect(readdirSync(join(directory, 'checkpoints')).length).toBeGreaterThanOrEqual(4);
  });
});
