/**
 * Follows an audit that another process writes: new lines as they come, also when the file is put away
 * and a new one is begun. Looks every so often; needs no notice from the system.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AUDIT_NAME } from '../io/store-paths.js';
import type { AuditLine, AuditSource } from './audit-files.js';

const POLL_MS = 150;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Lines that are whole, from where the newest of `sources` ended when it was listed, until `signal`
 * ends it. An unfinished line is told once it is finished.
 */
export async function* follow(
  directory: string,
  sources: readonly AuditSource[],
  signal: AbortSignal,
): AsyncGenerator<readonly AuditLine[]> {
  const path = join(directory, AUDIT_NAME);
  const current = sources.find((source) => source.path === path);
  let reader = current && new Reader(path, await startOf(path, current.bytes));
  try {
    while (!signal.aborted) {
      reader ??= tryOpen(path);
      if (reader !== undefined) {
        // Put away: what is left in it first, then the new one.
        const isPutAway = reader.isReplaced();
        yield reader.read();
        if (isPutAway) {
          reader.close();
          reader = undefined;
          continue;
        }
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    reader?.close();
  }
}

/** Where the last line that was whole then ends. */
async function startOf(path: string, bytes: number): Promise<number> {
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
    const now = statSync(this.#path, { throwIfNoEntry: false });
    const own = fstatSync(this.#file);
    return now === undefined || now.ino !== own.ino || now.dev !== own.dev;
  }

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
      const text = this.#rest.subarray(0, end).toString('utf8');
      this.#rest = this.#rest.subarray(end + 1);
      for (const one of text.split('\n')) {
        this.#line += 1;
        lines.push({
          text: one,
          file: AUDIT_NAME,
          line: this.#line,
          ended: true,
          isLastFile: true,
        });
      }
    }
    return lines;
  }

  close(): void {
    closeSync(this.#file);
  }
}
