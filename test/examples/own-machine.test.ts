/**
 * An example for `docs/testing.md`: a statechart that counts, and keeps its count in a file through an
 * actor of its own. Written as one would at first, the lab finds what it loses; written with care, the
 * lab finds nothing.
 */
import { describe, expect, it } from 'vitest';
import { assign, createActor, fromCallback, setup } from 'xstate';
import type { FileSystem } from '../../src/index.js';
import { exploreProgram, type Program } from '../../src/testing/explore-program.js';

const FOLDER = '/counter';
const FILE = `${FOLDER}/count`;

type Save = (fs: FileSystem, count: number) => void;

/** Replaces the text in place. */
const saveNaively: Save = (fs, count) => {
  const isThere = fs.stat(FILE) !== undefined;
  const file = fs.open(FILE, isThere ? 'readWrite' : 'create');
  file.truncate(0);
  file.write(new TextEncoder().encode(`${count}\n`), 0);
  void file.sync();
  file.close();
  if (!isThere) void fs.syncDirectory(FOLDER);
};

/** Writes a new file, syncs it, gives it the name; nothing makes the new name durable. */
const saveWithoutDirectorySync: Save = (fs, count) => {
  const temporary = `${FILE}.tmp`;
  if (fs.stat(temporary) !== undefined) fs.unlink(temporary);
  const file = fs.open(temporary, 'create');
  file.write(new TextEncoder().encode(`${count}\n`), 0);
  void file.sync();
  file.close();
  fs.rename(temporary, FILE);
};

/** As above, and syncs the name. */
const saveCarefully: Save = (fs, count) => {
  saveWithoutDirectorySync(fs, count);
  void fs.syncDirectory(FOLDER);
};

/** The statechart knows no files: its actor saves, and answers when that is done. */
const counterMachine = setup({
  types: {
    context: {} as { count: number },
    events: {} as { type: 'count' } | { type: 'saved' },
    input: {} as { count: number },
  },
  actors: {
    saving: fromCallback<{ type: 'never' }, { count: number }>(() => {}),
  },
  actions: { countUp: assign({ count: ({ context }) => context.count + 1 }) },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ count: input.count }),
  initial: 'idle',
  states: {
    idle: { on: { count: { target: 'saving', actions: 'countUp' } } },
    saving: {
      invoke: { src: 'saving', input: ({ context }) => ({ count: context.count }) },
      on: { saved: 'idle' },
    },
  },
});

/** Three counts; a count is promised as soon as the machine is idle again. */
function counterProgram(save: Save): Program<number, number> {
  return {
    async run(disk, probe) {
      let promised = 0;
      probe.outside(() => {
        disk.makeDirectory(FOLDER);
        disk.settle();
      });
      probe.promises(() => promised);
      const saving = fromCallback<{ type: 'never' }, { count: number }>(({ input, sendBack }) => {
        save(disk, input.count);
        sendBack({ type: 'saved' });
      });
      const counter = createActor(counterMachine.provide({ actors: { saving } }), {
        input: { count: 0 },
        inspect: probe.inspect,
      });
      counter.subscribe(({ value, context }) => {
        if (value === 'idle') promised = context.count;
      });
      counter.start();
      for (let round = 0; round < 3; round += 1) counter.send({ type: 'count' });
    },
    // What the counter does when it is started again: it goes on from what the file says.
    recover: async (disk) => (disk.stat(FILE) === undefined ? 0 : Number(readText(disk))),
    check({ found, promised }) {
      const isAllowed = found === promised || found === promised + 1;
      const message = `found ${found}, promised were ${promised}`;
      return isAllowed ? [] : [{ check: 'counts-on', message }];
    },
  };
}

function readText(fs: FileSystem): string {
  const file = fs.open(FILE, 'read');
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  file.close();
  // An empty file is damage, not zero.
  return bytes.length === 0 ? 'damaged' : new TextDecoder().decode(bytes);
}

const explore = (save: Save, model: 'posix-minimal' | 'ordered' = 'posix-minimal') =>
  exploreProgram(counterProgram(save), {
    model,
    seed: 1,
    depth: 2,
    imagesPerMoment: [64, 16],
    failuresMax: 1,
  });

describe('a counting machine in the lab', () => {
  it('loses its count when it writes in place', async () => {
    const { failures } = await explore(saveNaively);
    expect(failures).toMatchObject([{ check: 'counts-on' }]);
    const [{ at, fates } = { at: '', fates: [] }] = failures[0]?.trail ?? [];
    expect(at).toContain('counter: ');
    expect(fates.length).toBeGreaterThan(0);
  });

  it('forgets what it promised when the new name is not made durable', async () => {
    const { failures } = await explore(saveWithoutDirectorySync);
    expect(failures).toMatchObject([{ check: 'counts-on' }]);
  });

  it.each(['posix-minimal', 'ordered'] as const)(
    'keeps every promise when it replaces the file with care: %s',
    async (model) => {
      const { failures, counts, exhaustive, coverage } = await explore(saveCarefully, model);
      expect(failures).toEqual([]);
      expect(exhaustive).toBe(true);
      expect(counts.distinct).toBeGreaterThan(10);
      const never = coverage.table([counterMachine]).filter(({ crashes }) => crashes === 0);
      expect(never).toEqual([]);
    },
  );
});
