/**
 * Lines of an audit in bytes: where they end, and which is the last that stands by itself. For the
 * end of a file, where a crash may have left anything.
 */
import { type AuditEntry, readAuditLine } from './audit-entry.js';

const LINE_END = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The last line of `bytes` that reads well, and where it ends (its line end included). */
export interface LastLine {
  readonly entry: AuditEntry;
  readonly end: number;
}

/** Looks from the end for a whole line that reads well; `undefined` if there is none. */
export function lastGoodLine(bytes: Uint8Array): LastLine | undefined {
  let end = bytes.lastIndexOf(LINE_END);
  while (end >= 0) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(LINE_END, end - 1) + 1;
    const entry = readBytes(bytes.subarray(start, end));
    if (entry !== undefined) return { entry, end: end + 1 };
    if (start === 0) return undefined;
    end = start - 1;
  }
  return undefined;
}

/** The first line of `bytes`, if it is whole and reads well. */
export function firstLine(bytes: Uint8Array): AuditEntry | undefined {
  const end = bytes.indexOf(LINE_END);
  return end < 0 ? undefined : readBytes(bytes.subarray(0, end));
}

function readBytes(bytes: Uint8Array): AuditEntry | undefined {
  let line: string;
  try {
    line = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const reading = readAuditLine(line);
  return 'entry' in reading ? reading.entry : undefined;
}
