/**
 * The lines of an audit as entries and a verdict on their chain. Takes any number of files' lines, one
 * after the other, and keeps what it can: a line that is broken is told in the verdict, and the entries
 * before and after it are still there. Pure: reads no files.
 */
import {
  type AuditEntry,
  type AuditHead,
  EMPTY_HEAD,
  readAuditLine,
} from '../format/audit-entry.js';
import type { ChainVerdict } from './run-model.js';

/** Reads an audit line by line. */
export class AuditChain {
  readonly entries: AuditEntry[] = [];
  readonly #problems: string[] = [];
  #head: AuditHead | undefined;
  #lines = 0;

  /**
   * Takes a line without its line end. Returns its entry, where it is one. The first entry need not be
   * number 1: older files may have been put away.
   */
  take(line: string): AuditEntry | undefined {
    this.#lines += 1;
    const reading = readAuditLine(line);
    if ('problem' in reading) {
      const { problem, number } = reading;
      this.#say(`${number === undefined ? '' : `entry ${number}: `}${problem.message}`);
      return undefined;
    }
    const { entry } = reading;
    const head = this.#head ?? (entry.number === 1 ? EMPTY_HEAD : undefined);
    if (head !== undefined && entry.number !== head.number + 1) {
      this.#say(`entry ${entry.number} where ${head.number + 1} should be`);
    } else if (head !== undefined && entry.previous !== head.hash) {
      this.#say(`entry ${entry.number} is not tied to the entry before it`);
    }
    this.#head = entry;
    this.entries.push(entry);
    return entry;
  }

  /** What the chain has come to so far. */
  get verdict(): ChainVerdict {
    const [first] = this.#problems;
    if (first !== undefined) {
      const more = this.#problems.length - 1;
      return { intact: false, message: more === 0 ? first : `${first} (and ${more} more)` };
    }
    const from = this.entries[0]?.number ?? 1;
    const start = from === 1 ? '' : `, from entry ${from} on: what came before is not here`;
    return {
      intact: true,
      message: `${this.entries.length} entries, each tied to the one before${start}`,
    };
  }

  #say(message: string): void {
    this.#problems.push(`line ${this.#lines}: ${message}`);
  }
}
