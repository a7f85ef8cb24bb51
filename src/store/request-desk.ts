/**
 * Takes what an embedding machine asks for to the store, in the order in which it was asked, and answers
 * with notices. What comes before the store is ready, or while a restore is chosen, waits here.
 */
import { CheckpointError } from '../errors.js';
import { cloneValue } from '../format/yaml/yaml-value.js';
import type { CheckpointRequest, SaveRequestOptions } from '../io/io-messages.js';
import { notTried } from '../machines/checkpoint-messages.js';
import type { CheckpointStore } from '../store.js';
import type { CheckpointNotice } from './checkpoint-notices.js';
import { deferred } from './guards.js';
import type { SaveResult } from './store-options.js';

type CloseRequest = Extract<CheckpointRequest, { type: 'checkpoint.close' }>;

type Answer = (request: CheckpointRequest, notice: CheckpointNotice<unknown>) => void;

/** The requests that end in a save, of which is told whether it was done. */
const SAVING: ReadonlySet<CheckpointRequest['type']> = new Set([
  'checkpoint.save',
  'checkpoint.saveText',
  'checkpoint.set',
  'checkpoint.delete',
  'checkpoint.update',
  'checkpoint.restore',
] as const);

/** See the head of this file. */
export class RequestDesk {
  readonly #store: CheckpointStore<unknown>;
  readonly #answer: Answer;
  /** Before the store is ready, and while a restore is under way. */
  #isHeld = true;
  #waiting: CheckpointRequest[] = [];
  /** What nothing more will come of, but an answer that is not given yet. */
  #refusal: CheckpointError | undefined;
  readonly #working = new Set<Promise<void>>();
  readonly #closeRequests: CloseRequest[] = [];
  /** Saves that are logged, and whose round goes on. */
  #logged: { readonly sequence: number; readonly request: CheckpointRequest }[] = [];
  #committed = 0;
  #failed: { readonly sequence: number; readonly error: CheckpointError } | undefined;

  constructor(store: CheckpointStore<unknown>, answer: Answer) {
    this.#store = store;
    this.#answer = answer;
    store.subscribe((event) => {
      if (event.type === 'committed') this.#roundCommitted(event.sequence);
      else if (event.type === 'failed') this.#roundFailed(event.error);
    });
  }

  /** Takes a request; where it has to wait, what it holds is cloned. */
  take(request: CheckpointRequest): void {
    if (this.#refusal !== undefined) {
      this.#fail(request, this.#refusal);
      return;
    }
    if (request.type === 'checkpoint.heartbeat') {
      this.#store.heartbeat();
      return;
    }
    if (this.#isHeld) this.#waiting.push(ownCopy(request));
    else this.#work(request);
  }

  /** Goes on with what waits. */
  release(): void {
    this.#isHeld = false;
    while (!this.#isHeld) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#work(next);
    }
  }

  /** Nothing is taken to the store any more. */
  refuse(error: CheckpointError): void {
    this.#refusal = error;
    for (const request of this.#waiting.splice(0)) this.#fail(request, error);
  }

  /** Resolves when everybody has been answered, but for those who wait for the end. */
  async whenAnswered(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
    const error = new CheckpointError('CLOSED', 'The store is closed.', { outcome: 'unknown' });
    for (const { request } of this.#logged.splice(0)) this.#fail(request, error);
  }

  /** Those who have asked for the end. */
  get closeRequests(): readonly CloseRequest[] {
    return this.#closeRequests;
  }

  #work(request: CheckpointRequest): void {
    const work = this.#carryOut(request).catch((error: unknown) => this.#fail(request, error));
    this.#working.add(work);
    void work.then(() => this.#working.delete(work));
  }

  /** Begins at once: nothing is awaited before the store has been asked. */
  async #carryOut(request: CheckpointRequest): Promise<void> {
    const store = this.#store;
    switch (request.type) {
      case 'checkpoint.save':
        return this.#saved(request, await store.save(request.state, saveOptions(request)));
      case 'checkpoint.saveText':
        return this.#saved(request, await store.saveText(request.text, saveOptions(request)));
      case 'checkpoint.set': {
        const { path, value } = request;
        return this.#saved(request, await store.set(path, value, saveOptions(request)));
      }
      case 'checkpoint.delete':
        return this.#saved(request, await store.delete(request.path, saveOptions(request)));
      case 'checkpoint.update': {
        const { recipe } = request;
        return this.#saved(request, await store.update(recipe, saveOptions(request)));
      }
      case 'checkpoint.restore':
        return await this.#restore(request);
      case 'checkpoint.check':
        this.#answer(request, { type: 'checkpoint.checked', ...(await store.check()) });
        return;
      case 'checkpoint.flush':
        await store.flush();
        this.#answer(request, { type: 'checkpoint.flushed', sequence: store.sequence });
        return;
      case 'checkpoint.reportFailure': {
        const report = await store.reportFailure(request.error);
        this.#answer(request, { type: 'checkpoint.health', report });
        return;
      }
      case 'checkpoint.markHealthy':
        this.#answer(request, { type: 'checkpoint.health', report: await store.markHealthy() });
        return;
      case 'checkpoint.close':
        // Answered when the lock is free; nobody waits for that here.
        this.#closeRequests.push(request);
        void store.close();
        return;
      default:
        throw new TypeError('there is no such event');
    }
  }

  async #restore(request: Extract<CheckpointRequest, { type: 'checkpoint.restore' }>) {
    const { target } = request;
    if (typeof target === 'object' && target !== null && 'dryRun' in target) {
      throw new TypeError('checkpoint.restore has no dryRun: use the history of an opened store');
    }
    // What is asked for meanwhile comes after it.
    this.#isHeld = true;
    try {
      const { sequence = 0, from } = await this.#store.restore(target);
      const { state } = this.#store;
      const told = { sequence, from: from.sequence, cause: 'requested' as const, state };
      this.#answer(request, { type: 'checkpoint.restored', ...told });
    } finally {
      if (this.#refusal === undefined) this.release();
    }
  }

  #saved(request: CheckpointRequest, { sequence, durability }: SaveResult): void {
    if (durability === 'committed') {
      this.#answer(request, { type: 'checkpoint.committed', sequence });
      return;
    }
    this.#answer(request, { type: 'checkpoint.logged', sequence });
    this.#logged.push({ sequence, request });
    // Where the disk answers at once its round may be over by now.
    if (this.#committed >= sequence) this.#roundCommitted(this.#committed);
    else if (this.#failed?.sequence === sequence) this.#roundFailed(this.#failed.error);
  }

  #roundCommitted(committed: number): void {
    this.#committed = committed;
    for (const { sequence, request } of this.#takeLogged((number) => number <= committed)) {
      // As every answer it is given when its entries are in the audit.
      const gate = deferred();
      this.#store.embedding.port.answer(gate.resolve);
      const told = gate.promise.then(() =>
        this.#answer(request, { type: 'checkpoint.committed', sequence }),
      );
      this.#working.add(told);
      void told.then(() => this.#working.delete(told));
    }
  }

  #roundFailed(error: CheckpointError): void {
    const { sequence } = error.details;
    if (sequence === undefined) return;
    this.#failed = { sequence, error };
    for (const { request } of this.#takeLogged((number) => number === sequence)) {
      this.#fail(request, error);
    }
  }

  #takeLogged(isMeant: (sequence: number) => boolean) {
    const taken = this.#logged.filter(({ sequence }) => isMeant(sequence));
    this.#logged = this.#logged.filter(({ sequence }) => !isMeant(sequence));
    return taken;
  }

  #fail(request: CheckpointRequest, thrown: unknown): void {
    const { type: command } = request;
    const coded = thrown instanceof CheckpointError ? thrown : invalid(command, thrown);
    const error = SAVING.has(command) ? withOutcome(coded) : coded;
    this.#answer(request, { type: 'checkpoint.failed', error, command });
  }
}

/** What is refused before its round begins has no outcome yet: nothing was tried. */
function withOutcome(error: CheckpointError): CheckpointError {
  return error.details.outcome === undefined ? (notTried(error) ?? error) : error;
}

function saveOptions({ label, pinned, artifacts, durability }: SaveRequestOptions) {
  return { label, pinned, artifacts, durability };
}

/** What waits must not change when its sender's value does. What can't be cloned is refused later. */
function ownCopy(request: CheckpointRequest): CheckpointRequest {
  const copy = (value: unknown) => {
    try {
      return cloneValue(value);
    } catch {
      return value;
    }
  };
  if (request.type === 'checkpoint.save') return { ...request, state: copy(request.state) };
  if (request.type === 'checkpoint.set') return { ...request, value: copy(request.value) };
  return request;
}

function invalid(command: string, cause: unknown): CheckpointError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CheckpointError(
    'INVALID_COMMAND',
    `${command} can't be carried out: ${why}. Nothing was saved.`,
    { outcome: 'notSaved' },
    { cause },
  );
}
