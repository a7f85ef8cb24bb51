// Compiles src/ to dist/ from scratch, so that a deleted source file leaves nothing behind, bundles the
// inspector's page, puts the pictures of the statecharts beside the code that reads them, and marks the
// command line as executable.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundlePage } from './bundle-page.js';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);
cpSync(
  new URL('../docs/diagrams', import.meta.url),
  new URL('../dist/inspector/diagrams', import.meta.url),
  {
    recursive: true,
    filter: (path) => !path.endsWith('.mmd'),
  },
);
await bundlePage(fileURLToPath(new URL('../dist/inspector/page', import.meta.url)));
chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
