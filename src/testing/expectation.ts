/**
 * The reference model: what may be found after a crash, by value. Kept apart from everything it checks:
 * it knows saves, edits and acknowledgements, not files. Ruled by `docs/testing.md`.
 */

import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { ExternalEditPolicy } from '../machines/recovery-decision.js';
import { type SealPromise, SealPromises } from './seal-promises.js';

/** What a change makes of a value; `undefined` is a store without state. */
export type ValueChange = (before: YamlValue | undefined) => YamlValue;

/** What a recovery may come to, frozen at one moment. */
export interface Allowed {
  /** Canonical texts of values; `(none)` for a store without state. */
  readonly values: readonly string[];
  /** No lower sequence number may be found. */
  readonly sequence: number;
  /** Acknowledged values that later saves have replaced since: history must hold them. */
  readonly past?: readonly string[];
  /**
   * The last acknowledged checkpoint by number, or a file that somebody else wrote by value: it is
   * there, or in history. Absent if somebody has destroyed its only copy, or it is not known.
   */
  readonly newest?: number | string;
  /** For each time that the store was opened again: the last number acknowledged before, and the first after. */
  readonly reopened?: readonly { readonly last: number; readonly first: number }[];
  /** What acknowledged checkpoints carry beside their state. */
  readonly seals?: readonly SealPromise[];
  /** The disk has confirmed a sync that it did not do: nothing can be said of the state any more. */
  readonly lied?: true;
}

/** What to call when a change is answered. */
export interface Answer {
  readonly acknowledged: (sequence: number) => void;
  /** Answered with an error that says that nothing was saved. */
  readonly notSaved: () => void;
}

interface Asked {
  readonly change: ValueChange;
  promised: boolean;
}

/** A checkpoint that was acknowledged; `last` is the newest change in it. */
interface Newest {
  readonly sequence: number;
  readonly last: Asked;
}

/** More changes than this are never under way at once; each doubles what has to be considered. */
const OPEN_MAX = 6;

/** See the head of this file. */
export class Expectation {
  readonly #policy: ExternalEditPolicy;
  readonly #asked: Asked[] = [];
  readonly #past: string[] = [];
  readonly #reopened: { readonly last: number; readonly first: number }[] = [];
  /** Values that an open store has in memory only: the next save puts them into history. */
  #displaced: string[] = [];
  #newest: Newest | undefined;
  /** The last number that an opening before this one acknowledged, until this one acknowledges any. */
  #before = 0;
  /** What saves carry beside their content. */
  readonly seals = new SealPromises();
  /** The highest sequence number that was acknowledged. */
  sequence = 0;
  /** Whether a save ended in a way that leaves its log for the next recovery. */
  hasLogLeft = false;

  constructor(policy: ExternalEditPolicy = 'adopt') {
    this.#policy = policy;
  }

  /** The store is opened, again perhaps. What only the store before had in memory is gone. */
  opened(): void {
    this.#before = this.sequence;
    this.#displaced = [];
  }

  /** Notes a change before it is asked for; returns what to call when it is answered. */
  ask(change: ValueChange): Answer {
    const entry: Asked = { change, promised: false };
    this.#asked.push(entry);
    return {
      acknowledged: (sequence) => this.#acknowledge(entry, sequence),
      notSaved: () => {
        this.#asked.splice(this.#asked.indexOf(entry), 1);
      },
    };
  }

  /** Somebody writes the file while the store is open; `change` makes of it a state, if it is one. */
  edited(change: ValueChange | undefined): void {
    this.seals.edited(this.hasLogLeft);
    // A save that was only logged has left its predecessor under the file's name: it is overwritten.
    if (this.hasLogLeft) this.#past.pop();
    // An edit that no save has come after is replaced unseen, so only the store's own copy counts.
    if (this.#newest !== undefined && this.#newest.sequence > 0) this.#displace(this.#newest);
    this.#newest = undefined;
    if (change === undefined) return;
    const answer = this.ask(change);
    if (!this.hasLogLeft) answer.acknowledged(0);
  }

  /**
   * What may be found now: all that was promised, in order, with or without each of the others. A
   * change that failed may be known to have failed by the store before its caller hears of it, and what
   * comes after it is then rendered without it.
   */
  allowed(): Allowed {
    const open = this.#asked.filter(({ promised }) => !promised).slice(-OPEN_MAX);
    const values = new Set<string>();
    for (let kept = 0; kept < 2 ** open.length; kept += 1) {
      const left = new Set(open.filter((_, index) => (kept >> index) % 2 === 0));
      values.add(canonical(valueAfter(this.#asked.filter((entry) => !left.has(entry)))));
    }
    const { sequence } = this;
    const [past, reopened] = [[...this.#past], [...this.#reopened]];
    const newest = this.#newest && (this.#newest.sequence || this.#valueOf(this.#newest));
    const seals = this.seals.promised();
    return { values: [...values], sequence, past, reopened, seals, ...(newest && { newest }) };
  }

  #acknowledge(entry: Asked, sequence: number): void {
    entry.promised = true;
    this.sequence = Math.max(this.sequence, sequence);
    if (sequence > this.#before && this.#before > 0) {
      this.#reopened.push({ last: this.#before, first: sequence });
      this.#before = 0;
    }
    const newest = this.#newest;
    if (newest !== undefined && newest.sequence < sequence) this.#displace(newest);
    if (sequence > 0) this.#past.push(...this.#displaced.splice(0));
    // Several saves of one round become one checkpoint, and are acknowledged in any order.
    const isOlder =
      newest?.sequence === sequence &&
      this.#asked.indexOf(entry) < this.#asked.indexOf(newest.last);
    if (!isOlder) this.#newest = { sequence, last: entry };
  }

  #displace(newest: Newest): void {
    const value = this.#valueOf(newest);
    if (value !== undefined) this.#displaced.push(value);
  }

  /**
   * Known only if nothing that it may hold or not is still unanswered. A file of somebody else's becomes a
   * checkpoint only where it is adopted; else quarantine is the place for it.
   */
  #valueOf({ sequence, last }: Newest): string | undefined {
    if (sequence === 0 && this.#policy !== 'adopt') return undefined;
    const asked = this.#asked.slice(0, this.#asked.indexOf(last) + 1);
    return asked.every(({ promised }) => promised) ? canonical(valueAfter(asked)) : undefined;
  }
}

function valueAfter(asked: readonly Asked[]): YamlValue | undefined {
  let value: YamlValue | undefined;
  for (const { change } of asked) value = change(value);
  return value;
}

/** A value as text that is equal for equal values. */
export function canonical(value: unknown): string {
  if (value === undefined) return '(none)';
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
