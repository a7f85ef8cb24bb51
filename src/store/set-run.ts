/**
 * Sets that follow each other on their way into one text. They are applied to one working copy, in which
 * each list and map is copied once, however many sets change it: what nobody was handed may be changed in
 * place. What anybody was handed is never changed again. Ruled by `docs/adr/0014-one-text-for-a-round.md`.
 */
import { getAt, setAt } from '../format/yaml/path-access.js';
import type { YamlPath } from '../format/yaml/yaml-path.js';
import { isList, type YamlValue } from '../format/yaml/yaml-value.js';

/** One place that gets a value, or with `undefined` is removed. */
export interface PlaceSet {
  readonly path: YamlPath;
  readonly value: YamlValue | undefined;
}

/** See the head of this file. */
export class SetRun {
  readonly #base: YamlValue;
  readonly #sets: PlaceSet[] = [];
  /** The lists and maps of the working copy that were copied for it. */
  #own: Set<object> | undefined = new Set();
  #value: YamlValue;

  /** @param base what the first set is applied to; it is not changed */
  constructor(base: YamlValue) {
    this.#base = base;
    this.#value = base;
  }

  /** Whether one more set can be applied after so many. */
  isOpenAfter(count: number): boolean {
    return this.#own !== undefined && this.#sets.length === count;
  }

  /**
   * Applies one more set; the run must be open.
   * @returns whether it removes an item of a list, so that those behind it move
   * @throws CheckpointError as `setAt` does; the run is as it was then
   */
  add(set: PlaceSet): boolean {
    // A state that is empty is begun with a mapping.
    const before = this.#value ?? {};
    const removes = set.value === undefined && isList(getAt(before, set.path.slice(0, -1)));
    this.#value = setAt(before, set.path, set.value, this.#own);
    this.#sets.push(set);
    return removes;
  }

  /** What the first sets of the run make of its base. With that of all of them the run ends. */
  valueAfter(count: number): YamlValue {
    if (count === this.#sets.length) {
      this.#own = undefined;
      return this.#value;
    }
    const again = new SetRun(this.#base);
    for (const set of this.#sets.slice(0, count)) again.add(set);
    return again.#value;
  }
}
