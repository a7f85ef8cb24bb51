/**
 * A day in the field: a workflow of three phases saves a checkpoint after phase 2, its state is ruined,
 * the checkpoint is brought back and phase 3 goes on. Through the library, and through a crash loop of
 * real processes. Nothing is simulated.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../src/store/restore-options.js';
import type { CheckpointStoreEvent } from '../../src/store/store-options.js';
import { openCheckpointStore } from '../../src/store.js';
import { outcomeOf } from '../helpers/cli-run.js';
import { freshFolder } from '../helpers/temporary-folders.js';
import {
  AFTER_PHASE_2,
  ARTIFACTS_OF_PHASE_2,
  commentsOf,
  corrupt,
  expectOnDisk,
  filesUnder,
  finishPhase3,
  GOOD_LABEL,
  textOf,
  type Workflow,
  writeArtifact,
  writeArtifacts,
} from '../helpers/three-phases.js';

/** A store whose checkpoint 1 is the one after phase 2, with its artifacts; and a log of what it tells. */
async function afterPhase2() {
  const directory = freshFolder();
  writeArtifacts(directory);
  const logged: { level: string; facts: object; message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) =>
    void logged.push({ level, facts, message });
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const store = await openCheckpointStore<Workflow>({ directory, logger });
  await store.saveText(AFTER_PHASE_2, { label: GOOD_LABEL, artifacts: ARTIFACTS_OF_PHASE_2 });
  const events: CheckpointStoreEvent[] = [];
  store.subscribe((event) => void events.push(event));
  return { directory, store, logged, events };
}

/** The same, and then ruined by a save that is well-formed. */
async function ruined() {
  const scene = await afterPhase2();
  const good = structuredClone(scene.store.state);
  const { sequence } = await scene.store.update(corrupt);
  return { ...scene, good, ruin: { sequence, text: scene.store.text ?? '' } };
}

const intact = ARTIFACTS_OF_PHASE_2.map((path) => ({ path, state: 'intact' }));

describe('a workflow whose state was ruined after phase 2', () => {
  it('gets status, phases, artifacts, metrics, blockers and next step back by label', async () => {
    const { store, good, ruin, logged, events } = await ruined();
    expect(store.state).toMatchObject({
      workflow: { status: 'FAILED', current_phase: 2 },
      phases: [{}, { status: 'FAILED', agents: [{}, { status: 'FAILED', artifact: null }] }, {}],
      metrics: { tests_passed: 97, coverage: 0.4, quality: 0.31 },
      blockers: ['agent-2 lost its artifact'],
    });
    expect(commentsOf(ruin.text)).toEqual(commentsOf(AFTER_PHASE_2));

    const result = await store.restore({ label: GOOD_LABEL });

    expect(result).toMatchObject({ from: { sequence: 1, label: GOOD_LABEL }, sequence: 3 });
    expect(result.artifacts).toMatchObject(intact);
    expect(store.state).toEqual(good);
    expect(store.state).toMatchObject({
      workflow: { status: 'ACTIVE', current_phase: 3 },
      phases: [
        {},
        { status: 'COMPLETE', agents: [{}, { artifact: 'artifacts/tariffs.bin' }] },
        { status: 'PENDING' },
      ],
      metrics: { tests_passed: 412, coverage: 0.91, quality: 0.95 },
      blockers: [],
      next_step: 'Start phase 3: roll out region by region',
    });
    expectOnDisk(store.file, AFTER_PHASE_2);
    const told = { from: 1, sequence: 3, cause: 'requested' };
    expect(events.filter(({ type }) => type === 'restored')).toEqual([
      { type: 'restored', ...told },
    ]);
    expect(logged.filter(({ message }) => message.includes('restored'))).toEqual([
      { level: 'warn', facts: told, message: 'an earlier checkpoint was restored' },
    ]);
    await store.close();
  });

  it('goes on to phase 3 from there, and the next start finds it done', async () => {
    const { directory, store } = await ruined();
    await store.restore({ label: GOOD_LABEL });
    writeArtifact(directory, 'artifacts/live.md', 'All three regions are live.\n');
    const artifacts = [...ARTIFACTS_OF_PHASE_2, 'artifacts/live.md'];
    await store.update((state) => finishPhase3(state, 'artifacts/live.md'), { artifacts });
    await store.close();

    const again = await openCheckpointStore<Workflow>({ directory });
    expect(again.recovery).toMatchObject({ clean: true });
    expect(again.state).toMatchObject({
      workflow: { status: 'COMPLETE' },
      phases: [{ status: 'COMPLETE' }, { status: 'COMPLETE' }, { status: 'COMPLETE' }],
    });
    expect(commentsOf(again.text ?? '')).toEqual(commentsOf(AFTER_PHASE_2));
    const { artifacts: recorded } = await again.readCheckpoint(4);
    expect(recorded.map(({ path }) => path).sort()).toEqual([...artifacts].sort());
    await again.close();
  });

  it('can have the restore undone, and done again', async () => {
    const { store, ruin } = await ruined();
    await store.restore({ label: GOOD_LABEL });
    const undone = await store.restore({ sequence: ruin.sequence });
    expect(undone).toMatchObject({ from: { sequence: 2 }, sequence: 4 });
    expectOnDisk(store.file, ruin.text);
    const { artifacts } = await store.restore({ label: GOOD_LABEL });
    expect(artifacts).toMatchObject(intact);
    expectOnDisk(store.file, AFTER_PHASE_2);
    await store.close();
  });

  it.each([
    ['missing', 'missing', (path: string) => rmSync(path)],
    ['shorter', 'changed', (path: string) => writeFileSync(path, 'short')],
    ['different in one byte', 'changed', flipByte],
  ] as const)(
    'is left as it is while an artifact is %s, until that is allowed',
    async (_, state, damage) => {
      const { directory, store, ruin, events } = await ruined();
      damage(join(directory, 'artifacts/tariffs.bin'));
      const before = filesUnder(directory);
      const wrong = [{ path: 'artifacts/tariffs.bin', state }];

      await expect(store.restore({ label: GOOD_LABEL })).rejects.toMatchObject({
        code: 'ARTIFACTS_NOT_INTACT',
        details: { sequence: 1, artifacts: wrong, outcome: 'notSaved' },
      });
      expect(filesUnder(directory)).toEqual(before);
      expect(store).toMatchObject({ sequence: 2, text: ruin.text });
      expect(events).not.toContainEqual(expect.objectContaining({ type: 'restored' }));

      const allowed = await store.restore({ label: GOOD_LABEL, allowMissingArtifacts: true });
      expect(allowed).toMatchObject({ sequence: 3 });
      expect(allowed.artifacts).toMatchObject([...intact.slice(0, 2), ...wrong]);
      expectOnDisk(store.file, AFTER_PHASE_2);
      await store.close();
    },
  );
});

/** Changes one byte of a file and neither its size nor, as far as can be, anything else. */
function flipByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

const library = new URL('../../dist/index.js', import.meta.url).href;

/**
 * An orchestrator as people write them: it reads what earlier phases made, does phase 3, saves. It knows
 * nothing of restores. A state that names no artifact is more than it can take.
 */
const ORCHESTRATOR = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { openCheckpointStore } from ${JSON.stringify(library)};
  const [directory, restore] = process.argv.slice(1);
  const store = await openCheckpointStore({ directory, restore: JSON.parse(restore) });
  const read = (path) => readFileSync(path === null ? path : join(directory, path));
  const agents = store.state.phases.slice(0, 2).flatMap((phase) => phase.agents);
  const sizes = agents.map(({ artifact }) => read(artifact).length);
  writeFileSync(join(directory, 'artifacts/live.md'), 'Live, from ' + sizes.join(', ') + '.');
  await store.update((state) => {
    state.phases[2].status = 'COMPLETE';
    state.phases[2].agents[0] = { name: 'agent-3', status: 'COMPLETE', artifact: 'artifacts/live.md' };
    state.workflow.status = 'COMPLETE';
  }, { artifacts: [...agents.map(({ artifact }) => artifact), 'artifacts/live.md'] });
  process.stdout.write(JSON.stringify({ sizes, restored: store.recovery.restored ?? null }));
  await store.close();`;

/** One start of the orchestrator. */
async function start(directory: string, restore: RestoreOptions) {
  const args = ['--input-type=module', '--eval', ORCHESTRATOR];
  const child = spawn(process.execPath, [...args, directory, JSON.stringify(restore)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return await outcomeOf(child);
}

/** A store that is closed after phase 2; then somebody ruins its file by hand, comments and seal kept. */
async function ruinedByHand() {
  const { directory, store } = await afterPhase2();
  const { file } = store;
  await store.close();
  writeFileSync(file, ruinedText(readFileSync(file, 'utf8')));
  return { directory, file };
}

function ruinedText(text: string): string {
  return text
    .replace('status: ACTIVE ', 'status: FAILED ')
    .replace('current_phase: 3', 'current_phase: 2')
    .replace(/( +status: )COMPLETE( +# never)/, '$1FAILED$2')
    .replace(/( +status: )COMPLETE( +# took)/, '$1FAILED$2')
    .replace('artifact: artifacts/tariffs.bin ', 'artifact: null ')
    .replace('tests_passed: 412', 'tests_passed: 97')
    .replace('coverage: 0.91', 'coverage: 0.4')
    .replace('quality:  0.95', 'quality:  0.31')
    .replace('blockers: []', "blockers: ['agent-2 lost its artifact']")
    .replace(/next_step: .*/, 'next_step: Call the owner');
}

describe('an orchestrator that fails on the ruined state each time it starts', () => {
  it.each([1, 3])(
    'is given the good one after %i failures, and goes on to phase 3',
    async (threshold) => {
      const { directory, file } = await ruinedByHand();
      for (let run = 0; run < threshold; run += 1) {
        const failed = await start(directory, { threshold });
        expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
        expect(failed.stderr).toContain('ERR_INVALID_ARG_TYPE');
        expect(textOf(file)).toBe(ruinedText(AFTER_PHASE_2));
      }
      const { exitCode, stdout, stderr } = await start(directory, { threshold });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({
        sizes: [41, 49, 200_000],
        restored: { from: 1, sequence: 3 },
      });

      const store = await openCheckpointStore<Workflow>({ directory, restore: false });
      expect(store.state).toMatchObject({ workflow: { status: 'COMPLETE' }, blockers: [] });
      expect(commentsOf(store.text ?? '')).toEqual(commentsOf(AFTER_PHASE_2));
      const restored = await store.readCheckpoint(3);
      expect(restored).toMatchObject({
        entry: { label: 'restored from 1', artifacts: 3 },
        text: AFTER_PHASE_2,
      });
      // What failed is kept: the restore can be undone.
      const undone = await store.restore({ sequence: 2 });
      expect(undone.artifacts).toMatchObject(intact);
      expectOnDisk(file, ruinedText(AFTER_PHASE_2));
      await store.close();
    },
    60_000,
  );

  it('is given nothing while an artifact of the good state is missing: a person has to look', async () => {
    const { directory, file } = await ruinedByHand();
    rmSync(join(directory, 'artifacts/schema.sql'));
    await start(directory, { threshold: 1 });
    const { stdout, stderr } = await start(directory, { threshold: 1 });
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringContaining('RESTORES_EXHAUSTED'),
    });
    expect(textOf(file)).toBe(ruinedText(AFTER_PHASE_2));

    const store = await openCheckpointStore<Workflow>({ directory, restore: false });
    const target = { label: GOOD_LABEL, allowMissingArtifacts: true };
    expect((await store.restore(target)).artifacts).toMatchObject([
      { state: 'intact' },
      { path: 'artifacts/schema.sql', state: 'missing' },
      { state: 'intact' },
    ]);
    expectOnDisk(file, AFTER_PHASE_2);
    await store.close();
  }, 60_000);

  it('is given the good state with an artifact that has changed, where that is allowed', async () => {
    const { directory } = await ruinedByHand();
    writeFileSync(join(directory, 'artifacts/schema.sql'), '-- rewritten since\n');
    const restore = { threshold: 1, allowMissingArtifacts: true };
    await start(directory, restore);
    const { exitCode, stdout } = await start(directory, restore);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sizes: [41, 19, 200_000], restored: { from: 1 } });
  }, 60_000);
});
