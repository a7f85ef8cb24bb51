/**
 * Many stores below one root, one directory each: opened when they are asked for, shared by leases,
 * closed when room is needed, with one schedule for all syncs. Owns no durability: each store keeps its
 * promises by itself. Ruled by `docs/many-stores.md`.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CheckpointError } from '../errors.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { FileSystem } from '../io/file-system.js';
import { ensureDirectory } from '../io/files.js';
import { readError } from '../io/io-error.js';
import { createNodeFileSystem } from '../io/node-file-system.js';
import { run } from '../io/run.js';
import { absolute, checkFileName, DEFAULT_FILE, join } from '../io/store-paths.js';
import { SyncSchedule, SyncSchedulingFileSystem } from '../io/sync-scheduling-file-system.js';
import { type CheckpointStore, openCheckpointStore } from '../store.js';
import { checkPolicies } from './check-arguments.js';
import { checkKeys, SHARED_KEYS } from './check-keys.js';
import { timersOf } from './guards.js';
import { LeasePool, type Opened, type PoolLease } from './lease-pool.js';
import {
  checkWithin,
  listCheckpointStores,
  type StoreSummary,
  summarizeStore,
} from './list-stores.js';
import { checkStoreName } from './store-names.js';
import type { CheckpointStoreOptions } from './store-options.js';

/** What may differ from store to store. */
export type OptionsOfOneStore<
  Schema extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> = Omit<CheckpointStoreOptions<Schema>, 'directory' | 'file' | 'fileSystem' | 'io' | 'schema'>;

/** Options of {@link openCheckpointStores}: those of each store, and those of all together. */
export interface CheckpointStoresOptions<
  Schema extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> extends Omit<CheckpointStoreOptions<Schema>, 'directory' | 'io'> {
  /** Options of one store by its name, in place of the same ones of all: a logger, an audit's listener. */
  readonly optionsFor?: ((name: string) => OptionsOfOneStore<Schema>) | undefined;
  /** Most stores that are open at once; 64 by default. An open one has two files open, and a saving one four. */
  readonly maxOpen?: number | undefined;
  /** Most syncs that run at once, over all stores; 3 by default, of the four threads that node has. */
  readonly maxSyncs?: number | undefined;
  /**
   * How long a store that nobody holds stays open, in milliseconds; 30 seconds by default, `Infinity` until
   * its room is needed. Its timer keeps no process alive.
   */
  readonly idleMs?: number | undefined;
}

/** Options of {@link CheckpointStores.open}. */
export interface OpenStoreOptions {
  /** Gives the waiting up; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a store that is not there is begun; `true` by default. `false`: rejects with `NO_STORE`. */
  readonly create?: boolean | undefined;
}

/** A store that is held open until it is released. */
export interface StoreLease<State = YamlValue, Input = State> {
  /** As it was asked for: the directory's name below the root. */
  readonly name: string;
  /** Shared with all who hold it: close the lease, not the store. */
  readonly store: CheckpointStore<State, Input>;
  /** Gives it back; safe to call twice. Resolves at once, or, of a store that has halted, when it is closed. */
  release(): Promise<void>;
  /** As {@link release}, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Plain numbers of many stores. */
export interface CheckpointStoresStats {
  /** Stores that are open, being opened or being closed; never more than `maxOpen`. */
  readonly open: number;
  /** Of them, those that somebody holds or waits for. */
  readonly inUse: number;
  /** Calls that wait for room, or for the end of a closing. */
  readonly waiting: number;
  /** How often a store was opened. */
  readonly opened: number;
  /** How often one could not be opened. */
  readonly failed: number;
  /** How often one was closed, by the pool or with it. */
  readonly closed: number;
  /** Syncs that run and that wait for their turn, now and at most. */
  readonly syncs: {
    readonly running: number;
    readonly runningMax: number;
    readonly waiting: number;
    readonly waitingMax: number;
  };
}

const STORES_KEYS: Readonly<Record<keyof CheckpointStoresOptions, true>> = {
  ...SHARED_KEYS,
  optionsFor: true,
  maxOpen: true,
  maxSyncs: true,
  idleMs: true,
};
const DEFAULTS = { maxOpen: 64, maxSyncs: 3, idleMs: 30_000 };
/** Timers can't be set further ahead than this. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Many stores below one root; see {@link openCheckpointStores}. */
export class CheckpointStores<State = YamlValue, Input = State> {
  /** Absolute path of the directory that holds them, symbolic links resolved. */
  readonly root: string;
  readonly #options: CheckpointStoresOptions;
  readonly #file: string;
  /** The file system without the schedule, for looking. */
  readonly #fs: FileSystem;
  readonly #schedule: SyncSchedule;
  readonly #scheduled: FileSystem;
  readonly #pool: LeasePool<CheckpointStore<State, Input>>;
  #isClosed = false;

  /** @internal Use {@link openCheckpointStores}. */
  constructor(root: string, fs: FileSystem, options: CheckpointStoresOptions) {
    const { maxOpen = DEFAULTS.maxOpen, maxSyncs = DEFAULTS.maxSyncs } = options;
    this.root = root;
    this.#options = options;
    this.#file = options.file ?? DEFAULT_FILE;
    this.#fs = fs;
    this.#schedule = new SyncSchedule(maxSyncs);
    this.#scheduled = new SyncSchedulingFileSystem(fs, this.#schedule);
    this.#pool = new LeasePool({
      open: (name) => this.#open(name),
      openMax: maxOpen,
      idleMs: options.idleMs ?? DEFAULTS.idleMs,
      timers: timersOf(options.clock),
      closedError,
    });
  }

  /**
   * The store of that name, opened and recovered if it is not open yet, and held open until the lease is
   * released. While `maxOpen` stores are held, further calls wait in order; a store that is open already is
   * never waited for.
   *
   * Rejects with `INVALID_NAME`, `PATH_OUTSIDE_STORE`, `CLOSED`, `NO_STORE` (`create: false`), the signal's
   * reason, and as `openCheckpointStore` does; then there is room again.
   */
  async open(name: string, options: OpenStoreOptions = {}): Promise<StoreLease<State, Input>> {
    checkStoreName(name);
    const { signal, create = true } = options;
    if (!create && !this.#isClosed) this.#checkThere(name);
    const lease = await this.#pool.lease(name, signal);
    return new Lease(name, lease);
  }

  /**
   * Holds a store while `act` runs, and resolves to what that returns. Rejects as {@link open} does, and with
   * what `act` throws.
   */
  async use<T>(
    name: string,
    act: (store: CheckpointStore<State, Input>) => T | Promise<T>,
    options: OpenStoreOptions = {},
  ): Promise<T> {
    const lease = await this.open(name, options);
    try {
      return await act(lease.store);
    } finally {
      await lease.release();
    }
  }

  /**
   * The stores below the root, by name, each looked at when its turn comes: from the end of its file, without
   * opening, locking or verifying it. Throws `READ_FAILED`, and `NO_STORE` where the root is gone.
   */
  list(): AsyncGenerator<StoreSummary, void, undefined> {
    return listCheckpointStores(this.root, { file: this.#file, fileSystem: this.#fs });
  }

  /** Whether this object has the store open just now. */
  isOpen(name: string): boolean {
    return this.#pool.has(name);
  }

  /** Numbers since the beginning; cheap to ask for. */
  stats(): CheckpointStoresStats {
    return { ...this.#pool.stats(), syncs: this.#schedule.stats() };
  }

  /**
   * Closes every store, also those that are held: each finishes the saves that it has accepted. Calls that
   * wait, and those that come later, are refused with `CLOSED`. Safe to call twice.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.close();
  }

  /** As {@link close}, at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkThere(name: string): void {
    if (this.#pool.has(name)) return;
    if (summarizeStore(this.#fs, this.root, name, this.#file) !== undefined) return;
    throw new CheckpointError('NO_STORE', `There is no store "${name}" in ${this.root}.`, {
      file: join(this.root, name),
    });
  }

  async #open(name: string): Promise<Opened<CheckpointStore<State, Input>>> {
    const {
      optionsFor,
      maxOpen: _open,
      maxSyncs: _syncs,
      idleMs: _idle,
      ...options
    } = this.#options;
    const directory = join(this.root, name);
    try {
      checkWithin(this.#fs, directory, this.#file);
    } catch (error) {
      throw readError(error, directory);
    }
    const own = optionsFor?.(name);
    const store = (await openCheckpointStore<State>({
      ...options,
      ...own,
      schema: options.schema as undefined,
      file: this.#file,
      directory,
      fileSystem: this.#scheduled,
    })) as unknown as CheckpointStore<State, Input>;
    let isSpent = false;
    store.subscribe(({ type }) => {
      isSpent ||= type === 'halted' || type === 'closed';
    });
    return { value: store, isSpent: () => isSpent, close: () => store.close() };
  }
}

class Lease<State, Input> implements StoreLease<State, Input> {
  readonly name: string;
  readonly store: CheckpointStore<State, Input>;
  readonly #lease: PoolLease<CheckpointStore<State, Input>>;

  constructor(name: string, lease: PoolLease<CheckpointStore<State, Input>>) {
    this.name = name;
    this.store = lease.value;
    this.#lease = lease;
  }

  async release(): Promise<void> {
    await this.#lease.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

function closedError(): CheckpointError {
  return new CheckpointError('CLOSED', 'These stores are closed: open them again.');
}

/**
 * Opens a directory of many stores, which is created if it is not there. No store is opened yet.
 *
 * Rejects with the code of an I/O error; with a TypeError where an option can't be meant.
 */
export function openCheckpointStores<Schema extends StandardSchemaV1>(
  root: string,
  options: CheckpointStoresOptions<Schema> & { readonly schema: Schema },
): Promise<
  CheckpointStores<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>
>;
export function openCheckpointStores<State = YamlValue>(
  root: string,
  options?: CheckpointStoresOptions<undefined>,
): Promise<CheckpointStores<State>>;
export async function openCheckpointStores(
  root: string,
  options: CheckpointStoresOptions = {},
): Promise<CheckpointStores<unknown>> {
  if (typeof root !== 'string' || root === '') {
    throw new TypeError('openCheckpointStores() needs a directory');
  }
  checkOptions(options);
  const fs = options.fileSystem ?? createNodeFileSystem();
  const directory = absolute(root, () => process.cwd());
  await run(ensureDirectory(fs, directory));
  const real = realPath(fs, directory);
  return new CheckpointStores<unknown>(real, fs, options);
}

function realPath(fs: FileSystem, directory: string): string {
  try {
    return fs.realPath(directory);
  } catch (error) {
    throw readError(error, directory);
  }
}

/** What every store would refuse is refused here, before the first is opened. */
function checkOptions(options: CheckpointStoresOptions): void {
  for (const key of ['directory', 'io']) {
    if (Object.hasOwn(options, key)) throw new TypeError(`many stores take no option ${key}`);
  }
  checkKeys(options, STORES_KEYS, 'openCheckpointStores()');
  const { optionsFor, maxOpen = 1, maxSyncs = 1, idleMs = 0, file } = options;
  if (file !== undefined) checkFileName(file);
  if (optionsFor !== undefined && typeof optionsFor !== 'function') {
    throw new TypeError('optionsFor is a function of the name of a store');
  }
  for (const [name, value] of Object.entries({ maxOpen, maxSyncs })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`${name} is an integer from 1, not ${value}`);
    }
  }
  const isTime = typeof idleMs === 'number' && idleMs >= 0 && idleMs <= TIMER_MAX_MS;
  if (!isTime && idleMs !== Number.POSITIVE_INFINITY) {
    throw new TypeError(`idleMs is a number of milliseconds from 0, or Infinity, not ${idleMs}`);
  }
  checkPolicies(options, 'openCheckpointStores()');
}
