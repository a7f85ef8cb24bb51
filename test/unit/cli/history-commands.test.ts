import {
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSeal } from '../../../src/format/seal.js';
import { openCheckpointStore } from '../../../src/store.js';
import { type RunOptions, runInMemory } from '../../helpers/cli-run.js';
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
    expect(lines[0]).toMatch(/^4 \* .*\+ phases\[0\]: \{zero, 2 keys\}$/);
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

  it('marks what does not verify, goes on, and ends with findings', async () => {
    const directory = await fourCheckpoints();
    const entry = join(directory, 'checkpoints/000000000003.ORCHESTRATION.yaml');
    const text = readFileSync(entry, 'utf8');
    unlinkSync(entry);
    writeFileSync(entry, text.replace('ada', 'eve'));
    const { exitCode, stdout } = await run(directory, ['history']);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^3 .*DAMAGED/m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
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
    expect(missing.stderr).toContain('2 (reviewed)');
    const entry = join(directory, 'checkpoints/000000000001.ORCHESTRATION.yaml');
    unlinkSync(entry);
    writeFileSync(entry, TEXT);
    expect(await run(directory, ['show', '1'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('ENTRY_DAMAGED'),
    });
  });
});

describe('diff', () => {
  it('tells paths, matching items of lists by what they are', async () => {
    const directory = await fourCheckpoints();
    const { stdout } = await run(directory, ['diff', '1']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      '+ phases[0]: {zero, 2 keys}',
      '~ phases[1].status: PENDING → DONE',
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
    expect(outcome.stderr).toContain('~ phases[0].status: DONE → PENDING');
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
