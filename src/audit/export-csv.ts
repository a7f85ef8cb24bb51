/**
 * Entries as CSV (RFC 4180, UTF-8, lines end in CRLF): one column for each member, `details` as JSON.
 * Cells that a spreadsheet would take for a formula begin with an apostrophe.
 */
import type { AuditEntry } from '../format/audit-entry.js';

const columns = [
  ...['number', 'time', 'elapsedUs', 'machine', 'from', 'to', 'event', 'by', 'sequence', 'epoch'],
  ...['process', 'details', 'previous', 'hash'],
] as readonly (keyof AuditEntry)[];

/** The first line. */
export const CSV_HEADER = `${columns.join(',')}\r\n`;

/** One entry as a line. */
export function toCsv(entry: AuditEntry): string {
  return `${columns.map((column) => cell(entry[column])).join(',')}\r\n`;
}

function cell(value: AuditEntry[keyof AuditEntry]): string {
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
