/**
 * `npm run bench`: this package, its peers and the floors below them in one run on one folder, in turn.
 * Prints a report on stdout and progress on stderr; judges by ratios, and fails on errors only.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contenders } from './contenders/index.mjs';
import { missingWays } from './contenders/ours.mjs';
import { missingPackages, preparePeers } from './peers/prepare.mjs';
import { endAll } from './suite/contender-client.mjs';
import { measureCrashLab } from './suite/crash-lab.mjs';
import { machineFacts } from './suite/machine-facts.mjs';
import { say, sayForNow } from './suite/progress.mjs';
import { reportOf } from './suite/report.mjs';
import { runWorkload } from './suite/rounds.mjs';
import { measureStartUp } from './suite/start-up.mjs';
import { hasState, loadState } from './suite/states.mjs';
import { judgeTargets } from './suite/targets.mjs';
import { isIn, scaled, workloads } from './suite/workloads.mjs';
import { writeDocs } from './suite/write-docs.mjs';

const usage = `npm run bench -- [options]
  --only WORDS   only workloads whose names contain one of these, separated by commas
  --quick        a first impression, in a minute or two
  --smoke        that everything works, in seconds; with those native peers that are installed
  --need-peers   install the native peers, and fail where one can't be
  --json FILE    also write all results to a file
  --write-docs   put the report into docs/benchmarks.md
  --dir FOLDER   where to work: the disk that is measured (default: in node_modules)
  --minutes N    how long at most (default: 12); the targets' workloads come first
  --list         print the names of the workloads`;

const root = fileURLToPath(new URL('../..', import.meta.url));
const repeats = { full: 15, quick: 5, smoke: 1 };
const labMs = { full: 20_000, quick: 6000, smoke: 500 };

const options = optionsOf(process.argv.slice(2));
const scale = options.smoke ? 'smoke' : options.quick ? 'quick' : 'full';

function optionsOf(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        'need-peers': { type: 'boolean', default: false },
        json: { type: 'string' },
        'write-docs': { type: 'boolean', default: false },
        dir: { type: 'string' },
        minutes: { type: 'string', default: '12' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!(Number(values.minutes) > 0)) throw new Error(`--minutes ${values.minutes} is no time`);
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

const secondsSince = (begun) => `${Math.round((performance.now() - begun) / 1000)} s`;

/** Whether a part of the run was asked for. */
function isAsked(name) {
  const asked = options.only?.split(',').filter((word) => word !== '');
  return asked === undefined || asked.some((word) => name.includes(word));
}

async function main() {
  if (options.help) return console.log(usage);
  const names = [...workloads.map(({ id }) => id), 'start', 'lab'];
  if (options.list) return console.log(names.join('\n'));
  if (!names.some(isAsked))
    return misused(`--only ${options.only}: no workload is called so (--list)`);
  if (scale !== 'smoke' || options['need-peers']) preparePeers(say);
  const parent = resolve(options.dir ?? join(root, 'node_modules'));
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, '.checkpoint-wal-bench-'));
  const leave = () => {
    endAll();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    const results = await measure(folder);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
    const report = reportOf(results);
    console.log(report);
    if (options['write-docs']) writeDocs(report);
    failOnErrors(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function misused(problem) {
  console.error(problem);
  process.exitCode = 2;
}

async function measure(folder) {
  const begun = performance.now();
  const packages = await missingPackages();
  if (options['need-peers'] && packages.length > 0) {
    throw new Error(`can't be installed or loaded here: ${packages.join(', ')}`);
  }
  const notHere = [...packages, ...(await missingWays(join(folder, 'ways')))];
  const missing = notHere.map((name) => contenders[name]?.title ?? name);
  if (missing.length > 0) say(`left out, as it is not here: ${missing.join('; ')}`);
  const results = {
    date: new Date().toISOString(),
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    scale,
    machine: machineFacts(folder),
    missing,
    leftOut: [],
    workloads: [],
  };
  if (isAsked('start')) {
    say('start-up: a few seconds');
    results.startUp = await measureStartUp(folder, repeats[scale]);
  }
  if (isAsked('lab')) {
    say(`crash lab: ${labMs[scale] / 1000} seconds`);
    results.crashLab = measureCrashLab(labMs[scale]);
  }
  const asked = workloads.filter(
    (workload) =>
      (options.only !== undefined || isIn(workload, scale)) &&
      isAsked(workload.id) &&
      hasState(workload.state),
  );
  const inOrder = asked.toSorted((a, b) => b.urgency - a.urgency);
  const until = begun + Number(options.minutes) * 60_000;
  for (const [index, workload] of inOrder.entries()) {
    if (performance.now() > until) {
      results.leftOut.push(workload.id);
      continue;
    }
    const place = `${secondsSince(begun)} ${index + 1}/${inOrder.length} ${workload.id}`;
    say(place);
    const now = (what) => sayForNow(`${place}: ${what}`);
    const who = workload.who.filter(
      (name) => !notHere.includes(name) && !notHere.includes(contenders[name].needs),
    );
    const rows = await runWorkload({ ...scaled(workload, scale), until }, who, folder, now);
    results.workloads.push({ ...workload, bytes: loadState(workload.state).bytes, rows });
    for (const { name, problem } of rows) if (problem) say(`  ${name}: ${problem}`);
  }
  sayForNow('');
  const place = ({ id }) => asked.findIndex((workload) => workload.id === id);
  results.workloads.sort((a, b) => place(a) - place(b));
  // A single round of cold code says nothing about time.
  if (scale !== 'smoke') results.targets = judgeTargets(results);
  return results;
}

/** What went wrong is an error; how long it took is none. */
function failOnErrors({ workloads: measured }) {
  const problems = measured.flatMap(({ id, rows }) =>
    rows
      .filter(({ problem, isLate }) => problem && !isLate)
      .map(({ name, problem }) => `${id}, ${name}: ${problem}`),
  );
  for (const problem of problems) say(`failed: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

await main();
