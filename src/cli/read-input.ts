/**
 * Reading what the user gives to the command line: a file or stdin, bounded, as UTF-8 text. The input
 * is not the store's; it is judged before the store is opened.
 */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { CheckpointError } from '../errors.js';
import { findInvalidUtf8 } from '../format/utf8.js';
import { DEFAULT_LIMITS } from '../format/yaml/yaml-text.js';
import { UsageError } from './cli-error.js';
import type { CliContext } from './context.js';

/** Text given by the user, and what to call it in messages. */
export interface InputText {
  readonly text: string;
  readonly name: string;
}

/**
 * Reads a file, or stdin for `-` and for no name at all.
 * @throws UsageError if stdin is a terminal and was not asked for; CheckpointError `READ_FAILED`,
 * `TOO_LARGE`, `INVALID_YAML` (not UTF-8)
 */
export async function readInput(
  { environment, progress }: CliContext,
  file: string | undefined,
): Promise<InputText> {
  const { stdin, cwd, signal } = environment;
  const name = file === undefined || file === '-' ? 'standard input' : file;
  if (file === undefined && stdin.isTTY === true) {
    throw new UsageError(
      'There is nothing to save: no file was given and nothing is piped in.',
      'Give a file (checkpoint-wal save plan.yaml), pipe it in, or use - to type it.',
    );
  }
  const stream = name === file ? createReadStream(resolve(cwd, file)) : stdin;
  const bytes = await progress.during(`reading ${name}`, () => readAll(stream, name, signal));
  return { text: decode(bytes, name), name };
}

/**
 * Reads the bytes of a file named by the user, bounded.
 * @throws CheckpointError `READ_FAILED`, `TOO_LARGE`
 */
export async function readBytes(
  { environment, progress }: CliContext,
  file: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const { cwd, signal } = environment;
  return await progress.during(`reading ${file}`, () =>
    readAll(createReadStream(resolve(cwd, file)), file, signal, maxBytes),
  );
}

async function readAll(
  stream: Readable,
  name: string,
  signal: AbortSignal,
  maxBytes: number = DEFAULT_LIMITS.maxBytes,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = () => stream.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > maxBytes) throw tooLarge(name, maxBytes);
      chunks.push(bytes);
    }
  } catch (error) {
    if (signal.aborted || error instanceof CheckpointError) throw error;
    const reason = error instanceof Error && 'code' in error ? error.code : error;
    throw new CheckpointError(
      'READ_FAILED',
      `${name} could not be read (${String(reason)}).`,
      { file: name },
      { cause: error },
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks);
}

function tooLarge(name: string, maxBytes: number): CheckpointError {
  return new CheckpointError('TOO_LARGE', `${name} has more than ${maxBytes} bytes.`, {
    file: name,
  });
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const offset = findInvalidUtf8(bytes);
    throw new CheckpointError(
      'INVALID_YAML',
      `${name} is not UTF-8 text: byte ${offset} begins no character.`,
      { file: name, offset },
    );
  }
}
