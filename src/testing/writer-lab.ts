/**
 * Other people's writers in the lab: replays what a writer did to one file and crashes it after every
 * operation. Judges two promises: the file is never anything but the old content or the new one
 * (atomic), and once the writer has said so it is the new one (durable). Ruled by `docs/testing.md`.
 */
import { equalBytes } from '../format/bytes.js';
import { type CrashImage, crashImages, fingerprint, mount } from '../io/crash-images.js';
import { apply, copyState, type PendingOperation } from '../io/disk-state.js';
import type { MaybePromise } from '../io/file-system.js';
import { type DiskMoment, type PersistenceModel, SimulatedDisk } from '../io/simulated-disk.js';
import { digestOf } from './digest.js';
import {
  checkTrace,
  describeWriterOperation,
  placeFiles,
  replay,
  type WriterOperation,
  type WriterTrace,
} from './traced-writer.js';

/**
 * What ends the writer. After a `kill` the system lives on: all that was done is still there, a write in
 * flight perhaps in part. The others are power failures under a persistence model.
 */
export type WriterCrash = 'kill' | PersistenceModel;

/** What to do to which writer. */
export interface WriterLabOptions {
  /** What the writer did, as {@link NodeFsTracer} records it. */
  readonly trace: WriterTrace;
  /** The file that was saved, as a path of the trace. */
  readonly file: string;
  /** Its content before; `undefined` if there was none. */
  readonly old: Uint8Array | undefined;
  /** What the writer was asked to save, as the file then holds it. */
  readonly next: Uint8Array;
  /** What cuts it off: a kill, or a power failure under a persistence model. */
  readonly crash: WriterCrash;
  /** What the writer's program does at its next start, if it has a recovery. */
  readonly recover?: ((disk: SimulatedDisk) => MaybePromise<void>) | undefined;
  /** Most images of one moment; more are sampled. 256 by default. */
  readonly imagesPerMoment?: number;
  /** 1 by default. */
  readonly seed?: number;
}

/** What was found in place of what had to be there. */
export type FoundContent = 'old' | 'new' | 'missing' | 'empty' | 'torn';

/** A crash after which a promise did not hold. */
export interface WriterLoss {
  /** What the file held then. */
  readonly found: FoundContent;
  /** The last thing that the writer had done. */
  readonly after: string;
  /** Its place among the operations of the trace, from 0. */
  readonly operation: number;
  /** What became of each operation that was not durable. */
  readonly fates: readonly string[];
}

/** Whether a promise held, and if not, the first crash that shows it. */
export interface WriterVerdict {
  /** Whether it held after every crash. */
  readonly holds: boolean;
  /** Images after which it did not hold. */
  readonly losses: number;
  /** The first crash that shows that it does not hold. */
  readonly first?: WriterLoss;
}

/** What the lab has to say about a writer. */
export interface WriterReport {
  /** What cut it off. */
  readonly crash: WriterCrash;
  /** How many moments it was cut off at. */
  readonly moments: number;
  /** How many crash images were looked at. */
  readonly images: number;
  /** Images that no earlier one equalled; each was judged. */
  readonly distinct: number;
  /** Whether every image of every moment was taken, rather than a sample. */
  readonly exhaustive: boolean;
  /** At every moment: the old content or the new, whole. */
  readonly atomic: WriterVerdict;
  /** From the moment at which the writer said so: the new content. */
  readonly durable: WriterVerdict;
}

/**
 * Crashes a recorded writer at every moment.
 *
 * Rejects with a `TypeError` if the trace does not explain the files that the writer left, or if old
 * and new content are equal; with what `recover` throws.
 */
export async function exploreWriter(options: WriterLabOptions): Promise<WriterReport> {
  const { old, next } = options;
  if (old !== undefined && equalBytes(old, next)) {
    throw new TypeError('old and new content are equal: nothing could be told from them');
  }
  return await new WriterExploration(options).run();
}

type Count = { losses: number; first?: WriterLoss };

class WriterExploration {
  readonly #options: WriterLabOptions;
  readonly #names = new Map<number, string>();
  readonly #seen = new Set<string>();
  readonly #atomic: Count = { losses: 0 };
  readonly #durable: Count = { losses: 0 };
  #moments = 0;
  #images = 0;
  #exhaustive = true;
  #phase: 'before' | 'saving' | 'saved';

  constructor(options: WriterLabOptions) {
    this.#options = options;
    const isMarked = options.trace.operations.some(({ kind }) => kind === 'saving');
    this.#phase = isMarked ? 'before' : 'saving';
  }

  async run(): Promise<WriterReport> {
    const { trace, crash } = this.#options;
    const model = crash === 'kill' ? 'ordered' : crash;
    const disk = new SimulatedDisk({ model });
    placeFiles(disk, trace.before);
    let index = -1;
    for (const operation of replay(trace.operations, disk)) {
      index += 1;
      this.#note(operation);
      if (operation.kind === 'close') continue;
      await this.#crash(disk.moment(), { operation, index });
    }
    checkTrace(trace, disk);
    return {
      crash,
      moments: this.#moments,
      images: this.#images,
      distinct: this.#seen.size,
      exhaustive: this.#exhaustive,
      atomic: { holds: this.#atomic.losses === 0, ...this.#atomic },
      durable: { holds: this.#durable.losses === 0, ...this.#durable },
    };
  }

  #note(operation: WriterOperation): void {
    if (operation.kind === 'saving' || operation.kind === 'saved') this.#phase = operation.kind;
    if (operation.kind === 'open' || operation.kind === 'openDirectory') {
      this.#names.set(operation.handle, operation.path);
    }
  }

  async #crash(
    moment: DiskMoment,
    at: { readonly operation: WriterOperation; readonly index: number },
  ): Promise<void> {
    this.#moments += 1;
    for (const image of this.#imagesOf(moment, at.operation)) {
      this.#images += 1;
      const key = `${this.#phase}|${fingerprint(image.state, digestOf)}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const found = await this.#find(image);
      const nameOf = (handle: number) => this.#names.get(handle) ?? `handle ${handle}`;
      const loss = (): WriterLoss => ({
        found,
        after: describeWriterOperation(at.operation, nameOf),
        operation: at.index,
        fates: image.fates,
      });
      if (!this.#isWhole(found)) count(this.#atomic, loss);
      if (this.#phase === 'saved' && found !== 'new') count(this.#durable, loss);
    }
  }

  #imagesOf(moment: DiskMoment, { kind }: WriterOperation): Iterable<CrashImage> {
    const { crash, imagesPerMoment = 256, seed = 1 } = this.#options;
    if (crash === 'kill') return killImages(moment, kind === 'write');
    const options = { limit: imagesPerMoment, seed: seed + this.#moments };
    const { images, chosen } = crashImages(moment, options);
    if (chosen === 'sampled') this.#exhaustive = false;
    return images;
  }

  async #find(image: CrashImage): Promise<FoundContent> {
    const { file, old, next, recover, crash } = this.#options;
    const disk = mount(image.state, crash === 'kill' ? 'ordered' : crash);
    await recover?.(disk);
    const content = read(disk, file);
    if (content === undefined) return 'missing';
    if (equalBytes(content, next)) return 'new';
    if (old !== undefined && equalBytes(content, old)) return 'old';
    return content.length === 0 ? 'empty' : 'torn';
  }

  /** Before the save was asked for, the new content would be as wrong as a torn one. */
  #isWhole(found: FoundContent): boolean {
    if (found === 'new') return this.#phase !== 'before';
    return found === (this.#options.old === undefined ? 'missing' : 'old');
  }
}

function count(verdict: Count, loss: () => WriterLoss): void {
  verdict.losses += 1;
  verdict.first ??= loss();
}

function read(disk: SimulatedDisk, path: string): Uint8Array | undefined {
  if (disk.stat(path)?.kind !== 'file') return undefined;
  const handle = disk.open(path, 'read');
  const content = new Uint8Array(handle.size());
  handle.read(content, 0);
  handle.close();
  return content;
}

/** After a kill: everything done so far; while a write is in flight, also with half of it. */
function* killImages({ durable, pending }: DiskMoment, isWriting: boolean): Generator<CrashImage> {
  const visible = (operations: readonly PendingOperation[], fates: readonly string[]) => {
    const state = copyState(durable);
    for (const operation of operations) apply(state, operation);
    return { state, fates };
  };
  const last = pending.at(-1);
  if (isWriting && last?.kind === 'write' && last.data.length > 1) {
    const half = Math.floor(last.data.length / 2);
    const cut = { ...last, data: last.data.subarray(0, half) };
    yield visible(pending.with(-1, cut), [`half of ${last.data.length} bytes were written`]);
  }
  yield visible(pending, []);
}

/** A verdict as a few words: `holds`, or what was found and after which operation. */
export function describeVerdict({ holds, losses, first }: WriterVerdict): string {
  if (holds || first === undefined) return 'holds';
  return `${first.found} after: ${first.after} (${losses} ${losses === 1 ? 'state' : 'states'})`;
}
