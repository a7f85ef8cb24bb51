import { describe, expect, it } from 'vitest';
import { SimulatedClock } from 'xstate';
import { z } from 'zod';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import type { RestoreOptions } from '../../../src/store/restore-options.js';
import type {
  CheckpointStoreEvent,
  CheckpointStoreOptions,
} from '../../../src/store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../../../src/store.js';
import { DIRECTORY, editInPlace, published, TARGET } from '../../helpers/crash-memory.js';

const HEALTH = `${DIRECTORY}/.checkpoint.health`;

/** A machine whose programs can crash: the disk stays, the time goes on. */
class World {
  disk = new MemoryFileSystem();
  clock = new SimulatedClock();
  readonly restore: RestoreOptions | false;
  readonly #start = 1_700_000_000_000;

  constructor(restore: RestoreOptions | false = {}) {
    this.restore = restore;
  }

  open(
    options: Partial<CheckpointStoreOptions<undefined>> = {},
  ): Promise<CheckpointStore<Record<string, unknown>>> {
    const { clock } = this;
    return openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: this.disk,
      restore: this.restore,
      clock: {
        now: () => this.#start + clock.now(),
        setTimeout: (action, afterMs) => clock.setTimeout(action, afterMs),
        clearTimeout: (id) => clock.clearTimeout(id as number),
      },
      ...options,
    });
  }

  /** Whatever runs is gone; its timers too. */
  crash(): void {
    const now = this.clock.now();
    this.disk = this.disk.clone();
    this.clock = new SimulatedClock();
    this.clock.set(now);
  }

  pass(elapsedMs: number): void {
    this.clock.increment(elapsedMs);
  }

  /** A store with checkpoints 1 to `count`, closed. */
  async fill(count: number): Promise<void> {
    const store = await this.open();
    for (let n = 1; n <= count; n += 1) await store.save({ step: n });
    await store.close();
  }

  /** Opens the store and crashes, so many times; returns what the last run saw. */
  async crashes(times: number): Promise<{ n: unknown; sequence: number }[]> {
    const seen: { n: unknown; sequence: number }[] = [];
    for (let count = 0; count < times; count += 1) {
      const { state, sequence } = await this.open();
      seen.push({ n: state?.step, sequence });
      this.crash();
    }
    return seen;
  }

  get hasMemory(): boolean {
    return this.disk.stat(HEALTH) !== undefined;
  }
}

function eventsOf(store: CheckpointStore<Record<string, unknown>>): CheckpointStoreEvent[] {
  const events: CheckpointStoreEvent[] = [];
  store.subscribe((event) => events.push(event));
  return events;
}

/** Lets what the timers have started come to its end. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('a crash loop', () => {
  it.each([1, 3, 10])(
    'restores the checkpoint before, at the start after crash no. %i, and not earlier',
    async (threshold) => {
      const world = new World({ threshold, maxRestores: 3 });
      await world.fill(3);
      const seen = await world.crashes(threshold);
      expect(seen.every(({ n }) => n === 3)).toBe(true);
      const store = await world.open();
      expect(store.state).toEqual({ step: 2 });
      expect(store.sequence).toBe(4);
      expect(store.recovery).toMatchObject({ clean: false, restored: { from: 2, sequence: 4 } });
      expect(store.health).toMatchObject({
        state: 'healthy',
        failures: [],
        restores: 1,
        bad: [{ sequence: 3 }],
      });
      expect(published(world.disk)).toMatchObject({ text: 'step: 2\n', sealed: true });
      await store.close();
    },
  );

  it('is none when each run gets on before it crashes', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(1);
    for (let n = 2; n < 12; n += 1) {
      const store = await world.open();
      expect(store.state).toEqual({ step: n - 1 });
      await store.save({ step: n });
      world.crash();
    }
  });

  it('is one although each run saves the same state again', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(2);
    for (let run = 0; run < 2; run += 1) {
      const store = await world.open();
      await store.save({ step: 2 });
      world.crash();
    }
    const store = await world.open();
    expect(store.state).toEqual({ step: 1 });
  });

  it('ends when a run is closed in order', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(2);
    await world.crashes(1);
    const store = await world.open();
    expect(store.health).toMatchObject({ state: 'failing', failures: [{ signal: 'crashed' }] });
    await store.markHealthy();
    await store.close();
    expect(world.hasMemory).toBe(false);
    expect((await world.crashes(2)).map(({ n }) => n)).toEqual([2, 2]);
  });

  it('is forgotten after a time without failures, and its restores with it', async () => {
    const world = new World({ threshold: 2, healthyAfterMs: 5000 });
    await world.fill(3);
    await world.crashes(2);
    const store = await world.open();
    expect(store.health?.restores).toBe(1);
    world.pass(4999);
    await settle();
    expect(store.health?.restores).toBe(1);
    world.pass(1);
    await settle();
    expect(store.health).toMatchObject({ restores: 0, bad: [{ sequence: 3 }] });
  });

  it('does not count crashes from before the window', async () => {
    const world = new World({ threshold: 2, windowMs: 60_000 });
    await world.fill(2);
    await world.crashes(1);
    world.pass(1);
    const seen = await world.crashes(1);
    expect(seen[0]?.n).toBe(2);
    world.pass(60_001);
    const store = await world.open();
    expect(store.state).toEqual({ step: 2 });
    // The run that has just been found crashed counts from when it is found.
    expect(store.health?.failures).toHaveLength(1);
  });

  it('goes on counting when the clock is set back', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(2);
    await world.crashes(2);
    world.clock = new SimulatedClock();
    const store = await world.open();
    expect(store.state).toEqual({ step: 1 });
  });

  it('goes back further each time, never to a checkpoint that failed, and then stops', async () => {
    const world = new World({ threshold: 1, maxRestores: 2 });
    await world.fill(4);
    const seen = await world.crashes(3);
    expect(seen).toEqual([
      { n: 4, sequence: 4 },
      { n: 3, sequence: 5 },
      { n: 2, sequence: 6 },
    ]);
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(world.open()).rejects.toMatchObject({
        code: 'RESTORES_EXHAUSTED',
        details: { restores: 2, bad: [{ sequence: 4 }, { sequence: 5 }] },
      });
    }
    expect(published(world.disk)).toMatchObject({ text: 'step: 2\n', sealed: true });
    const store = await world.open({ restore: false });
    expect(store.state).toEqual({ step: 2 });
    await store.close();
  });

  it('stops where history holds nothing to go back to, and loses nothing', async () => {
    const world = new World({ threshold: 2 });
    const store = await world.open();
    await store.save({ step: 1 });
    world.crash();
    await world.crashes(1);
    await expect(world.open()).rejects.toMatchObject({
      code: 'RESTORES_EXHAUSTED',
      message: expect.stringContaining('history holds no other checkpoint that verifies'),
    });
    expect(published(world.disk)).toMatchObject({ text: 'step: 1\n', sealed: true });
  });

  it('is only told of in mode manual, with what a restore would bring back', async () => {
    const world = new World({ mode: 'manual', threshold: 2 });
    await world.fill(3);
    await world.crashes(2);
    const store = await world.open();
    expect(store.state).toEqual({ step: 3 });
    expect(store.health).toMatchObject({ state: 'due', wouldRestore: { sequence: 2 } });
  });

  it('is only counted in mode off', async () => {
    const world = new World({ mode: 'off', threshold: 2 });
    await world.fill(3);
    await world.crashes(4);
    const store = await world.open();
    expect(store.state).toEqual({ step: 3 });
    expect(store.health).toMatchObject({ state: 'failing' });
    expect(store.health?.failures).toHaveLength(4);
  });

  it('is nothing to a store opened with restore: false, which leaves no memory', async () => {
    const world = new World(false);
    await world.fill(2);
    await world.crashes(5);
    const store = await world.open();
    expect(store.state).toEqual({ step: 2 });
    expect(store.health).toBeUndefined();
    expect(world.hasMemory).toBe(false);
    await expect(store.reportFailure('x')).rejects.toMatchObject({ code: 'NO_DETECTOR' });
  });
});

describe('a checkpoint that does not pass the schema', () => {
  const schema = z.object({ step: z.number().max(2) });

  it('is refused below the threshold, and at it gives way to the newest that does', async () => {
    const world = new World({ threshold: 3 });
    await world.fill(3);
    const open = () => world.open({ schema } as never);
    for (const failures of [1, 2]) {
      await expect(open()).rejects.toMatchObject({
        code: 'SCHEMA_INVALID',
        details: { detector: { failures, threshold: 3, mode: 'automatic' } },
      });
      expect(published(world.disk)?.text).toBe('step: 3\n');
    }
    const store = await open();
    expect(store.state).toEqual({ step: 2 });
    expect(store.recovery).toMatchObject({
      outcome: 'ready',
      problem: { code: 'SCHEMA_INVALID' },
      restored: { from: 2, sequence: 4 },
    });
    await store.save({ step: 1 });
    await store.close();
    const again = await open();
    expect(again.state).toEqual({ step: 1 });
    expect(again.recovery.clean).toBe(true);
  });

  it('is kept in quarantine if nobody has sealed it', async () => {
    const world = new World({ threshold: 1 });
    await world.fill(2);
    editInPlace(world.disk, 'step: 999 # by hand\n');
    const store = await world.open({ schema } as never);
    // Closing the store left a copy of checkpoint 2 in history.
    expect(store.state).toEqual({ step: 2 });
    const kept = Object.keys(world.disk.snapshot()).find((path) =>
      path.includes('replaced-by-restore'),
    );
    expect(new TextDecoder().decode(contentOf(world, kept ?? ''))).toBe('step: 999 # by hand\n');
  });

  it.each(['manual', 'off'] as const)('is refused for ever in mode %s', async (mode) => {
    const world = new World({ mode, threshold: 1 });
    await world.fill(3);
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(world.open({ schema } as never)).rejects.toMatchObject({
        code: 'SCHEMA_INVALID',
      });
    }
    expect(published(world.disk)?.text).toBe('step: 3\n');
  });
});

describe('failures of a running store', () => {
  it('are counted when they are reported, durably, and restore at the threshold', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(2);
    const store = await world.open();
    const events = eventsOf(store);
    expect(await store.reportFailure(new Error('agent 1 fell'))).toMatchObject({
      state: 'failing',
      failures: [{ signal: 'reported', message: 'agent 1 fell', sequence: 2 }],
    });
    expect(new TextDecoder().decode(contentOf(world, HEALTH))).toContain('agent 1 fell');
    const report = await store.reportFailure('agent 2 fell');
    expect(report).toMatchObject({ state: 'healthy', restores: 1 });
    expect(store.state).toEqual({ step: 1 });
    expect(store.sequence).toBe(3);
    expect(events).toContainEqual({ type: 'restored', sequence: 3, from: 1, cause: 'automatic' });
    // A restore is a save: what it replaced is in history.
    await store.close();
    expect(
      world.disk.stat(`${DIRECTORY}/checkpoints/000000000002.ORCHESTRATION.yaml`),
    ).toBeDefined();
  });

  it('restore in turn: saves asked for before come before, later ones build on the restored state', async () => {
    const world = new World({ threshold: 1 });
    await world.fill(2);
    const store = await world.open();
    const before = store.set('early', true);
    const report = store.reportFailure('enough');
    await Promise.all([before, report]);
    // The early save made checkpoint 3 of what failed; the newest other text is 2.
    expect(store.state).toEqual({ step: 2 });
    await store.set('late', true);
    expect(store.state).toEqual({ step: 2, late: true });
  });

  it('count a heartbeat that is missed, again and again, and none that comes in time', async () => {
    const world = new World({ threshold: 3 });
    await world.fill(2);
    const store = await world.open({ heartbeatMs: 1000 });
    for (let beats = 0; beats < 5; beats += 1) {
      world.pass(999);
      store.heartbeat();
    }
    await settle();
    expect(store.health?.failures).toEqual([]);
    world.pass(1000);
    await settle();
    expect(store.health?.failures).toMatchObject([{ signal: 'heartbeatMissed' }]);
    world.pass(1000);
    await settle();
    world.pass(1000);
    await settle();
    expect(store.state).toEqual({ step: 1 });
  });

  it('forget failed saves as soon as one goes well', async () => {
    const world = new World({ threshold: 3 });
    await world.fill(2);
    let isFull = false;
    const store = await world.open({
      around: (io) => ({
        ...io,
        writeData: (input) => {
          if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          return io.writeData(input);
        },
      }),
    });
    isFull = true;
    await expect(store.save({ step: 3 })).rejects.toThrow();
    await expect(store.save({ step: 3 })).rejects.toThrow();
    await settle();
    expect(store.health?.failures).toMatchObject([
      { signal: 'saveFailed' },
      { signal: 'saveFailed' },
    ]);
    isFull = false;
    await store.save({ step: 3 });
    await settle();
    expect(store.health).toMatchObject({ state: 'healthy', failures: [] });
    expect(store.state).toEqual({ step: 3 });
  });

  it('do not count what callers did wrong themselves', async () => {
    const world = new World({ threshold: 1 });
    await world.fill(2);
    const store = await world.open();
    await expect(store.set('step[9].x', 1)).rejects.toThrow();
    await expect(store.save({ step: undefined })).rejects.toMatchObject({
      code: 'UNFAITHFUL_VALUE',
    });
    await settle();
    expect(store.health?.state).toBe('healthy');
  });

  it('are refused once the store is closed', async () => {
    const world = new World();
    const store = await world.open();
    await store.close();
    await expect(store.reportFailure('late')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a restore that is cut off', () => {
  it('is made at the next start, and counted once', async () => {
    const world = new World({ threshold: 1, maxRestores: 1 });
    await world.fill(2);
    await world.crashes(1);
    // The power goes when the restore is counted and not yet begun.
    const opening = world.open({
      around: (io) => ({
        ...io,
        observeCheckpoint: () => new Promise<never>(() => {}),
      }),
    });
    await Promise.race([opening, settle()]);
    world.crash();
    const store = await world.open();
    expect(store.state).toEqual({ step: 1 });
    expect(store.health).toMatchObject({ restores: 1, bad: [{ sequence: 2 }], state: 'healthy' });
  });
});

describe('the memory on disk', () => {
  it('is absent when the store is closed and healthy', async () => {
    const world = new World();
    const store = await world.open();
    await store.save({ step: 1 });
    expect(world.hasMemory).toBe(true);
    await store.close();
    expect(world.hasMemory).toBe(false);
  });

  it('is set aside if it can not be read, and counting begins anew', async () => {
    const world = new World({ threshold: 2 });
    await world.fill(2);
    await world.crashes(1);
    const handle = world.disk.open(HEALTH, 'readWrite');
    handle.write(new TextEncoder().encode('X'), 40);
    handle.close();
    const store = await world.open();
    expect(store.state).toEqual({ step: 2 });
    expect(store.health?.failures).toEqual([]);
    const kept = Object.keys(world.disk.snapshot()).filter((path) =>
      path.includes('health-damaged'),
    );
    expect(kept).toHaveLength(1);
  });

  it('is written before the store is open: one that can not be written refuses it', async () => {
    const world = new World();
    await world.fill(1);
    await expect(
      world.open({
        around: (io) => ({
          ...io,
          writeHealth: () => {
            throw Object.assign(new Error('full'), { code: 'ENOSPC' });
          },
        }),
      }),
    ).rejects.toMatchObject({ code: 'WRITE_FAILED' });
    const store = await world.open();
    expect(store.health?.failures).toEqual([]);
  });
});

describe('the options of the failure detector', () => {
  it.each([
    [{ mode: 'sometimes' }, 'restore.mode'],
    [{ threshold: 0 }, 'restore.threshold is an integer from 1 to 100, not 0'],
    [{ threshold: 1.5 }, 'restore.threshold'],
    [{ threshold: '3' }, 'restore.threshold'],
    [{ windowMs: -1 }, 'restore.windowMs'],
    [{ healthyAfterMs: Number.POSITIVE_INFINITY }, 'restore.healthyAfterMs'],
    [{ maxRestores: -1 }, 'restore.maxRestores'],
    [{ treshold: 3 }, 'restore.treshold is no option'],
    [true, 'restore is an object'],
  ])('are checked when the store is opened: %j', async (restore, message) => {
    const world = new World(restore as RestoreOptions);
    await expect(world.open()).rejects.toThrow(message);
    await expect(world.open()).rejects.toBeInstanceOf(TypeError);
    expect(world.disk.stat(TARGET)).toBeUndefined();
  });

  it('refuse a heartbeat that nobody listens to', async () => {
    await expect(new World(false).open({ heartbeatMs: 5 })).rejects.toThrow('heartbeatMs needs');
    await expect(new World().open({ heartbeatMs: 0 })).rejects.toThrow('heartbeatMs is an integer');
  });
});

function contentOf({ disk }: World, path: string): Uint8Array {
  const found = disk.snapshot()[path];
  return found?.kind === 'file' ? found.content : new Uint8Array();
}
