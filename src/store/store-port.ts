/**
 * The port that a store runs on: the user's own, or the one on files with the options' defaults; and the
 * audit, which is opened as soon as the lock is held and closed before it is given up.
 */
import type { CheckpointError } from '../errors.js';
import { MAX_SEAL_BYTES } from '../format/seal.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import type { CheckpointContent, CheckpointIo } from '../io/checkpoint-io.js';
import { createFileCheckpointIo } from '../io/file-checkpoint-io.js';
import type { FileLock, FileSystem } from '../io/file-system.js';
import { run, wait } from '../io/run.js';
import { DEFAULT_FILE, nameOf, resolvePaths } from '../io/store-paths.js';
import { auditTrailOf } from './audit-options.js';
import type { AuditTrail } from './audit-trail.js';
import type { CheckpointStoreOptions } from './store-options.js';

const MAX_CHECKPOINTS = 100;
const MAX_AGE_HOURS = 24;
const HOUR_MS = 3_600_000;

/** Where a store is. */
export interface StorePlace {
  readonly fs: FileSystem;
  /** Absolute. */
  readonly directory: string;
  /** Absolute. */
  readonly artifactRoot: string;
  readonly content: CheckpointContent;
}

/** A store's I/O, and what has to be waited for before anything is answered. */
export class StorePort {
  readonly io: CheckpointIo;
  readonly audit: AuditTrail | undefined;
  #lock: FileLock | undefined;

  /** `onFailure`: told when entries of the audit can't be written. */
  constructor(
    options: CheckpointStoreOptions,
    place: StorePlace,
    onFailure: (error: CheckpointError) => void,
  ) {
    this.audit = auditTrailOf(options, place.fs, onFailure);
    this.io = options.io?.(place.content) ?? this.#onFiles(options, place);
  }

  /** Gives an answer once its entries in the audit are where the policy wants them; see {@link AuditTrail.before}. */
  answer(answer: () => void, refuse?: (error: CheckpointError) => void): void {
    if (this.audit === undefined) answer();
    else this.audit.before(answer, refuse);
  }

  /** The end: the last entry is written before the lock is free for somebody else. */
  leave(then: () => void): void {
    const release = () => {
      this.#lock?.release();
      this.#lock = undefined;
      then();
    };
    if (this.audit === undefined) release();
    else void this.audit.close().then(release);
  }

  #onFiles(options: CheckpointStoreOptions, place: StorePlace): CheckpointIo {
    const { audit } = this;
    const { fs, directory, artifactRoot, content } = place;
    const { maxBytes } = { ...DEFAULT_LIMITS, ...options.limits };
    const files = createFileCheckpointIo({
      fs,
      directory,
      file: options.file ?? DEFAULT_FILE,
      content,
      now: () => (options.clock ?? Date).now(),
      random: options.random ?? ((length) => crypto.getRandomValues(new Uint8Array(length))),
      maxCheckpoints: options.maxCheckpoints ?? MAX_CHECKPOINTS,
      maxAgeMs: (options.maxAgeHours ?? MAX_AGE_HOURS) * HOUR_MS,
      // The text is bounded; its seal comes on top.
      maxBytes: maxBytes + MAX_SEAL_BYTES,
      artifactRoot,
      externalEdits: options.externalEdits ?? 'adopt',
      validateSealed: options.schema !== undefined,
      ...(audit && {
        onEpoch: (epoch) => {
          audit.epoch = epoch;
        },
        // Given up when the last entry is written.
        unlock: (lock) => {
          this.#lock = lock;
        },
      }),
    });
    if (audit === undefined) return files;
    function* acquireLock(trail: AuditTrail) {
      const lock = yield* wait(files.acquireLock(undefined));
      yield* trail.open(resolvePaths(fs, lock.directory, nameOf(lock.target)));
      return lock;
    }
    return { ...files, acquireLock: () => run(acquireLock(audit)) };
  }
}
