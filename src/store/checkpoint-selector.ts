/**
 * Saying which checkpoint is meant: by number, label, time, or place. Pure over a list of history.
 */
import { CheckpointError } from '../errors.js';
import type { CheckpointSelector } from '../io/checkpoint-io.js';
import type { HistoryEntry } from './history.js';

/** So many that exist are named where one is not found. */
const NAMED_MAX = 4;
/** Labels up to so many slips of the keyboard away may be what was meant; short ones fewer. */
const SLIPS_MAX = 2;
/** Characters of a label in a message. */
const LABEL_WIDTH = 40;

/**
 * The entry that a selector means; whether it verifies is another question. Of several that fit, the
 * newest.
 * @param entries ascending, the current checkpoint last
 * @throws CheckpointError `NOT_IN_HISTORY`, with those that come nearest in `details.nearest`;
 * TypeError for what is no selector
 */
export function selectCheckpoint(
  entries: readonly HistoryEntry[],
  selector: CheckpointSelector,
): HistoryEntry {
  if (selector === 'current') {
    const entry = entries.findLast(({ current }) => current);
    return found(entry, 'There is no current checkpoint', entries.slice(-NAMED_MAX));
  }
  if (selector === 'previous' || (typeof selector === 'object' && 'previous' in selector)) {
    const earlier = entries.findLast(({ current }) => !current);
    return found(earlier, 'There is no earlier checkpoint', entries.slice(-NAMED_MAX));
  }
  if (typeof selector !== 'object' || selector === null) throw notSelector();
  // An edited checkpoint has a number only once it is adopted: until then it is 'current' and no more.
  const saved = entries.filter(({ current, problem }) => !current || problem === undefined);
  if ('sequence' in selector) return withSequence(saved, selector.sequence);
  if ('label' in selector) return withLabel(entries, selector.label);
  if ('before' in selector) {
    const beforeMs = timeOf(selector.before);
    const entry = saved.findLast(({ timeMs }) => timeMs <= beforeMs);
    const what = `No checkpoint is as old as ${new Date(beforeMs).toISOString()}`;
    return found(entry, what, saved.slice(0, 1), 'The oldest is');
  }
  throw notSelector();
}

function withSequence(entries: readonly HistoryEntry[], sequence: number): HistoryEntry {
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw notSelector();
  const entry = entries.findLast((one) => one.sequence === sequence);
  const distance = (one: HistoryEntry) => Math.abs(one.sequence - sequence);
  const nearest = [...entries]
    .sort((left, right) => distance(left) - distance(right))
    .slice(0, NAMED_MAX)
    .sort((left, right) => left.sequence - right.sequence);
  // Whoever labels by numbers has to say so.
  const label = String(sequence);
  const isLabel = entries.some((one) => one.label === label);
  const hint = isLabel ? `; the label is written label:${label}` : '';
  return found(entry, `There is no checkpoint ${sequence}${hint}`, nearest);
}

function withLabel(entries: readonly HistoryEntry[], label: string): HistoryEntry {
  if (typeof label !== 'string') throw notSelector();
  const entry = entries.findLast((one) => one.label === label);
  const what = `No checkpoint has the label ${JSON.stringify(label)}`;
  if (entry !== undefined) return entry;
  const newest = new Map<string, HistoryEntry>();
  for (const one of entries) if (isAlike(one.label ?? '', label)) newest.set(one.label ?? '', one);
  const alike = [...newest.values()].slice(-NAMED_MAX);
  if (alike.length > 0) return found(undefined, what, alike, 'Alike:');
  const labelled = entries.filter((one) => one.label !== undefined).slice(-NAMED_MAX);
  if (labelled.length > 0) return found(undefined, what, labelled, 'The newest labels are');
  return found(undefined, `${what}, nor any other`, entries.slice(-NAMED_MAX), 'The newest are');
}

/**
 * A selector as it is typed: `12`, `previous`, `current`, `before:2026-11-24T10:00Z`, `label:NAME`, or a
 * label that looks like none of these. `label:12` is the label "12", not checkpoint 12.
 * @throws TypeError for a time that can't be read
 */
export function parseSelector(text: string): CheckpointSelector {
  if (text === 'previous' || text === 'current') return text;
  if (/^\d{1,15}$/.test(text)) return { sequence: Number(text) };
  const [, kind, rest = ''] = /^(label|before):(.*)$/s.exec(text) ?? [];
  if (kind === 'before') return { before: timeOf(rest) };
  return { label: kind === 'label' ? rest : text };
}

function found(
  entry: HistoryEntry | undefined,
  what: string,
  named: readonly HistoryEntry[],
  leads = 'Nearest:',
): HistoryEntry {
  if (entry !== undefined) return entry;
  const there = named.map(({ sequence, label }) => {
    return label === undefined
      ? `${sequence}`
      : `${sequence} (${JSON.stringify(shortened(label))})`;
  });
  const list = there.length === 0 ? 'History is empty.' : `${leads} ${there.join(', ')}.`;
  throw new CheckpointError('NOT_IN_HISTORY', `${what}. ${list}`, {
    nearest: named.map(({ sequence }) => sequence),
  });
}

function shortened(label: string): string {
  return label.length <= LABEL_WIDTH ? label : `${label.slice(0, LABEL_WIDTH - 1)}…`;
}

/** Whether one may have been typed for the other: a part of it, other capitals, or slips. */
function isAlike(label: string, typed: string): boolean {
  const [left, right] = [label, typed].map((text) => text.toLowerCase().trim());
  if (!left || !right) return false;
  if (left.includes(right) || right.includes(left)) return true;
  return slips(left, right) <= Math.min(SLIPS_MAX, Math.floor(right.length / 3));
}

/** How many characters are wrong, missing or too many; counts no further than matters. */
function slips(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > SLIPS_MAX) return SLIPS_MAX + 1;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      const [diagonal = 0, above = 0, before = 0] = [row[j - 1], row[j], next[j - 1]];
      next.push(Math.min(diagonal + same, above + 1, before + 1));
    }
    if (Math.min(...next) > SLIPS_MAX) return SLIPS_MAX + 1;
    row = next;
  }
  return row[right.length] ?? 0;
}

function timeOf(time: Date | number | string): number {
  const timeMs =
    time instanceof Date ? time.getTime() : typeof time === 'number' ? time : Date.parse(time);
  if (Number.isFinite(timeMs) && Math.abs(timeMs) <= 8.64e15) return timeMs;
  throw new TypeError(`"${String(time)}" is no time; write 2026-11-24T10:00:00Z or milliseconds`);
}

function notSelector(): TypeError {
  return new TypeError(
    "a checkpoint is named by { sequence }, { label }, { before } or 'previous'",
  );
}
