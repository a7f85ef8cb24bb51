/**
 * The file implementation of the port as the options of a store ask for it, with their defaults and the
 * system's randomness where none is given; and what else is done with a port outside of the machines.
 */
import { MAX_SEAL_BYTES } from '../format/seal.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import type {
  CheckpointContent,
  CheckpointHistory,
  CheckpointIo,
  IoOperations,
} from '../io/checkpoint-io.js';
import { createFileCheckpointIo } from '../io/file-checkpoint-io.js';
import type { FileSystem } from '../io/file-system.js';
import type { SyncMode } from '../io/node-file-system.js';
import { randomFromPool } from '../io/random-pool.js';
import { run, type Steps, wait } from '../io/run.js';
import type { SessionOptions } from '../io/session.js';
import { DEFAULT_FILE, nameOf, resolvePaths } from '../io/store-paths.js';
import { fileHistory, noHistory } from './history.js';
import type { CheckpointStoreOptions } from './store-options.js';

const MAX_CHECKPOINTS = 100;
const MAX_AGE_HOURS = 24;
const HOUR_MS = 3_600_000;

/** What a store has made of its options by then. */
export interface FilePortSetting {
  readonly fs: FileSystem;
  /** Absolute. */
  readonly directory: string;
  /** Absolute. */
  readonly artifactRoot: string;
  readonly content: CheckpointContent;
}

/** The user's own port, if there is one. */
export function ownPort({ io }: Pick<CheckpointStoreOptions, 'io'>) {
  return typeof io === 'function' ? io : undefined;
}

/** Where node's file system syncs. */
export function syncMode({ io }: Pick<CheckpointStoreOptions, 'io'>): { sync?: SyncMode } {
  return typeof io === 'object' && io.sync !== undefined ? { sync: io.sync } : {};
}

/** A port on files. */
export function createFilePort(
  options: CheckpointStoreOptions,
  setting: FilePortSetting,
  hooks: Pick<SessionOptions, 'onEpoch' | 'unlock'> = {},
): CheckpointIo {
  const { maxBytes } = { ...DEFAULT_LIMITS, ...options.limits };
  return createFileCheckpointIo({
    ...setting,
    now: () => (options.clock ?? Date).now(),
    ...hooks,
    file: options.file ?? DEFAULT_FILE,
    random: options.random ?? randomFromPool,
    maxCheckpoints: options.maxCheckpoints ?? MAX_CHECKPOINTS,
    maxAgeMs: (options.maxAgeHours ?? MAX_AGE_HOURS) * HOUR_MS,
    // The text is bounded; its seal comes on top.
    maxBytes: maxBytes + MAX_SEAL_BYTES,
    externalEdits: options.externalEdits ?? 'adopt',
    validateSealed: options.schema !== undefined,
  });
}

/**
 * History for reading, of a port on files that is open.
 * @throws CheckpointError `NO_HISTORY` where the port is the user's own
 */
export function historyBeside(
  lock: IoOperations['acquireLock']['output'],
  fs: FileSystem,
  options: CheckpointStoreOptions,
): CheckpointHistory {
  if (ownPort(options) !== undefined) throw noHistory();
  const { limits } = options;
  const paths = resolvePaths(fs, lock.directory, nameOf(lock.target));
  return fileHistory(fs, paths, { ...DEFAULT_LIMITS, ...limits }.maxBytes + MAX_SEAL_BYTES);
}

/** Gives up the lock of a store that has broken; an error leaves nothing more to be done. */
export async function releaseQuietly(io: CheckpointIo): Promise<void> {
  const release = function* (): Steps<void> {
    yield* wait(io.releaseLock(undefined));
  };
  try {
    await run(release());
  } catch {
    // The process's end frees it.
  }
}
