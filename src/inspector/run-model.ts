/**
 * What the local inspector shows: one run of a store, live, from its audit, or from a case of the
 * crash lab. Plain JSON: it is sent to the page as it is, and embedded in an exported file.
 */
import type { AuditEntry } from '../format/audit-entry.js';

/** One run. What is not known is absent, never guessed. */
export interface RunModel {
  /** Version of this shape. */
  readonly version: 1;
  /** What is shown: the path of a checkpoint file or of an audit, or the name of a case. */
  readonly title: string;
  /** A store that is open or followed, the files of an audit, or a case of the crash lab. */
  readonly source: 'live' | 'audit' | 'case';
  /** The statecharts that the entries are about. */
  readonly machines: readonly MachineDrawing[];
  /** The run, oldest first. */
  readonly entries: readonly AuditEntry[];
  /** What verifying the audit came to, where it was read from a file. */
  readonly chain?: ChainVerdict;
  /** Checkpoints, ascending by sequence number. */
  readonly checkpoints: readonly CheckpointView[];
  /** The disk, where it is known exactly: ascending by `at`. Else the page tells what the protocol has made durable. */
  readonly disk?: readonly DiskFrame[];
  /** Of a case: where it was cut off, and what came of it. */
  readonly crashes?: readonly CrashView[];
  /** Of a case: what the lab found. */
  readonly verdict?: { readonly holds: boolean; readonly message: string };
}

/** A statechart, drawn. */
export interface MachineDrawing {
  /** As in `machine` of {@link AuditEntry}. */
  readonly name: string;
  /** In a few words, what the machine decides. */
  readonly title: string;
  /**
   * Each state is a `<g id="<name>:<path>">` with class `state`, each arrow a
   * `<g id="<name>:<source>-><target>">` with class `arrow`.
   */
  readonly svg: string;
  /** Paths of states that are entered only because something failed. */
  readonly failureStates: readonly string[];
}

/** Whether the chain of an audit holds. */
export interface ChainVerdict {
  /** Whether every entry is tied to the one before. */
  readonly intact: boolean;
  /** In words: what was verified, or the first broken link. */
  readonly message: string;
}

/** One checkpoint. */
export interface CheckpointView {
  /** Its sequence number. */
  readonly sequence: number;
  /** Bytes of its text. */
  readonly size: number;
  /** Of its text, in hexadecimal; absent where the text was never seen. */
  readonly sha256?: string;
  /** The label it was saved with. */
  readonly label?: string;
  /** The text, where it is to be had. */
  readonly text?: string;
  /** Lines of a unified diff against the checkpoint before it, without file headers. */
  readonly diff?: readonly string[];
}

/** What the disk held once entry `at` (its index in `entries`) was there. */
export interface DiskFrame {
  /** Index in {@link RunModel.entries}. */
  readonly at: number;
  /** Every file that processes see or that a power failure would leave. */
  readonly files: readonly DiskFile[];
}

/** A file: what processes see of it, and what would be left of it after a power failure. */
export interface DiskFile {
  /** Path relative to the store's directory. */
  readonly name: string;
  /** What the file is to the protocol. */
  readonly kind:
    | 'checkpoint'
    | 'wal'
    | 'temporary'
    | 'history'
    | 'health'
    | 'audit'
    | 'lock'
    | 'quarantine'
    | 'other';
  /** Absent where there is no such name. */
  readonly volatile?: FileView;
  /** What would be left of it; absent where a power failure would leave no such name. */
  readonly durable?: FileView;
}

/** One version of a file. */
export interface FileView {
  /** Bytes. */
  readonly size: number;
  /** Of its bytes, in hexadecimal; absent where they are not known. */
  readonly sha256?: string;
  /** Of the checkpoint in it, where it holds one. */
  readonly sequence?: number;
  /** In words: `sealed`, `torn after 512 bytes`, … */
  readonly note?: string;
}

/** A crash inside of a run: the entries after `at` come from the recovery that followed. */
export interface CrashView {
  /** Index of the last entry before the crash; -1 where nothing had happened. */
  readonly at: number;
  /** In words: what was under way. */
  readonly moment: string;
  /** What the disk held when recovery began. */
  readonly image: readonly DiskFile[];
  /** In words: what of the pending writes was kept, lost, torn. */
  readonly fates: readonly string[];
}

/** What the server sends while a run goes on, one JSON text for each message. */
export type RunMessage =
  | { readonly kind: 'entries'; readonly entries: readonly AuditEntry[] }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointView }
  | { readonly kind: 'disk'; readonly frame: DiskFrame }
  /** What verifying has come to by now. */
  | { readonly kind: 'chain'; readonly chain: ChainVerdict }
  /** The run is over, or its program is gone. */
  | { readonly kind: 'ended'; readonly message: string };
