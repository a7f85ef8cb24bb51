/**
 * Stores on the real file system, alone and against other processes. Child processes use the built
 * package (`npm test` builds it first).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { getEventListeners } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpointStore } from '../../src/store.js';

let directory: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'checkpoint-wal-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const built = new URL('../../dist/index.js', import.meta.url);

/** Runs a module in a child process; resolves when it prints `ready`. */
async function child(script: string): Promise<ChildProcess> {
  if (!existsSync(built)) throw new Error('dist/ is missing: run npm test, or npm run build first');
  const source = `import { openCheckpointStore } from ${JSON.stringify(built.href)};
    const directory = ${JSON.stringify(directory)};
    ${script}`;
  const started = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(started);
  await new Promise<void>((resolve, reject) => {
    started.stdout?.on('data', (data: Buffer) => {
      if (data.toString().includes('ready')) resolve();
    });
    started.once('exit', (code) => reject(new Error(`the child ended with ${code}`)));
  });
  return started;
}

const ended = (process: ChildProcess) =>
  new Promise((resolve) => {
    process.once('close', resolve);
  });

describe('two processes', () => {
  it('exclude each other, the error names the holder, and SIGKILL frees the store at once', async () => {
    const holder = await child(`
      const store = await openCheckpointStore({ directory });
      await store.save({ n: 1 });
      console.log('ready');
      setInterval(() => {}, 1000);`);
    const refusal = await openCheckpointStore({ directory }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'LOCKED', details: { holder: { pid: holder.pid } } });
    expect((refusal as Error).message).toContain(`process ${holder.pid}`);
    const exit = ended(holder);
    holder.kill('SIGKILL');
    await exit;
    const store = await openCheckpointStore<{ n: number }>({ directory });
    expect(store.state).toEqual({ n: 1 });
    await store.close();
  });

  it('lose nothing that was acknowledged when the writer is killed at random', async () => {
    let known = 0;
    for (let round = 0; round < 6; round += 1) {
      const writer = await child(`
        import { writeSync } from 'node:fs';
        const store = await openCheckpointStore({ directory });
        let n = store.state?.n ?? 0;
        writeSync(1, 'ready\\n');
        for (;;) {
          await store.save({ n: n + 1, filler: 'x'.repeat(5000) });
          n += 1;
          writeSync(1, n + '\\n');
        }`);
      let printed = '';
      writer.stdout?.on('data', (data: Buffer) => {
        printed += data.toString();
      });
      await new Promise((resolve) => setTimeout(resolve, 40 + round * 17));
      const exit = ended(writer);
      writer.kill('SIGKILL');
      await exit;
      await new Promise((resolve) => setImmediate(resolve));
      const acknowledged = printed === '' ? known : Number(printed.trim().split('\n').at(-1));
      const store = await openCheckpointStore<{ n: number }>({ directory });
      const found = store.state?.n ?? 0;
      expect(found).toBeGreaterThanOrEqual(acknowledged);
      expect(found).toBeLessThanOrEqual(acknowledged + 1);
      known = found;
      await store.close();
    }
    // The last run before was killed, which the failure detector remembers for a while.
    const left = ['.checkpoint.health', 'ORCHESTRATION.yaml', 'audit.jsonl', 'checkpoints'];
    expect(readdirSync(directory).sort()).toEqual(left);
  });
});

describe('a store on the real file system', () => {
  it('leaves no descriptor, temporary file or listener behind after 1,000 saves', async () => {
    const store = await openCheckpointStore<{ n: number }>({ directory });
    await store.save({ n: 0 });
    const descriptors = () =>
      existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
    const before = descriptors();
    const controller = new AbortController();
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          store.set('n', round * 10 + index, { signal: controller.signal }),
        ),
      );
    }
    expect(descriptors()).toBeLessThanOrEqual(before);
    expect(store.state).toEqual({ n: 999 });
    const inside = readdirSync(directory).sort();
    expect(inside).toEqual([
      '.checkpoint.health',
      '.checkpoint.lock',
      'ORCHESTRATION.yaml',
      'audit.jsonl',
      'checkpoints',
    ]);
    expect(readdirSync(join(directory, 'checkpoints'))).toHaveLength(100);
    await store.close();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(readdirSync(directory).sort()).toEqual([
      'ORCHESTRATION.yaml',
      'audit.jsonl',
      'checkpoints',
    ]);
  });

  it('keeps the mode of the file, whatever the umask', async () => {
    const file = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(file, 'a: 1\n');
    chmodSync(file, 0o664);
    const umask = process.umask(0o077);
    try {
      const store = await openCheckpointStore({ directory });
      await store.set('a', 2);
      await store.close();
    } finally {
      process.umask(umask);
    }
    expect(statSync(file).mode & 0o777).toBe(0o664);
  });

  it('creates its directory with all parents', async () => {
    const nested = join(directory, 'a/b/c');
    const store = await openCheckpointStore({ directory: nested });
    await store.save({ a: 1 });
    await store.close();
    expect(readFileSync(join(nested, 'ORCHESTRATION.yaml'), 'utf8')).toMatch(
      /^a: 1\n# checkpoint-wal:/,
    );
  });

  it('saves 5 MB and reads them back', async () => {
    const big = {
      items: Array.from({ length: 50_000 }, (_, index) => `item ${index} ${'x'.repeat(80)}`),
    };
    const store = await openCheckpointStore<typeof big>({ directory });
    await store.save(big);
    await store.close();
    const again = await openCheckpointStore<typeof big>({ directory });
    expect(again.state?.items.length).toBe(50_000);
    expect(again.recovery.clean).toBe(true);
    await again.close();
  }, 60_000);
});

const corpus = new URL('../../../shared/data/orchestrations/', import.meta.url);

describe.runIf(existsSync(corpus))('real orchestration files', () => {
  const names = existsSync(corpus)
    ? readdirSync(corpus).filter((name) => name.endsWith('.yaml') && name !== '22.yaml')
    : [];
  const withoutSeal = (text: string) => text.replace(/# checkpoint-wal: v1 .*\n$/, '');

  it.each(names)('%s: an unchanged save differs by the seal alone', async (name) => {
    const text = readFileSync(new URL(name, corpus), 'utf8');
    const file = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(file, text);
    const store = await openCheckpointStore({ directory });
    await store.save(structuredClone(store.state) as never);
    await store.close();
    expect(withoutSeal(readFileSync(file, 'utf8'))).toBe(text);
  });

  it('22.yaml is refused as damaged by an edit, its line named, and nothing is touched', async () => {
    const text = readFileSync(new URL('22.yaml', corpus), 'utf8');
    const file = join(directory, 'ORCHESTRATION.yaml');
    writeFileSync(file, text);
    const refusal = await openCheckpointStore({ directory }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'REFUSED',
      details: { reason: 'DUPLICATE_KEY', line: 142 },
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(directory).sort()).toEqual(['ORCHESTRATION.yaml', 'audit.jsonl']);
  });
});
