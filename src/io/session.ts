/**
 * What the operations of one open store share: where its files are, what the checkpoint on disk is
 * known to be, and the files of the round in flight. Owned by `file-checkpoint-io.ts`; the machines
 * never see it.
 */
import { CheckpointError } from '../errors.js';
import type { ArtifactRecord } from '../format/artifact-lines.js';
import { sha256Hex } from '../format/bytes.js';
import type { SealReading, TextEnding } from '../format/seal.js';
import { MAX_SEAL_TIME_MS } from '../format/seal-line.js';
import type { ImageDigest } from '../format/wal-format.js';
import type { WalScan } from '../format/wal-scan.js';
import type { CheckpointContent } from './checkpoint-io.js';
import type { FileIdentity, Ownership } from './file-content.js';
import type { FileHandle, FileLock, FileSystem, MaybePromise } from './file-system.js';
import type { AppendedSave, OpenLog } from './open-log.js';
import type { Retention } from './retention-state.js';
import type { Outcome } from './run.js';
import type { StorePaths } from './store-paths.js';

/** The checkpoint file as it was last seen. */
export interface SeenCheckpoint {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, where it was asked for. */
  readonly sha256?: string;
  readonly reading: SealReading;
  readonly identity: FileIdentity;
  readonly ownership: Ownership;
  /** When it was looked at, by the store's clock, in milliseconds. */
  readonly seenAtMs: number;
  /** The number it counts as: its seal's, or the one it was adopted under. */
  readonly sequence: number | undefined;
  /** When it was last changed, in milliseconds since 1970: the time of an edit that is adopted. */
  readonly changedMs: number;
  /** The artifacts that belong to it, as its lines tell or as it took them over. */
  readonly artifacts: readonly ArtifactRecord[];
  /** Whether it is a state that history keeps when it is replaced; else quarantine has it already. */
  readonly historic: boolean;
  /** Of a round of this store: what stands for its text, and how that ends. */
  readonly rendered?: { readonly version: object; readonly ending: TextEnding };
}

/** The reading of a file that verifies. */
export type SealedReading = Extract<SealReading, { readonly kind: 'sealed' }>;

/** The files and the content of the round in flight. */
export interface Round {
  readonly sequence: number;
  /** The after-image: the sealed bytes to publish. */
  readonly image: Uint8Array;
  /** What the image is sealed with. */
  readonly sealed: SealedReading;
  /** Stands for its text, where the content says so. */
  readonly version?: object | undefined;
  /** How the text ends, where it was rendered by this store. */
  readonly ending?: TextEnding;
  /** SHA-256 of the image, where it was asked for. */
  readonly sha256?: string;
  /** The log, where this round or one before it created it. */
  wal?: OpenLog;
  /** Where the log ends once this save is in it; absent where it takes no other. */
  readonly appended?: AppendedSave;
  /** The save before it in the same log: what is left if this one is given up. Gone once the next begins. */
  before?: Round;
  /** Whether numbers before its own were never published. */
  readonly skips?: boolean;
  temporary?: {
    readonly path: string;
    readonly handle: FileHandle;
    /** Its sync, where it was begun beside that of the log. */
    synced?: MaybePromise<Outcome>;
  };
  /** The keeping of the predecessor, where it was begun then. */
  predecessorKept?: MaybePromise<Outcome>;
}

/** Settings of the file implementation. */
export interface SessionOptions {
  readonly fs: FileSystem;
  readonly directory: string;
  readonly file: string;
  readonly content: CheckpointContent;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  /** Most earlier checkpoints that are kept, pinned ones not counted. */
  readonly maxCheckpoints: number;
  /** Greatest age of those, in milliseconds. */
  readonly maxAgeMs: number;
  /** Largest checkpoint that is read, in bytes. */
  readonly maxBytes: number;
  /** The directory that artifacts lie in, absolute. */
  readonly artifactRoot: string;
  /** What becomes of edits made outside. */
  readonly externalEdits: 'adopt' | 'reject' | 'restore';
  /** Told this writer's epoch, once it is known. */
  readonly onEpoch?: (epoch: number) => void;
  /** Gives the lock up when all else is done; at once if absent. */
  readonly unlock?: (lock: FileLock) => void;
  /** Whether a checkpoint must be validated although its seal vouches for it (a schema is set). */
  readonly validateSealed: boolean;
}

/** The shared, mutable state. */
export interface Session extends SessionOptions {
  located: StorePaths | undefined;
  lock: FileLock | undefined;
  /** This writer's ownership number; 0 until the evidence has been read. */
  epoch: number;
  /** The checkpoint as this store knows it; `undefined` where there is none. */
  current: SeenCheckpoint | undefined;
  /** What an observation found in its place, until it is adopted or set aside. */
  observed: SeenCheckpoint | undefined;
  round: Round | undefined;
  walBytes: Uint8Array | undefined;
  scan: WalScan | undefined;
  /** The artifacts of the newest state: a save that names none takes them over. */
  artifacts: readonly ArtifactRecord[];
  /** Sequence numbers of this store's history entries, ascending. */
  entries: number[];
  /** The entry that this store has kept last, and that verifies. */
  newestKept: number | undefined;
  /** What pruning has learnt of the entries; `undefined` before the first time. */
  retention: Retention | undefined;
  /** Whether recovery ended well, so that closing may write. */
  recovered: boolean;
  /** Set by a failed sync: nothing more is written. */
  untrusted: boolean;
}

/** A session before its first operation. */
export function createSession(options: SessionOptions): Session {
  return {
    ...options,
    located: undefined,
    lock: undefined,
    epoch: 0,
    current: undefined,
    observed: undefined,
    round: undefined,
    walBytes: undefined,
    scan: undefined,
    artifacts: [],
    entries: [],
    newestKept: undefined,
    retention: undefined,
    recovered: false,
    untrusted: false,
  };
}

/** The store's paths. An operation before `acquireLock` is a bug of the caller. */
export function pathsOf(session: Pick<Session, 'located'>): StorePaths {
  if (session.located === undefined) throw new TypeError('the store has not been locked yet');
  return session.located;
}

/** The round in flight. An operation outside of one is a bug of the caller. */
export function roundOf(session: Session): Round {
  if (session.round === undefined) throw new TypeError('no round is in flight');
  return session.round;
}

/**
 * Tells the content what is on disk now: the reading itself, the text of which is made when asked for.
 * @param version what stands for its text, where the content has said so
 */
export function rebaseOn(session: Session, reading: SealedReading, version?: object): void {
  session.artifacts = reading.artifacts;
  const { sequence } = reading;
  const known = version && {
    get text() {
      return reading.text;
    },
    ...{ sequence, version },
  };
  session.content.rebase(known ?? reading);
}

/** Mode for files of a store that has no checkpoint yet: nobody else's business. */
const PRIVATE_MODE = 0o600;

/** Mode and owner for new files: those of the checkpoint. */
export function ownershipOf(session: Pick<Session, 'current' | 'observed'>): Ownership {
  return session.current?.ownership ?? session.observed?.ownership ?? { mode: PRIVATE_MODE };
}

/** A time as seals and logs record it, whatever the clock or a file says: whole milliseconds, in range. */
export function recordedMs(timeMs: number): number {
  const whole = Math.floor(timeMs);
  return Number.isNaN(whole) ? 0 : Math.min(Math.max(whole, 0), MAX_SEAL_TIME_MS);
}

/** Size and digest of the checkpoint, as the log's intent records them. */
export function digestOf({ bytes, sha256 }: SeenCheckpoint): ImageDigest {
  return { size: bytes.length, sha256: sha256 ?? sha256Hex(bytes) };
}

/** @throws CheckpointError `LOCK_LOST` */
export function checkLock(session: Session): void {
  if (session.lock?.isHeld()) return;
  throw new CheckpointError(
    'LOCK_LOST',
    `The lock ${pathsOf(session).lock} was taken away while the store was open. Nothing was written. Make sure that no other program uses the store, then open it again.`,
    { file: pathsOf(session).lock },
  );
}
