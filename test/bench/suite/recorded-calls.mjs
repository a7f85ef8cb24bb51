/**
 * The floor that a protocol can't go below: its own system calls, and nothing else. Notes each call of
 * `node:fs` that saves make, and makes the same calls again, in the same order, with as many bytes, each
 * waiting for what it waited for then. Paths, descriptors and numbers of checkpoints move on from repeat
 * to repeat, so that files grow and names are new as they were.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { relative, resolve, sep } from 'node:path';

/** Functions of `node:fs` that are no system call, or open what is not noted. */
const ignored = /Stream$|^(?:_|watch|unwatch|opendir|mkdtemp|cp$|cpSync$|glob)|^[A-Z]/;

/** Notes the calls on files below a folder, from now on until {@link stop}. */
export class CallRecorder {
  #folder;
  #originals = new Map();
  /** Descriptors that are open: how each was opened. */
  open = new Map();
  /** Calls since {@link begin}: `{ name, args, ... }`, and `{ ends }` where a call that waited was answered. */
  events = [];
  #inside = false;

  constructor(folder) {
    this.#folder = folder;
    for (const [name, original] of Object.entries(fs)) {
      if (typeof original !== 'function' || ignored.test(name)) continue;
      this.#originals.set(name, original);
      fs[name] = this.#noting(name, original);
      if (original.native) fs[name].native = this.#noting(`${name}.native`, original.native);
    }
    syncBuiltinESMExports();
  }

  /** Puts node's own functions back. */
  stop() {
    for (const [name, original] of this.#originals) fs[name] = original;
    syncBuiltinESMExports();
  }

  /** Forgets the calls, so that what follows is noted alone. */
  begin() {
    this.events = [];
    this.openAtBegin = new Map(this.open);
  }

  #noting(name, original) {
    const recorder = this;
    const noting = function (...args) {
      if (recorder.#inside || !recorder.#concerns(args)) return original.apply(this, args);
      return recorder.#note(name, args, original);
    };
    return Object.assign(noting, original);
  }

  #concerns([first]) {
    if (typeof first === 'number') return this.open.has(first);
    return typeof first === 'string' && resolve(first).startsWith(this.#folder);
  }

  #note(name, args, original) {
    const event = { name, args: args.map(withoutContent) };
    this.events.push(event);
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      args[args.length - 1] = (...answer) => {
        this.events.push({ ends: event });
        callback(...answer);
      };
    }
    this.#inside = true;
    try {
      const result = original.apply(fs, args);
      if (name === 'openSync') {
        this.open.set(result, event.args);
        event.descriptor = result;
      }
      if (name.startsWith('close')) this.open.delete(args[0]);
      return result;
    } catch (error) {
      event.failed = true;
      throw error;
    } finally {
      this.#inside = false;
    }
  }
}

/** Bytes are kept as their number only, callbacks as a mark. */
function withoutContent(value) {
  if (typeof value === 'function') return { isCallback: true };
  return ArrayBuffer.isView(value) ? { bytes: value.byteLength } : value;
}

/** Makes recorded calls again, in a folder that is a copy of the recorded one as it was then. */
export class CallReplay {
  #from;
  #to;
  #saves;
  #descriptors = new Map();
  #growth;
  #waiting = new Map();
  #scratch = Buffer.alloc(0);

  /**
   * @param from the folder whose calls were recorded
   * @param to the folder to make them in
   * @param saves the events of one save each
   * @param open the descriptors that were open before the first of them
   */
  constructor(from, to, saves, open) {
    this.#from = from;
    this.#to = to;
    this.#saves = saves;
    this.#growth = growthOf(saves.flat(), open);
    for (const [descriptor, args] of open) {
      const [path, flags, ...rest] = this.#mapped(args, 0);
      const reopened = typeof flags === 'number' ? flags & ~fs.constants.O_EXCL : flags;
      this.#descriptors.set(descriptor, fs.openSync(path, reopened, ...rest));
    }
  }

  /** The calls of one save, the first ones again after the last. */
  async save(n) {
    const events = this.#saves[n % this.#saves.length];
    const cycle = Math.floor(n / this.#saves.length);
    for (const event of events) {
      if (event.ends) await this.#waiting.get(event.ends);
      else this.#call(event, cycle);
    }
  }

  close() {
    for (const descriptor of this.#descriptors.values()) fs.closeSync(descriptor);
  }

  #call(event, cycle) {
    const { name, args, failed, descriptor } = event;
    const values = this.#mapped(args, cycle);
    if (name.startsWith('close')) this.#descriptors.delete(args[0]);
    if (args.at(-1)?.isCallback) {
      values.pop();
      const answered = new Promise((resolve, reject) =>
        fs[name](...values, (error) => (error ? reject(error) : resolve())),
      );
      this.#waiting.set(event, answered);
      return;
    }
    try {
      const result = name.endsWith('.native')
        ? fs[name.slice(0, -7)].native(...values)
        : fs[name](...values);
      if (descriptor !== undefined) this.#descriptors.set(descriptor, result);
    } catch (error) {
      if (!failed) throw error;
    }
  }

  #mapped(args, cycle) {
    const [first] = args;
    const values = args.map((value) => {
      if (typeof value === 'string') return this.#pathOf(value, cycle);
      return value?.bytes === undefined ? value : this.#bytes(value.bytes);
    });
    if (typeof first !== 'number') return values;
    values[0] = this.#descriptors.get(first);
    const grown = (this.#growth.get(first) ?? 0) * cycle;
    // (descriptor, bytes, offset, length, position)
    if (grown > 0 && typeof values[4] === 'number') values[4] += grown;
    return values;
  }

  /** The same place in the other folder; numbers of checkpoints are as many later as saves were repeated. */
  #pathOf(value, cycle) {
    if (!value.startsWith(this.#from)) return value;
    const inside = relative(this.#from, value).replace(/\d{12}/g, (number) =>
      String(Number(number) + cycle * this.#saves.length).padStart(12, '0'),
    );
    return inside === '' ? this.#to : `${this.#to}${sep}${inside}`;
  }

  #bytes(count) {
    if (this.#scratch.length < count) this.#scratch = Buffer.alloc(count, 'a line of text\n');
    return this.#scratch.subarray(0, count);
  }
}

/** By how much files that stay open grow while all the saves are made once. */
function growthOf(events, open) {
  const growth = new Map();
  for (const { name, args } of events) {
    if (name !== 'writeSync' || !open.has(args[0])) continue;
    growth.set(args[0], (growth.get(args[0]) ?? 0) + (args[3] ?? args[1].bytes));
  }
  return growth;
}
