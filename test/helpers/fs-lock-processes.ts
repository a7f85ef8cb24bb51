/**
 * Starts `fs-lock-child.js` on the sources as they are now: they are transpiled into a temporary
 * directory first, because the oldest supported node doesn't run TypeScript. Ends every child.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { LockKind } from '../../src/io/lock-file.js';

/** A running child and the lines it says, one JSON value each. */
export interface LockChild {
  readonly pid: number;
  /** The next line, parsed; rejects if the child ends first. */
  next(): Promise<Record<string, unknown>>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Ends it in order, releasing what it holds. */
  end(): Promise<void>;
}

/** Children over one directory. */
export class LockProcesses {
  /** An empty directory for lock files. */
  readonly directory = mkdtempSync(join(tmpdir(), 'checkpoint-wal-lock-'));
  readonly #code = mkdtempSync(join(tmpdir(), 'checkpoint-wal-code-'));
  readonly #children: ChildProcess[] = [];

  constructor() {
    transpile(fileURLToPath(new URL('../../src', import.meta.url)), this.#code);
  }

  /** Starts one child. */
  start(path: string, kind: LockKind, role: 'hold' | 'contend', rounds = 0): LockChild {
    const script = fileURLToPath(new URL('fs-lock-child.js', import.meta.url));
    const parameters = [join(this.#code, 'io/node-lock.js'), path, kind, role, String(rounds)];
    const child = spawn(process.execPath, [script, ...parameters], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return observe(child);
  }

  /** Kills what still runs and removes both directories. */
  dispose(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.#code, { recursive: true, force: true });
  }
}

function observe(child: ChildProcess): LockChild {
  const { stdin, stdout, pid } = child;
  if (stdin === null || stdout === null || pid === undefined) throw new Error('did not start');
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    pid,
    async next() {
      const line = await lines.next();
      if (line.done === true) throw new Error('the child ended without a word');
      return JSON.parse(line.value);
    },
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
    end() {
      stdin.end();
      return gone;
    },
  };
}

function transpile(from: string, to: string): void {
  mkdirSync(join(to, 'io'));
  writeFileSync(join(to, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(from, '../node_modules'), join(to, 'node_modules'), 'junction');
  const needed = /^(node-lock|lock-file|kernel-lock|process-identity|pause|system-error)\.ts$/;
  for (const name of readdirSync(join(from, 'io')).filter((candidate) => needed.test(candidate))) {
    const { outputText } = ts.transpileModule(readFileSync(join(from, 'io', name), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    writeFileSync(join(to, 'io', name.replace(/\.ts$/, '.js')), outputText);
  }
}
