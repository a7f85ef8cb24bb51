/**
 * What a store parses, counted exactly: nothing when it opens, each section of a text at most once, and
 * for a save only the sections that it changes, before and after. Only what changes counts, so that the
 * numbers are the same for any length.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { printYaml } from '../../../src/format/yaml/yaml-edit.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { type CheckpointStore, openCheckpointStore } from '../../../src/store.js';
import { DIRECTORY, editInPlace, open } from '../../helpers/crash-memory.js';
import { parsedBy, WINDOW_UNITS } from '../../helpers/parser-work.js';

type Plan = {
  title: string;
  tasks: { id: number; status: string; note: string }[];
  end: number;
};

const tasks = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, status: 'new', note: `about ${id}` }));
const text = printYaml({ title: 'all', tasks: tasks(1000), end: 1 });
const NOTHING = { texts: 0, units: 0 };

let disk: MemoryFileSystem;
let store: CheckpointStore<Plan>;

/** A store whose checkpoint was sealed by one before it. */
async function reopened(): Promise<CheckpointStore<Plan>> {
  return openCheckpointStore<Plan>({
    directory: DIRECTORY,
    fileSystem: disk,
    restore: false,
    audit: false,
  });
}

beforeEach(async () => {
  disk = new MemoryFileSystem();
  const first = await open(disk);
  await first.saveText(text);
  await first.close();
  store = await reopened();
  return async () => {
    await store.close();
  };
});

describe('a store parses', () => {
  it('nothing when it opens a sealed checkpoint, and nothing to tell its text', async () => {
    await store.close();
    expect(
      await parsedBy(async () => {
        store = await reopened();
        expect(store.text).toBe(text);
      }),
    ).toEqual(NOTHING);
  });

  it('each section once when the state is asked for, and nothing when it is asked for again', async () => {
    const { texts, units } = await parsedBy(() => store.state);
    expect(units).toBeLessThanOrEqual(text.length);
    expect(units).toBeGreaterThan(text.length - 100);
    expect(texts).toBeGreaterThan(20);
    expect(await parsedBy(() => store.state)).toEqual(NOTHING);
  });

  it('the text once when it is saved as text, and nothing when it is published and read', async () => {
    const edited = text.replace('about 500\n', 'about it\n');
    void store.state;
    const { texts, units } = await parsedBy(() => store.saveText(edited));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW_UNITS);
    expect(await parsedBy(() => store.state)).toEqual(NOTHING);
  });

  it('one window for a first set of a scalar, and nothing for the next there', async () => {
    const first = await parsedBy(() => store.set('tasks[500].status', 'done'));
    expect(first.texts).toBe(1);
    expect(first.units).toBeLessThan(WINDOW_UNITS);
    expect(await parsedBy(() => store.set('tasks[500].note', 'x'))).toEqual(NOTHING);
  });

  it('two windows for a set that adds a key', async () => {
    const { texts, units } = await parsedBy(() => store.set('tasks[500].more', 'x'));
    expect(texts).toBe(2);
    expect(units).toBeLessThan(2 * WINDOW_UNITS);
  });

  it('one window of a few lines for a field of an item of several kilobytes', async () => {
    const fields = Array.from({ length: 100 }, (_, at) => [`field-${at}`, `what is said of ${at}`]);
    const item = (id: number) => ({ id, ...Object.fromEntries(fields) });
    await store.saveText(printYaml({ title: 'all', tasks: [0, 1, 2].map(item), end: 1 }));
    const first = await parsedBy(() => store.set('tasks[1].field-50', 'done'));
    expect(first).toEqual({ texts: 1, units: 143 });
    const updated = await parsedBy(() =>
      store.update((draft) => {
        Object.assign(draft.tasks[2] ?? {}, { 'field-50': 'done' });
      }),
    );
    expect(updated).toEqual({ texts: 1, units: 143 });
  });

  it('one window for an update of one field, once the state was read', async () => {
    void store.state;
    for (const index of [3, 500, 999]) {
      const { texts, units } = await parsedBy(() =>
        store.update((draft) => {
          Object.assign(draft.tasks[index] ?? {}, { status: 'done' });
        }),
      );
      expect(texts).toBe(1);
      expect(units).toBeLessThan(WINDOW_UNITS);
    }
  });

  it('one window for a whole state that differs in one field, once the state was read', async () => {
    const state = structuredClone(store.state) as Plan;
    state.end = 2;
    const { texts, units } = await parsedBy(() => store.save(state));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW_UNITS);
  });

  it('nothing to read the state after saves', async () => {
    void store.state;
    await store.set('tasks[500].status', 'done');
    await store.update((draft) => {
      draft.end = 3;
    });
    expect(await parsedBy(() => store.state)).toEqual(NOTHING);
    expect(store.state?.end).toBe(3);
  });

  it('nothing for a save that changes nothing, but the window that tells', async () => {
    const { texts, units } = await parsedBy(() => store.set('end', 1));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW_UNITS);
  });

  it('a text once that was edited outside: when it is adopted, and not again for its state', async () => {
    await store.close();
    const edited = text.replace('about 500\n', 'about it\n');
    editInPlace(disk, edited);
    const { units } = await parsedBy(async () => {
      store = await reopened();
      expect(store.state?.tasks[500]?.note).toBe('about it');
    });
    expect(units).toBeLessThanOrEqual(edited.length);
    expect(units).toBeGreaterThan(edited.length - 100);
  });

  it('nothing in a short text that was read but what comes of it, where more than a scalar changes', async () => {
    await store.saveText('a: 1 # one\n');
    expect(await parsedBy(() => store.set('a', 2))).toEqual(NOTHING);
    expect(await parsedBy(() => store.set('b', 2))).toEqual({ texts: 1, units: 16 });
    expect(await parsedBy(() => store.state)).toEqual(NOTHING);
  });
});
