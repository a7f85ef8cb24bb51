import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { getAt } from '../../../src/format/yaml/path-access.js';
import { parsePath } from '../../../src/format/yaml/yaml-path.js';
import { equalValues, type YamlValue } from '../../../src/format/yaml/yaml-value.js';
import {
  describeChange,
  diffStates,
  shortValue,
  summarize,
} from '../../../src/store/state-diff.js';

const lines = (before: YamlValue, after: YamlValue) =>
  diffStates(before, after).map((change) => describeChange(change));
const summary = (before: YamlValue, after: YamlValue) => summarize(diffStates(before, after));

const PHASES = [
  { id: 1, status: 'COMPLETE' },
  { id: 2, status: 'ACTIVE' },
  { id: 3, status: 'PENDING' },
];

describe('a diff of states', () => {
  it('names what was added, removed and changed by its path', () => {
    const before = { a: 1, b: { c: true, 'd.e': 'x' }, gone: [1, 2] };
    const after = { a: 2, b: { c: true, 'd.e': null }, fresh: { x: 1 } };
    expect(lines(before, after)).toEqual([
      '~ a: 1 → 2',
      '~ b["d.e"]: x → null',
      '+ fresh: {x: 1}',
      '- gone: [1, 2]',
    ]);
  });

  it('finds nothing between equal states, whatever the order of keys', () => {
    expect(diffStates({ a: Number.NaN, b: 1 }, { b: 1, a: Number.NaN })).toEqual([]);
    expect(summary({ a: 1 }, { a: 1 })).toBe('the same state');
  });

  it('tells 0 from -0, 1 from "1", and digits that a number can not hold', () => {
    expect(lines({ a: 0, b: 1 }, { a: -0, b: '1' })).toEqual(['~ a: 0 → -0', '~ b: 1 → "1"']);
    const big = 12345678901234567890n;
    expect(lines({ a: big }, { a: big + 1n })).toHaveLength(1);
  });

  it('takes an item that was inserted before others for one difference', () => {
    const after = [{ id: 9, status: 'NEW' }, ...PHASES];
    expect(lines({ phases: PHASES }, { phases: after })).toEqual([
      '+ phases[0]: {id: 9, status: NEW}',
    ]);
  });

  it('finds a change in an item that another was inserted before, and says where it was', () => {
    const [first, second, third] = PHASES;
    const changed = { ...second, status: 'COMPLETE' };
    const after = [{ id: 9, status: 'NEW' }, first, changed, third] as YamlValue;
    expect(lines({ phases: PHASES }, { phases: after })).toEqual([
      '+ phases[0]: {id: 9, status: NEW}',
      '~ phases[2].status (was phases[1].status): ACTIVE → COMPLETE',
    ]);
  });

  it('names a removed item by where it was', () => {
    expect(lines({ phases: PHASES }, { phases: PHASES.slice(1) })).toEqual([
      '- phases[0]: {id: 1, status: COMPLETE}',
    ]);
  });

  it('knows an item again that was moved and changed', () => {
    const [first, second, third] = PHASES;
    const moved = { ...third, status: 'ACTIVE' };
    expect(lines({ p: PHASES }, { p: [moved, first, second] as YamlValue })).toEqual([
      '> p[0] (was p[2])',
      '~ p[0].status (was p[2].status): PENDING → ACTIVE',
    ]);
  });

  it('is one difference where the whole state is another kind of thing', () => {
    expect(lines([1], { a: 1 })).toEqual(['~ (root): [1] → {a: 1}']);
  });

  it('treats __proto__ as any other key', () => {
    const before = JSON.parse('{"__proto__": {"a": 1}}') as YamlValue;
    const after = JSON.parse('{"__proto__": {"a": 2}}') as YamlValue;
    expect(lines(before, after)).toEqual(['~ __proto__.a: 1 → 2']);
    expect(lines({}, before)).toEqual(['+ __proto__: {a: 1}']);
    expect(lines({ constructor: 1 }, {})).toEqual(['- constructor: 1']);
  });

  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(null, true, 0, 1, 'a', 'b'),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('id', 'a', 'b', 'x.y'), tie('value')),
    ),
  })).value as fc.Arbitrary<YamlValue>;

  it('has differences exactly where states differ, each with the values at its paths', () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const changes = diffStates(before, after);
        expect(changes.length === 0).toBe(equalValues(before, after));
        for (const change of changes) {
          const pathBefore = ('pathBefore' in change && change.pathBefore) || change.path;
          if ('before' in change) {
            expect(getAt(before, parsePath(pathBefore))).toBe(change.before);
          }
          if ('after' in change) expect(getAt(after, parsePath(change.path))).toBe(change.after);
        }
      }),
    );
  });
});

describe('the summary of a diff', () => {
  it('begins with a status that changed and counts the rest', () => {
    const before = { updated: 1, phases: PHASES, old: 1 };
    const [first, second, third] = PHASES;
    const after = {
      updated: 2,
      phases: [first, { ...second, status: 'COMPLETE', note: 'x' }, third] as YamlValue,
      one: 1,
    };
    expect(summary(before, after)).toBe(
      'phases[1].status: ACTIVE → COMPLETE, 1 more changed, +2 paths, -1 path',
    );
  });

  it('marks an addition or a removal where nothing else changed', () => {
    expect(summary({}, { a: 1, b: 2 })).toBe('+ a: 1, +1 path');
    expect(summary({ a: 1 }, {})).toBe('- a: 1');
  });

  it('stays short, however long path and values are', () => {
    const key = 'k'.repeat(5000);
    const text = summary({ [key]: 'x'.repeat(1e6) }, { [key]: 'y'.repeat(1e6) });
    expect(text).toMatch(/^…k+: x+… → y+…$/);
    expect(text.length).toBeLessThan(150);
  });
});

describe('a value made short', () => {
  it.each<[YamlValue, string]>([
    ['two words', 'two words'],
    ['', '""'],
    ['true', '"true"'],
    ['a: b', '"a: b"'],
    ['a\nb', '"a\\nb"'],
    [{ a: [1, { b: null }], c: 'x' }, '{a: [1, {b: null}], c: x}'],
    [[], '[]'],
  ])('shows %j as %s', (value, text) => {
    expect(shortValue(value, 40)).toBe(text);
  });

  it('is cut to its width at a whole character, and costs no more than it shows', () => {
    expect(shortValue('😀'.repeat(50), 5)).toBe('"😀😀😀…');
    const large = Array.from({ length: 1_000_000 }, (_, index) => index);
    const startMs = performance.now();
    expect(
      shortValue(
        Array.from({ length: 1000 }, () => large),
        10,
      ),
    ).toBe('[[0, 1, 2…');
    expect(performance.now() - startMs).toBeLessThan(50);
  });
});
