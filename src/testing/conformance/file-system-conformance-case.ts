/**
 * What a case of the file system's conformance suite is, and what it is given.
 */
import type { FileSystem } from '../../io/file-system.js';

/** One file system to test: an empty directory in it, and what the interface itself can't do. */
export interface FileSystemSubject {
  /** The file system under test. */
  readonly fs: FileSystem;
  /** Absolute path of an empty directory, without symbolic links. */
  readonly root: string;
  /** Creates a symbolic link at `path` whose text is `target`. */
  symlink(target: string, path: string): void;
  /** Removes everything; called once, after the case. */
  dispose(): void;
}

/** What a case works on: a fresh subject, and paths below its root. */
export interface FileSystemContext extends Omit<FileSystemSubject, 'dispose'> {
  at(path: string): string;
}

/** One case. */
export interface FileSystemCase {
  /** What it is about, to gather cases by. */
  readonly group: string;
  /** The behaviour that it asks for, as a sentence. */
  readonly title: string;
  run(context: FileSystemContext): void | Promise<void>;
}
