/**
 * What a crash may leave on a simulated disk: for each pending operation one of a few fates, and an
 * image for each combination. Small spaces are enumerated, larger ones sampled by seed; the extremes,
 * and every image that differs from an extreme by one operation, always come first, because most
 * known crash bugs need no more (CrashMonkey, OSDI'18). Ruled by `docs/fault-model.md`.
 */
import { SECTOR_BYTES } from '../format/wal-format.js';
import {
  apply,
  contentOf,
  copyState,
  type DiskState,
  describeOperation,
  entriesOf,
  type PendingOperation,
} from './disk-state.js';
import { createRandom, type Random } from './random.js';
import { type DiskMoment, describeState, SimulatedDisk, visibleAt } from './simulated-disk.js';

/** How crash images are chosen. */
export interface CrashImageOptions {
  /** Most images to give; a space of at most this size is enumerated whole. */
  readonly limit: number;
  /** Seed of what is sampled: the same seed, the same images. */
  readonly seed: number;
}

/** One thing that can become of a pending operation. */
interface Fate {
  readonly label: string;
  readonly happen: (state: DiskState) => void;
}

/** One state of the disk after a crash. */
export interface CrashImage {
  /** What the disk holds after the crash. */
  readonly state: DiskState;
  /** What became of each pending operation, one line each, in order. */
  readonly fates: readonly string[];
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
  readonly images: Iterable<CrashImage>;
}

const dropped: Fate = { label: 'lost', happen: () => {} };

/** What a crash at `moment` may leave. Lazy: an image is built when it is asked for. */
export function crashImages(moment: DiskMoment, options: CrashImageOptions): CrashImages {
  const names = namesIn(moment.durable, moment.pending);
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

/** A set of pending operations that share one fate. */
interface Slot {
  readonly operations: readonly PendingOperation[];
  readonly fates: readonly Fate[];
}

/** Any subset may reach the disk. */
function independentSlots({ pending }: DiskMoment): Slot[] {
  return pending.map((operation) => ({ operations: [operation], fates: fatesOf(operation, true) }));
}

/** Names reach the disk in order: their one fate is how many did. */
function orderedSlots({ pending }: DiskMoment): Slot[] {
  const naming = pending.filter(({ kind }) => kind !== 'write' && kind !== 'resize');
  const prefixes = [...naming.keys(), naming.length].map((count): Fate => {
    const label = `the first ${count} of ${naming.length} names`;
    const happen = (state: DiskState) => {
      for (const operation of naming.slice(0, count)) apply(state, operation);
    };
    return { label, happen };
  });
  const data = pending.filter(({ kind }) => kind === 'write' || kind === 'resize');
  const slots: Slot[] = data.map((operation) => ({
    operations: [operation],
    fates: fatesOf(operation, false),
  }));
  return naming.length === 0 ? slots : [...slots, { operations: naming, fates: prefixes }];
}

function fatesOf(operation: PendingOperation, isMinimal: boolean): Fate[] {
  const kept: Fate = { label: 'kept', happen: (state) => apply(state, operation) };
  switch (operation.kind) {
    case 'write':
      return [dropped, kept, ...tornFates(operation, isMinimal)];
    case 'move': {
      const { toDirectory, toName, inode, directory, name } = operation;
      const added: Fate = {
        label: 'the new name alone',
        happen: (state) => void entriesOf(state, toDirectory).set(toName, inode),
      };
      const removed: Fate = {
        label: 'only the removal of the old name',
        happen: (state) => void entriesOf(state, directory).delete(name),
      };
      if (directory === toDirectory) return [dropped, kept, added];
      return [dropped, kept, added, removed];
    }
    default:
      return [dropped, kept];
  }
}

type Write = Extract<PendingOperation, { kind: 'write' }>;
type Filling = 'stale' | 'zeros' | 'garbage';

/** A fixed, small choice of torn writes: enough to hit each kind of damage at the first and last sector. */
function tornFates(write: Write, isMinimal: boolean): Fate[] {
  const sectors = sectorsOf(write);
  const first = (sector: number) => sector === 0;
  const last = (sector: number) => sector === sectors - 1;
  const none = () => false;
  const fates: Fate[] = [tear(write, none, 'zeros', 'its size alone, all zeros')];
  if (sectors > 1) {
    fates.push(
      tear(write, first, 'zeros', 'its first sector, the rest zeros'),
      tear(write, last, 'zeros', 'its last sector, the rest zeros'),
      tear(write, (sector) => !last(sector), 'stale', 'all but its last sector'),
    );
  }
  if (isMinimal) {
    fates.push(tear(write, (sector) => !first(sector), 'garbage', 'garbage in its first sector'));
  }
  return fates;
}

/** Any torn write that the model allows, for sampling. */
function randomTear(write: Write, random: Random, isMinimal: boolean): Fate {
  const sectors = sectorsOf(write);
  const isKept = Array.from({ length: sectors }, () => random.next(2) === 0);
  const fillings: Filling[] = isMinimal ? ['stale', 'zeros', 'garbage'] : ['stale', 'zeros'];
  const filling = fillings[random.next(fillings.length)] ?? 'zeros';
  const label = `sectors ${isKept.map((one) => (one ? '1' : '0')).join('')}, the rest ${filling}`;
  return tear(write, (sector) => isKept[sector] === true, filling, label);
}

/** Sectors that the write touches, whole or in part. */
function sectorsOf({ position, data }: Write): number {
  const first = Math.floor(position / SECTOR_BYTES);
  return Math.floor((position + data.length - 1) / SECTOR_BYTES) - first + 1;
}

function tear(
  write: Write,
  isKept: (sector: number) => boolean,
  filling: Filling,
  label: string,
): Fate {
  const happen = (state: DiskState) => {
    const before = contentOf(state, write.inode);
    const end = write.position + write.data.length;
    const isCut = filling === 'stale' && !isKept(sectorsOf(write) - 1);
    // A lost end that is not filled with anything is a file that did not grow.
    const size = Math.max(before.length, isCut ? lastKeptByte(write, isKept) : end);
    const after = new Uint8Array(size);
    after.set(before);
    const firstSector = Math.floor(write.position / SECTOR_BYTES);
    for (let at = write.position; at < Math.min(end, size); ) {
      const sector = Math.floor(at / SECTOR_BYTES);
      const stop = Math.min(end, (sector + 1) * SECTOR_BYTES, size);
      const part = write.data.subarray(at - write.position, stop - write.position);
      if (isKept(sector - firstSector)) after.set(part, at);
      else if (filling !== 'stale') after.set(fill(part, filling), at);
      at = stop;
    }
    state.files.set(write.inode, after);
  };
  return { label: `torn: ${label}`, happen };
}

/** End of the last kept sector; 0 if none was, and then the write leaves no trace. */
function lastKeptByte(write: Write, isKept: (sector: number) => boolean): number {
  const firstSector = Math.floor(write.position / SECTOR_BYTES);
  for (let sector = sectorsOf(write) - 1; sector >= 0; sector -= 1) {
    if (isKept(sector)) return (firstSector + sector + 1) * SECTOR_BYTES;
  }
  return 0;
}

function fill(part: Uint8Array, filling: Filling): Uint8Array {
  if (filling === 'zeros') return new Uint8Array(part.length);
  return part.map((byte, index) => byte ^ (0x5a + index));
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
  const near: Choice[] = [];
  for (const [index, { fates }] of slots.entries()) {
    for (const fate of fates) {
      if (fate !== lost[index]) near.push(lost.with(index, fate));
      if (fate !== kept[index]) near.push(kept.with(index, fate));
    }
  }
  // Shuffled, so that a limit too small for all of them does not always leave out the same ones.
  const first = [lost, kept, ...shuffle(near, random)];
  yield* first.slice(0, limit);
  for (let given = first.length; given < limit; given += 1) {
    yield slots.map((slot) => randomFate(slot, random, isMinimal));
  }
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(random.next(rest.length), 1));
}

function lostFate({ fates }: Slot): Fate {
  return fates[0] ?? dropped;
}

function keptFate({ fates }: Slot): Fate {
  return fates.find(({ label }) => label === 'kept') ?? fates.at(-1) ?? dropped;
}

function randomFate({ operations, fates }: Slot, random: Random, isMinimal: boolean): Fate {
  const [only] = operations;
  const isTorn = only?.kind === 'write' && random.next(3) === 0;
  if (isTorn) return randomTear(only, random, isMinimal);
  return fates[random.next(fates.length)] ?? dropped;
}

function* build(
  { durable }: DiskMoment,
  slots: readonly Slot[],
  choices: Iterable<Choice>,
  names: (inode: number) => string,
): Generator<CrashImage> {
  for (const choice of choices) {
    const state = copyState(durable);
    for (const fate of choice) fate.happen(state);
    yield {
      state,
      get fates() {
        return choice.map(({ label }, index) => {
          const operations = slots[index]?.operations ?? [];
          const what =
            operations.length === 1 && operations[0]
              ? describeOperation(operations[0], names)
              : 'names';
          return `${what}: ${label}`;
        });
      },
    };
  }
}

/** Names for inodes in descriptions: the last name each was given. */
function namesIn(
  durable: DiskState,
  pending: readonly PendingOperation[],
): (inode: number) => string {
  const names = new Map<number, string>([[2, '/']]);
  for (const entries of durable.directories.values()) {
    for (const [name, inode] of entries) names.set(inode, name);
  }
  for (const operation of pending) {
    if (operation.kind === 'add') names.set(operation.inode, operation.name);
    if (operation.kind === 'move') names.set(operation.inode, operation.toName);
  }
  return (inode) => names.get(inode) ?? `inode ${inode}`;
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
