/**
 * Who waits for the failure detector's answer, and what it said last.
 */
import type { CheckpointEmitted } from '../machines/checkpoint-messages.js';
import type { HealthReport } from '../machines/health-report.js';

interface Asking {
  readonly resolve: (report: HealthReport) => void;
  readonly reject: (error: unknown) => void;
}

/** See the head of this file. */
export class HealthDesk {
  readonly #asking = new Map<number, Asking>();
  #report: HealthReport | undefined;

  /** What the detector told last; `undefined` where there is none. */
  get report(): HealthReport | undefined {
    return this.#report;
  }

  /** Asks, and waits for the detector to come to rest. */
  ask(requestId: number, send: () => void): Promise<HealthReport> {
    return new Promise((resolve, reject) => {
      this.#asking.set(requestId, { resolve, reject });
      send();
    });
  }

  /** Takes an answer. */
  answer(event: Extract<CheckpointEmitted, { type: 'health.answered' }>): void {
    this.#report = event.report;
    for (const requestId of event.requestIds) {
      this.#asking.get(requestId)?.resolve(event.report);
      this.#asking.delete(requestId);
    }
  }

  /** Nothing was noted for these requests. */
  fail(requestIds: Iterable<number>, error: unknown): void {
    for (const requestId of requestIds) {
      this.#asking.get(requestId)?.reject(error);
      this.#asking.delete(requestId);
    }
  }

  /** Nobody will be answered any more. */
  failAll(error: unknown): void {
    this.fail([...this.#asking.keys()], error);
  }
}
