/**
 * The lines that record a checkpoint's artifacts: files that belong to it and are not part of it, by
 * size and SHA-256. They stand immediately before the seal line, inside the bytes that the seal covers.
 * Owns their form and their limits; knows nothing of files. Ruled by `docs/format.md`, "Artifact lines".
 */
import { isSha256Hex } from './bytes.js';
import { fits, quote, quotedBytesMax, unquote } from './quoted-text.js';

/** One file that belongs to a checkpoint, as it was when the checkpoint was saved. */
export interface ArtifactRecord {
  /** Relative to the artifacts' root, with forward slashes; 1 to 1,024 bytes of UTF-8. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

/** At most so many artifacts belong to one checkpoint. */
export const MAX_ARTIFACTS = 1000;
/** Longest path of an artifact, in bytes of UTF-8. */
export const MAX_ARTIFACT_PATH_BYTES = 1024;

/** How every artifact line begins. */
export const ARTIFACT_PREFIX = '# checkpoint-wal: artifact ';
const LINE =
  /^# checkpoint-wal: artifact sha256=([0-9a-f]{64}) size=(0|[1-9]\d{0,15}) path=(".*")$/;
const LONGEST_NUMBERS = ARTIFACT_PREFIX.length + 'sha256= size= path='.length + 64 + 16;
/** Longest artifact line with its line break, in bytes. Longer lines are none. */
export const MAX_ARTIFACT_LINE_BYTES =
  LONGEST_NUMBERS + quotedBytesMax(MAX_ARTIFACT_PATH_BYTES) + 2;

/**
 * The line of one artifact, without a line break.
 * @throws TypeError for a digest that is none or text that UTF-8 can't carry; RangeError for a size or
 * a path out of range
 */
export function artifactLine({ path, size, sha256 }: ArtifactRecord): string {
  if (typeof path !== 'string' || path === '' || !fits(path, MAX_ARTIFACT_PATH_BYTES)) {
    throw new RangeError(`an artifact's path is 1 to ${MAX_ARTIFACT_PATH_BYTES} bytes of UTF-8`);
  }
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new RangeError(`an artifact's size ${String(size)} is not a number of bytes`);
  }
  if (typeof sha256 !== 'string' || !isSha256Hex(sha256)) {
    throw new TypeError('a SHA-256 is 64 lower-case hex digits');
  }
  return `${ARTIFACT_PREFIX}sha256=${sha256} size=${size} path=${quote(path)}`;
}

/** Reads one line, without its line break. `undefined`: any other line. */
export function readArtifactLine(line: string): ArtifactRecord | undefined {
  if (line.length > MAX_ARTIFACT_LINE_BYTES) return undefined;
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [, sha256 = '', digits, quoted = ''] = match;
  const size = Number(digits);
  const path = unquote(quoted, MAX_ARTIFACT_PATH_BYTES);
  if (!Number.isSafeInteger(size) || path === undefined || path === '') return undefined;
  return { path, size, sha256 };
}
