/**
 * One orchestration that is killed again and again until it has used up its kills or has finished. Draws
 * when to kill, sees what is on disk then, damages a report or edits the plan now and then, and checks what
 * each start says of it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { textOf } from './example-plan.mjs';

/** A program that says nothing for so long hangs. */
const SILENT_MS_MAX = 60_000;
const KINDS = ['start', 'open', 'work', 'work', 'write', 'write', 'save', 'save'];

/** See the head of this file. */
export class KilledRun {
  kills = 0;
  note = 0;
  damaged = 0;
  isFinished = false;
  /** Where kills landed, and what starts after them decided: how often each. */
  landed = new Map();
  decided = new Map();
  problems = [];
  #program;
  #directory;
  #random;
  #openMs = 150;
  #acknowledged = 0;
  #done = new Set();
  #mayBeRedone = new Set();

  constructor({ program, directory, plan, random }) {
    this.#program = program;
    this.#directory = directory;
    this.#random = random;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), textOf(plan));
  }

  /** Starts the program and kills it. Resolves to where that was, or to `finished`. */
  async killOnce() {
    const kind = KINDS[Math.floor(this.#random() * KINDS.length)];
    const run = await this.#start(kind);
    if (run.code === 0) {
      this.isFinished = true;
      return 'finished';
    }
    if (run.signal !== 'SIGKILL') {
      this.problems.push(`it ended by itself, with ${run.code ?? run.signal}: ${run.tail}`);
      return 'failed';
    }
    this.kills += 1;
    const where = this.#whereItWas(run);
    count(this.landed, where);
    this.#meddle();
    return where;
  }

  /** Lets it finish; and starts it once more, when there is nothing left to do. */
  async finish() {
    for (const isLast of [false, true]) {
      const { code, tail, started } = await this.#start(undefined);
      if (code !== 0) this.problems.push(`it did not finish, but ended with ${code}: ${tail}`);
      if (isLast && started > 0) this.problems.push(`${started} agents ran after the end`);
    }
    this.isFinished = true;
  }

  #start(kind) {
    const random = this.#random;
    const child = spawn(process.execPath, [this.#program, this.#directory]);
    const run = {
      isOpen: false,
      started: 0,
      wrote: new Set(),
      lines: [],
      lockBefore: this.#lock(),
    };
    const begun = performance.now();
    const timers = [];
    const killAfter = (ms) => timers.push(setTimeout(() => child.kill('SIGKILL'), ms));
    const deadline = setTimeout(() => {
      this.problems.push('it hung');
      child.kill('SIGKILL');
    }, SILENT_MS_MAX);
    let countdown = 1 + Math.floor(random() * 4);
    const delayMs = random();
    if (kind === 'start') killAfter(delayMs * this.#openMs);
    if (kind === 'open' || kind === 'save') {
      const log = join(this.#directory, '.checkpoint.wal');
      const poll = setInterval(() => {
        const isIt =
          kind === 'open' ? this.#lock() !== run.lockBefore : run.isOpen && existsSync(log);
        if (!isIt || (kind === 'save' && --countdown > 0)) return;
        clearInterval(poll);
        killAfter(kind === 'open' ? delayMs * 12 : 0);
      }, 1);
      timers.push(poll);
    }
    const take = (line) => {
      deadline.refresh();
      run.lines.push(line);
      this.#take(line, run);
      if (line.startsWith('opened ')) {
        run.isOpen = true;
        this.#openMs = performance.now() - begun;
        if (kind === 'work') killAfter(delayMs * 70);
      }
      if (kind === 'write' && line.startsWith('wrote ') && --countdown === 0) {
        killAfter(delayMs < 0.4 ? 0 : delayMs * 5);
      }
    };
    createInterface({ input: child.stdout }).on('line', take);
    let complaint = '';
    child.stderr.on('data', (data) => {
      complaint += data;
    });
    return new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(deadline);
        for (const timer of timers) clearTimeout(timer);
        const tail = `${run.lines.slice(-5).join(' | ')} ${complaint}`;
        resolve({ ...run, code, signal, tail });
      });
    });
  }

  /** One line of what the program says, against what it said before. */
  #take(line, run) {
    const [word, name] = line.split(/[ ,]/);
    const number = /checkpoint (\d+)/.exec(line)?.[1];
    if (word === 'opened') {
      if (Number(number) < this.#acknowledged) {
        this.problems.push(`checkpoint ${this.#acknowledged} was promised, then: ${line}`);
      }
      for (const label of line.split(': ')[1].split(', ')) count(this.decided, label);
    }
    if (number !== undefined) this.#acknowledged = Math.max(this.#acknowledged, Number(number));
    if (word === 'lost:' || line.includes('  lost: ')) this.problems.push(line.trim());
    if (word === 'start') {
      run.started += 1;
      if (this.#done.has(name) && !this.#mayBeRedone.has(name)) {
        this.problems.push(`${name} was done, and was started again`);
      }
    }
    if (word === 'wrote') run.wrote.add(name);
    if (word === 'done') {
      run.wrote.delete(name);
      this.#done.add(name);
      this.#mayBeRedone.delete(name);
    }
  }

  #whereItWas({ isOpen, wrote, lockBefore }) {
    if (!isOpen) return this.#lock() === lockBefore ? 'starting up' : 'opening, recovering';
    if (existsSync(join(this.#directory, '.checkpoint.wal'))) return 'in a save, log left';
    if (wrote.size > 0) return 'report there, checkpoint not';
    return this.#reports().some((path) => path.endsWith('.tmp')) ? 'writing a report' : 'elsewhere';
  }

  /** What may happen to files while nothing runs: a report is damaged, a person edits the plan. */
  #meddle() {
    const chance = this.#random();
    const pick = this.#random();
    if (chance < 0.1) {
      const reports = this.#reports().filter((path) => path.endsWith('.txt'));
      const path = reports[Math.floor(pick * reports.length)];
      if (path === undefined) return;
      const file = join(this.#directory, 'reports', path);
      const bytes = readFileSync(file);
      bytes[Math.floor(bytes.length / 2)] ^= 1;
      writeFileSync(file, bytes);
      this.#mayBeRedone.add(path.replace(/^.*[/\\]|\.txt$/g, ''));
      this.damaged += 1;
    } else if (chance < 0.2 && !existsSync(join(this.#directory, '.checkpoint.wal'))) {
      const file = join(this.#directory, 'ORCHESTRATION.yaml');
      const text = readFileSync(file, 'utf8');
      this.note += 1;
      writeFileSync(file, text.replace(/^# note: \d+$/m, `# note: ${this.note}`));
    }
  }

  #reports() {
    const folder = join(this.#directory, 'reports');
    return existsSync(folder) ? readdirSync(folder, { recursive: true }).sort() : [];
  }

  /** Changes whenever somebody takes the lock. */
  #lock() {
    const file = join(this.#directory, '.checkpoint.lock');
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat && `${stat.ino} ${stat.mtimeMs}`;
  }
}

/** Adds one to a count. */
export function count(counts, key, by = 1) {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
