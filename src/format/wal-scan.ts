/**
 * What reading a log can yield: the values of `scanWal`. Every field is there where it is known and
 * verified, absent otherwise. What recovery does with each is not decided here. Ruled by
 * `docs/format.md`, "Reading a log".
 */
import type { IntentRecord, WalHeader } from './wal-format.js';

/** A place in a log and what is wrong there, in words. Offsets are bytes from the start of the log. */
export interface WalProblem {
  readonly offset: number;
  readonly reason: string;
}

/** A save whose intent, data and seal verify, and whose image has the SHA-256 that both name. */
export interface SealedSave {
  readonly intent: IntentRecord;
  /** Bytes of the encoded after-image. */
  readonly dataLength: number;
  /** Where its intent frame starts. */
  readonly offset: number;
  /** Where the first copy of its seal starts. */
  readonly sealOffset: number;
  /** Where the next save starts, if there is one; may lie past the end where the second seal is cut off. */
  readonly endOffset: number;
}

/** What follows the last sealed save. */
export type WalTail =
  | { readonly kind: 'clean' }
  | (WalProblem & { readonly kind: 'torn' | 'unsealed'; readonly intent?: IntentRecord })
  /** A seal of this log lies there, or verified bytes that no writer writes: a save may have been promised. */
  | (WalProblem & {
      readonly kind: 'damaged';
      /** The newest save that a verified seal there names. */
      readonly sealedSequence?: number;
    });

/**
 * What a log is.
 *
 * - `absent`: there is none.
 * - `torn`: nothing was sealed, and the bytes end or break inside a record.
 * - `unsealed`: nothing was sealed, and every record there verifies.
 * - `sealed`: at least one save was promised; `image` is what the last one publishes. `findings` are
 *   defects that cost nothing, as one bad copy of a seal. Its `tail` may be damaged: what comes before
 *   verifies all the same.
 * - `damaged`: not even the first save verifies, and a seal of this log lies behind, or verified bytes say
 *   what no writer writes. Whatever was promised can't be told from this log.
 * - `unsupportedVersion`: the log is of another version, and that is no flipped bit.
 * - `foreignTarget`: the log verifies as far as it goes and is for another file.
 */
export type WalScan =
  | { readonly kind: 'absent' }
  | (WalProblem & {
      readonly kind: 'torn';
      readonly header?: WalHeader;
      /** The intent of the save that was not sealed, where it verifies. */
      readonly intent?: IntentRecord;
    })
  | (WalProblem & {
      readonly kind: 'unsealed';
      readonly header: WalHeader;
      readonly saves: readonly [];
      readonly intent?: IntentRecord;
    })
  | {
      readonly kind: 'sealed';
      readonly header: WalHeader;
      /** At least one, oldest first. */
      readonly saves: readonly SealedSave[];
      /** The newest of `saves`. */
      readonly last: SealedSave;
      /** What `last` publishes; may be a view of the scanned bytes. */
      readonly image: Uint8Array;
      /** SHA-256 of the image before its last line; `undefined` where reading had no need of it. */
      readonly covered: string | undefined;
      readonly tail: WalTail;
      readonly findings: readonly WalProblem[];
    }
  | (WalProblem & {
      readonly kind: 'damaged';
      readonly header?: WalHeader;
      /** The newest save that a verified seal names: what was lost, if nothing else shows it. */
      readonly sealedSequence?: number;
    })
  | { readonly kind: 'unsupportedVersion'; readonly version: number }
  | {
      readonly kind: 'foreignTarget';
      readonly target: string;
      readonly expected: string;
      /** Of the newest save in the log. */
      readonly sequence: number;
      /** Whether a save in it is sealed. */
      readonly sealed: boolean;
    };

/** How to scan. */
export interface ScanOptions {
  /** The target that the log must be for, compared exactly; absent: any. */
  readonly target?: string;
}
