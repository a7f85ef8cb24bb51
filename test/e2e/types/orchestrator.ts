/**
 * A strict user's project: a machine that embeds a store, without a single cast. Compiled against the
 * built package by `types.test.ts`, never run.
 */
import {
  type CheckpointIo,
  type CheckpointIoLogic,
  type CheckpointNotice,
  type CheckpointRequest,
  checkpointMachine,
  createIoActor,
  type Frozen,
  fileCheckpointIo,
} from 'checkpoint-wal';
import { SimulatedDisk } from 'checkpoint-wal/testing';
import { type ActorRefFrom, assign, createActor, sendTo, setup } from 'xstate';

interface Plan {
  phases: { status: string }[];
  done: number;
}

interface Context {
  readonly io: CheckpointIoLogic;
  plan: Frozen<Plan> | undefined;
  sequence: number;
  problem: string | undefined;
  store: ActorRefFrom<typeof checkpointMachine> | undefined;
}

const setupOrchestrator = setup({
  types: {
    context: {} as Context,
    input: {} as { io: CheckpointIoLogic },
    events: {} as CheckpointNotice<Plan> | { type: 'phase.done' } | { type: 'quit' },
  },
  actors: { checkpoint: checkpointMachine },
});

/** Invoked: as long as the state is active. */
export const orchestrator = setupOrchestrator.createMachine({
  context: ({ input }) => ({
    io: input.io,
    plan: undefined,
    sequence: 0,
    problem: undefined,
    store: undefined,
  }),
  invoke: {
    id: 'checkpoint',
    src: 'checkpoint',
    input: ({ context }) => ({ io: context.io }),
    onError: { actions: assign({ problem: ({ event }) => String(event.error) }) },
  },
  on: {
    'checkpoint.ready': {
      actions: assign({
        plan: ({ event }) => event.state,
        sequence: ({ event }) => event.sequence,
        problem: ({ event }) => event.recovery.lost[0] ?? event.text,
      }),
    },
    'checkpoint.restored': { actions: assign({ plan: ({ event }) => event.state }) },
    'checkpoint.committed': { actions: assign({ sequence: ({ event }) => event.sequence }) },
    'checkpoint.failed': {
      actions: assign({ problem: ({ event }) => `${event.command}: ${event.error.code}` }),
    },
    'phase.done': {
      actions: [
        sendTo('checkpoint', ({ context, self }) => ({
          type: 'checkpoint.save',
          state: { phases: [], done: (context.plan?.done ?? 0) + 1 },
          label: 'phase',
          replyTo: self,
          id: 1,
        })),
        sendTo('checkpoint', { type: 'checkpoint.set', path: 'phases[0].status', value: 'DONE' }),
        sendTo('checkpoint', {
          type: 'checkpoint.update',
          recipe: (plan: Plan) => {
            plan.done += 1;
          },
        }),
        sendTo('checkpoint', { type: 'checkpoint.restore', target: 'previous' }),
        sendTo('checkpoint', {
          type: 'checkpoint.restore',
          target: { label: 'phase', allowMissingArtifacts: true },
        }),
        sendTo('checkpoint', { type: 'checkpoint.reportFailure', error: new Error('agent 2') }),
      ],
    },
    quit: { actions: sendTo('checkpoint', { type: 'checkpoint.close' }) },
  },
});

/** Spawned, and kept in the context. */
export const spawner = setupOrchestrator.createMachine({
  context: ({ input, spawn }) => ({
    io: input.io,
    plan: undefined,
    sequence: 0,
    problem: undefined,
    store: spawn('checkpoint', { id: 'checkpoint', input: { io: input.io } }),
  }),
  on: {
    'phase.done': {
      actions: ({ context }) => {
        context.store?.send({
          type: 'checkpoint.saveText',
          text: 'done: 1\n',
          durability: 'logged',
        });
      },
    },
  },
});

const typed: CheckpointRequest<Plan> = {
  type: 'checkpoint.save',
  state: { phases: [{ status: 'ACTIVE' }], done: 0 },
};

/** The io of a test, and of a port of one's own. */
export const onSimulatedDisk = createActor(orchestrator, {
  input: { io: fileCheckpointIo({ directory: '/lab', fileSystem: new SimulatedDisk() }) },
});
export const provided = (port: CheckpointIo) =>
  checkpointMachine.provide({ actors: { io: createIoActor(port) } });
export const providedFiles = checkpointMachine.provide({
  actors: { io: fileCheckpointIo({ directory: 'orchestration', file: undefined }) },
});
export const first = createActor(providedFiles, { input: {} });
first.send(typed);

// What is wrong is wrong at compile time.

// @ts-expect-error: there is no such event
first.send({ type: 'checkpoint.sav', state: {} });
// @ts-expect-error: a save needs a state
first.send({ type: 'checkpoint.save' });
// @ts-expect-error: no durability
first.send({ type: 'checkpoint.saveText', text: 'a: 1', durability: 'now' });
// @ts-expect-error: a dry run is not for events
first.send({ type: 'checkpoint.restore', target: { sequence: 1, dryRun: true } });
// @ts-expect-error: the state is another
export const wrong: CheckpointRequest<Plan> = { type: 'checkpoint.save', state: { done: 'no' } };
// @ts-expect-error: there is no such option
fileCheckpointIo({ directory: '/lab', fileSytem: new SimulatedDisk() });

export const wrongHandlers = setupOrchestrator.createMachine({
  context: ({ input }) => ({
    io: input.io,
    plan: undefined,
    sequence: 0,
    problem: undefined,
    store: undefined,
  }),
  on: {
    'checkpoint.ready': {
      actions: assign({
        sequence: ({ event }) => {
          // @ts-expect-error: the state is frozen
          if (event.state) event.state.done = 1;
          // @ts-expect-error: a plan has no such member
          return event.state?.nothing;
        },
      }),
    },
  },
});
