/** What nothing on this machine can be faster than: bare system calls, without promises beyond them. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CallRecorder, CallReplay } from '../suite/recorded-calls.mjs';
import { killedStore, savesOf } from './ours.mjs';

const dataSync = promisify(fdatasync);
const sync = promisify(fsync);
/** So many saves are recorded, and made again and again. */
const RECORDED = { small: 8, large: 2 };
const LARGE_BYTES = 500_000;
/** After so many saves history is pruned, which belongs to what a save costs: recorded once it begins. */
const UNTIL_PRUNED = 110;

/** One record appended and synced: the least that any log does. */
export function appends({ directory, state, blocking, preallocated }) {
  const file = openSync(join(directory, 'appended'), 'w');
  const room = 64e6;
  if (preallocated) fill(file, room);
  let position = 0;
  const write = (n) => {
    const record = Buffer.from(state.withField(n));
    if (preallocated && position + record.length > room) position = 0;
    position += writeSync(file, record, 0, record.length, position);
  };
  return {
    act: blocking
      ? (n) => {
          write(n);
          fdatasyncSync(file);
        }
      : (n) => {
          write(n);
          return dataSync(file);
        },
    close: () => closeSync(file),
  };
}

function fill(file, bytes) {
  ftruncateSync(file, bytes);
  const block = Buffer.alloc(1e6, '\n');
  for (let at = 0; at < bytes; at += block.length) writeSync(file, block, 0, block.length, at);
  fsyncSync(file);
}

/** The system calls of one of our own ways to save, recorded from it and made again. */
export async function ownCalls(way, { directory, state, change, patienceMs }) {
  const live = join(directory, 'live');
  const copy = join(directory, 'copy');
  mkdirSync(live);
  const recorder = new CallRecorder(live);
  const subject = await savesOf(way, { directory: live, state, change });
  const until = performance.now() + patienceMs;
  let first = 0;
  const count = state.bytes < LARGE_BYTES ? RECORDED.small : RECORDED.large;
  while (first < 2 || (first < UNTIL_PRUNED && performance.now() < until)) {
    await subject.act(first);
    first += 1;
  }
  await sleep(50);
  cpSync(live, copy, { recursive: true });
  recorder.begin();
  const saves = [];
  let noted = 0;
  for (let n = first; n < first + count; n += 1) {
    await subject.act(n);
    saves.push(recorder.events.slice(noted));
    noted = recorder.events.length;
  }
  const open = recorder.openAtBegin;
  recorder.stop();
  await subject.close();
  const replay = new CallReplay(live, copy, saves, open);
  return { act: (n) => replay.save(n), close: () => replay.close(), calls: countsOf(saves) };
}

/** How many calls of each name one save makes, on average. */
function countsOf(saves) {
  const counts = {};
  for (const { name } of saves.flat()) {
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1 / saves.length;
  }
  return counts;
}

/** Reading and hashing the file once: the least that an opening which verifies it does. */
export function readsAndHashes({ directory, state }) {
  const path = join(directory, 'file.yaml');
  writeFileSync(path, state.text);
  return { act: () => digest(readFileSync(path)), close: () => {} };
}

const digest = (bytes) => createHash('sha256').update(bytes).digest();

/**
 * Reading the log and the file once, hashing both, and writing and publishing the new file durably: the
 * least that a recovery which verifies does. The log is unlinked, which is not synced.
 */
export async function readsHashesWrites({ directory, state }) {
  const image = await killedStore('ours', directory, state);
  const logs = readdirSync(image).filter((name) => name.startsWith('.checkpoint.wal'));
  const work = join(directory, 'work');
  const target = join(work, 'ORCHESTRATION.yaml');
  const size = statSync(join(image, 'ORCHESTRATION.yaml')).size;
  return {
    before() {
      mkdirSync(work, { recursive: true });
      for (const name of ['ORCHESTRATION.yaml', ...logs])
        cpSync(join(image, name), join(work, name));
    },
    async act() {
      digest(readFileSync(target));
      const [first] = logs.map((name) => readFileSync(join(work, name)));
      digest(first);
      const temporary = openSync(join(work, '.new'), 'w');
      // The log of a killed store may be larger than the file it leads to.
      writeSync(temporary, first.length < size ? Buffer.alloc(size, first) : first, 0, size, 0);
      await sync(temporary);
      closeSync(temporary);
      renameSync(join(work, '.new'), target);
      await syncFolder(work);
      for (const name of logs) unlinkSync(join(work, name));
    },
    close: () => {},
  };
}

/** Makes the names in a folder durable. */
export async function syncFolder(path) {
  const folder = openSync(path, 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}
