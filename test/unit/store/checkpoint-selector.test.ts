import { describe, expect, it } from 'vitest';
import { readSelector } from '../../../src/cli/selector-argument.js';
import { CheckpointError } from '../../../src/errors.js';
import {
  type CheckpointSelector,
  parseSelector,
  selectCheckpoint,
} from '../../../src/store/checkpoint-selector.js';
import type { HistoryEntry } from '../../../src/store/history.js';

const START_MS = Date.UTC(2026, 10, 24, 9, 0);
const MINUTE_MS = 60_000;

/** Saved one minute after another. */
function entry(sequence: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    sequence,
    file: `/s/checkpoints/${sequence}`,
    size: 100,
    timeMs: START_MS + sequence * MINUTE_MS,
    pinned: false,
    artifacts: 0,
    current: false,
    ...more,
  };
}

const damaged = { code: 'ENTRY_DAMAGED', message: 'its last line is no seal' } as const;
const history = [
  entry(2, { label: 'deploy' }),
  entry(3, { label: '12' }),
  entry(5, { label: 'deploy' }),
  entry(8, { problem: damaged, timeMs: 0 }),
  entry(9, { label: 'before lunch', current: true }),
];
const numberOf = (selector: CheckpointSelector, entries = history) =>
  selectCheckpoint(entries, selector).sequence;

function refusal(selector: CheckpointSelector, entries = history): CheckpointError {
  try {
    selectCheckpoint(entries, selector);
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error('it was found');
}

describe('a checkpoint is selected', () => {
  it('by number, also the current one and one that is damaged', () => {
    expect([2, 8, 9].map((sequence) => numberOf({ sequence }))).toEqual([2, 8, 9]);
  });

  it('by label, the newest of those that share it', () => {
    expect(numberOf({ label: 'deploy' })).toBe(5);
    expect(numberOf({ label: '12' })).toBe(3);
  });

  it('by time: the newest that was saved strictly before it, whatever kind of time it is', () => {
    const atFive = START_MS + 5 * MINUTE_MS;
    expect(numberOf({ before: atFive })).toBe(3);
    expect(numberOf({ before: new Date(atFive + 1) })).toBe(5);
    expect(numberOf({ before: '2026-11-24T09:05' })).toBe(3);
    expect(numberOf({ before: '2026-11-24 09:05:00.001Z' })).toBe(5);
    expect(numberOf({ before: '2026-11-24T11:05:00.5+02:00' })).toBe(5);
    expect(numberOf({ before: '2026-11-25' })).toBe(9);
  });

  it('by time, never one that is damaged, as its time is not known', () => {
    expect(refusal({ before: START_MS })).toMatchObject({
      code: 'NOT_IN_HISTORY',
      message:
        'No checkpoint was saved before 2026-11-24T09:00:00.000Z. The oldest is 2, saved at 2026-11-24T09:02:00.000Z.',
      details: { nearest: [2] },
    });
  });

  it('as the current one, or the one before it; the newest, where the current one is missing', () => {
    expect(numberOf('current')).toBe(9);
    expect(numberOf('previous')).toBe(8);
    expect(numberOf('previous', history.slice(0, 3))).toBe(5);
  });
});

describe('what is not there', () => {
  it('is refused by number with those that come next to it', () => {
    expect(refusal({ sequence: 4 })).toMatchObject({
      code: 'NOT_IN_HISTORY',
      message: 'There is no checkpoint 4. Nearest: 2, 3, 5, 8.',
      details: { sequence: 4, nearest: [2, 3, 5, 8] },
    });
    expect(refusal({ sequence: 4 }, []).message).toBe(
      'There is no checkpoint 4. History is empty.',
    );
  });

  it('is refused by label with labels that are like it', () => {
    expect(refusal({ label: 'Deplyo' })).toMatchObject({
      message: 'There is no checkpoint labelled "Deplyo". Nearest: "deploy".',
      details: { nearest: ['deploy'] },
    });
    expect(refusal({ label: 'lunch' }).details.nearest).toEqual(['before lunch']);
    expect(refusal({ label: 'nothing like it' }).message).toContain('3 other labels exist.');
    expect(refusal({ label: 'x' }, [entry(1)]).message).toContain('No checkpoint has a label.');
  });

  it('is refused as current or previous', () => {
    expect(refusal('current', [entry(1)]).details.nearest).toEqual([1]);
    expect(refusal('previous', history.slice(-1)).code).toBe('NOT_IN_HISTORY');
  });

  it('is a mistake of the program where it is no selector at all', () => {
    const wrong: unknown[] = [{}, null, 'latest', { sequence: 1.5 }, { before: 'noon' }];
    for (const selector of [...wrong, { before: new Date(Number.NaN) }, { label: 1 }]) {
      expect(() => selectCheckpoint(history, selector as CheckpointSelector)).toThrow(TypeError);
    }
  });

  it('is found out quickly in a long history of long labels', () => {
    const label = (sequence: number) => `${'x'.repeat(900)}${sequence}`;
    const many = Array.from({ length: 10_000 }, (_, n) => entry(n, { label: label(n) }));
    const startedMs = performance.now();
    expect(refusal({ label: 'y'.repeat(900) }, many).code).toBe('NOT_IN_HISTORY');
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});

describe('a selector that is typed', () => {
  it.each<[string, CheckpointSelector]>([
    ['12', { sequence: 12 }],
    ['007', { sequence: 7 }],
    ['label:12', { label: '12' }],
    ['label:', { label: '' }],
    ['label:before:2026', { label: 'before:2026' }],
    ['first plan', { label: 'first plan' }],
    ['12a', { label: '12a' }],
    ['previous', 'previous'],
    ['label:previous', { label: 'previous' }],
    ['current', 'current'],
    ['before:2026-11-24T10:00', { before: '2026-11-24T10:00' }],
  ])('%s means what it looks like', (text, selector) => {
    expect(parseSelector(text)).toEqual(selector);
  });

  it.each(['', 'before:', 'before:noon', 'before:2026-02-30', 'before:2026-11-24T25:00'])(
    '%j is a usage error that says what is meant',
    (text) => {
      expect(() => parseSelector(text)).toThrow(TypeError);
      expect(() => readSelector(text)).toThrow(
        expect.objectContaining({
          name: 'UsageError',
          hint: expect.stringContaining('label:NAME'),
        }),
      );
    },
  );
});
