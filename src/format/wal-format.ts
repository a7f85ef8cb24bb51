/**
 * The write-ahead log's constants and record types, version 1. Assumes nothing about files: offsets
 * are bytes from the start of the log. Ruled by `docs/format.md`, which holds the byte tables.
 */

/** First 8 bytes of every log, of every version. */
export const WAL_MAGIC: readonly number[] = [0x89, 0x43, 0x50, 0x57, 0x41, 0x4c, 0x0d, 0x0a];
/** The version that this package writes and reads. */
export const WAL_VERSION = 1;
/** Bytes of magic, version, header length and their checksum: laid out so in every version. */
export const WAL_PRELUDE_BYTES = 16;
/** Bytes of the whole header. */
export const WAL_HEADER_BYTES = 64;
/** Bytes of the random salt. */
export const WAL_SALT_BYTES = 16;
/** First 4 bytes of every frame, read as a little-endian integer: the bytes `C3 57 4C 46`. */
export const FRAME_MAGIC = 0x464c57c3;
/** Bytes of a frame's header. */
export const FRAME_HEADER_BYTES = 16;
/** Every frame starts at a multiple of this. */
export const FRAME_ALIGNMENT = 8;
/** Largest payload of a data frame; every data frame but a save's last holds exactly this. */
export const DATA_CHUNK_BYTES = 65_536;
/** The two copies of a seal never share an aligned run of this many bytes. */
export const SECTOR_BYTES = 512;
/** First 8 bytes of a seal's payload, of every version: the text `cpwSEAL` and byte `0xC3`. */
export const SEAL_MAGIC: readonly number[] = [0x63, 0x70, 0x77, 0x53, 0x45, 0x41, 0x4c, 0xc3];
/** Bytes of a seal's payload, of every version. */
export const SEAL_PAYLOAD_BYTES = 88;
/** Bytes of one copy of the seal: frame header and payload. */
export const SEAL_FRAME_BYTES = FRAME_HEADER_BYTES + SEAL_PAYLOAD_BYTES;
/** Bytes of an intent's payload before target and label. */
export const INTENT_FIXED_BYTES = 116;
/** Largest target, in UTF-8 bytes. */
export const MAX_TARGET_BYTES = 4096;
/** Largest label, in UTF-8 bytes. */
export const MAX_LABEL_BYTES = 1024;
/** Label length that means: there is no label (as opposed to an empty one). */
export const NO_LABEL = 0xffff;
/**
 * Saves in a row that are splices may ask for so much work in all, counted as `PartedImage` does, which
 * bounds the time of rebuilding the last image.
 */
export const MAX_SPLICED_WORK = 2 ** 32;

/** What a frame holds, by the number on disk. */
export const FRAME_TYPE = { intent: 1, data: 2, seal: 3 } as const;

/** How an after-image is encoded in the data frames, by the number on disk. */
export const IMAGE_ENCODING = { whole: 0, splices: 1 } as const;

/** How an after-image is encoded: as itself, or as an edit of the previous sealed image of the log. */
export type ImageEncoding = keyof typeof IMAGE_ENCODING;

/** Size in bytes and SHA-256 (64 lower-case hex digits) of an image. */
export interface ImageDigest {
  readonly size: number;
  readonly sha256: string;
}

/** What identifies one log. */
export interface WalHeader {
  /** Which ownership of the store wrote the log; at most 2^48. */
  readonly epoch: number;
  /** 16 random bytes, new for each log: frames of another log never verify in this one. */
  readonly salt: Uint8Array;
  /** When the log was created, milliseconds since 1970. */
  readonly createdMs: number;
}

/** What one save says about itself before its data. */
export interface IntentRecord {
  /** Rises strictly within a log; at most 2^48. */
  readonly sequence: number;
  /** When the save was asked for, milliseconds since 1970. */
  readonly timeMs: number;
  /** Which file the save is for, as the store names it; 1 to 4096 UTF-8 bytes, the same in a whole log. */
  readonly target: string;
  /** The caller's note; at most 1024 UTF-8 bytes. Absent and empty are kept apart. */
  readonly label?: string;
  /** The target as it was before the save; `undefined` where there was no file. */
  readonly preImage: ImageDigest | undefined;
  /**
   * The bytes that the save publishes; of splices before the seal line's digest is filled in, and with the
   * SHA-256 of their parts.
   */
  readonly afterImage: ImageDigest;
  readonly encoding: ImageEncoding;
}
