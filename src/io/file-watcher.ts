/**
 * Tells when a file may have changed: by asking for its stamps now and then, which works on any file
 * system and misses nothing that changes them. Assumes timers of the caller's choosing.
 */
import type { FileSystem } from './file-system.js';

/** Calls `changed` whenever the file may have changed; the result stops it. */
export type FileWatcher = (path: string, changed: () => void) => () => void;

/** Timers as XState's clocks have them. */
export interface Timers {
  setTimeout(action: () => void, afterMs: number): unknown;
  clearTimeout(id: unknown): void;
}

/** Asks for the file's stamps every `everyMs` milliseconds. */
export function pollingWatcher(fs: FileSystem, everyMs: number, timers: Timers): FileWatcher {
  return (path, changed) => {
    let before = stampOf(fs, path);
    let timer: unknown;
    const ask = () => {
      const now = stampOf(fs, path);
      if (now !== before) {
        before = now;
        changed();
      }
      timer = timers.setTimeout(ask, everyMs);
    };
    timer = timers.setTimeout(ask, everyMs);
    return () => timers.clearTimeout(timer);
  };
}

function stampOf(fs: FileSystem, path: string): string {
  try {
    const stat = fs.statLink(path);
    return stat === undefined
      ? 'missing'
      : [stat.device, stat.inode, stat.size, stat.modifiedMs, stat.changedMs].join();
  } catch (error) {
    // Whoever looks at the file next says what is wrong with it.
    return String(error);
  }
}
