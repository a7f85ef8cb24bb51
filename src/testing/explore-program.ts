/**
 * The explorer: runs a program once on a simulated disk, stops the clock after every operation that
 * changes what a crash would find and at every transition of its machines, takes the crash images of
 * that moment, lets the program recover from each, checks what comes out, and crashes those recoveries
 * in the same way. Knows nothing of stores: whatever does its I/O through a `FileSystem` can be a
 * {@link Program}. `docs/testing.md` shows how to write one.
 */
import type { InspectionEvent } from 'xstate';
import { afterKill, type CrashImage, crashImages, mount } from '../io/crash-images.js';
import type { DiskState } from '../io/disk-state.js';
import {
  type DiskMoment,
  type PersistenceModel,
  SimulatedDisk,
  visibleAt,
} from '../io/simulated-disk.js';
import { Coverage } from './coverage.js';
import type {
  ExploreCounts,
  ExploreReport,
  Failure,
  FoundFailure,
  TrailStep,
} from './explore-report.js';
import type { Sketch } from './image-sketch.js';
import { type KeptPromise, type Moment, MomentRecorder, momentsOn } from './moment-recorder.js';
import { nothingOwn, RecoveryMemo } from './recovery-memo.js';
import { SeenImages } from './seen-images.js';

/** What a program gets to tell the explorer what it is at. */
export interface Probe<Promised> {
  /** Give this to `createActor` as `inspect`: transitions become moments, and count as covered. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Says how to ask what has been promised by now. */
  readonly promises: (promised: () => Promised) => void;
  /** Runs something that is not the program's doing: no crash inside it is looked at. */
  readonly outside: (act: () => void) => void;
}

/** A finished recovery. */
export interface Recovered<Promised, Found> {
  /** What it started from. */
  readonly before: DiskState;
  /** The disk as it is now. */
  readonly disk: SimulatedDisk;
  /** What the program's `recover` returned. */
  readonly found: Found;
  /** What had been promised at the moment of the first crash. */
  readonly promised: Promised;
  /** What is now seen on the disk, where that is known without asking it. */
  readonly after?: DiskState;
  /** How many crashes there were, as the explorer counts them. */
  readonly depth?: number;
  /** The first of several crashes; absent where this is the recovery from it. */
  readonly first?: FirstCrash<Found>;
}

/** The first of several crashes. */
export interface FirstCrash<Found> {
  /** What it left: after a mere kill, not all that is seen is durable. */
  readonly left: Omit<DiskMoment, 'model'>;
  /** What the recovery from it would have come to, had it not been crashed. */
  readonly found: Found;
}

/** Something that survives crashes, or is to be shown not to. */
export interface Program<Promised, Found> {
  /** From an empty disk to the end; says through the probe what it promises on the way. */
  readonly run: (disk: SimulatedDisk, probe: Probe<Promised>) => Promise<void>;
  /**
   * A new start on what a crash left. Its handles and locks are not those of the first run. `depth`
   * counts the crashes so far, from 1 on. Recoveries of the same depth never meet on one disk: one
   * that `run` itself makes is of depth 0.
   */
  readonly recover: (disk: SimulatedDisk, probe: Probe<Promised>, depth: number) => Promise<Found>;
  /**
   * Files whose content no recovery reads, not even by way of the disk. Images that differ in nothing
   * else are recovered once.
   */
  readonly ignores?: (path: string) => boolean;
  /**
   * A text for all that decides a recovery of this depth beside the names on the disk and the files that
   * it looks into; and says that `check` needs no more of the disk than `after`. A recovery is then run
   * once for all images that differ only in files that it leaves alone.
   */
  readonly decidedBy?: (depth: number) => string;
  /**
   * A text for all that `check` asks of the first of several crashes: equal images are checked once for
   * each such text. Without it, once.
   */
  readonly comparesWith?: (first: FirstCrash<Found>) => string;
  /** What does not hold after a recovery; nothing if all is well. */
  readonly check: (
    recovered: Recovered<Promised, Found>,
  ) => readonly Failure[] | Promise<readonly Failure[]>;
}

/** How far to go. */
export interface ExploreOptions {
  /** What a power failure may do. */
  readonly model: PersistenceModel;
  /** Seed of what is sampled: the same seed, the same crashes. */
  readonly seed: number;
  /** How many crashes in a row: 1 crashes the run, 2 also the recovery, and so on. */
  readonly depth: number;
  /** Most images of one moment, by depth; the last number counts for all deeper ones. */
  readonly imagesPerMoment: readonly number[];
  /** Stop after this many failures. */
  readonly failuresMax: number;
  /** Milliseconds after which no further image is begun. */
  readonly timeMs?: number | undefined;
  /** Milliseconds by a clock that never goes back. */
  readonly now?: (() => number) | undefined;
  /** Told of the counts as they grow. */
  readonly onProgress?: ((counts: ExploreCounts) => void) | undefined;
  /** Stops the exploration where it is. */
  readonly signal?: AbortSignal | undefined;
}

/** Takes a program through the lab. */
export function exploreProgram<Promised, Found>(
  program: Program<Promised, Found>,
  options: ExploreOptions,
): Promise<ExploreReport> {
  return exploreKnowing(program, options, new RecoveryMemo());
}

/**
 * The same, with what explorations of programs whose recoveries are decided by the same texts have found
 * out before.
 */
export async function exploreKnowing<Promised, Found>(
  program: Program<Promised, Found>,
  options: ExploreOptions,
  memo: RecoveryMemo<Found>,
): Promise<ExploreReport> {
  const exploration = new Exploration(program, options, memo);
  await exploration.run();
  return exploration.report();
}

/** How many recoveries lie between two reports of progress. */
const PROGRESS_STEP = 128;

/** After a kill much is pending all the time, in each of the recovery's moments much the same. */
const KILL_IMAGES_MAX = 8;

/** One image, and how it was come to. */
interface Crashed<Promised, Found> {
  readonly image: CrashImage;
  readonly sketch: Sketch;
  readonly at: string;
  readonly promise: KeptPromise<Promised>;
  readonly way: Way<Found>;
  readonly depth: number;
}

/** A recovery that was followed. */
interface Followed<Promised, Found> {
  readonly found: Found;
  readonly moments: readonly Moment<Promised>[];
}

/** The crashes before an image. */
interface Way<Found> {
  readonly trail: readonly TrailStep[];
  readonly first?: FirstCrash<Found>;
  /** What is asked of the first of them in checks after it. */
  readonly comparesWith: string;
}

class Exploration<Promised, Found> {
  readonly #program: Program<Promised, Found>;
  readonly #options: ExploreOptions;
  readonly #coverage = new Coverage();
  readonly #counts = { moments: 0, images: 0, distinct: 0, recovered: 0, failures: 0 };
  readonly #failures: FoundFailure[] = [];
  readonly #images: SeenImages;
  readonly #memo: RecoveryMemo<Found>;
  /** Recoveries with their moments, which are too large to be kept for other explorations. */
  readonly #followed = new RecoveryMemo<Followed<Promised, Found>>();
  readonly #deadline: number;
  #exhaustive = true;
  constructor(
    program: Program<Promised, Found>,
    options: ExploreOptions,
    memo: RecoveryMemo<Found>,
  ) {
    this.#program = program;
    this.#options = options;
    this.#memo = memo;
    this.#images = new SeenImages(memo.sketcher, program.ignores);
    this.#deadline = (options.timeMs ?? Number.POSITIVE_INFINITY) + this.#now();
  }

  async run(): Promise<void> {
    const disk = new SimulatedDisk({ model: this.#options.model });
    const recorder = new MomentRecorder<Promised>(disk);
    await this.#program.run(disk, recorder);
    for (const moment of recorder.end()) {
      if (this.#isOver()) return;
      await this.#crash(moment, { trail: [], comparesWith: '' }, 1);
    }
  }

  report(): ExploreReport {
    return {
      counts: { ...this.#counts },
      failures: this.#failures,
      coverage: this.#coverage,
      exhaustive: this.#exhaustive,
    };
  }

  #now(): number {
    const { now } = this.#options;
    return now === undefined ? performance.now() : now();
  }

  #isOver(): boolean {
    const { failuresMax, signal } = this.#options;
    const tooMany = this.#failures.length >= failuresMax;
    const isOver = tooMany || signal?.aborted === true || this.#now() > this.#deadline;
    if (isOver) this.#exhaustive = false;
    return isOver;
  }

  /** Takes the images of a moment and follows each that is new. */
  async #crash(
    moment: Moment<Promised>,
    way: Way<Found>,
    depth: number,
    limitMax: number = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { imagesPerMoment, seed } = this.#options;
    const asked = imagesPerMoment[Math.min(depth, imagesPerMoment.length) - 1] ?? 1;
    const limit = Math.min(asked, limitMax);
    this.#counts.moments += 1;
    const found = crashImages(moment.disk, { limit, seed: seed + this.#counts.moments });
    if (found.chosen === 'sampled' && limit === asked) this.#exhaustive = false;
    const about = this.#images.about({ ...way, ...moment, depth });
    for (const image of found.images) {
      if (this.#isOver()) return;
      this.#counts.images += 1;
      this.#coverage.count(moment.transitions);
      const sketch = this.#images.sketchOf(image, moment.disk);
      if (!this.#images.isNew(`${about}|${sketch.key}`)) continue;
      this.#counts.distinct += 1;
      this.#memo.sketcher.share(image.state);
      const crashed = { image, sketch, at: moment.at, promise: moment, way, depth };
      if (depth < this.#options.depth) await this.#follow(crashed);
      else await this.#settle(crashed);
      if (this.#counts.distinct % PROGRESS_STEP === 0) await this.#tell();
    }
    if (depth < this.#options.depth) await this.#kill(moment, way, depth);
  }

  /**
   * Kills the process, which loses nothing yet: the next one recovers from what is in the page cache,
   * and the power fails in that recovery. Pages that the system has given up are left out: what it
   * reads then is not on the disk, and no program can tell (docs/fault-model.md, limits).
   */
  async #kill(moment: Moment<Promised>, way: Way<Found>, depth: number): Promise<void> {
    const { disk, at } = moment;
    if (disk.pending.length === 0 || disk.cached.size > 0 || this.#isOver()) return;
    const image = { state: visibleAt(disk), fates: ['killed: all of it is seen, none is durable'] };
    this.#counts.images += 1;
    const sketch = this.#images.sketch(image.state);
    const about = this.#images.about({ ...way, ...moment, depth });
    if (!this.#images.isNew(`killed|${about}|${disk.pending.length}|${sketch.key}`)) return;
    this.#counts.distinct += 1;
    this.#memo.sketcher.share(image.state);
    await this.#follow({ image, sketch, at, promise: moment, way, depth }, disk);
  }

  /** Recovers one image, unless it is known what comes of it, and checks that. */
  async #settle({ image, sketch, ...crashed }: Crashed<Promised, Found>): Promise<void> {
    const { state } = image;
    const { depth } = crashed;
    const kind = this.#program.decidedBy?.(depth);
    let known = kind === undefined ? undefined : this.#memo.find(kind, sketch, state);
    let disk: SimulatedDisk | undefined;
    if (known === undefined) {
      disk = mount(state, this.#options.model);
      const found = await this.#program.recover(disk, silent(), depth);
      this.#counts.recovered += 1;
      known =
        kind === undefined
          ? { found, after: disk.visible(), own: nothingOwn }
          : this.#memo.add(kind, sketch, disk, found);
    }
    await this.#check({ image, ...crashed }, known.found, known.after, disk);
  }

  /**
   * Recovers one image, unless it is known what comes of it, checks that, and crashes the recovery.
   * `killedAt`: the moment of a mere kill, after which the image is seen but not durable.
   */
  async #follow(crashed: Crashed<Promised, Found>, killedAt?: DiskMoment): Promise<void> {
    const { image, sketch, promise, depth } = crashed;
    // What is pending after a kill, no sketch tells.
    const kind = killedAt === undefined ? this.#program.decidedBy?.(depth) : undefined;
    let known = kind === undefined ? undefined : this.#followed.find(kind, sketch, image.state);
    let disk: SimulatedDisk | undefined;
    if (known === undefined) {
      disk = killedAt === undefined ? mount(image.state, this.#options.model) : afterKill(killedAt);
      const recorder = new MomentRecorder<Promised>(disk, promise);
      const found = await this.#program.recover(disk, recorder, depth);
      this.#counts.recovered += 1;
      const followed = { found, moments: recorder.end() };
      known =
        kind === undefined
          ? { found: followed, after: disk.visible(), own: nothingOwn }
          : this.#followed.add(kind, sketch, disk, followed);
    }
    const { found, moments } = known.found;
    await this.#check(crashed, found, known.after, disk);
    const left = killedAt ?? { durable: image.state, pending: [], cached: new Map() };
    const onward = this.#onward(crashed, { left, found });
    const limitMax = killedAt === undefined ? undefined : KILL_IMAGES_MAX;
    for (const moment of momentsOn(moments, known.own, promise)) {
      if (this.#isOver()) return;
      await this.#crash(moment, onward, depth + 1, limitMax);
    }
  }

  #onward({ image, at, way }: Crashed<Promised, Found>, crash: FirstCrash<Found>): Way<Found> {
    const { state, fates } = image;
    const trail = [...way.trail, { at, fates, state }];
    if (way.first !== undefined) return { ...way, trail };
    return { trail, first: crash, comparesWith: this.#program.comparesWith?.(crash) ?? '' };
  }

  async #check(
    { image, at, promise, way, depth }: Omit<Crashed<Promised, Found>, 'sketch'>,
    found: Found,
    after: DiskState,
    run: SimulatedDisk | undefined,
  ): Promise<void> {
    const { promised } = promise;
    const { model } = this.#options;
    let disk = run;
    const recovered = {
      ...{ before: image.state, found, promised, after, depth },
      ...(way.first && { first: way.first }),
      get disk() {
        disk ??= mount(after, model);
        return disk;
      },
    };
    for (const failure of await this.#program.check(recovered)) {
      const step = { at, fates: image.fates, state: image.state };
      this.#fail({ ...failure, trail: [...way.trail, step], promised });
    }
  }

  #fail(failure: FoundFailure): void {
    this.#counts.failures += 1;
    if (this.#failures.length < this.#options.failuresMax) this.#failures.push(failure);
  }

  /** Reports progress and lets timers and signals have their turn. */
  async #tell(): Promise<void> {
    const { onProgress, signal } = this.#options;
    onProgress?.({ ...this.#counts });
    if (signal !== undefined || onProgress !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

/** The `inspect` of a probe that nobody reads: a program may leave it out, and be faster. */
export const unwatched = (): void => {};

function silent<Promised>(): Probe<Promised> {
  return { inspect: unwatched, promises: () => {}, outside: (act) => act() };
}
