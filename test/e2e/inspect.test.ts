/**
 * `inspect` and the inspector of a live store, in a real browser.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachInspector } from '../../src/inspector/index.js';
import { openCheckpointStore } from '../../src/store.js';
import { forge } from '../helpers/audit-records.js';
import { launch, type Watched, watch, whySkipped } from '../helpers/browser.js';
import { type RunResult, runInMemory, startProcess } from '../helpers/cli-run.js';
import { freshFolder } from '../helpers/temporary-folders.js';

const skipped = whySkipped();
let browser: Browser | undefined;
beforeAll(async () => {
  if (skipped === undefined) browser = await launch();
});
afterAll(() => browser?.close());

async function openAt(url: string): Promise<{ page: Page; watched: Watched }> {
  if (browser === undefined) throw new Error(skipped);
  const page = await browser.newPage();
  const watched = watch(page);
  await page.goto(url);
  await page.locator('.strip-track').waitFor();
  return { page, watched };
}

const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent()) ?? '';
const newest = async (page: Page): Promise<number> =>
  Number(await page.locator('.strip-track').getAttribute('aria-valuemax'));

async function storeWith(saves: number): Promise<string> {
  const directory = freshFolder();
  const store = await openCheckpointStore({ directory });
  for (let v = 1; v <= saves; v += 1) await store.save({ v, name: 'a run to look at' });
  await store.close();
  return directory;
}

/** `inspect` in this process, until it is stopped. */
async function inspecting(args: string[]): Promise<{ url: string; stop(): Promise<RunResult> }> {
  const child = startProcess(['inspect', '--json', ...args]);
  let stdout = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (data: Buffer) => {
      stdout += data.toString();
      const found = /"url": "([^"]+)"/.exec(stdout)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.on('exit', () => reject(new Error(stdout)));
  });
  const ended = new Promise<RunResult>((resolve) => {
    child.on('exit', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr: '' }));
  });
  return {
    url,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

describe.skipIf(skipped !== undefined)(`inspect in a browser ${skipped ?? ''}`, () => {
  it('shows a store that another process writes, and follows it', async () => {
    const directory = await storeWith(2);
    const inspector = await inspecting(['--dir', directory]);
    const { page, watched } = await openAt(inspector.url);
    const before = await newest(page);
    expect(await textOf(page, '.verdict, [class*=verdict]')).toContain('intact');
    const store = await openCheckpointStore({ directory });
    await store.save({ v: 'followed' });
    await expect.poll(() => newest(page)).toBeGreaterThan(before + 20);
    await expect.poll(() => textOf(page, '.checkpoint')).toContain('followed');
    await store.close();
    await expect.poll(() => textOf(page, '.moment')).toContain('closed');
    const { exitCode } = await inspector.stop();
    expect(exitCode).toBe(0);
    await expect.poll(() => textOf(page, '.source')).toContain('ended');
    expect(watched.complaints.filter((text) => !/ERR_|EventSource/.test(text))).toEqual([]);
    const { origin } = new URL(inspector.url);
    expect(watched.requests.filter((url) => !url.startsWith(origin))).toEqual([]);
    await page.close();
  });

  it('writes a run as one file that needs nothing else', async () => {
    const directory = await storeWith(3);
    const file = join(freshFolder(), 'run.html');
    const written = await runInMemory(['inspect', '--dir', directory, '--html', file]);
    expect(written).toMatchObject({ exitCode: 0 });
    const { page, watched } = await openAt(pathToFileURL(file).href);
    expect(await textOf(page, '.checkpoint')).toContain('v: 3');
    expect(watched.complaints).toEqual([]);
    expect(watched.requests).toEqual([pathToFileURL(file).href]);
    expect((await runInMemory(['inspect', '--dir', directory, '--html', file])).exitCode).toBe(2);
    await page.close();
  });

  it('shows a crash of the lab, and what recovery did', async () => {
    const folder = freshFolder();
    const found = join(folder, 'case.json');
    expect((await runInMemory(['explore', '--example', found])).exitCode).toBe(0);
    const file = join(folder, 'case.html');
    expect((await runInMemory(['inspect', '--case', found, '--html', file])).exitCode).toBe(0);
    const { page, watched } = await openAt(pathToFileURL(file).href);
    expect(await textOf(page, '.moment')).toContain('syncingCheckpoint');
    expect(await textOf(page, 'body')).toContain('Every check holds');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => textOf(page, '.moment')).toContain('locking');
    expect(watched.complaints).toEqual([]);
    await page.close();
  });

  it('tells where the chain of an audit is broken, and shows what is around it', async () => {
    const directory = await storeWith(2);
    const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').split('\n');
    const path = join(freshFolder(), 'sent.jsonl');
    writeFileSync(
      path,
      lines.with(10, lines[10]?.replace('"time":"2', '"time":"3') ?? '').join('\n'),
    );
    const file = `${path}.html`;
    expect((await runInMemory(['inspect', '--audit', path, '--html', file])).exitCode).toBe(0);
    const { page } = await openAt(pathToFileURL(file).href);
    expect(await textOf(page, 'body')).toContain('sent.jsonl:11');
    expect(await newest(page)).toBeGreaterThan(40);
    await page.close();
  });

  it('runs nothing that an entry holds', async () => {
    const directory = await storeWith(1);
    const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
    const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const path = join(freshFolder(), 'evil.jsonl');
    const forged = forge(lines, (entry) => ({
      ...entry,
      to: evil,
      event: evil,
      process: evil,
      details: { [evil]: evil, label: evil },
    }));
    writeFileSync(path, `${forged.join('\n')}\n`);
    const file = `${path}.html`;
    await runInMemory(['inspect', '--audit', path, '--html', file]);
    const { page, watched } = await openAt(pathToFileURL(file).href);
    for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'End']) await page.keyboard.press(key);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).not.toBe('1');
    expect(watched.complaints).toEqual([]);
    await page.close();
  });

  it('shows a live store of this very program, from its opening on', async () => {
    const directory = await storeWith(1);
    const store = await openCheckpointStore({ directory, inspector: true });
    const { page, watched } = await openAt(store.inspectorUrl ?? '');
    await store.save({ v: 'live here' });
    await expect.poll(() => textOf(page, '.checkpoint')).toContain('live here');
    await page.keyboard.press('Home');
    await expect.poll(() => textOf(page, '.moment')).toMatch(/recording|locking/);
    await store.close();
    await expect.poll(() => textOf(page, '.source')).toBe('ended: the store was closed');
    expect(watched.complaints.filter((text) => !/ERR_/.test(text))).toEqual([]);
    await page.close();
  });
});

describe('inspect', () => {
  it('keeps the texts of checkpoints out where that is asked for', async () => {
    const directory = await storeWith(2);
    const file = join(freshFolder(), 'run.html');
    const flags = ['--dir', directory, '--html', file, '--no-contents'];
    expect((await runInMemory(['inspect', ...flags])).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain('a run to look at');
    const full = `${file}2`;
    await runInMemory(['inspect', '--dir', directory, '--html', full]);
    expect(readFileSync(full, 'utf8')).toContain('a run to look at');
  });

  it.each([
    ['--port', '65536'],
    ['--port', 'x'],
    ['--audit', 'missing.jsonl'],
    ['--case', 'missing.json'],
    ['--case', 'a', '--audit', 'b'],
  ])('refuses %s %s', async (...args) => {
    const { exitCode } = await runInMemory(['inspect', '--dir', freshFolder(), ...args]);
    expect(exitCode).not.toBe(0);
  });

  it('says that there is no audit, where there is none', async () => {
    expect((await runInMemory(['inspect', '--dir', freshFolder()])).exitCode).toBe(10);
  });

  it('says that a port is taken', async () => {
    const directory = await storeWith(1);
    const first = await inspecting(['--dir', directory]);
    const { port } = new URL(first.url);
    const { exitCode, stderr } = await runInMemory(['inspect', '--dir', directory, '--port', port]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`Port ${port} is taken`);
    await first.stop();
  });
});

describe('an inspector that is attached to a store', () => {
  const ask = async (url: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(url);
    return { status: answer.status, text: await answer.text() };
  };
  const runOf = (url: string): string => url.replace('/?', '/run.json?');

  it('serves what happens from then on, and ends with the store', async () => {
    const store = await openCheckpointStore({ directory: freshFolder() });
    const { url } = await attachInspector(store);
    await store.save({ secret: 'in the state' });
    const { text } = await ask(runOf(url));
    expect(JSON.parse(text)).toMatchObject({ version: 1, source: 'live' });
    expect(text).toContain('in the state');
    expect((await ask(url.replace(/token=.*/, 'token=x'))).status).toBe(403);
    await store.close();
    await expect.poll(() => ask(url).catch(() => 'gone')).toBe('gone');
  });

  it('holds no text where contents are not wanted', async () => {
    const options = { directory: freshFolder(), inspector: { contents: false } };
    const store = await openCheckpointStore(options);
    await store.save({ secret: 'in the state' });
    const { text } = await ask(runOf(store.inspectorUrl ?? ''));
    expect(text).not.toContain('in the state');
    expect(text).toContain('sha256');
    await store.close();
  });

  it('holds the newest texts only, as many as fit', async () => {
    const store = await openCheckpointStore({ directory: freshFolder(), inspector: true });
    const text = 'x'.repeat(1024 * 1024);
    for (let v = 1; v <= 12; v += 1) await store.saveText(`v: ${v}\ntext: ${text}\n`);
    const { text: run } = await ask(runOf(store.inspectorUrl ?? ''));
    const { checkpoints } = JSON.parse(run) as {
      checkpoints: { sequence: number; text?: string }[];
    };
    expect(checkpoints).toHaveLength(12);
    const told = checkpoints
      .filter((one) => one.text !== undefined)
      .map(({ sequence }) => sequence);
    expect(told).toEqual([6, 7, 8, 9, 10, 11, 12]);
    await store.close();
  });

  it('is gone with a store that could not be opened', async () => {
    const directory = freshFolder();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), 'a: 1\na: 2\n');
    const told: string[] = [];
    const log = (facts: object) => void told.push((facts as { url?: string }).url ?? '');
    const logger = { debug: log, info: log, warn: log, error: log };
    await expect(openCheckpointStore({ directory, inspector: true, logger })).rejects.toMatchObject(
      { code: 'REFUSED' },
    );
    const url = told.find((text) => text.startsWith('http')) ?? '';
    expect(url).not.toBe('');
    await expect(fetch(url)).rejects.toThrow();
    expect(existsSync(join(directory, '.checkpoint.lock'))).toBe(false);
  });

  it('refuses a store without an audit, and a port that is taken', async () => {
    const directory = freshFolder();
    await expect(openCheckpointStore({ directory, inspector: true, audit: false })).rejects.toThrow(
      TypeError,
    );
    const store = await openCheckpointStore({ directory, inspector: true });
    const port = Number(new URL(store.inspectorUrl ?? '').port);
    await expect(
      openCheckpointStore({ directory: freshFolder(), inspector: { port } }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await store.close();
  });
});
