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

  /** Takes in what the server tells. */
  take(message: RunMessage): void {
    switch (message.kind) {
      case 'entries':
        this.log.append(message.entries);
        return;
      case 'checkpoint':
        this.checkpoints.set(message.checkpoint.sequence, message.checkpoint);
        return;
      case 'disk':
        this.frames.push(message.frame);
        return;
      case 'ended':
        this.ended = message.message;
    }
  }
}
