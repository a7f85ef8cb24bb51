/**
 * Tells at once when a file changes, by the system's own notice. Only ever a help: notices are lost on
 * some file systems, so the stamps are asked for as well.
 */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { FileWatcher } from './file-watcher.js';

/** Notices of the directory, as the file itself may be replaced; those of other files are left out. */
export const noticeWatcher: FileWatcher = (path, changed) => {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_, about) => {
      if (about === null || about === name) changed();
    });
    // Out of watches, or the directory is gone: the stamps are asked for all the same.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
};

/** Two watchers as one. */
export function bothWatchers(first: FileWatcher, second: FileWatcher): FileWatcher {
  return (path, changed) => {
    const stopFirst = first(path, changed);
    const stopSecond = second(path, changed);
    return () => {
      stopFirst();
      stopSecond();
    };
  };
}
