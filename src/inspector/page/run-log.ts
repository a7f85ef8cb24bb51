/**
 * The entries of a run, and what follows from them: states at any entry, times between steps, and for
 * each answer of I/O the entry at which it was asked for. Grows at its end; looking is never linear.
 */
import type { AuditEntry } from '../../format/audit-entry.js';
import { type DerivedDisk, stepDisk, unknownDisk } from './derived-disk.js';
import { type MachineStates, noMachines, statesIn, stepMachines } from './machine-states.js';
import { PrefixStates } from './prefix-states.js';

/** A request for an operation: asked for by entry `at`, answered by entry `answer`. */
export interface Request {
  readonly operation: string;
  readonly at: number;
  readonly answer: number;
}

/** Whether an operation is one of those that wait for the disk. */
export function isSync({ operation }: Pick<Request, 'operation'>): boolean {
  return operation.startsWith('sync');
}

/** See the head of this file. */
export class RunLog {
  readonly entries: AuditEntry[] = [];
  readonly #machines = new PrefixStates(this.entries, noMachines, stepMachines);
  readonly #disk = new PrefixStates(this.entries, unknownDisk, stepDisk);
  /** Where each active state of each machine was entered, while entries are taken in. */
  readonly #entered = new Map<string, Map<string, number>>();
  readonly #requestBy = new Map<number, Request>();
  readonly #answers = new Map<number, Request>();
  readonly #names = new Set<string>();
  #slowest = 0;
  #slowestSync = 0;

  constructor(entries: readonly AuditEntry[] = []) {
    this.append(entries);
  }

  /** Takes further entries. */
  append(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      this.entries.push(entry);
      this.#pair(entry, this.entries.length - 1);
    }
  }

  /** The names of the machines that took part, in the order in which they did. */
  get machines(): readonly string[] {
    return [...this.#names];
  }

  /** The longest time that any operation took. */
  get slowestUs(): number {
    return this.#slowest;
  }

  /** The longest time that any sync took. */
  get slowestSyncUs(): number {
    return this.#slowestSync;
  }

  /** The states of all machines after an entry. */
  machinesAfter(index: number): MachineStates {
    return this.#machines.after(index);
  }

  /** What the protocol has made of the disk after an entry. */
  diskAfter(index: number): DerivedDisk {
    return this.#disk.after(index);
  }

  /** What the state that entry `index` entered has asked for, if an answer came. */
  requestAt(index: number): Request | undefined {
    return this.#requestBy.get(index);
  }

  /** The request that entry `index` answers. */
  requestOf(index: number): Request | undefined {
    return this.#answers.get(index);
  }

  /** Microseconds between an entry and the one before it; by the wall clock from one run to the next. */
  sinceBefore(index: number): number {
    return index <= 0 ? 0 : this.between(index - 1, index);
  }

  /** Microseconds from one entry to another. */
  between(first: number, second: number): number {
    const before = this.entries[first];
    const after = this.entries[second];
    if (before === undefined || after === undefined) return 0;
    const sameRun = before.process === after.process && after.elapsedUs >= before.elapsedUs;
    if (sameRun) return after.elapsedUs - before.elapsedUs;
    return Math.max(0, (Date.parse(after.time) - Date.parse(before.time)) * 1000);
  }

  /** How long the operation took that entry `index` answers. */
  tookUs(index: number): number | undefined {
    const request = this.#answers.get(index);
    return request && this.between(request.at, index);
  }

  #pair(entry: AuditEntry, index: number): void {
    const { machine } = entry;
    this.#names.add(machine);
    const entered = entry.from === '' ? new Map<string, number>() : this.#enteredBy(machine);
    const from = statesIn(entry.from);
    const to = statesIn(entry.to);
    const operation = /^(\w+)\.(?:done|failed)$/.exec(entry.event)?.[1];
    const at = from.map((path) => entered.get(path)).find((found) => found !== undefined);
    // Of several transitions that one answer brings about, only the first is its arrival: the others
    // leave a state that the same event has entered.
    const follows = at !== undefined && this.entries[at]?.event === entry.event;
    if (entry.by === 'io' && operation !== undefined && at !== undefined && !follows) {
      const request = { operation, at, answer: index };
      this.#requestBy.set(at, request);
      this.#answers.set(index, request);
      const took = this.between(at, index);
      this.#slowest = Math.max(this.#slowest, took);
      if (isSync(request)) this.#slowestSync = Math.max(this.#slowestSync, took);
    }
    const moved = entry.from !== entry.to;
    if (moved) {
      for (const path of from) entered.delete(path);
      for (const path of to) entered.set(path, index);
    }
    this.#entered.set(machine, entered);
  }

  #enteredBy(machine: string): Map<string, number> {
    return this.#entered.get(machine) ?? new Map<string, number>();
  }
}
