/**
 * What the audit costs: the same saves with and without it, interleaved in one run; and how fast a long
 * record verifies, in how much memory. Run after a build: `node test/bench/audit.mjs [ENTRIES] [FOLDER]`.
 * Prints numbers, judges nothing.
 */

import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditVerifier } from '../../build/audit/audit-verifier.js';
import { auditLines, auditSources } from '../../build/cli/audit-files.js';
import { EMPTY_HEAD, sealEntry } from '../../build/format/audit-entry.js';
import { openCheckpointStore } from '../../dist/index.js';

const entries = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'checkpoint-wal-bench-'));
const ROUNDS = 12;
const SAVES = 25;
const CALLERS = 64;

const policies = [false, { sync: 'off' }, { sync: 'close' }, { sync: 'round' }];
const nameOf = (audit) => (audit === false ? 'no audit' : `sync: ${audit.sync}`);
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const text = `phases:\n${'  - { id: build, status: DONE, agents: [a, b] } # a line\n'.repeat(18)}`;

async function timed(act) {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

async function costs() {
  const stores = [];
  for (const [index, audit] of policies.entries()) {
    const directory = join(folder, String(index));
    const store = await openCheckpointStore({ directory, audit });
    await store.saveText(text);
    stores.push({ store, name: nameOf(audit), serial: [], together: [] });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { store, serial, together } of stores) {
      for (let n = 0; n < SAVES; n += 1) {
        serial.push(await timed(() => store.set('n', round * SAVES + n)));
      }
      const all = () => Promise.all(Array.from({ length: CALLERS }, (_, n) => store.set('n', n)));
      together.push((await timed(all)) / CALLERS);
    }
  }
  const [base] = stores;
  console.log(
    `saves of 1 KB, medians of ${ROUNDS * SAVES}; ${CALLERS} callers at once, of ${ROUNDS}`,
  );
  for (const { store, name, serial, together } of stores) {
    const one = median(serial);
    const many = median(together);
    console.log(
      `${name.padEnd(14)} one caller ${one.toFixed(3)} ms (${(one / median(base.serial)).toFixed(2)}x)` +
        `   ${CALLERS} callers ${many.toFixed(3)} ms each (${(many / median(base.together)).toFixed(2)}x)`,
    );
    await store.close();
  }
}

const facts = {
  time: new Date().toISOString(),
  elapsedUs: 1234,
  machine: 'write',
  from: 'writingIntent',
  to: 'writingData',
  event: 'writeIntent.done',
  by: 'io',
  sequence: 12,
  epoch: 3,
  process: `${process.pid}@host`,
  details: { bytes: 216, guard: 'isCurrent', sha256: 'a'.repeat(64) },
};

async function fill(path) {
  const stream = createWriteStream(path);
  let head = EMPTY_HEAD;
  for (let n = 0; n < entries; n += 1) {
    const { entry, line } = sealEntry(facts, head);
    head = entry;
    if (!stream.write(line)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}

async function verify() {
  const path = join(folder, 'long.jsonl');
  const wrote = await timed(() => fill(path));
  console.log(`\n${entries} entries sealed and written in ${(wrote / 1000).toFixed(1)} s`);
  const verifier = new AuditVerifier();
  const before = process.memoryUsage().rss;
  let most = before;
  const ms = await timed(async () => {
    for await (const lines of auditLines(auditSources(folder, [path]))) {
      for (const { text: line, file, line: number } of lines) verifier.take(line, file, number);
      most = Math.max(most, process.memoryUsage().rss);
    }
  });
  const { intact } = verifier.finish();
  const mib = (bytes) => (bytes / 1024 / 1024).toFixed(0);
  console.log(
    `verified (${intact ? 'intact' : 'BROKEN'}) in ${(ms / 1000).toFixed(1)} s, ` +
      `memory ${mib(before)} MiB before, ${mib(most)} MiB at most`,
  );
}

try {
  await costs();
  if (entries > 0) await verify();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
