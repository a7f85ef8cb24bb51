/**
 * The moments of one run at which a crash is looked at: after every operation that changes what a crash
 * would find, and at every transition of the machines.
 */
import type { InspectionEvent } from 'xstate';
import type { DiskState, InodeFacts } from '../io/disk-state.js';
import { firstTick } from '../io/memory-file-system.js';
import type { DiskMoment, SimulatedDisk } from '../io/simulated-disk.js';
import { seesAll } from '../store/guards.js';
import { Coverage } from './coverage.js';

/** What had been promised, and the same as a text. */
export interface KeptPromise<Promised> {
  readonly promised: Promised;
  readonly promisedKey: string;
}

/** The disk and what had been promised, at one moment. */
export interface Moment<Promised> extends KeptPromise<Promised> {
  readonly disk: DiskMoment;
  readonly at: string;
  /** Transitions taken since the moment before. */
  readonly transitions: string[];
}

/** A `Probe` that collects the moments of one run; those that nothing tells apart are one. */
export class MomentRecorder<Promised> {
  readonly #disk: SimulatedDisk;
  readonly #moments: Moment<Promised>[] = [];
  #promised: (() => KeptPromise<Promised>) | undefined;
  #transitions: string[] = [];
  #state = 'start';
  #changes = 0;
  /** How many changes there had been at the newest moment. */
  #taken = -1;
  #isPaused = false;

  /** Records what is done on `disk`. `promise`: what has been promised and stays so all the time. */
  constructor(disk: SimulatedDisk, promise?: KeptPromise<Promised>) {
    this.#disk = disk;
    disk.onChange(() => this.#changed());
    if (promise === undefined) return;
    this.#promised = () => promise;
    this.#take();
  }

  readonly inspect = seesAll((event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    this.#transitions.push(...Coverage.keysOf(event));
    this.#state = Coverage.stateOf(event) ?? this.#state;
    this.#take();
  });

  readonly promises = (ask: () => Promised): void => {
    this.#promised = () => {
      const promised = ask();
      return { promised, promisedKey: JSON.stringify(promised) };
    };
    this.#take();
  };

  readonly outside = (act: () => void): void => {
    this.#isPaused = true;
    try {
      act();
    } finally {
      this.#isPaused = false;
    }
    this.#changed();
  };

  end(): Moment<Promised>[] {
    this.#take();
    this.#disk.onChange(undefined);
    return this.#moments;
  }

  #changed(): void {
    this.#changes += 1;
    this.#take();
  }

  /** Moments before anything could be promised are not looked at. */
  #take(): void {
    if (this.#isPaused || this.#promised === undefined) return;
    const transitions = this.#transitions;
    this.#transitions = [];
    const { promised, promisedKey } = this.#promised();
    const last = this.#moments.at(-1);
    if (this.#changes === this.#taken && last?.promisedKey === promisedKey) {
      last.transitions.push(...transitions);
      return;
    }
    this.#taken = this.#changes;
    const at = `${this.#state}, after ${this.#changes} changes`;
    this.#moments.push({
      disk: timeless(this.#disk.moment()),
      promised,
      promisedKey,
      at,
      transitions,
    });
  }
}

const timelessFacts = new WeakMap<DiskState['inodes'], DiskState['inodes']>();

/**
 * The same moment with one time for all that is on the disk, so that no recovery can tell images apart
 * by when something was written: that differs between crashes that leave the same names and bytes.
 */
function timeless(moment: DiskMoment): DiskMoment {
  const { inodes } = moment.durable;
  let facts = timelessFacts.get(inodes);
  if (facts === undefined) {
    facts = new Map();
    for (const [number, one] of inodes) facts.set(number, withTime(one));
    timelessFacts.set(inodes, facts);
  }
  return { ...moment, durable: { ...moment.durable, inodes: facts } };
}

function withTime(facts: InodeFacts): InodeFacts {
  const times = { modifiedMs: firstTick, changedMs: firstTick };
  return { ...facts, attributes: { ...facts.attributes, ...times } };
}

/** The moments of the same run on an image that has `own` bytes in files that nobody looks into. */
export function momentsOn<Promised>(
  moments: readonly Moment<Promised>[],
  own: ReadonlyMap<number, Uint8Array>,
  { promised, promisedKey }: KeptPromise<Promised>,
): readonly Moment<Promised>[] {
  const changed = new Map<DiskState['files'], DiskState['files']>();
  const filesOn = (files: DiskState['files']) => {
    const known = changed.get(files) ?? new Map([...files, ...own]);
    changed.set(files, known);
    return known;
  };
  return moments.map((moment) => {
    if (own.size === 0) return { ...moment, promised, promisedKey };
    const { durable } = moment.disk;
    const disk = { ...moment.disk, durable: { ...durable, files: filesOn(durable.files) } };
    return { ...moment, disk, promised, promisedKey };
  });
}
