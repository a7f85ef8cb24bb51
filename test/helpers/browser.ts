/**
 * A real browser for tests of the inspector's page. Where the machine has none, such tests are skipped,
 * except in CI, where that is a failure.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

/** The path of a Chromium; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Why there is nothing to test with; `undefined` where there is a browser, or has to be one. */
export function whySkipped(): string | undefined {
  if (findChromium() !== undefined || process.env.CI) return undefined;
  return 'no Chromium in PATH: the page is not tested in a browser';
}

/** Starts the browser. */
export async function launch(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium in PATH, and CI is set');
  return chromium.launch({ executablePath, args: FLAGS });
}

/** What a page asked for and complained about, apart from being opened itself. */
export interface Watched {
  readonly requests: string[];
  readonly complaints: string[];
}

/** Listens to a page: call before it is opened. */
export function watch(page: Page): Watched {
  const watched: Watched = { requests: [], complaints: [] };
  page.on('request', (request) => watched.requests.push(request.url()));
  page.on('pageerror', (error) => watched.complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) watched.complaints.push(message.text());
  });
  return watched;
}
