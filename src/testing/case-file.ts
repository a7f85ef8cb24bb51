/**
 * A failing case as data: what was run, what became of the disk at each crash, and which check did not
 * hold. Holds the disks themselves, so that it can be looked at and recovered again anywhere.
 */
import { CheckpointError } from '../errors.js';
import { contentOf, type DiskState, entriesOf, type InodeFacts } from '../io/disk-state.js';
import { rootInode } from '../io/memory-inodes.js';
import { type PersistenceModel, reachable } from '../io/simulated-disk.js';
import type { DetectorScenario } from './detector-lab.js';
import type { Allowed } from './expectation.js';
import type { FoundFailure } from './explore-report.js';
import type { PortFault } from './faulty-io.js';
import type { Scenario } from './scenario.js';

/** Raised when the shape changes. */
export const CASE_VERSION = 1;

/** An inode as data. Text contents stay readable; others are base64. */
export interface CaseInode {
  /** Number of the inode. */
  readonly number: number;
  /** What it is. */
  readonly kind: InodeFacts['kind'];
  /** Permission bits. */
  readonly mode: number;
  /** Of a directory: the inode of the directory it lies in. */
  readonly parent?: number;
  /** Of a symbolic link: where it leads. */
  readonly target?: string;
  /** Of a file: its content, if that is UTF-8. */
  readonly text?: string;
  /** Of a file: its content otherwise. */
  readonly base64?: string;
  /** Of a directory: names and the inodes they lead to. */
  readonly entries?: Readonly<Record<string, number>>;
}

/** A saved case. */
export interface CaseFile {
  /** Version of this format: another one is refused. */
  readonly caseVersion: typeof CASE_VERSION;
  /** What was done, as {@link explore} takes it. */
  readonly scenario: Scenario;
  /** The persistence model of the disk. */
  readonly model: PersistenceModel;
  /** Seed of what was sampled. */
  readonly seed: number;
  /** Name of the check that did not hold. */
  readonly check: string;
  /** What the check said. */
  readonly message: string;
  /** A run of the failure detector instead: the scenario then has no steps, and what was promised is its own. */
  readonly detector?: DetectorScenario;
  /** Operations of the port that were made to fail; faults of the file system are the scenario's. */
  readonly runFaults?: readonly PortFault[];
  /** What was made to fail in the port during the recoveries. */
  readonly recoveryFaults?: readonly PortFault[];
  /** What might be found, at the first crash; without it only a refusal can be told to be wrong. */
  readonly allowed?: Allowed;
  /** The crashes, one after the other, each with what the disk held after it. */
  readonly trail: readonly {
    readonly at: string;
    readonly fates: readonly string[];
    readonly disk: readonly CaseInode[];
  }[];
}

/** A failure that was found in a store (by `explore`) as a case. */
export function toCaseFile(
  { check, message, trail, promised }: FoundFailure,
  from: Pick<CaseFile, 'scenario' | 'model' | 'seed' | 'detector' | 'runFaults' | 'recoveryFaults'>,
): CaseFile {
  const steps = trail.map(({ at, fates, state }) => ({
    at,
    fates: [...fates],
    disk: toData(state),
  }));
  const allowed = promised as Allowed;
  return { caseVersion: CASE_VERSION, ...from, check, message, allowed, trail: steps };
}

/** Reads a case. @throws CheckpointError `UNSUPPORTED_VERSION`, `INVALID_YAML` (not a case at all) */
export function parseCaseFile(text: string): CaseFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('INVALID_YAML', 'The case file is not JSON.', {}, { cause });
  }
  if (typeof value !== 'object' || value === null || !('caseVersion' in value)) {
    throw new CheckpointError('INVALID_YAML', 'The file is not a case of the crash lab.');
  }
  if (value.caseVersion !== CASE_VERSION) {
    throw new CheckpointError(
      'UNSUPPORTED_VERSION',
      `The case has version ${String(value.caseVersion)}; this program reads ${CASE_VERSION}.`,
    );
  }
  return value as CaseFile;
}

/** A disk as data. */
export function toData(state: DiskState): CaseInode[] {
  return reachable(state).map((number) => inodeData(state, number));
}

function inodeData(state: DiskState, number: number): CaseInode {
  const facts = state.inodes.get(number);
  if (facts === undefined) throw new RangeError(`no inode ${number}`);
  const { mode } = facts.attributes;
  switch (facts.kind) {
    case 'directory': {
      const entries = Object.fromEntries(entriesOf(state, number));
      return { number, kind: 'directory', mode, parent: facts.parent, entries };
    }
    case 'symlink':
      return { number, kind: 'symlink', mode, target: facts.target };
    case 'file':
      return { number, kind: 'file', mode, ...contentData(contentOf(state, number)) };
  }
}

/** A disk from data. */
export function fromData(inodes: readonly CaseInode[]): DiskState {
  const state: DiskState = { inodes: new Map(), files: new Map(), directories: new Map() };
  for (const inode of inodes) {
    const { number, kind, mode, parent = rootInode, target = '', entries = {} } = inode;
    const times = { modifiedMs: 0, changedMs: 0 };
    const attributes = { mode, uid: 0, gid: 0, links: 0, ...times };
    if (kind === 'directory') {
      state.inodes.set(number, { kind, attributes, parent });
      state.directories.set(number, new Map(Object.entries(entries)));
    } else if (kind === 'symlink') {
      state.inodes.set(number, { kind, attributes, target });
    } else {
      state.inodes.set(number, { kind, attributes });
      state.files.set(number, dataContent(inode));
    }
  }
  return state;
}

function contentData(content: Uint8Array): { text: string } | { base64: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    if (!text.includes('\0')) return { text };
  } catch {
    // Not text: below.
  }
  let binary = '';
  for (const byte of content) binary += String.fromCharCode(byte);
  return { base64: btoa(binary) };
}

function dataContent({ text, base64 }: CaseInode): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64 ?? ''), (character) => character.charCodeAt(0));
}
