import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failNth } from '../../../src/io/fault-rules.js';
import { SimulatedDisk } from '../../../src/io/simulated-disk.js';
import { type CaseFile, fromData, parseCaseFile, toData } from '../../../src/testing/case-file.js';
import { LAB_DIRECTORY, type Scenario } from '../../../src/testing/scenario.js';
import { runInMemory } from '../../helpers/cli-run.js';
import { open, TARGET } from '../../helpers/crash-memory.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const scenario: Scenario = {
  name: 'mine',
  file: 'v: 0\n',
  steps: [{ do: 'set', path: 'v', value: 1 }],
};

function fileWith(content: unknown): { cwd: string; file: string } {
  const cwd = freshFolder();
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(cwd, 'input.json'), text);
  return { cwd, file: 'input.json' };
}

describe('explore', () => {
  it('runs a scenario of one’s own and reports what it did', async () => {
    const { cwd, file } = fileWith(scenario);
    const args = ['explore', '--scenario', file, '--images', '4', '--model', 'ordered', '--json'];
    const { exitCode, stdout } = await runInMemory(args, { cwd });
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.counts.distinct).toBeGreaterThan(20);
    expect(report).toMatchObject({ failures: [], seed: 1, depth: 2, runs: 1 });
  });

  it('gives the same images for the same seed', async () => {
    const { cwd, file } = fileWith(scenario);
    const run = async (seed: string) => {
      const args = ['explore', '--scenario', file, '--images', '6', '--seed', seed, '--json'];
      const { stdout } = await runInMemory(args, { cwd });
      return JSON.parse(stdout).counts;
    };
    expect(await run('5')).toEqual(await run('5'));
  });

  it('runs a scenario with faults of the file system, in the run and in recoveries', async () => {
    const { cwd, file } = fileWith(scenario);
    writeFileSync(join(cwd, 'run.json'), JSON.stringify(failNth({ operation: 'rename' }, 'EIO')));
    writeFileSync(join(cwd, 'recovery.json'), JSON.stringify(failNth({}, 'EIO')));
    const args = ['explore', '--scenario', file, '--images', '4', '--model', 'ordered', '--json'];
    const faults = ['--run-faults', 'run.json', '--recovery-faults', 'recovery.json'];
    const plain = JSON.parse((await runInMemory(args, { cwd })).stdout);
    const { exitCode, stdout } = await runInMemory([...args, ...faults], { cwd });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).counts).not.toEqual(plain.counts);
    writeFileSync(join(cwd, 'run.json'), '{"rule": "failAll"}');
    const wrong = await runInMemory([...args, ...faults], { cwd });
    expect(wrong.stdout + wrong.stderr).toContain('the rule must be a rule for faults');
  });

  it.each([
    ['not JSON', '{', 'not JSON'],
    ['a step that there is not', { steps: [{ do: 'jump' }] }, 'steps[0].do'],
    ['a step without its value', [{ steps: [{ do: 'set', path: 'v' }] }], '[0].steps[0].value'],
    ['no steps', {}, 'steps'],
  ])('names what is wrong with a scenario that is %s', async (_, content, expected) => {
    const { cwd, file } = fileWith(content);
    const { exitCode, stderr } = await runInMemory(['explore', '--scenario', file], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(expected);
  });

  it.each([
    ['--time', 'soon'],
    ['--seed', '-1'],
    ['--model', 'none'],
  ])('takes %s %s for a usage error', async (option, value) => {
    expect((await runInMemory(['explore', option, value])).exitCode).toBe(2);
  });

  it('stops when it is told to, and says what was done', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 300);
    const run = await runInMemory(['explore'], { signal: controller.signal });
    expect(run.stdout).toMatch(/crash images of \d+ moments/);
  });
});

describe('a saved case', () => {
  async function caseWith(text: string): Promise<CaseFile> {
    const disk = new SimulatedDisk();
    const store = await open(disk);
    await store.saveText(text);
    await store.set('v', 2);
    disk.rename('/state', LAB_DIRECTORY);
    return {
      caseVersion: 1,
      scenario,
      model: 'posix-minimal',
      seed: 1,
      check: 'finds-an-allowed-state',
      message: 'found nothing',
      trail: [{ at: 'here', fates: ['a write: lost'], disk: toData(disk.visible()) }],
    };
  }

  it('is shown step by step and recovered again', async () => {
    const { cwd, file } = fileWith(await caseWith('v: 1 # kept\n'));
    const { exitCode, stdout } = await runInMemory(['explore', '--replay', file], { cwd });
    expect(exitCode).toBe(0);
    for (const part of ['finds-an-allowed-state', 'a write: lost', 'checkpoint-intact', '# kept']) {
      expect(stdout).toContain(part);
    }
  });

  it('is checked again under its own faults, and says what still does not hold', async () => {
    const found = await caseWith('v: 1 # kept\n');
    const faults = { recovery: failNth({ operation: 'list' }, 'EIO').toJSON() };
    const failing: CaseFile = {
      ...found,
      scenario: { ...scenario, file: 'v: 1 # kept\n', faults },
      allowed: { values: ['{"v":9}'], sequence: 2 },
    };
    const { cwd, file } = fileWith(failing);
    const { exitCode, stdout } = await runInMemory(['explore', '--replay', file], { cwd });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("faults of the first recovery: failNth({ operation: 'list', nth: 1 }");
    expect(stdout).toMatch(/STILL FAILS finds-an-allowed-state: after a recovery that refused/);
  });

  it('keeps the disk as it was, hard links and bytes that are no text included', () => {
    const disk = new SimulatedDisk();
    disk.makeDirectory('/state');
    const handle = disk.open(TARGET, 'create', 0o640);
    handle.write(Uint8Array.of(0, 255, 10), 0);
    handle.close();
    disk.link(TARGET, '/state/second');
    disk.symlink('second', '/state/third');
    const data = toData(disk.visible());
    const again = new SimulatedDisk({ state: fromData(JSON.parse(JSON.stringify(data))) });
    expect(again.snapshot()).toEqual(disk.snapshot());
  });

  it.each([
    ['no JSON', '['],
    ['no case', '{}'],
    ['of a later version', '{"caseVersion": 99}'],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseCaseFile(text)).toThrow(/case/);
  });
});
