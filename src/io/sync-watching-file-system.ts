/**
 * A file system that passes everything on to another one, and lets somebody stand around its syncs: for
 * measuring and tracing them. It adds no behaviour of its own, and no wait.
 */
import type {
  FileHandle,
  FileStat,
  FileSystem,
  LockOwner,
  LockResult,
  MaybePromise,
  OpenMode,
} from './file-system.js';

/** What is synced. */
export type SyncKind = 'file' | 'directory';

/** Performs a sync, and may look at how it goes; what `act` returns or throws has to be passed on. */
export type AroundSync = <T>(
  kind: SyncKind,
  path: string,
  act: () => MaybePromise<T>,
) => MaybePromise<T>;

/** See the head of this file. */
export class SyncWatchingFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #around: AroundSync;

  constructor(inner: FileSystem, around: AroundSync) {
    this.#inner = inner;
    this.#around = around;
  }

  open(path: string, how: OpenMode, mode?: number): FileHandle {
    return new SyncWatchingHandle(this.#inner.open(path, how, mode), path, this.#around);
  }

  rename(from: string, to: string): void {
    this.#inner.rename(from, to);
  }

  link(existing: string, path: string): void {
    this.#inner.link(existing, path);
  }

  unlink(path: string): void {
    this.#inner.unlink(path);
  }

  makeDirectory(path: string, mode?: number): void {
    this.#inner.makeDirectory(path, mode);
  }

  removeDirectory(path: string): void {
    this.#inner.removeDirectory(path);
  }

  list(path: string): string[] {
    return this.#inner.list(path);
  }

  stat(path: string): FileStat | undefined {
    return this.#inner.stat(path);
  }

  statLink(path: string): FileStat | undefined {
    return this.#inner.statLink(path);
  }

  realPath(path: string): string {
    return this.#inner.realPath(path);
  }

  readLink(path: string): string {
    return this.#inner.readLink(path);
  }

  syncDirectory(path: string): MaybePromise<boolean> {
    return this.#around('directory', path, () => this.#inner.syncDirectory(path));
  }

  lock(path: string): LockResult {
    return this.#inner.lock(path);
  }

  lockHolder(path: string): LockOwner | undefined {
    return this.#inner.lockHolder(path);
  }
}

class SyncWatchingHandle implements FileHandle {
  readonly #inner: FileHandle;
  readonly #path: string;
  readonly #around: AroundSync;

  constructor(inner: FileHandle, path: string, around: AroundSync) {
    this.#inner = inner;
    this.#path = path;
    this.#around = around;
  }

  read(target: Uint8Array, position: number): number {
    return this.#inner.read(target, position);
  }

  write(data: Uint8Array, position: number): number {
    return this.#inner.write(data, position);
  }

  size(): number {
    return this.#inner.size();
  }

  stat(): FileStat {
    return this.#inner.stat();
  }

  truncate(size: number): void {
    this.#inner.truncate(size);
  }

  setMode(mode: number): void {
    this.#inner.setMode(mode);
  }

  setOwner(uid: number, gid: number): void {
    this.#inner.setOwner(uid, gid);
  }

  sync(scope?: 'data'): MaybePromise<void> {
    return this.#around('file', this.#path, () => this.#inner.sync(scope));
  }

  close(): void {
    this.#inner.close();
  }
}
