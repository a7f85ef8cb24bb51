/** What the README shows is run as it stands. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

it('runs the example of the README in an empty folder', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const built = new URL('../../dist/index.js', import.meta.url).href;
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const folder = mkdtempSync(join(tmpdir(), 'checkpoint-wal-readme-'));
  try {
    writeFileSync(
      join(folder, 'example.mjs'),
      outputText.replace("'checkpoint-wal'", `'${built}'`),
    );
    execFileSync(process.execPath, ['example.mjs'], { cwd: folder, stdio: 'pipe' });
    const saved = readFileSync(join(folder, 'orchestration/ORCHESTRATION.yaml'), 'utf8');
    expect(saved).toMatch(
      /^phases:\n {2}- status: COMPLETE\nmetrics:\n {2}done: 1\n# checkpoint-wal:/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
