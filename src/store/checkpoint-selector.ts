/**
 * Saying which checkpoint is meant: by number, label, time, or place. Pure over a list of history.
 */
import { CheckpointError } from '../errors.js';
import type { HistoryEntry } from './history.js';

/** Which checkpoint is meant. */
export type CheckpointSelector =
  | { readonly sequence: number }
  /** The newest with this label. */
  | { readonly label: string }
  /** The one that was current at this time: a date, milliseconds since 1970, or ISO 8601. */
  | { readonly before: Date | number | string }
  /** The newest in history below the current one. */
  | { readonly previous: true }
  | 'previous'
  | 'current';

/** So many that exist are named where one is not found. */
const NAMED_MAX = 5;

/**
 * The entry that a selector means; whether it verifies is another question.
 * @param entries ascending, the current checkpoint last
 * @throws CheckpointError `NOT_IN_HISTORY`, naming some that are there; TypeError for what is no selector
 */
export function selectCheckpoint(
  entries: readonly HistoryEntry[],
  selector: CheckpointSelector,
): HistoryEntry {
  if (selector === 'current') {
    return found(
      entries.findLast(({ current }) => current),
      'There is no current checkpoint',
      entries,
    );
  }
  if (selector === 'previous' || (typeof selector === 'object' && 'previous' in selector)) {
    const earlier = entries.findLast(({ current }) => !current);
    return found(earlier, 'There is no earlier checkpoint', entries);
  }
  if (typeof selector !== 'object' || selector === null) throw notSelector();
  if ('sequence' in selector) {
    const { sequence } = selector;
    if (!Number.isSafeInteger(sequence) || sequence < 0) throw notSelector();
    const entry = entries.findLast((one) => one.sequence === sequence);
    return found(entry, `There is no checkpoint ${sequence}`, entries);
  }
  if ('label' in selector) {
    const { label } = selector;
    const entry = entries.findLast((one) => one.label === label);
    return found(entry, `No checkpoint has the label ${JSON.stringify(label)}`, entries);
  }
  if ('before' in selector) {
    const beforeMs = timeOf(selector.before);
    const entry = entries.findLast(({ timeMs }) => timeMs <= beforeMs);
    const time = new Date(beforeMs).toISOString();
    return found(entry, `No checkpoint is as old as ${time}`, entries);
  }
  throw notSelector();
}

/**
 * A selector as it is typed: `12`, `previous`, `current`, `before:2026-11-24T10:00Z`, `label:NAME`, or a
 * label that looks like none of these.
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
  entries: readonly HistoryEntry[],
): HistoryEntry {
  if (entry !== undefined) return entry;
  const there = entries.slice(-NAMED_MAX).map(({ sequence, label }) => {
    return label === undefined ? `${sequence}` : `${sequence} (${label})`;
  });
  const list = there.length === 0 ? 'History is empty.' : `The newest are ${there.join(', ')}.`;
  throw new CheckpointError('NOT_IN_HISTORY', `${what}. ${list}`, {
    newest: entries.slice(-NAMED_MAX).map(({ sequence }) => sequence),
  });
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
