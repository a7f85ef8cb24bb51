/**
 * Leases, room and order, on things whose opening and closing are up to the test.
 */
import { describe, expect, it } from 'vitest';
import { LeasePool, type LeasePoolOptions } from '../../../src/store/lease-pool.js';

/** A pool of things, and what became of each. */
function world(options: Partial<LeasePoolOptions<string>> = {}) {
  const told: string[] = [];
  const held = new Map<string, () => void>();
  const spent = new Set<string>();
  const timers = new Map<number, () => void>();
  const world = { told, spent, timers, openNow: 0, openMost: 0, held, isSlow: false };
  const step = async (what: string) => {
    told.push(what);
    if (world.isSlow) await new Promise<void>((resolve) => held.set(what, resolve));
    else await Promise.resolve();
  };
  let serial = 0;
  const pool = new LeasePool<string>({
    open: async (name) => {
      world.openNow += 1;
      world.openMost = Math.max(world.openMost, world.openNow);
      await step(`open ${name}`);
      if (name.startsWith('bad')) {
        world.openNow -= 1;
        throw new Error(`${name} is bad`);
      }
      serial += 1;
      const value = `${name}#${serial}`;
      return {
        value,
        isSpent: () => spent.has(value),
        close: async () => {
          await step(`close ${name}`);
          world.openNow -= 1;
        },
      };
    },
    openMax: 2,
    idleMs: Number.POSITIVE_INFINITY,
    timers: {
      setTimeout: (action) => {
        serial += 1;
        timers.set(serial, action);
        return serial;
      },
      clearTimeout: (id) => void timers.delete(id as number),
    },
    closedError: () => new Error('closed'),
    ...options,
  });
  return { pool, world };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const reason = (error: unknown) => (error as Error).message;

describe('a pool of leases', () => {
  it('opens a name once for all who ask, and gives them the same', async () => {
    const { pool, world: w } = world();
    const leases = await Promise.all(['a', 'a', 'b', 'a'].map((name) => pool.lease(name)));
    expect(leases.map(({ value }) => value)).toEqual(['a#1', 'a#1', 'b#2', 'a#1']);
    expect(w.told).toEqual(['open a', 'open b']);
    expect(pool.stats()).toMatchObject({ open: 2, inUse: 2, opened: 2 });
  });

  it('keeps open what nobody holds, and closes the one that was idle longest when room is needed', async () => {
    const { pool, world: w } = world();
    const [a, b] = [await pool.lease('a'), await pool.lease('b')];
    await b.release();
    await a.release();
    expect((await pool.lease('b')).value).toBe(b.value);
    await pool.lease('c');
    expect(w.told).toEqual(['open a', 'open b', 'close a', 'open c']);
    expect(w.openMost).toBe(2);
  });

  it('counts a lease once, however often it is released', async () => {
    const { pool, world: w } = world({ openMax: 1 });
    const [first, second] = await Promise.all([pool.lease('a'), pool.lease('a')]);
    await first?.release();
    await first?.release();
    const waiting = pool.lease('b');
    await settle();
    expect(w.told).toEqual(['open a']);
    await second?.release();
    expect((await waiting).value).toBe('b#2');
  });

  it('lets who finds no room wait in order, and loses nobody', async () => {
    const { pool, world: w } = world();
    const order: string[] = [];
    const uses = Array.from({ length: 30 }, async (_, n) => {
      const lease = await pool.lease(`s${n % 10}`);
      order.push(lease.value.replace(/#.*/, ''));
      await settle();
      await lease.release();
    });
    await Promise.all(uses);
    const firsts = [...new Set(order)];
    expect(firsts).toEqual(Array.from({ length: 10 }, (_, n) => `s${n}`));
    expect(order).toHaveLength(30);
    expect(w.openMost).toBe(2);
    expect(pool.stats()).toMatchObject({ waiting: 0, inUse: 0 });
  });

  it('lets who gives up leave the queue, with the reason, and serves the next', async () => {
    const { pool } = world({ openMax: 1 });
    const a = await pool.lease('a');
    const controller = new AbortController();
    const given = pool.lease('b', controller.signal).catch(reason);
    const next = pool.lease('c');
    controller.abort(new Error('enough'));
    expect(await given).toBe('enough');
    expect(pool.stats().waiting).toBe(1);
    await a.release();
    expect((await next).value).toBe('c#2');
    await expect(pool.lease('d', controller.signal)).rejects.toThrow('enough');
  });

  it('goes on for the others where one gives up during the opening', async () => {
    const { pool, world: w } = world();
    w.isSlow = true;
    const controller = new AbortController();
    const given = pool.lease('a', controller.signal).catch(reason);
    const kept = pool.lease('a');
    controller.abort(new Error('enough'));
    expect(await given).toBe('enough');
    w.held.get('open a')?.();
    expect((await kept).value).toBe('a#1');
    expect(pool.stats()).toMatchObject({ open: 1, inUse: 1 });
  });

  it('rejects all who asked for what can not be opened, and leaves room', async () => {
    const { pool } = world({ openMax: 1 });
    const answers = ['bad', 'bad', 'a'].map((name) => pool.lease(name).catch(reason));
    const [first, second, a] = await Promise.all(answers);
    expect([first, second]).toEqual(['bad is bad', 'bad is bad']);
    expect(a).toMatchObject({ value: 'a#1' });
    expect(pool.stats()).toMatchObject({ open: 1, failed: 1 });
  });

  it('opens a name that is being closed when that is over, never twice at once', async () => {
    const { pool, world: w } = world({ openMax: 1 });
    await (await pool.lease('a')).release();
    w.isSlow = true;
    const b = pool.lease('b');
    const again = pool.lease('a');
    expect(w.told).toEqual(['open a', 'close a']);
    w.held.get('close a')?.();
    await settle();
    expect(w.told).toEqual(['open a', 'close a', 'open b']);
    w.held.get('open b')?.();
    await (await b).release();
    w.held.get('close b')?.();
    await settle();
    w.held.get('open a')?.();
    expect((await again).value).toBe('a#3');
    expect(w.openMost).toBe(1);
  });

  it('leases nothing that is spent, closes it with its last lease, and opens it anew', async () => {
    const { pool, world: w } = world();
    const [one, two] = await Promise.all([pool.lease('a'), pool.lease('a')]);
    w.spent.add('a#1');
    const next = pool.lease('a');
    await one?.release();
    expect(w.told).toEqual(['open a']);
    await two?.release();
    expect(w.told).toEqual(['open a', 'close a', 'open a']);
    expect((await next).value).toBe('a#2');
  });

  it('opens anew what was spent while nobody held it', async () => {
    const { pool, world: w } = world();
    await (await pool.lease('a')).release();
    w.spent.add('a#1');
    expect((await pool.lease('a')).value).toBe('a#2');
    expect(w.told).toEqual(['open a', 'close a', 'open a']);
  });

  it('closes what was idle for its time, and not what is held again by then', async () => {
    const { pool, world: w } = world({ idleMs: 1000 });
    const first = await pool.lease('a');
    expect(w.timers.size).toBe(0);
    await first.release();
    const again = await pool.lease('a');
    expect(w.timers.size).toBe(0);
    await again.release();
    expect(w.timers.size).toBe(1);
    for (const action of w.timers.values()) action();
    await settle();
    expect(w.told).toEqual(['open a', 'close a']);
    expect(pool.stats()).toMatchObject({ open: 0, closed: 1 });
  });

  it('closes all when it is closed, also what is held or on its way, and refuses who waits and who comes', async () => {
    const { pool, world: w } = world();
    const a = await pool.lease('a');
    w.isSlow = true;
    const opening = pool.lease('b').catch(reason);
    const waiting = pool.lease('c').catch(reason);
    let isOver = false;
    const closing = Promise.all([pool.close(), pool.close()]).then(() => {
      isOver = true;
    });
    expect(await Promise.all([opening, waiting])).toEqual(['closed', 'closed']);
    await expect(pool.lease('a')).rejects.toThrow('closed');
    w.held.get('close a')?.();
    await settle();
    expect(isOver).toBe(false);
    w.held.get('open b')?.();
    await settle();
    w.held.get('close b')?.();
    await closing;
    await a.release();
    expect(w.openNow).toBe(0);
    expect(pool.stats()).toMatchObject({ open: 0, closed: 2 });
  });
});
