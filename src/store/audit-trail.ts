/**
 * The audit of an open store: takes the facts of every transition, gives each its place in the chain,
 * and brings them to disk before anything is acknowledged. Joins the recorder and the file. Ruled by
 * `docs/audit.md`.
 */
import type { InspectionEvent } from 'xstate';
import { createTransitionRecorder, isoTime } from '../audit/transition-recorder.js';
import { CheckpointError, type Problem, toProblem } from '../errors.js';
import type { AuditDetails, AuditEntry, AuditFacts, AuditHead } from '../format/audit-entry.js';
import { AuditFile, type AuditOpening } from '../io/audit-file.js';
import type { FileSystem, MaybePromise } from '../io/file-system.js';
import {
  isPromiseLike,
  type Outcome,
  run,
  type Steps,
  settle,
  succeeded,
  wait,
} from '../io/run.js';
import type { StorePaths } from '../io/store-paths.js';
import { AuditQueue } from './audit-queue.js';

/** When the audit is synced; see {@link AuditOptions.sync}. */
export type AuditSync = 'round' | 'close' | 'off';

/** Settings of the audit. */
export interface AuditOptions {
  /**
   * - `round` (default): nothing is acknowledged before its entries are durable; of a save that waits in the
   *   log to be published, all but the last, which says that the log was synced: that one is written
   * - `close`: entries are written before anything is acknowledged, and synced when the store closes; a
   *   power failure may lose the last of them
   * - `off`: written likewise, never synced
   */
  readonly sync?: AuditSync | undefined;
  /** A file larger than this is put away into `audit/` and a new one is begun; 16 MiB by default. */
  readonly maxBytes?: number | undefined;
  /** How many such files are kept; 10 by default, `Infinity` for all. What is removed is recorded. */
  readonly maxFiles?: number | undefined;
  /** Told each entry as soon as it has its place in the chain; it is not durable yet. */
  readonly onEntry?: ((entry: AuditEntry) => void) | undefined;
}

/** How the audit is doing. */
export interface AuditStatus {
  /** When entries are made durable, as it was asked for. */
  readonly sync: AuditSync;
  /** The last entry: write it down elsewhere, and nothing before it can be cut off unnoticed. */
  readonly head: AuditHead;
  /** What was found at open that is none of the chain, and where it was put. */
  readonly setAside?: NonNullable<AuditOpening['setAside']>;
  /** Entries near the end that were durable are damaged: no crash does that. "audit verify" names them. */
  readonly isDamaged?: true;
  /** Why entries can't be written at present; they are kept and tried again. */
  readonly problem?: Problem;
  /** Entries that were given up because too many waited; an entry says so too, once it can be written. */
  readonly lost: number;
}

/** What the trail needs of its store. */
export interface AuditTrailSettings extends AuditOptions {
  readonly fs: FileSystem;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  readonly elapsedUs: () => number;
  /** `<pid>@<host>` */
  readonly process: string;
  readonly includeMessages: boolean;
  /** Told when entries can't be written, once until they can again. */
  readonly onFailure: (error: CheckpointError) => void;
}

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 10;
/** One store's audit, from before its lock is taken until it is given up. */
export class AuditTrail {
  /** An inspector for the store's root actors. Never throws. */
  readonly inspect: (event: InspectionEvent) => void;
  readonly #queue = new AuditQueue();
  readonly #settings: AuditTrailSettings;
  readonly #sync: AuditSync;
  #epoch = 0;
  #located: StorePaths | undefined;
  #file: AuditFile | undefined;
  #found: Pick<AuditStatus, 'setAside' | 'isDamaged'> = {};
  /** Before the end of the chain is known, entries have no place in it. */
  #early: AuditFacts[] = [];
  #error: CheckpointError | undefined;
  #running: Promise<void> | undefined;
  /** What goes on beside the newest sync of a log. */
  #beside: MaybePromise<Outcome> | undefined;
  #isClosed = false;

  constructor(settings: AuditTrailSettings) {
    this.#settings = settings;
    this.#sync = settings.sync ?? 'round';
    if (settings.onEntry) this.#queue.listen(settings.onEntry);
    const { now, elapsedUs, process, includeMessages } = settings;
    const take = (facts: () => AuditFacts) => this.#take(facts);
    const epoch = () => this.#epoch;
    this.inspect = createTransitionRecorder({
      ...{ now, elapsedUs, process, includeMessages },
      ...{ epoch, take },
    });
  }

  /** The writer's epoch: entries from now on carry it. */
  set epoch(epoch: number) {
    this.#epoch = epoch;
  }

  /** As {@link AuditQueue.listen}. */
  listen(listener: (entry: AuditEntry) => void): () => void {
    return this.#queue.listen(listener);
  }

  get status(): AuditStatus {
    const { number, hash } = this.#queue.head;
    return {
      sync: this.#sync,
      head: { number, hash },
      ...this.#found,
      ...(this.#error && { problem: toProblem(this.#error) }),
      lost: this.#queue.lost,
    };
  }

  /** On a port that offers no files: entries are numbered and told, and kept nowhere. */
  openInMemory(): void {
    this.#queue.isWritten = false;
    this.#note('audit.opened', {});
  }

  /** Once the lock is held: finds the end of the chain. A failure is told, and tried again. */
  *open(located: StorePaths): Steps<void> {
    this.#located = located;
    try {
      yield* this.#opened();
    } catch (error) {
      this.#fail(error);
    }
  }

  *#opened(): Steps<AuditFile | undefined> {
    if (this.#file !== undefined || this.#located === undefined) return this.#file;
    const { fs, now, random } = this.#settings;
    const keeper = { fs, now, random, located: this.#located };
    const file = new AuditFile(
      { ...keeper, current: undefined, observed: undefined },
      this.#sync !== 'off',
    );
    const { head, setAside, isDamaged } = yield* file.open();
    this.#file = file;
    this.#queue.head = head;
    this.#found = {
      ...(setAside && { setAside: { ...setAside } }),
      ...(isDamaged && { isDamaged }),
    };
    this.#note('audit.opened', this.#found);
    const early = this.#early;
    this.#early = [];
    for (const facts of early) this.#queue.take(() => facts);
    return file;
  }

  /**
   * Writes what waits, and syncs it where the policy says so. At once where the file system answers at
   * once. Throws, or rejects with, `AUDIT_FAILED`; what could not be written is kept and tried again.
   */
  flush(): MaybePromise<void> {
    if (this.#running !== undefined) return this.#running.catch(() => {}).then(() => this.flush());
    return this.#alone(this.#flush(this.#sync === 'round'));
  }

  /**
   * Gives an answer once its entries are where the policy wants them. Where they can't be brought there,
   * `refuse` is called instead under the policy `round`, and the answer is given under any other.
   */
  before(answer: () => void, refuse?: (error: CheckpointError) => void): void {
    this.#answerAfter(() => this.flush(), answer, refuse);
  }

  /**
   * Syncs a log, and what waits here at the same time, under the policy `round`: see {@link beforeLogged}.
   * Waits for the log only, and fails as that does.
   */
  *beside<T>(syncLog: () => MaybePromise<T>): Steps<T> {
    const synced = syncLog();
    if (this.#sync === 'round') this.#beside = settle(() => this.#flushed());
    return yield* wait(synced);
  }

  /**
   * As {@link before}, for an answer to a save whose log was synced {@link beside} its entries: these are
   * waited for, and what came after is written, to be synced with what follows.
   */
  beforeLogged(answer: () => void, refuse?: (error: CheckpointError) => void): void {
    const beside = this.#beside;
    this.#beside = undefined;
    if (beside === undefined) this.before(answer, refuse);
    else this.#answerAfter(() => run(this.#written(beside)), answer, refuse);
  }

  *#flushed(): Steps<void> {
    yield* wait(this.flush());
  }

  *#written(beside: MaybePromise<Outcome>): Steps<void> {
    yield* succeeded(beside);
    while (this.#running !== undefined) yield* wait(this.#running.catch(() => {}));
    yield* wait(this.#alone(this.#flush(false)));
  }

  #answerAfter(
    flush: () => MaybePromise<void>,
    answer: () => void,
    refuse: (error: CheckpointError) => void = answer,
  ): void {
    const otherwise = (error: CheckpointError) =>
      this.#sync === 'round' ? refuse(error) : answer();
    let flushed: MaybePromise<void>;
    try {
      flushed = flush();
    } catch (error) {
      otherwise(error as CheckpointError);
      return;
    }
    if (isPromiseLike(flushed)) void flushed.then(answer, otherwise);
    else answer();
  }

  /** The last flush, synced unless nothing ever is; then no entry is taken any more. Never throws. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    try {
      await this.#alone(this.#flush(this.#sync !== 'off'));
      await this.#alone(this.#seeOff());
    } catch {
      // It was told.
    }
    this.#isClosed = true;
    this.#file?.close();
  }

  /** Says that all before is durable: no crash can have damaged it then. */
  *#seeOff(): Steps<void> {
    if (this.#sync === 'off' || this.#queue.durable === 0 || this.#error !== undefined) return;
    this.#note('audit.closed', {});
    yield* this.#flush(true);
  }

  #alone(steps: Steps<void>): MaybePromise<void> {
    const result = run(steps);
    if (!isPromiseLike(result)) return result;
    const running = Promise.resolve(result).finally(() => {
      this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  *#flush(isSynced: boolean): Steps<void> {
    if (this.#isClosed || this.#located === undefined) return;
    try {
      const file = yield* this.#opened();
      if (file === undefined) return;
      const found = yield* file.check(this.#queue.next);
      if (found !== undefined)
        this.#note(found === 'gone' ? 'audit.fileGone' : 'audit.fileCut', {});
      this.#tellLost();
      yield* this.#write(file, isSynced);
      if (file.size > (this.#settings.maxBytes ?? MAX_BYTES)) yield* this.#rotate(file, isSynced);
      this.#error = undefined;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  *#write(file: AuditFile, isSynced: boolean): Steps<void> {
    const { bytes, last } = this.#queue.takeLines();
    if (bytes.length > 0) yield* file.append(bytes);
    if (isSynced) {
      yield* file.sync();
      this.#queue.durable = last;
    }
    this.#queue.waitingBytes = file.unwrittenBytes;
  }

  /** Puts a full file away. What retention removes for that is recorded, durably, before it is gone. */
  *#rotate(file: AuditFile, isSynced: boolean): Steps<void> {
    if (this.#sync !== 'off') yield* file.sync();
    const rotated = yield* file.rotate(this.#queue.next);
    if (rotated === undefined) return;
    this.#note('audit.rotated', { ...rotated });
    const victims = file.victims(this.#settings.maxFiles ?? MAX_FILES);
    for (const victim of victims) this.#note('audit.pruned', { ...victim });
    yield* this.#write(file, isSynced || victims.length > 0);
    for (const victim of victims) file.remove(victim);
  }

  #take(facts: () => AuditFacts): void {
    if (this.#isClosed) return;
    if (this.#file === undefined && this.#queue.isWritten) this.#early.push(facts());
    else this.#queue.take(facts);
  }

  /** An entry about the record itself. */
  #note(event: string, details: AuditDetails): void {
    const { now, elapsedUs, process } = this.#settings;
    const facts = {
      time: isoTime(now()),
      elapsedUs: Math.max(0, Math.round(elapsedUs())),
      machine: 'audit',
      from: event === 'audit.opened' ? '' : 'recording',
      to: event === 'audit.closed' ? 'closed' : 'recording',
      event,
      by: '',
      sequence: 0,
      epoch: this.#epoch,
      process,
      details,
    };
    this.#queue.take(() => facts);
  }

  #tellLost(): void {
    const count = this.#queue.takeLost();
    if (count > 0) this.#note('audit.entriesLost', { count });
  }

  #fail(error: unknown): CheckpointError {
    const reason = error instanceof Error ? error.message : String(error);
    const failure = new CheckpointError(
      'AUDIT_FAILED',
      `The audit could not be written: ${reason} Its entries are kept and tried again.`,
      { ...(this.#located && { file: this.#located.audit }) },
      { cause: error },
    );
    const isNew = this.#error === undefined;
    this.#error = failure;
    if (this.#file === undefined && this.#early.length > MAX_EARLY) {
      this.#queue.lose(this.#early.length);
      this.#early = [];
    }
    if (isNew) this.#settings.onFailure(failure);
    return failure;
  }
}

/** Entries that are kept while the end of the chain can't be found. */
const MAX_EARLY = 20_000;
