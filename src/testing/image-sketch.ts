/**
 * Disk images in short: their names, and a number for each content, so that equal images are found by
 * one look into a table. Contents are compared by digest; an array is hashed once.
 */
import { type DiskState, namesIn } from '../io/disk-state.js';
import { digestOf } from './digest.js';

/** A file in a sketch. */
export interface SketchedFile {
  /** Its inode. */
  readonly number: number;
  /** Equal for equal contents. */
  readonly content: number;
}

/** What tells an image from others. Times, modes and the numbers of inodes do not. */
export interface Sketch {
  /** Every name in order, and what kind of thing it is. */
  readonly names: string;
  /** Which of the names lead to the same file. */
  readonly links: string;
  /** What is in the files, in the order of their names. */
  readonly files: readonly SketchedFile[];
}

const nothing = new Uint8Array(0);
/** The number of contents that nobody looks at. */
const IGNORED = 0;

/** Makes sketches that can be compared with each other. */
export class Sketcher {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<Uint8Array, number>();

  /** The sketch of an image. `ignores`: files whose content makes no difference. */
  of(state: DiskState, ignores: ((path: string) => boolean) | undefined): Sketch {
    let [names, links] = ['', ''];
    const files: SketchedFile[] = [];
    const first = new Map<number, number>();
    for (const { path, number } of namesIn(state)) {
      const facts = state.inodes.get(number);
      if (facts?.kind === 'directory') names += `${path}/\n`;
      else if (facts?.kind === 'symlink') names += `${path} -> ${facts.target}\n`;
      else {
        names += `${path}\n`;
        const earlier = first.get(number);
        if (earlier === undefined) first.set(number, files.length);
        else links += `${earlier}=${files.length},`;
        const content =
          ignores?.(path) === true ? IGNORED : this.#numberOf(state.files.get(number));
        files.push({ number, content });
      }
    }
    return { names, links, files };
  }

  #numberOf(content: Uint8Array = nothing): number {
    let number = this.#known.get(content);
    if (number === undefined) {
      const digest = digestOf(content);
      number = this.#numbers.get(digest) ?? this.#numbers.size + 1;
      this.#numbers.set(digest, number);
      this.#known.set(content, number);
    }
    return number;
  }
}

/** A text that is equal for images that no program can tell apart. */
export function keyOf({ names, files }: Sketch): string {
  let key = names;
  for (const { content } of files) key += `,${content}`;
  return key;
}
