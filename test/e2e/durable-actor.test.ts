/** A durable actor on a real disk, in a process that is killed at random. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createRandom } from '../../src/io/random.js';
import { freshFolder } from '../helpers/temporary-folders.js';

const child = fileURLToPath(new URL('../helpers/durable-child.js', import.meta.url));
const KILLS = Number(process.env.DURABLE_KILLS ?? 6);
const SEED = Number(process.env.DURABLE_SEED ?? 1);

/** Runs it to its end, or to the kill. */
const live = (folder: string, killAfterMs?: number): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const running = execFile(process.execPath, [child, folder], (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.signal === 'SIGKILL') resolve(undefined);
      else reject(new Error(stderr, { cause: error }));
    });
    if (killAfterMs !== undefined) setTimeout(() => running.kill('SIGKILL'), killAfterMs);
  });

it(`begins everything, under one key each, and ends the same after ${KILLS} kills (seed ${SEED})`, async () => {
  const folder = freshFolder();
  const random = createRandom(SEED);
  let kills = 0;
  let told: string | undefined;
  while (told === undefined && kills < KILLS) {
    // Node needs a while to start: what is killed before that proves nothing.
    told = await live(folder, 300 + random.next(400));
    if (told === undefined) kills += 1;
  }
  told ??= await live(folder);
  const names = ['one', 'two', 'three', 'four'].flatMap((phase) =>
    ['a', 'b', 'c'].flatMap((name) => ['first', 'second'].map((at) => `${phase}-${name}.${at}`)),
  );
  const { output, restored } = JSON.parse(told ?? '{}') as { output: string[]; restored: boolean };
  expect(output).toEqual(names.sort());
  expect([kills > 0, restored]).toEqual([true, true]);
  const begun = readFileSync(join(folder, 'effects.log'), 'utf8').trim().split('\n');
  const keys = new Map(begun.map((line) => line.split(' ') as [string, string]));
  expect([...keys.keys()].sort()).toEqual(names);
  // A crash does not give what is done again another key.
  expect(new Set(begun).size).toBe(names.length);
  expect(new Set(keys.values()).size).toBe(names.length);
}, 120_000);
