/** Which values a state may hold, and how they are copied, frozen and compared. */
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../../../src/errors.js';
import { cloneValue, deepFreeze, equalValues } from '../../../../src/format/yaml/yaml-value.js';

function refusal(value: unknown): unknown {
  try {
    cloneValue({ phases: [{ status: value }] });
  } catch (error) {
    if (error instanceof CheckpointError) return [error.code, error.details.path];
    throw error;
  }
  return 'accepted';
}

class Box {
  a = 1;
}
const cycle: unknown[] = [];
cycle.push({ cycle });
const withHole: unknown[] = [1, 2, 3];
delete withHole[1];
const nested = (levels: number) => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

describe('cloneValue', () => {
  test.each<[string, unknown, string]>([
    ['undefined', undefined, ''],
    ['a function', () => 1, ''],
    ['a symbol', Symbol('s'), ''],
    ['a BigInt outside the safe range', 2n ** 64n, ''],
    ['a date', new Date(0), ''],
    ['a map', new Map(), ''],
    ['a set', new Set(), ''],
    ['a buffer', Buffer.from('a'), ''],
    ['a typed array', new Uint8Array(1), ''],
    ['an error', new Error('x'), ''],
    ['a class instance', new Box(), ''],
    ['a boxed string', Object('s'), ''],
    ['a regular expression', /x/, ''],
    ['a promise', Promise.resolve(), ''],
    ['an array subclass', new (class extends Array {})(), ''],
    ['an inherited property', Object.create({ a: 1 }), ''],
    ['a symbol key', { [Symbol('k')]: 1 }, ''],
    ['an array with extra properties', Object.assign([1], { extra: 1 }), ''],
    ['an array with a hole', withHole, ''],
    [
      'an accessor',
      {
        get a() {
          return 1;
        },
      },
      '.a',
    ],
    ['a hidden property', Object.defineProperty({}, 'h', { value: 1 }), '.h'],
    ['a lone surrogate', { x: '\ud800' }, '.x'],
    ['a lone surrogate in a key', { '\udc00': 1 }, ''],
    ['a nested undefined', { 'b c': [undefined] }, '["b c"][0]'],
    ['a cycle', cycle, '[0].cycle'],
  ])('refuses %s and names its path', (_title, value, inner) => {
    expect(refusal(value)).toEqual(['UNFAITHFUL_VALUE', `phases[0].status${inner}`]);
  });

  test('refuses what is too deep to be read back', () => {
    expect(cloneValue(nested(200))).toEqual(nested(200));
    expect(() => cloneValue(nested(201))).toThrow(expect.objectContaining({ code: 'TOO_DEEP' }));
  });

  test('refuses an object graph that expands without bound, at once', () => {
    let value: unknown = 1;
    for (let level = 0; level < 60; level += 1) value = [value, value];
    expect(() => cloneValue(value)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });

  test('copies everything that JSON knows, and non-finite numbers', () => {
    const value = { a: [1, 'x', null, true, -0, Number.NaN, Infinity], b: Object.create(null) };
    const copy = cloneValue(value);
    expect(copy).toEqual({ a: value.a, b: {} });
    value.a.push('later');
    expect(copy).toMatchObject({ a: { length: 7 } });
  });

  test('keeps __proto__ as data and does not touch any prototype', () => {
    const copy = cloneValue(JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(Object.keys(copy as object)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });

  test('turns a BigInt in the safe range into a number, and keeps one that the file carries', () => {
    expect(cloneValue(5n)).toBe(5);
    expect(cloneValue([2n ** 64n], { carried: { n: 2n ** 64n } })).toEqual([2n ** 64n]);
  });
});

describe('equalValues', () => {
  test.each([
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [[1, 2], [2, 1], false],
    [{ a: null }, {}, false],
    [{ a: 1 }, { b: 1 }, false],
    [[], {}, false],
    [0, -0, false],
    [Number.NaN, Number.NaN, true],
    [1, '1', false],
    [JSON.parse('{"__proto__": 1}'), {}, false],
    [{ toString: 1 }, { a: 1 }, false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(equalValues(a, b)).toBe(expected);
    expect(equalValues(b, a)).toBe(expected);
  });
});

test('deepFreeze freezes all of a value', () => {
  const value = deepFreeze({ a: [{ b: 1 }] });
  expect(Object.isFrozen(value.a[0])).toBe(true);
});
