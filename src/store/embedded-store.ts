/**
 * A store inside of somebody else's machine: the `io` actor of a root machine that was invoked or
 * spawned there. Joins the store, which has the content, to the machine that is this actor's parent:
 * performs its operations, takes what is asked of it, and leaves cleanly when it is stopped. Ruled by
 * `docs/embedding.md`.
 */
import type { Actor, AnyActorRef, InspectionEvent, Subscription } from 'xstate';
import { CheckpointError } from '../errors.js';
import type { HealthMemory } from '../format/health-format.js';
import { type IoAnswer, perform } from '../io/io-actor.js';
import type {
  CheckpointRequest,
  IoBehaviour,
  IoEvent,
  IoPolicies,
  IoRequest,
  RequestAddress,
} from '../io/io-messages.js';
import { isPromiseLike, run, type Steps, wait } from '../io/run.js';
import type { CheckpointEmitted } from '../machines/checkpoint-messages.js';
import { changedBy, isWorthKeeping } from '../machines/failure-memory.js';
import type { RecoveryReport } from '../machines/recovery-report.js';
import { CheckpointStore } from '../store.js';
import type { CheckpointNotice } from './checkpoint-notices.js';
import { deferred } from './guards.js';
import { loadInspector } from './load-inspector.js';
import { loggable } from './log-events.js';
import { NoticeOutbox } from './notice-outbox.js';
import { RequestDesk } from './request-desk.js';
import type { storeMachine } from './store-machine.js';
import type { CheckpointStoreEvent, CheckpointStoreOptions } from './store-options.js';

/** What those share who open a directory one after another. */
export interface StorePlace {
  /** Settles when who is leaving the directory just now has left it. */
  leaving: Promise<void> | undefined;
}

/** See the head of this file. */
export class EmbeddedStore implements IoBehaviour {
  readonly policies: IoPolicies;
  readonly #options: CheckpointStoreOptions;
  readonly #machine: Actor<typeof storeMachine>;
  readonly #store: CheckpointStore<unknown>;
  readonly #outbox: NoticeOutbox;
  readonly #desk: RequestDesk;
  readonly #place: StorePlace;
  /** Settled when the lock is free, or was never held. */
  readonly #left = deferred();
  readonly #inspecting: Subscription | undefined;
  /** News that come before the store has said that it is ready. */
  #early: CheckpointNotice<unknown>[] | undefined = [];
  #recovery: RecoveryReport | undefined;
  /** Operations that the port has not answered yet. */
  #inFlight = 0;
  /** What the failure detector has last made durable. */
  #memory: HealthMemory | undefined;
  #isStopped = false;
  /** The machine has come to its end by itself. */
  #isOver = false;

  /**
   * @param machine the root machine, which is being made
   * @param place shared with those before and after it
   */
  constructor(options: CheckpointStoreOptions, machine: AnyActorRef, place: StorePlace) {
    this.#options = options;
    this.#machine = machine as Actor<typeof storeMachine>;
    this.#place = place;
    this.#outbox = new NoticeOutbox(machine);
    this.#store = new CheckpointStore(options, this.#machine);
    this.policies = this.#store.embedding.policies;
    this.#desk = new RequestDesk(this.#store, (request, notice) => this.#answer(request, notice));
    this.#store.subscribe((event) => this.#hear(event));
    this.#machine.on('*', (event) => this.#watch(event));
    this.#machine.subscribe({ error: () => this.#broken() });
    this.#inspecting = this.#inspect();
  }

  start(): void {
    if (this.#options.inspector) void this.#attachInspector();
    this.#store.whenReady().then(
      () => this.#ready(),
      (error: unknown) => this.#refused(error),
    );
  }

  receive(event: IoEvent): void {
    if (event.type === 'io.requested') this.#perform(event);
    else if (event.type === 'notice.passed') this.#outbox.passed(event.id);
    else this.#desk.take(event);
  }

  /**
   * Without having been closed: what is in flight ends, nothing else is begun. A log that is left is for
   * the next opening, which finishes or discards it.
   */
  stop(): void {
    this.#outbox.flush();
    this.#nextMustWait();
    if (this.#isOver) return;
    this.#isStopped = true;
    const { waiting } = this.#machine.getSnapshot().context;
    const untried = waiting.flatMap(({ requestId }) => requestId ?? []);
    this.#desk.refuse(stopped());
    this.#store.abandon(new Set(untried));
    if (this.#inFlight === 0) this.#leave();
  }

  #perform(request: IoRequest): void {
    this.#inFlight += 1;
    const { io } = this.#store.embedding;
    const predecessor = request.operation === 'acquireLock' ? this.#place.leaving : undefined;
    const answer = (reply: IoAnswer) => this.#answered(request, reply);
    if (predecessor === undefined) perform(io, request, answer);
    else void predecessor.then(() => perform(io, request, answer));
  }

  #answered(request: IoRequest, reply: IoAnswer): void {
    this.#inFlight -= 1;
    if (reply.type === 'writeHealth.done' && request.operation === 'writeHealth') {
      this.#memory = request.input.memory;
    }
    if (!this.#isStopped) request.replyTo.send(reply);
    else if (this.#inFlight === 0) this.#leave();
  }

  #leave(): void {
    const steps = run(this.#leaveSteps());
    if (isPromiseLike(steps)) void steps.then(() => this.#store.leave());
    else this.#store.leave();
  }

  *#leaveSteps(): Steps<void> {
    const { io } = this.#store.embedding;
    try {
      yield* this.#noteEnd();
    } catch (error) {
      this.#warn(error, 'the end of a stopped run could not be noted: it will count as a crash');
    }
    try {
      yield* wait(io.releaseLock(undefined));
    } catch (error) {
      this.#warn(error, 'leaving was not clean');
    }
  }

  /** That this run was stopped is no crash. One before it that crashed and is not counted yet stays noted. */
  *#noteEnd(): Steps<void> {
    if (this.#memory?.attempt === undefined || !this.policies.restore?.countCrashes) return;
    const { io } = this.#store.embedding;
    const { memory, ...at } = yield* wait(io.readHealth(undefined));
    if (memory === undefined) return;
    const after = changedBy(memory, { kind: 'closed' }, at);
    yield* wait(io.writeHealth({ memory: isWorthKeeping(after) ? after : undefined }));
  }

  #ready(): void {
    if (this.#isStopped) return;
    const { state, text, sequence, recovery, file, warnings } = this.#store;
    const told = { state, sequence, recovery, file, warnings };
    this.#tellParent({ type: 'checkpoint.ready', ...told, ...(text !== undefined && { text }) });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const notice of early) this.#tellParent(notice);
    this.#desk.release();
  }

  #refused(thrown: unknown): void {
    if (this.#isStopped) return;
    const error = thrown as CheckpointError;
    this.#early = undefined;
    const recovery = this.#recovery;
    this.#tellParent({ type: 'checkpoint.refused', error, ...(recovery && { recovery }) });
    const { code, message } = error;
    this.#desk.refuse(
      new CheckpointError(
        'CLOSED',
        `The store could not be opened (${code}): ${message}`,
        { outcome: 'notSaved' },
        { cause: error },
      ),
    );
    this.#end();
  }

  /** What the root machine tells; the store hears it as well. */
  #watch(event: CheckpointEmitted): void {
    if (event.type === 'checkpoint.refused') this.#recovery = event.recovery;
    if (event.type === 'checkpoint.refused' || event.type === 'checkpoint.closed') {
      this.#isOver = true;
    }
    // What somebody has asked for is an answer; this is news.
    if (event.type === 'health.answered' && event.requestIds.length === 0) {
      this.#news({ type: 'checkpoint.health', report: event.report });
    }
  }

  #hear(event: CheckpointStoreEvent): void {
    switch (event.type) {
      case 'restored':
        if (event.cause === 'automatic') {
          const { state } = this.#store;
          this.#news({ ...event, type: 'checkpoint.restored', state });
        }
        return;
      case 'editedOutside':
        this.#news({ ...event, type: 'checkpoint.editedOutside' });
        return;
      case 'auditFailed':
        this.#news({ ...event, type: 'checkpoint.auditFailed' });
        return;
      case 'halted':
        this.#news({ ...event, type: 'checkpoint.halted' });
        return;
      case 'closed':
        this.#closed(event.error);
    }
  }

  #news(notice: CheckpointNotice<unknown>): void {
    if (this.#early === undefined) this.#tellParent(notice);
    else this.#early.push(notice);
  }

  /** The lock is free. Everybody else is answered first. */
  #closed(error: CheckpointError | undefined): void {
    const notice = { type: 'checkpoint.closed' as const, ...(error && { error }) };
    this.#end();
    this.#desk.refuse(stopped());
    void this.#desk.whenAnswered().then(() => {
      const parent = this.#machine._parent;
      const isParents = ({ replyTo = parent }: RequestAddress) => replyTo === parent;
      const requests = this.#desk.closeRequests;
      const own = requests.find(isParents);
      // The parent hears it in any case, and once.
      if (own === undefined) this.#tellParent(notice);
      else this.#answer(own, notice);
      for (const one of requests) if (!isParents(one)) this.#answer(one, notice);
    });
  }

  #broken(): void {
    this.#isOver = true;
    this.#outbox.flush();
    this.#nextMustWait();
  }

  #nextMustWait(): void {
    const left = this.#left.promise.then(() => {
      if (this.#place.leaving === left) this.#place.leaving = undefined;
    });
    this.#place.leaving = left;
  }

  #end(): void {
    this.#inspecting?.unsubscribe();
    this.#left.resolve();
  }

  #answer(request: CheckpointRequest, notice: CheckpointNotice<unknown>): void {
    const { id, replyTo } = addressOf(request);
    const addressed = id === undefined ? notice : { ...notice, id };
    this.#outbox.send(replyTo ?? this.#machine._parent, addressed);
  }

  #tellParent(notice: CheckpointNotice<unknown>): void {
    this.#outbox.send(this.#machine._parent, notice);
  }

  /** Of the system's actors, this store's own: the machine and those below it. */
  #inspect(): Subscription | undefined {
    const { inspect } = this.#store.embedding;
    if (inspect === undefined) return undefined;
    const isOwn = (actor: AnyActorRef | undefined): boolean =>
      actor !== undefined && (actor === this.#machine || isOwn(actor._parent));
    return this.#machine.system.inspect((event: InspectionEvent) => {
      if (isOwn(event.actorRef as AnyActorRef)) inspect(event);
    });
  }

  async #attachInspector(): Promise<void> {
    try {
      const attached = await loadInspector(this.#store, this.#options);
      await this.#left.promise;
      await attached?.close();
    } catch (error) {
      this.#warn(error, 'the inspector could not be started');
    }
  }

  #warn(error: unknown, message: string): void {
    try {
      this.#options.logger?.warn({ error: loggable(error) }, message);
    } catch {
      // There is nobody left to tell.
    }
  }
}

function addressOf(request: CheckpointRequest) {
  return { id: undefined, replyTo: undefined, ...request };
}

function stopped(): CheckpointError {
  return new CheckpointError('CLOSED', 'The store is closed.', { outcome: 'notSaved' });
}
