/**
 * The page's script and style as the build has bundled them, read from `dist/`. And one run as a file that needs nothing else.
 */
import { existsSync, readFileSync } from 'node:fs';
import { packageFile } from '../io/node-package.js';
import { renderPage } from './page-html.js';
import type { RunModel } from './run-model.js';

/** What the page is made of. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** Reads them. @throws Error where the package has not been built */
export function readPage(): PageAssets {
  return { script: readAsset('page.js'), style: readAsset('page.css') };
}

/** A run as one HTML file. */
export function htmlOfRun(model: RunModel): string {
  return renderPage({ ...readPage(), model });
}

function readAsset(name: string): string {
  const file = packageFile(`dist/inspector/page/${name}`);
  if (!existsSync(file)) throw new Error('the inspector is missing its page: build first');
  return readFileSync(file, 'utf8');
}
