import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../../src/cli/json.js';

const { FC_RUNS = '1' } = process.env;
const runs = 200 * Number(FC_RUNS);

describe('toJson', () => {
  it('prints what JSON.stringify prints, for every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // JSON.stringify loses the sign of -0, and toJson does not.
        const text = toJson(value).replaceAll(/(^|[ \n])-0(?=[,\n])/g, '$10');
        expect(text).toBe(`${JSON.stringify(value, null, 2)}\n`);
      }),
      { numRuns: runs },
    );
  });

  it('keeps every digit of an integer beyond the safe range', () => {
    expect(toJson({ big: 123456789012345678901234n })).toContain(
      '"big": 123456789012345678901234\n',
    );
  });

  it('prints numbers that JSON lacks as the strings that YAML writes', () => {
    const printed = toJson([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]);
    expect(printed).toBe('[\n  ".nan",\n  ".inf",\n  "-.inf",\n  -0\n]\n');
  });

  it('leaves out undefined entries, and takes __proto__ for an ordinary key', () => {
    const value = Object.defineProperty({ a: undefined }, '__proto__', {
      value: 1,
      enumerable: true,
    });
    expect(toJson(value)).toBe('{\n  "__proto__": 1\n}\n');
  });
});
