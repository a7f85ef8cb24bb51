/**
 * Times saves on a file system in memory, so that nothing but computing counts: as they are, with
 * subscribers to the traces, with spans, with an inspector. And what it costs to ask whether anybody
 * listens. Run after a build: `node test/bench/observing.mjs [SAVES]`. Prints numbers, judges nothing.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import { MemoryFileSystem } from '../../build/io/memory-file-system.js';
import { isTraced, traceChannels } from '../../build/io/node-tracing.js';
import { openCheckpointStore } from '../../dist/index.js';
import { traceCheckpoints } from '../../dist/otel/index.js';

const saves = Number(process.argv[2] ?? 3000);

/** Microseconds for one save: the best of five rounds, as the machine is shared. */
async function timeSaves(options = {}) {
  const fileSystem = new MemoryFileSystem();
  const store = await openCheckpointStore({
    directory: '/s',
    fileSystem,
    maxCheckpoints: 1,
    ...options,
  });
  let best = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const begun = performance.now();
    for (let save = 0; save < saves / 5; save += 1) await store.set('n', round * saves + save);
    best = Math.min(best, ((performance.now() - begun) * 1000) / (saves / 5));
  }
  await store.close();
  return best;
}

function subscribe() {
  const listener = () => {};
  const subscribers = {
    start: listener,
    end: listener,
    asyncStart: listener,
    asyncEnd: listener,
    error: listener,
  };
  const channels = ['save', 'sync', 'recover', 'restore'].map((name) =>
    tracingChannel(`checkpoint-wal:${name}`),
  );
  for (const channel of channels) channel.subscribe(subscribers);
  return () => {
    for (const channel of channels) channel.unsubscribe(subscribers);
  };
}

function timeAsking() {
  const times = 5_000_000;
  let heard = 0;
  const begun = performance.now();
  for (let time = 0; time < times; time += 1) if (isTraced(traceChannels.sync)) heard += 1;
  return { ns: ((performance.now() - begun) * 1e6) / times, heard };
}

const print = (what, value) => console.log(`${what.padEnd(34)} ${value}`);
await timeSaves();
print('asking whether anybody listens', `${timeAsking().ns.toFixed(1)} ns`);
print('a save, nobody listens', `${(await timeSaves()).toFixed(1)} µs`);
const unsubscribe = subscribe();
print('a save, traces subscribed', `${(await timeSaves()).toFixed(1)} µs`);
unsubscribe();
const stop = traceCheckpoints();
print('a save, spans without a provider', `${(await timeSaves()).toFixed(1)} µs`);
stop();
print('a save, with an inspector', `${(await timeSaves({ inspect: () => {} })).toFixed(1)} µs`);
print(
  'a save, inspector, messages too',
  `${(await timeSaves({ inspect: () => {}, includeMessages: true })).toFixed(1)} µs`,
);
print('a save, nobody listens, again', `${(await timeSaves()).toFixed(1)} µs`);
