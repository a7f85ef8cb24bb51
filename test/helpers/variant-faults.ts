/**
 * Faults and intruders between a store and its disk, each as small as one broken variant needs: syncs
 * that fail and then lie, a full disk, short writes, an editor. Assumes nothing of the store.
 */
import type { FileHandle, FileSystem } from '../../src/io/file-system.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import type { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { systemError } from '../../src/io/system-error.js';
import { LAB_DIRECTORY, LAB_FILE } from '../../src/testing/scenario.js';
import { slowSyncs } from '../../src/testing/slow-syncs.js';

const target = `${LAB_DIRECTORY}/${LAB_FILE}`;
const isLog = (path: string) => path.endsWith('.wal');
const isTemporary = (path: string) => path.endsWith('.tmp');

/**
 * The first sync of such a file fails; a later sync of the same descriptor reports success and writes
 * nothing, as kernels do that mark pages clean when they could not write them.
 */
function lyingSync(disk: SimulatedDisk, isHit: (path: string) => boolean): FileSystem {
  const liars = new WeakSet<FileHandle>();
  let isArmed = true;
  const handleOver = (handle: FileHandle, path: string): FileHandle =>
    delegate(handle, {
      sync: () => {
        if (isArmed && isHit(path)) {
          isArmed = false;
          liars.add(handle);
          throw systemError('EIO', 'fsync', path);
        }
        return liars.has(handle) ? undefined : handle.sync();
      },
    });
  return slowSyncs(
    delegate<FileSystem>(disk, {
      open: (path, ...how) => handleOver(disk.open(path, ...how), path),
    }),
  );
}

/** The first save finds the disk full when it writes its temporary file: ahead, and again in step 4. */
function fullDisk(disk: SimulatedDisk): FileSystem {
  let left = 2;
  return new RecordingFileSystem(disk, {
    before: ({ operation, path }) => {
      if (left === 0 || operation !== 'write' || !isTemporary(path)) return undefined;
      left -= 1;
      throw systemError('ENOSPC', 'write', path);
    },
  });
}

const SHORT_BYTES = 64;

/** No write takes more than 64 bytes. */
function shortWrites(disk: SimulatedDisk): FileSystem {
  return new RecordingFileSystem(disk, {
    before: ({ operation }) => (operation === 'write' ? { bytes: SHORT_BYTES } : undefined),
  });
}

/** What an editor writes while a save is in flight. */
export const LATE_EDIT = 'v: 77 # written during a save\n';

/** While the second temporary file of a run is written, somebody edits the checkpoint in place. */
function lateEditor(disk: SimulatedDisk): FileSystem {
  let files = 0;
  return new RecordingFileSystem(disk, {
    after: ({ operation, path }) => {
      if (operation !== 'write' || !path.startsWith(`${LAB_DIRECTORY}/.`) || !isTemporary(path)) {
        return;
      }
      files += 1;
      if (files === 2) editInPlace(disk, LATE_EDIT);
    },
  });
}

function editInPlace(disk: SimulatedDisk, text: string): void {
  const handle = disk.open(target, 'readWrite');
  handle.truncate(0);
  handle.write(new TextEncoder().encode(text), 0);
  handle.close();
}

/** By name. */
export const variantFaults = {
  failingLogSync: (disk: SimulatedDisk) => lyingSync(disk, isLog),
  failingTemporarySync: (disk: SimulatedDisk) => lyingSync(disk, isTemporary),
  fullDisk,
  shortWrites,
  lateEditor,
};

/** The same object with some methods replaced. */
function delegate<T extends object>(inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, {
    get: (of, name) => {
      const own = Reflect.get(replaced, name) as unknown;
      if (own !== undefined) return own;
      const value = Reflect.get(of, name, of) as unknown;
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
}
