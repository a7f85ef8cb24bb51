/**
 * The orchestrator to copy from, killed at random until it has finished, and judged; and that this judge
 * has something to say where the orchestrator or what it leaves is broken. `ORCHESTRATOR_KILLS=300` makes
 * it a long campaign, `ORCHESTRATOR_SEED` another one.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshFolder } from '../../helpers/temporary-folders.js';

const { ORCHESTRATOR_KILLS = '12', ORCHESTRATOR_SEED = '1' } = process.env;
const here = fileURLToPath(new URL('.', import.meta.url));
const built = new URL('../../../dist/index.js', import.meta.url).href;
const timeoutMs = 60_000 + Number(ORCHESTRATOR_KILLS) * 2000;

interface Ended {
  readonly code: number | string;
  readonly said: string;
}

function run(script: string, options: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(here, script), ...options], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    );
  });
}

const example = (...options: string[]) => run('kill/example.mjs', options);

/** A copy of the orchestrator with something replaced in one of its files. */
function brokenCopy(file: string, from: string | RegExp, to: string): string {
  const folder = freshFolder();
  for (const name of ['orchestrator.mjs', 'agent.mjs', 'artifacts.mjs', 'plan.mjs']) {
    const text = readFileSync(join(here, name), 'utf8').replace("'checkpoint-wal'", `'${built}'`);
    const isIt = name === file;
    if (isIt) expect(text).toMatch(from);
    writeFileSync(join(folder, name), isIt ? text.replace(from, to) : text);
  }
  return join(folder, 'orchestrator.mjs');
}

describe('the orchestrator to copy from', () => {
  it(
    `finishes with the right result, killed ${ORCHESTRATOR_KILLS} times`,
    async () => {
      const { code, said } = await example(
        '--kills',
        ORCHESTRATOR_KILLS,
        '--seed',
        ORCHESTRATOR_SEED,
      );
      expect(said).toContain(`All is right after ${ORCHESTRATOR_KILLS} kills.`);
      expect(code).toBe(0);
    },
    timeoutMs,
  );

  it('is as short as its guide says', () => {
    const files = readdirSync(here).filter((name) => name.endsWith('.mjs'));
    const lines = files.map(
      (name) => readFileSync(join(here, name), 'utf8').split('\n').length - 1,
    );
    expect(files).toHaveLength(4);
    expect(lines.reduce((sum, one) => sum + one, 0)).toBeLessThan(300);
  });
});

const plan = (failsFirst: number) => `# by hand
workflow: { status: PENDING }
retry: { limit: 1, backoff_ms: 1 }
phases:
  - name: one
    status: PENDING
    agents:
      - { name: good, status: PENDING, failures: 0, figure: 1, work_ms: 1 }
      - { name: bad, status: PENDING, failures: 0, figure: 2, work_ms: 1, fails_first: ${failsFirst} }
  - name: two
    status: PENDING
    agents:
      - { name: last, status: PENDING, failures: 0, figure: 3, work_ms: 1 } # waits
`;

describe('an agent that fails', () => {
  it('too often fails its phase, keeps what others did, and is tried again by the next run', async () => {
    const directory = freshFolder();
    const file = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(file, plan(3));
    const first = await run('orchestrator.mjs', [directory]);
    expect(first).toMatchObject({ code: 1 });
    expect(first.said).toContain('failed bad, attempt 2: bad could not do it\n');
    expect(first.said).toContain('\nphase one failed');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('{ name: good, status: DONE, failures: 0,');
    expect(text).toContain('{ name: bad, status: FAILED, failures: 2,');
    expect(text).toContain(
      '{ name: last, status: PENDING, failures: 0, figure: 3, work_ms: 1 } # waits',
    );
    const second = await run('orchestrator.mjs', [directory]);
    expect(second.said).toContain('health: failing, failures that count: 1');
    expect(second).toMatchObject({ code: 1 });
    const third = await run('orchestrator.mjs', [directory]);
    expect(third).toMatchObject({ code: 0 });
    expect(third.said).not.toContain('start good');
    expect(readFileSync(file, 'utf8')).not.toMatch(/PENDING|FAILED|RUNNING/);
  });
});

describe('an orchestrator that is told to stop', () => {
  it('closes its store, so that it counts as no crash, and goes on the next time', async () => {
    const directory = freshFolder();
    const slow = plan(0).replace('work_ms: 1,', 'work_ms: 20000,');
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), slow);
    const child = spawn(process.execPath, [join(here, 'orchestrator.mjs'), directory]);
    await said(child, 'done good');
    const ended = new Promise((resolve) => {
      child.once('close', (...how) => resolve(how));
    });
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    const left = readdirSync(directory).sort();
    expect(left).toEqual(['ORCHESTRATION.yaml', 'audit.jsonl', 'checkpoints', 'reports']);
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), fasterPlan(directory));
    const next = await run('orchestrator.mjs', [directory]);
    expect(next.said).toContain('again bad, cut off');
    expect(next.said).not.toContain('start good');
    expect(next).toMatchObject({ code: 0 });
  });
});

const fasterPlan = (directory: string) =>
  readFileSync(join(directory, 'ORCHESTRATION.yaml'), 'utf8').replace('20000', '1');

/** Resolves when the process has printed this. */
function said(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout?.on('data', (data: Buffer) => {
      printed += data.toString();
      if (printed.includes(words)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended without "${words}": ${printed}`)));
  });
}

describe('the judge', () => {
  const options = ['--kills', '0', '--seed', '5'];
  let finished = '';
  beforeAll(async () => {
    finished = join(freshFolder(), 'run');
    expect((await example(...options, '--dir', finished)).said).toContain('All is right');
  });

  /** What it says after something was changed in a copy of what a good run left. */
  async function judged(change: (directory: string) => void): Promise<Ended> {
    const folder = join(freshFolder(), 'run');
    cpSync(finished, folder, { recursive: true, preserveTimestamps: true });
    change(join(folder, 'orchestration-1'));
    return await example(...options, '--dir', folder, '--judge');
  }

  const edit = (file: string, change: (text: string) => string) => {
    const { mode } = statSync(file);
    const text = readFileSync(file, 'utf8');
    expect(change(text)).not.toBe(text);
    rmSync(file);
    writeFileSync(file, change(text), { mode });
  };
  const report = 'reports/phase-1/agent-1-1.txt';
  const entry = 'checkpoints/000000000005.ORCHESTRATION.yaml';

  it('names everything that is wrong', async () => {
    const { code, said } = await judged((at) => {
      edit(join(at, 'ORCHESTRATION.yaml'), (text) => text.replace(/ +# of agent-1-1/, ''));
      edit(join(at, report), (text) => text.replace('7', '8'));
      rmSync(join(at, 'reports/phase-2/agent-2-1.txt'));
      writeFileSync(join(at, 'reports/phase-2/agent-2-1.txt.tmp'), '');
      writeFileSync(join(at, 'reports/phase-2/more.txt'), '');
      writeFileSync(join(at, '.checkpoint.wal'), '');
      mkdirSync(join(at, 'quarantine'));
      edit(join(at, 'audit.jsonl'), (text) => text.replace('"save.requested"', '"save.aborted"'));
      edit(join(at, entry), (text) => text.replace('PENDING', 'RUNNING'));
    });
    for (const words of [
      'the plan is not as it has to be in the end',
      'reports/phase-1/agent-1-1.txt is missing or wrong',
      'reports/phase-2/agent-2-1.txt is missing or wrong',
      /\d+ reports, \d+ are expected/,
      'left over: .checkpoint.wal, quarantine',
      'verify --artifacts: {"exitCode":',
      'audit verify: {"exitCode":4',
      'history does not verify',
    ]) {
      expect(said).toMatch(words);
    }
    expect(code).toBe(1);
  });

  it('finds nothing where nothing was changed', async () => {
    expect(await judged(() => {})).toMatchObject({ code: 0 });
  });
});

const isLong = process.env.ORCHESTRATOR_KILLS !== undefined;

describe('killing finds an orchestrator', () => {
  const killed = (program: string, kills: number) =>
    example('--program', program, '--kills', String(kills), '--seed', '4');

  it('that lets checkpoints be restored because it was killed', async () => {
    const manual = "restore: { mode: 'manual' },";
    const automatic = "restore: { mode: 'automatic', threshold: 1 },";
    const { code, said } = await killed(brokenCopy('orchestrator.mjs', manual, automatic), 10);
    expect(said).toMatch(/was done, and was started again|RESTORES_EXHAUSTED/);
    expect(code).toBe(1);
  }, 90_000);

  const done = "    await setStatus(inPlan, 'DONE', {";
  it.runIf(isLong).each([
    [
      'that takes a report for done because its file is there',
      'artifacts.mjs',
      /const temporary = .*\n.*\n.*\n/,
      "const temporary = target;\nawait mkdir(dirname(target), { recursive: true });\nconst file = await open(target, 'wx').catch(() => {});\nif (!file) return;",
      'is missing or wrong',
    ],
    [
      'that does not look at its reports when it starts',
      'orchestrator.mjs',
      '!intact.includes(report)',
      'false',
      'is missing or wrong',
    ],
    [
      'that says an agent is done before its checkpoint',
      'orchestrator.mjs',
      done,
      `say('done ' + agent.name);\n${done}`,
      'was done, and was started again',
    ],
  ])(
    '%s',
    async (_, file, from, to, words) => {
      const { code, said } = await killed(brokenCopy(file, from, to), 40);
      expect(said).toContain(words);
      expect(code).toBe(1);
    },
    300_000,
  );
});
