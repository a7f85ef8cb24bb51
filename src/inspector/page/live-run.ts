/**
 * The run behind the page, as it grows: a model to begin with, then messages. Owns the data; shows
 * nothing.
 */
import type { CheckpointView, DiskFrame, RunMessage, RunModel } from '../run-model.js';
import { Moments } from './moments.js';
import { RunLog } from './run-log.js';
import type { Run } from './view.js';

/** See the head of this file. */
export class LiveRun implements Run {
  readonly title: string;
  readonly source: RunModel['source'];
  readonly drawings: RunModel['machines'];
  readonly crashes: NonNullable<RunModel['crashes']>;
  readonly log: RunLog;
  readonly moments: Moments;
  readonly checkpoints: Map<number, CheckpointView>;
  readonly frames: DiskFrame[];
  /** Why nothing more comes; `undefined` while something may. */
  ended: string | undefined;

  constructor(model: RunModel) {
    this.title = model.title;
    this.source = model.source;
    this.drawings = model.machines;
    this.crashes = model.crashes ?? [];
    this.log = new RunLog(model.entries);
    this.moments = new Moments(this.crashes, () => this.log.entries.length);
    this.checkpoints = new Map(model.checkpoints.map((one) => [one.sequence, one]));
    this.frames = [...(model.disk ?? [])];
  }

  /** The number of the newest entry; 0 before any. */
  get newest(): number {
    return this.log.entries.at(-1)?.number ?? 0;
  }

  /** Whether entries before these were missed: the whole run is to be asked for again. */
  hasMissed(message: RunMessage): boolean {
    const first = message.kind === 'entries' ? message.entries[0]?.number : undefined;
    return first !== undefined && first > this.newest + 1;
  }

  /** Takes in what the server tells. */
  take(message: RunMessage): void {
    switch (message.kind) {
      case 'entries':
        // Some may be told twice: the server can't know what the page has read.
        this.log.append(message.entries.filter(({ number }) => number > this.newest));
        return;
      case 'checkpoint':
        this.checkpoints.set(message.checkpoint.sequence, message.checkpoint);
        return;
      case 'disk':
        this.frames.push(message.frame);
        return;
      case 'chain':
        return;
      case 'ended':
        this.ended = message.message;
    }
  }
}
