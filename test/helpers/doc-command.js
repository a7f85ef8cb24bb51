/**
 * Stands in for the commands that the blocks of the documents use: `checkpoint-wal` as built, ended in
 * order where it would run for ever; `npm` and `npx`, which only check that what is asked for exists.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, fstatSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [name = '', ...args] = process.argv.slice(2);

const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

const stands = { 'checkpoint-wal': checkpointWal, npm, npx, 'xdg-open': () => {} };
stands[name](args);

function fail(message) {
  console.error(`${name} ${args.join(' ')}: ${message}`);
  process.exitCode = 1;
}

function npm([command = '', ...rest]) {
  const script = command === 'run' ? rest[0] : command;
  if (script !== 'install' && scripts[script] === undefined) {
    fail(`package.json has no script "${script}"`);
  }
}

function npx([command, ...rest]) {
  if (command !== 'vitest') return fail('only vitest is known');
  for (const path of rest.filter((word) => word.includes('/'))) {
    if (!existsSync(`${root}/${path}`)) fail(`there is no ${path}`);
  }
}

function checkpointWal(asked) {
  const main = `${root}/dist/cli/main.js`;
  const [command = ''] = asked;
  // A minute in the lab is a second here.
  const given = asked.map((word) => (/^\d+s$/.test(word) ? '1s' : word));
  if (command === 'watch' && fstatSync(1).isFile()) {
    // Its output is kept: somebody reads it, and ends it.
    runToTheEnd(spawn(process.execPath, [main, ...given], { stdio: 'inherit' }));
    return;
  }
  if (command === 'watch' || (command === 'inspect' && !asked.includes('--html'))) {
    endAfterFirstOutput(
      spawn(process.execPath, [main, ...given], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    return;
  }
  const { status } = spawnSync(process.execPath, [main, ...given], { stdio: 'inherit' });
  // What a doctor finds depends on the disk that the tests run on.
  process.exitCode = command === 'doctor' && status === 3 ? 0 : (status ?? 1);
}

function runToTheEnd(child) {
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
}

function endAfterFirstOutput(child) {
  child.stdout.once('data', () => child.kill('SIGTERM'));
  child.stdout.resume();
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
}
