/** Telling processes apart. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { isAlive, ownIdentity, parseProcessStatus } from '../../../src/io/process-identity.js';

const onLinux = process.platform === 'linux';
const after = '1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0';

test('this process is alive by its own identity', () => {
  const own = ownIdentity();
  expect(own).toMatchObject({ pid: process.pid, host: hostname() });
  expect(isAlive(own)).toBe(true);
  expect(ownIdentity()).toEqual(own);
});

test('a process that has ended is not alive', () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  expect(isAlive({ pid, host: hostname() })).toBe(false);
});

test('a process of another host counts as alive, since it can’t be seen', () => {
  expect(isAlive({ pid: 2 ** 22 + 1, host: 'elsewhere.example' })).toBe(true);
});

test.runIf(onLinux)('start time and boot decide where they are known', () => {
  const own = ownIdentity();
  expect(isAlive({ ...own, startedAt: '1' })).toBe(false);
  expect(isAlive({ ...own, bootId: 'another' })).toBe(false);
  expect(isAlive({ pid: own.pid, host: own.host })).toBe(true);
});

test.runIf(onLinux)('a killed process that its parent has not asked for is not alive', async () => {
  // The shell becomes `cat` by exec and so never waits for its own child.
  const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; exec cat']);
  const [line] = await once(shell.stdout, 'data');
  const pid = Number(String(line).trim());
  // Until it is `cat`, which this answer tells, it is a shell and may still ask for its child.
  shell.stdin.write('answer');
  await once(shell.stdout, 'data');
  expect(isAlive({ pid, host: hostname() })).toBe(true);
  process.kill(pid, 'SIGKILL');
  const deadline = Date.now() + 5000;
  while (isAlive({ pid, host: hostname() }) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const stillListed = process.kill(pid, 0);
  expect({ stillListed, alive: isAlive({ pid, host: hostname() }) }).toEqual({
    stillListed: true,
    alive: false,
  });
  shell.kill('SIGKILL');
});

test.each([
  ['a plain name', `12 (node) S ${after} 4711 99`, { state: 'S', startedAt: '4711' }],
  ['spaces and parentheses', `12 (a) b (c)) Z ${after} 4712 99`, { state: 'Z', startedAt: '4712' }],
  [
    'a name that looks like fields',
    `12 () R 1 2 3) S ${after} 4713 9`,
    { state: 'S', startedAt: '4713' },
  ],
  ['too few fields', '12 (node) S 1 1', undefined],
  ['no parenthesis', `12 node S ${after} 1 1`, undefined],
  ['no number', `12 (node) S ${after} x 1`, undefined],
  ['nothing', '', undefined],
])('parses /proc/<pid>/stat with %s', (_name, text, expected) => {
  expect(parseProcessStatus(text)).toEqual(expected);
});
