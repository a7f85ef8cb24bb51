/**
 * The page's script and style as the build has bundled them; read from beside this file, or from
 * `dist/` where it runs from its sources. And one run as a file that needs nothing else.
 */
import { existsSync, readFileSync } from 'node:fs';
import { renderPage } from './page-html.js';
import type { RunModel } from './run-model.js';

/** What the page is made of. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

const places = ['./page/', '../../dist/inspector/page/'].map(
  (path) => new URL(path, import.meta.url),
);

/** Reads them. @throws Error where the package has not been built */
export function readPage(): PageAssets {
  return { script: readAsset('page.js'), style: readAsset('page.css') };
}

/** A run as one HTML file. */
export function htmlOfRun(model: RunModel): string {
  return renderPage({ ...readPage(), model });
}

function readAsset(name: string): string {
  // Only the bundle has the script: its sources lie beside this file's own.
  const place = places.find((url) => existsSync(new URL('page.js', url)));
  if (place === undefined) throw new Error('the inspector is missing its page: build first');
  return readFileSync(new URL(name, place), 'utf8');
}
