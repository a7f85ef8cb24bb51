/**
 * What may become of each pending operation when the power fails: lost, kept, or kept in part, as far as
 * the persistence model allows. Ruled by `docs/fault-model.md`.
 */
import { SECTOR_BYTES } from '../format/wal-format.js';
import {
  apply,
  contentOf,
  type DiskState,
  entriesOf,
  type PendingOperation,
} from './disk-state.js';
import type { Random } from './random.js';
import type { DiskMoment } from './simulated-disk.js';

/** One thing that can become of a pending operation. */
export interface Fate {
  readonly label: string;
  /** What it comes to, told apart from all that any other operation may come to; of nothing, nothing. */
  readonly id: string;
  readonly happen: (state: DiskState) => void;
}

/** It leaves no trace. */
export const dropped: Fate = { label: 'lost', id: '', happen: () => {} };

/** A set of pending operations that share one fate. */
export interface Slot {
  readonly operations: readonly PendingOperation[];
  readonly fates: readonly Fate[];
}

/** Any subset may reach the disk. */
export function independentSlots({ pending }: DiskMoment): Slot[] {
  return pending.map((operation) => slotOf(operation, true));
}

/** Names reach the disk in order: their one fate is how many did. */
export function orderedSlots({ pending }: DiskMoment): Slot[] {
  const naming = pending.filter(({ kind }) => kind !== 'write' && kind !== 'resize');
  const prefixes = [...naming.keys(), naming.length].map((count): Fate => {
    const label = `the first ${count} of ${naming.length} names`;
    const last = naming[count - 1];
    // Names are pending in one order: the last of them says which came before it.
    const id = last === undefined ? '' : `until ${idOf(last)}`;
    const happen = (state: DiskState) => {
      for (const operation of naming.slice(0, count)) apply(state, operation);
    };
    return { label, id, happen };
  });
  const data = pending.filter(({ kind }) => kind === 'write' || kind === 'resize');
  const slots: Slot[] = data.map((operation) => slotOf(operation, false));
  return naming.length === 0 ? slots : [...slots, { operations: naming, fates: prefixes }];
}

const ids = new WeakMap<PendingOperation, number>();
let idsGiven = 0;

function idOf(operation: PendingOperation): number {
  let id = ids.get(operation);
  if (id === undefined) {
    idsGiven += 1;
    id = idsGiven;
    ids.set(operation, id);
  }
  return id;
}

const slotsKnown = [new WeakMap<PendingOperation, Slot>(), new WeakMap<PendingOperation, Slot>()];

/** An operation with its fates, made once: it is pending at many moments. */
function slotOf(operation: PendingOperation, isMinimal: boolean): Slot {
  const known = slotsKnown[isMinimal ? 0 : 1];
  let slot = known?.get(operation);
  if (slot === undefined) {
    slot = { operations: [operation], fates: fatesOf(operation, isMinimal) };
    known?.set(operation, slot);
  }
  return slot;
}

function fatesOf(operation: PendingOperation, isMinimal: boolean): Fate[] {
  const id = String(idOf(operation));
  const kept: Fate = { label: 'kept', id, happen: (state) => apply(state, operation) };
  switch (operation.kind) {
    case 'write': {
      const { inode } = operation;
      return [
        dropped,
        ...[kept, ...tornFates(operation, isMinimal)].map((one) => once(one, inode)),
      ];
    }
    case 'move': {
      const { toDirectory, toName, inode, directory, name } = operation;
      const added: Fate = {
        label: 'the new name alone',
        id: `new ${id}`,
        happen: (state) => void entriesOf(state, toDirectory).set(toName, inode),
      };
      const removed: Fate = {
        label: 'only the removal of the old name',
        id: `old ${id}`,
        happen: (state) => void entriesOf(state, directory).delete(name),
      };
      if (directory === toDirectory) return [dropped, kept, added];
      return [dropped, kept, added, removed];
    }
    default:
      return [dropped, kept];
  }
}

/** The same fate, whose outcome is made once for each content that it can meet. */
function once(fate: Fate, inode: number): Fate {
  const known = new WeakMap<Uint8Array, Uint8Array>();
  const happen = (state: DiskState) => {
    // A file without content is one of which nothing was written yet.
    const before = state.files.get(inode) ?? nothing;
    const after = known.get(before);
    if (after !== undefined) {
      state.files.set(inode, after);
      return;
    }
    fate.happen(state);
    known.set(before, contentOf(state, inode));
  };
  return { ...fate, happen };
}

const nothing = new Uint8Array(0);

type Write = Extract<PendingOperation, { kind: 'write' }>;
type Filling = 'stale' | 'zeros' | 'garbage';

/** A fixed, small choice of torn writes: enough to hit each kind of damage at the first and last sector. */
function tornFates(write: Write, isMinimal: boolean): Fate[] {
  const sectors = sectorsOf(write);
  const first = (sector: number) => sector === 0;
  const last = (sector: number) => sector === sectors - 1;
  const none = () => false;
  const fates: Fate[] = [tear(write, none, 'zeros', 'its size alone, all zeros')];
  if (sectors > 1) {
    fates.push(
      tear(write, first, 'zeros', 'its first sector, the rest zeros'),
      tear(write, last, 'zeros', 'its last sector, the rest zeros'),
      tear(write, (sector) => !last(sector), 'stale', 'all but its last sector'),
    );
  }
  if (isMinimal) {
    fates.push(tear(write, (sector) => !first(sector), 'garbage', 'garbage in its first sector'));
  }
  return fates;
}

/** Any torn write that the model allows, for sampling. */
function randomTear(write: Write, random: Random, isMinimal: boolean): Fate {
  const sectors = sectorsOf(write);
  const isKept = Array.from({ length: sectors }, () => random.next(2) === 0);
  const fillings: Filling[] = isMinimal ? ['stale', 'zeros', 'garbage'] : ['stale', 'zeros'];
  const filling = fillings[random.next(fillings.length)] ?? 'zeros';
  const label = `sectors ${isKept.map((one) => (one ? '1' : '0')).join('')}, the rest ${filling}`;
  return tear(write, (sector) => isKept[sector] === true, filling, label);
}

/** Sectors that the write touches, whole or in part. */
function sectorsOf({ position, data }: Write): number {
  const first = Math.floor(position / SECTOR_BYTES);
  return Math.floor((position + data.length - 1) / SECTOR_BYTES) - first + 1;
}

function tear(
  write: Write,
  isKept: (sector: number) => boolean,
  filling: Filling,
  label: string,
): Fate {
  const happen = (state: DiskState) => {
    const before = contentOf(state, write.inode);
    const end = write.position + write.data.length;
    const isCut = filling === 'stale' && !isKept(sectorsOf(write) - 1);
    // A lost end that is not filled with anything is a file that did not grow.
    const size = Math.max(before.length, isCut ? lastKeptByte(write, isKept) : end);
    const after = new Uint8Array(size);
    after.set(before);
    const firstSector = Math.floor(write.position / SECTOR_BYTES);
    for (let at = write.position; at < Math.min(end, size); ) {
      const sector = Math.floor(at / SECTOR_BYTES);
      const stop = Math.min(end, (sector + 1) * SECTOR_BYTES, size);
      const part = write.data.subarray(at - write.position, stop - write.position);
      if (isKept(sector - firstSector)) after.set(part, at);
      else if (filling !== 'stale') after.set(fill(part, filling), at);
      at = stop;
    }
    state.files.set(write.inode, after);
  };
  return { label: `torn: ${label}`, id: `${idOf(write)} ${label}`, happen };
}

/** End of the last kept sector; 0 if none was, and then the write leaves no trace. */
function lastKeptByte(write: Write, isKept: (sector: number) => boolean): number {
  const firstSector = Math.floor(write.position / SECTOR_BYTES);
  for (let sector = sectorsOf(write) - 1; sector >= 0; sector -= 1) {
    if (isKept(sector)) return (firstSector + sector + 1) * SECTOR_BYTES;
  }
  return 0;
}

function fill(part: Uint8Array, filling: Filling): Uint8Array {
  if (filling === 'zeros') return new Uint8Array(part.length);
  return part.map((byte, index) => byte ^ (0x5a + index));
}

/** The fate of an operation that leaves no trace. */
export function lostFate({ fates }: Slot): Fate {
  return fates[0] ?? dropped;
}

/** The fate of an operation that is done in full. */
export function keptFate({ fates }: Slot): Fate {
  return fates.find(({ label }) => label === 'kept') ?? fates.at(-1) ?? dropped;
}

/** Any fate, also of the torn writes that are not listed. */
export function randomFate({ operations, fates }: Slot, random: Random, isMinimal: boolean): Fate {
  const [only] = operations;
  const isTorn = only?.kind === 'write' && random.next(3) === 0;
  if (isTorn) return randomTear(only, random, isMinimal);
  return fates[random.next(fates.length)] ?? dropped;
}
