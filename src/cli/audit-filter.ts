/**
 * Which entries of an audit are wanted: by sequence number, machine, event and time; and the options
 * that say so, the same for all commands that print entries.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntry } from '../format/audit-entry.js';

/** The options of {@link addFilterOptions}. */
export interface FilterOptions {
  readonly sequence?: readonly [number, number];
  readonly machine?: readonly string[];
  readonly event?: readonly string[];
  readonly since?: number;
  readonly until?: number;
}

/** Adds the options to a command. */
export function addFilterOptions(command: Command): Command {
  return command
    .option('--sequence <N[..M]>', 'only entries about these sequence numbers', toRange)
    .option('--machine <NAMES>', 'only these machines, separated by commas', toNames)
    .option(
      '--event <NAMES>',
      'only these events, separated by commas; "*.failed" for all of a kind',
      toNames,
    )
    .option('--since <TIME>', 'only from then on: ISO 8601, or 90s, 15m, 2h, 3d ago', toTime)
    .option('--until <TIME>', 'only before then', toTime);
}

/** Whether an entry is wanted. */
export function filterFor({ sequence, machine, event, since, until }: FilterOptions) {
  const patterns = event?.map((name) => new RegExp(`^${name.split('*').map(escaped).join('.*')}$`));
  return (entry: AuditEntry): boolean => {
    if (sequence && (entry.sequence < sequence[0] || entry.sequence > sequence[1])) return false;
    if (machine && !machine.includes(entry.machine)) return false;
    if (patterns && !patterns.some((pattern) => pattern.test(entry.event))) return false;
    if (since === undefined && until === undefined) return true;
    const timeMs = Date.parse(entry.time);
    return (
      timeMs >= (since ?? Number.NEGATIVE_INFINITY) && timeMs < (until ?? Number.POSITIVE_INFINITY)
    );
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function toNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('A name is empty.');
  return names;
}

function toRange(text: string): readonly [number, number] {
  const found = /^(\d+)(?:\.\.(\d+)?)?$/.exec(text);
  if (found === null)
    throw new InvalidArgumentError('It is a number, N..M, or N.. for all from N on.');
  const from = Number(found[1]);
  const isOpen = text.endsWith('..');
  const to = isOpen ? Number.MAX_SAFE_INTEGER : Number(found[2] ?? found[1]);
  if (to < from) throw new InvalidArgumentError('The range ends before it begins.');
  return [from, to];
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function toTime(text: string): number {
  const ago = /^(\d+)([smhd])$/.exec(text);
  if (ago !== null) return Date.now() - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      'It is ISO 8601, as 2026-11-25T08:00Z, or 90s, 15m, 2h, 3d ago.',
    );
  }
  return time;
}
