/**
 * Tells one process from another, also after its number was given to a new one: by pid, by the time
 * it started and by the boot of the machine. Where the system doesn't say (no `/proc`), the pid alone
 * decides. Assumes that processes with the same host name share one table of pids.
 */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './system-error.js';

/** Which process. `startedAt` and `bootId` are absent where the system doesn't tell them. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: clock ticks between the boot and the start of the process. */
  readonly startedAt?: string;
  /** Linux: the random identifier of this boot. */
  readonly bootId?: string;
  readonly host: string;
}

/** What `/proc/<pid>/stat` says, as far as it matters here. */
export interface ProcessStatus {
  /** `R`, `S`, … ; `Z` and `X` are dead processes whose parent hasn't asked for them yet. */
  readonly state: string;
  /** Clock ticks since the boot. */
  readonly startedAt: string;
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  const startedAt = readStatus(process.pid)?.startedAt;
  const bootId = readBootId();
  return {
    pid: process.pid,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(bootId === undefined ? {} : { bootId }),
    host: hostname(),
  };
}

/**
 * Whether that process still runs. In doubt the answer is yes, because a wrong "dead" gives one
 * store two writers: a process of another host counts as alive, since nothing here can see it.
 */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return true;
  const bootId = readBootId();
  if (identity.bootId !== undefined && bootId !== undefined && identity.bootId !== bootId) {
    return false;
  }
  if (!hasProcess(identity.pid)) return false;
  const status = readStatus(identity.pid);
  if (status === undefined) return true;
  if (status.state === 'Z' || status.state === 'X') return false;
  return identity.startedAt === undefined || identity.startedAt === status.startedAt;
}

/**
 * Reads the text of `/proc/<pid>/stat`; `undefined` if it isn't one. The second field is the
 * program's name in parentheses and may itself hold spaces and parentheses, so fields are counted
 * from the last `)`: the state is field 3, the start time field 22 (proc_pid_stat(5)).
 */
export function parseProcessStatus(text: string): ProcessStatus | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const [state] = fields;
  const startedAt = fields[22 - 3];
  if (!text.includes(')') || state === undefined || startedAt === undefined) return undefined;
  return /^\d+$/.test(startedAt) ? { state, startedAt } : undefined;
}

function readStatus(pid: number): ProcessStatus | undefined {
  const text = readIfPresent(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseProcessStatus(text);
}

function readBootId(): string | undefined {
  return readIfPresent('/proc/sys/kernel/random/boot_id')?.trim();
}

function readIfPresent(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Hidden or missing: the caller then decides without it, towards "alive".
    return undefined;
  }
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return errorCode(error) !== 'ESRCH';
  }
}
