/**
 * Sizes and SHA-256 of artifacts: taking them for a save, and comparing them later. Files are read in
 * bounded pieces, however large they are or claim to be, and other work goes on between two pieces. A
 * file that changes while it is read has no digest. Where artifacts may lie: `artifact-paths.ts`.
 */
import { CheckpointError } from '../errors.js';
import { type ArtifactRecord, MAX_ARTIFACTS } from '../format/artifact-lines.js';
import { createSha256 } from '../format/bytes.js';
import { type FoundArtifact, findArtifact, realRoot } from './artifact-paths.js';
import { closeQuietly } from './file-content.js';
import type { FileHandle, FileStat, FileSystem } from './file-system.js';
import { readError } from './io-error.js';

/** How far the reading of all artifacts together has come. */
export interface ArtifactProgress {
  /** The artifact that is being read. */
  readonly path: string;
  /** Bytes read so far, of all files together. */
  readonly doneBytes: number;
  /** Bytes that there are to read. */
  readonly totalBytes: number;
}

/** Options of {@link hashArtifacts} and {@link verifyArtifacts}. */
export interface ArtifactOptions {
  /** Ends the work with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each piece that was read. */
  readonly onProgress?: ((progress: ArtifactProgress) => void) | undefined;
  /** Digests of files that have not changed since; absent: every file is read. */
  readonly cache?: ArtifactCache | undefined;
  /** Wall clock in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** How an artifact stands to its record. */
export type ArtifactState = 'intact' | 'missing' | 'changed' | 'unreadable';

/** What became of one artifact. */
export interface ArtifactCheck {
  /** As it was recorded: relative to the artifacts' root, with forward slashes. */
  readonly path: string;
  /** How the file compares with what was recorded. */
  readonly state: ArtifactState;
  /** What was recorded. */
  readonly expected: Pick<ArtifactRecord, 'size' | 'sha256'>;
  /** Bytes of the file that is there now. */
  readonly size?: number;
  /** Why it is `missing` or `unreadable`, or what is different. */
  readonly reason?: string;
}

const CHUNK_BYTES = 1024 * 1024;
/** A file that changes while it is read is read again so often. */
const READ_ATTEMPTS = 3;
/** File systems stamp changes with a coarse clock; younger files may change again under the same stamp. */
const COARSE_CLOCK_MS = 50;
const CACHED_MAX = 4 * MAX_ARTIFACTS;

/** Digests by file, each valid as long as every stamp of the file is the same. */
export class ArtifactCache {
  readonly #digests = new Map<string, { readonly stamp: string; readonly sha256: string }>();

  /** The digest of the file, if it has not changed since it was taken. */
  get({ file, stat }: FoundArtifact): string | undefined {
    const cached = this.#digests.get(file);
    return cached?.stamp === stampOf(stat) ? cached.sha256 : undefined;
  }

  /** Keeps a digest, if a later change of the file is sure to show in its stamps. */
  set({ file, stat }: FoundArtifact, sha256: string, startedMs: number): void {
    this.#digests.delete(file);
    if (!(Math.max(stat.modifiedMs, stat.changedMs) < startedMs - COARSE_CLOCK_MS)) return;
    this.#digests.set(file, { stamp: stampOf(stat), sha256 });
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > CACHED_MAX && oldest !== undefined) this.#digests.delete(oldest);
  }
}

function stampOf({ device, inode, size, modifiedMs, changedMs }: FileStat): string {
  return JSON.stringify([device, inode, size, modifiedMs, changedMs]);
}

/**
 * The records of these files, in the order of the paths; a path that is there twice counts once. Every
 * file is looked for before the first is read.
 *
 * Rejects with `ARTIFACT_MISSING`, `ARTIFACT_OUTSIDE_ROOT`, `READ_FAILED` (also for a file that goes on
 * changing), `TOO_LARGE` (more than 1,000 artifacts, or a path of more than 1,024 bytes), or the
 * signal's reason.
 * @param root the directory that paths are relative to, absolute
 */
export async function hashArtifacts(
  fs: FileSystem,
  root: string,
  paths: readonly string[],
  options: ArtifactOptions = {},
): Promise<ArtifactRecord[]> {
  options.signal?.throwIfAborted();
  if (paths.length === 0) return [];
  const real = realRoot(fs, root);
  const found = new Map<string, FoundArtifact>();
  for (const path of paths) {
    const artifact = findArtifact(fs, real, path);
    if (!found.has(artifact.path)) found.set(artifact.path, artifact);
    if (found.size > MAX_ARTIFACTS) throw tooMany();
  }
  const reading = new Reading(fs, options, [...found.values()]);
  const records: ArtifactRecord[] = [];
  for (const artifact of found.values()) {
    const { size, sha256 } = await reading.digest(artifact);
    records.push({ path: artifact.path, size, sha256 });
  }
  return records;
}

/**
 * Compares the files below `root` with these records. What is wrong with an artifact is a value; one
 * whose path leads out of the root is `unreadable`. Rejects with the signal's reason only.
 */
export async function verifyArtifacts(
  fs: FileSystem,
  root: string,
  records: readonly ArtifactRecord[],
  options: ArtifactOptions = {},
): Promise<ArtifactCheck[]> {
  options.signal?.throwIfAborted();
  const looked = records.map((record) => ({ record, look: lookAt(fs, root, record) }));
  const toRead = looked.flatMap(({ look }) => ('file' in look ? [look] : []));
  const reading = new Reading(fs, options, toRead);
  const checks: ArtifactCheck[] = [];
  for (const { record, look } of looked) {
    checks.push('file' in look ? await compare(reading, record, look) : look);
  }
  return checks;
}

/** What can be said of an artifact without reading it, or the file to read. */
function lookAt(
  fs: FileSystem,
  root: string,
  record: ArtifactRecord,
): FoundArtifact | ArtifactCheck {
  try {
    const found = findArtifact(fs, realRoot(fs, root), record.path);
    if (found.stat.size === record.size) return found;
    const { size } = found.stat;
    const reason = `it has ${size} bytes, ${record.size} were recorded`;
    return { ...checkOf(record, 'changed'), size, reason };
  } catch (error) {
    return unreadable(record, error);
  }
}

async function compare(
  reading: Reading,
  record: ArtifactRecord,
  found: FoundArtifact,
): Promise<ArtifactCheck> {
  try {
    const { size, sha256 } = await reading.digest(found);
    if (size === record.size && sha256 === record.sha256) {
      return { ...checkOf(record, 'intact'), size };
    }
    return { ...checkOf(record, 'changed'), size, reason: 'its content is another' };
  } catch (error) {
    reading.throwIfAborted();
    return unreadable(record, error);
  }
}

function checkOf({ path, size, sha256 }: ArtifactRecord, state: ArtifactState): ArtifactCheck {
  return { path, state, expected: { size, sha256 } };
}

function unreadable(record: ArtifactRecord, error: unknown): ArtifactCheck {
  if (!(error instanceof CheckpointError)) throw error;
  if (error.code === 'ARTIFACT_MISSING' && error.details.path !== undefined) {
    return { ...checkOf(record, 'missing'), reason: `there is no file ${error.details.file}` };
  }
  const state = error.code === 'ARTIFACT_MISSING' ? 'missing' : 'unreadable';
  return { ...checkOf(record, state), reason: error.message };
}

/** Reading several files one after the other, with what is common to them. */
class Reading {
  readonly #fs: FileSystem;
  readonly #options: ArtifactOptions;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #totalBytes: number;
  #doneBytes = 0;

  constructor(fs: FileSystem, options: ArtifactOptions, artifacts: readonly FoundArtifact[]) {
    this.#fs = fs;
    this.#options = options;
    this.#totalBytes = artifacts.reduce((sum, { stat }) => sum + stat.size, 0);
  }

  /** Size and digest of a file that did not change while it was read. */
  async digest(found: FoundArtifact): Promise<{ readonly size: number; readonly sha256: string }> {
    const { cache, now = Date.now } = this.#options;
    const cached = cache?.get(found);
    if (cached !== undefined) {
      this.#doneBytes += found.stat.size;
      return { size: found.stat.size, sha256: cached };
    }
    const startBytes = this.#doneBytes;
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
      this.#doneBytes = startBytes;
      const startedMs = now();
      const read = await this.#readOnce(found);
      if (read === undefined) continue;
      cache?.set({ ...found, stat: read.stat }, read.sha256, startedMs);
      return { size: read.stat.size, sha256: read.sha256 };
    }
    throw new CheckpointError(
      'READ_FAILED',
      `The artifact ${found.path} went on changing while it was read. Nothing was changed.`,
      { path: found.path, file: found.file },
    );
  }

  /** @throws the signal's reason */
  throwIfAborted(): void {
    this.#options.signal?.throwIfAborted();
  }

  /** `undefined` where the file changed meanwhile. Reads no more than the size it began with. */
  async #readOnce({ path, file, stat: seen }: FoundArtifact) {
    let handle: FileHandle | undefined;
    try {
      handle = this.#fs.open(file, 'read');
      const before = handle.stat();
      // Under this name lies another file by now: it may be one outside of the root.
      if (before.device !== seen.device || before.inode !== seen.inode) {
        throw new CheckpointError(
          'READ_FAILED',
          `The artifact ${path} was replaced while it was read.`,
          { path, file },
        );
      }
      const sha256 = createSha256();
      for (let at = 0; at < before.size; ) {
        const wanted = this.#chunk.subarray(0, Math.min(CHUNK_BYTES, before.size - at));
        const count = handle.read(wanted, at);
        if (count <= 0) return undefined;
        sha256.update(wanted.subarray(0, count));
        at += count;
        await this.#pieceDone(path, count);
      }
      const after = handle.stat();
      return stampOf(after) === stampOf(before)
        ? { stat: after, sha256: sha256.digest() }
        : undefined;
    } catch (error) {
      this.throwIfAborted();
      throw readError(error, file);
    } finally {
      closeQuietly(handle);
    }
  }

  /** Tells how far it has come, and lets other work go on. */
  async #pieceDone(path: string, bytes: number): Promise<void> {
    this.#doneBytes += bytes;
    this.#options.onProgress?.({ path, doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
    await new Promise((resolve) => setImmediate(resolve));
    this.throwIfAborted();
  }
}

function tooMany(): CheckpointError {
  return new CheckpointError(
    'TOO_LARGE',
    `More than ${MAX_ARTIFACTS} artifacts were named; so many are recorded with one checkpoint at most.`,
  );
}
