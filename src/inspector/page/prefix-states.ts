/**
 * The state after any entry of a long list, quickly: a fold over the list that keeps every so many
 * results. Looking anywhere costs at most one stretch of steps, however long the list is; looking on
 * from where one looked last costs only the steps between. States must be immutable.
 */

const STRETCH = 256;

/** Folds `items` from the left and remembers on the way. The list may grow at its end. */
export class PrefixStates<Item, State> {
  readonly #items: readonly Item[];
  readonly #start: State;
  readonly #step: (state: State, item: Item, index: number) => State;
  /** `#kept[k]` is the state before item `k * STRETCH`. */
  readonly #kept: State[];
  #last: { readonly index: number; readonly state: State };

  constructor(
    items: readonly Item[],
    start: State,
    step: (state: State, item: Item, index: number) => State,
  ) {
    this.#items = items;
    this.#start = start;
    this.#step = step;
    this.#kept = [start];
    this.#last = { index: -1, state: start };
  }

  /** The state once item `index` has been taken; the first state for an index below 0. */
  after(index: number): State {
    const wanted = Math.min(index, this.#items.length - 1);
    if (wanted < 0) return this.#start;
    let { index: from, state } = this.#nearest(wanted);
    for (let next = from + 1; next <= wanted; next += 1) {
      const item = this.#items[next];
      if (item === undefined) break;
      if (next % STRETCH === 0 && this.#kept.length === next / STRETCH) this.#kept.push(state);
      state = this.#step(state, item, next);
      from = next;
    }
    this.#last = { index: from, state };
    return state;
  }

  /** The closest state at or before an index that is at hand. */
  #nearest(wanted: number): { readonly index: number; readonly state: State } {
    const slot = Math.min(Math.floor(wanted / STRETCH), this.#kept.length - 1);
    const start = slot * STRETCH - 1;
    const isLastNearer = this.#last.index <= wanted && this.#last.index > start;
    return isLastNearer ? this.#last : { index: start, state: this.#kept[slot] ?? this.#start };
  }
}
