/** The built command line as real processes: pipes, signals, locks and dying writers. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../src/store.js';
import {
  builtFile,
  outcomeOf,
  type RunResult,
  runProcess,
  startProcess,
} from '../helpers/cli-run.js';
import { crashedStore, makeStore, PLAN } from '../helpers/crashed-stores.js';
import { freshFolder } from '../helpers/temporary-folders.js';

const file = (directory: string) => join(directory, 'ORCHESTRATION.yaml');
const inDirectory = (directory: string) => ['--dir', directory];

/** A process of our own that holds the store until it is killed. */
async function holdStore(directory: string): Promise<() => Promise<void>> {
  const script = `
    import { openCheckpointStore } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    await openCheckpointStore({ directory: process.argv[1] });
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const args = ['--input-type=module', '--eval', script, directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', () => reject(new Error('the holder ended before it held the store')));
  });
  return async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
}

it('audit log ends quietly when its reader has enough', async () => {
  const directory = freshFolder();
  const store = await openCheckpointStore({ directory });
  for (let v = 0; v < 120; v += 1) await store.save({ v });
  await store.close();
  for (const command of [['log'], ['export', '--format', 'csv']]) {
    const child = startProcess(['audit', ...command, '--dir', directory]);
    let stderr = '';
    child.stderr?.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    child.stdout?.once('data', () => child.stdout?.destroy());
    const exitCode = await new Promise((resolve) => child.on('exit', resolve));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
});

describe('checkpoint-wal as a process', () => {
  it('saves from a pipe, sets, and gives the text back byte for byte', async () => {
    const directory = join(freshFolder(), 'state');
    const saved = await runProcess(['save', ...inDirectory(directory)], { stdin: PLAN });
    expect(saved).toMatchObject({ exitCode: 0, stderr: '' });
    const set = await runProcess(['set', 'workflow.status', 'DONE', ...inDirectory(directory)]);
    expect(set.exitCode).toBe(0);
    const got = await runProcess(['get', ...inDirectory(directory)]);
    expect(got).toMatchObject({ exitCode: 0, stdout: PLAN.replace('ACTIVE', 'DONE'), stderr: '' });
  });

  it('survives a reader that goes away after the first line', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `key${index}: ${index}`);
    const directory = await makeStore([], `${lines.join('\n')}\n`);
    const child = startProcess(['get', ...inDirectory(directory)]);
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toBe(0);
    expect(complaint).toBe('');
  });

  it('names the holder of a locked store, and opens it at once when that was killed', async () => {
    const directory = await makeStore();
    const kill = await holdStore(directory);
    const args = ['set', 'workflow.status', 'MINE', ...inDirectory(directory)];
    const locked = await runProcess(args);
    expect(locked.exitCode).toBe(11);
    expect(locked.stderr).toMatch(/^error LOCKED: .* is open in process \d+ on /);
    const status = await runProcess(['status', '--json', ...inDirectory(directory)]);
    expect(JSON.parse(status.stdout)).toMatchObject({ health: 'open', lock: { held: true } });
    await kill();
    expect((await runProcess(args)).exitCode).toBe(0);
  });

  it('recovers what a crash left when the next command opens the store', async () => {
    const directory = await crashedStore('syncingCheckpoint');
    const set = await runProcess(['set', 'phases[0].note', 'later', ...inDirectory(directory)]);
    expect(set.exitCode).toBe(0);
    expect(set.stderr).toContain('published save 2 ("cut off") from the log');
    const text = readFileSync(file(directory), 'utf8');
    expect(text).toContain('status: NEW   # now\n');
    expect(text).toContain('note: later\n');
  });

  const signals: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ];
  it.each(signals)('ends on %s with %i, nothing saved and nothing locked', async (signal, code) => {
    const directory = await makeStore();
    const child = startProcess(['save', '-', ...inDirectory(directory)]);
    const outcome = outcomeOf(child);
    child.stdin?.write('half: of');
    // Node is up, and the command is waiting for the rest, once it has had time to start.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.kill(signal);
    const { exitCode, stdout, stderr }: RunResult = await outcome;
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain('error INTERRUPTED');
    const status = await runProcess(['status', '--json', ...inDirectory(directory)]);
    expect(JSON.parse(status.stdout)).toMatchObject({ health: 'ok', sequence: 1 });
  });

  it('prints no colours and no moving lines into pipes, and one JSON document with --json', async () => {
    const directory = freshFolder();
    writeFileSync(file(directory), 'a: 1\na: 2\n');
    const plain = await runProcess(['recover', ...inDirectory(directory)]);
    expect(plain.exitCode).toBe(4);
    expect(plain.stdout + plain.stderr).not.toContain('\u001b');
    const json = await runProcess(['recover', '--json', ...inDirectory(directory)]);
    expect(json).toMatchObject({ exitCode: 4, stderr: '' });
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: 'REFUSED', line: 2, exitCode: 4 });
    const colored = { env: { FORCE_COLOR: '1' } };
    expect((await runProcess(['status', ...inDirectory(directory)], colored)).stdout).toContain(
      '\u001b',
    );
    const both = { env: { FORCE_COLOR: '1', NO_COLOR: '1' } };
    expect((await runProcess(['status', ...inDirectory(directory)], both)).stdout).not.toContain(
      '\u001b',
    );
  });

  it('goes through history: timeline, text byte for byte, and a patch that patch can apply', async () => {
    const directory = await makeStore(['SURVEYED', 'BUILT']);
    const at = inDirectory(directory);
    const timeline = await runProcess(['history', ...at]);
    expect(timeline).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = timeline.stdout.split('\n');
    expect(lines[0]).toMatch(/^3 \* .* {2}workflow\.status: SURVEYED → BUILT$/);
    expect(lines[2]).toMatch(/^1 /);
    const shown = await runProcess(['show', '1', ...at]);
    expect(shown).toEqual({ exitCode: 0, signal: null, stdout: PLAN, stderr: '' });
    const patch = await runProcess(['diff', '1', '3', '--text', '--exit-code', ...at]);
    expect(patch).toMatchObject({ exitCode: 3, stderr: '' });
    expect(patch.stdout).toContain('-  status: ACTIVE   # now\n+  status: BUILT   # now\n');
    expect(applyPatch(PLAN, patch.stdout)).toBe(PLAN.replace('ACTIVE', 'BUILT'));
    const json = await runProcess(['diff', 'previous', 'current', '--json', ...at]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      changes: [{ kind: 'changed', path: 'workflow.status', before: 'SURVEYED', after: 'BUILT' }],
    });
  });

  it('looks into the history of a store that another process has open', async () => {
    const directory = await makeStore(['NEXT']);
    const kill = await holdStore(directory);
    const timeline = await runProcess(['history', ...inDirectory(directory)]);
    const diff = await runProcess(['diff', 'previous', ...inDirectory(directory)]);
    await kill();
    expect(timeline.exitCode).toBe(0);
    expect(diff).toMatchObject({ exitCode: 0, stdout: '~ workflow.status: ACTIVE → NEXT\n' });
  });

  const DATA = new URL('../../../shared/data/orchestrations/', import.meta.url);
  describe.runIf(existsSync(DATA))('on a real file that an edit has broken', () => {
    it('names the line, refuses, and leaves every byte', async () => {
      const directory = freshFolder();
      const bytes = readFileSync(new URL('22.yaml', DATA));
      writeFileSync(file(directory), bytes);
      const { exitCode, stderr } = await runProcess(['recover', ...inDirectory(directory)]);
      expect(exitCode).toBe(4);
      expect(stderr).toContain(`${file(directory)}:142:`);
      expect(stderr).toContain('completed_at');
      expect(readFileSync(file(directory)).equals(bytes)).toBe(true);
    });
  });

  it('is executable and begins with a shebang', () => {
    expect(readFileSync(builtFile('main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
