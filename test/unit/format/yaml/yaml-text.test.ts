/** What is read, what is refused with which code and where, and that hostile input stays cheap. */
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../../../src/errors.js';
import { parseYaml } from '../../../../src/format/yaml/yaml-text.js';

function refusal(text: string, limits = {}): unknown {
  try {
    parseYaml(text, { file: 'state.yaml', limits });
  } catch (error) {
    if (error instanceof CheckpointError) return { code: error.code, ...error.details };
    throw error;
  }
  return 'read without error';
}

describe('reading a text', () => {
  test.each([
    ['~', null],
    ['{}', {}],
    [
      'a: 0x10\nb: 0o17\nc: 1_000\nd: yes\ne: .5\nf: -0\n',
      { a: 16, b: 15, c: '1_000', d: 'yes', e: 0.5, f: 0 },
    ],
    ['%YAML 1.1\n---\nyes: no\n', { yes: 'no' }],
    ['1.10: a\n? ~\n: b\ntrue: c\n', { '1.10': 'a', '~': 'b', true: 'c' }],
    ['<<: {a: 1}\n', { '<<': { a: 1 } }],
    [
      'a: !!binary aGk=\nb: !!timestamp 2026-01-01\nc: !x 1\n',
      { a: 'aGk=', b: '2026-01-01', c: '1' },
    ],
    ['a: !!str 1\nb: !!float 1\nc: ! 1\n', { a: '1', b: 1, c: '1' }],
    ['a: &x [1]\nb: *x\n', { a: [1], b: [1] }],
    ['\ufeff- a\n- b: 1\n  c: 2\n', ['a', { b: 1, c: 2 }]],
    ['a: 12345678901234567890\n', { a: 12345678901234567890n }],
    ['[a: 1, ? b, c]\n', [{ a: 1 }, { b: null }, 'c']],
  ])('%j', (text, value) => {
    expect(parseYaml(text).value).toEqual(value);
  });

  test('gives a frozen value in which __proto__ is data', () => {
    const { value } = parseYaml('__proto__: {a: 1}\n');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.isFrozen(value)).toBe(true);
  });
});

describe('refusing a text', () => {
  test.each([
    ['', 'EMPTY_DOCUMENT', 1, 1],
    ['# only\n\n', 'EMPTY_DOCUMENT', 3, 1],
    ['---\n...\n', 'EMPTY_DOCUMENT', 1, 1],
    ['a: 1\n---\nb: 2\n', 'INVALID_YAML', 2, 1],
    ['a: "x\n', 'INVALID_YAML', 2, 1],
    ['a: 1\n b: 2\n', 'INVALID_YAML', 1, 4],
    ['~: a\n: b\n', 'DUPLICATE_KEY', 2, 1],
    ['a: 1\n\u0000\n', 'INVALID_YAML', 2, 1],
    ['a: 1\rb: 2\n', 'INVALID_YAML', 1, 5],
    ['a: \ud800\n', 'INVALID_YAML', 1, 4],
    ['a: "\\ud800"\n', 'INVALID_YAML', 1, 4],
    ['a: 1\n? [k]\n: 2\n', 'INVALID_YAML', 2, 3],
    ['a: *none\n', 'INVALID_YAML', 1, 4],
    ['a: &x [*x]\n', 'INVALID_YAML', 1, 8],
    ['a: !!int x\n', 'INVALID_YAML', 1, 4],
    ['a: 1\nb: 2\na: 3\n', 'DUPLICATE_KEY', 3, 1],
    ['1: a\n"1": b\n', 'DUPLICATE_KEY', 2, 1],
    ['1.0: a\n1.00: b\n', 'DUPLICATE_KEY', 2, 1],
  ])('%j: %s', (text, code, line, column) => {
    expect(refusal(text)).toEqual({ code, line, column, file: 'state.yaml' });
  });

  test('counts bytes, not characters', () => {
    expect(parseYaml('a: é🙂', { limits: { maxBytes: 9 } }).value).toEqual({ a: 'é🙂' });
    expect(refusal('a: é🙂', { maxBytes: 8 })).toMatchObject({ code: 'TOO_LARGE' });
  });

  test('takes exactly as many levels as the limit says', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(refusal(nested(200))).toBe('read without error');
    expect(refusal(nested(201))).toMatchObject({ code: 'TOO_DEEP' });
    const block = (levels: number) =>
      Array.from({ length: levels }, (_, level) => `${' '.repeat(level)}a:\n`).join('');
    expect(refusal(block(200))).toBe('read without error');
    expect(refusal(block(201))).toMatchObject({ code: 'TOO_DEEP' });
  });
});

const letters = 'abcdefghij';
const laughs = [...letters]
  .map((name, i) => `${name}: &${name} [${`${i === 0 ? 'x' : `*${letters[i - 1]}`},`.repeat(9)}]\n`)
  .join('');

/** Inputs that abort, exhaust or stall the parser if they reach it unchecked. */
const hostile: readonly (readonly [string, string, string])[] = [
  ['100,000 open brackets', '['.repeat(100_000), 'TOO_DEEP'],
  ['100,000 open braces with keys', '{a: '.repeat(100_000), 'TOO_DEEP'],
  ['100,000 dashes', '- '.repeat(100_000), 'TOO_DEEP'],
  ['100,000 question marks', '? '.repeat(100_000), 'TOO_DEEP'],
  ['100,000 colons', 'a: '.repeat(100_000), 'TOO_DEEP'],
  [
    '1,500 levels of indentation',
    Array.from({ length: 1500 }, (_, level) => `${' '.repeat(level)}- a:\n`).join(''),
    'TOO_DEEP',
  ],
  ['a billion laughs', laughs, 'TOO_MANY_ALIASES'],
  ['5,000 aliases', `a: &a 1\nb: [${'*a,'.repeat(5000)}]\n`, 'TOO_MANY_ALIASES'],
  [
    'a chain of aliases that is deeper than the text',
    `a0: &a0 [x]\n${Array.from({ length: 300 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]\n`).join('')}`,
    'TOO_DEEP',
  ],
  ['a key of a megabyte', `${'k'.repeat(1_000_000)}: 1\n`, 'INVALID_YAML'],
  ['10,000 equal keys', 'a: 1\n'.repeat(10_000), 'DUPLICATE_KEY'],
  ['5,000 open quotes', 'a: "x\n'.repeat(5_000), 'INVALID_YAML'],
  ['5,000 closing brackets', ']'.repeat(5_000), 'INVALID_YAML'],
  ['5,000 anchors on one value', `a: ${'&a '.repeat(5_000)}\n`, 'INVALID_YAML'],
  [
    'blank lines times comments',
    `a: 1\n${'\n'.repeat(60_000)}${'  # c\n'.repeat(60_000)}`,
    'TOO_LARGE',
  ],
  ['more tokens than memory allows for', `[${'a,'.repeat(50_000)}`, 'TOO_LARGE'],
];

describe('hostile input ends in a coded error, soon', () => {
  test.each(hostile)('%s', (_title, text, code) => {
    const started = performance.now();
    expect(refusal(text, { maxTokens: code === 'TOO_LARGE' ? 130_000 : 1_000_000 })).toMatchObject({
      code,
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test.each([
    ['10,000 different keys', Array.from({ length: 10_000 }, (_, i) => `k${i}: 1\n`).join('')],
    ['a scalar of two megabytes', `a: ${'x '.repeat(1_000_000)}`],
    ['an integer of 100,000 digits', '1'.repeat(100_000)],
    ['30,000 comment lines', `a: 1\n${'  # c\n'.repeat(30_000)}`],
  ])('large but harmless input is read: %s', (_title, text) => {
    expect(refusal(text)).toBe('read without error');
  });
});
