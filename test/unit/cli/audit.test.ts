import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/format/audit-entry.js';
import { openCheckpointStore } from '../../../src/store.js';
import { forge } from '../../helpers/audit-records.js';
import { type RunOptions, runInMemory } from '../../helpers/cli-run.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

let directory = '';
let lines: string[] = [];

/** A store of two runs: three saves, one of them labelled, a failure that was reported. */
async function record(audit = {}): Promise<string> {
  const folder = freshFolder();
  for (const run of [1, 2]) {
    const store = await openCheckpointStore({ directory: folder, audit });
    await store.save({ v: run }, run === 2 ? { label: '=cmd, "quoted"' } : {});
    if (run === 2) await store.reportFailure(new Error('secret'));
    await store.close();
  }
  return folder;
}

beforeAll(async () => {
  directory = await record();
  lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
});

const audit = (args: string[], options: RunOptions = {}) =>
  runInMemory(['audit', ...args, '--dir', directory], options);

async function json<T>(args: string[]): Promise<T> {
  const { stdout } = await audit([...args, '--json']);
  return JSON.parse(stdout) as T;
}

const entries = () => lines.map((line) => JSON.parse(line) as AuditEntry);

/** A folder whose audit has these lines. */
function folderWith(changed: readonly string[]): string {
  const folder = freshFolder();
  writeFileSync(join(folder, 'audit.jsonl'), changed.map((line) => `${line}\n`).join(''));
  return folder;
}

describe('audit log', () => {
  it('prints every entry, one a line, and changes nothing', async () => {
    const before = readdirSync(directory);
    const { stdout, exitCode } = await audit(['log']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(lines.length);
    expect(stdout).toMatch(/ write +#2 +writingData → syncingWal +writeData\.done +bytes=\d+\n/);
    expect(exitCode).toBe(0);
    expect(readdirSync(directory)).toEqual(before);
  });

  it('prints as JSON what the file holds', async () => {
    expect(await json(['log'])).toEqual(entries());
    expect(await json(['log', '--sequence', '999'])).toEqual([]);
  });

  it.each<[string[], (entry: AuditEntry) => boolean]>([
    [['--sequence', '2'], ({ sequence }) => sequence === 2],
    [['--sequence', '1..2'], ({ sequence }) => sequence === 1 || sequence === 2],
    [['--sequence', '2..'], ({ sequence }) => sequence >= 2],
    [['--machine', 'write,detector'], ({ machine }) => /write|detector/.test(machine)],
    [['--event', '*.done'], ({ event }) => event.endsWith('.done')],
    [['--since', '1h'], () => true],
    [['--until', '1h'], () => false],
    [['--since', '2999-01-01'], () => false],
    [['--machine', 'write', '--sequence', '1'], (e) => e.machine === 'write' && e.sequence === 1],
  ])('filters by %j', async (options, isWanted) => {
    expect(await json(['log', ...options])).toEqual(entries().filter(isWanted));
  });

  it('prints the last of those that are wanted', async () => {
    const wanted = entries().filter(({ machine }) => machine === 'write');
    expect(await json(['log', '--machine', 'write', '--last', '3'])).toEqual(wanted.slice(-3));
  });

  it('tells a line that is no entry, and prints the others', async () => {
    const folder = folderWith(lines.with(3, 'x'));
    const { stdout, stderr, exitCode } = await runInMemory(['audit', 'log', '--dir', folder]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(lines.length - 1);
    expect(stderr).toContain('audit.jsonl:4');
    expect(exitCode).toBe(4);
  });

  it.each([
    ['--sequence', 'x'],
    ['--sequence', '3..1'],
    ['--since', 'yesterday'],
    ['--last', '0'],
    ['--machine', ','],
  ])('refuses %s %s', async (option, value) => {
    expect((await audit(['log', option, value])).exitCode).toBe(2);
  });

  it('says that there is none, where there is none', async () => {
    const { exitCode, stderr } = await runInMemory(['audit', 'log', '--dir', freshFolder()]);
    expect(stderr).toContain('There is no audit in');
    expect(exitCode).toBe(10);
  });

  it('prints no control characters, whatever an entry holds', async () => {
    const folder = folderWith(
      forge(lines, (entry) => ({ ...entry, to: '\u001b[2J', details: { file: '\u001b]0;x' } })),
    );
    const { stdout } = await runInMemory(['audit', 'log', '--dir', folder]);
    expect(stdout).not.toContain('\u001b');
  });
});

describe('audit verify', () => {
  it('finds the record of a store intact', async () => {
    const { stdout, exitCode } = await audit(['verify']);
    expect(stdout).toContain(`The audit is intact: entries 1 to ${lines.length}, 2 runs.`);
    expect(exitCode).toBe(0);
    expect(await json(['verify'])).toMatchObject({ intact: true, checkpoints: 2, heads: 0 });
  });

  it('names the first broken link, with line and what differs', async () => {
    const changed = (lines[6] ?? '').replace('"time":"2', '"time":"3');
    const folder = folderWith(lines.with(6, changed));
    const { stdout, exitCode } = await runInMemory(['audit', 'verify', '--dir', folder]);
    expect(stdout).toMatch(/first +audit\.jsonl:7 \(entry 7\)/);
    expect(stdout).toContain('[hash]');
    expect(exitCode).toBe(4);
  });

  it('proves by a head that was kept that nothing was cut off or made anew', async () => {
    const head = join(freshFolder(), 'head.json');
    expect((await audit(['head', '--out', head])).exitCode).toBe(0);
    const last = entries().at(-1);
    expect(JSON.parse(readFileSync(head, 'utf8'))).toEqual({
      number: last?.number,
      hash: last?.hash,
    });
    expect((await audit(['verify', '--head', head])).exitCode).toBe(0);
    const cut = folderWith(lines.slice(0, -1));
    const forged = folderWith(forge(lines, (entry) => ({ ...entry, process: '1@elsewhere' })));
    for (const folder of [cut, forged]) {
      const verify = ['audit', 'verify', '--dir', folder];
      expect((await runInMemory(verify)).exitCode).toBe(0);
      expect((await runInMemory([...verify, '--head', head])).exitCode).toBe(4);
      const inline = `${last?.number}:${last?.hash}`;
      expect((await runInMemory([...verify, '--head', inline])).exitCode).toBe(4);
    }
  });

  it('compares the checkpoints on disk with what the record says of them', async () => {
    const folder = await record();
    const path = join(folder, 'audit.jsonl');
    const own = readFileSync(path, 'utf8').trimEnd().split('\n');
    const forged = forge(own, (entry) =>
      entry.event === 'writeIntent.done'
        ? { ...entry, details: { ...entry.details, sha256: '0'.repeat(64) } }
        : entry,
    );
    writeFileSync(path, `${forged.join('\n')}\n`);
    const { stdout, exitCode } = await runInMemory(['audit', 'verify', '--dir', folder]);
    expect(stdout).toContain('[checkpoint]');
    expect(exitCode).toBe(4);
  });

  it('reads all files, and files that are named', async () => {
    const folder = await record({ maxBytes: 4000 });
    const files = readdirSync(join(folder, 'audit')).map((name) => join(folder, 'audit', name));
    expect(files.length).toBeGreaterThan(2);
    expect((await runInMemory(['audit', 'verify', '--dir', folder])).stdout).toContain('intact');
    const named = [...files, join(folder, 'audit.jsonl')];
    expect((await runInMemory(['audit', 'verify', ...named])).exitCode).toBe(0);
    const without = await runInMemory(['audit', 'verify', ...named.toSpliced(1, 1)]);
    expect(without.stdout).toContain('[number]');
    const swapped = [named[1] ?? '', named[0] ?? '', ...named.slice(2)];
    expect((await runInMemory(['audit', 'verify', ...swapped])).exitCode).toBe(4);
  });

  it('takes bytes that are no UTF-8 for a change', async () => {
    const folder = freshFolder();
    const store = await openCheckpointStore({ directory: folder });
    await store.save({ v: 1 }, { label: 'good\ufffd' });
    await store.close();
    const path = join(folder, 'audit.jsonl');
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.from('good\ufffd')) + 4;
    writeFileSync(
      path,
      Buffer.concat([bytes.subarray(0, at), Buffer.of(255), bytes.subarray(at + 3)]),
    );
    const { exitCode } = await runInMemory(['audit', 'verify', '--dir', folder]);
    expect(exitCode).toBe(4);
  });

  it('reads a file once that a crash has left under both of its names', async () => {
    const folder = await record();
    mkdirSync(join(folder, 'audit'));
    linkSync(join(folder, 'audit.jsonl'), join(folder, 'audit', '000000000001.jsonl'));
    const { stdout, exitCode } = await runInMemory(['audit', 'verify', '--dir', folder]);
    expect(stdout).toContain('intact');
    expect(exitCode).toBe(0);
  });

  it('stays right while a writer puts files away and removes them', async () => {
    const folder = freshFolder();
    const options = { directory: folder, audit: { maxBytes: 2000, maxFiles: 3 } };
    const store = await openCheckpointStore(options);
    await store.save({ v: 0 });
    let isOver = false;
    const writing = (async () => {
      for (let v = 1; !isOver; v += 1) await store.save({ v });
    })();
    for (let n = 0; n < 10; n += 1) {
      const { stdout } = await runInMemory(['audit', 'verify', '--dir', folder]);
      // An entry that explains the start may not be written yet when the files are listed.
      if (!stdout.includes('[start]')) expect(stdout).toContain('The audit is intact');
    }
    isOver = true;
    await writing;
    await store.close();
    expect((await runInMemory(['audit', 'verify', '--dir', folder])).exitCode).toBe(0);
  });

  it('says by its exit code that a head could not be compared with anything', async () => {
    const folder = await record({ maxBytes: 4000, maxFiles: 1 });
    const head = `1:${'f'.repeat(64)}`;
    const { stdout, exitCode } = await runInMemory([
      ...['audit', 'verify', '--dir', folder, '--head', head],
    ]);
    expect(stdout).toContain('not proven');
    expect(exitCode).toBe(3);
  });

  it.each(['nothing', '12:abc', 'package.json'])('refuses the head %s', async (head) => {
    const { exitCode, stderr } = await audit(['verify', '--head', head]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--head');
  });

  it('refuses a file that is not there', async () => {
    expect((await audit(['verify', 'missing.jsonl'])).exitCode).toBe(2);
  });
});

describe('audit export', () => {
  it('writes CSV that reads back as the entries, and in which no cell is a formula', async () => {
    const { stdout } = await audit(['export', '--format', 'csv']);
    const [header, ...rows] = stdout.trimEnd().split('\r\n');
    expect(header).toBe(
      'number,time,elapsedUs,machine,from,to,event,by,sequence,epoch,process,details,previous,hash',
    );
    expect(rows).toHaveLength(lines.length);
    const details = rows.map((row) => /,"(\{.*\})",[0-9a-f]{64}/.exec(row)?.[1]);
    const parsed = details.map((text) => (text ? JSON.parse(text.replaceAll('""', '"')) : {}));
    expect(parsed).toEqual(entries().map((entry) => entry.details));
    expect(rows.filter((row) => /(^|,)[=+@]/.test(row))).toEqual([]);
  });

  it('writes OpenTelemetry spans: a trace for each open, round and close', async () => {
    const { stdout } = await audit(['export', '--format', 'otel']);
    const { resourceSpans } = JSON.parse(stdout);
    const spans: { name: string; [name: string]: string }[] = resourceSpans[0].scopeSpans[0].spans;
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    expect(roots.map(({ name }) => name)).toEqual([
      'checkpoint open',
      'checkpoint round',
      'checkpoint close',
      'checkpoint open',
      'checkpoint round',
      // The failure that was reported.
      'detector round',
      'checkpoint close',
    ]);
    const ids = new Map(spans.map((span) => [span.spanId, span]));
    expect(ids.size).toBe(spans.length);
    for (const span of spans) {
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(BigInt(span.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(
        BigInt(span.startTimeUnixNano ?? 1),
      );
      if (span.parentSpanId === undefined) continue;
      expect(ids.get(span.parentSpanId)?.traceId, span.name).toBe(span.traceId);
    }
    const sync = spans.find(({ name }) => name === 'write syncingWal');
    expect(ids.get(sync?.parentSpanId)?.name).toBe('checkpoint saving');
  });

  it('writes JSON by default, filtered, to a file that it does not overwrite', async () => {
    const out = join(freshFolder(), 'out.json');
    const args = ['export', '--machine', 'recovery', '--out', out];
    expect((await audit(args)).exitCode).toBe(0);
    const wanted = entries().filter(({ machine }) => machine === 'recovery');
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(wanted);
    expect((await audit(args)).exitCode).toBe(2);
    expect((await audit([...args, '--force'])).exitCode).toBe(0);
  });

  it('refuses a format that there is not', async () => {
    expect((await audit(['export', '--format', 'xml'])).exitCode).toBe(2);
    expect((await audit(['export', '--format', 'toString'])).exitCode).toBe(2);
  });
});

describe('audit tail', () => {
  it('prints the last entries', async () => {
    const { stdout } = await audit(['tail', '--lines', '3', '--no-follow', '--json']);
    const last = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(last).toEqual(entries().slice(-3));
  });

  it('goes on with each one that is written, across files, until it is interrupted', async () => {
    const folder = freshFolder();
    const store = await openCheckpointStore({ directory: folder, audit: { maxBytes: 3000 } });
    await store.save({ v: 0 });
    const controller = new AbortController();
    const tail = runInMemory(['audit', 'tail', '--lines', '1', '--json', '--dir', folder], {
      signal: controller.signal,
    });
    // Some at leisure, and many between two looks.
    for (let v = 1; v <= 8; v += 1) {
      if (v < 4) await new Promise((resolve) => setTimeout(resolve, 200));
      await store.save({ v });
    }
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 600));
    controller.abort(new Error('Ctrl-C'));
    const { stdout } = await tail;
    const numbers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as AuditEntry).number);
    expect(numbers.length).toBeGreaterThan(40);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(numbers.at(-1)).toBe(store.audit?.head.number);
  });
});

it('audit alone says what there is', async () => {
  const { exitCode, stderr } = await runInMemory(['audit']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('verify');
});
