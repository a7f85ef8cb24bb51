/** Commands that read history, as processes: pipes, and a store that another process has open. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../src/store.js';
import { runProcess } from '../helpers/cli-run.js';
import { makeStore } from '../helpers/crashed-stores.js';
import { freshFolder } from '../helpers/temporary-folders.js';

/** Line ends of Windows, no line break at the end, characters of two and four bytes. */
const TEXT = '\ufeff# plän\r\nworkflow:\r\n  status: ACTIVE # 😀\r\nlast: line';

describe('history, show and diff as processes', () => {
  it('give texts byte for byte, and a patch that makes one of the other, while the store is open', async () => {
    const directory = await makeStore(['DONE'], TEXT);
    const store = await openCheckpointStore({ directory, restore: false });
    try {
      const run = (...args: string[]) => runProcess([...args, '--dir', directory]);
      const shown = await run('show', '1');
      expect(shown).toMatchObject({ exitCode: 0, stdout: TEXT, stderr: '' });
      const { stdout: patch } = await run('diff', '1', '--text');
      const { stdout: now } = await run('show', 'current');
      expect(now).toBe(TEXT.replace('ACTIVE', 'DONE'));
      expect(applyPatch(TEXT, patch, { autoConvertLineEndings: false })).toBe(now);
      const history = await run('history');
      expect(history).toMatchObject({ exitCode: 0, stderr: '' });
      expect(history.stdout).toMatch(/^2 \*.*workflow\.status: ACTIVE → DONE\n1 /);
    } finally {
      await store.close();
    }
  });

  it('compares long files that have nothing in common within seconds', async () => {
    const cwd = freshFolder();
    const text = (word: string) =>
      Array.from({ length: 20_000 }, (_, n) => `- ${word}${n}\n`).join('');
    writeFileSync(join(cwd, 'a.yaml'), text('a'));
    writeFileSync(join(cwd, 'b.yaml'), text('b'));
    const { exitCode, stdout } = await runProcess(['diff', './a.yaml', './b.yaml', '--text'], {
      cwd,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('@@ -1,20000 +1,20000 @@');
  }, 30_000);
});
