// What a durable actor costs: a transition that is durable, against the same mapping saved by hand.
// Interleaved, medians. `node test/bench/durable.mjs [transitions]`, after a build.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDurableActor, openCheckpointStore } from 'checkpoint-wal';
import { assign, createActor, setup } from 'xstate';

const COUNT = Number(process.argv[2] ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'checkpoint-wal-bench-'));

const machine = setup({}).createMachine({
  id: 'counter',
  context: { count: 0, text: 'x'.repeat(400) },
  initial: 'even',
  states: {
    even: {
      on: {
        add: { target: 'odd', actions: assign({ count: ({ context }) => context.count + 1 }) },
      },
    },
    odd: {
      on: {
        add: { target: 'even', actions: assign({ count: ({ context }) => context.count + 1 }) },
      },
    },
  },
});

const open = (name) => openCheckpointStore({ directory: join(folder, name), restore: false });
const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
const timed = async (act) => {
  const began = performance.now();
  await act();
  return performance.now() - began;
};

const stores = { actor: await open('actor'), hand: await open('hand') };
const actor = await createDurableActor(machine, { store: stores.actor });
actor.start();
const image = structuredClone(stores.actor.state);
await stores.hand.save(image);
const plain = createActor(machine).start();
const times = { actor: [], hand: [], plain: [] };
for (let index = 0; index < COUNT; index++) {
  times.actor.push(await timed(() => actor.submit({ type: 'add' })));
  image.transitions += 1;
  image.snapshot.context.count += 1;
  image.snapshot.value = image.snapshot.value === 'even' ? 'odd' : 'even';
  times.hand.push(await timed(() => stores.hand.save(image)));
  times.plain.push(await timed(() => plain.send({ type: 'add' })));
}
await actor.whenDurable();
actor.stop();
for (const store of Object.values(stores)) await store.close();
rmSync(folder, { recursive: true });
const of = Object.fromEntries(Object.entries(times).map(([name, all]) => [name, median(all)]));
console.log(`${COUNT} transitions, medians in ms`, of);
console.log(`a durable transition takes ${(of.actor / of.hand).toFixed(2)} times a save by hand`);
