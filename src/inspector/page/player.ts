/**
 * Plays a run: one moment after another, at a pace that can be followed.
 */

const STEP_MS = 420;

/** The paces one can choose from. */
export const PACES = [0.5, 1, 2, 8] as const;

/** See the head of this file. */
export class Player {
  readonly #step: () => boolean;
  readonly #changed: (isPlaying: boolean) => void;
  #timer: number | undefined;
  #pace = 1;

  /** `step` goes one moment on, and says whether there are more. */
  constructor(step: () => boolean, changed: (isPlaying: boolean) => void) {
    this.#step = step;
    this.#changed = changed;
  }

  /** Whether it plays. */
  get isPlaying(): boolean {
    return this.#timer !== undefined;
  }

  /** Plays at another pace. */
  setPace(pace: number): void {
    this.#pace = pace;
    if (this.isPlaying) this.play();
  }

  /** Goes on. */
  play(): void {
    window.clearInterval(this.#timer);
    this.#timer = window.setInterval(() => {
      if (!this.#step()) this.pause();
    }, STEP_MS / this.#pace);
    this.#changed(true);
  }

  /** Stands still. */
  pause(): void {
    if (this.#timer === undefined) return;
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    this.#changed(false);
  }
}
