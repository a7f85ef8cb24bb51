/**
 * Saves on their way into the document: rendered at once where nothing has to be waited for, and in the
 * order in which they were asked for in any case. What is waited for is a schema that takes its time,
 * and artifacts that are read.
 */
import type { ArtifactRecord } from '../format/artifact-lines.js';
import type { MaybePromise } from '../io/file-system.js';
import { isPromiseLike, run, type Steps, wait } from '../io/run.js';
import type { CheckpointDocument } from './document.js';
import type { Change } from './draft.js';

/** The artifacts that a save names, once they are read; `undefined` if it names none. */
export type NamedArtifacts = MaybePromise<readonly ArtifactRecord[] | undefined>;

/** See the head of this file. */
export class StagingQueue {
  readonly #document: CheckpointDocument;
  /** The end of the queue; `undefined` while it is empty. */
  #last: Promise<unknown> | undefined;

  constructor(document: CheckpointDocument) {
    this.#document = document;
  }

  /**
   * Stages a change behind all that were staged before it.
   * @param isOneOfMany as {@link CheckpointDocument.stage} takes it
   * @returns the number of the request
   */
  stage(change: Change, artifacts: NamedArtifacts, isOneOfMany: boolean): number | Promise<number> {
    const stage = () => run(this.#steps(change, artifacts, isOneOfMany));
    if (this.#last !== undefined) return this.#enqueue(this.#last.catch(() => {}).then(stage));
    // Nearly all: nothing is waited for.
    const staged =
      artifacts === undefined ? run(this.#document.stage(change, undefined, isOneOfMany)) : stage();
    return isPromiseLike(staged) ? this.#enqueue(staged as Promise<number>) : staged;
  }

  /** Resolves when nothing is on its way any more. */
  async whenEmpty(): Promise<void> {
    while (this.#last !== undefined) await this.#last.catch(() => {});
  }

  *#steps(change: Change, artifacts: NamedArtifacts, isOneOfMany: boolean): Steps<number> {
    return yield* this.#document.stage(change, yield* wait(artifacts), isOneOfMany);
  }

  #enqueue(staged: Promise<number>): Promise<number> {
    this.#last = staged;
    const done = () => {
      if (this.#last === staged) this.#last = undefined;
    };
    staged.then(done, done);
    return staged;
  }
}
