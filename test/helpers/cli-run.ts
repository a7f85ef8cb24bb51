/**
 * Running command lines in tests: in memory, for speed, and as real processes. Assumes that `npm test`
 * has built `dist/` before; says so where it has not.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runCli } from '../../src/cli/program.js';
import { freshFolder } from './temporary-folders.js';

export interface RunResult {
  readonly exitCode: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly stdinIsTerminal?: boolean;
  readonly stdoutIsTerminal?: boolean;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/** Runs a command line in this process. */
export async function runInMemory(args: string[], options: RunOptions = {}): Promise<RunResult> {
  const stdout = Object.assign(new PassThrough(), { isTTY: options.stdoutIsTerminal ?? false });
  const stderr = new PassThrough();
  // Read as it comes: a command may wait until its reader takes more.
  const told = [stdout, stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return chunks;
  });
  const stdin = Object.assign(Readable.from([Buffer.from(options.stdin ?? '')]), {
    isTTY: options.stdinIsTerminal ?? false,
  });
  const exitCode = await runCli(args, {
    stdin,
    stdout,
    stderr,
    env: options.env ?? {},
    cwd: options.cwd ?? freshFolder(),
    signal: options.signal ?? new AbortController().signal,
  });
  // What was written last is handed on with the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  const [stdoutText = '', stderrText = ''] = told.map((chunks) => Buffer.concat(chunks).toString());
  return { exitCode, stdout: stdoutText, stderr: stderrText };
}

/** The built executable; throws where there is none. */
export function builtFile(name: string): string {
  const path = fileURLToPath(new URL(`../../dist/cli/${name}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run build" first`);
  return path;
}

/** Starts the built command line as a process. */
export function startProcess(args: string[], options: RunOptions = {}): ChildProcess {
  const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, DEBUG: _debug, ...env } = process.env;
  return spawn(process.execPath, [builtFile('main.js'), ...args], {
    cwd: options.cwd ?? freshFolder(),
    env: { ...env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** How a started process ends. */
export function outcomeOf(child: ChildProcess): Promise<RunResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

/** Runs the built command line as a process, to its end. */
export async function runProcess(args: string[], options: RunOptions = {}): Promise<RunResult> {
  const child = startProcess(args, options);
  const outcome = outcomeOf(child);
  child.stdin?.end(options.stdin ?? '');
  return await outcome;
}
