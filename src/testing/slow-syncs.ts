/**
 * Makes a disk that answers at once answer as a real one does: syncs take a turn of the event loop, so
 * that callers go on meanwhile and promises are kept before the next step begins.
 */
import type { FileSystem } from '../io/file-system.js';
import { syncsIn, Turns } from './turns.js';

/** The same file system, whose syncs take a turn of the event loop, as a disk's do. */
export function slowSyncs<Inner extends FileSystem>(inner: Inner): Inner {
  return syncsIn(new Turns(), inner);
}
