/**
 * Disk images in short: their names, and a number for each content, so that equal images are found by
 * one look into a table. Contents are compared by digest; an array is hashed once.
 */
import { type DiskState, namesOfImage } from '../io/disk-state.js';
import { digestOf } from './digest.js';

/** A file in a sketch. */
export interface SketchedFile {
  /** Its inode. */
  readonly number: number;
  /** Equal for equal contents. */
  readonly content: number;
}

/** What tells an image from others. Times and the numbers of inodes do not. */
export interface Sketch {
  /** A text that is equal for images that no program can tell apart, and only for those. */
  readonly key: string;
  /** Equal for images with the same names, where each leads to the same kind of thing. */
  readonly names: number;
  /** What is in the files, in the order of their names. */
  readonly files: readonly SketchedFile[];
}

const nothing = new Uint8Array(0);
/** Longer contents are few, and not worth their memory. */
const LONG_CONTENT_BYTES = 16_384;
/** The number of contents that nobody looks at. */
const IGNORED = 0;

/** Makes sketches that can be compared with each other. */
export class Sketcher {
  readonly #contents = new Map<string, number>();
  readonly #known = new WeakMap<Uint8Array, number>();
  /** The first array with each of the short contents, by digest. */
  readonly #shared = new Map<string, Uint8Array>();
  readonly #names = new Map<string, number>();

  /**
   * Puts one array in the place of all with the same bytes, so that what is known of it is known of all. The
   * state is one that only its maker has seen.
   */
  share({ files }: DiskState): void {
    for (const [number, content] of files) {
      if (content.length > LONG_CONTENT_BYTES) continue;
      const digest = digestOf(content);
      const shared = this.#shared.get(digest);
      if (shared === undefined) this.#shared.set(digest, content);
      else if (shared !== content) files.set(number, shared);
    }
  }

  /** The sketch of an image. `ignores`: files whose content makes no difference. */
  of(state: DiskState, ignores: ((path: string) => boolean) | undefined): Sketch {
    let [names, contents] = ['', ''];
    const files: SketchedFile[] = [];
    const first = new Map<number, number>();
    for (const { path, number } of namesOfImage(state)) {
      const facts = state.inodes.get(number);
      if (facts?.kind === 'directory') names += `${path}/\n`;
      else if (facts?.kind === 'symlink') names += `${path} -> ${facts.target}\n`;
      else {
        const earlier = first.get(number);
        if (earlier === undefined) first.set(number, files.length);
        // A second name of a file: programs see how many it has.
        names += earlier === undefined ? `${path}\n` : `${path} = ${earlier}\n`;
        const content =
          ignores?.(path) === true ? IGNORED : this.#contentOf(state.files.get(number));
        files.push({ number, content });
        contents += `,${content}`;
      }
    }
    const known = numberOf(names, this.#names);
    return { key: `${known}${contents}`, names: known, files };
  }

  #contentOf(content: Uint8Array = nothing): number {
    let number = this.#known.get(content);
    if (number === undefined) {
      number = numberOf(digestOf(content), this.#contents);
      this.#known.set(content, number);
    }
    return number;
  }
}

/** The number of a text among others: from 1 on, in the order in which they come. */
export function numberOf(text: string, numbers: Map<string, number>): number {
  let number = numbers.get(text);
  if (number === undefined) {
    number = numbers.size + 1;
    numbers.set(text, number);
  }
  return number;
}
