/**
 * Many stores on the real file system: what they cost the process, and that a killed one loses nothing in any
 * of them. The child process uses the built package (`npm test` builds it first).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpointStores } from '../../src/store/checkpoint-stores.js';
import { openCheckpointStore } from '../../src/store.js';
import { freshFolder } from '../helpers/temporary-folders.js';

interface State {
  n: number;
}

const built = new URL('../../dist/index.js', import.meta.url);
const count = (path: string) => readdirSync(path).length;
const namesOf = (many: number) => Array.from({ length: many }, (_, n) => `workflow-${n}`);

describe.runIf(process.platform === 'linux')('300 stores of which 16 are open at most', () => {
  it('need few descriptors and no threads of their own while all are written, and keep every save', async () => {
    const root = join(freshFolder(), 'stores');
    const names = namesOf(300);
    const before = { descriptors: count('/proc/self/fd'), threads: count('/proc/self/task') };
    const most = { descriptors: 0, threads: 0 };
    const look = () => {
      most.descriptors = Math.max(most.descriptors, count('/proc/self/fd') - before.descriptors);
      most.threads = Math.max(most.threads, count('/proc/self/task') - before.threads);
    };
    // Without its syncs, which only take time here, the audit has its file open all the same.
    const options = { maxOpen: 16, restore: false, audit: { sync: 'off' } } as const;
    const all = await openCheckpointStores<State>(root, options);
    const timer = setInterval(look, 1);
    const sequences = await Promise.all(
      names.map((name, n) =>
        all.use(name, async (store) => {
          const saved = store.save({ n });
          look();
          const { sequence } = await saved;
          look();
          return sequence;
        }),
      ),
    );
    clearInterval(timer);
    expect(sequences.every((sequence) => sequence === 1)).toBe(true);
    // Lock and audit of each that is open, log and temporary file of each that saves; directories at work.
    expect(most.descriptors).toBeLessThanOrEqual(16 * 4 + 8);
    expect(most.descriptors).toBeGreaterThanOrEqual(16);
    // Node's own pool for files has four, however many stores there are.
    expect(most.threads).toBeLessThanOrEqual(4);
    const { open, opened, syncs } = all.stats();
    expect([open, opened]).toEqual([16, 300]);
    expect(syncs.runningMax).toBe(3);
    await all.close();
    expect(count('/proc/self/fd')).toBeLessThanOrEqual(before.descriptors + 2);
    const found = new Map<string, number>();
    for await (const { name, sequence = 0, isLogWaiting, holder, problem } of all.list()) {
      expect([isLogWaiting, holder, problem]).toEqual([false, undefined, undefined]);
      found.set(name, sequence);
    }
    expect([...found.keys()].sort()).toEqual([...names].sort());
    expect([...found.values()].every((sequence) => sequence === 1)).toBe(true);
    const some = await openCheckpointStore<State>({ directory: join(root, 'workflow-299') });
    expect(some.state).toEqual({ n: 299 });
    await some.close();
  }, 60_000);
});

describe('a process that writes 100 stores', () => {
  /** Writes until it is killed, and tells what was acknowledged: `name n`, one a line. */
  const writer = (root: string) => `
    import { writeSync } from 'node:fs';
    import { openCheckpointStores } from ${JSON.stringify(built.href)};
    const all = await openCheckpointStores(${JSON.stringify(root)}, { maxOpen: 32, restore: false, audit: false });
    writeSync(1, 'ready\\n');
    await Promise.all(${JSON.stringify(namesOf(100))}.map(async (name) => {
      for (;;) {
        await all.use(name, async (store) => {
          const n = (store.state?.n ?? 0) + 1;
          await store.save({ n });
          writeSync(1, name + ' ' + n + '\\n');
        });
      }
    }));`;

  it('loses nothing that was acknowledged, in any of them, when it is killed', async () => {
    if (!existsSync(built)) throw new Error('dist/ is missing: run npm run build first');
    const root = join(freshFolder(), 'stores');
    const known = new Map(namesOf(100).map((name) => [name, 0]));
    let logs = 0;
    for (const saves of [60, 130]) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', writer(root)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const closed = once(child, 'close');
      let told = '';
      child.stdout.on('data', (data: Buffer) => {
        told += data.toString();
        // After so many saves it is in the middle of others.
        if (told.split('\n').length > saves) child.kill('SIGKILL');
      });
      await closed;
      for (const [, name = '', n] of told.matchAll(/^(\S+) (\d+)$/gm)) known.set(name, Number(n));
      const all = await openCheckpointStores<State>(root, { restore: false, audit: false });
      for await (const { isLogWaiting, holder } of all.list()) {
        expect(holder).toBeUndefined();
        if (isLogWaiting) logs += 1;
      }
      await Promise.all(
        [...known].map(async ([name, acknowledged]) => {
          const found = await all.use(name, ({ state, recovery }) => {
            expect(recovery.outcome).toBe('ready');
            return state?.n ?? 0;
          });
          expect(found, name).toBeGreaterThanOrEqual(acknowledged);
          expect(found, name).toBeLessThanOrEqual(acknowledged + 1);
          known.set(name, found);
        }),
      );
      await all.close();
      for await (const { isLogWaiting } of all.list()) expect(isLogWaiting).toBe(false);
    }
    // Else it was never killed in the middle of anything.
    expect(logs).toBeGreaterThan(0);
  }, 60_000);
});
