/**
 * The files of an audit, oldest first, and their lines one after the other, in memory that does not grow
 * with them. Shared by the `audit` commands and by the inspector.
 */
import { closeSync, createReadStream, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CheckpointError } from '../errors.js';
import { numberIn } from '../io/audit-tail.js';
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
  /** Open, so that it stays what it was when it was listed, whatever its name becomes. */
  readonly descriptor: number;
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
      const found = openSource(resolve(cwd, name), name);
      if (found === undefined) throw new UsageError(`There is no file ${name}.`);
      return found;
    });
  }
  const sources = storeSources(directory);
  if (sources.length === 0) {
    throw new CheckpointError('NO_STORE', `There is no audit in ${directory}.`, {
      file: join(directory, AUDIT_NAME),
    });
  }
  return sources;
}

/** How often files are listed anew when a writer has put one away meanwhile. */
const ATTEMPTS = 20;

/** A store's files, all of one moment: a writer may put one away, or remove one, at any time. */
function storeSources(directory: string): AuditSource[] {
  for (let attempt = 1; ; attempt += 1) {
    const names = earlierNames(directory);
    const found = [...names, AUDIT_NAME].map((name) => openSource(join(directory, name), name));
    const sources = found.filter((source) => source !== undefined);
    // For a moment, a file that is put away has both names; after a crash it may keep them.
    const current = sources.at(-1);
    const isTwice = sources.slice(0, -1).some((one) => current && isSame(one, current));
    const whole = isTwice ? sources.slice(0, -1) : sources;
    const isMissing = found.slice(0, -1).includes(undefined);
    const isOutdated = earlierNames(directory).at(-1) !== names.at(-1);
    if ((!isMissing && !isOutdated) || attempt === ATTEMPTS) {
      if (isTwice && current) closeSync(current.descriptor);
      return whole;
    }
    for (const { descriptor } of sources) closeSync(descriptor);
  }
}

function earlierNames(directory: string): string[] {
  return listOf(join(directory, 'audit'))
    .flatMap((name) => numberIn(name).map((number) => ({ name, number })))
    .sort((left, right) => left.number - right.number)
    .map(({ name }) => join('audit', name));
}

function isSame(one: AuditSource, other: AuditSource): boolean {
  const [left, right] = [fstatSync(one.descriptor), fstatSync(other.descriptor)];
  return left.ino === right.ino && left.dev === right.dev;
}

/** @throws CheckpointError `READ_FAILED` where something is there that is no file */
function openSource(path: string, name: string): AuditSource | undefined {
  try {
    // Opening a pipe would wait for its other end.
    const kind = statSync(path);
    if (!kind.isFile()) throw new Error('it is no file');
    const descriptor = openSync(path, 'r');
    return { path, name, bytes: fstatSync(descriptor).size, descriptor };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    const reason = systemCode(error) ?? (error instanceof Error ? error.message : String(error));
    throw new CheckpointError(
      'READ_FAILED',
      `${path} could not be read (${reason}).`,
      { file: path },
      { cause: error },
    );
  }
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
  { path, name: file, descriptor }: AuditSource,
  isLastFile: boolean,
  { signal, onBytes }: ReadingOptions,
): AsyncGenerator<readonly AuditLine[]> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  const found = (bytes: Uint8Array, ended: boolean): AuditLine => {
    line += 1;
    return { text: textOf(bytes), file, line, ended, isLastFile };
  };
  try {
    for await (const chunk of createReadStream(path, {
      fd: descriptor,
      start: 0,
      highWaterMark: CHUNK_BYTES,
      ...(signal && { signal }),
    })) {
      const bytes = Buffer.concat([rest, chunk as Buffer]);
      onBytes?.((chunk as Buffer).length);
      const lines: AuditLine[] = [];
      let from = 0;
      for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, from)) {
        lines.push(found(bytes.subarray(from, end), true));
        from = end + 1;
      }
      rest = Buffer.from(bytes.subarray(from, from + LINE_BYTES_MAX));
      yield lines;
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
  if (rest.length > 0) yield [found(rest, false)];
}

const LINE_END = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a line. Bytes that are no UTF-8 must not become text that an entry could hold. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return `\0${Buffer.from(bytes).toString('latin1')}`;
  }
}
