/**
 * The public store: promises over the actors. Joins the root machine, the file implementation of the
 * port and the document; decides nothing about durability itself.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Actor, createActor } from 'xstate';
import { CheckpointError } from './errors.js';
import type { ArtifactRecord } from './format/artifact-lines.js';
import type { AuditEntry } from './format/audit-entry.js';
import type { YamlPath } from './format/yaml/yaml-path.js';
import { DEFAULT_LIMITS } from './format/yaml/yaml-text.js';
import type { YamlValue } from './format/yaml/yaml-value.js';
import type { ArtifactCheck } from './io/artifacts.js';
import type { CheckpointHistory, HistoryContent, HistoryEntry } from './io/checkpoint-io.js';
import type { FileSystem } from './io/file-system.js';
import type { Timers } from './io/file-watcher.js';
import { createNodeFileSystem } from './io/node-file-system.js';
import type { SaveTrace } from './io/node-tracing.js';
import { absolute } from './io/store-paths.js';
import type { CheckpointEmitted, Durability } from './machines/checkpoint-messages.js';
import type { HealthChange } from './machines/failure-memory.js';
import type { HealthReport } from './machines/health-report.js';
import type { RecoveryReport } from './machines/recovery-report.js';
import { ArtifactSource } from './store/artifact-source.js';
import { notAudited, warningsOf } from './store/audit-options.js';
import type { AuditStatus } from './store/audit-trail.js';
import {
  checkDurability,
  checkLabel,
  checkSequence,
  checkStoreOptions,
  toPath,
} from './store/check-arguments.js';
import { checkKeys, SAVE_KEYS } from './store/check-keys.js';
import { Desk, HealthDesk } from './store/desk.js';
import { CheckpointDocument } from './store/document.js';
import type { Change } from './store/draft.js';
import { historyBeside, releaseQuietly, syncMode } from './store/file-port.js';
import { deferred, inspectorOf, quietLogger, timersOf } from './store/guards.js';
import { loadInspector } from './store/load-inspector.js';
import { logEvent, loggable } from './store/log-events.js';
import { publishPolicy } from './store/publish-options.js';
import { callOf, planRestore, type RestoreResult, type RestoreTarget } from './store/restore.js';
import { detectorSettings } from './store/restore-options.js';
import { abortable, SaveDesk, type Waiting } from './store/save-desk.js';
import { StagingQueue } from './store/staging-queue.js';
import { storeMachine } from './store/store-machine.js';
import { StoreMeter } from './store/store-meter.js';
import type {
  CheckOptions,
  CheckpointStoreEvent,
  CheckpointStoreOptions,
  CheckResult,
  Frozen,
  SaveOptions,
  SaveResult,
} from './store/store-options.js';
import { type StoreEmbedding, StorePort } from './store/store-port.js';
import type { StoreStats } from './store/store-stats.js';
import { type Watch, type WatchOptions, watchStore } from './store/watch.js';

type Ready = Extract<CheckpointEmitted, { type: 'checkpoint.ready' }>;

/**
 * An open store. It holds the store's lock until {@link CheckpointStore.close} or the end of the
 * process. All methods may be called at any time and concurrently; saves take effect in call order.
 */
export class CheckpointStore<State = YamlValue, Input = State> {
  /** The root actor, for inspection and for machines that want to watch it. */
  readonly actor: Actor<typeof storeMachine>;
  /** @internal What a store that is embedded hands to the machine that it is bound to. */
  readonly embedding: StoreEmbedding;
  readonly #document: CheckpointDocument;
  readonly #staging: StagingQueue;
  readonly #fs: FileSystem;
  readonly #artifacts: ArtifactSource;
  readonly #options: CheckpointStoreOptions;
  readonly #port: StorePort;
  readonly #saves: SaveDesk;
  readonly #listeners = new Set<(event: CheckpointStoreEvent) => void>();
  readonly #health = new HealthDesk();
  readonly #checks = new Desk<CheckResult>();
  readonly #flushes = new Desk<void>();
  readonly #timers: Timers;
  /** After which step saves are acknowledged that don't say it. */
  readonly #durability: Durability;
  readonly #meter: StoreMeter;
  readonly #opened = deferred();
  readonly #closed = deferred();
  #inspector: { readonly url: string; close(): Promise<void> } | undefined;
  #ready: Ready | undefined;
  #closing = false;
  /** The machine takes nothing any more, not even a refusal. */
  #isGone = false;

  /**
   * @internal Use {@link openCheckpointStore}. `host` is the root machine where somebody else has made
   * it; it gets `embedding` then.
   */
  constructor(asked: CheckpointStoreOptions, host?: Actor<typeof storeMachine>) {
    const options = { ...asked, logger: quietLogger(asked.logger) };
    this.#options = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const meter = new StoreMeter(options.directory);
    this.#meter = meter;
    const fs = options.fileSystem ?? createNodeFileSystem(syncMode(options));
    const directory = absolute(options.directory, () => process.cwd());
    const now = () => (options.clock ?? Date).now();
    const { root = directory } = options.artifacts ?? {};
    const artifactRoot = absolute(root, () => process.cwd());
    const artifacts = new ArtifactSource(fs, artifactRoot, options.artifacts ?? {}, now);
    this.#fs = fs;
    this.#artifacts = artifacts;
    const findArtifacts = options.artifacts?.find && ((state: unknown) => artifacts.in(state));
    const document = new CheckpointDocument({ schema: options.schema, limits, findArtifacts });
    this.#document = document;
    this.#staging = new StagingQueue(document);
    this.#saves = new SaveDesk((first, others) =>
      this.actor.send({ type: 'save.requested', ...first, ...(others.length > 0 && { others }) }),
    );
    const place = { fs: meter.watching(fs), directory, artifactRoot, content: document };
    this.#port = new StorePort(options, place, (error) => this.#auditFailed(error));
    const { io, audit } = this.#port;
    const { externalEdits, syncRetryLimit } = options;
    const publish = publishPolicy(options.publish);
    const inspect = inspectorOf(options, audit);
    const restore = detectorSettings(options.restore, options.heartbeatMs);
    this.#timers = timersOf(options.clock);
    this.#durability = options.durability ?? (publish === undefined ? 'committed' : 'logged');
    const policies = { externalEdits, syncRetryLimit, restore, publish };
    const counted = meter.counting(options.around?.(io) ?? io);
    this.embedding = { io: counted, port: this.#port, inspect, policies };
    this.actor =
      host ??
      createActor(storeMachine, {
        id: 'checkpoint',
        clock: this.#timers,
        input: { io: counted, ...policies },
        ...(inspect && { inspect }),
      });
    this.actor.on('*', (event) => this.#take(event));
    this.actor.subscribe({ error: (error) => this.#break(error) });
  }

  /** @internal Starts the actor; resolves when recovery has ended well. */
  async open(): Promise<this> {
    if (this.#options.inspector) this.#inspector = await loadInspector(this, this.#options);
    return await this.whenReady(() => this.actor.start());
  }

  /** @internal The same where somebody else starts it. */
  async whenReady(start: () => void = () => {}): Promise<this> {
    return await this.#meter.opening(async () => {
      start();
      try {
        await this.#opened.promise;
      } catch (error) {
        await this.#inspector?.close();
        throw error;
      }
      return this;
    });
  }

  /**
   * The newest state that is on disk or has been acknowledged, deeply frozen; `undefined` in a new
   * store. Parsed when first asked for.
   */
  get state(): Frozen<State> | undefined {
    return this.#document.current?.state as Frozen<State> | undefined;
  }

  /** The text of that state as the user's file holds it, without the seal line. */
  get text(): string | undefined {
    return this.#document.current?.text;
  }

  /** The sequence number of that state; 0 in a new store. */
  get sequence(): number {
    return this.#document.sequence;
  }

  /** What happened at open: found, decided, lost, kept where. */
  get recovery(): RecoveryReport {
    return this.#whenReady.recovery;
  }

  /** Absolute path of the checkpoint file, symbolic links resolved. */
  get file(): string {
    return this.#whenReady.lock.target;
  }

  /** What weakens the guarantees here, in words; empty on an ordinary local disk. */
  get warnings(): readonly string[] {
    return [...this.#whenReady.lock.warnings, ...warningsOf(this.audit)];
  }

  /** How the record of all transitions is doing; `undefined` with `audit: false`. */
  get audit(): AuditStatus | undefined {
    return this.#port.audit?.status;
  }

  /**
   * Tells a listener each entry of the audit as soon as it has its place in the chain; it may not be
   * durable yet.
   * @returns stops it
   */
  onAuditEntry(listener: (entry: AuditEntry) => void): () => void {
    return this.#port.audit?.listen(listener) ?? (() => {});
  }

  /** Where the local inspector is, if the store was opened with one. */
  get inspectorUrl(): string | undefined {
    return this.#closing ? undefined : this.#inspector?.url;
  }

  /**
   * Saves a whole state. The state is cloned at once; only what differs from the present one is
   * changed in the file's text.
   *
   * Rejects with `UNFAITHFUL_VALUE`, `SCHEMA_INVALID` (nothing was tried), an I/O error's code with
   * `details.outcome`, `EDITED_OUTSIDE`, `HALTED` or `CLOSED`; with the signal's reason if aborted.
   */
  save(state: Input, options: SaveOptions = {}): Promise<SaveResult> {
    return this.#submit(
      'save',
      () => ({ kind: 'state', value: this.#document.clone(state) }),
      options,
    );
  }

  /**
   * Saves an edited file verbatim, once it parses and passes the schema. A seal line in it is left out.
   * Rejects as {@link save} does, and with `INVALID_YAML` and its kin, naming line and column.
   */
  saveText(text: string, options: SaveOptions = {}): Promise<SaveResult> {
    return this.#submit(
      'saveText',
      () => {
        if (typeof text !== 'string') throw new TypeError('saveText() takes a string');
        return { kind: 'text', text };
      },
      options,
    );
  }

  /**
   * Changes the value at a path, as `phases[0].status` or `['phases', 0, 'status']`. Missing mappings
   * on the way are created; an index one past the end appends. Rejects as {@link save} does, and with
   * `INVALID_PATH` and `PATH_NOT_FOUND`.
   */
  set(path: string | YamlPath, value: unknown, options: SaveOptions = {}): Promise<SaveResult> {
    return this.#submit(
      'set',
      () => ({ kind: 'set', path: toPath(path), value: this.#document.clone(value) }),
      options,
    );
  }

  /** Removes the entry at a path. Rejects as {@link set} does. */
  delete(path: string | YamlPath, options: SaveOptions = {}): Promise<SaveResult> {
    return this.#submit(
      'delete',
      () => ({ kind: 'set', path: toPath(path), value: undefined }),
      options,
    );
  }

  /**
   * Computes the next state from the newest one, including saves that are still on their way. The
   * recipe changes its own copy (of long parts a proxy) or returns a new state. It must be pure and
   * synchronous: it runs again if what it was computed from is not published, or it clones a proxy.
   */
  update(
    recipe: (draft: State) => Input | undefined | void,
    options: SaveOptions = {},
  ): Promise<SaveResult> {
    return this.#submit(
      'update',
      () => {
        if (typeof recipe !== 'function') throw new TypeError('update() takes a function');
        return { kind: 'update', recipe: recipe as (draft: unknown) => unknown };
      },
      options,
    );
  }

  /** Plain numbers since the store was opened: saves, rounds, bytes, syncs. Cheap to ask for. */
  stats(): StoreStats {
    return this.#meter.stats();
  }

  /** How the store is doing, as the failure detector told last; `undefined` with `restore: false`. */
  get health(): HealthReport | undefined {
    return this.#health.report;
  }

  /**
   * Counts a failure that the orchestrator has noticed itself. Resolves when it is durable, and at the
   * threshold when what follows has been done: `state` then is the restored one, and subscribers have
   * been told `restored`. Rejects with the code of an I/O error, `CLOSED`, or `NO_DETECTOR`.
   */
  reportFailure(error: unknown): Promise<HealthReport> {
    const message = error instanceof Error ? error.message : String(error);
    return this.#changeHealth({ kind: 'failed', signal: 'reported', message });
  }

  /**
   * Says that all is well: failures and restores are forgotten, durably, and a detector that had
   * stopped starts again. Rejects as {@link reportFailure} does.
   */
  markHealthy(): Promise<HealthReport> {
    return this.#changeHealth({ kind: 'healthy' });
  }

  /**
   * Looks at the file now. An edit that is found is published as a sealed checkpoint at once (under the
   * policy `restore` it is set aside instead); damage is kept in `quarantine/`, and counts as a failure.
   * Rejects with the code of an I/O error, `HALTED` or `CLOSED`.
   */
  check({ countAgain, uncounted }: CheckOptions = {}): Promise<CheckResult> {
    return this.#ask(this.#checks, (requestId) => {
      this.actor.send({ type: 'check.requested', requestId, countAgain, uncounted });
    });
  }

  /**
   * Guard mode: watches the file, and takes a look as {@link check} does whenever somebody has changed it
   * and has left it alone since. Keeps the process alive until it is stopped. Subscribers are told `checked`, `editedOutside`, `health` and `restored`.
   * @throws TypeError where an option can't be meant
   */
  watch(options: WatchOptions = {}): Watch {
    const { fileSystem } = this.#options;
    return watchStore(
      {
        file: this.file,
        fileSystem,
        nodeFileSystem: createNodeFileSystem(),
        timers: timersOf(this.#options.clock, { keepAlive: true }),
        look: (countAgain) => this.check({ countAgain }),
        inspect: inspectorOf(this.#options, this.#port.audit),
      },
      options,
    );
  }

  /**
   * Resolves when all saves that were asked for before are published under the file's name; see the option
   * `publish`. Rejects with `HALTED` or `CLOSED`.
   */
  flush(): Promise<void> {
    return this.#ask(this.#flushes, (requestId) => {
      this.actor.send({ type: 'flush.requested', requestId });
    });
  }

  /** A sign of life; see the option `heartbeatMs`. */
  heartbeat(): void {
    this.actor.send({ type: 'health.heartbeat' });
  }

  #changeHealth(change: HealthChange): Promise<HealthReport> {
    return this.#ask(this.#health, (requestId) => {
      this.actor.send({ type: 'health.changed', change, requestId });
    });
  }

  /** Asks for something behind the saves that were asked for before. */
  #ask<Answer>(desk: Desk<Answer>, send: (requestId: number) => void): Promise<Answer> {
    const requestId = this.#document.nextId();
    return desk.ask(requestId, () => {
      if (this.#closing) {
        desk.reject(requestId, new CheckpointError('CLOSED', 'The store is closed.'));
      } else {
        this.#saves.flush();
        send(requestId);
      }
    });
  }

  /**
   * Every checkpoint that history holds, ascending, and the current one last, each as its seal line
   * tells it: cheap, and without verifying. Rejects with `NO_HISTORY` on a port that offers none, and
   * with `READ_FAILED`.
   */
  async history(): Promise<readonly HistoryEntry[]> {
    return await this.#history().list();
  }

  /**
   * One checkpoint of history, or the current one, verified. Rejects with `NOT_IN_HISTORY`,
   * `ENTRY_DAMAGED`, and as {@link history} does.
   */
  async readCheckpoint(sequence: number): Promise<HistoryContent> {
    checkSequence(sequence);
    return await this.#history().read(sequence);
  }

  /**
   * How the artifacts of a checkpoint, by default of the newest, compare with what was recorded of them.
   * Rejects as {@link readCheckpoint} does.
   */
  async verifyArtifacts(sequence = this.sequence): Promise<readonly ArtifactCheck[]> {
    const listed = (await this.history()).find((entry) => entry.sequence === sequence);
    // A new store, and a file that no store has saved yet, have none.
    if (listed?.artifacts === 0 || (listed === undefined && sequence === 0)) return [];
    return await this.#artifacts.verify((await this.readCheckpoint(sequence)).artifacts);
  }

  /**
   * Brings an earlier checkpoint back: `restore({ sequence: 12 })`, `restore({ label: 'reviewed' })`,
   * `restore({ before: new Date(…) })`, `restore('previous')`. A save of its own, under a new number and
   * through the same protocol, so it can be undone: what it replaces is in history. Works also while the
   * file is missing, empty or damaged. With `dryRun` nothing is changed.
   *
   * Rejects with `NOT_IN_HISTORY`, `ENTRY_DAMAGED`, `ARTIFACTS_NOT_INTACT` (unless
   * `allowMissingArtifacts`), and as {@link save} does.
   */
  async restore(target: RestoreTarget): Promise<RestoreResult> {
    const isDry = callOf(target).dryRun === true;
    return await this.#meter.restore(isDry, () => this.#restore(target));
  }

  async #restore(target: RestoreTarget): Promise<RestoreResult> {
    const { dryRun } = callOf(target);
    // An edit that is there now is history then, and so is what damage has replaced.
    if (dryRun !== true) await this.check({ uncounted: true });
    const verify = (records: readonly ArtifactRecord[]) => this.#artifacts.verify(records);
    const plan = await planRestore(this.#history(), target, verify);
    if (dryRun === true) return plan;
    if (plan.from.current) return { ...plan, sequence: plan.from.sequence };
    const requestId = this.#document.nextId();
    const { sequence: from } = plan.from;
    if (this.#isGone) throw closed('notSaved');
    const { sequence } = await new Promise<SaveResult>((resolve, reject) => {
      this.#saves.expect(requestId, { resolve, reject, durability: 'committed' });
      this.actor.send({ type: 'restore.requested', requestId, sequence: from });
    });
    return { ...plan, sequence };
  }

  /**
   * Tells a listener what happens from now on; first, what happened at open. What a listener throws
   * is logged and goes no further.
   * @returns stops it
   */
  subscribe(listener: (event: CheckpointStoreEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#ready !== undefined) {
      const { sequence, recovery: report } = this.#ready;
      this.#notify(listener, { type: 'recovered', sequence, report });
    }
    return () => this.#listeners.delete(listener);
  }

  /**
   * Finishes every save that was accepted, then gives up the lock. Safe to call twice. Saves that are
   * asked for afterwards are refused with `CLOSED`.
   */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      await this.#staging.whenEmpty();
      this.#saves.flush();
      this.actor.send({ type: 'close.requested' });
    }
    await this.#closed.promise;
  }

  /** Closes the store, as {@link CheckpointStore.close} does: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #history(): CheckpointHistory {
    const { lock } = this.#whenReady;
    return this.#port.io.history ?? historyBeside(lock, this.#fs, this.#options);
  }

  get #whenReady(): Ready {
    if (this.#ready === undefined) throw new TypeError('the store has not been opened');
    return this.#ready;
  }

  #submit(operation: SaveTrace['operation'], change: () => Change, options: SaveOptions) {
    const { durability = this.#durability } = options;
    return this.#meter.save(operation, durability, (waiting) =>
      this.#stage(operation, change, options, waiting),
    );
  }

  #stage(
    operation: SaveTrace['operation'],
    change: () => Change,
    options: SaveOptions,
    waiting: Waiting,
  ): void {
    const { label, pinned, signal } = options;
    checkKeys(options, SAVE_KEYS, `${operation}()`);
    checkLabel(label, pinned);
    checkDurability(waiting.durability);
    signal?.throwIfAborted();
    if (this.#closing) {
      throw closed('notSaved');
    }
    // Sent before anything is awaited wherever possible, so that a close() called right after this
    // save comes after it.
    const named = this.#artifacts.named(options);
    const staged = this.#staging.stage(change(), named, this.#saves.isBusy);
    if (typeof staged === 'number') this.#request(staged, options, waiting);
    else {
      // The caller's object may be another one by then.
      const asked = { label, pinned, signal };
      staged
        .then((id) => this.#request(id, asked, waiting))
        .catch((error: unknown) => waiting.reject(error));
    }
  }

  #request(requestId: number, { label, pinned, signal }: SaveOptions, waiting: Waiting): void {
    if (signal?.aborted) {
      this.#document.drop([requestId], { keepLogged: true });
      waiting.reject(signal.reason);
      return;
    }
    if (this.#isGone) {
      waiting.reject(closed('notSaved'));
      return;
    }
    const { durability } = waiting;
    const who = abortable(waiting, signal, () =>
      this.#saves.isHeld(requestId)
        ? this.#aborted(requestId)
        : this.actor.send({ type: 'save.aborted', requestId }),
    );
    this.#saves.ask({ requestId, label, pinned, durability }, who);
  }

  #take(event: CheckpointEmitted): void {
    this.#meter.take(event);
    logEvent(this.#options.logger, event);
    switch (event.type) {
      case 'checkpoint.ready':
        this.#ready = event;
        for (const warning of warningsOf(this.audit)) this.#options.logger?.warn({}, warning);
        this.#port.answer(this.#opened.resolve);
        return;
      case 'checkpoint.refused':
        this.#port.leave(() => this.#opened.reject(event.error));
        return;
      case 'save.logged':
        this.#answerLogged(event);
        this.#tell({ type: 'logged', sequence: event.sequence });
        return;
      case 'save.published':
        this.#tell({ type: 'published', sequence: event.sequence });
        return;
      case 'save.committed':
        this.#tell({ type: 'committed', sequence: event.sequence });
        this.#answer(event.requestIds, event.sequence, 'committed');
        return;
      case 'flush.done':
        for (const requestId of event.requestIds) this.#flushes.resolve(requestId);
        return;
      case 'save.failed':
        this.#fail(event.requestIds, event.error);
        return;
      case 'save.aborted':
        this.#aborted(event.requestId);
        return;
      case 'checkpoint.editedOutside':
        this.#tell({ ...event, type: 'editedOutside' });
        return;
      case 'checkpoint.restored': {
        this.#tell({ ...event, type: 'restored' });
        return;
      }
      case 'checkpoint.checked': {
        const { requestIds, type: _, ...facts } = event;
        this.#port.answer(() => {
          for (const requestId of requestIds) this.#checks.resolve(requestId, facts);
        });
        this.#tell({ ...facts, type: 'checked' });
        return;
      }
      case 'health.answered':
        this.#tell({ type: 'health', report: event.report });
        this.#health.report = event.report;
        this.#port.answer(() => this.#health.answer(event));
        return;
      case 'health.failed':
        for (const id of event.requestIds) this.#health.reject(id, event.error);
        return;
      case 'checkpoint.halted':
        this.#tell({ type: 'halted', error: event.error });
        this.#port.answer(() => {});
        return;
      case 'checkpoint.closed':
        // Whoever has closed the machine by itself has not asked for these.
        for (const id of this.#saves.heldIds) this.#reject(id, closed('notSaved'));
        this.#port.leave(() => {
          this.#tell({ type: 'closed', ...(event.error && { error: event.error }) });
          this.#closed.resolve();
        });
    }
  }

  #auditFailed(error: CheckpointError): void {
    this.#options.logger?.error({ error: loggable(error) }, 'the audit could not be written');
    this.#tell({ type: 'auditFailed', error });
  }

  #answerLogged({ requestIds, sequence }: { requestIds: readonly number[]; sequence: number }) {
    const early = this.#saves.early(requestIds);
    if (early.length === 0) return;
    this.#document.markLogged(sequence);
    this.#answer(early, sequence, 'logged');
  }

  #answer(requestIds: readonly number[], sequence: number, durability: Durability): void {
    const answers = requestIds.map((requestId) => ({
      waiting: this.#saves.release(requestId),
      error: this.#document.takeError(requestId),
    }));
    const done = this.#saves.answering(answers.length);
    const settle = (tell: (waiting: Waiting | undefined) => void) => {
      for (const { waiting, error } of answers) {
        if (error === undefined) tell(waiting);
        else waiting?.reject(error.thrown);
      }
      done();
    };
    const result = Object.freeze({ sequence, durability });
    const resolve = () => settle((waiting) => waiting?.resolve(result));
    const refuse = (failure: CheckpointError) => {
      const told = notAudited(failure, sequence, durability);
      settle((waiting) => waiting?.reject(told));
    };
    if (durability === 'logged') this.#port.answerLogged(resolve, refuse);
    else this.#port.answer(resolve, refuse);
  }

  #fail(requestIds: readonly number[], error: CheckpointError): void {
    const done = this.#saves.answering(requestIds.length);
    this.#document.drop(requestIds, { keepLogged: error.details.outcome !== 'notSaved' });
    this.#tell({ type: 'failed', error });
    for (const requestId of requestIds) {
      this.#checks.reject(requestId, error);
      this.#flushes.reject(requestId, error);
      const own = this.#document.takeError(requestId);
      this.#reject(requestId, own === undefined ? error : own.thrown);
    }
    done();
  }

  #aborted(requestId: number): void {
    const done = this.#saves.answering(1);
    this.#document.drop([requestId], { keepLogged: true });
    this.#reject(requestId, undefined);
    done();
  }

  #reject(requestId: number, error: unknown): void {
    this.#saves.release(requestId)?.reject(error);
  }

  /** A defect in a machine: nothing can be trusted to go on, so everybody is told. */
  #break(cause: unknown): void {
    const error = new CheckpointError(
      'HALTED',
      'The store stopped after an internal failure; open it again.',
      { outcome: 'unknown' },
      { cause },
    );
    // The lock must not outlive the store; what this does to the files was decided before.
    void releaseQuietly(this.#port.io).then(() => this.leave());
    this.#closed.resolve();
    this.#tell({ type: 'halted', error });
    this.#end(() => error);
  }

  /**
   * @internal The machine was stopped by somebody else: whoever waits is answered with `CLOSED`. What
   * the machine had not begun is not saved; of the rest that is unknown.
   */
  abandon(untried: ReadonlySet<number>): void {
    const notSaved = new Set([...untried, ...this.#saves.heldIds]);
    this.#end((requestId) => closed(notSaved.has(requestId) ? 'notSaved' : 'unknown'));
  }

  /** @internal Writes the last entry of the audit and gives the lock up. */
  leave(): void {
    this.#port.leave(() => {
      this.#tell({ type: 'closed' });
      this.#closed.resolve();
    });
  }

  #end(errorOf: (requestId: number) => CheckpointError): void {
    this.#closing = true;
    this.#isGone = true;
    this.#opened.reject(errorOf(0));
    for (const requestId of this.#saves.ids) this.#reject(requestId, errorOf(requestId));
    this.#health.rejectAll(errorOf(0));
    this.#checks.rejectAll(errorOf(0));
    this.#flushes.rejectAll(errorOf(0));
  }

  #tell(event: CheckpointStoreEvent): void {
    for (const listener of [...this.#listeners]) this.#notify(listener, event);
  }

  #notify(listener: (event: CheckpointStoreEvent) => void, event: CheckpointStoreEvent): void {
    try {
      listener(event);
    } catch (error) {
      const facts = { error: loggable(error), event: event.type };
      this.#options.logger?.error(facts, 'a subscriber threw');
    }
  }
}

function closed(outcome: 'notSaved' | 'unknown'): CheckpointError {
  return new CheckpointError('CLOSED', 'The store is closed.', { outcome });
}

/**
 * Opens a store: takes its lock, recovers whatever a crash left, and resolves to the open store.
 *
 * Rejects with `LOCKED` (another writer has it), `REFUSED` (nothing valid was found; nothing was
 * changed), `SCHEMA_INVALID`, `EDITED_OUTSIDE` (policy `reject`), `UNSUPPORTED_VERSION`,
 * `PATH_OUTSIDE_STORE`, or the code of an I/O error.
 */
export function openCheckpointStore<Schema extends StandardSchemaV1>(
  options: CheckpointStoreOptions<Schema> & { readonly schema: Schema },
): Promise<
  CheckpointStore<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>
>;
export function openCheckpointStore<State = YamlValue>(
  options: CheckpointStoreOptions<undefined>,
): Promise<CheckpointStore<State>>;
export async function openCheckpointStore(
  options: CheckpointStoreOptions,
): Promise<CheckpointStore<unknown>> {
  checkStoreOptions(options, 'openCheckpointStore()');
  const store = new CheckpointStore<unknown>(options);
  return await store.open();
}
