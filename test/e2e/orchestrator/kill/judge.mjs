/**
 * Whether a finished orchestration is right: the plan byte for byte, every report, the history, the audit,
 * and nothing left over. Takes nothing from the orchestrator; asks the command line for what it verifies.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportsOf, textOf } from './example-plan.mjs';

const cli = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
const BESIDES = ['ORCHESTRATION.yaml', 'audit', 'audit.jsonl', 'checkpoints', 'reports'];
// What the failure detector remembers of the kills is no remainder of a save.
const MAY_BE_THERE = [...BESIDES, '.checkpoint.health'];

/** Runs a command of the command line; what it says as JSON, and its exit code. */
function ask(directory, command) {
  return new Promise((resolve) => {
    const arguments_ = [cli, ...command, '--dir', directory, '--json'];
    const options = { maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, arguments_, options, (error, stdout) => {
      resolve({ exitCode: error?.code ?? 0, said: parsed(stdout) });
    });
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { unreadable: text };
  }
}

/** What is wrong, in words; empty where all is right. And numbers of what was looked at. */
export async function judge(directory, plan, note) {
  const problems = [];
  const check = (isRight, message) => isRight || problems.push(message);

  const text = readFileSync(join(directory, 'ORCHESTRATION.yaml'), 'utf8');
  const own = text.replace(/^# checkpoint-wal: .*\n/gm, '');
  check(own === textOf(plan, { isDone: true, note }), 'the plan is not as it has to be in the end');

  const expected = reportsOf(plan);
  for (const [path, report] of expected) {
    check(read(join(directory, path)) === report, `${path} is missing or wrong`);
  }
  const found = readdirSync(join(directory, 'reports'), { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  check(files.length === expected.size, `${files.length} reports, ${expected.size} are expected`);

  const leftOver = readdirSync(directory).filter((name) => !MAY_BE_THERE.includes(name));
  check(leftOver.length === 0, `left over: ${leftOver.join(', ')}`);

  const [verified, audit, history] = await Promise.all([
    ask(directory, ['verify', '--artifacts']),
    ask(directory, ['audit', 'verify']),
    ask(directory, ['history', '--all']),
  ]);
  check(verified.exitCode === 0, `verify --artifacts: ${JSON.stringify(verified)}`);
  const [artifacts] = verified.said.artifacts ?? [];
  check(artifacts?.intact === expected.size, `${artifacts?.intact} artifacts are intact`);
  check(audit.exitCode === 0, `audit verify: ${JSON.stringify(audit)}`);
  const shown = history.said.shown ?? [];
  check(
    history.exitCode === 0 && shown.every((entry) => entry.verified),
    'history does not verify',
  );
  const numbers = shown.map(({ sequence }) => sequence);
  const isAscending = numbers.every((number, at) => at === 0 || number < numbers[at - 1]);
  check(isAscending, `history is out of order: ${numbers}`);
  for (const { name } of plan.phases) {
    const isThere = shown.some((entry) => entry.pinned && entry.label === `phase ${name} done`);
    check(isThere, `no pinned checkpoint of ${name}`);
  }
  const facts = { reports: expected.size, checkpoints: numbers[0], entries: audit.said.entries };
  return { problems, facts };
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
