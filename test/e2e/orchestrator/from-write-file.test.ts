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

/**
 * A program of the guide as a file that runs anywhere. Its work takes some time there, and it kills itself
 * so many milliseconds after so many tasks, whatever it does then.
 */
function program(code: string, name: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const resolved = outputText
    .replace("'checkpoint-wal'", `'${built}'`)
    .replace("'yaml'", `'${yaml}'`);
  const work = "task.status = 'DONE';";
  expect(resolved).toContain(work);
  const slow = `await new Promise((done) => setTimeout(done, 3));
    const { KILL_AT, KILL_MS } = process.env;
    const kill = () => process.kill(process.pid, 'SIGKILL');
    if (plan.done === Number(KILL_AT)) setTimeout(kill, Number(KILL_MS));`;
  const file = join(freshFolder(), name);
  writeFileSync(file, resolved.replace(work, `${slow}\n${work}`));
  return file;
}

/** Runs it in a folder; resolves to its exit code, or to the signal that ended it. */
function run(file: string, folder: string, kill?: { at: number; ms: number }) {
  const env = { ...process.env, KILL_AT: String(kill?.at ?? -1), KILL_MS: String(kill?.ms) };
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
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
  let known = 0;
  for (const ms of [0, 1, 2, 4, 8]) {
    const at = known + 3;
    expect(await run(second, folder, { at, ms })).toBe('SIGKILL');
    const { done, tasks } = parse(readFileSync(file, 'utf8'));
    expect(tasks.filter(({ status }: { status: string }) => status === 'DONE')).toHaveLength(done);
    // That many were acknowledged when it was killed; one more may be in the log only.
    expect(done).toBeGreaterThanOrEqual(at);
    known = done;
  }
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
