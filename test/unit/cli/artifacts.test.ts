/** Artifacts and pins on the command line. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runInMemory } from '../../helpers/cli-run.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

let cwd: string;
beforeEach(() => {
  cwd = freshFolder();
  mkdirSync(join(cwd, 'orchestration', 'out'), { recursive: true });
  writeFileSync(join(cwd, 'plan.yaml'), 'v: 1\n');
  writeFileSync(join(cwd, 'orchestration', 'out', 'app.tar'), 'tar');
  writeFileSync(join(cwd, 'orchestration', 'app.log'), 'log\n');
});

const run = (...args: string[]) => runInMemory(args, { cwd });
const json = async (...args: string[]) => {
  const { exitCode, stdout } = await run(...args, '--json');
  return { exitCode, data: JSON.parse(stdout) };
};
const checkpoint = () => readFileSync(join(cwd, 'orchestration', 'ORCHESTRATION.yaml'), 'utf8');

describe('save', () => {
  it('records artifacts, and takes over the list where none is named', async () => {
    const artifacts = ['--artifact', 'out/app.tar', '--artifact', './app.log'];
    expect(await json('save', 'plan.yaml', ...artifacts)).toMatchObject({
      exitCode: 0,
      data: { sequence: 1, artifacts: 2 },
    });
    await run('set', 'v', '2');
    expect(checkpoint()).toMatch(
      /artifact .*path="out\/app.tar"\n.*artifact .*path="app.log"\n.*v1/,
    );
    expect(checkpoint()).toContain(' artifacts=2 ');
  });

  it('pins a checkpoint under its label, and needs one', async () => {
    const refused = await run('save', 'plan.yaml', '--pin');
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain('--pin needs --label');
    expect((await json('save', 'plan.yaml', '--pin', '--label', 'good')).data.pinned).toBe(true);
    expect(checkpoint()).toContain(' pinned label="good" ');
  });

  it('takes artifacts from another root, relative to where it runs', async () => {
    const saved = await run(
      'save',
      'plan.yaml',
      '--artifact',
      'plan.yaml',
      '--artifacts-root',
      '.',
    );
    expect(saved.exitCode).toBe(0);
    expect(checkpoint()).toContain('size=5 path="plan.yaml"');
    expect((await run('verify', '--artifacts')).exitCode).toBe(3);
    expect((await run('verify', '--artifacts', '--artifacts-root', '.')).exitCode).toBe(0);
  });

  it.each([
    ['nowhere.txt', 'ARTIFACT_MISSING'],
    ['../plan.yaml', 'ARTIFACT_OUTSIDE_ROOT'],
    ['/etc/passwd', 'ARTIFACT_OUTSIDE_ROOT'],
    ['out', 'ARTIFACT_OUTSIDE_ROOT'],
  ])('saves nothing with the artifact %s', async (path, code) => {
    const { exitCode, data } = await json('save', 'plan.yaml', '--artifact', path);
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code });
    expect((await run('get')).exitCode).toBe(10);
  });
});

describe('verify --artifacts', () => {
  beforeEach(async () => {
    await run('save', 'plan.yaml', '--artifact', 'out/app.tar', '--artifact', 'app.log');
  });

  it('finds them intact, and says nothing of them unless asked', async () => {
    expect(await run('verify', '--artifacts')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\n2 artifacts of 2 intact\n$/),
    });
    expect((await json('verify')).data).not.toHaveProperty('artifacts');
  });

  it('lists what is missing, changed or unreadable, with exit code 3', async () => {
    const log = join(cwd, 'orchestration', 'app.log');
    rmSync(join(cwd, 'orchestration', 'out', 'app.tar'));
    writeFileSync(log, 'LOG\n');
    const { exitCode, stdout } = await run('verify', '--artifacts');
    expect(exitCode).toBe(3);
    expect(stdout).toContain('missing     artifact out/app.tar: there is no file');
    expect(stdout).toContain('changed     artifact app.log: its content is another');
    rmSync(log);
    symlinkSync(join(cwd, 'plan.yaml'), log);
    const listed = await json('verify', '--artifacts');
    expect(listed).toMatchObject({ exitCode: 3, data: { verified: false } });
    const [report] = listed.data.artifacts;
    expect(report).toMatchObject({ intact: 0, root: join(cwd, 'orchestration') });
    expect(report.checks.map(({ state }: { state: string }) => state)).toEqual([
      'missing',
      'unreadable',
    ]);
  });

  it('compares those of any copy, also of an edited one, but of no log', async () => {
    writeFileSync(join(cwd, 'copy.yaml'), checkpoint().replace('v: 1', 'v: 2'));
    const { exitCode, data } = await json('verify', '--artifacts', 'copy.yaml', 'no.yaml');
    expect(exitCode).toBe(1);
    expect(data.artifacts).toMatchObject([{ file: 'copy.yaml', intact: 2 }]);
    writeFileSync(join(cwd, 'plain.yaml'), 'a: 1\n');
    expect((await json('verify', '--artifacts', 'plain.yaml')).data.artifacts).toMatchObject([
      { file: 'plain.yaml', intact: 0, checks: [] },
    ]);
  });
});
