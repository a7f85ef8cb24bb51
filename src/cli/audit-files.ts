/**
 * The files of an audit, oldest first, and their lines one after the other, in memory that does not grow
 * with them. Shared by the `audit` commands and by the inspector.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CheckpointError } from '../errors.js';
import { numberIn } from '../io/audit-file.js';
import { systemCode } from '../io/io-error.js';
import { AUDIT_NAME } from '../io/store-paths.js';
import { UsageError } from './cli-error.js';

/** Longer lines are no entries: the rest of one is skipped. */
const LINE_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** One line of an audit. */
export interface AuditLine {
  readonly text: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** Whether a line end follows. */
  readonly ended: boolean;
  /** Whether no other file follows. */
  readonly isLastFile: boolean;
}

/** One file of an audit. */
export interface AuditSource {
  /** Absolute. */
  readonly path: string;
  /** As it is shown: relative to the store where it belongs to one. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * The files of a store's audit, or those that are named, in that order.
 * @throws CheckpointError `NO_STORE` where there is no audit; UsageError for a file that is not there
 */
export function auditSources(
  directory: string,
  named: readonly string[] = [],
  cwd = directory,
): AuditSource[] {
  if (named.length > 0) {
    return named.map((name) => {
      const path = resolve(cwd, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isFile() !== true) throw new UsageError(`There is no file ${name}.`);
      return { path, name, bytes: stat.size };
    });
  }
  const earlier = listOf(join(directory, 'audit'))
    .flatMap((name) => numberIn(name).map((number) => ({ name, number })))
    .sort((left, right) => left.number - right.number)
    .map(({ name }) => sourceAt(directory, join('audit', name)));
  const sources = [...earlier, sourceAt(directory, AUDIT_NAME)].filter(
    (source) => source !== undefined,
  );
  if (sources.length === 0) {
    throw new CheckpointError('NO_STORE', `There is no audit in ${directory}.`, {
      file: join(directory, AUDIT_NAME),
    });
  }
  return sources;
}

function sourceAt(directory: string, name: string): AuditSource | undefined {
  const path = join(directory, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true ? { path, name, bytes: stat.size } : undefined;
}

function listOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}

/** What reading reports while it goes on. */
export interface ReadingOptions {
  readonly signal?: AbortSignal;
  /** Told the bytes that were read since it was told last. */
  readonly onBytes?: (bytes: number) => void;
}

/** All lines, in batches of what was read at once. @throws CheckpointError `READ_FAILED` */
export async function* auditLines(
  sources: readonly AuditSource[],
  options: ReadingOptions = {},
): AsyncGenerator<readonly AuditLine[]> {
  for (const [index, source] of sources.entries()) {
    yield* linesOf(source, index === sources.length - 1, options);
  }
}

async function* linesOf(
  { path, name: file }: AuditSource,
  isLastFile: boolean,
  { signal, onBytes }: ReadingOptions,
): AsyncGenerator<readonly AuditLine[]> {
  let rest = '';
  let line = 0;
  try {
    // `latin1` would be faster; but what is cut inside of a character must stay in one piece.
    for await (const chunk of createReadStream(path, {
      encoding: 'utf8',
      highWaterMark: CHUNK_BYTES,
      ...(signal && { signal }),
    })) {
      const text = chunk as string;
      onBytes?.(Buffer.byteLength(text));
      const parts = `${rest}${text}`.split('\n');
      rest = (parts.pop() ?? '').slice(0, LINE_BYTES_MAX);
      yield parts.map((part) => {
        line += 1;
        return { text: part, file, line, ended: true, isLastFile };
      });
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new CheckpointError(
      'READ_FAILED',
      `${basename(path)} could not be read (${systemCode(error) ?? String(error)}).`,
      { file: path },
      { cause: error },
    );
  }
  if (rest !== '') yield [{ text: rest, file, line: line + 1, ended: false, isLastFile }];
}
