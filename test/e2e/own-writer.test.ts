/** The example of `docs/testing.md` for other people's writers is run as it stands, on writers of this file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const docs = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8');
const section = docs.slice(docs.indexOf('## Your own file writer'));
const [, example = ''] = /```js\n([\s\S]*?)```/.exec(section) ?? [];
const [, answer = ''] = /```\n(kill: [\s\S]*?)```/.exec(section) ?? [];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-wal-own-writer-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the example says of a writer. */
function judge(writer: string): string[] {
  const built = new URL('../../dist/testing/index.js', import.meta.url).href;
  writeFileSync(join(folder, 'lab.mjs'), example.replace("'checkpoint-wal/testing'", `'${built}'`));
  writeFileSync(join(folder, 'my-writer.mjs'), writer);
  const said = execFileSync(process.execPath, ['lab.mjs'], { cwd: folder, encoding: 'utf8' });
  return said.trim().split('\n');
}

it('shows what a plain write loses, in the words of the document', () => {
  const said = judge(`
    import { writeFileSync } from 'node:fs';
    export const save = (path, text) => writeFileSync(path, text);
  `);
  expect(said[0]).toBe(answer.trim());
  expect(said).toHaveLength(3);
  expect(said[2]).toMatch(
    /^posix-minimal: atomic: empty after: .+; durable: old after: the writer/,
  );
});

it('has nothing to say against a careful writer', () => {
  const said = judge(`
    import { open, rename } from 'node:fs/promises';
    import { dirname } from 'node:path';
    export async function save(path, text) {
      const file = await open(\`\${path}.tmp\`, 'wx');
      await file.writeFile(text);
      await file.sync();
      await file.close();
      await rename(\`\${path}.tmp\`, path);
      const folder = await open(dirname(path));
      await folder.sync();
      await folder.close();
    }
  `);
  expect(said).toEqual(
    ['kill', 'ordered', 'posix-minimal'].map((crash) => `${crash}: atomic: holds; durable: holds`),
  );
});
