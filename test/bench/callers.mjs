/**
 * Saves per second of 1, 16 and 256 callers, each of which awaits its own saves, on a state of 1 KB:
 * `set`, `save` and `update`, with the audit and without. `node test/bench/callers.mjs [seconds]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointStore } from '../../dist/index.js';

const seconds = Number(process.argv[2] ?? 1);
const callerCounts = (process.argv[3] ?? '1,16,256').split(',').map(Number);
const operations = (process.argv[4] ?? 'set,save,update').split(',');
const audits = (process.argv[5] ?? 'on,off').split(',');

const initial = () => ({
  project: 'a state of about one kilobyte',
  workers: Array.from({ length: 16 }, (_, index) => ({
    name: `worker-${index}`,
    status: 'running',
    done: 0,
  })),
  note: 'x'.repeat(300),
});

const ways = {
  set: (store, caller, done) => store.set(['workers', caller % 16, 'done'], done),
  save: (store, caller, done) => {
    const state = initial();
    state.workers[caller % 16].done = done;
    return store.save(state);
  },
  update: (store, caller, done) =>
    store.update((draft) => {
      draft.workers[caller % 16].done = done;
    }),
};

for (const audit of audits) {
  for (const operation of operations) {
    for (const callers of callerCounts) console.log(await measure(audit, operation, callers));
  }
}

async function measure(audit, operation, callers) {
  const directory = mkdtempSync(join(tmpdir(), 'callers-'));
  const store = await openCheckpointStore({
    directory,
    maxCheckpoints: 3,
    ...(audit === 'off' && { audit: false }),
  });
  await store.save(initial());
  let saves = 0;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  const work = async (_, caller) => {
    for (let done = 1; performance.now() < end; done += 1) {
      await ways[operation](store, caller, done * 256 + caller);
      saves += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  const elapsed = performance.now() - begun;
  const used = process.cpuUsage(cpu);
  const { rounds } = store.stats();
  await store.close();
  rmSync(directory, { recursive: true });
  const rate = Math.round((saves / elapsed) * 1000);
  const cpuUs = ((used.user + used.system) / saves).toFixed(1);
  const mean = rounds.meanSaves.toFixed(1);
  return `audit ${audit.padEnd(3)} ${operation.padEnd(6)} ${String(callers).padStart(3)} callers ${String(rate).padStart(7)} saves/s  ${cpuUs} us CPU each  ${mean} saves a round`;
}
