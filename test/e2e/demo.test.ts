/** The demo as it is shipped: real processes, really killed. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoRow } from '../../src/cli/demo-judge.js';
import { runProcess } from '../helpers/cli-run.js';

interface DemoResult {
  readonly directory: string;
  readonly survived: boolean;
  readonly rows: readonly DemoRow[];
}

describe('checkpoint-wal demo', () => {
  let result: DemoResult;
  let elapsedMs = 0;
  const folders: string[] = [];

  beforeAll(async () => {
    const startedMs = performance.now();
    const { exitCode, stdout, stderr } = await runProcess(['demo', '--json']);
    elapsedMs = performance.now() - startedMs;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    result = JSON.parse(stdout);
    folders.push(dirname(result.directory));
  });

  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  const expected: readonly [string, string, string, string][] = [
    ['writingIntent', 'absent', 'wal-absent', 'old'],
    ['writingData', 'unsealed', 'wal-never-promised', 'old'],
    ['syncingWal', 'sealed', 'wal-apply', 'new'],
    ['writingCheckpoint', 'sealed', 'wal-apply', 'new'],
    ['syncingCheckpoint', 'sealed', 'wal-apply', 'new'],
    ['deletingWal', 'sealed', 'wal-applied', 'new'],
    ['applyingWal', 'sealed', 'wal-apply', 'new'],
  ];
  it.each(expected)(
    'survives a kill in %s: log %s, %s, the %s state',
    (killedIn, log, decision, state) => {
      const row = result.rows.find((candidate) => candidate.killedIn === killedIn);
      expect(row).toMatchObject({ killedBy: 'SIGKILL', log, decision, state, problems: [] });
      expect(row).toMatchObject({ fileIntact: true, commentsIntact: true });
      const gained = (row?.sequenceAfter ?? 0) - (row?.sequenceBefore ?? 0);
      expect(gained).toBe(state === 'new' ? 1 : 0);
    },
  );

  it('has one row for each kill, and ends well within its time', () => {
    expect(result.survived).toBe(true);
    expect(result.rows.map(({ killedIn }) => killedIn)).toEqual(expected.map(([name]) => name));
    expect(elapsedMs).toBeLessThan(20_000);
  });

  it('leaves a store that later commands find in order, with every promised change in it', async () => {
    const { directory } = result;
    const status = await runProcess(['status', '--dir', directory, '--json']);
    const last = result.rows.at(-1)?.sequenceAfter;
    expect(JSON.parse(status.stdout)).toMatchObject({ health: 'ok', sequence: last });
    expect((await runProcess(['verify', '--dir', directory])).exitCode).toBe(0);
    const text = readFileSync(join(directory, 'ORCHESTRATION.yaml'), 'utf8');
    expect(text).toContain('score: 0.94');
    expect(text).toContain('current_phase: 2\n');
    const names = readdirSync(directory).filter((name) => name !== 'checkpoints');
    expect(names.filter((name) => !name.startsWith('.checkpoint.lock'))).toEqual([
      'ORCHESTRATION.yaml',
      'audit.jsonl',
    ]);
  });

  it('prints a table that fits 100 columns, without colours into a pipe, and what to try next', async () => {
    const { exitCode, stdout, stderr } = await runProcess(['demo']);
    expect(exitCode).toBe(0);
    const [, folder = ''] = /--dir (\S+)\/orchestration/.exec(stdout) ?? [];
    folders.push(folder);
    expect(stdout).not.toContain('\u001b');
    const table = stdout.split('\n').slice(1, 9);
    for (const [index, [name, log]] of expected.entries()) {
      expect(table[index + 1]).toContain(name);
      expect(table[index + 1]).toMatch(new RegExp(`${name} +${log} .* intact +intact +[\\d.]+$`));
    }
    expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout).toContain('All 7 kills survived');
    expect(stderr.match(/^\[\d\/7\] killed on entering /gm)).toHaveLength(7);
  });
});
