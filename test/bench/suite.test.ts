/**
 * What the benchmark's numbers rest on: its statistics, its verdicts, and the floor that is made of recorded
 * system calls. That all of it runs is shown by `npm run bench -- --smoke`, which CI does.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { freshFolder } from '../helpers/temporary-folders.js';

interface Statistics {
  rank(list: readonly number[], part: number): number | undefined;
  median(list: readonly number[]): number | undefined;
  pairedRatio(
    rounds: readonly (number | undefined)[],
    base: readonly (number | undefined)[],
  ): number | undefined;
}
interface RecordedCall {
  readonly name?: string;
}
interface Recorder {
  readonly events: readonly RecordedCall[];
  readonly openAtBegin: ReadonlyMap<number, unknown>;
  begin(): void;
  stop(): void;
}
interface Replay {
  save(n: number): Promise<void>;
  close(): void;
}
interface RecordedCalls {
  readonly CallRecorder: new (folder: string) => Recorder;
  readonly CallReplay: new (
    from: string,
    to: string,
    saves: readonly (readonly RecordedCall[])[],
    open: ReadonlyMap<number, unknown>,
  ) => Replay;
}
interface Targets {
  judgeTargets(results: object): readonly { number: number; verdict: string; measured: string }[];
}

/** The benchmark is plain JavaScript: its types are said here. */
const load = async (name: string): Promise<unknown> => import(`./suite/${name}.mjs`);
const { rank, median, pairedRatio } = (await load('statistics')) as Statistics;
const { CallRecorder, CallReplay } = (await load('recorded-calls')) as RecordedCalls;
const { judgeTargets } = (await load('targets')) as Targets;

describe('the statistics', () => {
  it('take ranks from the sorted list, whatever the order', () => {
    const list = [5, 1, 4, 2, 3];
    expect([median(list), rank(list, 0.99), rank(list, 0)]).toEqual([3, 5, 1]);
    expect(median([])).toBeUndefined();
  });

  it('compare round by round, so that what slows a whole round down drops out', () => {
    expect(pairedRatio([2, 20, 2], [1, 10, 1])).toBe(2);
    expect(pairedRatio([2, undefined, 4], [1, 5])).toBe(2);
  });
});

describe('the floor of recorded system calls', () => {
  /** Saves as a program might: a log that stays open, a temporary file, a numbered copy of the old one. */
  async function saver(folder: string) {
    const log = fs.openSync(join(folder, 'log'), 'w');
    const target = join(folder, 'file');
    fs.writeFileSync(target, 'old');
    let position = 0;
    return {
      async save(n: number) {
        position += fs.writeSync(log, Buffer.from('a record'), 0, 8, position);
        await promisify(fs.fsync)(log);
        const temporary = fs.openSync(`${target}.tmp`, 'wx');
        fs.writeSync(temporary, Buffer.from('new'), 0, 3, 0);
        fs.closeSync(temporary);
        const old = fs.openSync(target, 'r');
        await promisify(fs.close)(old);
        fs.linkSync(target, join(folder, String(n).padStart(12, '0')));
        fs.renameSync(`${target}.tmp`, target);
        fs.existsSync(join(folder, 'absent'));
      },
      close: () => fs.closeSync(log),
    };
  }

  async function record() {
    const root = freshFolder();
    const live = join(root, 'live');
    const copy = join(root, 'copy');
    fs.mkdirSync(live);
    const recorder = new CallRecorder(live);
    try {
      const program = await saver(live);
      await program.save(1);
      fs.cpSync(live, copy, { recursive: true });
      recorder.begin();
      await program.save(2);
      const events = [...recorder.events];
      program.close();
      return { live, copy, events, open: recorder.openAtBegin };
    } finally {
      recorder.stop();
    }
  }

  it('makes the same calls in the same order, with new names and growing files', async () => {
    const { live, copy, events, open } = await record();
    const names = events.flatMap(({ name }) => name ?? []);
    expect(names).toEqual([
      'writeSync',
      'fsync',
      'openSync',
      'writeSync',
      'closeSync',
      'openSync',
      'close',
      'linkSync',
      'renameSync',
      'existsSync',
    ]);
    const replay = new CallReplay(live, copy, [events], open);
    for (let n = 0; n < 3; n += 1) await replay.save(n);
    replay.close();
    const numbered = ['000000000001', '000000000002', '000000000003', '000000000004'];
    expect(fs.readdirSync(copy).sort()).toEqual([...numbered, 'file', 'log']);
    expect(fs.statSync(join(copy, 'log')).size).toBe(4 * 8);
    expect(fs.readdirSync(live).sort()).toEqual([...numbered.slice(0, 2), 'file', 'log']);
  });

  it('fails where a call fails that had succeeded, as it would be too low otherwise', async () => {
    const { live, copy, events, open } = await record();
    const replay = new CallReplay(live, copy, [events], open);
    fs.writeFileSync(join(copy, 'file.tmp'), 'in the way');
    await expect(replay.save(0)).rejects.toThrow('EEXIST');
    replay.close();
  });

  it('leaves node:fs as it was', async () => {
    const before = { ...fs };
    await record();
    expect({ ...fs }).toEqual(before);
  });
});

describe('the targets', () => {
  const row = (name: string, ...rounds: number[]) => ({ name, rounds, medianMs: rounds[0] });
  const judge = (ours: number, lean: number) =>
    judgeTargets({
      workloads: [
        {
          id: '1 KB set',
          rows: [
            row('calls-of-ours', 1, 1),
            row('calls-of-ours-lean', 1, 1),
            row('ours', ours, ours),
            row('ours-lean', lean, lean),
          ],
        },
      ],
    })[0];

  it('hold for the package as shipped, or in part with fewer promises, or are missed', () => {
    expect(judge(1.2, 1.1)).toMatchObject({ number: 1, verdict: 'holds' });
    expect(judge(1.4, 1.1)).toMatchObject({ verdict: 'holds in part' });
    expect(judge(1.4, 1.3)).toMatchObject({ verdict: 'missed' });
  });

  it('say so where nothing was measured', () => {
    const rows = judgeTargets({ workloads: [] });
    expect(new Set(rows.map(({ number }) => number)).size).toBe(9);
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['not measured']));
  });
});
