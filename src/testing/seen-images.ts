/**
 * The images that an exploration has met. Images are made to be compared only where no earlier one is
 * known to equal them by how it was come to; they are compared by their sketches, and by all else that
 * decides what their checks come to.
 */
import type { ChosenImage } from '../io/crash-images.js';
import type { DiskState } from '../io/disk-state.js';
import type { DiskMoment } from '../io/simulated-disk.js';
import { numberOf, type Sketch, type Sketcher } from './image-sketch.js';

/** What else than the image decides what its checks come to. */
export interface AskedOfImage {
  /** How many crashes there were. */
  readonly depth: number;
  /** What had been promised. */
  readonly promisedKey: string;
  /** What is asked of the first of several crashes. */
  readonly comparesWith: string;
}

/** See the head of this file. */
export class SeenImages {
  readonly #sketcher: Sketcher;
  readonly #ignores: ((path: string) => boolean) | undefined;
  readonly #seen = new Set<string>();
  /** Numbers of promises and of what is compared with: long texts. */
  readonly #texts = new Map<string, number>();
  /** Sketches by what was durable, and by what became of the rest. */
  readonly #sketches = new WeakMap<DiskState['files'], Map<string, Sketch>>();

  /** `ignores`: files whose content makes no difference. */
  constructor(sketcher: Sketcher, ignores: ((path: string) => boolean) | undefined) {
    this.#sketcher = sketcher;
    this.#ignores = ignores;
  }

  /** The sketch of an image. */
  sketch(state: DiskState): Sketch {
    return this.#sketcher.of(state, this.#ignores);
  }

  /** The same for one of a moment's images: most equal an earlier one, and then need not be made. */
  sketchOf(image: ChosenImage, { durable }: DiskMoment): Sketch {
    let known = this.#sketches.get(durable.files);
    if (known === undefined) {
      known = new Map();
      this.#sketches.set(durable.files, known);
    }
    const { choice } = image;
    let sketch = known.get(choice);
    if (sketch === undefined) {
      sketch = this.sketch(image.state);
      known.set(choice, sketch);
    }
    return sketch;
  }

  /** What is asked, in short. */
  about({ depth, promisedKey, comparesWith }: AskedOfImage): string {
    return [depth, numberOf(promisedKey, this.#texts), numberOf(comparesWith, this.#texts)].join(
      '|',
    );
  }

  /** Whether this is the first image with this key, of which nothing is known so far. */
  isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
