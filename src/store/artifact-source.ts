/**
 * Where a store's artifacts come from: lists that callers pass with a save, and the function that finds
 * them in a state. Turns both into records, by one root and one cache of digests.
 */
import type { ArtifactRecord } from '../format/artifact-lines.js';
import {
  ArtifactCache,
  type ArtifactCheck,
  type ArtifactProgress,
  hashArtifacts,
  verifyArtifacts,
} from '../io/artifacts.js';
import type { FileSystem } from '../io/file-system.js';
import type { NamedArtifacts } from './staging-queue.js';

/** How a store finds artifacts. */
export interface ArtifactsOptions {
  /**
   * The directory that artifacts lie in and their paths are relative to; the store's own by default.
   * Nothing outside of it is ever read.
   */
  readonly root?: string | undefined;
  /**
   * Finds the paths of artifacts in a state, whenever a round of saves is published that names none
   * itself. Gets the state that is published, frozen. What it throws fails the round's saves.
   */
  readonly find?: ((state: unknown) => readonly string[]) | undefined;
  /** Told after each piece of an artifact that was read; what it throws fails the save. */
  readonly onProgress?: ((progress: ArtifactProgress) => void) | undefined;
}

/** What of a save's options is about artifacts. */
interface NamingOptions {
  readonly artifacts?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** See the head of this file. */
export class ArtifactSource {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #options: ArtifactsOptions;
  readonly #now: () => number;
  readonly #cache = new ArtifactCache();

  /** @param root absolute */
  constructor(fs: FileSystem, root: string, options: ArtifactsOptions, now: () => number) {
    this.#fs = fs;
    this.#root = root;
    this.#options = options;
    this.#now = now;
  }

  /**
   * The records of the artifacts that a save names, read from now on; `undefined` if it names none.
   * Rejects as {@link hashArtifacts} does.
   * @throws TypeError for what is no list of paths
   */
  named({ artifacts, signal }: NamingOptions): NamedArtifacts {
    if (artifacts === undefined) return undefined;
    checkPaths(artifacts, 'the artifacts of a save are a list of paths');
    if (artifacts.length === 0) return [];
    const records = this.#record([...artifacts], signal);
    // Saves before this one may be waited for first; what fails meanwhile is told when its turn comes.
    records.catch(() => {});
    return records;
  }

  /** How the artifacts of these records are now. */
  verify(records: readonly ArtifactRecord[]): Promise<ArtifactCheck[]> {
    const { onProgress } = this.#options;
    return verifyArtifacts(this.#fs, this.#root, records, { onProgress, now: this.#now });
  }

  #record(paths: readonly string[], signal?: AbortSignal): Promise<ArtifactRecord[]> {
    const { onProgress } = this.#options;
    const options = { signal, onProgress, cache: this.#cache, now: this.#now };
    return hashArtifacts(this.#fs, this.#root, paths, options);
  }

  /**
   * The records of the artifacts in a state; `undefined` where nobody looks for them.
   * @throws TypeError where what was found is no list of paths
   */
  in(state: unknown): Promise<ArtifactRecord[]> | undefined {
    const { find } = this.#options;
    if (find === undefined) return undefined;
    const paths: unknown = find(state);
    checkPaths(paths, 'artifacts.find() returns a list of paths');
    return this.#record(paths);
  }
}

function checkPaths(paths: unknown, message: string): asserts paths is readonly string[] {
  if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string')) {
    throw new TypeError(message);
  }
}
