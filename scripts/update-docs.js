// Writes what the documents take from the code: the diagrams of the statecharts and the decision
// tables of recovery. The tests that compare them do the writing, so that both always agree.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const manifest = createRequire(import.meta.url).resolve('vitest/package.json');
const tests = [
  'test/unit/diagrams.test.ts',
  'test/unit/docs.test.ts',
  'test/crash/broken-variants.test.ts',
  'test/crash/public-writers.test.ts',
  '-t',
  'generated',
];
const { status } = spawnSync(
  process.execPath,
  [join(dirname(manifest), 'vitest.mjs'), 'run', ...tests],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, UPDATE_DOCS: '1' },
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
