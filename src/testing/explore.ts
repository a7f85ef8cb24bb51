/**
 * The explorer: runs a scenario once on a simulated disk, stops the clock after every operation that
 * changes what a crash would find and at every transition of every machine, takes the crash images of
 * that moment, recovers each, and crashes that recovery in the same way. Checks what comes out
 * (`check-recovery.ts`) and counts at which transitions it crashed (`coverage.ts`).
 */
import type { InspectionEvent } from 'xstate';
import { sha256Hex } from '../format/bytes.js';
import { type CrashImage, crashImages, fingerprint, mount } from '../io/crash-images.js';
import type { FileSystem } from '../io/file-system.js';
import { type DiskMoment, type PersistenceModel, SimulatedDisk } from '../io/simulated-disk.js';
import type { openCheckpointStore } from '../store.js';
import { type Check, checkRecovery, type Failure, recover } from './check-recovery.js';
import { Coverage } from './coverage.js';
import {
  type Allowed,
  Expectation,
  LAB_DIRECTORY,
  LAB_FILE,
  prepare,
  runScenario,
  type Scenario,
} from './scenario.js';

/** How far to go. */
export interface ExploreOptions {
  readonly model: PersistenceModel;
  readonly seed: number;
  /** How many crashes in a row: 1 crashes the scenario, 2 also the recovery, and so on. */
  readonly depth: number;
  /** Most images of one moment, by depth; the last number counts for all deeper ones. */
  readonly imagesPerMoment: readonly number[];
  /** Stop after this many failures. */
  readonly failuresMax: number;
  /** Opens a store; a broken variant of it, where the checker is being checked. */
  readonly open: typeof openCheckpointStore;
  /** Puts faults between the store and the disk, if any. */
  readonly over?: (disk: SimulatedDisk) => FileSystem;
  /** Milliseconds after which no further moment is begun. */
  readonly timeMs?: number;
  readonly now?: () => number;
  readonly onProgress?: (counts: ExploreCounts) => void;
}

/** What was done. */
export interface ExploreCounts {
  /** Moments at which the clock was stopped. */
  moments: number;
  /** Crash images taken, and of them those that no earlier image equalled. */
  images: number;
  distinct: number;
  /** Recoveries run to their end and checked. */
  recoveries: number;
  failures: number;
}

/** The outcome of an exploration. */
export interface ExploreReport {
  readonly scenario: Scenario;
  readonly counts: ExploreCounts;
  readonly failures: readonly FoundFailure[];
  readonly coverage: Coverage;
  /** Whether every image of every moment was taken, rather than a sample. */
  readonly exhaustive: boolean;
}

/** A failed check and how to come to it again. */
export interface FoundFailure extends Failure {
  /** What happened up to each crash in turn, and what became of each pending operation. */
  readonly trail: readonly TrailStep[];
}

/** One crash. */
export interface TrailStep {
  /** What the program was at. */
  readonly at: string;
  readonly fates: readonly string[];
}

interface Moment {
  readonly disk: DiskMoment;
  readonly allowed: Allowed;
  readonly at: string;
  /** Transitions taken since the moment before. */
  readonly transitions: string[];
}

/** Runs one scenario through the lab. */
export async function explore(scenario: Scenario, options: ExploreOptions): Promise<ExploreReport> {
  const exploration = new Exploration(scenario, options);
  await exploration.run();
  return exploration.report();
}

class Exploration {
  readonly #scenario: Scenario;
  readonly #options: ExploreOptions;
  readonly #coverage = new Coverage();
  readonly #counts: ExploreCounts = {
    moments: 0,
    images: 0,
    distinct: 0,
    recoveries: 0,
    failures: 0,
  };
  readonly #failures: FoundFailure[] = [];
  readonly #seen = new Set<string>();
  readonly #settled = new Map<string, Check>();
  readonly #deadline: number;
  #exhaustive = true;

  constructor(scenario: Scenario, options: ExploreOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#deadline = (options.timeMs ?? Number.POSITIVE_INFINITY) + this.#now();
  }

  async run(): Promise<void> {
    const moments = await this.#moments();
    for (const moment of moments) {
      if (this.#isOver()) return;
      await this.#crash(moment, [], 1);
    }
  }

  report(): ExploreReport {
    return {
      scenario: this.#scenario,
      counts: this.#counts,
      failures: this.#failures,
      coverage: this.#coverage,
      exhaustive: this.#exhaustive,
    };
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }

  #isOver(): boolean {
    const tooMany = this.#failures.length >= this.#options.failuresMax;
    const isOver = tooMany || this.#now() > this.#deadline;
    if (isOver) this.#exhaustive = false;
    return isOver;
  }

  /** One run of the scenario, stopped at every change. */
  async #moments(): Promise<Moment[]> {
    const disk = new SimulatedDisk({ model: this.#options.model });
    const expectation = new Expectation();
    const recorder = new MomentRecorder(disk, () => expectation.allowed());
    const world = {
      disk,
      expectation,
      open: () =>
        this.#options.open({
          directory: LAB_DIRECTORY,
          file: LAB_FILE,
          fileSystem: this.#options.over?.(disk) ?? disk,
          externalEdits: this.#scenario.externalEdits,
          inspect: recorder.inspect,
        }),
      outside: (act: () => void) => recorder.pause(act),
    };
    recorder.pause(() => prepare(this.#scenario, world));
    await runScenario(this.#scenario, world);
    return recorder.end();
  }

  /** Takes the images of a moment and follows each. */
  async #crash(moment: Moment, trail: readonly TrailStep[], depth: number): Promise<void> {
    const { imagesPerMoment, seed } = this.#options;
    const limit = imagesPerMoment[Math.min(depth, imagesPerMoment.length) - 1] ?? 1;
    this.#counts.moments += 1;
    const { images, chosen } = crashImages(moment.disk, {
      limit,
      seed: seed + this.#counts.moments,
    });
    if (chosen === 'sampled') this.#exhaustive = false;
    for (const image of images) {
      if (this.#isOver()) return;
      this.#counts.images += 1;
      this.#coverage.count(moment.transitions);
      const { values, sequence } = moment.allowed;
      const key = `${depth}|${sequence}|${values}|${fingerprint(image.state, sha256Hex)}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#counts.distinct += 1;
      const here = { at: moment.at, fates: image.fates };
      await this.#follow(image, moment.allowed, [...trail, here], depth);
      if (this.#counts.distinct % 256 === 0) this.#options.onProgress?.(this.#counts);
    }
  }

  /** Recovers one image, checks what comes out, and crashes that recovery if the depth allows. */
  async #follow(
    image: CrashImage,
    allowed: Allowed,
    trail: readonly TrailStep[],
    depth: number,
  ): Promise<void> {
    const disk = mount(image.state, this.#options.model);
    const goesDeeper = depth < this.#options.depth;
    const recorder = new MomentRecorder(disk, () => allowed);
    const settings = { open: this.#options.open, externalEdits: this.#scenario.externalEdits };
    const outcome = await recover(disk, {
      ...settings,
      inspect: goesDeeper ? recorder.inspect : undefined,
    });
    this.#counts.recoveries += 1;
    const inner = goesDeeper ? recorder.end() : [];
    const failures = await checkRecovery(
      { before: image.state, disk, outcome, allowed },
      settings,
      this.#settled,
    );
    for (const failure of failures) this.#fail({ ...failure, trail });
    for (const moment of inner) {
      if (this.#isOver()) return;
      await this.#crash(moment, trail, depth + 1);
    }
  }

  #fail(failure: FoundFailure): void {
    this.#counts.failures += 1;
    if (this.#failures.length < this.#options.failuresMax) this.#failures.push(failure);
  }
}

/** Collects the moments of one run; equal ones that follow one another are one. */
class MomentRecorder {
  readonly #disk: SimulatedDisk;
  readonly #allowed: () => Allowed;
  readonly #moments: Moment[] = [];
  #transitions: string[] = [];
  #state = 'start';
  #changes = 0;
  /** How many changes there had been at the newest moment. */
  #taken = -1;
  #isPaused = false;

  constructor(disk: SimulatedDisk, allowed: () => Allowed) {
    this.#disk = disk;
    this.#allowed = allowed;
    disk.onChange(() => this.#changed());
    this.#take();
  }

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    this.#transitions.push(...Coverage.keysOf(event));
    this.#state = Coverage.stateOf(event) ?? this.#state;
    this.#take();
  };

  /** Runs something during which no crash is looked at. */
  pause(act: () => void): void {
    this.#isPaused = true;
    act();
    this.#isPaused = false;
    this.#changed();
  }

  end(): Moment[] {
    this.#take();
    this.#disk.onChange(undefined);
    return this.#moments;
  }

  #changed(): void {
    this.#changes += 1;
    this.#take();
  }

  #take(): void {
    if (this.#isPaused) return;
    const transitions = this.#transitions;
    this.#transitions = [];
    const allowed = this.#allowed();
    const last = this.#moments.at(-1);
    if (last !== undefined && this.#changes === this.#taken && isSame(last.allowed, allowed)) {
      last.transitions.push(...transitions);
      return;
    }
    this.#taken = this.#changes;
    const at = `${this.#state}, after ${this.#changes} changes`;
    this.#moments.push({ disk: this.#disk.moment(), allowed, at, transitions });
  }
}

function isSame(left: Allowed, right: Allowed): boolean {
  return left.sequence === right.sequence && left.values.join() === right.values.join();
}
