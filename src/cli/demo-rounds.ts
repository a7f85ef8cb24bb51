/**
 * Running the demo's rounds: a fresh process for every kill, SIGKILL and nothing milder, and a
 * recovery by this process afterwards. What is reported is read back from disk.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../io/node-package.js';
import { inspectStore } from '../store/inspect-store.js';
import { openCheckpointStore } from '../store.js';
import { type DemoRow, judgeRound } from './demo-judge.js';
import { DEMO_ORCHESTRATION } from './demo-orchestration.js';
import { DEMO_ROUNDS, type DemoRound, REACHED } from './demo-plan.js';

/** How long a child may take to reach its state; starting node takes about 0.15 s. */
const REACH_MS_MAX = 15_000;

/** A folder of its own for this run, with the example saved in it once. */
export async function prepareDemo(): Promise<string> {
  const directory = join(mkdtempSync(join(tmpdir(), 'checkpoint-wal-demo-')), 'orchestration');
  const store = await openCheckpointStore({ directory, restore: false });
  try {
    await store.saveText(DEMO_ORCHESTRATION, { label: 'the example' });
    await store.set('workflow.status', 'ACTIVE', { label: 'workflow started' });
  } finally {
    await store.close();
  }
  return directory;
}

/** Runs all rounds, one after the other, on one store. */
export async function* runDemo(
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<DemoRow, void> {
  for (const round of DEMO_ROUNDS) yield await runRound(directory, round, signal);
}

async function runRound(
  directory: string,
  round: DemoRound,
  signal: AbortSignal,
): Promise<DemoRow> {
  const before = await inspectStore({ directory });
  const { path, value } = round;
  const change = [path, JSON.stringify(value)];
  const isRecovery = round.killedIn === 'applyingWal';
  const first = isRecovery ? 'writingCheckpoint' : round.killedIn;
  let killedBy = await killOnEntry([directory, first, ...change], signal);
  if (isRecovery && killedBy === 'SIGKILL') {
    killedBy = await killOnEntry([directory, round.killedIn], signal);
  }
  const found = await inspectStore({ directory });
  const startedMs = performance.now();
  const store = await openCheckpointStore({ directory, restore: false });
  const recoveryMs = performance.now() - startedMs;
  await store.close();
  const after = await inspectStore({ directory });
  const bytes = readFileSync(after.paths.target);
  const original = DEMO_ORCHESTRATION;
  return judgeRound({ round, killedBy, before, found, after, bytes, original, recoveryMs });
}

/** Starts a child, kills it once it says that it has reached its state, and says how it ended. */
async function killOnEntry(args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const script = fileURLToPath(packageFile('dist/cli/demo-child.js'));
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(kill, REACH_MS_MAX);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const { reached, ended } = await watch(child);
    signal.throwIfAborted();
    return reached ? ended : `${ended} before it reached its state`;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  }
}

function watch(child: ChildProcess): Promise<{ reached: boolean; ended: string }> {
  return new Promise((resolve, reject) => {
    let said = '';
    let complaint = '';
    let reached = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (reached || !said.includes(`${REACHED}\n`)) return;
      reached = true;
      child.kill('SIGKILL');
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, killer) => {
      const ended = killer ?? `exit code ${code}`;
      const [firstLine = ''] = complaint.trim().split('\n');
      resolve({ reached, ended: firstLine === '' ? ended : `${ended} (${firstLine})` });
    });
  });
}
