/**
 * The end of an audit's file, as a crash may have left it: which lines stand, and from where on nothing
 * does. Pure bytes and values; what is done about it is decided in `src/io/audit-file.ts`.
 *
 * A power failure may lose, tear or garble anything that was not synced, also in front of lines that
 * arrived whole. What was synced is known from the entries themselves: the first one after a sync says
 * in its detail `durable` up to which number. Damage before that is no crash's: it stays where it is.
 */
import { type AuditEntry, readAuditLine } from './audit-entry.js';

const LINE_END = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** What the end of a file came to. */
export interface AuditTail {
  /** The last entry that stands; absent where none does. */
  readonly last?: AuditEntry;
  /** Where the part that stands ends, in bytes. */
  readonly end: number;
  /** Whether lines that were durable are damaged; they stand, for others to judge. */
  readonly isDamaged: boolean;
  /** Whether that is all there is to know: what comes before these bytes was durable. */
  readonly isEnough: boolean;
}

/**
 * Reads the end of a file.
 * @param isWhole whether `bytes` are all of it; else the first, unfinished line is left out
 */
export function readTailLines(bytes: Uint8Array, isWhole: boolean): AuditTail {
  const start = isWhole ? 0 : bytes.indexOf(LINE_END) + 1;
  if (!isWhole && start === 0) return { end: 0, isDamaged: false, isEnough: false };
  const lines = linesFrom(bytes, start);
  const entries = lines.map(({ bytes: line }) => readBytes(line));
  const durable = entries.reduce((most, entry) => Math.max(most, durableIn(entry)), 0);
  let last: AuditEntry | undefined;
  let end = start;
  let isDamaged = false;
  for (const [index, entry] of entries.entries()) {
    const before = numberBefore(entries, index);
    const isTied = entry !== undefined && follows(entry, entries[index - 1]);
    if (!isTied && before >= durable) break;
    isDamaged ||= !isTied;
    last = entry ?? last;
    end = lines[index]?.end ?? end;
  }
  const first = entries.find((entry) => entry !== undefined);
  const isEnough = isWhole || (first !== undefined && first.number <= durable + 1);
  return { ...(last && { last }), end, isDamaged, isEnough };
}

/** The number that the first line of `bytes` has, by the first one that reads well. */
export function firstNumber(bytes: Uint8Array): number | undefined {
  const lines = linesFrom(bytes, 0);
  for (const [index, { bytes: line }] of lines.entries()) {
    const number = readBytes(line)?.number;
    if (number !== undefined) return Math.max(1, number - index);
  }
  return undefined;
}

function linesFrom(bytes: Uint8Array, start: number) {
  const lines: { readonly bytes: Uint8Array; readonly end: number }[] = [];
  let from = start;
  for (;;) {
    const end = bytes.indexOf(LINE_END, from);
    if (end < 0) return lines;
    lines.push({ bytes: bytes.subarray(from, end), end: end + 1 });
    from = end + 1;
  }
}

/** The number that the entry before this line has, or that it would have were all before it whole. */
function numberBefore(entries: readonly (AuditEntry | undefined)[], index: number): number {
  for (let at = index - 1; at >= 0; at -= 1) {
    const number = entries[at]?.number;
    if (number !== undefined) return number + (index - 1 - at);
  }
  return 0;
}

/** Whether an entry is tied to the line before it; to a damaged one anything may be. */
function follows({ number, previous }: AuditEntry, before: AuditEntry | undefined): boolean {
  return before === undefined || (number === before.number + 1 && previous === before.hash);
}

function durableIn(entry: AuditEntry | undefined): number {
  const durable = entry?.details.durable;
  return typeof durable === 'number' ? durable : 0;
}

/** Shorter lines are no entries: two hashes alone are longer. */
const LINE_BYTES_MIN = 200;

function readBytes(bytes: Uint8Array): AuditEntry | undefined {
  if (bytes.length < LINE_BYTES_MIN) return undefined;
  let line: string;
  try {
    line = decoder.decode(bytes);
  } catch {
    return undefined;
  }
  const reading = readAuditLine(line);
  return 'entry' in reading ? reading.entry : undefined;
}
