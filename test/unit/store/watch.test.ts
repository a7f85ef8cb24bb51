/**
 * Guard mode on a real folder, edited as editors do: in place, by rename, with a backup, in several
 * writes. Waits are for events, never for a time.
 */
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readSeal } from '../../../src/format/seal.js';
import type {
  CheckpointStoreEvent,
  CheckpointStoreOptions,
} from '../../../src/store/store-options.js';
import type { WatchOptions } from '../../../src/store/watch.js';
import { type CheckpointStore, openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

const TEXT = '# plan\nstatus: ACTIVE   # by hand\nphases: [1, 2]\n';

/** A folder with a store that is being watched. */
class Guarded {
  readonly events: CheckpointStoreEvent[] = [];
  readonly folder: string;
  readonly store: CheckpointStore;
  #seen = 0;

  private constructor(folder: string, store: CheckpointStore, options: WatchOptions) {
    this.folder = folder;
    this.store = store;
    store.subscribe((event) => this.events.push(event));
    store.watch({ settleMs: 30, recheckMs: 60, pollMs: 20, ...options });
  }

  static async begin(
    options: Partial<CheckpointStoreOptions<undefined>> = {},
    watch: WatchOptions = {},
    text: string | undefined = TEXT,
  ): Promise<Guarded> {
    const folder = freshFolder();
    if (text !== undefined) writeFileSync(join(folder, 'ORCHESTRATION.yaml'), text);
    const store = await openCheckpointStore({
      directory: folder,
      restore: { threshold: 2 },
      ...options,
    });
    const guarded = new Guarded(folder, store, watch);
    stores.push(store);
    return guarded;
  }

  get file(): string {
    return join(this.folder, 'ORCHESTRATION.yaml');
  }

  get reading() {
    return readSeal(readFileSync(this.file));
  }

  kept(): string[] {
    try {
      const names = readdirSync(join(this.folder, 'quarantine')).sort();
      return names.map((name) => readFileSync(join(this.folder, 'quarantine', name), 'utf8'));
    } catch {
      return [];
    }
  }

  /** The next event that was not waited for yet and meets the condition. */
  async next<Type extends CheckpointStoreEvent['type']>(
    type: Type,
    matches: (event: Extract<CheckpointStoreEvent, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<CheckpointStoreEvent, { type: Type }>> {
    for (;;) {
      for (; this.#seen < this.events.length; this.#seen += 1) {
        const event = this.events[this.#seen] as Extract<CheckpointStoreEvent, { type: Type }>;
        if (event.type === type && matches(event)) {
          this.#seen += 1;
          return event;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  published = () => this.next('checked', ({ action }) => action === 'published');
  damaged = () => this.next('checked', ({ action }) => action === 'kept');
}

const stores: CheckpointStore[] = [];

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

describe('guard mode', () => {
  it('seals a file that nobody has sealed yet, comments and all', async () => {
    const guarded = await Guarded.begin();
    await guarded.published();
    expect(guarded.reading).toMatchObject({ kind: 'sealed', text: TEXT });
    expect(guarded.store.text).toBe(TEXT);
  });

  const edited = TEXT.replace('ACTIVE', 'COMPLETE');
  it.each<[string, (file: string) => void]>([
    ['in place', (file) => writeFileSync(file, edited)],
    [
      'by rename',
      (file) => {
        writeFileSync(`${file}.new`, edited);
        renameSync(`${file}.new`, file);
      },
    ],
    [
      'with a backup, as vim does',
      (file) => {
        renameSync(file, `${file}~`);
        writeFileSync(file, edited);
        unlinkSync(`${file}~`);
      },
    ],
    [
      'in several writes',
      (file) => {
        const descriptor = openSync(file, 'w');
        for (const part of edited.match(/[\s\S]{1,7}/g) ?? []) writeSync(descriptor, part);
        closeSync(descriptor);
      },
    ],
    ['by appending after the seal', (file) => appendFileSync(file, 'more: true\n')],
  ])('publishes an edit that is made %s', async (_, edit) => {
    const guarded = await Guarded.begin();
    await guarded.published();
    edit(guarded.file);
    const { change, sequence } = await guarded.published();
    expect(change).toBe('edited');
    const { reading } = guarded;
    expect(reading).toMatchObject({ kind: 'sealed', sequence });
    expect('text' in reading && reading.text).toContain('# by hand');
    expect(guarded.kept()).toEqual([]);
  });

  it('waits until a slow writer has left the file alone', async () => {
    const guarded = await Guarded.begin({}, { settleMs: 150 });
    await guarded.published();
    const descriptor = openSync(guarded.file, 'w');
    for (const part of ['status: [', '1, ', '2, ', '3]\n']) {
      writeSync(descriptor, part);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    closeSync(descriptor);
    await guarded.published();
    expect(guarded.store.state).toEqual({ status: [1, 2, 3] });
    expect(guarded.events.filter((event) => 'action' in event && event.action === 'kept')).toEqual(
      [],
    );
  });

  it.each<[string, (file: string) => void, string]>([
    ['emptied', (file) => truncateSync(file, 0), 'EMPTY_DOCUMENT'],
    ['cut off in a string', (file) => writeFileSync(file, 'status: "ACT'), 'INVALID_YAML'],
    [
      'cut off where YAML can end',
      (file) => truncateSync(file, '# plan\nstatus: ACTIVE   # by hand\n'.length),
      'TRUNCATED',
    ],
    ['filled with NUL', (file) => writeFileSync(file, Buffer.alloc(60)), 'INVALID_YAML'],
    ['given a key twice', (file) => writeFileSync(file, 'a: 1\nb: 2\na: 3\n'), 'DUPLICATE_KEY'],
    [
      'no text any more',
      (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0])),
      'INVALID_YAML',
    ],
  ])(
    'tells of a file that is %s, keeps its bytes, and restores at the threshold',
    async (_, damage, code) => {
      const guarded = await Guarded.begin();
      await guarded.published();
      damage(guarded.file);
      const bytes = readFileSync(guarded.file, 'utf8');
      const first = await guarded.damaged();
      expect(first).toMatchObject({ change: 'damaged', problem: { code } });
      if (code === 'DUPLICATE_KEY') expect(first.problem).toMatchObject({ line: 3, column: 1 });
      expect(guarded.kept()).toEqual([bytes]);
      await guarded.next('health', ({ report }) => report.state === 'failing');
      // Nobody mends it: it counts again, and that is the threshold.
      const restored = await guarded.next('restored');
      expect(restored.cause).toBe('automatic');
      expect(guarded.reading).toMatchObject({ kind: 'sealed', text: TEXT });
      expect(guarded.store.text).toBe(TEXT);
      expect(guarded.kept()).toContain(bytes);
    },
  );

  it('brings a file back that was deleted', async () => {
    const guarded = await Guarded.begin();
    await guarded.published();
    rmSync(guarded.file);
    expect(await guarded.damaged()).toMatchObject({ change: 'missing' });
    await guarded.next('restored');
    expect(guarded.reading).toMatchObject({ kind: 'sealed', text: TEXT });
  });

  it('does not restore what somebody mends in time, and forgets the failure', async () => {
    const guarded = await Guarded.begin({ restore: { threshold: 3 } }, { recheckMs: 60_000 });
    await guarded.published();
    writeFileSync(guarded.file, 'status: "ACT');
    await guarded.damaged();
    await guarded.next('health', ({ report }) => report.failures.length === 1);
    writeFileSync(guarded.file, 'status: "ACTIVE"\n');
    await guarded.published();
    const { report } = await guarded.next(
      'health',
      ({ report: { failures } }) => failures.length === 0,
    );
    expect(report.state).toBe('healthy');
    expect(guarded.store.state).toEqual({ status: 'ACTIVE' });
    expect(guarded.events.some(({ type }) => type === 'restored')).toBe(false);
    // What the damage had replaced is in history, and what it was is in quarantine.
    expect(guarded.kept()).toEqual(['status: "ACT']);
  });

  it('refuses an edit that the schema refuses, at its path', async () => {
    const schema = z.object({ status: z.enum(['ACTIVE', 'COMPLETE']) });
    const guarded = await Guarded.begin({ schema } as never, {}, 'status: ACTIVE\n');
    await guarded.published();
    writeFileSync(guarded.file, 'status: LOST\n');
    expect(await guarded.damaged()).toMatchObject({
      problem: { code: 'SCHEMA_INVALID', path: 'status' },
    });
    await guarded.next('restored');
    expect(guarded.store.state).toEqual({ status: 'ACTIVE' });
  });

  it('only tells in mode manual', async () => {
    const guarded = await Guarded.begin({ restore: { mode: 'manual', threshold: 1 } });
    await guarded.published();
    truncateSync(guarded.file, 0);
    await guarded.damaged();
    const { report } = await guarded.next('health', ({ report: { state } }) => state === 'due');
    expect(report.wouldRestore).toBeDefined();
    expect(readFileSync(guarded.file)).toHaveLength(0);
  });

  it('sets an edit aside under the policy restore', async () => {
    const guarded = await Guarded.begin({ externalEdits: 'restore' });
    await guarded.published();
    writeFileSync(guarded.file, 'status: SPOILT\n');
    await guarded.published();
    expect(guarded.reading).toMatchObject({ kind: 'sealed', text: TEXT });
    expect(guarded.kept()).toEqual(['status: SPOILT\n']);
  });

  it('leaves an edit alone under the policy reject, and says so', async () => {
    const guarded = await Guarded.begin({ externalEdits: 'reject' });
    await guarded.published();
    writeFileSync(guarded.file, 'status: SPOILT\n');
    await guarded.next('checked', ({ action }) => action === 'rejected');
    expect(readFileSync(guarded.file, 'utf8')).toBe('status: SPOILT\n');
  });

  it('does not disturb saves that the orchestrator makes meanwhile', async () => {
    const guarded = await Guarded.begin();
    await guarded.published();
    for (let step = 0; step < 20; step += 1) await guarded.store.set('step', step);
    writeFileSync(guarded.file, `${guarded.store.text?.replace('ACTIVE', 'PAUSED')}`);
    await guarded.next(
      'checked',
      ({ action, change }) => action === 'published' && change === 'edited',
    );
    await guarded.store.set('step', 99);
    expect(guarded.store.state).toMatchObject({ status: 'PAUSED', step: 99 });
  });

  it('ends when it is stopped, and when the store is closed', async () => {
    const guarded = await Guarded.begin();
    await guarded.published();
    const second = guarded.store.watch();
    second.stop();
    await second.done;
    const third = guarded.store.watch();
    await guarded.store.close();
    writeFileSync(guarded.file, 'status: LATER\n');
    await third.done;
    expect(readFileSync(guarded.file, 'utf8')).toBe('status: LATER\n');
  });

  it('checks its options', async () => {
    const guarded = await Guarded.begin();
    expect(() => guarded.store.watch({ settleMs: 0 })).toThrow('settleMs is an integer');
    expect(() => guarded.store.watch({ pollMs: Number.NaN })).toThrow('pollMs is an integer');
  });

  it('ends when its directory is taken away, and with it the lock', async () => {
    const guarded = await Guarded.begin();
    await guarded.published();
    const watch = guarded.store.watch({ settleMs: 20, pollMs: 20 });
    renameSync(guarded.folder, `${guarded.folder}-away`);
    await watch.done;
    await guarded.next('halted', ({ error }) => error.code === 'LOCK_LOST');
    const file = join(`${guarded.folder}-away`, 'ORCHESTRATION.yaml');
    expect(readSeal(readFileSync(file))).toMatchObject({ kind: 'sealed', text: TEXT });
  });
});
