/**
 * The synchronous functions of node's `fs`, each with its note for the recorder of `node-fs-tracer.ts`.
 * Whole-file functions are taken apart into open, write, sync and close, as node does it inside.
 */
import fs, { type PathLike } from 'node:fs';
import {
  appending,
  fileArguments,
  joined,
  nameOperations,
  positionOfRead,
  type Table,
  writeArguments,
} from './node-fs-arguments.js';
import type { Current } from './node-fs-recording.js';

/** The synchronous functions. Recorded right after they are done. */
export function syncFunctions(raw: Table, current: Current): Table {
  const call = (name: string, ...args: unknown[]) =>
    (raw[name] as unknown as (...args: unknown[]) => unknown)(...args);
  const own = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const table: Record<string, (...args: never[]) => unknown> = {
    openSync(path: PathLike, flags?: string | number, mode?: unknown) {
      const opened = current()?.opening(path, flags);
      const descriptor = call('openSync', path, flags, mode) as number;
      opened?.(descriptor);
      return descriptor;
    },
    writeSync(descriptor: number, ...args: unknown[]) {
      const { bytes, position } = writeArguments(args);
      const length = current()?.allowed(descriptor, bytes.length) ?? bytes.length;
      const written = call('writeSync', descriptor, bytes, 0, length, position ?? null) as number;
      current()?.wrote(descriptor, bytes.subarray(0, written), position);
      return written;
    },
    writevSync(descriptor: number, buffers: ArrayBufferView[], position?: unknown) {
      return own.writeSync?.(descriptor, joined(buffers), { position });
    },
    readSync(descriptor: number, target: unknown, ...args: unknown[]) {
      const bytes = call('readSync', descriptor, target, ...args) as number;
      current()?.read(descriptor, bytes, positionOfRead(args));
      return bytes;
    },
    ftruncateSync(descriptor: number, size = 0) {
      call('ftruncateSync', descriptor, size);
      current()?.truncated(descriptor, size);
    },
    truncateSync(path: PathLike, size = 0) {
      const descriptor = own.openSync?.(path, 'r+');
      try {
        own.ftruncateSync?.(descriptor, size);
      } finally {
        own.closeSync?.(descriptor);
      }
    },
    closeSync(descriptor: number) {
      call('closeSync', descriptor);
      current()?.closed(descriptor);
    },
    writeFileSync(path: PathLike | number, data: unknown, options?: unknown) {
      const { bytes, mode, flag = 'w', flush } = fileArguments(data, options);
      const descriptor = typeof path === 'number' ? path : own.openSync?.(path, flag, mode);
      try {
        for (let at = 0; at < bytes.length; ) {
          at += own.writeSync?.(descriptor, bytes, at, bytes.length - at, null) as number;
        }
        if (flush) own.fsyncSync?.(descriptor);
      } finally {
        if (typeof path !== 'number') own.closeSync?.(descriptor);
      }
    },
    appendFileSync(path: PathLike | number, data: unknown, options?: unknown) {
      own.writeFileSync?.(path, data, appending(options));
    },
    copyFileSync(from: PathLike, to: PathLike, mode = 0) {
      const flag = (mode & fs.constants.COPYFILE_EXCL) === 0 ? 'w' : 'wx';
      own.writeFileSync?.(to, call('readFileSync', from), { flag });
    },
  };
  for (const name of ['fsyncSync', 'fdatasyncSync']) {
    table[name] = (descriptor: number) => {
      const synced = current()?.syncing(descriptor);
      call(name, descriptor);
      synced?.();
    };
  }
  for (const name of nameOperations) {
    table[`${name}Sync`] = (first: PathLike, ...rest: unknown[]) => {
      const named = current()?.naming(name, first, rest[0]);
      const result = call(`${name}Sync`, first, ...rest);
      named?.();
      return result;
    };
  }
  return table as unknown as Table;
}
