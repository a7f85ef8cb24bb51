/**
 * A machine that embeds a store, for tests: it hears every notice, asks for what it is told to ask for,
 * and can leave the state that invokes the store, or be stopped.
 */
import { type AnyActorRef, createActor, type InspectionEvent, sendTo, setup } from 'xstate';
import { type CheckpointNotice, checkpointMachine, fileCheckpointIo } from '../../src/index.js';
import type { IoInput } from '../../src/io/io-messages.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import type { CheckpointStoreOptions } from '../../src/store/store-options.js';

/** The state of these tests. */
export interface Plan {
  v: number;
}

/** What the machine takes besides notices. */
type Ask = {
  readonly type: 'ask';
  readonly request: Parameters<AnyActorRef['send']>[0];
};

/** Where stores of these tests lie. */
export const DIRECTORY = '/embedded';

/** A machine that invokes a store while it is `on`, and hears what it tells. */
export function embedderMachine(hear: (notice: CheckpointNotice<Plan>) => void) {
  return setup({
    types: {
      context: {} as { io: IoInput },
      input: {} as { io: IoInput },
      events: {} as CheckpointNotice<Plan> | Ask | { type: 'leave' } | { type: 'enter' },
    },
    actors: { checkpoint: checkpointMachine },
    actions: {
      hear: ({ event }) => {
        if (event.type.startsWith('checkpoint.')) hear(event as CheckpointNotice<Plan>);
      },
    },
  }).createMachine({
    id: 'embedder',
    context: ({ input }) => ({ io: input.io }),
    on: { 'checkpoint.*': { actions: 'hear' } },
    initial: 'on',
    states: {
      on: {
        invoke: {
          id: 'checkpoint',
          src: 'checkpoint',
          input: ({ context }) => ({ io: context.io }),
          onError: 'broken',
        },
        on: {
          ask: { actions: sendTo('checkpoint', ({ event }) => event.request) },
          leave: 'off',
          enter: { target: 'on', reenter: true },
        },
      },
      off: { on: { enter: 'on' } },
      broken: {},
    },
  });
}

/** Options of {@link embed}. */
export interface EmbedOptions extends Partial<CheckpointStoreOptions<undefined>> {
  readonly watch?: (event: InspectionEvent) => void;
  readonly input?: IoInput;
  /** The caller starts the parent. */
  readonly startLater?: boolean;
}

/** A running embedder. */
export function embed({ watch, input, startLater, ...options }: EmbedOptions = {}) {
  const told: CheckpointNotice<Plan>[] = [];
  const fileSystem = options.fileSystem ?? new MemoryFileSystem();
  const io = input ?? fileCheckpointIo({ directory: DIRECTORY, ...options, fileSystem });
  const parent = createActor(
    embedderMachine((notice) => told.push(notice)),
    { input: { io }, ...(watch && { inspect: watch }) },
  );
  if (startLater !== true) parent.start();
  return {
    parent,
    told,
    fileSystem,
    types: () => told.map(({ type }) => type),
    ask: (request: Ask['request']) => parent.send({ type: 'ask', request }),
    child: (): AnyActorRef | undefined => parent.getSnapshot().children.checkpoint,
    /** The first notice of that kind, once it is there. */
    heard: async <Type extends CheckpointNotice['type']>(type: Type, nth = 1) => {
      const found = () => told.filter((notice) => notice.type === type)[nth - 1];
      await eventually(() => found() !== undefined, `${type} is told; ${told.map((t) => t.type)}`);
      return found() as Extract<CheckpointNotice<Plan>, { type: Type }>;
    },
  };
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits, for a bounded number of turns, until something holds. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (let turns = 0; turns < 500; turns += 1) {
    if (holds()) return;
    await turn();
  }
  throw new Error(`not after 500 turns: ${what}`);
}
