/**
 * Which entries are listed: by machine, by sequence number, by text. Pure.
 */
import type { AuditEntry } from '../../format/audit-entry.js';

/** What is asked for; what is left out matches all. */
export interface EntryFilter {
  readonly machine?: string;
  readonly sequence?: number;
  /** Lower case. Found in states, events, senders and details. */
  readonly text?: string;
}

/** What somebody typed: `#12` is a sequence number, anything else a text. */
export function parseSearch(typed: string): Pick<EntryFilter, 'sequence' | 'text'> {
  const words = typed.trim().toLowerCase().split(/\s+/);
  const number = words.find((word) => /^#\d{1,15}$/.test(word));
  const text = words.filter((word) => word !== number).join(' ');
  return {
    ...(number !== undefined && { sequence: Number(number.slice(1)) }),
    ...(text !== '' && { text }),
  };
}

/** Whether a filter lets everything pass. */
export function isOpen({ machine, sequence, text }: EntryFilter): boolean {
  return machine === undefined && sequence === undefined && text === undefined;
}

/** Whether an entry is listed. */
export function matches(entry: AuditEntry, { machine, sequence, text }: EntryFilter): boolean {
  if (machine !== undefined && entry.machine !== machine) return false;
  if (sequence !== undefined && entry.sequence !== sequence) return false;
  return text === undefined || wordsOf(entry).includes(text);
}

function wordsOf({ machine, from, to, event, by, details }: AuditEntry): string {
  const words = `${machine} ${from} → ${to} ${event} ${by}`;
  return `${words} ${JSON.stringify(details)}`.toLowerCase();
}
