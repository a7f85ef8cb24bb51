/**
 * Who waits for an answer of the machines: to a look at the file, or from the failure detector.
 */
import type { CheckpointEmitted } from '../machines/checkpoint-messages.js';
import type { HealthReport } from '../machines/health-report.js';

interface Asking<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Promises by the numbers of the requests that settle them. */
export class Desk<Answer> {
  readonly #asking = new Map<number, Asking<Answer>>();

  /** Asks, and waits for the answer. */
  ask(requestId: number, send: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#asking.set(requestId, { resolve, reject });
      send();
    });
  }

  resolve(requestId: number, answer: Answer): void {
    this.#asking.get(requestId)?.resolve(answer);
    this.#asking.delete(requestId);
  }

  reject(requestId: number, error: unknown): void {
    this.#asking.get(requestId)?.reject(error);
    this.#asking.delete(requestId);
  }

  /** Nobody will be answered any more. */
  rejectAll(error: unknown): void {
    for (const requestId of [...this.#asking.keys()]) this.reject(requestId, error);
  }
}

/** The failure detector's desk: it also knows what was told last. */
export class HealthDesk extends Desk<HealthReport> {
  /** What the detector told last; `undefined` where there is none. */
  report: HealthReport | undefined;

  /** Hands on what the detector tells. */
  answer({ report, requestIds }: Extract<CheckpointEmitted, { type: 'health.answered' }>): void {
    for (const requestId of requestIds) this.resolve(requestId, report);
  }
}
