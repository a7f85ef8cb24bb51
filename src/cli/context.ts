/**
 * What every command gets: where the store is, where to print, and whether to print for people or for
 * programs. Owns the rules of output: results go to stdout, everything else to stderr; no colours and
 * no moving lines where nobody watches (`NO_COLOR`, pipes, `--json`).
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import picocolors from 'picocolors';
import { checkFileName, DEFAULT_FILE } from '../io/store-paths.js';
import { UsageError } from './cli-error.js';
import type { ExitCode } from './exit-codes.js';
import { toJson } from './json.js';
import { createProgress, type Progress } from './progress.js';

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean };

/** The world around the command line; the process's own in `main.ts`. */
export interface CliEnvironment {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Aborted by SIGINT and SIGTERM, with an `InterruptedError` as its reason. */
  readonly signal: AbortSignal;
}

/** Options that every command takes, before or after its name. */
export interface StoreFlags {
  readonly dir?: string;
  readonly file?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Colours, or functions that add none. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** What a command works with. */
export interface CliContext {
  readonly environment: CliEnvironment;
  /** Absolute path of the store's directory; it need not exist. */
  readonly directory: string;
  readonly file: string;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly colors: Colors;
  readonly progress: Progress;
  /** Prints the command's result: the data in JSON mode, the text otherwise. */
  result(data: unknown, text: string): void;
  /** Prints a line for people on stderr; nothing in JSON mode. */
  note(text: string): void;
}

/** What a command does; the exit code is its outcome. Errors are thrown. */
export type CommandBody = (context: CliContext) => Promise<ExitCode>;

/** Runs a command's body with the context that its options ask for. */
export type Launch = (command: Command, body: CommandBody) => Promise<void>;

/** Builds the context of one run. @throws UsageError, CheckpointError `PATH_OUTSIDE_STORE` */
export function createContext(environment: CliEnvironment, flags: StoreFlags): CliContext {
  const { stdout, stderr, env } = environment;
  const json = flags.json ?? false;
  const file = flags.file ?? DEFAULT_FILE;
  checkFileName(file);
  const progress = createProgress(stderr, !json && isInteractive(stderr, env));
  return {
    environment,
    directory: chooseDirectory(environment.cwd, flags.dir),
    file,
    json,
    verbose: isVerbose(flags, env),
    colors: picocolors.createColors(!json && wantsColors(stdout, env)),
    progress,
    result: (data, text) => void stdout.write(json ? toJson(data) : text),
    note: (text) => {
      progress.clear();
      if (!json) stderr.write(`${text}\n`);
    },
  };
}

/** Whether stack traces are wanted. */
export function isVerbose(flags: StoreFlags, env: CliEnvironment['env']): boolean {
  return flags.verbose === true || isSet(env, 'DEBUG');
}

/** Whether to colour what goes to `stream`: NO_COLOR wins, then FORCE_COLOR, then whether it is a terminal. */
export function wantsColors(stream: Output, env: CliEnvironment['env']): boolean {
  if (isSet(env, 'NO_COLOR')) return false;
  return isSet(env, 'FORCE_COLOR') || isInteractive(stream, env);
}

function isInteractive(stream: Output, env: CliEnvironment['env']): boolean {
  return stream.isTTY === true && !isDumb(env) && !isSet(env, 'CI');
}

function isDumb({ TERM }: CliEnvironment['env']): boolean {
  return TERM === 'dumb';
}

function isSet(env: CliEnvironment['env'], name: string): boolean {
  const value = env[name];
  return value !== undefined && value !== '' && value !== '0';
}

function chooseDirectory(cwd: string, asked: string | undefined): string {
  if (asked === '') throw new UsageError('--dir needs the name of a directory.');
  if (asked !== undefined) return resolve(cwd, asked);
  const usual = resolve(cwd, 'orchestration');
  const found = statSync(usual, { throwIfNoEntry: false });
  return found?.isDirectory() === true ? usual : cwd;
}
