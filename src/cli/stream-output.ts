/**
 * Output of any length: written as fast as the reader takes it, so that memory stays flat. To stdout, or
 * to a file that appears under its name only when it is whole.
 */
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { UsageError } from './cli-error.js';
import type { CliContext } from './context.js';

/** Takes text; the promise says when more is welcome. */
export type Write = (text: string) => Promise<void>;

/** The reader has gone: what it took was enough for it. */
class ReaderGone extends Error {}

/** Writes to stdout. A reader that is gone (`| head`) ends it quietly. */
export async function toStdout(
  { environment: { stdout } }: CliContext,
  produce: (write: Write) => Promise<void>,
): Promise<void> {
  try {
    await produce((text) => writeTo(stdout, text));
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw error;
  }
}

/**
 * Writes to `name`, or to stdout where none is given. Nothing is overwritten unless `force`.
 * @throws UsageError where the file is there already
 */
export async function toFileOrStdout(
  context: CliContext,
  {
    name,
    force = false,
  }: { readonly name: string | undefined; readonly force?: boolean | undefined },
  produce: (write: Write) => Promise<void>,
): Promise<void> {
  if (name === undefined) {
    await toStdout(context, produce);
    return;
  }
  const path = resolve(context.environment.cwd, name);
  if (!force && existsSync(path)) {
    throw new UsageError(`${name} is there already: choose another name, or add --force.`);
  }
  const temporary = `${path}.${process.pid}.tmp`;
  const stream = createWriteStream(temporary, { flags: 'wx', mode: 0o600 });
  try {
    await produce((text) => writeTo(stream, text));
    stream.end();
    await finished(stream);
    await syncFile(temporary);
    renameSync(temporary, path);
  } catch (error) {
    stream.destroy();
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function writeTo(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed) return Promise.reject(new ReaderGone());
  if (stream.write(text)) return Promise.resolve();
  return new Promise((done, fail) => {
    const stop = () => {
      stream.off('drain', go);
      stream.off('close', gone);
      stream.off('error', broken);
    };
    const go = () => {
      stop();
      done();
    };
    const gone = () => {
      stop();
      fail(new ReaderGone());
    };
    const broken = (error: NodeJS.ErrnoException) => {
      stop();
      fail(error.code === 'EPIPE' ? new ReaderGone() : error);
    };
    stream.on('drain', go).on('close', gone).on('error', broken);
  });
}
