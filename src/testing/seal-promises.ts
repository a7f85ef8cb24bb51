/**
 * What is promised of a checkpoint beside its state: its label, its pin and its list of artifacts. Part
 * of the reference model: it knows what was asked for and answered, not files. A checkpoint of several saves has the newest label and the newest list of them.
 */

/** What a save may ask for beside its content. */
export interface SealedWith {
  readonly label?: string;
  /** Needs a label. */
  readonly pinned?: true;
  /** Names of files in the scenario's `files`. */
  readonly artifacts?: readonly string[];
}

/** What may be found in one acknowledged checkpoint. */
export interface SealPromise {
  /** Of the checkpoint whose seal it is about. */
  readonly sequence: number;
  /** Labels with their pins, and lists of artifacts, as text; one of each must be found. */
  readonly names: readonly string[];
  /** Lists of artifacts, as text; one of them must be found. */
  readonly lists: readonly string[];
  /** Whether the checkpoint itself must be there, for it is pinned. */
  readonly stays: boolean;
}

/** What to call when a save is answered. */
export interface SealAnswer {
  readonly acknowledged: (sequence: number) => void;
  readonly notSaved: () => void;
}

interface AskedSave {
  readonly step: SealedWith;
  /** Of the checkpoint that it went into; `undefined` until it is known. */
  sequence: number | undefined;
}

/** A label with its pin as text that is equal for equal ones. */
export function nameOf({
  label,
  pinned = false,
}: {
  readonly label?: string | undefined;
  readonly pinned?: boolean | undefined;
}): string {
  return JSON.stringify([label ?? null, pinned]);
}

/** A list of artifacts as text that is equal for equal ones. */
export function listOf(paths: readonly string[]): string {
  return JSON.stringify(paths);
}

const UNNAMED = nameOf({});

/** See the head of this file. */
export class SealPromises {
  #asked: AskedSave[] = [];
  /** Checkpoints whose only copy somebody may have written over. */
  readonly #exposed = new Set<number>();
  #isUsed = false;

  /** Notes a save before it is asked for. */
  ask(step: SealedWith): SealAnswer {
    const { label, pinned, artifacts } = step;
    this.#isUsed ||= label !== undefined || pinned !== undefined || artifacts !== undefined;
    const entry: AskedSave = { step, sequence: undefined };
    this.#asked.push(entry);
    return {
      acknowledged: (sequence) => {
        entry.sequence = sequence;
      },
      notSaved: () => {
        this.#asked = this.#asked.filter((one) => one !== entry);
      },
    };
  }

  /**
   * Somebody writes the file: the newest checkpoint may have had no other copy; nor the one before it,
   * where the newest was only logged.
   */
  edited(hasLogLeft: boolean): void {
    for (const sequence of this.#sequences().slice(hasLogLeft ? -2 : -1)) {
      this.#exposed.add(sequence);
    }
  }

  /** What is promised now. */
  promised(): SealPromise[] {
    if (!this.#isUsed) return [];
    let before = [listOf([])];
    return this.#sequences().map((sequence) => {
      const named = this.#last(sequence, ({ label }) => label !== undefined);
      const names = [
        named.found === undefined ? UNNAMED : nameOf(named.found),
        ...named.open.map(nameOf),
      ];
      const listing = this.#last(sequence, ({ artifacts }) => artifacts !== undefined);
      const own = listing.found?.artifacts;
      const maybe = listing.open.map(({ artifacts = [] }) => listOf(artifacts));
      const lists = [...(own === undefined ? before : [listOf(own)]), ...maybe];
      before = lists;
      const isPinned = names.length === 1 && named.found?.pinned === true;
      return { sequence, names, lists, stays: isPinned && !this.#exposed.has(sequence) };
    });
  }

  #sequences(): number[] {
    const known = this.#asked.flatMap(({ sequence }) => sequence ?? []);
    return [...new Set(known)].sort((left, right) => left - right);
  }

  /** The newest such save of a checkpoint, and those that may have gone into it too, as newer ones. */
  #last(sequence: number, has: (step: SealedWith) => boolean) {
    const at = this.#asked.findLastIndex((one) => one.sequence === sequence && has(one.step));
    const open = this.#asked
      .slice(at + 1)
      .filter((one) => one.sequence === undefined && has(one.step))
      .map(({ step }) => step);
    return { found: this.#asked[at]?.step, open };
  }
}
