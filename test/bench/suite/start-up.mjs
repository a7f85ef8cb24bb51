/** How long programs take until they are there, each in a fresh process: node itself, the library, the command line. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedStore } from '../contenders/ours.mjs';
import { loadState } from './states.mjs';
import { median, rank } from './statistics.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const main = join(root, 'dist/cli/main.js');
/** Prints how long the import alone took. */
const importing = `const begun = performance.now(); await import('checkpoint-wal'); console.log(performance.now() - begun);`;

/** @returns `{ node, import, importing, status }`, each `{ medianMs, p99Ms, minMs }` */
export async function measureStartUp(folder, rounds) {
  const directory = join(folder, 'start-up');
  await closedStore(directory, loadState('example'));
  const programs = {
    node: ['-e', '0'],
    import: ['--input-type=module', '-e', importing],
    status: [main, 'status', '--dir', directory],
  };
  const times = { node: [], import: [], importing: [], status: [] };
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, programArguments] of Object.entries(programs)) {
      const { ms, printed } = run(programArguments);
      // The first time the files are read from the disk.
      if (round === 0) continue;
      times[name].push(ms);
      if (name === 'import') times.importing.push(Number(printed));
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, summary(all)]));
}

function run(programArguments) {
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, programArguments, {
    cwd: root,
    encoding: 'utf8',
  });
  const ms = performance.now() - begun;
  if (status !== 0)
    throw new Error(`${programArguments.join(' ')} ended with ${status}: ${stderr}`);
  return { ms, printed: stdout };
}

const summary = (all) => ({ medianMs: median(all), p99Ms: rank(all, 0.99), minMs: rank(all, 0) });
