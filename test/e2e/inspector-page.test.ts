/**
 * The inspector's page in a real browser: the self-contained file, opened from a disk, and the shell as
 * a server serves it. Assumes that `npm test` has built `dist/` before.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../src/inspector/page-html.js';
import type { RunMessage, RunModel } from '../../src/inspector/run-model.js';
import { launch, type Watched, watch, whySkipped } from '../helpers/browser.js';
import { crashedModel, longModel, recordedModel } from '../helpers/inspector-models.js';
import {
  contrastOf,
  countElements,
  observeShifts,
  rootStyle,
  settled,
  shiftsOf,
  widthOf,
} from '../helpers/page-probes.js';
import { freshFolder } from '../helpers/temporary-folders.js';

const skipped = whySkipped();
if (skipped !== undefined) console.warn(skipped);

const built = (name: string) =>
  readFileSync(new URL(`../../dist/inspector/page/${name}`, import.meta.url), 'utf8');

/** Which colour is written on which. */
const written: readonly (readonly [ink: string, ground: string])[] = [
  ...['--paper', '--card', '--lane', '--accent-wash', '--failure-wash', '--node'].flatMap(
    (ground) => [['--ink', ground] as const, ['--quiet', ground] as const],
  ),
  ...['--paper', '--card', '--accent-wash'].map((ground) => ['--accent', ground] as const),
  ...['--paper', '--card', '--failure-wash'].map((ground) => ['--failure', ground] as const),
  ['--on-accent', '--accent'],
  ['--on-accent', '--failure'],
];

let browser: Browser;

/** Writes the run as one file; its address. */
function exported(model: RunModel): string {
  const file = join(freshFolder(), 'run.html');
  writeFileSync(file, renderPage({ script: built('page.js'), style: built('page.css'), model }));
  return pathToFileURL(file).href;
}

interface Opened {
  readonly page: Page;
  readonly watched: Watched;
}

const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740 };

async function openAt(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const watched = watch(page);
  await page.goto(url);
  await page.waitForSelector('.app, .startup');
  await settled(page);
  return { page, watched };
}

const open = (model: RunModel, options?: BrowserContextOptions): Promise<Opened> =>
  openAt(exported(model), options);

/** Goes to an entry by the keyboard alone. */
async function goTo(page: Page, index: number): Promise<void> {
  await page.keyboard.press('Home');
  for (let step = 0; step < index; step += 1) await page.keyboard.press('ArrowRight');
  await settled(page);
}

const indexOf = ({ entries }: RunModel, machine: string, event: string, nth = 1): number =>
  entries.flatMap((entry, index) =>
    entry.machine === machine && entry.event === event ? [index] : [],
  )[nth - 1] ?? Number.NaN;

const textOf = async (page: Page, selector: string) =>
  (await page.locator(selector).textContent()) ?? '';

/** The cells of a file's row: volatile, then durable. */
async function diskRow(page: Page, kind: string): Promise<string[]> {
  const cells = await page.locator(`.disk tr[data-kind="${kind}"] td`).allInnerTexts();
  return cells.map((text) => text.replace(/\s+/g, ' ').trim());
}

/** The names of the states that are lit in the large statechart. */
const litStates = (page: Page): Promise<string[]> =>
  page.locator('.chart-frame .state.lit text:first-of-type').allTextContents();

describe.skipIf(skipped !== undefined)('the page of the inspector', () => {
  let model: RunModel;

  beforeAll(async () => {
    browser = await launch();
    model = await recordedModel();
  });

  afterAll(async () => {
    await browser?.close();
  });

  it('opens from a disk, asks for nothing, and complains of nothing', async () => {
    const { page, watched } = await open(model);
    for (const key of ['Home', 'End', 'z', 'm', 't', '?', 'Escape']) await page.keyboard.press(key);
    await settled(page);
    const outside = watched.requests.filter((url) => !/^(?:file|data):/.test(url));
    expect(outside).toEqual([]);
    expect(watched.requests.filter((url) => url.startsWith('file:'))).toHaveLength(1);
    expect(watched.complaints).toEqual([]);
    await page.context().close();
  });

  it('shows the moment that one scrubs to by the keyboard: states, entry, disk, checkpoint', async () => {
    const { page } = await open(model);
    const index = indexOf(model, 'write', 'syncWal.done', 2);
    await goTo(page, index);
    expect(await litStates(page)).toEqual(['4 · writingCheckpoint']);
    expect(await page.locator('.chart-frame .arrow.taken').count()).toBe(1);
    expect(await textOf(page, '.moment')).toContain('writingCheckpoint');
    expect(await textOf(page, '.details')).toContain('syncWal.done');
    expect(await textOf(page, '.entry[aria-selected="true"]')).toContain(
      'syncingWal → writingCheckpoint',
    );
    expect((await diskRow(page, 'wal'))[1]).toContain('#2');
    expect((await diskRow(page, 'checkpoint'))[1]).toContain('#1');
    expect(await textOf(page, '.checkpoint-title')).toBe('Checkpoint #1');
    await goTo(page, indexOf(model, 'write', 'syncCheckpoint.done', 2));
    expect(await textOf(page, '.checkpoint-title')).toBe('Checkpoint #2');
    const changed = page.locator(
      '.checkpoint .line:is([data-kind="added"], [data-kind="removed"]):not([hidden])',
    );
    expect((await changed.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
      '− status: PENDING',
      '+ status: ACTIVE',
    ]);
    await page.context().close();
  });

  it('tells what is volatile from what is durable while a log is being written', async () => {
    const { page } = await open(model);
    await goTo(page, indexOf(model, 'write', 'writeData.done', 1));
    expect(await diskRow(page, 'wal')).toEqual([expect.stringContaining('#1'), 'absent']);
    await page.keyboard.press('ArrowRight');
    await settled(page);
    const [volatile, durable] = await diskRow(page, 'wal');
    expect(volatile).toBe(durable);
    expect(await textOf(page, '.disk .note')).toContain('Derived');
    await page.context().close();
  });

  it('shows a failed step in red, in the list and in the statechart', async () => {
    const { page } = await open(model);
    await goTo(page, indexOf(model, 'write', 'syncWal.failed'));
    expect(await page.locator('.chart-frame .arrow.taken.failed').count()).toBe(1);
    expect(await page.locator('.entry.is-failure[aria-selected="true"]').count()).toBe(1);
    expect(await litStates(page)).toEqual(['droppingWal']);
    await page.context().close();
  });

  it('draws the request and the answer of an operation between their lifelines', async () => {
    const { page } = await open(model);
    await goTo(page, indexOf(model, 'write', 'writeData.done', 1));
    const row = page.locator('.message-row[aria-selected="true"]');
    const words = await row.getAttribute('aria-label');
    expect(words).toMatch(/^writeData\.done from io to write; then write asks io for syncWal/);
    expect(await row.locator('.message.request.is-sync').isVisible()).toBe(true);
    await page.context().close();
  });

  it('lists only what is looked for, and steps through that', async () => {
    const { page } = await open(model);
    await page.keyboard.press('/');
    await page.keyboard.type('#2 syncing');
    await settled(page);
    expect(await textOf(page, '.count')).toMatch(/^\d+ of \d+$/);
    await page.locator('.entries .list').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await settled(page);
    const selected = await textOf(page, '.entry[aria-selected="true"]');
    expect(selected).toContain('syncing');
    await page.context().close();
  });

  it('plays and pauses by the space bar', async () => {
    const { page } = await open(model);
    await page.keyboard.press('Home');
    await page.locator('.strip-track').focus();
    await page.keyboard.press(' ');
    const now = async () =>
      Number(await page.locator('.strip-track').getAttribute('aria-valuenow'));
    await expect.poll(now).toBeGreaterThanOrEqual(3);
    await page.keyboard.press(' ');
    await settled(page);
    const at = await now();
    await page.waitForTimeout(900);
    expect(await now()).toBe(at);
    await page.context().close();
  });

  it('keeps the statechart that is pinned, whatever moves', async () => {
    const { page } = await open(model);
    await goTo(page, indexOf(model, 'write', 'syncWal.done', 1));
    await page.locator('.chart-tab', { hasText: 'recovery' }).click();
    await page.locator('.strip-track').focus();
    await page.keyboard.press('ArrowRight');
    await settled(page);
    const shown = page.locator('.chart-tab[aria-selected="true"] .tab-name');
    expect(await shown.textContent()).toBe('recovery');
    await page.keyboard.press('m');
    await settled(page);
    expect(await shown.textContent()).not.toBe('recovery');
    await page.context().close();
  });

  it('gives every control a name and every list its role', async () => {
    const { page } = await open(model);
    const nameless = await page
      .locator('button, input, select, [role="listbox"], [role="slider"], [role="tablist"]')
      .evaluateAll((elements) =>
        elements.flatMap((element) =>
          element.getAttribute('aria-label') || element.textContent?.trim()
            ? []
            : [element.outerHTML],
        ),
      );
    expect(nameless).toEqual([]);
    const active = await page.locator('.entries .list').getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${active}"]`).getAttribute('aria-selected')).toBe('true');
    await page.context().close();
  });

  it('says a text that looks like markup, and runs none of it', async () => {
    const evil = '</script><img src=x onerror="document.title=1">';
    const checkpoints = model.checkpoints.map((one) => ({ ...one, text: `a: "${evil}"\n` }));
    const entries = model.entries.map((entry) => ({ ...entry, details: { message: evil } }));
    const { page, watched } = await open({ ...model, title: evil, entries, checkpoints });
    await goTo(page, indexOf(model, 'write', 'syncCheckpoint.done', 1));
    expect(await textOf(page, 'h1')).toBe(evil);
    expect(await textOf(page, '.checkpoint .list')).toContain(evil);
    expect(await textOf(page, '.details')).toContain('onerror');
    expect(await page.locator('img').count()).toBe(0);
    expect(watched.complaints).toEqual([]);
    await page.context().close();
  });

  it('shows a crash as a moment of its own: image, fates, and then the recovery', async () => {
    const crashed = await crashedModel();
    const { page, watched } = await open(crashed);
    expect(await textOf(page, '.moment')).toContain('power failure in syncingCheckpoint');
    expect(await textOf(page, '.verdict')).toContain('The promise holds');
    expect(await page.locator('.entry.is-crash[aria-selected="true"]').count()).toBe(1);
    expect(await page.locator('.fates li').count()).toBe(crashed.crashes?.[0]?.fates.length);
    expect(await litStates(page)).toEqual(['5 · syncingCheckpoint']);
    expect(await textOf(page, '.disk .note')).toContain('crash image');
    await page.keyboard.press('ArrowRight');
    await settled(page);
    expect(await textOf(page, '.moment')).toContain('locking');
    expect(await textOf(page, '.disk .note')).toContain('simulated disk');
    await page.keyboard.press('End');
    await settled(page);
    expect(await textOf(page, '.checkpoint-title')).toBe('Checkpoint #3');
    expect(watched.complaints).toEqual([]);
    await page.context().close();
  });

  it('says that a chain is broken', async () => {
    const chain = { intact: false, message: 'entry 12 was changed' };
    const { page } = await open({ ...model, chain });
    const verdict = page.locator('.verdict[data-good="false"]');
    expect(await verdict.textContent()).toContain('entry 12 was changed');
    expect(await verdict.getAttribute('role')).toBe('alert');
    await page.context().close();
  });

  it('says what it can where there is nothing to show', async () => {
    const empty = { ...model, machines: [], entries: [], checkpoints: [] };
    const { page, watched } = await open(empty);
    expect(await textOf(page, '.moment')).toContain('Nothing has happened yet');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press(' ');
    await settled(page);
    expect(watched.complaints).toEqual([]);
    const other = await open({ ...model, version: 2 as 1 });
    expect(await textOf(other.page, '.startup')).toContain('version');
    await page.context().close();
    await other.page.context().close();
  });

  it('fits a width of 360 pixels: one panel at a time, nothing to scroll sideways', async () => {
    const { page } = await open(model, { viewport: PHONE });
    for (const key of ['1', '2', '3', '4', '5', '6']) {
      await page.keyboard.press(key);
      await settled(page);
      const wide = await widthOf(page);
      const visible = await page.locator('.section:visible').count();
      expect({ key, wide, visible }).toEqual({ key, wide: 360, visible: 1 });
    }
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)(
    'has a contrast of at least 4.5 between its colours: %s',
    async (colorScheme) => {
      const { page } = await open(model, { colorScheme });
      for (const [ink, ground] of written) {
        const ratio = await contrastOf(page, ink, ground);
        expect(ratio, `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
      expect(await rootStyle(page, 'color-scheme')).toBe(colorScheme);
      await page.keyboard.press('t');
      expect(await rootStyle(page, 'color-scheme')).not.toBe(colorScheme);
      await page.context().close();
    },
  );

  it('holds 100,000 entries with few elements and without a shift, and scrolls through them', async () => {
    const { page, watched } = await open(await longModel(100_000));
    await observeShifts(page);
    expect(await countElements(page)).toBeLessThan(2500);
    const list = page.locator('.entries .list');
    for (const share of [0, 0.25, 0.6, 1]) {
      await list.evaluate((element, part) => {
        element.scrollTop = part * element.scrollHeight;
      }, share);
      await settled(page);
      const first = await list.locator('.entry:not([hidden]) .entry-number').allInnerTexts();
      const around = Math.round(share * 100_000);
      const numbers = first.map(Number);
      expect(Math.min(...numbers.map((number) => Math.abs(number - around)))).toBeLessThan(40);
    }
    await page.keyboard.press('Home');
    for (let step = 0; step < 40; step += 1) await page.keyboard.press('PageDown');
    await settled(page);
    expect(
      Number(await page.locator('.strip-track').getAttribute('aria-valuenow')),
    ).toBeGreaterThan(100);
    await page.keyboard.press('/');
    await page.keyboard.type('#5000');
    await settled(page);
    expect(await textOf(page, '.count')).toBe('13 of 100,000');
    expect(await countElements(page)).toBeLessThan(2500);
    expect(await shiftsOf(page)).toEqual([]);
    expect(watched.complaints).toEqual([]);
    await page.context().close();
  });

  describe('served while a run goes on', () => {
    let server: Server;
    let url: string;
    let events: ServerResponse | undefined;
    const asked: string[] = [];
    let live: RunModel;

    const tell = (message: RunMessage) => events?.write(`data: ${JSON.stringify(message)}\n\n`);

    beforeAll(async () => {
      const { chain: _, ...rest } = model;
      live = { ...rest, source: 'live', entries: model.entries.slice(0, 40), checkpoints: [] };
      server = createServer((request, response) => {
        asked.push(request.url ?? '');
        const { pathname } = new URL(request.url ?? '', 'http://localhost');
        const send = (type: string, text: string) =>
          response.writeHead(200, { 'content-type': type }).end(text);
        if (pathname === '/') send('text/html', renderPage({ query: '?token=secret' }));
        else if (pathname === '/page.js') send('text/javascript', built('page.js'));
        else if (pathname === '/page.css') send('text/css', built('page.css'));
        else if (pathname === '/run.json') send('application/json', JSON.stringify(live));
        else if (pathname === '/events') {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.flushHeaders();
          events = response;
        } else response.writeHead(404).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=secret`;
    });

    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });

    it('asks for what it has missed, and takes nothing twice', async () => {
      const { page } = await openAt(url);
      const newest = () => page.locator('.strip-track').getAttribute('aria-valuemax');
      await expect.poll(() => textOf(page, '.source')).toBe('live');
      const before = live;
      live = { ...live, entries: model.entries.slice(0, 80) };
      // Nobody told the page of those from 41 to 70; of those before 31 it has been told.
      tell({ kind: 'entries', entries: model.entries.slice(20, 30) });
      tell({ kind: 'entries', entries: model.entries.slice(70, 75) });
      await expect.poll(newest).toBe('80');
      tell({ kind: 'entries', entries: model.entries.slice(60, 85) });
      await expect.poll(newest).toBe('85');
      live = before;
      await page.context().close();
    });

    it('follows the newest entry until one scrubs, and again by End', async () => {
      const { page, watched } = await openAt(url);
      await expect.poll(() => textOf(page, '.source')).toBe('live');
      await observeShifts(page);
      const now = () => page.locator('.strip-track').getAttribute('aria-valuenow');
      expect(await now()).toBe('40');
      tell({ kind: 'entries', entries: model.entries.slice(40, 50) });
      await expect.poll(now).toBe('50');
      await page.keyboard.press('ArrowLeft');
      tell({ kind: 'entries', entries: model.entries.slice(50, 60) });
      await expect
        .poll(() => page.locator('.strip-track').getAttribute('aria-valuemax'))
        .toBe('60');
      expect(await now()).toBe('49');
      await page.keyboard.press('End');
      for (const entry of model.entries.slice(60, 90)) tell({ kind: 'entries', entries: [entry] });
      await expect.poll(now).toBe('90');
      for (const checkpoint of model.checkpoints) tell({ kind: 'checkpoint', checkpoint });
      await expect.poll(() => page.locator('.checkpoint .line:visible').count()).toBeGreaterThan(1);
      tell({ kind: 'ended', message: 'the store was closed' });
      await expect.poll(() => textOf(page, '.source')).toBe('ended: the store was closed');
      expect(await shiftsOf(page)).toEqual([]);
      expect(watched.complaints).toEqual([]);
      expect(asked.every((path) => path.includes('token=secret'))).toBe(true);
      await page.context().close();
    });
  });
});
