/**
 * Crash loops of real processes, as a supervisor would see them, and guard mode as a process: what the
 * failure detector does when nothing is simulated.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSeal } from '../../src/format/seal.js';
import type { RestoreOptions } from '../../src/store/restore-options.js';
import { openCheckpointStore } from '../../src/store.js';
import { outcomeOf, runProcess, startProcess } from '../helpers/cli-run.js';
import { freshFolder } from '../helpers/temporary-folders.js';

const library = new URL('../../dist/index.js', import.meta.url).href;

/** An orchestrator that opens its store, says what it found, and comes to an end of the given kind. */
function orchestrator(end: string, restore: RestoreOptions): string {
  return `
    import { openCheckpointStore } from ${JSON.stringify(library)};
    const store = await openCheckpointStore({
      directory: process.argv[1],
      restore: ${JSON.stringify(restore)},
    });
    process.stdout.write(JSON.stringify({ step: store.state.step, restored: store.recovery.restored ?? null }));
    ${end}`;
}

/** Runs it once. */
async function runOnce(directory: string, end: string, restore: RestoreOptions) {
  const args = ['--input-type=module', '--eval', orchestrator(end, restore), directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr } = await outcomeOf(child);
  return stdout === '' ? { refused: stderr } : (JSON.parse(stdout) as object);
}

/** A store whose checkpoints are steps 1 to 5. */
async function fiveSteps(): Promise<string> {
  const directory = freshFolder();
  const store = await openCheckpointStore({ directory });
  for (let step = 1; step <= 5; step += 1) await store.save({ step });
  await store.close();
  return directory;
}

const ends: readonly (readonly [string, string])[] = [
  ['ends without closing', 'process.exit(1);'],
  ['is killed', "process.kill(process.pid, 'SIGKILL');"],
  ['throws', "throw new Error('at start-up');"],
];

describe.each(ends)('an orchestrator that %s each time it has started', (_, end) => {
  it.each([1, 3])(
    'goes back one step after %i failures, and at last is not started any more',
    async (threshold) => {
      const directory = await fiveSteps();
      const restore = { threshold, maxRestores: 1 };
      for (let run = 0; run < threshold; run += 1) {
        expect(await runOnce(directory, end, restore)).toEqual({ step: 5, restored: null });
      }
      const first = { step: 4, restored: { from: 4, sequence: 6 } };
      expect(await runOnce(directory, end, restore)).toEqual(first);
      for (let run = 1; run < threshold; run += 1) {
        expect(await runOnce(directory, end, restore)).toEqual({ step: 4, restored: null });
      }
      const refused = await runOnce(directory, end, restore);
      expect(refused).toMatchObject({ refused: expect.stringContaining('RESTORES_EXHAUSTED') });
      const status = await runProcess(['status', '--dir', directory]);
      expect(status).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^stopped {2}/) });
      const reset = await runProcess(['reset', '--dir', directory]);
      expect(reset).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('had stopped') });
      expect(await runOnce(directory, end, restore)).toEqual({ step: 4, restored: null });
    },
    60_000,
  );
});

describe('the commands for failures', () => {
  it('tell in mode manual what a restore would bring back, and forget it when told so', async () => {
    const directory = await fiveSteps();
    const restore: RestoreOptions = { mode: 'manual', threshold: 1 };
    await runOnce(directory, 'process.exit(1);', restore);
    const status = await runProcess(['status', '--dir', directory]);
    expect(status.exitCode).toBe(3);
    expect(status.stdout).toContain('a restore would bring back checkpoint 4');
    const json = await runProcess(['status', '--dir', directory, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      health: 'failing',
      detector: {
        decision: { label: 'health-manual', action: 'tell' },
        report: { wouldRestore: { sequence: 4 }, failures: [{ signal: 'crashed' }] },
      },
    });
    const marked = await runProcess(['mark-healthy', '--dir', directory, '--json']);
    expect(JSON.parse(marked.stdout)).toMatchObject({ after: { failures: [], restores: 0 } });
    expect(await runProcess(['status', '--dir', directory])).toMatchObject({ exitCode: 0 });
    expect(readdirSync(directory)).not.toContain('.checkpoint.health');
  });

  it('do not begin a store, and do not wait for one that is open', async () => {
    const empty = freshFolder();
    for (const command of ['reset', 'mark-healthy']) {
      expect(await runProcess([command, '--dir', empty])).toMatchObject({ exitCode: 10 });
    }
    expect(readdirSync(empty)).toEqual([]);
    const directory = await fiveSteps();
    const store = await openCheckpointStore({ directory });
    expect(await runProcess(['reset', '--dir', directory])).toMatchObject({ exitCode: 11 });
    await store.close();
  });
});

interface Line {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** `watch --json` as a process. */
class WatchProcess {
  readonly child: ChildProcess;
  readonly outcome: ReturnType<typeof outcomeOf>;
  readonly lines: Line[] = [];
  #seen = 0;
  #rest = '';

  constructor(directory: string, ...args: string[]) {
    this.child = startProcess(['watch', '--dir', directory, '--json', '--settle', '50', ...args]);
    this.outcome = outcomeOf(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => {
      const parts = `${this.#rest}${chunk.toString()}`.split('\n');
      this.#rest = parts.pop() ?? '';
      this.lines.push(...parts.map((line) => JSON.parse(line) as Line));
    });
  }

  async next(event: string): Promise<Line> {
    for (;;) {
      for (; this.#seen < this.lines.length; this.#seen += 1) {
        const line = this.lines[this.#seen];
        if (line?.event === event) {
          this.#seen += 1;
          return line;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

describe('checkpoint-wal watch', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'guards a file until %s, and ends in order',
    async (signal) => {
      const directory = freshFolder();
      const path = join(directory, 'ORCHESTRATION.yaml');
      const text = '# by hand\nstatus: ACTIVE\nphases:\n  - one\n';
      writeFileSync(path, text);
      const watch = new WatchProcess(directory, '--threshold', '1');
      expect(await watch.next('watching')).toMatchObject({ file: path, threshold: 1 });
      await watch.next('published');
      expect(readSeal(readFileSync(path))).toMatchObject({ kind: 'sealed', text });

      writeFileSync(`${path}.new`, text.replace('ACTIVE', 'PAUSED'));
      renameSync(`${path}.new`, path);
      await watch.next('published');
      writeFileSync(path, 'status: ACTIVE\nstatus: DONE\n');
      expect(await watch.next('damaged')).toMatchObject({
        change: 'damaged',
        problem: { code: 'DUPLICATE_KEY', line: 2, column: 1 },
        keptAs: expect.stringContaining('quarantine/'),
      });
      await watch.next('restored');
      expect(readSeal(readFileSync(path))).toMatchObject({
        kind: 'sealed',
        text: text.replace('ACTIVE', 'PAUSED'),
      });
      truncateSync(path, 10);
      await watch.next('damaged');
      await watch.next('restored');

      watch.child.kill(signal);
      const { exitCode, stderr } = await watch.outcome;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(watch.lines.at(-1)).toMatchObject({ event: 'stopped' });
      expect(readdirSync(directory)).not.toContain('.checkpoint.lock');
      expect(readSeal(readFileSync(path))).toMatchObject({ kind: 'sealed' });
    },
    60_000,
  );

  it('prints one line for each event for people, and refuses options that can not be meant', async () => {
    const directory = freshFolder();
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), 'status: ACTIVE\n');
    const child = startProcess(['watch', '--dir', directory]);
    const outcome = outcomeOf(child);
    await new Promise<void>((resolve) => {
      let printed = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.includes('published')) resolve();
      });
    });
    child.kill('SIGTERM');
    const { stdout } = await outcome;
    expect(stdout.split('\n').map((line) => line.replace(/^[\d:]+ +(\w+).*/, '$1'))).toEqual([
      'watching',
      'published',
      'stopped',
      '',
    ]);
    for (const args of [
      ['--mode', 'often'],
      ['--threshold', '0'],
      ['--edits', 'x'],
      ['--settle', '-1'],
    ]) {
      const refused = await runProcess(['watch', '--dir', directory, ...args]);
      expect(refused.exitCode, args.join(' ')).toBe(2);
    }
  });

  it('is no crash of the orchestrator when it is killed', async () => {
    const directory = await fiveSteps();
    for (let run = 0; run < 2; run += 1) {
      const watch = new WatchProcess(directory, '--threshold', '1');
      await watch.next('watching');
      watch.child.kill('SIGKILL');
      await watch.outcome;
    }
    const store = await openCheckpointStore({ directory, restore: { threshold: 1 } });
    expect(store.state).toEqual({ step: 5 });
    await store.close();
  });
});
