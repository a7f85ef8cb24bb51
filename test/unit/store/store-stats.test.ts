/**
 * The numbers of `store.stats()`: against what was done, and against the disk.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { failNth } from '../../../src/io/fault-rules.js';
import { FaultyFileSystem } from '../../../src/io/faulty-file-system.js';
import { MemoryFileSystem } from '../../../src/io/memory-file-system.js';
import { RecordingFileSystem } from '../../../src/io/recording-file-system.js';
import { LatencyHistogram } from '../../../src/store/latency-histogram.js';
import { openCheckpointStore } from '../../../src/store.js';
import { freshFolder } from '../../helpers/temporary-folders.js';

describe('stats()', () => {
  it('is plain numbers, all of them 0 for saves before the first one', async () => {
    const store = await openCheckpointStore({
      directory: '/s',
      fileSystem: new MemoryFileSystem(),
    });
    const stats = store.stats();
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(stats).toMatchObject({
      saves: { requested: 0, acknowledged: 0, failed: 0, rejected: 0, waiting: 0 },
      rounds: { committed: 0, meanSaves: 0, maxSaves: 0 },
      bytes: { log: 0, checkpoint: 0 },
      outsideEdits: 0,
      restores: 0,
    });
    expect(stats.recoveryMs).toBeGreaterThan(0);
    await store.close();
  });

  it('counts saves that wait, that are acknowledged, and how many share a round', async () => {
    const store = await openCheckpointStore({ directory: freshFolder() });
    const saving = Array.from({ length: 10 }, (_, index) => store.set('n', index));
    expect(store.stats().saves).toMatchObject({ requested: 10, acknowledged: 0, waiting: 10 });
    await Promise.all(saving);
    const { saves, rounds } = store.stats();
    expect(saves).toEqual({ requested: 10, acknowledged: 10, failed: 0, rejected: 0, waiting: 0 });
    expect(rounds).toEqual({ committed: 2, meanSaves: 5, maxSaves: 9 });
    await store.close();
  });

  it('tells saves that were refused as they were from those that failed', async () => {
    const fileSystem = new FaultyFileSystem(
      new MemoryFileSystem(),
      failNth({ operation: 'write', path: /wal$/ }, 'ENOSPC'),
    );
    const schema = z.looseObject({ n: z.number() });
    const store = await openCheckpointStore({ directory: '/s', fileSystem, schema });
    await expect(store.save({ n: 1 })).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(store.set('n', 'x')).rejects.toMatchObject({ code: 'SCHEMA_INVALID' });
    const aborted = AbortSignal.abort();
    await expect(store.save({ n: 2 }, { signal: aborted })).rejects.toThrow();
    await store.save({ n: 3 });
    await store.close();
    await expect(store.save({ n: 4 })).rejects.toMatchObject({ code: 'CLOSED' });
    expect(store.stats().saves).toEqual({
      requested: 5,
      acknowledged: 1,
      failed: 1,
      rejected: 3,
      waiting: 0,
    });
  });

  it('counts the bytes and the syncs that the disk has seen', async () => {
    const recording = new RecordingFileSystem(new MemoryFileSystem());
    const store = await openCheckpointStore({ directory: '/s', fileSystem: recording });
    await store.save({ a: 'x'.repeat(1000) });
    await store.save({ a: 'y'.repeat(500) });
    const written = (pattern: RegExp) =>
      recording.operations
        .filter(({ operation, path }) => operation === 'write' && pattern.test(path))
        .reduce((sum, { result, bytes }) => sum + Number(result ?? bytes), 0);
    const { bytes, syncs } = store.stats();
    expect(bytes).toEqual({ log: written(/\.wal$/), checkpoint: written(/ORCHESTRATION.*\.tmp$/) });
    expect(bytes.log).toBeGreaterThan(1500);
    const synced = recording.operations.filter(({ operation }) => /^sync/.test(operation));
    expect(syncs.count).toBe(synced.length);
    expect(syncs.maxMs).toBeGreaterThanOrEqual(syncs.p99Ms);
    expect(syncs.p99Ms).toBeGreaterThanOrEqual(syncs.p50Ms);
    expect(syncs.p50Ms).toBeGreaterThan(0);
    await store.close();
  });

  it('counts syncs that failed', async () => {
    const fileSystem = new FaultyFileSystem(
      new MemoryFileSystem(),
      failNth({ operation: 'sync', path: /wal$/ }, 'EIO'),
    );
    const store = await openCheckpointStore({ directory: '/s', fileSystem });
    await store.save({ a: 1 });
    expect(store.stats().syncs.failed).toBe(1);
    await store.close();
  });

  it('counts edits made outside, and restores', async () => {
    const directory = freshFolder();
    const store = await openCheckpointStore({ directory });
    await store.set('a', 1);
    await store.set('a', 2);
    writeFileSync(join(directory, 'ORCHESTRATION.yaml'), 'a: 3\n');
    await store.check();
    await store.restore('previous');
    expect(store.stats()).toMatchObject({ outsideEdits: 1, restores: 1 });
    await store.close();
  });
});

describe('a histogram of latencies', () => {
  it('gives percentiles that are at most 6 % above the true ones, and never below', () => {
    const histogram = new LatencyHistogram();
    const durations = Array.from({ length: 10_000 }, (_, index) => ((index * 7919) % 10_000) / 97);
    for (const duration of durations) histogram.add(duration);
    const sorted = durations.toSorted((left, right) => left - right);
    const { count, meanMs, p50Ms, p99Ms, maxMs } = histogram.summary();
    for (const [told, rank] of [
      [p50Ms, 5000],
      [p99Ms, 9900],
    ] as const) {
      const exact = sorted[rank - 1] ?? 0;
      expect(told).toBeGreaterThanOrEqual(exact * 0.999_999);
      expect(told).toBeLessThanOrEqual(exact * 1.06);
    }
    expect(count).toBe(10_000);
    expect(maxMs).toBe(sorted.at(-1));
    expect(meanMs).toBeCloseTo(sorted.reduce((sum, one) => sum + one, 0) / 10_000, 6);
  });

  it('holds nothing, too little, too much and a clock that was set back', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.summary()).toEqual({ count: 0, meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
    histogram.add(-5);
    expect(histogram.summary()).toMatchObject({ count: 1, p50Ms: 0, maxMs: 0 });
    histogram.add(1e9);
    expect(histogram.summary()).toMatchObject({ count: 2, p99Ms: 1e9, maxMs: 1e9 });
  });
});
