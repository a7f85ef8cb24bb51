/**
 * This package in the ways in which it can be set up: as shipped, each save being published before it is
 * answered; with saves that wait in the log; without what writes beside the protocol (lean); and with
 * syncs in the thread pool or blocking.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeFileSystem, openCheckpointStore } from 'checkpoint-wal';
import { RecordingFileSystem } from 'checkpoint-wal/testing';

/** A 10 MB state has more tokens than are allowed unless one says so. */
const limits = { maxTokens: 100_000_000 };
const lean = { audit: false, restore: false };
/** Saves wait in the log, and are answered once they are durable in it. The limits are the defaults. */
const logged = { publish: { afterMs: 1000, afterBytes: 8 * 2 ** 20, afterSaves: 1000 } };

/** Each way: what it is called, its options, and whether syncs block. */
export const ways = {
  ours: { title: 'checkpoint-wal, every save', options: {} },
  'ours-lean': { title: 'checkpoint-wal, every save, lean', options: lean },
  'ours-blocking': {
    title: 'checkpoint-wal, every save (blocking)',
    options: {},
    blocking: true,
  },
  'ours-lean-blocking': {
    title: 'checkpoint-wal, every save, lean (blocking)',
    options: lean,
    blocking: true,
  },
  'ours-early': {
    title: 'checkpoint-wal, every save, answered when logged',
    options: { durability: 'logged' },
  },
  'ours-logged': { title: 'checkpoint-wal, logged (thread pool)', options: logged },
  'ours-lean-logged': {
    title: 'checkpoint-wal, logged, lean (thread pool)',
    options: { ...lean, ...logged },
  },
  'ours-logged-blocking': {
    title: 'checkpoint-wal, logged (blocking)',
    options: logged,
    blocking: true,
  },
  'ours-lean-logged-blocking': {
    title: 'checkpoint-wal, logged, lean (blocking)',
    options: { ...lean, ...logged },
    blocking: true,
  },
};

/** Opens a store in one of the ways. */
export async function openStore(way, directory, more = {}) {
  const { options, blocking } = ways[way];
  const all = { directory, limits, ...options, ...more };
  if (!blocking) return openCheckpointStore(all);
  try {
    return await openCheckpointStore({ ...all, io: { sync: 'blocking' } });
  } catch (error) {
    // The option is younger than the file system that it stands for.
    if (!(error instanceof TypeError) || more.fileSystem) throw error;
    const fileSystem = createNodeFileSystem({ sync: 'blocking' });
    return openCheckpointStore({ ...all, fileSystem });
  }
}

/** Names of the ways that this version of the package has no options for. */
export async function missingWays(directory) {
  try {
    const store = await openCheckpointStore({ directory, ...logged });
    await store.close();
    return [];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return Object.keys(ways).filter((name) => ways[name].options.publish);
  }
}

/** A store that holds a state, and one kind of change to it, to be measured. */
export async function savesOf(way, { directory, state, change }) {
  const store = await openStore(way, directory);
  await store.saveText(state.text);
  const kind = changes[change];
  return {
    act: (n, caller) => kind.act(store, state, n, caller),
    ...(kind.reset && { settle: () => settled(store, () => kind.reset(store, state)) }),
    ...(!kind.reset && { settle: () => settled(store) }),
    close: () => store.close(),
  };
}

async function settled(store, reset) {
  await reset?.();
  await store.flush?.();
}

const changes = {
  set: {
    act: (store, { field, fields }, n, caller) => store.set(fields?.[caller] ?? field, `s${n}`),
  },
  update: {
    act: (store, { field }, n) =>
      store.update((draft) => {
        const parent = field.slice(0, -1).reduce((here, step) => here[step], draft);
        parent[field.at(-1)] = `s${n}`;
      }),
  },
  append: {
    act(store, { list }, n) {
      const length = list.reduce((here, step) => here[step], store.state).length;
      return store.set([...list, length], `entry ${n} was appended`);
    },
    reset: (store, { text }) => store.saveText(text),
  },
  all: { act: (store, state, n) => store.save(state.whole(n)) },
};

/** Opening a store that was closed, until it can be used; the state is not asked for. */
export async function opensOf(way, { directory, state }) {
  const first = await openStore(way, directory);
  await first.saveText(state.text);
  await first.close();
  let store;
  return {
    before: () => store?.close(),
    act: async () => {
      store = await openStore(way, directory);
    },
    close: () => store?.close(),
  };
}

/** Opening a store that was killed with a sealed log: a copy, taken at that moment, each time anew. */
export async function recoveriesOf(way, { directory, state }) {
  const image = await killedStore(way, directory, state);
  const work = join(directory, 'work');
  let store;
  return {
    async before() {
      await store?.close();
      rmSync(work, { recursive: true, force: true });
      cpSync(image, work, { recursive: true });
    },
    act: async () => {
      store = await openStore(way, work);
    },
    close: () => store?.close(),
  };
}

/**
 * Leaves a folder as a kill would: one change is sealed in the log, or several where the file is published
 * later, and not published.
 */
export async function killedStore(way, directory, state) {
  const live = join(directory, 'live');
  const image = join(directory, 'killed');
  mkdirSync(live, { recursive: true });
  const recording = new RecordingFileSystem(createNodeFileSystem());
  const store = await openStore(way, live, { fileSystem: recording });
  await store.saveText(state.text);
  await store.flush?.();
  const copy = () => {
    cpSync(live, image, { recursive: true });
    for (const name of readdirSync(image)) {
      if (name.startsWith('.checkpoint.lock')) rmSync(join(image, name));
    }
  };
  if (ways[way].options.publish) {
    for (let n = 0; n < 20; n += 1) await store.set(state.field, `s${n}`);
    copy();
  } else {
    const target = join(live, 'ORCHESTRATION.yaml');
    const before = ({ operation, to }) => {
      if (operation === 'rename' && to === target) copy();
    };
    recording.setHooks({ before });
    await store.saveText(state.withField(0));
  }
  recording.setHooks({});
  await store.close();
  return image;
}

/** A folder with a closed store in it, for the command line. */
export async function closedStore(directory, state) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'ORCHESTRATION.yaml'), state.text);
  const store = await openStore('ours', directory);
  await store.close();
}
