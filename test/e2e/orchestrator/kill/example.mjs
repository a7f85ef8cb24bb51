/**
 * `npm run example:orchestrator`: runs the orchestrator, kills it with SIGKILL at random moments, lets it
 * finish, and judges what came out. Exits with 1 if anything is wrong.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawPlan, randomOf } from './example-plan.mjs';
import { judge } from './judge.mjs';
import { count, KilledRun } from './killed-run.mjs';

const usage = `npm run example:orchestrator -- [options]
  --kills N        how often it is killed (default: 20)
  --seed N         draws the plan and the moments (default: 1)
  --dir DIR        an empty folder to work in, kept (default: a temporary one, removed if all is well)
  --program FILE   another orchestrator, to see what becomes of it
  --judge          only judge what the same seed and kills left in --dir`;

/** The arguments as they are meant. @throws Error with what is wrong */
function readArguments() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      dir: { type: 'string' },
      program: { type: 'string' },
      judge: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { dir, program, help, judge: judgesOnly } = values;
  const [kills, seed] = [values.kills, values.seed].map(Number);
  if (!Number.isSafeInteger(kills) || kills < 0) throw new Error('--kills is a number from 0');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed is a number from 0');
  if (judgesOnly && dir === undefined) throw new Error('--judge needs --dir');
  return { kills, seed, dir, program, help, judgesOnly };
}

function folderOf({ dir, judgesOnly }) {
  if (dir === undefined) return mkdtempSync(join(tmpdir(), 'checkpoint-wal-orchestrator-'));
  mkdirSync(dir, { recursive: true });
  if (!judgesOnly && readdirSync(dir).length > 0) throw new Error(`${dir} is not empty`);
  return resolve(dir);
}

/** Enough work that most plans outlast their kills. */
const planOf = (seed, kills) => drawPlan(seed, 3 + Math.ceil(kills / 6));

/** How often the plan was edited by hand, as it says itself. */
const noteIn = (directory) =>
  Number(/^# note: (\d+)$/m.exec(readFileSync(join(directory, 'ORCHESTRATION.yaml'), 'utf8'))?.[1]);

async function main() {
  const asked = readArguments();
  if (asked.help) return console.log(usage);
  const folder = folderOf(asked);
  const { seed } = asked;
  const program = asked.program ?? fileURLToPath(new URL('../orchestrator.mjs', import.meta.url));
  const all = { kills: 0, problems: [], landed: new Map(), decided: new Map() };
  // A plan that is done before its kills are used up is followed by another.
  for (let round = 0; round === 0 || all.kills < asked.kills; round += 1) {
    const directory = join(folder, `orchestration-${round + 1}`);
    const left = asked.kills - all.kills;
    const plan = planOf(seed + round, left);
    if (asked.judgesOnly) {
      report(all, await judge(directory, plan, noteIn(directory)));
      break;
    }
    const random = randomOf(seed + round + 7919);
    const run = new KilledRun({ program, directory, plan, random });
    while (run.kills < left && !run.isFinished && run.problems.length === 0) {
      const where = await run.killOnce();
      console.log(`${String(all.kills + run.kills).padStart(4)}  ${where}`);
    }
    if (run.problems.length === 0) await run.finish();
    all.kills += run.kills;
    for (const key of ['landed', 'decided']) {
      for (const [what, times] of run[key]) count(all[key], what, times);
    }
    all.problems.push(...run.problems);
    if (run.problems.length > 0) break;
    console.log(
      `finished after ${run.kills} kills; ${run.damaged} reports damaged, ${run.note} edits by hand`,
    );
    report(all, await judge(directory, plan, run.note));
  }
  tell(all);
  if (all.problems.length > 0) {
    process.exitCode = 1;
    console.log(`\nSomething is wrong. Kept: ${folder}`);
  } else {
    console.log(`\nAll is right after ${all.kills} kills.`);
    if (asked.dir === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function report(all, { problems, facts }) {
  all.problems.push(...problems);
  const { reports, checkpoints, entries } = facts;
  console.log(
    `${reports} reports, ${checkpoints} checkpoints, ${entries} entries of the audit looked at`,
  );
}

function tell({ landed, decided, problems }) {
  for (const [title, counts] of [
    ['kills landed', landed],
    ['starts decided', decided],
  ]) {
    if (counts.size > 0) console.log(`\n${title}`);
    for (const [what, times] of [...counts].sort((a, b) => b[1] - a[1])) {
      console.log(`${String(times).padStart(5)}  ${what}`);
    }
  }
  for (const problem of problems) console.log(`\nproblem: ${problem}`);
}

try {
  await main();
} catch (error) {
  console.error(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
