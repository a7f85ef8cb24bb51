/**
 * Which states each machine is in after an entry, as the audit tells it. Pure: entries in, states out.
 */
import type { AuditEntry } from '../../format/audit-entry.js';

/** What is known of one machine. */
export interface MachineState {
  /** Innermost active states, as paths. */
  readonly active: readonly string[];
  /** The entry that spoke of it last. */
  readonly entry: number;
  /** What that entry left and entered. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly failed: boolean;
}

/** All machines that have started, by name. */
export type MachineStates = Readonly<Record<string, MachineState>>;

/** Nothing has started. */
export const noMachines: MachineStates = {};

/** States named in one text: `memory.idle, uptime.counting`. */
export function statesIn(text: string): string[] {
  return text === '' ? [] : text.split(', ');
}

/** Whether an event tells of a failure. */
export function isFailure({ event }: Pick<AuditEntry, 'event'>): boolean {
  return event.endsWith('.failed') || event.startsWith('xstate.error');
}

/** Whether a store starts with it; in an audit, the record says so first. */
export function beginsRun({ machine, from, event }: AuditEntry): boolean {
  return event === 'audit.opened' || (from === '' && machine === 'checkpoint');
}

/** The machines after one more entry. A store that starts leaves no other machine of a run before it. */
export function stepMachines(
  before: MachineStates,
  entry: AuditEntry,
  index: number,
): MachineStates {
  const { machine } = entry;
  const from = statesIn(entry.from);
  const to = statesIn(entry.to);
  const starts = from.length === 0;
  const left = starts ? [] : (before[machine]?.active ?? []).filter((path) => !from.includes(path));
  const active = [...left, ...to.filter((path) => !left.includes(path))];
  const state: MachineState = { active, entry: index, from, to, failed: isFailure(entry) };
  const others = beginsRun(entry) ? noMachines : before;
  return { ...others, [machine]: state };
}

/** Whether a path is active, or holds one that is. */
export function isActive({ active }: MachineState, path: string): boolean {
  return active.some((leaf) => leaf === path || leaf.startsWith(`${path}.`));
}
