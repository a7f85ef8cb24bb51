/**
 * Records what any code in this process does to a folder through node's `fs`: callback, synchronous
 * and promise functions, file handles and write streams. Install it before the code under test is
 * imported, because some writers keep node's functions from then on. The lab checks every trace
 * against the files that were really left, so that an operation that slipped through is noticed.
 * `docs/testing.md` shows its use.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { Table } from './node-fs-arguments.js';
import { callbackFunctions } from './node-fs-callbacks.js';
import { readFiles } from './node-fs-files.js';
import { handleFunctions, promiseFunctions } from './node-fs-promises.js';
import { Recording } from './node-fs-recording.js';
import { syncFunctions } from './node-fs-sync.js';
import type { WriterTrace } from './traced-writer.js';

/** What a traced run can say about itself. */
export interface TraceMarks {
  /** From here on the new content may be found; from the start unless said. */
  saving(): void;
  /** The new content is promised from here on; when the run resolves unless said. */
  saved(): void;
}

/** Settings of {@link NodeFsTracer.trace}. */
export interface TraceOptions {
  /** Makes the write with this number, from 0, write only its first half: a short write. */
  readonly shortWrite?: number;
}

/** Patches node's `fs` from {@link install} to {@link uninstall}; records during {@link trace} only. */
export class NodeFsTracer {
  #recording: Recording | undefined;
  #undo: (() => void)[] = [];

  /** Replaces the functions of `node:fs` and `node:fs/promises` by ones that can record. */
  async install(): Promise<void> {
    const raw = { ...fs } as unknown as Table;
    const current = () => this.#recording;
    this.#patch(fs, syncFunctions(raw, current));
    this.#patch(fs, callbackFunctions(raw, current));
    this.#patch(fs.promises, promiseFunctions(fs as unknown as Table, current));
    await this.#patchFileHandles();
    syncBuiltinESMExports();
  }

  /** Puts node's own functions back. */
  uninstall(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
    syncBuiltinESMExports();
  }

  /**
   * Runs `act` and records what it does below `folder`. Rejects with what `act` rejects with, and with
   * a `TypeError` where a write overlaps a sync of the same file: what the sync covered is not known.
   */
  async trace(
    folder: string,
    act: (marks: TraceMarks) => void | Promise<void>,
    { shortWrite }: TraceOptions = {},
  ): Promise<WriterTrace> {
    const root = fs.realpathSync(folder);
    const before = readFiles(root);
    const recording = new Recording(root, shortWrite);
    this.#recording = recording;
    try {
      await act({
        saving: () => recording.add({ kind: 'saving' }),
        saved: () => recording.markSaved(),
      });
      recording.markSaved();
    } finally {
      this.#recording = undefined;
    }
    recording.check();
    return { before, operations: recording.operations, after: readFiles(root) };
  }

  #patch(target: object, replacements: Table): void {
    const table = target as Table;
    for (const [name, replacement] of Object.entries(replacements)) {
      const original = table[name];
      if (original === undefined) continue;
      // `util.promisify` finds its instructions in symbols on the function.
      for (const key of Object.getOwnPropertySymbols(original)) {
        const descriptor = Object.getOwnPropertyDescriptor(original, key);
        if (descriptor) Object.defineProperty(replacement, key, descriptor);
      }
      table[name] = replacement;
      this.#undo.push(() => {
        table[name] = original;
      });
    }
  }

  /** The class of file handles is not exported: its prototype is taken from one. */
  async #patchFileHandles(): Promise<void> {
    const handle = await fs.promises.open(process.execPath, 'r');
    const prototype = Object.getPrototypeOf(handle) as object;
    await handle.close();
    this.#patch(prototype, handleFunctions(fs as unknown as Table));
  }
}
