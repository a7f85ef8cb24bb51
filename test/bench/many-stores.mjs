/**
 * What a thousand stores cost: one save in each, with one schedule for all syncs, with as many plain stores
 * at once, and one after the other; with threads, descriptors, memory, and how long an unrelated read waits
 * meanwhile. Run after a build: `node test/bench/many-stores.mjs [STORES] [ROUNDS] [FOLDER]`, on Linux. Prints
 * numbers, judges nothing.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointStore, openCheckpointStores } from '../../dist/index.js';

const count = Number(process.argv[2] ?? 1000);
const rounds = Number(process.argv[3] ?? 3);
const folder = mkdtempSync(join(process.argv[4] ?? tmpdir(), 'checkpoint-wal-bench-'));
const names = Array.from({ length: count }, (_, n) => `workflow-${String(n).padStart(6, '0')}`);
const options = { restore: false };

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;
const at = (list, part) => [...list].sort((a, b) => a - b)[Math.floor(list.length * part)] ?? 0;
const size = (path) => readdirSync(path).length;

/** Runs `act`, and meanwhile reads a file again and again as an unrelated part of the program would. */
async function measured(act) {
  const probe = join(folder, 'probe.txt');
  writeFileSync(probe, 'x'.repeat(1000));
  let isOver = false;
  const reads = [];
  const most = { threads: 0, descriptors: 0 };
  const probing = (async () => {
    while (!isOver) {
      const begun = performance.now();
      await readFile(probe);
      reads.push(performance.now() - begun);
      most.threads = Math.max(most.threads, size('/proc/self/task'));
      most.descriptors = Math.max(most.descriptors, size('/proc/self/fd'));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  const begun = performance.now();
  await act();
  const ms = performance.now() - begun;
  isOver = true;
  await probing;
  return { ms, read: median(reads), readWorst: at(reads, 0.99), ...most };
}

/** One save in each, of stores that are open already: what a save costs. */
async function saves(kind, round) {
  const root = join(folder, `open-${kind.name}-${round}`.replaceAll(' ', '-'));
  mkdirSync(root);
  const { stores, close } = await kind.open(root);
  const result = await measured(() => kind.all(stores.map((store) => () => store.set('n', round))));
  await close();
  rmSync(root, { recursive: true });
  return result;
}

const atOnce = (acts) => Promise.all(acts.map((act) => act()));
async function inTurn(acts) {
  for (const act of acts) await act();
}

const plain = async (root) => {
  const stores = [];
  for (const name of names)
    stores.push(await openCheckpointStore({ ...options, directory: join(root, name) }));
  return { stores, close: () => atOnce(stores.map((store) => () => store.close())) };
};
const scheduled = (maxSyncs) => async (root) => {
  const all = await openCheckpointStores(root, { ...options, maxOpen: count, maxSyncs });
  const leases = await atOnce(names.map((name) => () => all.open(name)));
  return { stores: leases.map(({ store }) => store), close: () => all.close() };
};
const kinds = [
  { name: 'plain, at once', open: plain, all: atOnce },
  { name: 'plain, in turn', open: plain, all: inTurn },
  ...[1, 2, 3, 4, 8].map((n) => ({ name: `maxSyncs ${n}`, open: scheduled(n), all: atOnce })),
];

function print(results) {
  const [base] = kinds;
  const of = (kind, key) => median(results.get(kind).map((one) => one[key]));
  for (const kind of kinds) {
    const ms = of(kind, 'ms');
    console.log(
      `${kind.name.padEnd(16)} ${ms.toFixed(0).padStart(6)} ms (${(ms / of(base, 'ms')).toFixed(2)}x)   ` +
        `read ${of(kind, 'read').toFixed(2)} ms, p99 ${of(kind, 'readWorst').toFixed(1)} ms   ` +
        `threads ${of(kind, 'threads')}, descriptors ${of(kind, 'descriptors')}`,
    );
  }
}

/** Whole turns of open, save and close, with far fewer open than there are. */
async function turns(maxOpen) {
  const root = join(folder, `turns-${maxOpen}`);
  const all = await openCheckpointStores(root, { ...options, maxOpen });
  const save = (name) => () => all.use(name, (store) => store.set('n', 1));
  const first = await measured(() => atOnce(names.map(save)));
  const again = await measured(() => atOnce(names.map(save)));
  await all.close();
  const begun = performance.now();
  let listed = 0;
  for await (const _ of all.list()) listed += 1;
  const ms = performance.now() - begun;
  for (const [what, result] of [
    ['new', first],
    ['again', again],
  ]) {
    console.log(
      `${what.padEnd(6)} ${(result.ms / count).toFixed(2)} ms each   read ${result.read.toFixed(2)} ms   ` +
        `threads ${result.threads}, descriptors ${result.descriptors}`,
    );
  }
  console.log(`listed ${listed} in ${ms.toFixed(0)} ms`);
}

async function memory() {
  const root = join(folder, 'memory');
  const all = await openCheckpointStores(root, { ...options, maxOpen: count, idleMs: Infinity });
  const used = () => {
    globalThis.gc?.();
    return process.memoryUsage();
  };
  const before = used();
  const files = size('/proc/self/fd');
  for (const name of names) await all.use(name, (store) => store.set('n', 1));
  const after = used();
  const kib = (key) => ((after[key] - before[key]) / count / 1024).toFixed(1);
  const descriptors = ((size('/proc/self/fd') - files) / count).toFixed(2);
  console.log(
    `an open store: ${kib('heapUsed')} KiB of heap (with --expose-gc), ${kib('rss')} KiB resident, ${descriptors} descriptors`,
  );
  await all.close();
}

try {
  const results = new Map(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) results.get(kind).push(await saves(kind, round));
  }
  console.log(`one save in each of ${count} open stores, medians of ${rounds}`);
  print(results);
  console.log(`\nopen, save and close ${count} stores, 64 open at most`);
  await turns(64);
  console.log('');
  await memory();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
