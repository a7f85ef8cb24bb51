/**
 * The `sh` blocks of the documents, run by bash in a newcomer's folder, each line a command that must
 * succeed. What an example of a marker prepares is a script of its own, run before in the same folder.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Block } from './doc-blocks.js';
import { writeNewcomer } from './doc-folder.js';
import { freshFolder } from './temporary-folders.js';

const timeLimitMs = 60_000;

/** Blocks that go on where the one before ended, together. */
export function shellRuns(blocks: readonly Block[]): Block[][] {
  const runs: Block[][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (block.marker?.kind === 'continues' && last?.[0]?.path === block.path) last.push(block);
    else runs.push([block]);
  }
  return runs;
}

/** Runs blocks in one folder; what went wrong, or nothing. */
export function runShell(
  [block, ...more]: readonly [Block, ...Block[]],
  commands: string,
): Promise<string | undefined> {
  const folder = freshFolder();
  writeNewcomer(folder);
  const [before = '', after = ''] = exampleOf(block).split('# <block>\n');
  const env = { ...process.env, PATH: `${commands}:${process.env.PATH}`, LC_ALL: 'C' };
  const options = { cwd: folder, env, timeout: timeLimitMs };
  const text = [block, ...more].map(({ text }) => text).join('\n');
  const script = before + text + after;
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['-xeuo', 'pipefail', '-c', script],
      options,
      (error, _, told) => {
        const said = told.split('\n').slice(-12).join('\n');
        if (error === null) resolve(undefined);
        else resolve(error.killed ? `did not end within ${timeLimitMs} ms\n${said}` : said);
      },
    );
    child.stdin?.end();
  });
}

function exampleOf({ marker, place }: Block): string {
  if (marker?.kind !== 'with') return '# <block>\n';
  const file = fileURLToPath(new URL(`./doc-examples/${marker.name}.sh`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${place}: there is no ${file}`);
  return readFileSync(file, 'utf8');
}
