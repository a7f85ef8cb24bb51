import { applyPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalValues, type YamlValue } from '../../../src/format/yaml/yaml-value.js';
import { diffStates } from '../../../src/index.js';
import { describeDifference, summarizeDifference } from '../../../src/store/describe-difference.js';
import { changeText, shortValue } from '../../../src/store/difference-words.js';
import { countLines, unifiedDiff } from '../../../src/store/text-diff.js';

const linesOf = (from: unknown, to: unknown) =>
  diffStates(from, to).map((change) => `${change.kind} ${changeText(change)}`);

describe('the difference between two states', () => {
  it('is the paths that were added, removed and changed', () => {
    const from = { workflow: { status: 'ACTIVE', owner: 'Ines' }, old: [1, 2] };
    const to = { workflow: { status: 'DONE', owner: 'Ines', 'due date': null } };
    expect(linesOf(from, to)).toEqual([
      'removed old: [1, 2]',
      'changed workflow.status: ACTIVE → DONE',
      'added workflow["due date"]: null',
    ]);
    expect(diffStates(from, to)[1]).toEqual({
      kind: 'changed',
      path: 'workflow.status',
      from: 'ACTIVE',
      to: 'DONE',
    });
  });

  it('takes an inserted item for one change, and follows the others by identity', () => {
    const from = [
      { id: 'a', status: 'DONE' },
      { id: 'b', status: 'ACTIVE' },
    ];
    const to = [{ id: 'new', status: 'DONE' }, from[0], { id: 'b', status: 'DONE' }];
    expect(linesOf({ phases: from }, { phases: to })).toEqual([
      'added phases[0]: {id: new, status: DONE}',
      'changed phases[2].status (was phases[1].status): ACTIVE → DONE',
    ]);
  });

  it('says where an item that changed places was, and what else changed in it', () => {
    const from = [
      { name: 'x', n: 1 },
      { name: 'y', n: 1 },
      { name: 'z', n: 1 },
    ];
    const to = [from[1], from[2], { name: 'x', n: 2 }];
    expect(linesOf(from, to)).toEqual(['moved [2] (was [0])', 'changed [2].n (was [0].n): 1 → 2']);
  });

  it('tells kinds of values apart, and is not misled by the names of built-in properties', () => {
    expect(linesOf({ a: 1, b: 0 }, { a: '1', b: -0 })).toEqual([
      'changed a: 1 → "1"',
      'changed b: 0 → -0.0',
    ]);
    expect(linesOf({}, { constructor: 1 })).toEqual(['added constructor: 1']);
    expect(linesOf({ toString: 1 }, {})).toEqual(['removed toString: 1']);
    expect(linesOf([1], { a: 1 })).toEqual(['changed the whole state: [1] → {a: 1}']);
  });

  it('compares integers beyond the safe range, and refuses what no state can hold', () => {
    expect(linesOf({ n: 2n ** 60n }, { n: 2n ** 60n + 1n })).toHaveLength(1);
    const circle: Record<string, unknown> = { n: 2n ** 60n };
    circle.self = circle;
    for (const state of [circle, { at: new Date() }, undefined]) {
      expect(() => diffStates({}, state)).toThrow(
        expect.objectContaining({ code: 'UNFAITHFUL_VALUE' }),
      );
    }
  });

  it('is empty exactly where the states are equal', () => {
    const { value } = fc.letrec<{ value: YamlValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<YamlValue>(null, true, 0, -0, 1, 'a', 'b', Number.NaN),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('id', 'name', 'a', '__proto__'), tie('value'), {
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(value, value, (from, to) => {
        expect(diffStates(from, from)).toEqual([]);
        expect(diffStates(from, to).length === 0).toBe(equalValues(from, to));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a difference in a few words', () => {
  const summary = (from: string, to: string) => describeDifference(from, to).summary;

  it.each([
    ['a: 1\n', 'a: 1\n', 'nothing'],
    ['a: 1\n', 'a: 1 # one\n', 'only comments or layout'],
    ['a: 1\n', 'a: 1\nb: {c: 2}\n', '+b'],
    ['a: 1\nb: 2\nc: 3\n', 'a: 1\n', '-2 paths'],
    ['[1, {id: x}]', '[{id: x}, 1]', '1 moved'],
    [
      'a: 1\nstatus: A\n',
      'a: 2\nstatus: B\nc: 1\nd: 2\n',
      'status: A → B, 1 more changed, +2 paths',
    ],
    ['at: 2026-01-01T10:00\nn: 1\n', 'at: 2026-01-01T11:00\nn: 2\n', 'n: 1 → 2, 1 more changed'],
  ])('%j to %j: %s', (from, to, words) => {
    expect(summary(from, to)).toBe(words);
  });

  it('keeps to one line and a bounded length, whatever the values are', () => {
    const key = JSON.stringify('k\n'.repeat(500));
    const words = summary(
      `${key}: "a\\n${'😀'.repeat(999)}"\n`,
      `${key}: |\n  ${'b\n  '.repeat(99)}\n`,
    );
    expect(words).not.toMatch(/[\n\r]|\p{Surrogate}/u);
    expect([...words].length).toBeLessThan(120);
  });

  it('tells lines where a text does not parse, and why it does not', () => {
    const difference = describeDifference('a: 1\nb: 2\n', 'a: [1\nb: 2\n');
    expect(difference).toMatchObject({ summary: '+1 -1 lines', problem: { in: 'to' } });
    expect(difference.changes).toBeUndefined();
    expect(describeDifference('', 'a: 1').problem).toMatchObject({
      in: 'from',
      code: 'EMPTY_DOCUMENT',
    });
  });

  it('tells lines of texts that are too large to be parsed for a summary', () => {
    const text = 'a: 1\n'.repeat(300_000);
    expect(summarizeDifference(text, `${text}b: 1\n`)).toBe('+1 -0 line');
  });
});

describe('a value on one line', () => {
  it('is cut to its width without writing all of it', () => {
    const value = { list: Array.from({ length: 1_000_000 }, () => ({ a: 1 })) };
    expect(shortValue(value, 20)).toBe('{list: [{a: 1}, {a:…');
    expect(shortValue(['a, b', 'c'], 20)).toBe('["a, b", c]');
    expect(shortValue('😀'.repeat(30), 5)).toBe('😀😀😀😀…');
  });
});

describe('a unified diff', () => {
  const names = { from: 'a', to: 'b' };

  it('looks like one', () => {
    expect(unifiedDiff('a\nb\n', 'a\nc', names)).toBe(
      '--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n',
    );
    expect(unifiedDiff('a\n', 'a\n', names)).toBe('');
    expect(countLines('a\nb\n', 'a\nc')).toEqual({ added: 1, removed: 1 });
  });

  it('makes one text of the other, whatever their lines and line ends are', () => {
    const line = fc.constantFrom('a', 'b', '--- a', '+', '', '\\ No', 'x\r');
    const text = fc
      .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('', '\n'))
      .map(([lines, end]) => lines.join('\n') + end);
    fc.assert(
      fc.property(text, text, (from, to) => {
        const patch = unifiedDiff(from, to, names);
        const applied =
          patch === '' ? from : applyPatch(from, patch, { autoConvertLineEndings: false });
        expect(applied).toBe(to);
      }),
      { numRuns: 500 },
    );
  });

  it('replaces texts that have nothing in common as a whole, without searching for long', () => {
    const lines = (word: string) =>
      Array.from({ length: 20_000 }, (_, n) => `${word}${n}`).join('\n');
    const [from, to] = [lines('a'), lines('b')];
    const patch = unifiedDiff(from, to, names);
    expect(patch).toContain('@@ -1,20000 +1,20000 @@');
    expect(applyPatch(from, patch)).toBe(to);
  }, 20_000);
});
