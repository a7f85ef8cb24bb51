/**
 * Times a store with a long history on a real disk: opening, saving, pruning, listing, reading one.
 * Run after a build: `node test/bench/history.mjs [ENTRIES] [FOLDER]`. Prints numbers, judges nothing.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealText } from '../../build/format/seal.js';
import { openCheckpointStore } from '../../dist/index.js';

const count = Number(process.argv[2] ?? 10_000);
const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'checkpoint-wal-bench-'));
const text = `phases:\n${'  - { id: build, status: DONE, agents: [a, b] } # a line\n'.repeat(60)}`;
const FILE = 'ORCHESTRATION.yaml';

function fill() {
  mkdirSync(join(directory, 'checkpoints'));
  const nowMs = Date.now();
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const timeMs = nowMs - (count - sequence) * 1000;
    const pinned = sequence % 1000 === 0;
    const claim = {
      sequence,
      epoch: 1,
      timeMs,
      ...(pinned && { pinned, label: `pin ${sequence}` }),
    };
    const name = `${String(sequence).padStart(12, '0')}.${FILE}`;
    writeFileSync(join(directory, 'checkpoints', name), sealText(text, claim));
  }
  writeFileSync(
    join(directory, FILE),
    sealText(text, { sequence: count + 1, epoch: 1, timeMs: nowMs }),
  );
}

async function timed(act) {
  const started = performance.now();
  const result = await act();
  return { ms: performance.now() - started, result };
}

const show = (what, ms) => console.log(`${what.padEnd(52)}${ms.toFixed(2).padStart(10)} ms`);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

async function saves(store, times) {
  const list = [];
  for (let n = 0; n < times; n += 1)
    list.push((await timed(() => store.set('n', Math.random()))).ms);
  return list;
}

try {
  fill();
  const keepAll = { directory, maxCheckpoints: Infinity, maxAgeHours: Infinity };
  const opened = await timed(() => openCheckpointStore(keepAll));
  show(`open with ${count} entries`, opened.ms);
  const store = opened.result;
  show('save (median of 30), nothing to prune', median(await saves(store, 30)));
  const listed = await timed(() => store.history());
  show(`list ${listed.result.length} checkpoints`, listed.ms);
  show('read and verify one', (await timed(() => store.readCheckpoint(count >> 1))).ms);
  show('close', (await timed(() => store.close())).ms);
  const pruning = await openCheckpointStore({
    directory,
    maxCheckpoints: 100,
    maxAgeHours: Infinity,
  });
  const first = (await saves(pruning, 1))[0];
  show('first save that prunes (reads 100 seal lines)', first);
  const slices = await saves(pruning, Math.ceil(count / 100) + 3);
  show(
    'save that prunes 100 (median)',
    median(slices.slice(0, Math.max(1, Math.floor(count / 100) - 1))),
  );
  show('save that prunes 100 (slowest)', Math.max(...slices));
  show('save in the end, pruning one (median of 30)', median(await saves(pruning, 30)));
  console.log(`${(await pruning.history()).length - 1} entries are left`);
  await pruning.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
