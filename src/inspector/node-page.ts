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
  const file = places.map((place) => new URL(name, place)).find((url) => existsSync(url));
  if (file === undefined) throw new Error(`${name} of the inspector is missing: build first`);
  return readFileSync(file, 'utf8');
}
