/**
 * The same day in the field as in `field-scenario.test.ts`, by somebody who has nothing but the command
 * line: an agent or a person. Each command is a process of its own.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProcess } from '../helpers/cli-run.js';
import { freshFolder } from '../helpers/temporary-folders.js';
import {
  AFTER_PHASE_2,
  ARTIFACTS_OF_PHASE_2,
  CORRUPTION,
  commentsOf,
  expectOnDisk,
  filesUnder,
  GOOD_LABEL,
  textOf,
  writeArtifact,
  writeArtifacts,
} from '../helpers/three-phases.js';

/** A command on a store, and what it answers with --json. */
async function run(directory: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = await runProcess([...args, '--dir', directory, '--json']);
  return { exitCode, stderr, data: JSON.parse(stdout) as unknown };
}

/** Saves the checkpoint after phase 2, with its artifacts. */
async function afterPhase2(): Promise<string> {
  const directory = freshFolder();
  writeArtifacts(directory);
  const artifacts = ARTIFACTS_OF_PHASE_2.flatMap((path) => ['--artifact', path]);
  const args = ['save', '-', '--label', GOOD_LABEL, ...artifacts, '--dir', directory];
  const saved = await runProcess(args, { stdin: AFTER_PHASE_2 });
  expect(saved).toMatchObject({ exitCode: 0, stderr: '' });
  return directory;
}

/** The same, and then ruined value by value, each a checkpoint of its own. */
async function ruined(changes = CORRUPTION) {
  const directory = await afterPhase2();
  for (const [path, value] of changes) {
    expect(await run(directory, 'set', path, JSON.stringify(value))).toMatchObject({ exitCode: 0 });
  }
  const file = join(directory, 'ORCHESTRATION.yaml');
  return { directory, file, ruin: textOf(file), last: 1 + changes.length };
}

const label = `label:${GOOD_LABEL}`;
const intact = ARTIFACTS_OF_PHASE_2.map((path) => ({ path, state: 'intact' }));

describe('somebody at the command line whose state was ruined after phase 2', () => {
  it('gets it back by label, and goes on to phase 3; and can undo it', async () => {
    const { directory, file, ruin, last } = await ruined();
    expect(commentsOf(ruin)).toEqual(commentsOf(AFTER_PHASE_2));
    const lost = await run(directory, 'get', 'phases[1].agents[1].artifact');
    expect(lost).toMatchObject({ exitCode: 0, data: null });

    expect(await run(directory, 'restore', label, '--yes')).toMatchObject({
      exitCode: 0,
      data: { from: 1, label: GOOD_LABEL, sequence: last + 1, artifacts: intact },
    });
    expectOnDisk(file, AFTER_PHASE_2);
    expect(await run(directory, 'verify', '--artifacts')).toMatchObject({ exitCode: 0 });

    writeArtifact(directory, 'artifacts/live.md', 'All three regions are live.\n');
    const next = AFTER_PHASE_2.replaceAll('PENDING\n', 'COMPLETE\n').replace(
      'artifact: null             ',
      'artifact: artifacts/live.md',
    );
    const artifacts = [...ARTIFACTS_OF_PHASE_2, 'artifacts/live.md'];
    const options = artifacts.flatMap((path) => ['--artifact', path]);
    const args = ['save', '-', '--label', 'phase 3 complete', ...options, '--dir', directory];
    expect(await runProcess(args, { stdin: next })).toMatchObject({ exitCode: 0 });
    expectOnDisk(file, next);
    expect(commentsOf(next)).toEqual(commentsOf(AFTER_PHASE_2));
    expect(await run(directory, 'verify', '--artifacts')).toMatchObject({ exitCode: 0 });

    expect(await run(directory, 'restore', `${last}`, '--yes')).toMatchObject({
      exitCode: 0,
      data: { from: last, sequence: last + 3, artifacts: intact },
    });
    expectOnDisk(file, ruin);
  }, 60_000);

  it('is told what would change, and that nobody is there to be asked, and nothing is changed', async () => {
    const changes = CORRUPTION.slice(0, 3);
    const { directory } = await ruined(changes);
    const before = filesUnder(directory);
    const told = await run(directory, 'restore', label, '--dry-run');
    expect(told).toMatchObject({ exitCode: 0, data: { from: 1, sequence: null, dryRun: true } });
    expect(filesUnder(directory)).toEqual(before);
    const words = await runProcess(['restore', label, '--dry-run', '--dir', directory]);
    expect(words.exitCode).toBe(0);
    for (const [path] of changes) expect(words.stdout).toContain(path);
    expect(await run(directory, 'restore', label)).toMatchObject({ exitCode: 2 });
    expect(filesUnder(directory)).toEqual(before);
  }, 60_000);

  it('is refused while an artifact is missing, until that is allowed', async () => {
    const { directory, file, last } = await ruined(CORRUPTION.slice(0, 2));
    rmSync(join(directory, 'artifacts/tariffs.bin'));
    const before = filesUnder(directory);
    const wrong = { path: 'artifacts/tariffs.bin', state: 'missing' };
    expect(await run(directory, 'restore', label, '--yes')).toMatchObject({
      exitCode: 1,
      data: { error: { code: 'ARTIFACTS_NOT_INTACT', artifacts: [wrong] } },
    });
    expect(filesUnder(directory)).toEqual(before);

    const allowed = ['--yes', '--allow-missing-artifacts'];
    expect(await run(directory, 'restore', label, ...allowed)).toMatchObject({
      data: { from: 1, sequence: last + 1, artifacts: [...intact.slice(0, 2), wrong] },
    });
    expectOnDisk(file, AFTER_PHASE_2);
    expect(await run(directory, 'verify', '--artifacts')).toMatchObject({ exitCode: 3 });
  }, 60_000);
});
