/** Reading, writing and following paths. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getAt, setAt } from '../../../../src/format/yaml/path-access.js';
import { formatPath, parsePath } from '../../../../src/format/yaml/yaml-path.js';
import type { YamlValue } from '../../../../src/format/yaml/yaml-value.js';

describe('parsePath', () => {
  test.each([
    ['', []],
    ['phases[0].status', ['phases', 0, 'status']],
    ['a["b.c"].d', ['a', 'b.c', 'd']],
    ["a['x''y']", ['a', "x'y"]],
    ['[0][1]', [0, 1]],
    ['a.0', ['a', '0']],
    ['["__proto__"]', ['__proto__']],
    ['a b.c-d', ['a b', 'c-d']],
    ['[""]', ['']],
  ])('%j', (text, path) => {
    expect(parsePath(text)).toEqual(path);
  });

  test.each([
    ['.a', 1],
    ['a..b', 3],
    ['a.', 3],
    ['a[', 2],
    ['a[x]', 3],
    ['a[-1]', 3],
    ['a[01]', 3],
    ['a[0]b', 5],
    ['a]', 2],
    ['a["\\q"]', 3],
  ])('refuses %j at column %i', (text, column) => {
    const details = expect.objectContaining({ path: text, column });
    expect(() => parsePath(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_PATH', details }),
    );
  });

  test('reads back what formatPath writes', () => {
    const step = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.nat(),
      fc.constantFrom('0', 'a.b', '"', "'", ']'),
    );
    fc.assert(
      fc.property(fc.array(step), (path) => {
        expect(parsePath(formatPath(path))).toEqual(path);
      }),
    );
  });
});

describe('getAt and setAt', () => {
  const state: YamlValue = { a: [{ b: 1 }, 2], c: null };

  test('change in place what may be, and nothing else', () => {
    const state: YamlValue = { a: { b: 1 }, list: [1, { c: 1 }] };
    const own = new Set<object>();
    let next = setAt(state, ['a', 'b'], 2, own);
    const first = next;
    for (const path of [
      ['a', 'd'],
      ['list', 1, 'c'],
      ['list', 0],
      ['a', 'b'],
    ]) {
      next = setAt(next, path, 3, own);
    }
    expect(next).toBe(first);
    expect(next).toEqual({ a: { b: 3, d: 3 }, list: [3, { c: 3 }] });
    expect(own.size).toBe(4);
    expect(state).toEqual({ a: { b: 1 }, list: [1, { c: 1 }] });
    expect(() => setAt(next, ['a', 'x', 0, 'y', 'z', 1], undefined, own)).toThrow('leads nowhere');
    expect(next).toEqual({ a: { b: 3, d: 3 }, list: [3, { c: 3 }] });
  });

  test('follow own data only', () => {
    expect(getAt(state, ['a', 0, 'b'])).toBe(1);
    expect(getAt(state, ['a', '1'])).toBe(2);
    expect(getAt(state, ['c'])).toBe(null);
    expect(getAt(state, ['constructor'])).toBeUndefined();
    expect(getAt(state, ['__proto__'])).toBeUndefined();
    expect(getAt(state, ['a', 'length'])).toBeUndefined();
    expect(getAt(state, ['a', 0, 'b', 'x'])).toBeUndefined();
  });

  test('change one place and share the rest', () => {
    const wide: YamlValue = { a: { x: 1 }, b: { y: 1 } };
    const next = setAt(wide, ['a', 'x'], 2) as { b: YamlValue };
    expect(next).toEqual({ a: { x: 2 }, b: { y: 1 } });
    expect(next.b).toBe(wide.b);
    expect(wide).toEqual({ a: { x: 1 }, b: { y: 1 } });
  });

  test('append, create and remove', () => {
    expect(setAt(state, ['a', 2], 3)).toEqual({ a: [{ b: 1 }, 2, 3], c: null });
    expect(setAt({}, ['x', 'y', 0, 'z'], 1)).toEqual({ x: { y: [{ z: 1 }] } });
    expect(setAt(state, ['a', 0], undefined)).toEqual({ a: [2], c: null });
    expect(setAt(state, ['c'], undefined)).toEqual({ a: [{ b: 1 }, 2] });
    expect(setAt(state, [], 1)).toBe(1);
  });

  test('keep the order of keys and treat __proto__ as data', () => {
    const next = setAt({ a: 1, b: 2 }, ['a'], 3);
    expect(Object.keys(next as object)).toEqual(['a', 'b']);
    const odd = setAt({}, ['__proto__', 'polluted'], 1);
    expect(Object.keys(odd as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });

  test.each<[(string | number)[], YamlValue | undefined, string]>([
    [['a', 5], 1, 'a'],
    [['a', 5, 'x'], 1, 'a'],
    [['a', 0, 'b', 'x'], 1, 'a[0].b'],
    [['c', 'x'], 1, 'c'],
    [['a', 'x'], 1, 'a'],
    [['n', 1], 1, 'n'],
    [['a', 2], undefined, 'a'],
    [['x', 'y'], undefined, ''],
  ])('refuse %j and name the longest prefix there is', (path, value, prefix) => {
    const details = expect.objectContaining({ path: formatPath(path) });
    const expected = expect.objectContaining({ code: 'PATH_NOT_FOUND', details });
    expect(() => setAt(state, path, value)).toThrow(expected);
    if (path[0] !== 'n') {
      const named = expect.objectContaining({ details: expect.objectContaining({ prefix }) });
      expect(() => setAt(state, path, value)).toThrow(named);
    }
  });

  test('refuse to remove the root', () => {
    expect(() => setAt(state, [], undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_PATH' }),
    );
  });
});
