/**
 * Errors and argument checks that all file systems share, so that the simulated ones fail in the
 * same words as the real one. Error numbers and texts are those of Linux. Assumes nothing.
 */

/** The error codes that file systems of this package raise themselves. */
export type SystemErrorCode = keyof typeof systemErrors;

/** An error shaped as node's are: `code`, `errno`, `syscall` and the paths concerned. */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly path?: string;
  readonly dest?: string;
}

const systemErrors = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EINTR: [4, 'interrupted system call'],
  EIO: [5, 'i/o error'],
  EBADF: [9, 'bad file descriptor'],
  EAGAIN: [11, 'resource temporarily unavailable'],
  EACCES: [13, 'permission denied'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  EXDEV: [18, 'cross-device link not permitted'],
  ENOTDIR: [20, 'not a directory'],
  EISDIR: [21, 'illegal operation on a directory'],
  EINVAL: [22, 'invalid argument'],
  EMFILE: [24, 'too many open files'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left on device'],
  EROFS: [30, 'read-only file system'],
  ENAMETOOLONG: [36, 'name too long'],
  ENOTEMPTY: [39, 'directory not empty'],
  ELOOP: [40, 'too many symbolic links encountered'],
  EDQUOT: [122, 'disk quota exceeded'],
} as const;

/** Builds an error with the message, `code`, `errno`, `syscall`, `path` and `dest` that node gives it on Linux. */
export function systemError(
  code: SystemErrorCode,
  syscall: string,
  path?: string,
  destination?: string,
): SystemError {
  const [number, text] = systemErrors[code];
  const from = path === undefined ? '' : ` '${path}'`;
  const to = destination === undefined ? '' : ` -> '${destination}'`;
  return Object.assign(new Error(`${code}: ${text}, ${syscall}${from}${to}`), {
    errno: -number,
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
    ...(destination === undefined ? {} : { dest: destination }),
  });
}

/** The `code` of an error, `undefined` for anything that carries none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Refuses a path that is not absolute or holds a NUL.
 *
 * @throws `TypeError`
 */
export function checkPath(path: string, isAbsolute: (path: string) => boolean): void {
  if (typeof path !== 'string' || path.includes('\0') || !isAbsolute(path)) {
    throw new TypeError(`not an absolute path: ${JSON.stringify(path)}`);
  }
}

/**
 * Refuses a byte position or size that is negative, fractional or not exact.
 *
 * @throws `TypeError`
 */
export function checkByteCount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`${what} must be a non-negative integer of bytes, not ${String(value)}`);
  }
}

/**
 * Refuses a mode with anything but permission bits.
 *
 * @throws `TypeError`
 */
export function checkMode(mode: number): void {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
    throw new TypeError(`mode must be permission bits (0o777 at most), not ${String(mode)}`);
  }
}

/** Whether an error says that nothing is at a path: `ENOENT`, or `ENOTDIR` (a parent is no directory). */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
