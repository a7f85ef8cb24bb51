/**
 * Runs one workload: every contender in a process of its own, one after the other in each round, the
 * order shifted from round to round, so that what disturbs the machine meets all of them alike.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ContenderClient } from './contender-client.mjs';
import { median, pairedRatio, rank } from './statistics.mjs';

/**
 * @param workload with `until`, by `performance.now()`, it is cut short after the first round
 * @param say told what is measured at the moment
 * @returns one row for each contender, in the order of `who`
 */
export async function runWorkload(workload, who, folder, say) {
  const all = [];
  try {
    all.push(...(await beginAll(workload, who, folder, say)));
    for (let round = 0; round < workload.rounds; round += 1) {
      if (round > 0 && performance.now() > workload.until) break;
      for (let place = 0; place < all.length; place += 1) {
        const one = all[(place + round) % all.length];
        if (isSlow(one.batches[0])) continue;
        say(`round ${round + 1}/${workload.rounds} ${one.client.who}`);
        one.batches[round] = await one.client.ask('batch');
        // Every other time: it takes as long as the batch, and no more is learned.
        if (round % 2 === 0) await one.client.ask('watchLoop');
      }
    }
    for (const one of all) one.end = await one.client.ask('close');
  } finally {
    for (const { client } of all) client.end();
    rmSync(join(folder, 'work'), { recursive: true, force: true });
  }
  const rows = all.map(rowOf);
  const base = rows.find(({ name }) => name === workload.base);
  return rows.map((row) => ({ ...row, ratio: base && pairedRatio(row.rounds, base.rounds) }));
}

/** What takes seconds is not repeated: chance plays no part in it. */
const isSlow = (batch) => batch !== undefined && median(batch.costs) > 2000;

/** Made ready one by one, so that each warms up undisturbed; all at once where time says nothing anyway. */
async function beginAll(workload, who, folder, say) {
  if (workload.isHasty) return Promise.all(who.map((name) => begin(name, workload, folder)));
  const all = [];
  for (const name of who) {
    say(`warms up ${name}`);
    all.push(await begin(name, workload, folder));
  }
  return all;
}

async function begin(name, workload, folder) {
  const client = new ContenderClient(name, workload, join(folder, 'work', name));
  const { calls } = (await client.ask('begin')) ?? {};
  return { client, calls, batches: [], end: undefined };
}

function rowOf({ client, calls, batches, end }) {
  const done = batches.filter((batch) => batch !== undefined);
  const costs = done.flatMap((batch) => batch.costs);
  const waits = done.flatMap((batch) => batch.waits);
  const saves = sum(done.map((batch) => batch.saves));
  return {
    name: client.who,
    problem: client.problem,
    isLate: client.isLate,
    saves,
    medianMs: median(costs),
    p99Ms: rank(waits, 0.99),
    minMs: rank(costs, 0),
    cpuMs: saves > 0 ? sum(done.map((batch) => batch.cpuMs)) / saves : undefined,
    ...end,
    rounds: batches.map((batch) => batch && median(batch.costs)),
    ...(calls && { calls }),
  };
}

const sum = (list) => list.reduce((total, one) => total + one, 0);
