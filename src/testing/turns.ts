/**
 * Who comes next, where several things wait: syncs that a disk has not answered yet, and callers who
 * are about to ask for something. Makes a disk that answers at once answer as a real one does, in
 * turns of the event loop; inside {@link Turns.interleave} in an order drawn by seed.
 */
import type { FileHandle, FileSystem } from '../io/file-system.js';
import { createRandom, type Random } from '../io/random.js';

/** See the head of this file. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #random: Random | undefined;

  /** Does something in a later turn: the next, or the one that the seed gives it. */
  readonly later = <T>(act: () => T): Promise<Awaited<T>> => {
    const turn =
      this.#random === undefined
        ? nextTurn()
        : new Promise<void>((resolve) => {
            this.#waiting.push(resolve);
          });
    return turn.then(act) as Promise<Awaited<T>>;
  };

  /** Does something once all that is being asked for now has been asked for, or when the seed says. */
  readonly soon = (act: () => void): void => {
    if (this.#random === undefined) queueMicrotask(act);
    else this.#waiting.push(act);
  };

  /**
   * Makes these calls, and lets all that waits meanwhile go on, one in each turn, in an order that
   * only the seed decides. Resolves when nothing waits any more; later things come in order again.
   */
  async interleave(seed: number, calls: readonly (() => void)[]): Promise<void> {
    const random = createRandom(seed);
    this.#random = random;
    this.#waiting.push(...calls);
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting.splice(random.next(this.#waiting.length), 1);
      next?.();
      await nextTurn();
    }
    this.#random = undefined;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The same file system, whose syncs are answered later, as a disk's are: in the turns of `turns`. */
export function syncsIn<Inner extends FileSystem>(
  { later }: Pick<Turns, 'later'>,
  inner: Inner,
): Inner {
  return override(inner, {
    open: (...args: Parameters<FileSystem['open']>) => {
      const handle = inner.open(...args);
      return override(handle, {
        sync: (scope) => later(() => handle.sync(scope)),
      } satisfies Partial<FileHandle>);
    },
    syncDirectory: (path: string) => later(() => inner.syncDirectory(path)),
  });
}

function override<T extends object>(inner: T, replacements: Readonly<Record<string, unknown>>): T {
  return new Proxy(inner, {
    get: (target, name) => {
      const replaced = typeof name === 'string' ? replacements[name] : undefined;
      if (replaced !== undefined) return replaced;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
