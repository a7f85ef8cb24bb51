/**
 * What every panel is given to show: the run, and the moment that is looked at.
 */
import type { AuditEntry } from '../../format/audit-entry.js';
import type {
  CheckpointView,
  CrashView,
  DiskFrame,
  MachineDrawing,
  RunModel,
} from '../run-model.js';
import type { Moments } from './moments.js';
import type { RunLog } from './run-log.js';

/** The run as far as it is known by now. */
export interface Run {
  readonly title: string;
  readonly source: RunModel['source'];
  readonly drawings: readonly MachineDrawing[];
  readonly log: RunLog;
  readonly moments: Moments;
  readonly crashes: readonly CrashView[];
  /** By sequence number. */
  readonly checkpoints: ReadonlyMap<number, CheckpointView>;
  /** Ascending by `at`; empty where the disk is not known. */
  readonly frames: readonly DiskFrame[];
}

/** A moment of it. */
export interface View {
  readonly run: Run;
  readonly moment: number;
  /** Index of the newest entry at that moment; -1 where there is none. */
  readonly index: number;
  readonly entry: AuditEntry | undefined;
  /** The crash, where the moment is one. */
  readonly crash: CrashView | undefined;
}

/** A part of the page. */
export interface Panel {
  readonly element: HTMLElement;
  /** Shows a moment; called at most once a frame. */
  show(view: View): void;
}

/** The frame of the disk at an entry; found by halving. */
export function frameAt(frames: readonly DiskFrame[], index: number): DiskFrame | undefined {
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.at ?? Number.POSITIVE_INFINITY) <= index) low = middle + 1;
    else high = middle;
  }
  return frames[low - 1];
}
