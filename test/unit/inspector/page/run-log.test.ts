/**
 * What the page concludes from entries: states at any of them, requests and answers, the disk. Entries
 * come from real stores.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../src/format/audit-entry.js';
import { filesOf } from '../../../../src/inspector/page/derived-disk.js';
import { isActive, isFailure } from '../../../../src/inspector/page/machine-states.js';
import { PrefixStates } from '../../../../src/inspector/page/prefix-states.js';
import { RunLog } from '../../../../src/inspector/page/run-log.js';
import type { RunModel } from '../../../../src/inspector/run-model.js';
import { crashedModel, longModel, recordedModel } from '../../../helpers/inspector-models.js';

let model: RunModel;
let log: RunLog;

beforeAll(async () => {
  model = await recordedModel();
  log = new RunLog(model.entries);
});

/** The `nth` entry, from 1, at which a machine takes an event. */
function at(machine: string, event: string, nth = 1): number {
  const found = model.entries.flatMap((entry, index) =>
    entry.machine === machine && entry.event === event ? [index] : [],
  );
  return found[nth - 1] ?? Number.NaN;
}

describe('states looked up by prefix', () => {
  it('are those of a plain fold, wherever and in whatever order one looks', () => {
    const items = Array.from({ length: 2000 }, (_, index) => index);
    const sums = new PrefixStates(items, 0, (sum, item) => sum + item);
    for (const index of [1999, 0, 255, 256, 257, 1024, 3, 1998, -1, 5000]) {
      const last = Math.min(index, 1999);
      expect(sums.after(index)).toBe(last < 0 ? 0 : (last * (last + 1)) / 2);
    }
  });

  it('take at most one stretch of steps for a look anywhere, once the whole was seen', () => {
    const items = Array.from({ length: 100_000 }, (_, index) => index);
    let steps = 0;
    const counted = new PrefixStates(items, 0, (count) => {
      steps += 1;
      return count + 1;
    });
    counted.after(99_999);
    steps = 0;
    expect(counted.after(50_123)).toBe(50_124);
    expect(steps).toBeLessThanOrEqual(256);
  });

  it('go on when the list has grown', () => {
    const items = [1, 2];
    const sums = new PrefixStates(items, 0, (sum, item) => sum + item);
    expect(sums.after(1)).toBe(3);
    items.push(3);
    expect(sums.after(2)).toBe(6);
  });
});

describe('the states of the machines after an entry', () => {
  it('are those that the entries tell, for each machine by itself', () => {
    const states = log.machinesAfter(at('write', 'syncWal.done'));
    expect(states.write?.active).toEqual(['writingCheckpoint']);
    expect(states.checkpoint?.active).toEqual(['saving']);
    expect(states.recovery?.active).toEqual(['ready']);
    expect(states.guard).toBeUndefined();
  });

  it('hold all regions of a machine with parallel states', () => {
    const states = log.machinesAfter(at('detector', 'health.changed'));
    expect([...(states.detector?.active ?? [])].sort()).toEqual([
      'memory.idle',
      'pulse.notExpected',
      'uptime.proving',
    ]);
    expect(states.detector && isActive(states.detector, 'memory')).toBe(true);
    expect(states.detector && isActive(states.detector, 'mem')).toBe(false);
  });

  it('say what failed', () => {
    const failed = at('write', 'syncWal.failed');
    expect(log.machinesAfter(failed).write).toMatchObject({ failed: true, to: ['droppingWal'] });
    expect(log.machinesAfter(failed + 1).write?.failed).toBe(false);
  });

  it('begin anew when a store starts', async () => {
    const { entries, crashes } = await crashedModel();
    const after = new RunLog(entries).machinesAfter((crashes?.[0]?.at ?? 0) + 1);
    expect(Object.keys(after)).toEqual(['checkpoint']);
    expect(after.checkpoint?.active).toEqual(['locking']);
  });

  it('begin anew with the entry by which an audit says that a store starts', () => {
    const [one] = model.entries;
    if (one === undefined) throw new Error('there are no entries');
    const opened = { ...one, machine: 'audit', from: '', to: 'recording', event: 'audit.opened' };
    const { length } = model.entries;
    const after = new RunLog([...model.entries, opened]);
    expect(Object.keys(after.machinesAfter(length))).toEqual(['audit']);
  });

  it('are none before the first entry', () => {
    expect(log.machinesAfter(-1)).toEqual({});
    expect(new RunLog().machinesAfter(0)).toEqual({});
  });
});

describe('requests for operations', () => {
  it('are sent at the entry that entered the state, and answered by the entry that left it', () => {
    const answer = at('write', 'syncWal.done');
    const request = log.requestOf(answer);
    expect(request).toMatchObject({ operation: 'syncWal', answer });
    const asked = request === undefined ? undefined : model.entries[request.at];
    expect(asked).toMatchObject({ machine: 'write', to: 'syncingWal' });
    expect(request && log.requestAt(request.at)).toBe(request);
  });

  it('are one for each answer, also where further transitions follow from it', () => {
    const first = at('detector', 'readHealth.done', 1);
    expect(log.requestOf(first)?.operation).toBe('readHealth');
    expect(model.entries[first + 1]?.event).toBe('readHealth.done');
    expect(log.requestOf(first + 1)).toBeUndefined();
  });

  it('took as long as it says between the two', () => {
    const answer = at('write', 'syncCheckpoint.done');
    const from = log.requestOf(answer)?.at ?? 0;
    const took = (model.entries[answer]?.elapsedUs ?? 0) - (model.entries[from]?.elapsedUs ?? 0);
    expect(log.tookUs(answer)).toBe(took);
    expect(log.slowestUs).toBeGreaterThanOrEqual(took);
    expect(log.slowestSyncUs).toBeGreaterThanOrEqual(took);
  });

  it('of failed operations are paired as well', () => {
    const failed = at('write', 'syncWal.failed');
    expect(isFailure(model.entries[failed] ?? { event: '' })).toBe(true);
    expect(log.requestOf(failed)?.operation).toBe('syncWal');
  });
});

describe('times between entries', () => {
  it('follow the wall clock from one run to the next, where the other clock begins anew', () => {
    const [one] = model.entries;
    if (one === undefined) throw new Error('there are no entries');
    const early: AuditEntry = { ...one, elapsedUs: 900, time: '2026-01-01T00:00:00.000Z' };
    const late: AuditEntry = {
      ...early,
      elapsedUs: 5,
      process: '2@other',
      time: '2026-01-01T00:00:02.000Z',
    };
    expect(new RunLog([early, late]).sinceBefore(1)).toBe(2_000_000);
    expect(new RunLog([early, { ...early, elapsedUs: 950 }]).sinceBefore(1)).toBe(50);
    expect(new RunLog([early]).sinceBefore(0)).toBe(0);
  });
});

describe('the disk as the entries tell it', () => {
  const disk = (index: number) => log.diskAfter(index);

  it('is unknown before anything was told', () => {
    expect(filesOf(disk(-1)).every(({ known }) => !known)).toBe(true);
  });

  it('has a log that only processes see until it is synced', () => {
    const written = disk(at('write', 'writeData.done')).wal;
    expect(written.volatile).toMatchObject({ sequence: 1, note: 'complete' });
    expect(written.durable).toBeUndefined();
    const synced = disk(at('write', 'syncWal.done')).wal;
    expect(synced.durable).toMatchObject({ sequence: 1, note: 'sealed' });
    expect(synced.durable?.size).toBe(written.volatile?.size);
  });

  it('has a temporary file that no power failure would leave, until it is published', () => {
    const written = disk(at('write', 'writeCheckpoint.done'));
    expect(written.temporary.volatile?.sequence).toBe(1);
    expect(written.temporary.durable).toBeUndefined();
    expect(written.checkpoint.volatile).toBeUndefined();
    const published = disk(at('write', 'syncCheckpoint.done'));
    expect(published.temporary.volatile).toBeUndefined();
    expect(published.checkpoint).toMatchObject({
      volatile: { sequence: 1 },
      durable: { sequence: 1 },
    });
  });

  it('keeps the predecessor in history', () => {
    expect(disk(at('write', 'syncCheckpoint.done', 1)).history.durable).toBeUndefined();
    expect(disk(at('write', 'syncCheckpoint.done', 2)).history.durable?.sequence).toBe(1);
  });

  it('may still bring a deleted log back, until the directory is synced again', () => {
    const deleted = disk(at('write', 'deleteWal.done', 1)).wal;
    expect(deleted.volatile).toBeUndefined();
    expect(deleted.durable?.sequence).toBe(1);
    expect(disk(at('write', 'syncWal.done', 2)).wal.durable?.sequence).toBe(2);
    expect(disk(model.entries.length - 1).wal.durable).toBeUndefined();
  });

  it('holds the lock from its acquisition to its release', () => {
    expect(disk(at('checkpoint', 'acquireLock.done')).lock.volatile).toBeDefined();
    expect(disk(model.entries.length - 1).lock.volatile).toBeUndefined();
  });

  it('is unknown again after a run that never gave its lock up', async () => {
    const { entries, crashes } = await crashedModel();
    const cut = crashes?.[0]?.at ?? 0;
    const crashed = new RunLog(entries);
    expect(crashed.diskAfter(cut).wal.known).toBe(true);
    expect(crashed.diskAfter(cut + 1).wal.known).toBe(false);
    // Recovery tells what it found, and publishes what the log had promised.
    expect(crashed.diskAfter(entries.length - 1).checkpoint.durable?.sequence).toBe(3);
  });

  it('names what was put into quarantine', () => {
    const [one] = model.entries;
    if (one === undefined) throw new Error('there are no entries');
    const kept = { file: 'quarantine/log.1', reason: 'damaged' };
    const entry = { ...one, event: 'quarantineWal.done', by: 'io', from: 'a', details: { kept } };
    const { quarantine, wal } = new RunLog([entry]).diskAfter(0);
    expect(quarantine).toMatchObject({ name: kept.file, durable: { note: 'damaged' } });
    expect(wal).toMatchObject({ known: true });
    expect(wal.volatile).toBeUndefined();
  });

  it('says nothing by entries that no answer of I/O caused', () => {
    const [one] = model.entries;
    if (one === undefined) throw new Error('there are no entries');
    const forged = { ...one, event: 'writeIntent.done', by: 'program', from: 'a' };
    expect(new RunLog([forged]).diskAfter(0).wal.known).toBe(false);
  });
});

describe('a run of 100,000 entries', () => {
  it('is taken in, and looked up anywhere, in a time that no one notices', async () => {
    const { entries } = await longModel(100_000);
    const long = new RunLog(entries);
    long.machinesAfter(99_999);
    long.diskAfter(99_999);
    const start = performance.now();
    for (let look = 0; look < 200; look += 1) {
      const index = (look * 7919) % 100_000;
      long.machinesAfter(index);
      long.diskAfter(index);
    }
    // 200 jumps; one frame has 16 ms for one. Far above what it takes, far below what a scan would.
    expect(performance.now() - start).toBeLessThan(1500);
  });
});
