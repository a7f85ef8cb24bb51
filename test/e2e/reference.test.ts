/** What building the API reference complains about, on small sources: `npm run reference` has them fail. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { freshFolder } from '../helpers/temporary-folders.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const validation = { notExported: true, invalidLink: true, notDocumented: true };

/** Builds the reference of one source with the options of this project; what it says, and how it ends. */
function build(source: string): { readonly said: string; readonly failed: boolean } {
  const folder = freshFolder();
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/errors.ts'), source);
  writeFileSync(join(folder, 'tsconfig.json'), '{ "include": ["src"] }\n');
  writeFileSync(join(folder, 'package.json'), '{ "name": "small", "type": "module" }\n');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const asked = readFileSync(join(root, 'typedoc.jsonc'), 'utf8');
  const options = JSON.parse(asked.replace(/^ *\/\/.*$/gm, ''));
  const { disableGit, sourceLinkTemplate, requiredToBeDocumented, treatWarningsAsErrors } = options;
  expect(options.validation).toMatchObject(validation);
  writeFileSync(
    join(folder, 'typedoc.json'),
    JSON.stringify({
      entryPoints: ['src/errors.ts'],
      plugin: [join(root, 'scripts/reference-plugin.js')],
      readme: 'none',
      disableGit,
      sourceLinkTemplate,
      validation: options.validation,
      requiredToBeDocumented,
      treatWarningsAsErrors,
    }),
  );
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc');
  try {
    const args = [typedoc, '--emit', 'none', '--skipErrorChecking'];
    const said = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    return { said, failed: false };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { said: stdout + stderr, failed: true };
  }
}

it('is built of sources that are documented and whole', () => {
  const { said, failed } = build(`
    /** A thing. */
    export interface Thing {
      /** Its size in bytes, as {@link sizeOf} tells it. */
      readonly size: number;
    }
    /** Bytes of a thing. */
    export const sizeOf = (thing: Thing): number => thing.size;
  `);
  expect(said).not.toMatch(/warning/);
  expect(failed).toBe(false);
}, 60_000);

it('is refused, by name and place, where a docstring, an export or the end of a link is missing', () => {
  const { said, failed } = build(`
    interface Hidden { /** Bytes. */ readonly size: number }
    /** A thing; see {@link nowhere}. */
    export interface Thing extends Record<string, unknown> {
      readonly size: number;
      /** Of it. */
      readonly hidden: Hidden;
    }
    export const bare = 1;
  `);
  expect(failed).toBe(true);
  expect(said).toMatch(/Hidden, defined in .*src\/errors\.ts, is referenced by .*Thing\.hidden/);
  expect(said).toMatch(/Failed to resolve link to "nowhere" in comment for Thing/);
  expect(said).toMatch(/src\/errors\.ts:5 Thing\.size has no docstring/);
  expect(said).toMatch(/bare \(Variable\).* does not have any documentation/);
}, 60_000);
