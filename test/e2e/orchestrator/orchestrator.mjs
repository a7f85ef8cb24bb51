/**
 * A small multi-agent runner to copy from: phases, agents in parallel, a barrier after each phase, retries,
 * reports on disk, a checkpoint after each agent. May be killed at any moment, and goes on where it was.
 * `node orchestrator.mjs [DIRECTORY]`, where ORCHESTRATION.yaml lies. Explained in docs/guide/orchestrator.md.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openCheckpointStore } from 'checkpoint-wal';
import { work } from './agent.mjs';
import { writeDurably } from './artifacts.mjs';
import { agentsOf, doneReports, planSchema, reportOf } from './plan.mjs';

const directory = process.argv[2] ?? 'orchestration';
const say = (line) => console.log(line);
const stop = new AbortController();
const { signal } = stop;

// Without close() the end of this process would count as a crash.
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    process.exitCode = name === 'SIGINT' ? 130 : 143;
    stop.abort(new Error(`stopped by ${name}`));
  });
}

const store = await openCheckpointStore({
  directory,
  schema: planSchema,
  // Which reports belong to a checkpoint follows from its state: those of all agents that are done. Their
  // sizes and SHA-256 are recorded with it.
  artifacts: { find: doneReports },
  // Failures are counted and told, and nothing is restored by itself: agents do the same work again, so a
  // checkpoint from before has nothing that helps; it would only throw finished work away.
  restore: { mode: 'manual' },
});
const root = dirname(store.file);

try {
  tellRecovery();
  await takeStock();
  await run();
} catch (error) {
  if (!signal.aborted) throw error;
  say(`${signal.reason.message}; run again to go on`);
} finally {
  await store.close();
}

function tellRecovery() {
  const { decisions, lost, kept } = store.recovery;
  say(`opened at checkpoint ${store.sequence}: ${decisions.map(({ label }) => label).join(', ')}`);
  for (const what of lost) say(`  lost: ${what}`);
  for (const { file, reason } of kept) say(`  kept: ${file} (${reason})`);
  if (store.health?.state !== 'healthy') {
    say(`  health: ${store.health?.state}, failures that count: ${store.health?.failures.length}`);
  }
}

/** What the checkpoint says is compared with the disk; what has to be done again is PENDING again. */
async function takeStock() {
  if (store.state === undefined) throw new Error(`there is no plan in ${store.file}`);
  await store.check(); // A plan that was written or edited by hand becomes a checkpoint first.
  const artifacts = await store.verifyArtifacts();
  const intact = artifacts.filter(({ state }) => state === 'intact').map(({ path }) => path);
  const mustBeRedone = ({ agent, report }) =>
    agent.status === 'RUNNING' || (agent.status === 'DONE' && !intact.includes(report));
  const again = agentsOf(store.state).filter(mustBeRedone);
  if (again.length === 0) return;
  for (const { agent } of again) {
    say(`again ${agent.name}, ${agent.status === 'RUNNING' ? 'cut off' : 'its report is damaged'}`);
  }
  await store.update(
    (plan) => {
      for (const { phase, agent, report } of agentsOf(plan)) {
        if (!again.some((one) => one.report === report)) continue;
        agent.status = 'PENDING';
        phase.status = 'PENDING';
      }
    },
    { label: 'set back after a crash' },
  );
}

async function run() {
  await setStatus((plan) => plan.workflow, 'RUNNING');
  for (const [index, phase] of store.state.phases.entries()) {
    if (phase.status !== 'DONE' && !(await runPhase(index))) return;
  }
  await setStatus((plan) => plan.workflow, 'DONE', { label: 'all phases done', pinned: true });
  say(`finished at checkpoint ${store.sequence}`);
}

/** All agents of a phase at once. The barrier: goes on when each has ended. Resolves to whether all did well. */
async function runPhase(index) {
  const { name, agents } = store.state.phases[index];
  const inPlan = (plan) => plan.phases[index];
  await setStatus(inPlan, 'RUNNING');
  const inputs = await readInputs(store.state.phases[index - 1]);
  const results = await Promise.allSettled(
    agents.map((agent, at) => agent.status === 'DONE' || runAgent(index, at, inputs)),
  );
  const failed = results.filter(({ status }) => status === 'rejected');
  signal.throwIfAborted();
  if (failed.length > 0) {
    await setStatus(inPlan, 'FAILED', { label: `phase ${name} failed`, pinned: true });
    await setStatus((plan) => plan.workflow, 'FAILED');
    await store.reportFailure(failed[0].reason); // `checkpoint-wal status` says so, too
    say(`phase ${name} failed: ${failed[0].reason.message}`);
    process.exitCode = 1;
    return false;
  }
  // Pinned: these stay in history, whatever the retention, and can be gone back to by label.
  await setStatus(inPlan, 'DONE', { label: `phase ${name} done`, pinned: true });
  say(`phase ${name} done (checkpoint ${store.sequence})`);
  return true;
}

function readInputs(phase) {
  const reports = (phase?.agents ?? []).map((agent) => join(root, reportOf(phase, agent)));
  return Promise.all(reports.map((report) => readFile(report, 'utf8')));
}

/** One agent, until it has done its work or has failed too often. */
async function runAgent(index, at, inputs) {
  const inPlan = (plan) => plan.phases[index].agents[at];
  const { limit, backoff_ms } = store.state.retry;
  for (;;) {
    signal.throwIfAborted();
    await setStatus(inPlan, 'RUNNING');
    const agent = inPlan(store.state);
    const report = reportOf(store.state.phases[index], agent);
    try {
      say(`start ${agent.name}, attempt ${agent.failures + 1}`);
      // The order is what matters: first the report, durable; then the checkpoint that names it.
      await writeDurably(root, report, work(agent, inputs, signal));
      say(`wrote ${agent.name}`);
    } catch (error) {
      signal.throwIfAborted();
      const failures = agent.failures + 1;
      const isLast = failures > limit;
      say(`failed ${agent.name}, attempt ${failures}: ${error.message}`);
      await store.update((plan) => {
        Object.assign(inPlan(plan), { status: isLast ? 'FAILED' : 'PENDING', failures });
      });
      if (isLast) throw error;
      await wait(backoff_ms * 2 ** (failures - 1), undefined, { signal });
      continue;
    }
    await setStatus(inPlan, 'DONE', { label: `${agent.name} done` });
    say(`done ${agent.name} (checkpoint ${store.sequence})`);
    return;
  }
}

/** Saves one status: one line of the file changes, comments stay. */
async function setStatus(inPlan, status, options) {
  if (inPlan(store.state).status === status) return;
  await store.update((plan) => {
    inPlan(plan).status = status;
  }, options);
}
