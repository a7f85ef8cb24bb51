/**
 * Sets that are applied to one working copy: they give what they give one by one, nothing that anybody was
 * handed changes afterwards, and each list and map is copied once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setAt } from '../../../src/format/yaml/path-access.js';
import { deepFreeze, type YamlValue } from '../../../src/format/yaml/yaml-value.js';
import { Draft } from '../../../src/store/draft.js';
import { type PlaceSet, SetRun } from '../../../src/store/set-run.js';

const base = (): YamlValue =>
  deepFreeze({ list: [1, { a: 1, b: [2] }, 3], map: { x: { y: 1 }, __proto__: null }, none: null });

const step = fc.constantFrom<string | number>(
  'list',
  'map',
  'x',
  'y',
  'a',
  'b',
  'none',
  '1',
  0,
  1,
  3,
);
const value = fc.constantFrom<YamlValue | undefined>(undefined, 1, 'two', null, [5, [6]], {
  a: { b: 1 },
});
const set = fc.record({ path: fc.array(step, { maxLength: 4 }), value });

/** What sets give one by one; one that can't be applied changes nothing. */
function oneByOne(from: YamlValue, sets: readonly PlaceSet[]): YamlValue {
  return sets.reduce((here, { path, value }) => {
    const next = attempt(() => setAt(here ?? {}, path, value));
    return next === undefined ? here : next;
  }, from);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const snapshot = (of: YamlValue | undefined) => structuredClone(of);

describe('sets in a row', () => {
  it('give what they give one by one, after each of them, whoever asks when', () => {
    fc.assert(
      fc.property(
        fc.array(set, { maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        (sets, asked) => {
          const given = snapshot(sets as never);
          const drafts: { draft: Draft | undefined; wanted: YamlValue }[] = [];
          const handedOut: { value: YamlValue; was: YamlValue | undefined }[] = [];
          let draft: Draft | undefined = Draft.ofValue(base());
          let wanted = base();
          sets.forEach((one, index) => {
            wanted = oneByOne(wanted, [one]);
            draft = attempt(() => Draft.ofSet(draft, one)) ?? draft;
            drafts.push({ draft, wanted });
            if (asked[index] && draft) {
              handedOut.push({ value: draft.value, was: snapshot(draft.value) });
            }
          });
          for (const { draft: one, wanted: expected } of drafts)
            expect(one?.value).toEqual(expected);
          for (const { value: now, was } of handedOut) expect(now).toEqual(was);
          expect(sets).toEqual(given);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are refused one by one, with the error of that one, and the others are applied', () => {
    const run = new SetRun({ a: { b: 1 } });
    run.add({ path: ['a', 'b'], value: 2 });
    expect(() => run.add({ path: ['a', 'c', 'd', 0, 'b', 'b'], value: 1 })).not.toThrow();
    const before = snapshot(new SetRun(run.valueAfter(2)).valueAfter(0));
    const next = new SetRun(run.valueAfter(2));
    expect(() => next.add({ path: ['a', 'b', 'c'], value: 1 })).toThrow(
      expect.objectContaining({ code: 'PATH_NOT_FOUND' }),
    );
    expect(() => next.add({ path: ['a', 'x', 1], value: 1 })).toThrow(
      expect.objectContaining({ code: 'PATH_NOT_FOUND' }),
    );
    expect(next.valueAfter(0)).toEqual(before);
  });

  it('end with the value of all of them: it is not changed in place any more', () => {
    const run = new SetRun({ a: 1 });
    run.add({ path: ['a'], value: 2 });
    expect(run.isOpenAfter(1)).toBe(true);
    const value = run.valueAfter(1);
    expect(run.isOpenAfter(1)).toBe(false);
    run.add({ path: ['a'], value: 3 });
    expect([value, run.valueAfter(2), run.valueAfter(0)]).toEqual([{ a: 2 }, { a: 3 }, { a: 1 }]);
  });

  it('copy each list once, however many they are', () => {
    let copies = 0;
    /** `slice()` makes lists of this kind by its constructor. */
    class Watched extends Array<YamlValue> {
      static override get [Symbol.species](): ArrayConstructor {
        copies += 1;
        return Watched as unknown as ArrayConstructor;
      }
    }
    const list = Watched.from({ length: 256 }, () => 'idle');
    copies = 0;
    let draft = Draft.ofValue({ list });
    for (let at = 0; at < 256; at += 1) {
      draft = Draft.ofSet(draft, { path: ['list', at], value: `busy ${at}` });
    }
    expect(draft.value).toMatchObject({ list: { 0: 'busy 0', 255: 'busy 255' } });
    expect([copies, list[0]]).toEqual([1, 'idle']);
  });

  it('know which of them remove an item of a list', () => {
    const first = Draft.ofSet(undefined, { path: ['list'], value: [1, 2] });
    const second = Draft.ofSet(first, { path: ['list', 0], value: undefined });
    const third = Draft.ofSet(second, { path: ['list'], value: undefined });
    expect([first, second, third].map((draft) => draft.removesItem)).toEqual([false, true, false]);
    expect([third.value, second.value, first.value]).toEqual([{}, { list: [2] }, { list: [1, 2] }]);
  });
});
