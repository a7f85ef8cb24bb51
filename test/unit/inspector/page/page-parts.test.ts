/**
 * The page's arithmetic: which rows are made, what can be scrubbed to, what passes a filter, what
 * changed in a text, where a drawing is placed, how numbers are said.
 */
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../src/format/audit-entry.js';
import { boxAround, placeAround, placeWhole } from '../../../../src/inspector/page/chart-camera.js';
import { isOpen, matches, parseSearch } from '../../../../src/inspector/page/entry-filter.js';
import { diffLines, linesOf, readDiff } from '../../../../src/inspector/page/line-diff.js';
import { Moments } from '../../../../src/inspector/page/moments.js';
import { OVERSCAN, rowsInView, scrollFor } from '../../../../src/inspector/page/virtual-window.js';
import {
  countOf,
  durationOf,
  eventName,
  senderOf,
  sizeOf,
} from '../../../../src/inspector/page/words.js';

describe('a window of rows', () => {
  const view = { scrollTop: 0, height: 400, rowHeight: 40, count: 100_000 };

  it('holds what is seen and a few around, wherever one is', () => {
    expect(rowsInView(view)).toEqual({ first: 0, end: 10 + OVERSCAN });
    const middle = rowsInView({ ...view, scrollTop: 40_010 });
    expect(middle).toEqual({ first: 1000 - OVERSCAN, end: 1011 + OVERSCAN });
    expect(rowsInView({ ...view, scrollTop: 4_000_000 - 400 }).end).toBe(100_000);
  });

  it('is empty where there is nothing, and ends where the list has become shorter', () => {
    expect(rowsInView({ ...view, count: 0 })).toEqual({ first: 0, end: 0 });
    const short = rowsInView({ ...view, scrollTop: 4000, count: 5 });
    expect(short.first).toBeLessThanOrEqual(short.end);
    expect(short.end).toBe(5);
  });

  it('moves by as little as shows a row and two beside it', () => {
    expect(scrollFor(view, 5, 'nearest')).toBe(0);
    expect(scrollFor(view, 20, 'nearest')).toBe(23 * 40 - 400);
    expect(scrollFor({ ...view, scrollTop: 2000 }, 20, 'nearest')).toBe(18 * 40);
  });

  it('never moves beyond either end', () => {
    expect(scrollFor(view, 0, 'centre')).toBe(0);
    expect(scrollFor(view, 99_999, 'centre')).toBe(4_000_000 - 400);
    expect(scrollFor({ ...view, count: 3 }, 2, 'centre')).toBe(0);
    expect(scrollFor(view, 500, 'centre')).toBe(500 * 40 - 180);
  });
});

describe('moments', () => {
  const crash = (at: number) => ({ at, moment: '', image: [], fates: [] });

  it('are the entries, where nothing crashed', () => {
    const moments = new Moments([], () => 3);
    expect(moments.count).toBe(3);
    expect(moments.at(2)).toEqual({ entry: 2 });
    expect(moments.ofEntry(2)).toBe(2);
  });

  it('hold each crash after its last entry, also before the first and twice at one place', () => {
    const moments = new Moments([crash(-1), crash(1), crash(1)], () => 4);
    const all = Array.from({ length: moments.count }, (_, moment) => moments.at(moment));
    expect(all).toEqual([
      { entry: -1, crash: 0 },
      { entry: 0 },
      { entry: 1 },
      { entry: 1, crash: 1 },
      { entry: 1, crash: 2 },
      { entry: 2 },
      { entry: 3 },
    ]);
    for (const entry of [0, 1, 2, 3]) expect(moments.at(moments.ofEntry(entry))).toEqual({ entry });
  });
});

describe('a filter of entries', () => {
  const entry: AuditEntry = {
    number: 1,
    time: '2026-01-01T00:00:00.000Z',
    elapsedUs: 0,
    machine: 'write',
    from: 'syncingWal',
    to: 'writingCheckpoint',
    event: 'syncWal.done',
    by: 'io',
    sequence: 12,
    epoch: 1,
    process: '1@host',
    details: { code: 'SYNC_FAILED' },
    previous: '',
    hash: '',
  };

  it('finds states, events and details, whatever the case', () => {
    for (const typed of ['SYNCINGWAL', 'syncwal.done', 'sync_failed', 'io', 'writing']) {
      expect(matches(entry, parseSearch(typed))).toBe(true);
    }
    expect(matches(entry, parseSearch('nowhere'))).toBe(false);
  });

  it('reads # and digits as a sequence number, next to a text or alone', () => {
    expect(parseSearch(' #12  syncWal ')).toEqual({ sequence: 12, text: 'syncwal' });
    expect(matches(entry, parseSearch('#12'))).toBe(true);
    expect(matches(entry, parseSearch('#1'))).toBe(false);
    expect(parseSearch('#abc')).toEqual({ text: '#abc' });
  });

  it('takes only the machine that is asked for, and all where nothing is', () => {
    expect(matches(entry, { machine: 'write' })).toBe(true);
    expect(matches(entry, { machine: 'recovery' })).toBe(false);
    expect(isOpen(parseSearch('  '))).toBe(true);
  });
});

describe('a diff of two texts', () => {
  const signs = { same: ' ', added: '+', removed: '-', gap: '~' } as const;
  const shown = (before: string, after: string) =>
    diffLines(before, after).map(({ kind, text }) => `${signs[kind]}${text}`);

  it('shows what was removed and added, with three lines around it', () => {
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index}`);
    const after = lines.with(5, 'other');
    expect(shown(lines.join('\n'), after.join('\n'))).toEqual([
      ...['~2 unchanged lines', ' line 2', ' line 3', ' line 4', '-line 5', '+other'],
      ...[' line 6', ' line 7', ' line 8', '~3 unchanged lines'],
    ]);
  });

  it('finds common lines between changes', () => {
    expect(shown('a\nb\nc\n', 'x\nb\ny\n')).toEqual(['-a', '+x', ' b', '-c', '+y']);
    expect(shown('', 'a\n')).toEqual(['+a']);
    expect(shown('a\n', '')).toEqual(['-a']);
  });

  it('is empty for equal texts', () => {
    expect(shown('a\nb\n', 'a\nb\n')).toEqual([]);
  });

  it('gives one block where comparing all would take too long', () => {
    const many = (mark: string) => Array.from({ length: 1100 }, (_, index) => `${mark}${index}`);
    const lines = diffLines(many('a').join('\n'), many('b').join('\n'));
    expect(lines.slice(0, 1100).every(({ kind }) => kind === 'removed')).toBe(true);
    expect(lines.slice(1100).every(({ kind }) => kind === 'added')).toBe(true);
  });

  it('reads a unified diff that came with the model', () => {
    expect(readDiff(['@@ -1 +1 @@', '-a', '+b', ' c'])).toEqual([
      { kind: 'gap', text: '@@ -1 +1 @@' },
      { kind: 'removed', text: 'a' },
      { kind: 'added', text: 'b' },
      { kind: 'same', text: 'c' },
    ]);
    expect(linesOf('a\nb\n')).toEqual(['a', 'b']);
  });
});

describe('the placing of a drawing', () => {
  const frame = { width: 600, height: 400 };
  const drawing = { width: 1200, height: 1600 };

  it('shows all of it in the middle, or what matters near enough to read', () => {
    expect(placeWhole(frame, drawing)).toEqual({ scale: 0.25, x: 150, y: 0 });
    const { scale, x, y } = placeAround(frame, drawing, { x: 580, y: 790, width: 40, height: 20 });
    expect(scale).toBeGreaterThanOrEqual(1.2);
    expect([x + 600 * scale, y + 800 * scale]).toEqual([300, 200]);
  });

  it('goes no further beyond an edge than needed', () => {
    const { x, y } = placeAround(frame, drawing, { x: 0, y: 0, width: 10, height: 10 });
    expect([x, y]).toEqual([0, 0]);
  });

  it('looks at one box alone where all do not fit', () => {
    const [near, far] = [
      { x: 0, y: 0, width: 10, height: 10 },
      { x: 1000, y: 1500, width: 10, height: 10 },
    ];
    expect(boxAround([near, { ...near, x: 90 }], frame)?.width).toBe(100);
    expect(boxAround([near, far], frame)).toEqual(near);
    expect(boxAround([], frame)).toBeUndefined();
  });
});

describe('words', () => {
  it('say durations, sizes and counts', () => {
    expect([0, 420, 1520, 98_600, 2_400_000, 185_000_000, 7_440_000_000].map(durationOf)).toEqual([
      ...['0 µs', '420 µs', '1.52 ms', '98.6 ms', '2.40 s', '3 min 5 s', '2 h 4 min'],
    ]);
    expect([216, 2190, 3_400_000].map(sizeOf)).toEqual(['216 B', '2.19 KB', '3.40 MB']);
    expect([7, 1000, 100_000].map(countOf)).toEqual(['7', '1,000', '100,000']);
  });

  it("take XState's own words out of events, and name who sent them", () => {
    expect(eventName('xstate.init')).toBe('starts');
    expect(eventName('xstate.done.actor.write')).toBe('write is done');
    expect(eventName('xstate.after.50.detector.pulse')).toBe('after 50 ms');
    expect(eventName('syncWal.done')).toBe('syncWal.done');
    expect(senderOf({ by: 'io', event: 'syncWal.done' })).toBe('io');
    expect(senderOf({ by: '', event: 'save.requested' })).toBe('the program');
    expect(senderOf({ by: '', event: 'xstate.after.50.a' })).toBe('the clock');
  });
});
