/**
 * The folder of a newcomer in which the blocks of the documents are tried: this package installed as
 * built, its peers beside it, and on the path the command line. `npm` and `npx` only check that what they
 * are asked for exists. Assumes a build.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtFile } from './cli-run.js';
import { freshFolder } from './temporary-folders.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = join(root, 'test/helpers/doc-examples');

/** The checkpoint file of a newcomer who has not saved yet. */
export const NEWCOMER = `# What is to be done, and how far it is
phases:
  - status: ACTIVE     # PENDING | ACTIVE | COMPLETE
metrics:
  done: 0
`;

/** A folder below which programs find their packages, as in a project of one's own. */
export function projectFolder(): string {
  const folder = freshFolder();
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  symlinkSync(root, join(modules, 'checkpoint-wal'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  return folder;
}

/** A new folder in that one, with what the example brings along. */
export function workFolder(project: string, number: number, example: string | undefined): string {
  const folder = join(project, `block-${number}`);
  mkdirSync(folder);
  const files = join(examples, example ?? '');
  if (example !== undefined && existsSync(files)) cpSync(files, folder, { recursive: true });
  return folder;
}

/** Writes the newcomer's checkpoint file. */
export function writeNewcomer(folder: string): void {
  mkdirSync(join(folder, 'orchestration'));
  writeFileSync(join(folder, 'orchestration/ORCHESTRATION.yaml'), NEWCOMER);
}

/** Commands as shells find them: `checkpoint-wal` as built, the others as `doc-command.js` has them. */
export function commandFolder(): string {
  const folder = freshFolder();
  const stand = fileURLToPath(new URL('./doc-command.js', import.meta.url));
  for (const name of ['checkpoint-wal', 'npm', 'npx', 'xdg-open']) {
    const script = `#!/bin/sh\nexec '${process.execPath}' '${stand}' ${name} "$@"\n`;
    writeFileSync(join(folder, name), script, { mode: 0o755 });
  }
  builtFile('main.js');
  return folder;
}
