/**
 * The folders in which the command lines of `docs/cli.md` are run: the stories that its samples tell, by
 * the names that its markers use.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InspectionEvent } from 'xstate';
import { encodeHealth, type HealthMemory } from '../../src/format/health-format.js';
import { openCheckpointStore } from '../../src/store.js';
import { runInMemory } from './cli-run.js';
import { freshFolder } from './temporary-folders.js';

const PLAN = `# Nightly import
workflow:
  status: PENDING     # PENDING | ACTIVE | COMPLETE
  owner: Ines
phases:
  - name: survey
    status: PENDING
`;

type Prepare = (folder: string) => Promise<void> | void;

const write = (folder: string, name: string, text: string) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
};

/** Commands that must succeed. */
async function runAll(cwd: string, ...commands: string[][]): Promise<void> {
  for (const args of commands) {
    const { exitCode, stderr } = await runInMemory(args, { cwd });
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  }
}

const broken: Prepare = (folder) => {
  write(folder, 'broken.yaml', 'status: ACTIVE\nstatus: DONE\n');
};

/** A file that is no store yet, beside the folder for one. */
const plan: Prepare = (folder) => {
  write(folder, 'plan.yaml', PLAN);
  mkdirSync(join(folder, 'orchestration'), { recursive: true });
};

/** Checkpoint 3 of the nightly import. */
const nightly: Prepare = async (folder) => {
  await plan(folder);
  await runAll(
    folder,
    ['save', 'plan.yaml', '--label', 'first plan'],
    ['set', 'workflow.status', 'ACTIVE'],
    ['set', 'phases[0]["started at"]', '2026-11-23', '--string'],
  );
};

/** As above, and save 4 is in the log only: its process was killed before the rename. */
const pending: Prepare = async (folder) => {
  const other = freshFolder();
  await nightly(other);
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.microstep' || !('id' in event.actorRef)) return;
    if (event.actorRef.id !== 'write' || !('value' in event.snapshot)) return;
    if (event.snapshot.value === 'syncingCheckpoint') cpSync(other, folder, { recursive: true });
  };
  const directory = join(other, 'orchestration');
  const store = await openCheckpointStore({ directory, restore: false, inspect });
  await store.set('workflow.status', 'COMPLETE');
  await store.close();
};

/** The nightly import at checkpoint 4, then emptied by somebody. */
const damaged: Prepare = async (folder) => {
  await nightly(folder);
  await runAll(folder, ['set', 'workflow.status', 'COMPLETE']);
  write(folder, 'orchestration/ORCHESTRATION.yaml', '');
};

/** What recovery made of that, a copy of it that somebody edited, and two files that are none of it. */
const mailed: Prepare = async (folder) => {
  await damaged(folder);
  await runInMemory(['recover'], { cwd: folder });
  cpSync(join(folder, 'orchestration/ORCHESTRATION.yaml'), join(folder, 'sealed.yaml'));
  const { stdout } = await runInMemory(['get'], { cwd: folder });
  const text = readFileSync(join(folder, 'sealed.yaml'), 'utf8');
  write(folder, 'mailed.yaml', text.replace(stdout, stdout.replace('Ines', 'Imre')));
  rmSync(join(folder, 'sealed.yaml'));
  await broken(folder);
};

const artifacts: Prepare = async (folder) => {
  await plan(folder);
  write(folder, 'orchestration/out/app.tar', 'an archive\n');
  write(folder, 'orchestration/out/app.log', 'log\n');
  write(folder, 'orchestration/notes.md', 'notes\n');
};

const REVIEWED = `# a plan
status: ACTIVE
phases:
  - name: one
    status: PENDING
`;

/** Five checkpoints, the third labelled, pinned and with an artifact. */
const reviewed: Prepare = async (folder) => {
  write(folder, 'plan.yaml', REVIEWED);
  write(folder, 'looked-at.yaml', `${REVIEWED.replace('PENDING', 'DONE')}# looked at\n`);
  write(folder, 'orchestration/a.txt', 'a\n');
  await runAll(
    folder,
    ['save', 'plan.yaml'],
    ['set', 'phases[0].status', 'DONE'],
    ['save', 'looked-at.yaml', '--label', 'reviewed', '--pin', '--artifact', 'a.txt'],
    ['set', 'owner', 'ada'],
  );
  const store = await openCheckpointStore({ directory: join(folder, 'orchestration') });
  await store.update((state) => {
    const { phases } = state as { phases: object[] };
    phases.unshift({ name: 'zero', status: 'DONE' });
  });
  await store.close();
};

/** As above, and the artifact is gone. */
const artifactGone: Prepare = async (folder) => {
  await reviewed(folder);
  rmSync(join(folder, 'orchestration/a.txt'));
};

const bad = (sequence: number) => ({
  sequence,
  digest: `${sequence}`.repeat(64),
  atMs: 1e12,
  because: 'gave up',
});

/** The nightly import with a failure detector that remembers. */
function remembering(memory: Partial<HealthMemory>): Prepare {
  return async (folder) => {
    await nightly(folder);
    await rememberHealth(join(folder, 'orchestration'), memory);
  };
}

async function rememberHealth(directory: string, memory: Partial<HealthMemory>): Promise<void> {
  const whole = { failures: [], restores: 0, bad: [], ...memory } as HealthMemory;
  writeFileSync(join(directory, '.checkpoint.health'), encodeHealth(whole));
}

const failure = { signal: 'reported', atMs: 1e12, sequence: 3, message: 'gave up' } as const;

/** The nightly import, and somebody who changed its record. */
const tampered: Prepare = async (folder) => {
  await nightly(folder);
  const file = join(folder, 'orchestration/audit.jsonl');
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[4] = lines[4]?.replace(/"event":"\w/, '"event":"X') ?? '';
  writeFileSync(file, lines.join('\n'));
};

/** A plan with one phase, not yet saved by anything. */
const begun: Prepare = (folder) => {
  const text = 'phases:\n  - name: survey\n    status: PENDING\nnotes: none\n';
  write(folder, 'orchestration/ORCHESTRATION.yaml', text);
};

/** Three workflows, one of them never saved by a store. */
const workflows: Prepare = async (folder) => {
  write(folder, 'plan.yaml', 'status: PENDING\n');
  write(folder, 'workflows/order-1/ORCHESTRATION.yaml', 'status: DONE\n# ');
  mkdirSync(join(folder, 'workflows/invoice-17'));
  mkdirSync(join(folder, 'workflows/invoice-18'));
  await runAll(
    folder,
    ['save', 'plan.yaml', '--dir', 'workflows/invoice-17', '--label', 'begin'],
    ['save', 'plan.yaml', '--dir', 'workflows/invoice-18'],
    ['set', 'status', 'DONE', '--dir', 'workflows/invoice-18'],
  );
};

/** All stories, by name. */
export const stories: Readonly<Record<string, Prepare>> = {
  begun,
  broken,
  plan,
  nightly,
  pending,
  damaged,
  mailed,
  artifacts,
  reviewed,
  tampered,
  workflows,
  'artifact-gone': artifactGone,
  'restored-once': remembering({ restores: 1 }),
  exhausted: remembering({
    failures: [failure, failure, failure],
    restores: 3,
    stopped: { atMs: 1e12, because: 'three restores did not help' },
    bad: [bad(1), bad(2), bad(3)],
  }),
};
