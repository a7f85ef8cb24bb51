/**
 * Makes a disk that answers at once answer as a real one does: syncs take a turn of the event loop, so
 * that callers go on meanwhile and promises are kept before the next step begins.
 */
import type { FileHandle, FileSystem } from '../io/file-system.js';

/** The same file system, whose syncs take a turn of the event loop, as a disk's do. */
export function slowSyncs<Inner extends FileSystem>(inner: Inner): Inner {
  return override(inner, {
    open: (...args: Parameters<FileSystem['open']>) => {
      const handle = inner.open(...args);
      return override(handle, {
        sync: () => later(() => handle.sync()),
      } satisfies Partial<FileHandle>);
    },
    syncDirectory: (path: string) => later(() => inner.syncDirectory(path)),
  });
}

function later<T>(act: () => T): Promise<Awaited<T>> {
  return new Promise((resolve) => setImmediate(resolve)).then(act) as Promise<Awaited<T>>;
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
