import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../../../src/errors.js';
import type { CheckpointSelector } from '../../../src/io/checkpoint-io.js';
import { parseSelector, selectCheckpoint } from '../../../src/store/checkpoint-selector.js';
import type { HistoryEntry } from '../../../src/store/history.js';

const entry = (sequence: number, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  sequence,
  file: `/s/${sequence}`,
  size: 10,
  timeMs: sequence * 1000,
  pinned: false,
  artifacts: 0,
  current: false,
  ...more,
});

const ENTRIES = [
  entry(3, { label: 'survey done' }),
  entry(4),
  entry(7, { label: '2024' }),
  entry(8, { label: 'nightly' }),
  entry(9, { label: 'nightly' }),
  entry(12, { current: true }),
];

const select = (selector: CheckpointSelector, entries = ENTRIES) =>
  selectCheckpoint(entries, selector).sequence;
function refusal(selector: CheckpointSelector, entries = ENTRIES): CheckpointError {
  try {
    selectCheckpoint(entries, selector);
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error('it was selected');
}

describe('a selector of checkpoints', () => {
  it.each<[string, number]>([
    ['4', 4],
    ['12', 12],
    ['current', 12],
    ['previous', 9],
    ['survey done', 3],
    ['label:2024', 7],
    ['before:1970-01-01T00:00:07.500Z', 7],
    ['before:1970-01-01T00:00:07Z', 7],
  ])('takes %j for checkpoint %i', (text, sequence) => {
    expect(select(parseSelector(text))).toBe(sequence);
  });

  it('takes the newest of those that share a label', () => {
    expect(select({ label: 'nightly' })).toBe(9);
  });

  it('tells a number from a label that looks like one, and says that there is such a label', () => {
    expect(refusal(parseSelector('2024'))).toMatchObject({
      code: 'NOT_IN_HISTORY',
      message: expect.stringContaining(
        'There is no checkpoint 2024; the label is written label:2024. Nearest:',
      ),
    });
    const entries = [entry(1, { label: 'current' }), entry(2, { current: true })];
    expect(select(parseSelector('label:current'), entries)).toBe(1);
    expect(select(parseSelector('current'), entries)).toBe(2);
  });

  it('names the numbers that come nearest to one that is not there', () => {
    const { message, details } = refusal({ sequence: 6 });
    expect(message).toBe(
      'There is no checkpoint 6. Nearest: 3 ("survey done"), 4, 7 ("2024"), 8 ("nightly").',
    );
    expect(details).toEqual({ nearest: [3, 4, 7, 8] });
  });

  it.each(['Nightly', 'nigthly', 'night', 'the nightly run'])(
    'names the label that %j may be meant for, once, with its newest checkpoint',
    (typed) => {
      const { message } = refusal(parseSelector(typed));
      expect(message).toBe(
        `No checkpoint has the label ${JSON.stringify(typed)}. Alike: 9 ("nightly").`,
      );
    },
  );

  it('names the newest labels where none is alike, and numbers where there are no labels', () => {
    expect(refusal(parseSelector('zzz')).message).toContain(
      'The newest labels are 3 ("survey done"), 7 ("2024")',
    );
    expect(refusal(parseSelector('zzz'), [entry(5)]).message).toBe(
      'No checkpoint has the label "zzz", nor any other. The newest are 5.',
    );
    expect(refusal(parseSelector('zzz'), []).message).toContain('History is empty.');
  });

  it('names the oldest where a time lies before all', () => {
    expect(refusal({ before: 1 }).message).toBe(
      'No checkpoint is as old as 1970-01-01T00:00:00.001Z. The oldest is 3 ("survey done").',
    );
  });

  it('knows an edited checkpoint as the current one only, not by the number it does not have yet', () => {
    const problem = { code: 'EDITED_OUTSIDE', message: 'edited' } as const;
    const entries = [entry(1), entry(2, { current: true, problem })];
    expect(select('current', entries)).toBe(2);
    expect(refusal({ sequence: 2 }, entries)).toMatchObject({ code: 'NOT_IN_HISTORY' });
    expect(select({ before: 5000 }, entries)).toBe(1);
  });

  it('refuses what is no selector as misuse', () => {
    for (const wrong of [
      {},
      { sequence: -1 },
      { sequence: 1.5 },
      { label: 3 },
      undefined,
      'next',
    ]) {
      expect(() => selectCheckpoint(ENTRIES, wrong as CheckpointSelector)).toThrow(TypeError);
    }
    expect(() => parseSelector('before:noon')).toThrow(TypeError);
  });
});
