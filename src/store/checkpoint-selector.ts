/**
 * Which checkpoint is meant: by number, by label, by time, or by its place before the current one.
 * Pure: a list of history goes in, one entry of it comes out. Whether that entry verifies is found out
 * when it is read, so that a damaged one is named rather than silently passed over.
 */
import { CheckpointError } from '../errors.js';
import type { HistoryEntry } from './history.js';

/**
 * How a checkpoint is named.
 *
 * - `sequence`: the one of that number
 * - `label`: the newest one of that label, which must match to the letter
 * - `before`: the newest one saved before that time; a number is milliseconds since 1970, a text is ISO
 *   8601, in UTC unless it names a zone
 * - `previous`: the newest one below the current one; the newest there is, where none is current
 * - `current`: the checkpoint file itself
 */
export type CheckpointSelector =
  | { readonly sequence: number }
  | { readonly label: string }
  | { readonly before: Date | number | string }
  | 'previous'
  | 'current';

/** So many entries on either side, or labels, are named when nothing matches. */
const NEAREST = 2;
const NEAR_LABELS = 3;
/** Labels are compared by so many of their first characters: enough to find a slip of the hand. */
const COMPARED_CHARACTERS = 48;

/**
 * The entry that a selector means.
 * @param entries as `listHistory` gives them: ascending, the current checkpoint last, if it is there
 * @throws CheckpointError `NOT_IN_HISTORY`, with those that come nearest in `details.nearest`: numbers,
 * or labels where a label was asked for; TypeError for a selector that is none
 */
export function selectCheckpoint(
  entries: readonly HistoryEntry[],
  selector: CheckpointSelector,
): HistoryEntry {
  if (selector === 'current') return currentOf(entries);
  if (selector === 'previous') return previousOf(entries);
  if (typeof selector !== 'object' || selector === null) throw notASelector(selector);
  if ('sequence' in selector) return withNumber(entries, selector.sequence);
  if ('label' in selector) return withLabel(entries, selector.label);
  if ('before' in selector) return savedBefore(entries, selector.before);
  throw notASelector(selector);
}

/**
 * Reads a selector as it is typed: `12`, `previous`, `current`, `before:2026-11-24T10:00`,
 * `label:NAME`, or a label as such. A label that looks like one of the others is reached with `label:`.
 * @throws TypeError for an empty text, and for a time that can't be read
 */
export function parseSelector(text: string): CheckpointSelector {
  if (text === 'previous' || text === 'current') return text;
  if (text.startsWith('label:')) return { label: text.slice('label:'.length) };
  if (text.startsWith('before:')) {
    const before = text.slice('before:'.length);
    timeOf(before);
    return { before };
  }
  if (text === '')
    throw new TypeError('A checkpoint is named by number, label or time, not by "".');
  const sequence = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(sequence) ? { sequence } : { label: text };
}

function notASelector(selector: unknown): TypeError {
  const forms = "{ sequence }, { label }, { before }, 'previous' or 'current'";
  return new TypeError(`A checkpoint is selected by ${forms}, not by ${JSON.stringify(selector)}.`);
}

function currentOf(entries: readonly HistoryEntry[]): HistoryEntry {
  const current = entries.findLast((entry) => entry.current);
  if (current !== undefined) return current;
  throw notFound('There is no current checkpoint: the file is missing.', nearestTo(entries));
}

function previousOf(entries: readonly HistoryEntry[]): HistoryEntry {
  const current = entries.findLast((entry) => entry.current);
  const limit = current?.sequence ?? Number.POSITIVE_INFINITY;
  const previous = entries.findLast((entry) => !entry.current && entry.sequence < limit);
  if (previous !== undefined) return previous;
  throw notFound('There is no checkpoint before the current one: history is empty.', []);
}

function withNumber(entries: readonly HistoryEntry[], sequence: number): HistoryEntry {
  if (!Number.isSafeInteger(sequence)) {
    throw new TypeError(`A sequence number is a whole number, not ${String(sequence)}.`);
  }
  const found = entries.find((entry) => entry.sequence === sequence);
  if (found !== undefined) return found;
  const nearest = nearestTo(entries, sequence);
  const message = `There is no checkpoint ${sequence}. ${nearestText(nearest)}`;
  throw notFound(message, nearest, { sequence });
}

function withLabel(entries: readonly HistoryEntry[], label: string): HistoryEntry {
  if (typeof label !== 'string') throw new TypeError('A label is a text.');
  const found = entries.findLast((entry) => entry.label === label);
  if (found !== undefined) return found;
  const nearest = labelsLike(entries, label);
  const named = nearest.map((near) => JSON.stringify(near)).join(', ');
  const hint = nearest.length > 0 ? `Nearest: ${named}.` : labelsText(entries);
  throw notFound(`There is no checkpoint labelled ${JSON.stringify(label)}. ${hint}`, nearest);
}

/** The time of an entry that is damaged is not known, so that none is found by its time. */
function savedBefore(
  entries: readonly HistoryEntry[],
  before: Date | number | string,
): HistoryEntry {
  const limitMs = timeOf(before);
  const dated = entries.filter(({ problem }) => problem?.code !== 'ENTRY_DAMAGED');
  const found = dated.findLast(({ timeMs }) => timeMs < limitMs);
  if (found !== undefined) return found;
  const time = new Date(limitMs).toISOString();
  const oldest = dated[0];
  const hint =
    oldest === undefined
      ? nearestText([])
      : `The oldest is ${oldest.sequence}, saved at ${new Date(oldest.timeMs).toISOString()}.`;
  const nearest = oldest === undefined ? [] : [oldest.sequence];
  throw notFound(`No checkpoint was saved before ${time}. ${hint}`, nearest);
}

const ISO_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Milliseconds since 1970. Without a zone a text is in UTC, as every time that is printed here is. */
function timeOf(time: Date | number | string): number {
  const timeMs = typeof time === 'string' ? timeIn(time) : Number(time);
  // Beyond this no date can be printed either.
  if (Math.abs(timeMs) <= 8.64e15) return timeMs;
  throw new TypeError(
    `${JSON.stringify(time)} is no time: write 2026-11-24 or 2026-11-24T10:00, in UTC, or with a zone as +02:00.`,
  );
}

function timeIn(text: string): number {
  const parts = ISO_TIME.exec(text.trim());
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0'] = parts;
  const zone = parts[8] ?? 'Z';
  const date = `${year}-${month}-${day}`;
  // The built-in parser takes a 31st of February for a day in March.
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date)) return Number.NaN;
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
  const offset = /^z$/i.test(zone) ? 'Z' : zone.replace(/^(...)(\d\d)$/, '$1:$2');
  return Date.parse(`${date}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
}

function nearestTo(entries: readonly HistoryEntry[], sequence = Number.MAX_SAFE_INTEGER): number[] {
  const all = entries.map((entry) => entry.sequence);
  return [
    ...all.filter((entry) => entry < sequence).slice(-NEAREST),
    ...all.filter((entry) => entry > sequence).slice(0, NEAREST),
  ];
}

function nearestText(nearest: readonly number[]): string {
  return nearest.length === 0 ? 'History is empty.' : `Nearest: ${nearest.join(', ')}.`;
}

function labelsText(entries: readonly HistoryEntry[]): string {
  const labels = new Set(entries.map(({ label }) => label).filter((label) => label !== undefined));
  if (labels.size === 0) return 'No checkpoint has a label.';
  return labels.size === 1 ? 'One other label exists.' : `${labels.size} other labels exist.`;
}

/** Labels that may have been meant, the likeliest first, newer ones first among equals. */
function labelsLike(entries: readonly HistoryEntry[], label: string): string[] {
  const labels = entries.map((entry) => entry.label).filter((found) => found !== undefined);
  const asked = comparable(label);
  return [...new Set(labels.reverse())]
    .map((found) => ({ found, distance: distanceOf(comparable(found), asked) }))
    .filter(({ distance }) => distance <= Math.max(2, asked.length / 3))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, NEAR_LABELS)
    .map(({ found }) => found);
}

function comparable(label: string): string {
  return label.slice(0, COMPARED_CHARACTERS).toLowerCase();
}

/** One label that contains the other is a near match; else the number of characters that differ. */
function distanceOf(left: string, right: string): number {
  if (left === right) return 0;
  if (left !== '' && right !== '' && (left.includes(right) || right.includes(left))) return 1;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

function notFound(
  message: string,
  nearest: readonly (number | string)[],
  details: { readonly sequence?: number } = {},
): CheckpointError {
  return new CheckpointError('NOT_IN_HISTORY', message, { ...details, nearest });
}
