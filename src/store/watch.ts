/**
 * Guard mode of an open store: the file is watched, and each settled change is looked at. Joins the
 * guard machine, a watcher and the store. Ruled by `docs/guard.md`.
 */
import {
  createActor,
  fromCallback,
  fromPromise,
  type InspectionEvent,
  type Observer,
} from 'xstate';
import type { CheckpointError } from '../errors.js';
import type { FileSystem } from '../io/file-system.js';
import { type FileWatcher, pollingWatcher, type Timers } from '../io/file-watcher.js';
import { bothWatchers, noticeWatcher } from '../io/node-file-watcher.js';
import { type GuardEvent, type GuardFinding, guardMachine } from '../machines/guard-machine.js';

/** Options of {@link CheckpointStore.watch}; times are milliseconds. */
export interface WatchOptions {
  /** Left alone for so long, the file counts as settled; 200 by default. */
  readonly settleMs?: number | undefined;
  /** So long after damage was found and not mended, it counts again; 2,000 by default. */
  readonly recheckMs?: number | undefined;
  /** How often the file's stamps are asked for, beside the system's notices; 500 by default. */
  readonly pollMs?: number | undefined;
  /** Told when a look at the file failed: it is tried again. */
  readonly onError?: ((error: CheckpointError) => void) | undefined;
}

/** A store that is being watched. */
export interface Watch {
  /** Resolves when the watch is over: it was stopped, or the store has halted or was closed. */
  readonly done: Promise<void>;
  /** Ends the watch. A look that is under way is finished by the store. */
  stop(): void;
}

/** What a watch needs of its store. */
export interface Watched {
  readonly file: string;
  /** The file system, where it is not node's. */
  readonly fileSystem: FileSystem | undefined;
  readonly nodeFileSystem: FileSystem;
  readonly timers: Timers;
  readonly look: (countAgain: boolean) => Promise<GuardFinding>;
  readonly inspect: ((event: InspectionEvent) => void) | Observer<InspectionEvent> | undefined;
}

const DEFAULTS = { settleMs: 200, recheckMs: 2000, pollMs: 500 };
const WAIT_MAX_MS = 2 ** 31 - 1;

/** Begins a watch. @throws TypeError where an option can't be meant */
export function watchStore(watched: Watched, options: WatchOptions): Watch {
  const { settleMs, recheckMs, pollMs } = { ...DEFAULTS, ...withoutUndefined(options) };
  for (const [name, value] of Object.entries({ settleMs, recheckMs, pollMs })) {
    if (Number.isInteger(value) && value >= 1 && value <= WAIT_MAX_MS) continue;
    throw new TypeError(`${name} is an integer from 1 to ${WAIT_MAX_MS}, not ${String(value)}`);
  }
  const watcher = watcherFor(watched, pollMs);
  const { look, timers, inspect, file } = watched;
  const actor = createActor(
    guardMachine.provide({
      actors: {
        watch: fromCallback<GuardEvent>(({ sendBack }) =>
          watcher(file, () => sendBack({ type: 'file.changed' })),
        ),
        look: fromPromise<GuardFinding, boolean>(({ input }) => look(input)),
      },
    }),
    { input: { settleMs, recheckMs }, clock: timers, ...(inspect && { inspect }) },
  );
  const done = new Promise<void>((resolve) => {
    let told: CheckpointError | undefined;
    actor.subscribe({
      next: ({ context: { error } }) => {
        if (error !== undefined && error !== told) options.onError?.(error);
        told = error;
      },
      complete: resolve,
      error: () => resolve(),
    });
  });
  actor.start();
  return { done, stop: () => actor.send({ type: 'stop.requested' }) };
}

function watcherFor({ fileSystem, nodeFileSystem, timers }: Watched, pollMs: number): FileWatcher {
  const polling = pollingWatcher(fileSystem ?? nodeFileSystem, pollMs, timers);
  return fileSystem === undefined ? bothWatchers(noticeWatcher, polling) : polling;
}

function withoutUndefined(options: WatchOptions): Partial<typeof DEFAULTS> {
  const given = Object.entries(options).filter(
    ([name, value]) => name in DEFAULTS && value !== undefined,
  );
  return Object.fromEntries(given);
}
