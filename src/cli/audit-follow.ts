/**
 * Follows an audit that another process writes: new lines as they come, also when the file is put away
 * and a new one is begun. Looks every so often; needs no notice from the system.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { numberIn } from '../io/audit-tail.js';
import { AUDIT_NAME } from '../io/store-paths.js';
import { type AuditLine, type AuditSource, textOf } from './audit-files.js';

const POLL_MS = 150;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Lines that are whole, from where the newest of `sources` ended when it was listed, until `signal`
 * ends it. An unfinished line is told once it is finished. However often files are put away between two
 * looks, no line is left out.
 */
export async function* follow(
  directory: string,
  sources: readonly AuditSource[],
  signal: AbortSignal,
): AsyncGenerator<readonly AuditLine[]> {
  const path = join(directory, AUDIT_NAME);
  const current = sources.find((source) => source.path === path);
  let reader = current && new Reader(path, startOf(path, current.bytes));
  let newest = Math.max(0, ...sources.flatMap(({ path: one }) => numberIn(basename(one))));
  try {
    while (!signal.aborted) {
      if (reader !== undefined) {
        // Asked before it is read: what is written until it is put away is read then.
        const isPutAway = reader.isReplaced();
        yield reader.read();
        if (isPutAway) {
          newest = Math.max(
            newest,
            ...earlierFiles(directory)
              .filter(reader.is)
              .map(({ number }) => number),
          );
          reader.close();
          reader = undefined;
        }
      }
      if (reader === undefined) {
        reader = tryOpen(path);
        for (const file of earlierFiles(directory)) {
          if (file.number <= newest || reader?.is(file)) continue;
          newest = file.number;
          const earlier = new Reader(file.path, 0);
          yield earlier.read();
          earlier.close();
        }
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    reader?.close();
  }
}

interface EarlierFile {
  readonly path: string;
  readonly number: number;
}

/** The files that were put away, oldest first. */
function earlierFiles(directory: string): EarlierFile[] {
  const folder = join(directory, 'audit');
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder)
    .flatMap((name) => numberIn(name).map((number) => ({ path: join(folder, name), number })))
    .sort((left, right) => left.number - right.number);
}

/** Where the last line that was whole then ends. */
function startOf(path: string, bytes: number): number {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(bytes, CHUNK_BYTES));
    const length = readSync(file, buffer, 0, buffer.length, bytes - buffer.length);
    const end = buffer.subarray(0, length).lastIndexOf(0x0a);
    return end < 0 ? 0 : bytes - buffer.length + end + 1;
  } finally {
    closeSync(file);
  }
}

function tryOpen(path: string): Reader | undefined {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : new Reader(path, 0);
}

class Reader {
  readonly #path: string;
  readonly #file: number;
  #position: number;
  #rest = Buffer.alloc(0);
  #line = 0;

  constructor(path: string, position: number) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    this.#position = position;
  }

  isReplaced(): boolean {
    return !this.is({ path: this.#path });
  }

  /** Whether that name leads to the file that is open here. */
  readonly is = ({ path }: { readonly path: string }): boolean => {
    const named = statSync(path, { throwIfNoEntry: false });
    const own = fstatSync(this.#file);
    return named?.ino === own.ino && named.dev === own.dev;
  };

  read(): AuditLine[] {
    const { size } = fstatSync(this.#file);
    // Cut by an open that set a torn end aside: what was read of that end is no line.
    if (size < this.#position) {
      this.#position = size;
      this.#rest = Buffer.alloc(0);
    }
    const lines: AuditLine[] = [];
    while (this.#position < size) {
      const buffer = Buffer.alloc(Math.min(size - this.#position, CHUNK_BYTES));
      const length = readSync(this.#file, buffer, 0, buffer.length, this.#position);
      if (length === 0) break;
      this.#position += length;
      this.#rest = Buffer.concat([this.#rest, buffer.subarray(0, length)]);
      const end = this.#rest.lastIndexOf(0x0a);
      if (end < 0) continue;
      const whole = this.#rest.subarray(0, end + 1);
      this.#rest = this.#rest.subarray(end + 1);
      let from = 0;
      for (let to = whole.indexOf(0x0a); to >= 0; to = whole.indexOf(0x0a, from)) {
        this.#line += 1;
        const text = textOf(whole.subarray(from, to));
        from = to + 1;
        const at = { file: AUDIT_NAME, line: this.#line };
        lines.push({ text, ...at, ended: true, isLastFile: true });
      }
    }
    return lines;
  }

  close(): void {
    closeSync(this.#file);
  }
}
