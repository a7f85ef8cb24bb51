/**
 * The functions of node's `fs` with callbacks, each with its note for the recorder of
 * `node-fs-tracer.ts`.
 */
import fs, { type PathLike } from 'node:fs';
import {
  joined,
  nameOperations,
  positionOfRead,
  type Table,
  writeArguments,
} from './node-fs-arguments.js';
import { promiseFunctions } from './node-fs-promises.js';
import type { Current } from './node-fs-recording.js';

type Callback = (error: Error | null, ...results: unknown[]) => void;

/** The functions with callbacks. Recorded when they are done, before the caller is told. */
export function callbackFunctions(raw: Table, current: Current): Table {
  const call = (name: string, ...args: unknown[]) =>
    (raw[name] as unknown as (...args: unknown[]) => unknown)(...args);
  const own = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const ending =
    (callback: Callback, note: (...results: unknown[]) => void): Callback =>
    (error, ...results) => {
      if (!error) note(...results);
      callback(error, ...results);
    };
  const split = (args: unknown[]) => ({
    callback: args.at(-1) as Callback,
    rest: args.slice(0, -1),
  });
  const table: Record<string, (...args: never[]) => unknown> = {
    open(path: PathLike, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const opened = current()?.opening(path, rest[0] as string | undefined);
      call(
        'open',
        path,
        ...rest,
        ending(callback, (descriptor) => opened?.(descriptor as number)),
      );
    },
    write(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const { bytes, position } = writeArguments(rest);
      const length = current()?.allowed(descriptor, bytes.length) ?? bytes.length;
      call(
        'write',
        descriptor,
        bytes,
        0,
        length,
        position ?? null,
        (error: Error | null, written: number) => {
          if (!error) current()?.wrote(descriptor, bytes.subarray(0, written), position);
          callback(error, written, rest[0]);
        },
      );
    },
    writev(descriptor: number, buffers: ArrayBufferView[], ...args: unknown[]) {
      const { callback, rest } = split(args);
      own.write?.(
        descriptor,
        joined(buffers),
        { position: rest[0] },
        (error: Error | null, written: number) => callback(error, written, buffers),
      );
    },
    read(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const note = (bytes: unknown) =>
        current()?.read(descriptor, bytes as number, positionOfRead(rest.slice(1)));
      call('read', descriptor, ...rest, ending(callback, note));
    },
    ftruncate(descriptor: number, ...args: unknown[]) {
      const { callback, rest } = split(args);
      const size = (rest[0] as number | undefined) ?? 0;
      call(
        'ftruncate',
        descriptor,
        size,
        ending(callback, () => current()?.truncated(descriptor, size)),
      );
    },
    close(descriptor: number, callback: Callback = () => {}) {
      // As soon as it is asked for: before the answer the number may be another file's.
      current()?.closed(descriptor);
      call('close', descriptor, callback);
    },
  };
  for (const name of ['fsync', 'fdatasync']) {
    table[name] = (descriptor: number, callback: Callback) => {
      const synced = current()?.syncing(descriptor);
      call(
        name,
        descriptor,
        ending(callback, () => synced?.()),
      );
    };
  }
  for (const name of nameOperations) {
    table[name] = (first: PathLike, ...args: unknown[]) => {
      const { callback, rest } = split(args);
      const named = current()?.naming(name, first, rest[0]);
      call(
        name,
        first,
        ...rest,
        ending(callback, () => named?.()),
      );
    };
  }
  const whole = promiseFunctions(fs as unknown as Table, current);
  for (const name of ['writeFile', 'appendFile', 'copyFile', 'truncate']) {
    table[name] = (...args: unknown[]) => {
      const { callback, rest } = split(args);
      const done = (whole[name] as unknown as (...args: unknown[]) => Promise<unknown>)(...rest);
      done.then(() => callback(null), callback);
    };
  }
  return table as unknown as Table;
}
