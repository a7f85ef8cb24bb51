/**
 * The two programs of `docs/guide/from-write-file.md`, as they stand: the first makes a file, people write
 * comments into it, and the second goes on with it, killed again and again.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { freshFolder } from '../../helpers/temporary-folders.js';

const guide = readFileSync(
  new URL('../../../docs/guide/from-write-file.md', import.meta.url),
  'utf8',
);
const [before = '', after = ''] = [...guide.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
  ([, code = '']) => code,
);
const built = new URL('../../../dist/index.js', import.meta.url).href;
const yaml = import.meta.resolve('yaml');

/** A program of the guide as a file that runs anywhere. Its work takes some time there. */
function program(code: string, name: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const resolved = outputText
    .replace("'checkpoint-wal'", `'${built}'`)
    .replace("'yaml'", `'${yaml}'`);
  const slow = "await new Promise((done) => setTimeout(done, 3)); task.status = 'DONE';";
  expect(resolved).toContain("task.status = 'DONE';");
  const file = join(freshFolder(), name);
  writeFileSync(file, resolved.replace("task.status = 'DONE';", slow));
  return file;
}

/** Runs it in a folder; kills it so long after its first change of the file, if it has not ended by then. */
function run(file: string, folder: string, killAfterMs?: number): Promise<number | string> {
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const state = join(folder, 'plan.yaml');
  const first = existsSync(state) ? readFileSync(state, 'utf8') : '';
  const poll = setInterval(() => {
    if (killAfterMs === undefined || readFileSync(state, 'utf8') === first) return;
    clearInterval(poll);
    setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  }, 1);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearInterval(poll);
      resolve(signal ?? code ?? 'ended');
    });
  });
}

const tasks = (count: number) =>
  Array.from(
    { length: count },
    (_, at) => `  - name: task ${at + 1} # number ${at + 1}\n    status: PENDING`,
  );
const edited = (count: number) =>
  `# by hand\ndone: 0   # how many\n\ntasks:\n${tasks(count).join('\n')}\n`;

it('goes on with the file of the program before, keeps its comments, and survives being killed', async () => {
  const folder = freshFolder();
  const file = join(folder, 'plan.yaml');
  expect(await run(program(before, 'before.mjs'), folder)).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('done: 1\ntasks:\n  - name: survey\n    status: DONE\n');

  writeFileSync(file, edited(40));
  const second = program(after, 'after.mjs');
  let kills = 0;
  let known = 0;
  for (const killAfterMs of [0, 7, 1, 12, 4]) {
    const ended = await run(second, folder, killAfterMs);
    if (ended === 'SIGKILL') kills += 1;
    else expect(ended).toBe(0);
    const { done, tasks } = parse(readFileSync(file, 'utf8'));
    expect(tasks.filter(({ status }: { status: string }) => status === 'DONE')).toHaveLength(done);
    expect(done).toBeGreaterThanOrEqual(known);
    known = done;
  }
  expect(kills).toBeGreaterThanOrEqual(2);
  expect(known).toBeGreaterThan(0);
  expect(await run(second, folder)).toBe(0);
  const text = readFileSync(file, 'utf8').replace(/# checkpoint-wal: .*\n$/, '');
  expect(text).toBe(edited(40).replace('done: 0', 'done: 40').replaceAll('PENDING', 'DONE'));
  expect(existsSync(join(folder, '.checkpoint.wal'))).toBe(false);
});

it('shows what the program before loses: the comments', async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, 'plan.yaml'), edited(3));
  expect(await run(program(before, 'before.mjs'), folder)).toBe(0);
  expect(readFileSync(join(folder, 'plan.yaml'), 'utf8')).not.toContain('#');
});

it('starts without a file, too', async () => {
  const folder = freshFolder();
  expect(await run(program(after, 'after.mjs'), folder)).toBe(0);
  const { tasks } = parse(readFileSync(join(folder, 'plan.yaml'), 'utf8'));
  expect(tasks).toEqual([{ name: 'survey', status: 'DONE' }]);
});
