/**
 * What a writer did to the disk, as data: the operations of one run in the order in which they took
 * effect, and the files before and after. Can be replayed on a simulated disk, so that any writer, in
 * any language, can be judged in the lab. Assumes that whoever recorded it left nothing out: the files
 * after a replay are compared with those that the writer really left.
 */
import type { FileHandle } from '../io/file-system.js';
import { describeState, type SimulatedDisk } from '../io/simulated-disk.js';

/**
 * One operation. Paths are absolute and count from the root of the traced folder; `handle` numbers an
 * open file or directory, and no number is used twice.
 */
export type WriterOperation =
  /** `created`: the file was not there before. `truncated`: it was, and was emptied by opening it. */
  | {
      readonly kind: 'open';
      readonly handle: number;
      readonly path: string;
      readonly created: boolean;
      readonly truncated: boolean;
    }
  | { readonly kind: 'openDirectory'; readonly handle: number; readonly path: string }
  | {
      readonly kind: 'write';
      readonly handle: number;
      readonly position: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly handle: number; readonly size: number }
  /** `fsync` or `fdatasync`, at its end; of a directory if the handle is one. */
  | { readonly kind: 'sync'; readonly handle: number }
  | { readonly kind: 'close'; readonly handle: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'makeDirectory'; readonly path: string }
  | { readonly kind: 'removeDirectory'; readonly path: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string }
  /** From here on the new content may be found. Absent: from the start. */
  | { readonly kind: 'saving' }
  /** The writer has said that the new content is saved. */
  | { readonly kind: 'saved' };

/** Files and directories by path, parents first; directories have no content. */
export type TracedFiles = readonly { readonly path: string; readonly content?: Uint8Array }[];

/** One recorded run. */
export interface WriterTrace {
  /** The files before the writer began. */
  readonly before: TracedFiles;
  /** What it asked of the file system, in order. */
  readonly operations: readonly WriterOperation[];
  /** The files that it left: the operations must explain them. */
  readonly after: TracedFiles;
}

/** Puts files on an empty disk, durably. */
export function placeFiles(disk: SimulatedDisk, files: TracedFiles): void {
  for (const { path, content } of files) {
    if (content === undefined) {
      disk.makeDirectory(path, 0o755);
      continue;
    }
    const handle = disk.open(path, 'create', 0o644);
    handle.write(content, 0);
    handle.close();
  }
  disk.settle();
}

/** Repeats the operations on a disk that holds {@link WriterTrace.before}, one at each step. */
export function* replay(
  operations: readonly WriterOperation[],
  disk: SimulatedDisk,
): Generator<WriterOperation> {
  const files = new Map<number, FileHandle>();
  const directories = new Map<number, string>();
  for (const operation of operations) {
    perform(operation, disk, files, directories);
    yield operation;
  }
}

function perform(
  operation: WriterOperation,
  disk: SimulatedDisk,
  files: Map<number, FileHandle>,
  directories: Map<number, string>,
): void {
  switch (operation.kind) {
    case 'open': {
      const { handle, path, created, truncated } = operation;
      const file = disk.open(path, created ? 'create' : 'readWrite');
      if (truncated) file.truncate(0);
      files.set(handle, file);
      return;
    }
    case 'openDirectory':
      directories.set(operation.handle, operation.path);
      return;
    case 'write':
      fileOf(operation.handle, files).write(operation.data, operation.position);
      return;
    case 'truncate':
      fileOf(operation.handle, files).truncate(operation.size);
      return;
    case 'sync': {
      const directory = directories.get(operation.handle);
      if (directory === undefined) void fileOf(operation.handle, files).sync();
      else void disk.syncDirectory(directory);
      return;
    }
    case 'close':
      files.get(operation.handle)?.close();
      files.delete(operation.handle);
      directories.delete(operation.handle);
      return;
    default:
      performOnNames(operation, disk);
  }
}

function performOnNames(operation: WriterOperation, disk: SimulatedDisk): void {
  switch (operation.kind) {
    case 'rename':
      disk.rename(operation.path, operation.to);
      return;
    case 'link':
      disk.link(operation.path, operation.to);
      return;
    case 'unlink':
      disk.unlink(operation.path);
      return;
    case 'makeDirectory':
      disk.makeDirectory(operation.path, 0o755);
      return;
    case 'removeDirectory':
      disk.removeDirectory(operation.path);
      return;
    case 'symlink':
      disk.symlink(operation.target, operation.path);
  }
}

function fileOf(handle: number, files: ReadonlyMap<number, FileHandle>): FileHandle {
  const file = files.get(handle);
  if (file === undefined) throw new TypeError(`the trace uses handle ${handle}, which is not open`);
  return file;
}

/**
 * Refuses a trace that does not lead from `before` to `after`: something was not recorded, and what
 * the lab would say of the writer would be wrong.
 *
 * @throws `TypeError` naming the first file that differs
 */
export function checkTrace({ after }: WriterTrace, disk: SimulatedDisk): void {
  const expected = new Map(after.map(({ path, content }) => [path, content]));
  for (const { path, content } of describeState(disk.visible())) {
    const isThere = content === undefined || expected.has(path);
    const wanted = expected.get(path);
    expected.delete(content === undefined ? path.replace(/\/$| -> .*$/, '') : path);
    if (!isThere) throw new TypeError(`the trace leaves ${path}, which the writer did not`);
    if (content !== undefined && !isEqual(content, wanted)) {
      throw new TypeError(`the trace does not explain the content of ${path}`);
    }
  }
  const [missing] = expected.keys();
  if (missing !== undefined)
    throw new TypeError(`the trace does not explain where ${missing} is from`);
}

function isEqual(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return left.length === right?.length && left.every((byte, index) => byte === right[index]);
}

/** One line for a person. `nameOf` tells the path that a handle was opened with. */
export function describeWriterOperation(
  operation: WriterOperation,
  nameOf: (handle: number) => string,
): string {
  switch (operation.kind) {
    case 'open':
      return `${operation.created ? 'create' : operation.truncated ? 'empty' : 'open'} ${operation.path}`;
    case 'openDirectory':
      return `open directory ${operation.path}`;
    case 'write':
      return `write ${operation.data.length} bytes to ${nameOf(operation.handle)}`;
    case 'truncate':
      return `set the size of ${nameOf(operation.handle)} to ${operation.size}`;
    case 'sync':
    case 'close':
      return `${operation.kind} ${nameOf(operation.handle)}`;
    case 'rename':
    case 'link':
      return `${operation.kind} ${operation.path} to ${operation.to}`;
    case 'symlink':
      return `make ${operation.path} a symbolic link`;
    case 'makeDirectory':
      return `make directory ${operation.path}`;
    case 'removeDirectory':
      return `remove directory ${operation.path}`;
    case 'unlink':
      return `unlink ${operation.path}`;
    case 'saving':
      return 'the save was asked for';
    case 'saved':
      return 'the writer said that it was saved';
  }
}
