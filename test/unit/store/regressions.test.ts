/** Bugs that were found once, each by its shortest reproduction. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failNth, firstOf } from '../../../src/io/fault-rules.js';
import { flipBit, misdirect } from '../../../src/io/faults.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { systemError } from '../../../src/io/system-error.js';
import { openCheckpointStore } from '../../../src/store.js';
import { slowSyncs } from '../../../src/testing/slow-syncs.js';
import { DIRECTORY, editInPlace, open, rawCheckpoint, TARGET } from '../../helpers/crash-memory.js';

interface Counter {
  n: number;
  m: number;
}

async function counterOn(disk: MemoryFileSystem | RecordingFileSystem) {
  const store = await openCheckpointStore<Counter>({ directory: DIRECTORY, fileSystem: disk });
  await store.save({ n: 0, m: 0 });
  return store;
}

const addOne = (draft: Counter) => {
  draft.n += 1;
};

describe('a store', () => {
  it('applies an update once although a waiting save is aborted meanwhile', async () => {
    const store = await counterOn(slowSyncs(new MemoryFileSystem()));
    const controller = new AbortController();
    const first = store.update(addOne);
    const second = store.set('m', 1, { signal: controller.signal }).catch(() => 'aborted');
    controller.abort();
    await Promise.all([first, second]);
    await store.update(addOne);
    await store.set('m', 5);
    expect(store.state).toEqual({ n: 2, m: 5 });
    await store.close();
  });

  it('never publishes a save that was rejected as not saved, with a schema that answers later', async () => {
    let failures = 2;
    const disk = new MemoryFileSystem();
    const fs = new RecordingFileSystem(disk, {
      before: ({ operation, path, how }) => {
        if (operation === 'open' && how === 'create' && path.endsWith('.wal') && failures-- > 0) {
          throw systemError('ENOSPC', 'open', path);
        }
        return undefined;
      },
    });
    for (let round = 0; round < 20; round += 1) {
      failures = 0;
      const schema = z.object({ n: z.number() }).refine(async () => {
        for (let turn = 0; turn < round % 4; turn += 1) await new Promise((go) => setImmediate(go));
        return true;
      });
      const store = await openCheckpointStore({
        directory: DIRECTORY,
        fileSystem: slowSyncs(fs),
        schema,
      });
      await store.save({ n: 0 });
      failures = 2;
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, async (_, index) => {
          for (let turn = 0; turn < index; turn += 1) await new Promise((go) => setImmediate(go));
          return await store.update(({ n }) => ({ n: n + 1 }));
        }),
      );
      const saved = results.filter(({ status }) => status === 'fulfilled').length;
      expect(store.state?.n, `round ${round}`).toBe(saved);
      await store.close();
    }
  });

  it('rejects only the caller whose recipe throws when it is run again', async () => {
    const disk = new MemoryFileSystem();
    const store = await counterOn(slowSyncs(disk));
    editInPlace(disk, 'other: true\n');
    const failing = store.update((draft) => {
      draft.n = (draft as unknown as { n: { toFixed(): string } }).n.toFixed().length;
    });
    const fine = store.set('m', 3);
    await expect(failing).rejects.toBeInstanceOf(TypeError);
    await fine;
    expect(store.state).toMatchObject({ m: 3 });
    await store.close();
  });

  it('takes over a mode that was changed while it is open', async () => {
    const disk = new MemoryFileSystem();
    const store = await counterOn(disk);
    const handle = disk.open(TARGET, 'readWrite');
    handle.setMode(0o640);
    handle.close();
    await store.set('n', 1);
    expect(disk.stat(TARGET)?.mode).toBe(0o640);
    await store.close();
  });

  it('can open again whatever it has acknowledged, up to the limit of size', async () => {
    const disk = new MemoryFileSystem();
    const limits = { maxBytes: 1000 };
    const store = await open(disk, { limits });
    await store.saveText(`v: ${'x'.repeat(990)}\n`);
    await store.close();
    const again = await open(disk, { limits });
    expect(again.recovery.clean).toBe(true);
    await again.close();
  });

  it('does not take the beginning of a file for the file', async () => {
    const disk = new MemoryFileSystem();
    const store = await counterOn(disk);
    await store.close();
    let short = 1;
    const fs = new RecordingFileSystem(disk, {
      before: ({ operation, path }) =>
        operation === 'read' && path === TARGET && short-- > 0 ? { bytes: 0 } : undefined,
    });
    const again = await open(fs);
    expect(again.recovery.clean).toBe(true);
    expect(again.state).toEqual({ n: 0, m: 0 });
    await again.close();
  });

  it('notices a short write whose bytes did not arrive', async () => {
    const disk = new MemoryFileSystem();
    const fs = new RecordingFileSystem(disk);
    const store = await counterOn(fs);
    const before = rawCheckpoint(disk);
    fs.setHooks({
      before: ({ operation, path }) =>
        operation === 'write' && path.endsWith('.tmp') ? { bytes: 10 } : undefined,
      after: ({ operation, path }) => {
        if (operation !== 'write' || !path.endsWith('.tmp')) return;
        const handle = disk.open(path, 'readWrite');
        handle.write(new Uint8Array(4), 0);
        handle.close();
      },
    });
    await expect(store.set('n', 1)).rejects.toMatchObject({
      code: 'SHORT_WRITE',
      details: { outcome: 'notSaved' },
    });
    fs.setHooks({});
    expect(rawCheckpoint(disk)).toBe(before);
    await store.close();
  });

  it('tells when an older checkpoint was put in the place of the newest, and follows its policy', async () => {
    const disk = new MemoryFileSystem();
    const store = await counterOn(disk);
    await store.set('n', 1);
    await store.set('n', 2);
    await store.close();
    const entry = disk.snapshot()[`${DIRECTORY}/checkpoints/000000000001.ORCHESTRATION.yaml`];
    const old = entry?.kind === 'file' ? new TextDecoder().decode(entry.content) : '';
    editInPlace(disk, old);
    await expect(open(disk, { externalEdits: 'reject' })).rejects.toMatchObject({
      code: 'EDITED_OUTSIDE',
    });
    const again = await open(disk);
    expect(again.recovery.decisions.at(-1)).toMatchObject({
      label: 'checkpoint-older-adopt',
      finding: true,
    });
    expect(again.sequence).toBe(4);
    await again.set('n', 10);
    await again.close();
  });

  it('never prunes the newest checkpoint that is known to verify', async () => {
    const disk = new MemoryFileSystem();
    const store = await open(disk, { maxCheckpoints: 2 });
    await store.save({ n: 1 });
    await store.close();
    for (const junk of ['000000000901', '000000000902', '000000000903']) {
      const path = `${DIRECTORY}/checkpoints/${junk}.ORCHESTRATION.yaml`;
      disk.open(path, 'create', 0o600).close();
    }
    const again = await open(disk, { maxCheckpoints: 2 });
    await again.save({ n: 2 });
    await again.close();
    editInPlace(disk, '');
    const restored = await open(disk);
    expect(restored.state).toEqual({ n: 2 });
    await restored.close();
  });

  it('opens and closes although its logger throws', async () => {
    const fail = () => {
      throw new Error('bad logger');
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const disk = new MemoryFileSystem();
    const store = await open(disk, { logger });
    await store.save({ a: 1 });
    await store.close();
    await (await open(disk)).close();
  });

  it('gives a save up whose signal aborts while it is validated', async () => {
    const schema = z.object({ n: z.number() }).refine(async () => {
      await new Promise((go) => setImmediate(go));
      return true;
    });
    const store = await openCheckpointStore({
      directory: DIRECTORY,
      fileSystem: new MemoryFileSystem(),
      schema,
    });
    const controller = new AbortController();
    const saving = store.save({ n: 1 }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(saving).rejects.toThrow('enough');
    expect(store.state).toBeUndefined();
    await store.close();
  });

  it('remembers a save that was acknowledged as logged, after it has halted', async () => {
    const disk = new MemoryFileSystem();
    const fs = new RecordingFileSystem(disk);
    const store = await counterOn(slowSyncs(fs));
    fs.setHooks({
      before: ({ operation, path }) => {
        if (operation === 'write' && path.endsWith('.tmp')) throw systemError('EIO', 'write');
        return undefined;
      },
    });
    const logged = store.set('n', 1, { durability: 'logged' });
    const waiting = store.set('n', 2).catch(({ code }: { code: string }) => code);
    await logged;
    expect(await waiting).toBe('HALTED');
    expect(store.state).toMatchObject({ n: 1 });
    await store.close();
  });

  it.each(['checkpoints', 'quarantine'])(
    'never writes through a symbolic link %s',
    async (name) => {
      const disk = new MemoryFileSystem();
      const store = await counterOn(disk);
      disk.makeDirectory('/elsewhere');
      disk.symlink('/elsewhere', `${DIRECTORY}/${name}`);
      if (name === 'quarantine') editInPlace(disk, '');
      await expect(store.set('n', 1)).rejects.toMatchObject({ code: 'PATH_OUTSIDE_STORE' });
      expect(disk.list('/elsewhere')).toEqual([]);
      await store.close();
    },
  );

  it('does not follow a file that became a symbolic link', async () => {
    const disk = new MemoryFileSystem();
    const store = await counterOn(disk);
    disk.rename(TARGET, `${DIRECTORY}/real.yaml`);
    disk.symlink('real.yaml', TARGET);
    await expect(store.set('n', 1)).rejects.toMatchObject({ code: 'READ_FAILED' });
    expect(disk.statLink(TARGET)?.kind).toBe('symlink');
    await store.close();
  });

  it('creates nothing where the file name is refused', async () => {
    const disk = new MemoryFileSystem();
    await expect(open(disk, { file: '../x' })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE_STORE',
    });
    expect(Object.keys(disk.snapshot())).toEqual(['/']);
  });
});

describe('a recovery whose disk reads wrong once', () => {
  const LOG = `${DIRECTORY}/.checkpoint.wal`;

  /** Checkpoint 1 published, save 2 acknowledged as logged, then a crash. */
  async function crashedWhenLogged(): Promise<MemoryFileSystem> {
    const disk = new MemoryFileSystem();
    const fs = new RecordingFileSystem(disk);
    const store = await counterOn(fs);
    fs.setHooks({
      before: ({ operation, path }) => {
        if (operation === 'open' && path.endsWith('.tmp')) throw systemError('EIO', 'open');
        return undefined;
      },
    });
    await store.set('n', 1, { durability: 'logged' });
    return disk.clone();
  }

  it.each([
    ['a flipped bit', flipBit(400, 3)],
    ['zeros', misdirect({ shift: 1 << 20 })],
    ['another file', misdirect({ from: TARGET })],
  ])('loses no logged save to %s in its log', async (_, fault) => {
    const disk = await crashedWhenLogged();
    const store = await open(new FaultyFileSystem(disk, failNth({ path: LOG }, fault)));
    expect(store.state).toMatchObject({ n: 1 });
    await store.close();
  });

  it('refuses, and destroys nothing, when its log never reads the same twice', async () => {
    const disk = await crashedWhenLogged();
    const reads = Array.from({ length: 9 }, (_, index) =>
      failNth({ path: LOG, nth: index + 1 }, flipBit(400 + index, 0)),
    );
    const opening = open(new FaultyFileSystem(disk, firstOf(...reads)));
    await expect(opening).rejects.toMatchObject({ code: 'READ_FAILED' });
    const store = await open(disk);
    expect(store.state).toMatchObject({ n: 1 });
    await store.close();
  });

  it('takes no flipped bit in the checkpoint for an edit', async () => {
    const disk = new MemoryFileSystem();
    await (await counterOn(disk)).close();
    const store = await open(new FaultyFileSystem(disk, failNth({ path: TARGET }, flipBit(3, 0))));
    expect(store.state).toEqual({ n: 0, m: 0 });
    expect(store.recovery.decisions.map(({ label }) => label)).toContain('checkpoint-intact');
    await store.close();
  });

  it('does not go back further in history because the newest entry can not be read now', async () => {
    const disk = new MemoryFileSystem();
    const first = await counterOn(disk);
    await first.set('n', 1);
    await first.close();
    editInPlace(disk, '');
    const unreadable = failNth({ operation: 'read', path: /checkpoints\/0+2\./ }, 'EIO');
    const opening = open(new FaultyFileSystem(disk, unreadable));
    await expect(opening).rejects.toMatchObject({ code: 'READ_FAILED' });
    const store = await open(disk);
    expect(store.state).toMatchObject({ n: 1 });
    await store.close();
  });
});
