// Bundles the inspector's page into a folder: page.js and page.css, each one file that loads nothing.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * @param {string} folder where to write
 * @returns {Promise<void>}
 */
export async function bundlePage(folder) {
  const source = (name) => fileURLToPath(new URL(`../src/inspector/page/${name}`, import.meta.url));
  const common = { bundle: true, minify: true, charset: 'utf8', logLevel: 'warning' };
  await build({
    ...common,
    entryPoints: [source('main.ts')],
    outfile: join(folder, 'page.js'),
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
  });
  await build({
    ...common,
    entryPoints: [source('page.css')],
    outfile: join(folder, 'page.css'),
  });
}
