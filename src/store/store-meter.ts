/**
 * Stands around what a store does and takes its measure: counts it for `store.stats()`, and tells it to
 * whoever has subscribed to the channels of `src/io/node-tracing.ts`. Passes on what is returned and
 * thrown; changes nothing.
 */
import type { CheckpointIo } from '../io/checkpoint-io.js';
import type { FileSystem, MaybePromise } from '../io/file-system.js';
import {
  isTraced,
  type RecoverTrace,
  type RestoreTrace,
  type SaveTrace,
  trace,
  traceChannels,
} from '../io/node-tracing.js';
import { isPromiseLike } from '../io/run.js';
import { type SyncKind, SyncWatchingFileSystem } from '../io/sync-watching-file-system.js';
import type { CheckpointEmitted, Durability } from '../machines/checkpoint-messages.js';
import type { RecoveryReport } from '../machines/recovery-report.js';
import type { RestoreResult } from './restore.js';
import type { Waiting } from './save-desk.js';
import type { SaveResult } from './store-options.js';
import { StatsCounter, type StoreStats } from './store-stats.js';

/** See the head of this file. */
export class StoreMeter {
  readonly #directory: string;
  readonly #counter = new StatsCounter();
  /** What recovery came to, while somebody waits for it. */
  #recovery: RecoverTrace | undefined;

  /** @param directory as it was given */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The numbers now. */
  stats(): StoreStats {
    return this.#counter.stats();
  }

  /** A file system whose syncs are measured. */
  watching(fs: FileSystem): FileSystem {
    return new SyncWatchingFileSystem(fs, (kind, path, act) => this.#sync(kind, path, act));
  }

  /** A port whose bytes are counted. */
  counting(io: CheckpointIo): CheckpointIo {
    return this.#counter.counting(io);
  }

  /** What the root machine tells, before the store takes it. */
  take(event: CheckpointEmitted): void {
    this.#counter.take(event);
    if (this.#recovery === undefined) return;
    if (event.type === 'checkpoint.ready') describe(this.#recovery, 'ready', event.recovery);
    if (event.type === 'checkpoint.refused') describe(this.#recovery, 'refused', event.recovery);
  }

  /** The opening of the store. */
  async opening<T>(open: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const timed = async () => {
      const store = await open();
      this.#counter.recovered(performance.now() - begun);
      return store;
    };
    if (!isTraced(traceChannels.recover)) return await timed();
    const payload: RecoverTrace = { directory: this.#directory };
    this.#recovery = payload;
    try {
      return await trace(traceChannels.recover, payload, timed);
    } finally {
      this.#recovery = undefined;
    }
  }

  /** One call that saves: `submit` is given who waits for it. What it throws, the call rejects with. */
  save(
    operation: SaveTrace['operation'],
    durability: Durability,
    submit: (waiting: Waiting) => void,
  ): Promise<SaveResult> {
    if (!isTraced(traceChannels.save)) return this.#count(durability, submit);
    const counted = () => this.#count(durability, submit);
    const payload: SaveTrace = { operation, directory: this.#directory, durability };
    const finish = (result: SaveResult) => {
      const bytes = this.#counter.bytesOfRound(result.sequence);
      Object.assign(payload, result, bytes !== undefined && { bytes });
    };
    return Promise.resolve(trace(traceChannels.save, payload, counted, finish));
  }

  #count(durability: Durability, submit: (waiting: Waiting) => void): Promise<SaveResult> {
    this.#counter.saveRequested();
    return new Promise((resolve, reject) => {
      const waiting = new CountedWaiting(durability, this.#counter, resolve, reject);
      try {
        submit(waiting);
      } catch (error) {
        waiting.reject(error);
      }
    });
  }

  /** One call that restores. */
  async restore(dryRun: boolean, restore: () => Promise<RestoreResult>): Promise<RestoreResult> {
    if (!isTraced(traceChannels.restore)) return await restore();
    const payload: RestoreTrace = { directory: this.#directory, dryRun };
    return await trace(traceChannels.restore, payload, restore, ({ from, sequence }) => {
      payload.from = from.sequence;
      if (sequence !== undefined) payload.sequence = sequence;
    });
  }

  #sync<T>(kind: SyncKind, file: string, act: () => MaybePromise<T>): MaybePromise<T> {
    const begun = performance.now();
    const ended = (isFailed: boolean) => this.#counter.synced(performance.now() - begun, isFailed);
    let result: MaybePromise<T>;
    try {
      result = isTraced(traceChannels.sync)
        ? trace(traceChannels.sync, { kind, file }, act)
        : act();
    } catch (error) {
      ended(true);
      throw error;
    }
    if (!isPromiseLike(result)) ended(false);
    else {
      result.then(
        () => ended(false),
        () => ended(true),
      );
    }
    return result;
  }
}

/** Who waits for a save that is counted. */
class CountedWaiting implements Waiting {
  readonly durability: Durability;
  readonly #counter: StatsCounter;
  readonly #resolve: (result: SaveResult) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    durability: Durability,
    counter: StatsCounter,
    resolve: (result: SaveResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.durability = durability;
    this.#counter = counter;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  resolve(result: SaveResult): void {
    this.#counter.saveAcknowledged();
    this.#resolve(result);
  }

  reject(error: unknown): void {
    this.#counter.saveRefused(error);
    this.#reject(error);
  }
}

function describe(
  payload: RecoverTrace,
  outcome: RecoveryReport['outcome'],
  report: RecoveryReport | undefined,
): void {
  payload.outcome = outcome;
  if (report === undefined) return;
  const { clean, sequence, decisions } = report;
  const told = decisions.map(({ label, action }) => ({ label, action }));
  Object.assign(payload, { clean, sequence, decisions: told });
}
