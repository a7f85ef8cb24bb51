/**
 * Saves that somebody waits for: asks the machine for them, and settles their promises. While some are on
 * their way, others are held and go together, as one event; whoever has just been answered gets the chance
 * to ask again before they go. Decides nothing about durability. Ruled by
 * `docs/adr/0015-saves-are-asked-for-together.md`.
 */
import type { Durability, SaveRequest } from '../machines/checkpoint-messages.js';
import type { SaveResult } from './store-options.js';

/** Who waits for a save. */
export interface Waiting {
  readonly durability: Durability;
  resolve(result: SaveResult): void;
  reject(error: unknown): void;
  /** Where it can be aborted: forgets the signal. */
  stopListening?(): void;
}

/** Who waits for a save that a signal aborts; rejected with nothing then, it gets the signal's reason. */
export function abortable(
  waiting: Waiting,
  signal: AbortSignal | undefined,
  abort: () => void,
): Waiting {
  if (signal === undefined) return waiting;
  signal.addEventListener('abort', abort, { once: true });
  return {
    durability: waiting.durability,
    resolve: (result) => waiting.resolve(result),
    reject: (error) =>
      waiting.reject(signal.aborted && error === undefined ? signal.reason : error),
    stopListening: () => signal.removeEventListener('abort', abort),
  };
}

/**
 * So many turns of the microtask queue a caller has to go on from its answer to its next save: enough for
 * a loop inside of some `async` functions.
 */
const TURNS = 12;

/** See the head of this file. */
export class SaveDesk {
  readonly #send: (first: SaveRequest, others: readonly SaveRequest[]) => void;
  /** Those that the machine has been asked for. */
  readonly #asked = new Map<number, Waiting>();
  readonly #held = new Map<number, { readonly request: SaveRequest; readonly waiting: Waiting }>();
  /** Answers that are being given. */
  #answers = 0;

  /** @param send asks the machine for several saves at once */
  constructor(send: (first: SaveRequest, others: readonly SaveRequest[]) => void) {
    this.#send = send;
  }

  /** Whether a save that is asked for now would be held, to go together with others. */
  get isBusy(): boolean {
    return this.#asked.size > 0 || this.#answers > 0;
  }

  /** Asks for a save: at once where none is on its way. */
  ask(request: SaveRequest, waiting: Waiting): void {
    if (this.isBusy) {
      this.#held.set(request.requestId, { request, waiting });
      return;
    }
    this.#asked.set(request.requestId, waiting);
    this.#send(request, []);
  }

  /** Waits for what is asked for in another way; what is held goes before it. */
  expect(requestId: number, waiting: Waiting): void {
    this.flush();
    this.#asked.set(requestId, waiting);
  }

  /** Asks for all that is held. */
  flush(): void {
    if (this.#held.size === 0) return;
    const requests: SaveRequest[] = [];
    for (const [requestId, { request, waiting }] of this.#held) {
      this.#asked.set(requestId, waiting);
      requests.push(request);
    }
    this.#held.clear();
    const [first, ...others] = requests;
    if (first !== undefined) this.#send(first, others);
  }

  /** Those of the requests that are to be told as soon as they are logged. */
  early(requestIds: readonly number[]): number[] {
    return requestIds.filter((id) => this.#asked.get(id)?.durability === 'logged');
  }

  /** Takes who waits for a save off the desk; `undefined` where nobody does. */
  release(requestId: number): Waiting | undefined {
    const waiting = this.#asked.get(requestId) ?? this.#held.get(requestId)?.waiting;
    this.#asked.delete(requestId);
    this.#held.delete(requestId);
    waiting?.stopListening?.();
    return waiting;
  }

  /** Whether the machine has not been asked for it yet. */
  isHeld(requestId: number): boolean {
    return this.#held.has(requestId);
  }

  /** Those that the machine does not know of. */
  get heldIds(): number[] {
    return [...this.#held.keys()];
  }

  /** All that somebody waits for. */
  get ids(): number[] {
    return [...this.#asked.keys(), ...this.#held.keys()];
  }

  /**
   * Begins to answer several: until the function that is returned is called, and a little longer, what is
   * asked for is held.
   */
  answering(count: number): () => void {
    // One caller alone is not kept waiting for others.
    if (count < 2 && this.#held.size === 0) return () => {};
    this.#answers += 1;
    return () => void this.#gather();
  }

  async #gather(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await undefined;
    this.#answers -= 1;
    if (!this.isBusy) this.flush();
  }
}
