/**
 * The one place where time is taken. A thing that is measured is an object `{ act, before?, settle? }`:
 * `act(n)` is timed, `before(n)` prepares it untimed, `settle()` waits untimed for what goes on afterwards.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { median } from './statistics.mjs';

/** How often the event loop is looked at, in milliseconds. */
const LOOK_MS = 1;

/** Measures one thing again and again in this process; what the batches have in common stays here. */
export class Meter {
  #subject;
  #calls = 0;
  #delays = [];

  constructor(subject) {
    this.#subject = subject;
  }

  /** Runs until the compiler knows the code, as it is measured then; at least once. */
  async warmUp({ count, budgetMs, callers }) {
    await this.#repeat({ count, budgetMs, callers });
  }

  /**
   * One batch back to back: `count` times, or until the budget is used up. With several callers all ask
   * at once, and the next ones when all were answered.
   * @returns `costs` in ms for each save (of several callers: their time by their number), `waits` in ms
   * until each caller was answered, `cpuMs` for all, and `saves`
   */
  async batch({ count, budgetMs, callers }) {
    const result = await this.#repeat({ count, budgetMs, callers });
    await this.#subject.settle?.();
    // What is put off until after the answer must not run while another one is measured.
    await sleep(3);
    return result;
  }

  /** As a batch, with a turn of the event loop between: how late others come to their turn meanwhile. */
  async watchLoop({ count, budgetMs, callers }) {
    // A histogram that is used again counts the time in between as a delay.
    const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
    delays.enable();
    await sleep(2 * LOOK_MS);
    await this.#repeat({ count, budgetMs, callers, between: turn });
    await sleep(2 * LOOK_MS);
    delays.disable();
    this.#delays.push(Math.max(0, delays.percentile(99) / 1e6 - LOOK_MS));
    await this.#subject.settle?.();
  }

  /** How late, in ms: of a hundred looks the latest but one, in the middle one of all watches. */
  get loopDelayMs() {
    return median(this.#delays);
  }

  async #repeat({ count, budgetMs, callers, between }) {
    const costs = [];
    const waits = [];
    let cpuMs = 0;
    const { before } = this.#subject;
    const until = performance.now() + budgetMs;
    let cpu = process.cpuUsage();
    for (let n = 0; n < count && (n === 0 || performance.now() < until); n += 1) {
      if (before) {
        await before(this.#calls);
        cpu = process.cpuUsage();
      }
      costs.push((await this.#ask(callers, waits)) / callers);
      if (before) cpuMs += cpuSince(cpu);
      await between?.();
    }
    if (!before) cpuMs = cpuSince(cpu);
    return { costs, waits, cpuMs, saves: costs.length * callers };
  }

  /** @returns milliseconds until all callers were answered */
  async #ask(callers, waits) {
    const begun = performance.now();
    if (callers === 1) {
      await this.#subject.act(this.#calls);
      this.#calls += 1;
      const ms = performance.now() - begun;
      waits.push(ms);
      return ms;
    }
    const asked = [];
    for (let caller = 0; caller < callers; caller += 1) {
      const answered = Promise.resolve(this.#subject.act(this.#calls, caller));
      asked.push(answered.then(() => waits.push(performance.now() - begun)));
      this.#calls += 1;
    }
    await Promise.all(asked);
    return performance.now() - begun;
  }
}

function cpuSince(cpu) {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1000;
}
