/**
 * The command `list`: a row for each store below a folder, for people and for programs.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpointStores } from '../../../src/store/checkpoint-stores.js';
import { runInMemory } from '../../helpers/cli-run.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

async function threeStores() {
  const cwd = freshFolder();
  const root = join(cwd, 'workflows');
  const all = await openCheckpointStores(root, { restore: false, audit: false });
  await all.use('b', (store) => store.save({ n: 1 }, { label: 'be\u001b[31mgin' }));
  await all.use('a', async (store) => {
    await store.save({ n: 1 });
    await store.save({ n: 2 });
  });
  await all.close();
  mkdirSync(join(root, 'empty'));
  symlinkSync(join(root, 'a'), join(root, 'link'));
  return { cwd, root };
}

describe('list', () => {
  it('prints a row for each store, by name, and how many there are', async () => {
    const { cwd } = await threeStores();
    const { stdout, stderr, exitCode } = await runInMemory(['list', 'workflows'], { cwd });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    const [a, b, total, ...rest] = stdout.trimEnd().split('\n');
    expect(a).toMatch(/^a {2}2 {2}(just now|\d+ seconds? ago) +\d+ B$/);
    expect(b).toMatch(/^b {2}1 {2}.* B {2}"be\ufffd\[31mgin"$/);
    expect([total, rest]).toEqual(['2 stores', []]);
  });

  it('says who has a store open, where a log waits and what can not be read, with exit code 3', async () => {
    const { cwd, root } = await threeStores();
    const all = await openCheckpointStores(root, { restore: false, audit: false });
    await using _lease = await all.open('a');
    writeFileSync(join(root, 'b/.checkpoint.wal'), 'half a log');
    mkdirSync(join(root, 'c'));
    writeFileSync(join(root, 'c/ORCHESTRATION.yaml'), 'n: 1\n');
    const { stdout, exitCode } = await runInMemory(['list', 'workflows'], { cwd });
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`open in process ${process.pid}`);
    expect(stdout).toMatch(/^b .*, a log waits for recovery$/m);
    expect(stdout).toMatch(/^c .*EDITED_OUTSIDE: its last line is no seal/m);
    expect(stdout).toMatch(/^3 stores, 2 to look at$/m);
    await all.close();
  });

  it('prints the same as JSON', async () => {
    const { cwd, root } = await threeStores();
    const { stdout } = await runInMemory(['list', 'workflows', '--json'], { cwd });
    expect(JSON.parse(stdout)).toEqual({
      root,
      stores: [
        {
          name: 'a',
          directory: join(root, 'a'),
          sequence: 2,
          size: expect.any(Number),
          time: expect.stringMatching(/^20\d\d-.*Z$/),
          lock: { held: false },
          logWaiting: false,
        },
        expect.objectContaining({ name: 'b', sequence: 1, label: 'be\u001b[31mgin' }),
      ],
    });
  });

  it('looks for the file that --file names', async () => {
    const { cwd } = await threeStores();
    const { stdout, exitCode } = await runInMemory(['list', 'workflows', '--file', 'x.yaml'], {
      cwd,
    });
    expect([stdout.includes('b'), exitCode]).toEqual([false, 0]);
  });

  it('is refused where there is no such folder', async () => {
    const { stderr, exitCode } = await runInMemory(['list', 'none']);
    expect(exitCode).toBe(10);
    expect(stderr).toContain('error NO_STORE');
    expect(stderr).toContain('Name the folder');
  });
});
