/**
 * What waits for its place in the audit's chain, and what has it and waits to be written. Knows no files.
 * Entries get their place in the order in which they came; ruled by `docs/audit.md`.
 */
import {
  type AuditDetails,
  type AuditEntry,
  type AuditFacts,
  type AuditHead,
  EMPTY_HEAD,
  sealEntry,
} from '../format/audit-entry.js';

/** More than this is not kept in memory while the file can't be written. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

const encoder = new TextEncoder();

/** Entries between the machines and the file. */
export class AuditQueue {
  /** How far entries are durable, and how far an entry says so. */
  durable = 0;
  /** Bytes that wait in memory. */
  waitingBytes = 0;
  /** Whether lines are kept to be written; where there is no file, entries are only told. */
  isWritten = true;
  #head: AuditHead = EMPTY_HEAD;
  #durableTold = 0;
  readonly #listeners = new Set<(entry: AuditEntry) => void>();
  /** What has its place in the chain as soon as there is time, or need. */
  #untold: (() => AuditFacts)[] = [];
  #telling: NodeJS.Immediate | undefined;
  #lines: string[] = [];
  #lost = 0;
  #lostTold = 0;

  /** The last entry of the chain, all that was taken included. */
  get head(): AuditHead {
    this.tellAll();
    return this.#head;
  }

  /** Goes on behind another chain. Nothing may have been taken yet. */
  set head(head: AuditHead) {
    this.#head = head;
  }

  /** The number of the first entry that waits to be written, or of the next one. */
  get next(): number {
    this.tellAll();
    return firstNumberOf(this.#lines) ?? this.#head.number + 1;
  }

  /** Entries that were given up because too many waited. */
  get lost(): number {
    return this.#lost;
  }

  /** Gives up entries that never had a place. */
  lose(count: number): void {
    this.#lost += count;
  }

  /** How many were lost since this was last asked; 0 as long as too many wait. */
  takeLost(): number {
    if (this.waitingBytes > MAX_WAITING_BYTES) return 0;
    const count = this.#lost - this.#lostTold;
    this.#lostTold = this.#lost;
    return count;
  }

  /** Tells each entry as soon as it has its place in the chain. @returns what ends that */
  listen(listener: (entry: AuditEntry) => void): () => void {
    this.tellAll();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes an entry. Its place is found while the disk is waited for, instead of before; whoever asks what
   * is here, or is told each entry, does not wait for that.
   */
  take(facts: () => AuditFacts): void {
    this.#untold.push(facts);
    if (this.#listeners.size > 0) this.tellAll();
    else this.#telling ??= setImmediate(() => this.tellAll());
  }

  /** Gives all that was taken its place. */
  tellAll(): void {
    clearImmediate(this.#telling);
    this.#telling = undefined;
    const untold = this.#untold;
    this.#untold = [];
    for (const facts of untold) this.#seal(facts());
  }

  /** Lines that were not written yet, and the number of the last of them. */
  takeLines(): { readonly bytes: Uint8Array; readonly last: number } {
    this.tellAll();
    const bytes = encoder.encode(this.#lines.join(''));
    this.#lines = [];
    return { bytes, last: this.#head.number };
  }

  #seal(facts: AuditFacts): void {
    if (this.waitingBytes > MAX_WAITING_BYTES) {
      this.#lost += 1;
      return;
    }
    const { entry, line } = sealEntry(this.#withDurable(facts), this.#head);
    // What listeners do to an entry must not reach the chain.
    this.#head = { number: entry.number, hash: entry.hash };
    if (this.isWritten) {
      this.#lines.push(line);
      this.waitingBytes += line.length;
    }
    for (const listener of this.#listeners) {
      try {
        listener(entry);
      } catch {
        // Somebody else's mistake must not stop a machine half-way.
      }
    }
  }

  /** The first entry after a sync says what is durable: damage before that is no crash's. */
  #withDurable(facts: AuditFacts): AuditFacts {
    const { durable } = this;
    if (durable === this.#durableTold) return facts;
    this.#durableTold = durable;
    const details: AuditDetails = { ...facts.details, durable };
    return { ...facts, details };
  }
}

function firstNumberOf([line]: readonly string[]): number | undefined {
  const digits = line === undefined ? undefined : /^\{"number":(\d+)/.exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
