/**
 * Disks as crashes and damage leave them, each with what a recovery may come to on it. Made by the
 * unbroken store; what a damaged log means is asked of the unbroken scanner.
 */
import { crc32 } from 'node:zlib';
import { encodeSplices } from '../../src/format/image-splice.js';
import { sealText } from '../../src/format/seal.js';
import { outlineFrame, writeFrame } from '../../src/format/wal-frame.js';
import { scanWal } from '../../src/format/wal-scanner.js';
import { copyState, type DiskState, entriesOf } from '../../src/io/disk-state.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import { describeState, SimulatedDisk } from '../../src/io/simulated-disk.js';
import { systemError } from '../../src/io/system-error.js';
import type { ExternalEditPolicy } from '../../src/machines/recovery-decision.js';
import { openCheckpointStore } from '../../src/store.js';
import { type Allowed, canonical } from '../../src/testing/expectation.js';
import { LAB_DIRECTORY, LAB_FILE } from '../../src/testing/scenario.js';
import { buildLog, joinBytes, type TestSave, testHeader, utf8 } from './wal-builder.js';
import { forge } from './wal-forge.js';

/** A disk and what must come of it. */
export interface DamagedDisk {
  readonly name: string;
  readonly state: DiskState;
  readonly allowed: Allowed;
  readonly externalEdits?: ExternalEditPolicy;
}

const TARGET = LAB_FILE;
const LOG = '.checkpoint.wal';
const NEWEST_ENTRY = `checkpoints/000000000003.${LAB_FILE}`;

type When = 'logged' | 'published' | 'closed';

/**
 * A store with checkpoints 1 and 2 (`v: 1`, `v: 2`), closed with checkpoint 3, or killed in save 3: when
 * its log was durable, or when it was published.
 */
async function storeOf(when: When): Promise<DiskState> {
  const disk = new SimulatedDisk();
  disk.makeDirectory(LAB_DIRECTORY);
  let round = 0;
  let isKilled = false;
  const fileSystem = new RecordingFileSystem(disk, {
    before: ({ operation, path, how }) => {
      if (operation === 'open' && how === 'create' && path.endsWith(LOG)) round += 1;
      const isPublishing = operation === 'open' && path.startsWith(`${LAB_DIRECTORY}/.${TARGET}.`);
      const isDeleting = operation === 'unlink' && path.endsWith(LOG);
      const isIt = when === 'logged' ? isPublishing : when === 'published' && isDeleting;
      isKilled ||= round === 3 && isIt;
      if (isKilled) throw systemError('EIO', 'killed');
      return undefined;
    },
  });
  const store = await openCheckpointStore({
    directory: LAB_DIRECTORY,
    file: TARGET,
    fileSystem,
    restore: false,
    audit: false,
  });
  await store.saveText('v: 1 # one\n');
  await store.set('v', 2);
  await store.set('v', 3, { label: 'the third' }).catch(() => undefined);
  await store.close();
  return disk.visible();
}

/** Every seventh byte of a sealed log flipped, in one bit. */
export async function damagedLogs(): Promise<readonly DamagedDisk[]> {
  const state = await storeOf('logged');
  const log = read(state, LOG);
  const disks: DamagedDisk[] = [];
  for (let at = 0; at < log.length; at += 7) {
    const damaged = log.slice();
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    const isSealed = scanWal(damaged, { target: TARGET }).kind === 'sealed';
    disks.push({
      name: `a bit of byte ${at} of the log flipped`,
      state: write(state, LOG, damaged),
      allowed: isSealed ? found({ v: 3 }, 3) : found({ v: 2 }, 2),
    });
  }
  return disks;
}

/** Two saves of one log, each a whole image with its seal. */
function twoSaves(): TestSave[] {
  return [1, 2].map((v) => {
    const sequence = 6 + v;
    return { sequence, image: sealText(`v: ${v}\n`, { sequence, epoch: 3 }) };
  });
}

/** Logs that no save of this store wrote, in a directory that holds nothing else. */
export function foreignLogs(): readonly DamagedDisk[] {
  const image = sealText('v: 1\n', { sequence: 7, epoch: 3 });
  const { bytes: whole } = buildLog([{ sequence: 7, image }]);
  const { bytes: two, ends } = buildLog(twoSaves());
  const toTwo = encodeSplices([{ start: 3, end: 4, bytes: utf8('2') }]);
  const [second = 0] = ends;
  const logs = [
    { name: 'a whole log', bytes: whole },
    { name: 'a log cut off in its data', bytes: whole.subarray(0, 300) },
    { name: 'a log without its seal', bytes: whole.subarray(0, firstSealOf(whole)) },
    { name: 'a log with a damaged second save', bytes: two.with(second + 30, 0xff) },
    { name: 'splices with a wrong digest', bytes: forge.secondSaveWithData(toTwo, image) },
    {
      name: 'frames of another log',
      bytes: joinBytes(buildLog([], testHeader(77)).bytes, whole.subarray(64)),
    },
    {
      name: 'a log for another file',
      bytes: buildLog([{ sequence: 7, image, target: 'OTHER.yaml' }]).bytes,
    },
    { name: 'a log of a future version', bytes: forge.header(whole, { version: 2 }) },
    { name: 'a wrong SHA-256', bytes: forge.sealedWithWrongDigest() },
    { name: "another save's seal", bytes: forge.sealedWithForeignSeal() },
    { name: 'a length beyond all memory', bytes: boundlessLog() },
    { name: 'falling sequence numbers', bytes: fallingLog() },
  ];
  const disk = new SimulatedDisk();
  disk.makeDirectory(LAB_DIRECTORY);
  disk.open(`${LAB_DIRECTORY}/${LOG}`, 'create').close();
  const state = disk.visible();
  return logs.map(({ name, bytes }) => {
    const scan = scanWal(bytes, { target: TARGET });
    const allowed = scan.kind === 'sealed' ? found({ v: 1 }, 7) : found(undefined, 0);
    return { name, state: write(state, LOG, bytes), allowed };
  });
}

/** Checkpoints that were edited, torn, emptied, swapped or lost, beside a log or without one. */
export async function damagedCheckpoints(): Promise<readonly DamagedDisk[]> {
  const logged = await storeOf('logged');
  const published = await storeOf('published');
  const closed = await storeOf('closed');
  const text = new TextDecoder().decode(read(closed, TARGET));
  const v3 = found({ v: 3 }, 3);
  const disk = (name: string, state: DiskState, allowed = v3): DamagedDisk => ({
    name,
    state,
    allowed,
  });
  const put = (state: DiskState, content: string) => write(state, TARGET, utf8(content));
  const entry = read(closed, NEWEST_ENTRY);
  return [
    disk('logged, the checkpoint torn', put(logged, 'v: [2')),
    disk('logged, the checkpoint lost', remove(logged, TARGET)),
    disk(
      'logged, a later checkpoint in place',
      write(logged, TARGET, sealText('v: 9\n', { sequence: 9, epoch: 1 })),
      found({ v: 9 }, 9),
    ),
    disk(
      'published, then edited',
      put(published, text.replace('v: 3', 'v: 30')),
      found({ v: 30 }, 3),
    ),
    disk('emptied', put(closed, '')),
    disk('filled with zeros', put(closed, '\0'.repeat(99))),
    disk('cut off', put(closed, 'v: [3')),
    disk('lost', remove(closed, TARGET)),
    disk(
      'emptied, the newest history entry damaged',
      write(put(closed, ''), NEWEST_ENTRY, entry.with(3, 0x37)),
      found({ v: 2 }, 3),
    ),
    {
      ...disk('a digit changed, policy restore', put(closed, text.replace('v: 3', 'v: 7'))),
      externalEdits: 'restore',
    },
  ];
}

/** The damage whose evidence must outlive a crash of the recovery itself. */
export async function evidence(): Promise<readonly (DamagedDisk & { readonly file: string })[]> {
  const logs = await damagedLogs();
  const checkpoints = await damagedCheckpoints();
  const isLog = ({ allowed }: DamagedDisk) => allowed.sequence === 2;
  return [
    ...logs
      .filter(isLog)
      .slice(-1)
      .map((disk) => ({ ...disk, file: LOG })),
    ...checkpoints
      .filter(({ name }) => name === 'cut off')
      .map((disk) => ({ ...disk, file: TARGET })),
  ];
}

/** A file in the store's directory; empty where there is none. */
export function read(state: DiskState, name: string): Uint8Array {
  const path = `${LAB_DIRECTORY}/${name}`;
  return describeState(state).find((one) => one.path === path)?.content ?? new Uint8Array(0);
}

/** Puts all of an image on an empty disk, durably. */
export function fill(disk: SimulatedDisk, state: DiskState): void {
  for (const { path, content } of describeState(state)) {
    if (path.endsWith('/')) {
      disk.makeDirectory(path.slice(0, -1));
    } else if (content !== undefined && !path.endsWith('.lock')) {
      const handle = disk.open(path, 'create', 0o644);
      handle.write(content, 0);
      handle.close();
    }
  }
  disk.settle();
}

function found(value: unknown, sequence: number): Allowed {
  return { values: [canonical(value)], sequence };
}

function write(state: DiskState, name: string, bytes: Uint8Array): DiskState {
  const copy = copyState(state);
  copy.files.set(inodeOf(state, name), bytes);
  return copy;
}

function remove(state: DiskState, name: string): DiskState {
  const copy = copyState(state);
  entriesOf(copy, inodeOf(copy, '')).delete(name);
  return copy;
}

/** The inode of a file in the store's directory; of the directory itself for the empty name. */
function inodeOf(state: DiskState, name: string): number {
  const names = `${LAB_DIRECTORY}/${name}`.split('/').filter((part) => part !== '');
  return names.reduce((directory, part) => {
    const inode = entriesOf(state, directory).get(part);
    if (inode === undefined) throw new Error(`no ${part} in the image`);
    return inode;
  }, ROOT_INODE);
}

const ROOT_INODE = 2;

/** An intent that verifies and claims more data than any memory holds. */
function boundlessLog(): Uint8Array {
  return forge.intent((view) => {
    view.setBigUint64(24, 2n ** 50n, true);
    view.setBigUint64(72, 2n ** 50n, true);
  });
}

/** Where the first seal of a sealed log starts. */
function firstSealOf(log: Uint8Array): number {
  const scan = scanWal(log);
  if (scan.kind !== 'sealed') throw new Error(`the log is ${scan.kind}, not sealed`);
  return scan.saves[0]?.sealOffset ?? 0;
}

/** Two sealed saves, the second renumbered below the first, every checksum right. */
function fallingLog(): Uint8Array {
  const { bytes, ends } = buildLog(twoSaves(), testHeader());
  const [second = 0] = ends;
  const log = bytes.slice();
  let chain = 0;
  let beforeSeal = 0;
  for (let at = 64; at < log.length; ) {
    const outline = outlineFrame(log, at);
    if (outline === undefined) {
      at += 8;
      continue;
    }
    const { type, payloadLength, end } = outline;
    const payload = log.slice(at + 16, at + 16 + payloadLength);
    const view = new DataView(payload.buffer);
    if (at >= second && type === 1) view.setBigUint64(0, 6n, true);
    if (at >= second && type === 3) {
      view.setBigUint64(8, 6n, true);
      view.setUint32(84, crc32(payload.subarray(0, 84)), true);
    }
    if (at < second) chain = outline.checksum;
    else chain = writeFrame(log, at, type, payload, type === 3 ? beforeSeal : chain);
    if (type !== 3) beforeSeal = chain;
    at = end;
  }
  return joinBytes(log);
}
