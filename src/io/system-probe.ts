/**
 * What a diagnosis has to know of the machine beyond its files: where a directory is mounted and how,
 * what room is left, which program runs. One interface, so that tests give the answers themselves;
 * node's is `node-system-probe.ts`. Asking changes nothing.
 */

/** How a directory is mounted. */
export interface MountFacts {
  /** The file system's name as the system has it: `ext4`, `tmpfs`, `fuse.sshfs`. */
  readonly type: string;
  /** What is mounted: a device, a share, or just a word. */
  readonly source: string;
  readonly mountPoint: string;
  /** Options of this mount and of the file system beneath it, each once: `rw`, `barrier=0`. */
  readonly options: readonly string[];
}

/** How much room a file system has. */
export interface SpaceFacts {
  /** The file system's magic number (statfs(2)). */
  readonly magic: number;
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** How many files can still be made; absent where the file system has no such limit. */
  readonly freeInodes?: number;
}

/** The machine and this process, as far as a diagnosis asks. Times are milliseconds. */
export interface SystemProbe {
  /** As node names it: `linux`, `darwin`, `win32`. */
  readonly platform: string;
  /** Version of the running Node, without a `v`. */
  readonly nodeVersion: string;
  /** Lowest version of Node that this package is made for. */
  readonly nodeVersionMin: string;
  /** The user whose rights count; absent where the platform has no such thing. */
  readonly userId?: number;
  /** Wall clock, since the epoch. */
  now(): number;
  /** A clock that is never set back, for measuring. */
  elapsedMs(): number;
  random(length: number): Uint8Array;
  /** Whether the optional native package that locks in the kernel is installed and runs. */
  hasKernelLocks(): boolean;
  /** How the directory is mounted; `undefined` where the platform does not tell. */
  mountOf(directory: string): MountFacts | undefined;
  /** Room where the directory is; `undefined` where the platform does not tell. */
  spaceOf(directory: string): SpaceFacts | undefined;
  /** Lets everything else that waits have its turn. */
  pause(): Promise<void>;
}
