/**
 * Stores in memory that can be killed before, inside or after any I/O operation. What a kill leaves
 * is what the process had done so far: the page cache survives. Power failures, which lose and
 * reorder what was not synced, are simulated elsewhere.
 */
import { readSeal } from '../../src/format/seal.js';
import type { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { systemError } from '../../src/io/system-error.js';
import type { CheckpointStoreOptions } from '../../src/store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../../src/store.js';

/** Where the stores of these tests lie. */
export const DIRECTORY = '/state';
/** Their checkpoint file. */
export const TARGET = `${DIRECTORY}/ORCHESTRATION.yaml`;

/** Where in an operation the process ends. `inside` a write: half of its bytes are written. */
export type Moment = 'before' | 'inside';

/** Opens a store on a file system. */
export function open(
  fileSystem: MemoryFileSystem | RecordingFileSystem,
  options: Partial<CheckpointStoreOptions<undefined>> = {},
): Promise<CheckpointStore<Record<string, unknown>>> {
  return openCheckpointStore({
    directory: DIRECTORY,
    fileSystem,
    restore: false,
    audit: false,
    ...options,
  });
}

/** A disk on which nothing happens any more from operation `index` on. */
export function killedAt(
  disk: MemoryFileSystem,
  index: number,
  moment: Moment,
): RecordingFileSystem {
  return new RecordingFileSystem(disk, {
    before: (operation) => {
      if (operation.index < index) return undefined;
      const isCutWrite =
        operation.index === index && moment === 'inside' && operation.operation === 'write';
      if (isCutWrite) return { bytes: Math.floor((operation.bytes ?? 0) / 2) };
      throw systemError('EIO', 'killed');
    },
  });
}

/** The text under the checkpoint's name, and whether its seal verifies; `undefined` where there is none. */
export function published(disk: MemoryFileSystem): { text: string; sealed: boolean } | undefined {
  const found = disk.snapshot()[TARGET];
  if (found?.kind !== 'file') return undefined;
  const reading = readSeal(found.content);
  return 'text' in reading ? { text: reading.text, sealed: reading.kind === 'sealed' } : undefined;
}

/** Raw bytes of the checkpoint file, as text. */
export function rawCheckpoint(disk: MemoryFileSystem): string | undefined {
  const found = disk.snapshot()[TARGET];
  return found?.kind === 'file' ? new TextDecoder().decode(found.content) : undefined;
}

/** Paths that should not be there once a store is at rest. */
export function leftovers(disk: MemoryFileSystem): string[] {
  return Object.keys(disk.snapshot()).filter(
    (path) => /\.wal$|\.tmp$|\.lock/.test(path) && !path.includes('/quarantine/'),
  );
}

/** Replaces the checkpoint's content in place, as an editor would. */
export function editInPlace(disk: MemoryFileSystem, text: string): void {
  const handle = disk.open(TARGET, 'readWrite');
  handle.truncate(0);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
}
