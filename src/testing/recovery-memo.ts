/**
 * Recoveries that need not be run again. A recovery is decided by the names on its disk and by the
 * files that it looks into: on a disk that differs only in other files, torn temporary ones for
 * example, it does the same. What it leaves alone is then taken over from the other disk. Assumes a
 * program whose recovery depends on nothing else: `decidedBy` in `explore-program.ts`.
 */
import { type DiskState, namesOfImage } from '../io/disk-state.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { type Sketch, Sketcher } from './image-sketch.js';

/** A finished recovery, as it was run, or as it would have been. */
export interface KnownRecovery<Found> {
  /** What the program's `recover` returned. */
  readonly found: Found;
  /** What is then seen on the disk. */
  readonly after: DiskState;
  /** Where the image has other bytes than the one that was recovered: its own, by number of inode. */
  readonly own: ReadonlyMap<number, Uint8Array>;
}

/** Of an image that was recovered itself. */
export const nothingOwn: KnownRecovery<unknown>['own'] = new Map();

/** A file that the recovery has not looked into. */
interface Untouched {
  /** Its place among the files of the image. */
  readonly index: number;
  /** Its inode on the disk of the recovery that was run. */
  readonly number: number;
  readonly content: number;
  /** Whether it is still there after the recovery. */
  readonly isLeft: boolean;
}

interface Run<Found> extends KnownRecovery<Found> {
  readonly untouched: readonly Untouched[];
}

/** Recoveries that have looked into the same files: by what they found there. */
interface Reading<Found> {
  readonly indexes: readonly number[];
  readonly runs: Map<string, Run<Found>>;
}

/** More are not worth their memory. */
const RUNS_MAX = 50_000;

/** See the head of this file. */
export class RecoveryMemo<Found> {
  readonly #readings = new Map<string, Reading<Found>[]>();
  #count = 0;
  /** Makes the sketches that it compares. */
  readonly sketcher = new Sketcher();

  /** Whether a new one should take its place. */
  get isFull(): boolean {
    return this.#count >= RUNS_MAX;
  }

  /**
   * What a recovery of this image comes to, if that is known. `kind` says what decides it beside
   * the disk.
   */
  find(kind: string, sketch: Sketch, image: DiskState): KnownRecovery<Found> | undefined {
    for (const { indexes, runs } of this.#readings.get(namesOf(kind, sketch)) ?? []) {
      const run = runs.get(contentsOf(sketch, indexes));
      if (run !== undefined) return onImage(run, sketch, image);
    }
    return undefined;
  }

  /** Keeps what a recovery of this image has come to; `disk` is the one that it has just run on. */
  add(kind: string, sketch: Sketch, disk: SimulatedDisk, found: Found): KnownRecovery<Found> {
    this.#count += 1;
    const unused = disk.unused();
    const after = disk.visible();
    this.sketcher.share(after);
    const left = new Set(namesOfImage(after).map(({ number }) => number));
    const indexes: number[] = [];
    const untouched: Untouched[] = [];
    for (const [index, { number, content }] of sketch.files.entries()) {
      if (!unused.has(number)) indexes.push(index);
      else untouched.push({ index, number, content, isLeft: left.has(number) });
    }
    const run = { found, after, own: nothingOwn, untouched };
    this.#readingOf(namesOf(kind, sketch), indexes).runs.set(contentsOf(sketch, indexes), run);
    return run;
  }

  #readingOf(names: string, indexes: readonly number[]): Reading<Found> {
    const readings = this.#readings.get(names) ?? [];
    this.#readings.set(names, readings);
    let reading = readings.find((one) => one.indexes.join() === indexes.join());
    if (reading === undefined) {
      reading = { indexes, runs: new Map() };
      readings.push(reading);
    }
    return reading;
  }
}

function namesOf(kind: string, { names }: Sketch): string {
  return `${kind}|${names}`;
}

function contentsOf({ files }: Sketch, indexes: readonly number[]): string {
  let key = '';
  for (const index of indexes) key += `${files[index]?.content},`;
  return key;
}

/** The same recovery of another image: with its own files, where it has not looked into them. */
function onImage<Found>(
  run: Run<Found>,
  { files }: Sketch,
  image: DiskState,
): KnownRecovery<Found> {
  const own = new Map<number, Uint8Array>();
  let isAnyLeft = false;
  for (const { index, number, content, isLeft } of run.untouched) {
    const file = files[index];
    if (file === undefined || file.content === content) continue;
    own.set(number, image.files.get(file.number) ?? new Uint8Array(0));
    isAnyLeft ||= isLeft;
  }
  if (own.size === 0) return run;
  const { found, after } = run;
  if (!isAnyLeft) return { found, after, own };
  return { found, after: { ...after, files: new Map([...after.files, ...own]) }, own };
}
