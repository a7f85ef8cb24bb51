/** Starts the process of one contender, asks it for one thing after the other, and ends it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('contender-process.mjs', import.meta.url));
/** Nobody may take longer for a batch; making ready, with a large state, may take some times as long. */
const PATIENCE_MS = 60_000;
const PATIENCE_AT_BEGIN_MS = 120_000;
/** Where the time for the whole run is over. */
const PATIENCE_AT_END_MS = 15_000;

const running = new Set();

/** Ends all processes at once: for an interrupted run. */
export function endAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** One contender. After its first error it is ended, and has `problem`. */
export class ContenderClient {
  who;
  problem;
  /** Whether that is only the time it took. */
  isLate = false;
  #child;
  #until;

  constructor(who, workload, directory) {
    this.who = who;
    this.#until = workload.until;
    this.#child = fork(program, [JSON.stringify({ who, workload, directory })], {
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
  }

  /** @returns the answer, or `undefined` where there is none, now or earlier */
  async ask(request) {
    if (this.problem !== undefined) return undefined;
    const { result, error } = await this.#exchange(request);
    if (error === undefined) return result;
    this.problem = error;
    this.end();
    return undefined;
  }

  /** Ends the process at once; what it was asked to close is closed. */
  end() {
    this.#child.kill('SIGKILL');
  }

  async #exchange(request) {
    const late = new AbortController();
    const leftMs = Math.max(PATIENCE_AT_END_MS, this.#until - performance.now());
    const patienceMs = Math.min(leftMs, request === 'begin' ? PATIENCE_AT_BEGIN_MS : PATIENCE_MS);
    const timer = setTimeout(() => late.abort(), patienceMs);
    try {
      const { signal } = late;
      const replied = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal });
      ended.catch(() => {});
      replied.catch(() => {});
      this.#child.send(request, () => {});
      const [[first, by]] = [await Promise.race([replied, ended])];
      if (typeof first === 'object' && first !== null) return first;
      return { error: `its process ended (${first ?? by})` };
    } catch {
      this.isLate = true;
      return { error: `took longer than ${Math.round(patienceMs / 1000)} s (${request})` };
    } finally {
      clearTimeout(timer);
      late.abort();
    }
  }
}
