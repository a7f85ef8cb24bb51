import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/format/audit-entry.js';
import type { Decide } from '../../../src/io/fault-rules.js';
import { dropPages, fail } from '../../../src/io/faults.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import type { FileSystem } from '../../../src/io/file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { SimulatedDisk } from '../../../src/io/simulated-disk.js';
import type {
  CheckpointStoreEvent,
  CheckpointStoreOptions,
} from '../../../src/store/store-options.js';
import { type CheckpointStore, openCheckpointStore } from '../../../src/store.js';
import { auditTexts, entriesOf, verifyTexts } from '../../helpers/audit-records.js';
import { DIRECTORY, TARGET } from '../../helpers/crash-memory.js';
import { readText, writeText } from '../../helpers/fs-text.js';

const AUDIT = `${DIRECTORY}/audit.jsonl`;

type Store = CheckpointStore<Record<string, unknown>>;

const open = (
  fileSystem: FileSystem,
  options: Partial<CheckpointStoreOptions<undefined>> = {},
): Promise<Store> => openCheckpointStore({ directory: DIRECTORY, fileSystem, ...options });

const ways = (entries: readonly AuditEntry[], machine: string) =>
  entries.filter((entry) => entry.machine === machine).map(({ from, to }) => `${from} > ${to}`);

const append = (fs: FileSystem, text: string): void => {
  const handle = fs.open(AUDIT, 'readWrite');
  handle.write(new TextEncoder().encode(text), handle.size());
  handle.close();
};

/** A rule for one operation on the file of the audit. */
const onAudit =
  (operation: string, fault: ReturnType<typeof fail>, isOn = () => true): Decide =>
  ({ path, operation: met }) =>
    met === operation && path === AUDIT && isOn() ? fault : undefined;

describe('the audit of a store', () => {
  it('holds every transition of a run, in order, in one chain', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 }, { label: 'first' });
    await store.close();
    const entries = entriesOf(auditTexts(fs));
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true, runs: 1, notes: [] });
    expect(ways(entries, 'write')).toEqual([
      ' > writingIntent',
      'writingIntent > writingData',
      'writingData > syncingWal',
      'syncingWal > writingCheckpoint',
      'writingCheckpoint > syncingCheckpoint',
      'syncingCheckpoint > deletingWal',
      'deletingWal > committed',
    ]);
    const moves = ways(entries, 'checkpoint').filter((way) => !/^(.*) > \1$/.test(way));
    expect(moves).toEqual([
      ' > locking',
      'locking > recovering',
      'recovering > assessing',
      'assessing > ready',
      'ready > checkingForEdits',
      'checkingForEdits > saving',
      'saving > ready',
      'ready > leaving',
      'leaving > closing',
      'closing > closed',
    ]);
    expect(new Set(entries.map(({ machine }) => machine))).toEqual(
      new Set(['audit', 'checkpoint', 'recovery', 'detector', 'write']),
    );
    const asked = entries.find(({ event }) => event === 'save.requested');
    expect(asked).toMatchObject({ by: '', details: { label: 'first', durability: 'committed' } });
    const saved = entries.find(({ event }) => event === 'writeIntent.done');
    expect(saved).toMatchObject({ by: 'io', sequence: 1, epoch: 1 });
    expect(saved?.details.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('goes on in the next run, whose epoch is higher', async () => {
    const fs = new MemoryFileSystem();
    for (const v of [1, 2]) {
      const store = await open(fs);
      await store.save({ v });
      await store.close();
    }
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true, runs: 2 });
    const epochs = entriesOf(auditTexts(fs)).map(({ epoch }) => epoch);
    expect(epochs.at(-1)).toBe(2);
  });

  it('holds an entry before the state that it enters asks for its I/O', async () => {
    const fs = new MemoryFileSystem();
    const order: string[] = [];
    const store = await open(fs, {
      audit: { onEntry: ({ machine, to }) => void order.push(`${machine} ${to}`) },
      around: (io) => ({
        ...io,
        syncWal: (input) => {
          order.push('the sync');
          return io.syncWal(input);
        },
      }),
    });
    await store.save({ v: 1 });
    await store.close();
    expect(order.indexOf('write syncingWal')).toBe(order.indexOf('the sync') - 1);
  });

  it('holds refusals, and what led to them', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    writeText(fs, TARGET, 'a: 1\na: 2\n');
    await expect(open(fs)).rejects.toMatchObject({ code: 'REFUSED' });
    const entries = entriesOf(auditTexts(fs));
    expect(entries.at(-2)).toMatchObject({ machine: 'checkpoint', to: 'refused' });
    expect(entries.at(-1)).toMatchObject({ machine: 'audit', event: 'audit.closed' });
    const seen = entries.find(({ event }) => event === 'checkCheckpoint.done');
    expect(seen?.details).toMatchObject({
      condition: 'damaged',
      problem: { code: 'DUPLICATE_KEY' },
    });
    expect(verifyTexts(auditTexts(fs)).intact).toBe(true);
    // The lock is free: another store gets it.
    expect(fs.lockHolder(`${DIRECTORY}/.checkpoint.lock`)).toBeUndefined();
  });

  it('holds restores, reported failures and the guard, and none of what they quote', async () => {
    const fs = new MemoryFileSystem();
    const secret = 'canary-4711';
    const store = await open(fs, { restore: { threshold: 1 } });
    await store.save({ v: 1 });
    await store.save({ v: secret });
    await store.reportFailure(new Error(`no ${secret} here`));
    await expect(store.set('nope.x', undefined)).rejects.toThrow();
    const watch = store.watch({ settleMs: 1, pollMs: 1 });
    watch.stop();
    await watch.done;
    await store.close();
    const [{ text } = { text: '' }] = auditTexts(fs);
    const entries = entriesOf(auditTexts(fs));
    expect(entries.map(({ event }) => event)).toContain('detector.restoreWanted');
    expect(ways(entries, 'guard').at(-1)).toContain('stopped');
    expect(text).not.toContain(secret);
  });

  it('holds the messages too where that is asked for', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs, { includeMessages: true });
    await store.reportFailure(new Error('agent 2 gave up'));
    await store.close();
    expect(readText(fs, AUDIT)).toContain('agent 2 gave up');
  });

  it('has its head, and tells who listens, at once, and nobody what was before', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 });
    const early = store.audit?.head.number;
    expect(early).toBe(entriesOf(auditTexts(fs)).at(-1)?.number);
    const saving = store.save({ v: 2 });
    const told: AuditEntry[] = [];
    const stop = store.onAuditEntry((entry) => told.push(entry));
    await saving;
    void store.actor.send({ type: 'check.requested', requestId: 999 });
    expect(told.at(-1)).toMatchObject({ number: store.audit?.head.number });
    stop();
    const count = told.length;
    await store.close();
    expect(told).toHaveLength(count);
    const entries = entriesOf(auditTexts(fs));
    const from = told[0]?.number ?? 0;
    expect(from).toBeGreaterThan(early ?? 0);
    expect(told).toEqual(entries.slice(from - 1, from - 1 + count));
    expect(verifyTexts(auditTexts(fs)).intact).toBe(true);
  });

  it('is not there where it is not wanted', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs, { audit: false });
    await store.save({ v: 1 });
    expect(store.audit).toBeUndefined();
    await store.close();
    expect(fs.stat(AUDIT)).toBeUndefined();
  });

  it.each([
    { sync: 'sometimes' },
    { maxBytes: 0 },
    { maxFiles: -1 },
    { onEntry: 'x' },
    true,
    'round',
  ])('refuses settings that can not be meant: %j', async (audit) => {
    const options = { audit: audit as never };
    await expect(open(new MemoryFileSystem(), options)).rejects.toThrow(TypeError);
  });
});

describe('the audit of saves that wait in the log', () => {
  const onDisk = async (fault?: Decide) => {
    const recording = new RecordingFileSystem(new SimulatedDisk());
    const fs = new FaultyFileSystem(recording, fault ?? (() => undefined));
    const store = await open(fs, {
      publish: { afterMs: Number.POSITIVE_INFINITY },
      restore: false,
    });
    await store.save({ v: 0 });
    return { fs, recording, store };
  };

  it('is synced beside the log, but for the entry that says that this was synced', async () => {
    const { recording, store, fs } = await onDisk();
    const before = recording.operations.length;
    await store.set('v', 1);
    const changes = recording.operations
      .slice(before)
      .filter(({ operation }) => operation === 'write' || operation === 'sync')
      .map(({ operation, path }) => `${operation} ${path.slice(DIRECTORY.length + 1)}`);
    const wal = '.checkpoint.wal';
    expect(changes).toEqual([
      ...[`write ${wal}`, `write ${wal}`, `sync ${wal}`],
      ...['write audit.jsonl', 'sync audit.jsonl', 'write audit.jsonl'],
    ]);
    expect(entriesOf(auditTexts(fs)).findLast(({ machine }) => machine === 'write')).toMatchObject({
      ...{ from: 'syncingWal', to: 'logged', sequence: 2 },
    });
    await store.close();
    expect(verifyTexts(auditTexts(fs)).intact).toBe(true);
  });

  it('keeps a save from being acknowledged where it can not be synced, and is written later', async () => {
    let isFailing = false;
    const { store, fs } = await onDisk(onAudit('sync', fail('EIO'), () => isFailing));
    isFailing = true;
    await expect(store.set('v', 1)).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    isFailing = false;
    await store.set('v', 2);
    await store.close();
    expect(verifyTexts(auditTexts(fs)).broken).toBeUndefined();
    const logged = entriesOf(auditTexts(fs)).filter(({ to }) => to === 'logged');
    expect(logged.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('is synced before the answer where a save has to be committed', async () => {
    const { recording, store } = await onDisk();
    const before = recording.operations.length;
    await store.set('v', 1, { durability: 'committed' });
    const last = recording.operations
      .slice(before)
      .findLast(({ operation }) => operation === 'sync');
    expect(last?.path).toBe(AUDIT);
    await store.close();
  });
});

describe('what is in the way of the audit', () => {
  it.each([
    ['half a line', '{"number":99,"time":"2026'],
    ['zeros', '\0\0\0\0\n\0\0'],
    ['a line that was changed', '{"number":1}\n'],
  ])('at its end (%s) is kept, cut off and told, and the chain goes on', async (_what, tail) => {
    const fs = new MemoryFileSystem();
    await (await open(fs)).close();
    append(fs, tail);
    const logged: string[] = [];
    const log = (_facts: object, message: string) => void logged.push(message);
    const logger = { debug: log, info: log, warn: log, error: log };
    const store = await open(fs, { logger });
    expect(store.warnings).toEqual([expect.stringContaining('The end of the audit was torn')]);
    expect(logged).toContain(store.warnings[0]);
    const { setAside } = store.audit ?? {};
    expect(setAside).toMatchObject({ bytes: tail.length, reason: 'torn-tail' });
    expect(readText(fs, `${DIRECTORY}/${setAside?.file}`)).toBe(tail);
    await store.save({ v: 1 });
    await store.close();
    const verdict = verifyTexts(auditTexts(fs));
    expect(verdict).toMatchObject({ intact: true, runs: 2 });
    expect(verdict.notes).toEqual([expect.stringContaining('torn-tail')]);
    // Once only.
    const again = await open(fs);
    expect(again.audit?.setAside).toBeUndefined();
    await again.close();
  });

  it('as a whole file without one good line near its end is kept, and a new chain begins', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    writeText(fs, AUDIT, 'not an entry\n'.repeat(100_000));
    const store = await open(fs);
    expect(store.audit?.setAside).toMatchObject({ bytes: 1_300_000, reason: 'damaged' });
    await store.save({ v: 1 });
    await store.close();
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true, runs: 1 });
  });

  it.each(['directory', 'symlink'])('as a %s is warned of and logged at open', async (kind) => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    if (kind === 'directory') fs.makeDirectory(AUDIT);
    else fs.symlink('/elsewhere', AUDIT);
    const logged: string[] = [];
    const none = () => {};
    const warn = (_facts: object, message: string) => void logged.push(message);
    const store = await open(fs, { logger: { debug: none, info: none, warn, error: none } });
    const told = expect.stringContaining(`audit.jsonl is a ${kind}, not the store's own`);
    expect([store.warnings, logged]).toEqual([[told], [told]]);
    await store.close();
  });

  it('as something that is no file refuses no open, but every save under the policy round', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    fs.makeDirectory(AUDIT);
    const told: CheckpointStoreEvent[] = [];
    const store = await open(fs);
    store.subscribe((event) => void told.push(event));
    expect(store.audit?.problem).toMatchObject({ code: 'AUDIT_FAILED' });
    await expect(store.save({ v: 1 })).rejects.toMatchObject({
      code: 'AUDIT_FAILED',
      details: { outcome: 'published', sequence: 1 },
      message: expect.stringContaining('audit: false'),
    });
    expect(store.state).toEqual({ v: 1 });
    // Somebody clears it up: nothing was forgotten.
    fs.removeDirectory(AUDIT);
    await store.save({ v: 2 });
    expect(store.audit?.problem).toBeUndefined();
    await store.close();
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true, runs: 1 });
    const saves = ways(entriesOf(auditTexts(fs)), 'write').filter((way) =>
      way.endsWith('committed'),
    );
    expect(saves).toHaveLength(2);
  });

  it.each(['close', 'off'] as const)(
    'is told, and refuses nothing, under the policy %s',
    async (sync) => {
      const fs = new MemoryFileSystem();
      fs.makeDirectory(DIRECTORY);
      fs.makeDirectory(AUDIT);
      const store = await open(fs, { audit: { sync } });
      await store.save({ v: 1 });
      expect(store.audit?.problem).toMatchObject({ code: 'AUDIT_FAILED' });
      await store.close();
    },
  );
});

describe('somebody who changes the record', () => {
  it.each(['round', 'close'] as const)(
    'of a run that was closed is not taken for a crash by the next one (%s)',
    async (sync) => {
      const fs = new MemoryFileSystem();
      const store = await open(fs, { audit: { sync } });
      for (let v = 1; v <= 5; v += 1) await store.save({ v });
      await store.close();
      const text = readText(fs, AUDIT).replace('"to":"writingData"', '"to":"writingDatA"');
      fs.unlink(AUDIT);
      writeText(fs, AUDIT, text);
      const again = await open(fs, { audit: { sync } });
      expect(again.audit).toMatchObject({ isDamaged: true });
      expect(again.audit?.setAside).toBeUndefined();
      expect(again.warnings.join()).toContain('"audit verify" names them');
      await again.close();
      const verdict = verifyTexts(auditTexts(fs));
      expect(verdict).toMatchObject({ hasFindings: true, broken: { kind: 'hash' } });
    },
  );

  it('by another file in `audit/` of that name loses nothing of it', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 });
    await store.close();
    const before = entriesOf(auditTexts(fs)).length;
    fs.makeDirectory(`${DIRECTORY}/audit`);
    writeText(fs, `${DIRECTORY}/audit/000000000001.jsonl`, '');
    const again = await open(fs, { audit: { maxBytes: 100 } });
    await again.save({ v: 2 });
    await again.close();
    expect(entriesOf(auditTexts(fs)).length).toBeGreaterThan(before);
    expect(verifyTexts(auditTexts(fs)).broken).toBeUndefined();
  });

  it('in its first line keeps no later file from being put away', async () => {
    const fs = new MemoryFileSystem();
    for (const v of [1, 2, 3]) {
      const store = await open(fs, { audit: { maxBytes: 4000 } });
      await store.save({ v });
      if (v === 2) {
        const text = readText(fs, AUDIT).replace('"elapsedUs":', '"elapsedUs" :');
        const handle = fs.open(AUDIT, 'readWrite');
        handle.write(new TextEncoder().encode(text), 0);
        handle.close();
      }
      await store.save({ v: v + 10 });
      await store.close();
    }
    const names = auditTexts(fs).map(({ file }) => file);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(3);
  });

  it.each(['gone', 'cut'] as const)('while the store is open (%s) is on record', async (how) => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    await store.save({ v: 1 });
    if (how === 'gone') fs.unlink(AUDIT);
    else {
      const handle = fs.open(AUDIT, 'readWrite');
      handle.truncate(10);
      handle.close();
    }
    await store.save({ v: 2 });
    await store.close();
    const events = entriesOf(auditTexts(fs)).map(({ event }) => event);
    expect(events).toContain(how === 'gone' ? 'audit.fileGone' : 'audit.fileCut');
    const { intact, hasFindings } = verifyTexts(auditTexts(fs));
    expect({ intact, hasFindings }).toEqual({ intact: false, hasFindings: true });
    // The save is there, and the one after it too.
    const saves = ways(entriesOf(auditTexts(fs)), 'write').filter((way) =>
      way.endsWith('committed'),
    );
    expect(saves.length).toBeGreaterThan(0);
  });

  it('by a file of his own under its name keeps saves from being acknowledged', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    fs.unlink(AUDIT);
    writeText(fs, AUDIT, 'mine');
    await expect(store.save({ v: 1 })).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    expect(readText(fs, AUDIT)).toBe('mine');
    fs.unlink(AUDIT);
    await store.save({ v: 2 });
    await store.close();
  });

  it('in a listener does not reach the chain', async () => {
    const fs = new MemoryFileSystem();
    const store = await open(fs);
    store.onAuditEntry((entry) => {
      Object.assign(entry, { number: 1, hash: 'f'.repeat(64) });
    });
    await store.save({ v: 1 });
    await store.close();
    expect(verifyTexts(auditTexts(fs)).broken).toBeUndefined();
  });
});

describe('a disk that fails the audit', () => {
  it('by a write is told with the save, and its entries are written later', async () => {
    const fs = new MemoryFileSystem();
    let isFull = false;
    const store = await open(
      new FaultyFileSystem(
        fs,
        onAudit('write', fail('ENOSPC'), () => isFull),
      ),
    );
    const told: string[] = [];
    store.subscribe(({ type }) => void told.push(type));
    await store.save({ v: 1 });
    isFull = true;
    for (const v of [2, 3]) {
      await expect(store.save({ v })).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    }
    expect(told.filter((type) => type === 'auditFailed')).toHaveLength(1);
    isFull = false;
    await store.save({ v: 4 });
    await store.close();
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true });
    const saves = ways(entriesOf(auditTexts(fs)), 'write').filter((way) =>
      way.endsWith('committed'),
    );
    expect(saves).toHaveLength(4);
  });

  it('by a sync gets its entries in a fresh file: that descriptor is not synced again', async () => {
    const disk = new SimulatedDisk();
    let isFailing = false;
    const fs = new FaultyFileSystem(
      disk,
      onAudit('sync', dropPages(), () => isFailing),
    );
    const store = await open(fs);
    await store.save({ v: 1 });
    isFailing = true;
    await expect(store.save({ v: 2 })).rejects.toMatchObject({ code: 'AUDIT_FAILED' });
    isFailing = false;
    await store.save({ v: 3 });
    const head = store.audit?.head;
    // Power failure: what was never confirmed is gone, what was acknowledged is not.
    const { durable } = disk.moment();
    const after = new SimulatedDisk({ state: durable });
    const verdict = verifyTexts(auditTexts(after));
    expect(verdict).toMatchObject({ intact: true, head });
    await store.close();
  });

  it('while too much waits for it loses entries, and says how many', async () => {
    const fs = new MemoryFileSystem();
    let isFull = false;
    const store = await open(
      new FaultyFileSystem(
        fs,
        onAudit('write', fail('ENOSPC'), () => isFull),
      ),
      {
        restore: false,
        externalEdits: 'adopt',
      },
    );
    isFull = true;
    const label = 'x'.repeat(1000);
    while ((store.audit?.lost ?? 0) === 0) {
      await Promise.allSettled(Array.from({ length: 500 }, (_, v) => store.save({ v }, { label })));
    }
    isFull = false;
    await store.save({ v: 1 });
    await store.save({ v: 2 });
    await store.close();
    const verdict = verifyTexts(auditTexts(fs));
    expect(verdict.intact).toBe(true);
    expect(verdict.notes.join()).toContain('were lost');
  });
});

describe('the files of an audit', () => {
  it('are put away when they are full, in one chain, and the oldest are removed on record', async () => {
    const fs = new MemoryFileSystem();
    for (let run = 0; run < 3; run += 1) {
      const store = await open(fs, { audit: { maxBytes: 12_000, maxFiles: 2 } });
      for (let v = 0; v < 5; v += 1) await store.save({ v: run * 10 + v });
      await store.close();
    }
    const texts = auditTexts(fs);
    expect(texts.map(({ file }) => file)).toEqual([
      expect.stringMatching(/^audit\/\d{12}\.jsonl$/),
      expect.stringMatching(/^audit\/\d{12}\.jsonl$/),
      'audit.jsonl',
    ]);
    for (const { file, text } of texts) {
      const number = /\d{12}/.exec(file)?.[0];
      if (number) expect(text).toMatch(new RegExp(`^\\{"number":${Number(number)},`));
    }
    const verdict = verifyTexts(texts);
    expect(verdict.broken).toBeUndefined();
    expect(verdict.notes.join()).toContain('retention removed');
    expect(verdict.first?.number).toBeGreaterThan(1);
    // Not one may be missing, and none may be cut.
    expect(verifyTexts(texts.toSpliced(1, 1)).broken?.kind).toBe('number');
    expect(verifyTexts(texts.slice(1)).broken?.kind).toBe('start');
  });

  it('go on after a crash between the steps of putting one away', async () => {
    const fs = new MemoryFileSystem();
    await (await open(fs)).close();
    fs.makeDirectory(`${DIRECTORY}/audit`);
    fs.link(AUDIT, `${DIRECTORY}/audit/000000000001.jsonl`);
    const store = await open(fs);
    await store.save({ v: 1 });
    await store.close();
    expect(verifyTexts(auditTexts(fs))).toMatchObject({ intact: true, runs: 2 });
  });

  it('have the mode of the checkpoint', async () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory(DIRECTORY);
    writeText(fs, TARGET, 'v: 1\n', 0o640);
    await (await open(fs)).close();
    expect(fs.stat(AUDIT)?.mode).toBe(0o640);
  });
});
