/**
 * What a crash may leave on a simulated disk: for each pending operation one of a few fates, and an
 * image for each combination. Small spaces are enumerated, larger ones sampled by seed; the extremes,
 * and every image that differs from an extreme by one operation, always come first, because most
 * known crash bugs need no more (CrashMonkey, OSDI'18). Ruled by `docs/fault-model.md`.
 */
import {
  dropped,
  type Fate,
  independentSlots,
  keptFate,
  lostFate,
  orderedSlots,
  randomFate,
  type Slot,
} from './crash-fates.js';
import { copyState, type DiskState, describeOperation } from './disk-state.js';
import { rootInode } from './memory-inodes.js';
import { createRandom } from './random.js';
import { type DiskMoment, describeState, SimulatedDisk, visibleAt } from './simulated-disk.js';

/** How crash images are chosen. */
export interface CrashImageOptions {
  /** Most images to give; a space of at most this size is enumerated whole. */
  readonly limit: number;
  /** Seed of what is sampled: the same seed, the same images. */
  readonly seed: number;
}

/** One state of the disk after a crash. */
export interface CrashImage {
  /** What the disk holds after the crash. */
  readonly state: DiskState;
  /** What became of each pending operation, one line each, in order. */
  readonly fates: readonly string[];
}

/** One of the images of a moment; its state is made when it is first asked for. */
export interface ChosenImage extends CrashImage {
  /** Images of moments that share what is durable are equal if this is equal; others may be, too. */
  readonly choice: string;
}

/**
 * The images of one moment, and how they were chosen. Of the ways in which one write can be torn, an
 * exhaustive enumeration takes a few that stand for the rest; sampling also takes any set of sectors.
 */
export interface CrashImages {
  /** All combinations of these fates; may exceed what a number counts exactly. */
  readonly total: number;
  /** Whether these are all that the model allows, or a sample by seed. */
  readonly chosen: 'exhaustive' | 'sampled';
  /** The images, made as they are asked for. */
  readonly images: Iterable<ChosenImage>;
}

/** What a crash at `moment` may leave. Lazy: an image is built when it is asked for. */
export function crashImages(moment: DiskMoment, options: CrashImageOptions): CrashImages {
  const names = namesAt(moment);
  const isMinimal = moment.model === 'posix-minimal';
  const slots = isMinimal ? independentSlots(moment) : orderedSlots(moment);
  const total = slots.reduce((product, { fates }) => product * fates.length, 1);
  const chosen = total <= options.limit ? 'exhaustive' : 'sampled';
  const choices =
    chosen === 'exhaustive' ? everyChoice(slots) : sampleChoices(slots, options, isMinimal);
  return { total, chosen, images: build(moment, slots, choices, names) };
}

/** A disk on which an image was found at start-up; everything on it is durable. */
export function mount(image: DiskState, model: DiskMoment['model']): SimulatedDisk {
  return new SimulatedDisk({ state: image, model });
}

type Choice = readonly Fate[];

function* everyChoice(slots: readonly Slot[]): Generator<Choice> {
  const digits = slots.map(() => 0);
  for (;;) {
    yield slots.map(({ fates }, index) => fates[digits[index] ?? 0] ?? dropped);
    let place = 0;
    for (; place < slots.length; place += 1) {
      const next = (digits[place] ?? 0) + 1;
      digits[place] = next < (slots[place]?.fates.length ?? 0) ? next : 0;
      if (digits[place] !== 0) break;
    }
    if (place === slots.length) return;
  }
}

function* sampleChoices(
  slots: readonly Slot[],
  { limit, seed }: CrashImageOptions,
  isMinimal: boolean,
): Generator<Choice> {
  const random = createRandom(seed);
  const lost = slots.map(lostFate);
  const kept = slots.map(keptFate);
  const near: [Choice, number, Fate][] = [];
  for (const [index, { fates }] of slots.entries()) {
    for (const fate of fates) {
      if (fate !== lost[index]) near.push([lost, index, fate]);
      if (fate !== kept[index]) near.push([kept, index, fate]);
    }
  }
  let given = 0;
  for (const choice of [lost, kept].slice(0, limit)) {
    yield choice;
    given += 1;
  }
  // Shuffled, so that a limit too small for all of them does not always leave out the same ones.
  while (near.length > 0 && given < limit) {
    const [from, index, fate] = near.splice(random.next(near.length), 1)[0] ?? [lost, 0, dropped];
    yield from.with(index, fate);
    given += 1;
  }
  for (; given < limit; given += 1) {
    yield slots.map((slot) => randomFate(slot, random, isMinimal));
  }
}

function* build(
  { durable }: DiskMoment,
  slots: readonly Slot[],
  choices: Iterable<Choice>,
  names: (inode: number) => string,
): Generator<ChosenImage> {
  for (const choice of choices) yield new LazyImage(durable, slots, choice, names);
}

class LazyImage implements ChosenImage {
  readonly #durable: DiskState;
  readonly #slots: readonly Slot[];
  readonly #choice: Choice;
  readonly #names: (inode: number) => string;
  #state: DiskState | undefined;

  constructor(
    durable: DiskState,
    slots: readonly Slot[],
    choice: Choice,
    names: (inode: number) => string,
  ) {
    this.#durable = durable;
    this.#slots = slots;
    this.#choice = choice;
    this.#names = names;
  }

  get choice(): string {
    let key = '';
    for (const { id } of this.#choice) if (id !== '') key += `${id};`;
    return key;
  }

  get state(): DiskState {
    if (this.#state === undefined) {
      this.#state = copyState(this.#durable);
      for (const fate of this.#choice) fate.happen(this.#state);
    }
    return this.#state;
  }

  get fates(): readonly string[] {
    return this.#choice.map(({ label }, index) => {
      const operations = this.#slots[index]?.operations ?? [];
      const [only] = operations;
      const what = operations.length === 1 && only ? describeOperation(only, this.#names) : 'names';
      return `${what}: ${label}`;
    });
  }
}

/** Names for inodes in descriptions: the last name each was given. */
function namesAt({ durable, pending }: DiskMoment): (inode: number) => string {
  let names: Map<number, string> | undefined;
  const found = () => {
    const last = new Map<number, string>([[rootInode, '/']]);
    for (const entries of durable.directories.values()) {
      for (const [name, inode] of entries) last.set(inode, name);
    }
    for (const operation of pending) {
      if (operation.kind === 'add') last.set(operation.inode, operation.name);
      if (operation.kind === 'move') last.set(operation.inode, operation.toName);
    }
    return last;
  };
  return (inode) => {
    names ??= found();
    return names.get(inode) ?? `inode ${inode}`;
  };
}

/** The digest of a file's content; it may leave out what nobody reads. */
export type Digest = (content: Uint8Array, path: string) => string;

/** A text that is equal for images that a program can't tell apart. */
export function fingerprint(state: DiskState, digest: Digest): string {
  return fingerprintOf(describeState(state), digest);
}

/** The same, of an image that is described already. */
export function fingerprintOf(
  files: Readonly<ReturnType<typeof describeState>>,
  digest: Digest,
): string {
  return files
    .map(({ path, content }) => (content === undefined ? path : `${path}=${digest(content, path)}`))
    .join('\n');
}

/**
 * The disk on which the next process starts when the one before was killed at `moment`: it sees all of
 * what that one saw, and what was pending still is, so that a power failure can take it.
 */
export function afterKill(moment: DiskMoment): SimulatedDisk {
  const { model } = moment;
  return new SimulatedDisk({ model, state: visibleAt(moment), killedAt: moment });
}
