/**
 * What is on the disk as far as the protocol's own entries tell it: which operation has been answered,
 * and so what is visible to processes and what a power failure would leave. Used where the disk itself
 * is not known. What no entry has told yet is unknown, never guessed. Ruled by `docs/protocol.md`.
 */
import type { AuditDetails, AuditEntry } from '../../format/audit-entry.js';
import type { DiskFile, FileView } from '../run-model.js';
import { beginsRun } from './machine-states.js';

/** One file by its role; `known` is false until an entry has told anything of it. */
export interface DerivedFile extends DiskFile {
  readonly known: boolean;
}

/** The disk by roles. */
export interface DerivedDisk {
  readonly checkpoint: DerivedFile;
  readonly wal: DerivedFile;
  readonly temporary: DerivedFile;
  readonly history: DerivedFile;
  readonly health: DerivedFile;
  readonly lock: DerivedFile;
  readonly quarantine: DerivedFile;
}

type Role = keyof DerivedDisk;

const nothing = (name: string, kind: DiskFile['kind']): DerivedFile => ({
  name,
  kind,
  known: false,
});

/** Before any entry. */
export const unknownDisk: DerivedDisk = {
  checkpoint: nothing('ORCHESTRATION.yaml', 'checkpoint'),
  wal: nothing('.checkpoint.wal', 'wal'),
  temporary: nothing('temporary file', 'temporary'),
  history: nothing('checkpoints/', 'history'),
  health: nothing('.checkpoint.health', 'health'),
  lock: nothing('.checkpoint.lock', 'lock'),
  quarantine: nothing('quarantine/', 'quarantine'),
};

/** The files in the order in which they are shown. */
export function filesOf(disk: DerivedDisk): readonly DerivedFile[] {
  const { checkpoint, wal, temporary, history, health, lock, quarantine } = disk;
  return [checkpoint, wal, temporary, history, health, lock, quarantine];
}

type Step = (disk: DerivedDisk, entry: AuditEntry) => DerivedDisk;

/** The disk after one more entry. */
export function stepDisk(disk: DerivedDisk, entry: AuditEntry): DerivedDisk {
  if (beginsRun(entry)) return restart(disk);
  // Only answers of I/O tell of the disk. A transition that follows from one repeats its event.
  if (entry.by !== 'io') return disk;
  const step = steps[entry.event];
  return step === undefined ? disk : keep(step(disk, entry), entry.details);
}

const steps: Readonly<Record<string, Step>> = {
  'acquireLock.done': (disk, { details }) => {
    const target = textOf(details, 'target');
    const name = target === undefined ? disk.checkpoint.name : (target.split(/[\\/]/).at(-1) ?? '');
    const held = change(disk, 'lock', {
      volatile: { size: 0, note: `${details.lock ?? ''} lock` },
    });
    return { ...held, checkpoint: { ...held.checkpoint, name } };
  },
  'releaseLock.done': (disk) =>
    change(change(disk, 'lock', undefined), 'wal', sameOf(disk.wal.volatile)),
  'checkWal.done': (disk, { details }) => {
    // One transition for the answer, perhaps others after it, which tell no `present`.
    if (typeof details.present !== 'boolean') return disk;
    return change(disk, 'wal', details.present ? sameOf({ size: 0, note: 'found' }) : undefined);
  },
  'readWal.done': (disk, { details }) => foundWal(disk, details, 'read'),
  'verifyWal.done': (disk, { details }) =>
    foundWal(disk, details, textOf(details, 'verdict') ?? 'verified'),
  'checkCheckpoint.done': (disk, { details }) => {
    const condition = textOf(details, 'condition');
    if (condition === undefined) return disk;
    const view = viewOf(details, condition);
    return change(disk, 'checkpoint', condition === 'missing' ? undefined : sameOf(view));
  },
  'adoptCheckpoint.done': (disk, { details, sequence }) =>
    change(disk, 'checkpoint', sameOf({ size: sizeOf(details), sequence, note: 'adopted' })),
  'quarantineWal.done': (disk) => change(disk, 'wal', undefined),
  'finishWal.done': (disk) => change(disk, 'checkpoint', sameOf(disk.checkpoint.volatile)),
  'loadWal.done': (disk) => change(disk, 'wal', sameOf(disk.wal.volatile)),
  'removeLeftovers.done': (disk) => change(disk, 'temporary', undefined),
  'readHealth.done': (disk, { details }) => {
    if (typeof details.nowMs !== 'number') return disk;
    const view = { size: 0, note: 'memory' };
    return change(disk, 'health', details.memory === undefined ? undefined : sameOf(view));
  },
  'writeHealth.done': (disk) => change(disk, 'health', sameOf({ size: 0, note: 'memory' })),
  'writeIntent.done': (disk, { details, sequence }) =>
    change(disk, 'wal', {
      volatile: { size: sizeOf(details), sequence, note: 'intent' },
      ...lasting(disk.wal),
    }),
  'writeData.done': (disk, { details, sequence }) => {
    const size = (disk.wal.volatile?.size ?? 0) + sizeOf(details);
    return change(disk, 'wal', {
      volatile: { size, sequence, note: 'complete' },
      ...lasting(disk.wal),
    });
  },
  'syncWal.done': (disk) => {
    const view = disk.wal.volatile;
    return change(disk, 'wal', view && sameOf({ ...view, note: 'sealed' }));
  },
  'writeCheckpoint.done': (disk, { details, sequence }) =>
    change(disk, 'temporary', {
      volatile: { size: sizeOf(details), sequence: sequence || saveOf(disk) },
    }),
  'syncCheckpoint.done': (disk) => {
    const view = disk.temporary.volatile;
    if (view === undefined) return disk;
    const before = disk.checkpoint.durable;
    const kept = before === undefined ? disk.history : { ...disk.history, ...sameOf(before) };
    const published = change(disk, 'checkpoint', sameOf({ ...view, note: 'sealed' }));
    return change({ ...published, history: { ...kept, known: true } }, 'temporary', undefined);
  },
  // The name is gone for processes; until the directory is synced again, the log may come back.
  'deleteWal.done': (disk) => change(disk, 'wal', lasting(disk.wal)),
  'dropWal.done': (disk) => change(disk, 'wal', lasting(disk.wal)),
  'dropTemporary.done': (disk) => change(disk, 'temporary', undefined),
  'abandonRound.done': (disk) => change(change(disk, 'temporary', undefined), 'wal', undefined),
};

/** A run that ended without giving up its lock was cut off: what is left will be told by recovery. */
function restart(disk: DerivedDisk): DerivedDisk {
  if (disk.lock.volatile === undefined) return change(disk, 'lock', undefined);
  const { name } = disk.checkpoint;
  return { ...unknownDisk, checkpoint: { ...unknownDisk.checkpoint, name } };
}

type Views = Pick<DiskFile, 'volatile' | 'durable'>;

/** Evidence that was set aside, wherever an answer names it. */
function keep(disk: DerivedDisk, details: AuditDetails): DerivedDisk {
  const kept = details.kept;
  if (typeof kept !== 'object' || kept === null || !('file' in kept)) return disk;
  const name = typeof kept.file === 'string' ? kept.file : disk.quarantine.name;
  const reason = 'reason' in kept && typeof kept.reason === 'string' ? { note: kept.reason } : {};
  const file = { ...disk.quarantine, name, known: true, ...sameOf({ size: 0, ...reason }) };
  return { ...disk, quarantine: file };
}

function change(disk: DerivedDisk, role: Role, views: Views | undefined): DerivedDisk {
  const { name, kind } = disk[role];
  return { ...disk, [role]: { name, kind, known: true, ...views } };
}

function foundWal(disk: DerivedDisk, details: AuditDetails, note: string): DerivedDisk {
  // Transitions that follow from the answer repeat its event without what it told.
  if (typeof details.size !== 'number') return disk;
  return change(disk, 'wal', sameOf(viewOf(details, note)));
}

function lasting({ durable }: DerivedFile): Views {
  return durable === undefined ? {} : { durable };
}

function sameOf(view: FileView | undefined): Views {
  return view === undefined ? {} : { volatile: view, durable: view };
}

function viewOf(details: AuditDetails, note: string): FileView {
  const { sequence } = details;
  const named = typeof sequence === 'number' ? { sequence } : {};
  return { size: sizeOf(details), ...named, note };
}

function saveOf(disk: DerivedDisk): number {
  return disk.wal.durable?.sequence ?? disk.wal.volatile?.sequence ?? 0;
}

function sizeOf({ bytes, size }: AuditDetails): number {
  if (typeof bytes === 'number') return bytes;
  return typeof size === 'number' ? size : 0;
}

function textOf(details: AuditDetails, name: string): string | undefined {
  const value = details[name];
  return typeof value === 'string' ? value : undefined;
}
