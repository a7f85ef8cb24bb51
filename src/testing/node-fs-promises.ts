/**
 * The functions of `fs.promises` and the methods of file handles, made of the functions with callbacks,
 * which note what they do for the recorder of `node-fs-tracer.ts`.
 */
import fs, { type PathLike } from 'node:fs';
import { appending, fileArguments, nameOperations, type Table } from './node-fs-arguments.js';
import type { Current } from './node-fs-recording.js';

/** The functions of `fs.promises`, on top of those with callbacks. */
export function promiseFunctions(own: Table, current: Current): Table {
  const later = promised(own);
  const open = fs.promises.open.bind(fs.promises);
  const table: Record<string, (...args: never[]) => unknown> = {
    async open(path: PathLike, flags?: string, mode?: number) {
      const note = noteOpening(current, path, flags);
      const handle = await open(path, flags, mode);
      note(handle);
      return handle;
    },
    async writeFile(target: unknown, data: unknown, options?: unknown) {
      if (typeof target === 'object' && target !== null && 'fd' in target) {
        return await writeWhole(later, target.fd as number, fileArguments(data, options));
      }
      const wanted = fileArguments(data, options);
      const isOpen = typeof target === 'number';
      const descriptor = isOpen
        ? target
        : await later('open', target, wanted.flag ?? 'w', wanted.mode);
      try {
        await writeWhole(later, descriptor as number, wanted);
      } finally {
        if (!isOpen) await later('close', descriptor);
      }
    },
    async appendFile(target: unknown, data: unknown, options?: unknown) {
      await (table.writeFile as (...args: unknown[]) => unknown)(target, data, appending(options));
    },
    async copyFile(from: PathLike, to: PathLike, mode = 0) {
      const flag = (mode & fs.constants.COPYFILE_EXCL) === 0 ? 'w' : 'wx';
      const write = table.writeFile as (...args: unknown[]) => unknown;
      await write(to, fs.readFileSync(from), { flag });
    },
    async truncate(path: PathLike, size = 0) {
      const descriptor = await later('open', path, 'r+');
      try {
        await later('ftruncate', descriptor, size);
      } finally {
        await later('close', descriptor);
      }
    },
  };
  for (const name of nameOperations) table[name] = (...args: unknown[]) => later(name, ...args);
  return table as unknown as Table;
}

/** The methods of file handles, on top of the functions with callbacks. */
export function handleFunctions(own: Table): Table {
  const later = promised(own);
  type Handle = { readonly fd: number };
  const table = {
    async write(this: Handle, data: unknown, ...args: unknown[]) {
      return { bytesWritten: await later('write', this.fd, data, ...args), buffer: data };
    },
    async writev(this: Handle, buffers: ArrayBufferView[], position?: number) {
      return { bytesWritten: await later('writev', this.fd, buffers, position), buffers };
    },
    async writeFile(this: Handle, data: unknown, options?: unknown) {
      await writeWhole(later, this.fd, fileArguments(data, options));
    },
    async appendFile(this: Handle, data: unknown, options?: unknown) {
      await writeWhole(later, this.fd, fileArguments(data, options));
    },
    async truncate(this: Handle, size = 0) {
      await later('ftruncate', this.fd, size);
    },
    async sync(this: Handle) {
      await later('fsync', this.fd);
    },
    async datasync(this: Handle) {
      await later('fdatasync', this.fd);
    },
  };
  return table as unknown as Table;
}

type Later = (name: string, ...args: unknown[]) => Promise<unknown>;

function promised(own: Table): Later {
  return (name, ...args) =>
    new Promise((resolve, reject) => {
      const act = own[name] as unknown as (...args: unknown[]) => void;
      // Optional arguments that were left out would stand where the callback is expected.
      const given = args.slice(0, args.findLastIndex((one) => one !== undefined) + 1);
      act(...given, (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
}

async function writeWhole(
  later: Later,
  descriptor: number,
  { bytes, flush }: { bytes: Uint8Array; flush: boolean },
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += (await later('write', descriptor, bytes, at, bytes.length - at, null)) as number;
  }
  if (flush) await later('fsync', descriptor);
}

/** Opening through `fs.promises` gives a handle whose closing must be seen too. */
function noteOpening(current: Current, path: PathLike, flags: string | undefined) {
  const opened = current()?.opening(path, flags);
  return (handle: fs.promises.FileHandle) => {
    opened?.(handle.fd);
    const { fd } = handle;
    const close = handle.close.bind(handle);
    handle.close = async () => {
      // As soon as it is asked for: before the answer the number may be another file's.
      current()?.closed(fd);
      await close();
    };
  };
}
