// A durable machine on a real disk, to be killed: three steps in parallel, each of two tasks with a pause
// in between. Every task appends its name and its idempotency key to a file, durably. Arguments: a folder.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { createDurableActor, idempotencyKey, openCheckpointStore } from 'checkpoint-wal';
import { assign, fromPromise, setup, toPromise } from 'xstate';

const [folder] = process.argv.slice(2);

const append = (line) => {
  const file = openSync(`${folder}/effects.log`, 'a');
  writeSync(file, `${line}\n`);
  fsyncSync(file);
  closeSync(file);
};

const task = fromPromise(async ({ input, self }) => {
  append(`${input} ${idempotencyKey(self)}`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  return input;
});

const worker = setup({ actors: { task } }).createMachine({
  id: 'worker',
  context: ({ input }) => ({ name: input, done: [] }),
  initial: 'first',
  states: {
    first: {
      invoke: {
        src: 'task',
        id: 'first',
        input: ({ context }) => `${context.name}.first`,
        onDone: {
          target: 'pausing',
          actions: assign({ done: ({ context, event }) => [...context.done, event.output] }),
        },
      },
    },
    pausing: { after: { 10: 'second' } },
    second: {
      invoke: {
        src: 'task',
        id: 'second',
        input: ({ context }) => `${context.name}.second`,
        onDone: {
          target: 'done',
          actions: assign({ done: ({ context, event }) => [...context.done, event.output] }),
        },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => context.done,
});

const step = (name) => ({
  initial: 'busy',
  states: {
    busy: {
      invoke: {
        src: 'worker',
        id: name,
        input: name,
        onDone: {
          target: 'over',
          actions: assign({
            done: ({ context, event }) => [...context.done, ...event.output].sort(),
          }),
        },
      },
    },
    over: { type: 'final' },
  },
});

const phases = ['one', 'two', 'three', 'four'];
const machine = setup({ actors: { worker } }).createMachine({
  id: 'run',
  context: { done: [] },
  initial: 'one',
  states: {
    ...Object.fromEntries(
      phases.map((phase, index) => [
        phase,
        {
          type: 'parallel',
          states: Object.fromEntries(
            ['a', 'b', 'c'].map((name) => [name, step(`${phase}-${name}`)]),
          ),
          onDone: phases[index + 1] ?? 'finished',
        },
      ]),
    ),
    finished: { type: 'final' },
  },
  output: ({ context }) => context.done,
});

const store = await openCheckpointStore({ directory: folder, restore: { mode: 'manual' } });
const actor = await createDurableActor(machine, { store });
actor.start();
const output = await toPromise(actor);
await actor.whenDurable();
await store.close();
console.log(JSON.stringify({ output, restored: actor.isRestored }));
