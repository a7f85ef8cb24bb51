/**
 * Things that are opened when they are asked for, shared by who asks, and at most so many at once:
 * leases, the queue of those who wait for room, and which idle one has to go. Knows nothing of stores.
 *
 * Invariants:
 * - a name is open at most once: whoever asks while it is being closed waits for that;
 * - never more than `openMax` are open, being opened or being closed;
 * - whoever waits for room gets it in order; nobody is dropped;
 * - what is leased is closed by {@link LeasePool.close} alone.
 */
import type { Timers } from '../io/file-watcher.js';

/** Something that was opened. */
export interface Opened<T> {
  readonly value: T;
  /** Whether it is of no use any more: it is leased to nobody else, and opened anew when it is free. */
  readonly isSpent: () => boolean;
  readonly close: () => Promise<void>;
}

/** Settings of a {@link LeasePool}. */
export interface LeasePoolOptions<T> {
  readonly open: (name: string) => Promise<Opened<T>>;
  /** An integer from 1. */
  readonly openMax: number;
  /** How long something that nobody holds stays open, in milliseconds; `Infinity` as long as there is room. */
  readonly idleMs: number;
  readonly timers: Timers;
  /** The error of those who ask when the pool is closed. */
  readonly closedError: () => Error;
}

/** What somebody holds, until it is released. */
export interface PoolLease<T> {
  readonly value: T;
  /** Safe to call twice. Resolves at once, or when what was spent has been closed. */
  readonly release: () => Promise<void>;
}

/** Numbers of a pool. */
export interface LeasePoolStats {
  /** Open, being opened or being closed. */
  readonly open: number;
  /** Of them, those that somebody holds or waits for. */
  readonly inUse: number;
  /** Calls that wait for room, or for the end of a closing. */
  readonly waiting: number;
  /** How often something was opened, failed to open, and was closed, since the beginning. */
  readonly opened: number;
  readonly failed: number;
  readonly closed: number;
}

interface Claim<T> {
  readonly grant: (lease: PoolLease<T>) => void;
  readonly refuse: (error: unknown) => void;
}

interface Entry<T> {
  readonly name: string;
  /** Those who wait for it to be open. */
  readonly claims: Set<Claim<T>>;
  state: 'opening' | 'open' | 'closing';
  opened: Opened<T> | undefined;
  leases: number;
  /** The opening or closing that is going on. */
  work: Promise<void>;
  timer: unknown;
}

/** See the head of this file. */
export class LeasePool<T> {
  readonly #options: LeasePoolOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  /** Those who hold nothing, by what they want, in the order in which it was first asked for. */
  readonly #wanted = new Map<string, Set<Claim<T>>>();
  /** Open and held by nobody, the longest idle first. */
  readonly #idle = new Set<Entry<T>>();
  readonly #counts = { opened: 0, failed: 0, closed: 0 };
  #isClosed = false;

  constructor(options: LeasePoolOptions<T>) {
    this.#options = options;
  }

  /** The numbers now. */
  stats(): LeasePoolStats {
    const entries = [...this.#entries.values()];
    const waiting = [...this.#wanted.values()].reduce((sum, { size }) => sum + size, 0);
    const inUse = entries.filter(({ leases, claims }) => leases + claims.size > 0).length;
    return { open: entries.length, inUse, waiting, ...this.#counts };
  }

  /** Whether it is open, being opened or being closed. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Rejects with what opening throws, with the signal's reason, or because the pool is closed. */
  async lease(name: string, signal?: AbortSignal): Promise<PoolLease<T>> {
    signal?.throwIfAborted();
    if (this.#isClosed) throw this.#options.closedError();
    const entry = this.#entries.get(name);
    if (entry?.state === 'open' && !isSpent(entry)) return this.#grant(entry);
    const claims = entry?.state === 'opening' ? entry.claims : this.#claimsOn(name);
    return await new Promise<PoolLease<T>>((resolve, reject) => {
      const abort = () => {
        claims.delete(claim);
        if (claims.size === 0 && this.#wanted.get(name) === claims) this.#wanted.delete(name);
        reject(signal?.reason);
      };
      const settled = () => signal?.removeEventListener('abort', abort);
      const claim: Claim<T> = {
        grant: (lease) => {
          settled();
          resolve(lease);
        },
        refuse: (error) => {
          settled();
          reject(error);
        },
      };
      claims.add(claim);
      signal?.addEventListener('abort', abort, { once: true });
      this.#serve();
    });
  }

  /** Refuses who waits, and closes everything, also what is held. Resolves when nothing is open any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const claims of this.#wanted.values()) this.#refuse(claims, this.#options.closedError());
    this.#wanted.clear();
    for (const entry of this.#entries.values()) {
      if (entry.state === 'opening') this.#refuse(entry.claims, this.#options.closedError());
      if (entry.state === 'open') this.#close(entry);
    }
    while (this.#entries.size > 0) {
      await Promise.all([...this.#entries.values()].map(({ work }) => work));
    }
  }

  #claimsOn(name: string): Set<Claim<T>> {
    const claims = this.#wanted.get(name) ?? new Set();
    this.#wanted.set(name, claims);
    return claims;
  }

  #refuse(claims: Set<Claim<T>>, error: unknown): void {
    for (const { refuse } of claims) refuse(error);
    claims.clear();
  }

  /** Opens what is wanted where there is room, in order, and makes room for the rest. */
  #serve(): void {
    let missing = 0;
    for (const [name, claims] of this.#wanted) {
      const entry = this.#entries.get(name);
      if (entry === undefined) {
        if (this.#entries.size < this.#options.openMax) this.#start(name, claims);
        else missing += 1;
      } else if (entry.state === 'open' && entry.leases === 0) {
        // Spent while nobody held it.
        this.#close(entry);
      }
    }
    for (const { state, name } of this.#entries.values()) {
      if (state === 'closing' && !this.#wanted.has(name)) missing -= 1;
    }
    for (const entry of this.#idle) {
      if (missing <= 0) return;
      this.#close(entry);
      missing -= 1;
    }
  }

  #start(name: string, claims: Set<Claim<T>>): void {
    this.#wanted.delete(name);
    const entry: Entry<T> = {
      name,
      claims,
      state: 'opening',
      opened: undefined,
      leases: 0,
      work: Promise.resolve(),
      timer: undefined,
    };
    this.#entries.set(name, entry);
    entry.work = this.#open(entry);
  }

  async #open(entry: Entry<T>): Promise<void> {
    const { name, claims } = entry;
    try {
      entry.opened = await this.#options.open(name);
    } catch (error) {
      this.#counts.failed += 1;
      this.#entries.delete(name);
      this.#refuse(claims, error);
      this.#serve();
      return;
    }
    this.#counts.opened += 1;
    entry.state = 'open';
    const waiting = [...claims];
    claims.clear();
    for (const { grant } of waiting) grant(this.#grant(entry));
    if (entry.leases === 0) this.#setIdle(entry);
  }

  #grant(entry: Entry<T>): PoolLease<T> {
    const { opened } = entry;
    if (opened === undefined) throw new TypeError(`${entry.name} is not open`);
    entry.leases += 1;
    this.#idle.delete(entry);
    this.#stopTimer(entry);
    let isHeld = true;
    return {
      value: opened.value,
      release: async () => {
        if (isHeld) {
          isHeld = false;
          entry.leases -= 1;
          if (entry.leases === 0 && entry.state === 'open') this.#setIdle(entry);
        }
        if (entry.state === 'closing' && isSpent(entry)) await entry.work;
      },
    };
  }

  #setIdle(entry: Entry<T>): void {
    if (this.#isClosed || isSpent(entry)) {
      this.#close(entry);
      return;
    }
    this.#idle.add(entry);
    const { idleMs, timers } = this.#options;
    if (idleMs !== Number.POSITIVE_INFINITY) {
      entry.timer = timers.setTimeout(() => this.#close(entry), idleMs);
    }
    this.#serve();
  }

  #close(entry: Entry<T>): void {
    entry.state = 'closing';
    this.#idle.delete(entry);
    this.#stopTimer(entry);
    entry.work = this.#shut(entry);
  }

  async #shut(entry: Entry<T>): Promise<void> {
    try {
      await entry.opened?.close();
    } catch {
      // What a closing could not do is for what was opened to tell; there is room again either way.
    }
    this.#counts.closed += 1;
    this.#entries.delete(entry.name);
    this.#serve();
  }

  #stopTimer(entry: Entry<T>): void {
    if (entry.timer !== undefined) this.#options.timers.clearTimeout(entry.timer);
    entry.timer = undefined;
  }
}

function isSpent<T>({ opened }: Entry<T>): boolean {
  return opened?.isSpent() === true;
}
