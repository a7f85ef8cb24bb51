/** Edits by example: each layout that people write, with the exact text that an edit must give. */
import { describe, expect, test } from 'vitest';
import { editYaml, printYaml, setYaml } from '../../../../src/format/yaml/yaml-edit.js';
import { formatPath, parsePath } from '../../../../src/format/yaml/yaml-path.js';
import { parseYaml } from '../../../../src/format/yaml/yaml-text.js';
import type { YamlValue } from '../../../../src/format/yaml/yaml-value.js';

type Example = readonly [
  title: string,
  before: string,
  path: string,
  value: YamlValue | undefined,
  after: string,
];

const examples: readonly Example[] = [
  [
    'keeps alignment and the trailing comment',
    'a:    old   # why\n',
    'a',
    'new',
    'a:    new   # why\n',
  ],
  ['keeps double quotes', 'a: "x" # c\n', 'a', 'y', 'a: "y" # c\n'],
  ['keeps single quotes', "a: 'x'\n", 'a', "it's", "a: 'it''s'\n"],
  ['quotes what plain can not carry', 'a: x\n', 'a', 'y: z', 'a: "y: z"\n'],
  ['quotes what YAML 1.1 takes for a boolean', 'a: x\n', 'a', 'yes', 'a: "yes"\n'],
  ['leaves a plain date plain', 'a: 2026-02-17\n', 'a', '2026-02-18', 'a: 2026-02-18\n'],
  ['writes a number in place of a quoted string', 'a: "x"\n', 'a', 3, 'a: 3\n'],
  [
    'follows the siblings when null becomes a string',
    'a: "x"\nb: null\n',
    'b',
    'y',
    'a: "x"\nb: "y"\n',
  ],
  ['fills an empty value', 'a:\nb: 1\n', 'a', 'x', 'a: x\nb: 1\n'],
  ['fills an empty value before its comment', 'a:  # c\n', 'a', 'x', 'a: x  # c\n'],
  ['keeps CRLF', 'a: 1\r\nb: 2\r\n', 'c', 3, 'a: 1\r\nb: 2\r\nc: 3\r\n'],
  ['keeps a byte-order mark', '\ufeffa: 1\n', 'a', 2, '\ufeffa: 2\n'],
  ['keeps a missing final newline when appending', 'a: 1', 'b', 2, 'a: 1\nb: 2'],
  ['keeps a missing final newline when removing', 'a: 1\nb: 2', 'b', undefined, 'a: 1'],
  [
    'keeps document markers',
    '%YAML 1.2\n---\na: 1\n...\n# end\n',
    'a',
    2,
    '%YAML 1.2\n---\na: 2\n...\n# end\n',
  ],
  [
    'appends in the habit of an indentless list',
    'k:\n- a\n- b\nz: 1\n',
    'k[2]',
    'c',
    'k:\n- a\n- b\n- c\nz: 1\n',
  ],
  [
    'leaves the next banner to its section',
    'k:\n  - a\n\n  # next\n  - b\n',
    'k',
    ['a', 'x', 'b'],
    'k:\n  - a\n  - x\n\n  # next\n  - b\n',
  ],
  [
    'inserts in front of the first item and its comment',
    'k:\n  # one\n  - a\n',
    'k',
    ['x', 'a'],
    'k:\n  - x\n  # one\n  - a\n',
  ],
  [
    'writes a list item like its siblings',
    'k:\n  - id: "1"\n    tags: ["a"]\n',
    'k[1]',
    { id: '2', tags: ['b'] },
    'k:\n  - id: "1"\n    tags: ["a"]\n  - id: "2"\n    tags: ["b"]\n',
  ],
  [
    'keeps a wide gap after the dash',
    '-   a: 1\n    b: 2\n',
    '[1]',
    { a: 3, b: 4 },
    '-   a: 1\n    b: 2\n-   a: 3\n    b: 4\n',
  ],
  [
    'removes an item with its inner comments only',
    'k:\n  # above\n  - a: 1 # in\n    # in\n\n  # b\n  - b: 2\n',
    'k[0]',
    undefined,
    'k:\n  # above\n\n  # b\n  - b: 2\n',
  ],
  [
    'leaves the dash alone when the first key goes',
    '- id: 1\n  name: x\n',
    '[0].id',
    undefined,
    '-\n  name: x\n',
  ],
  [
    'writes {} for an emptied map',
    'k:  # c\n  a: 1\nz: 1\n',
    'k.a',
    undefined,
    'k: {}  # c\nz: 1\n',
  ],
  ['writes [] for an emptied list', 'k:\n  # c\n  - a\n', 'k[0]', undefined, 'k: []\n  # c\n'],
  ['turns [] into a block list', 'k: []  # c\nz: 1\n', 'k[0]', 'a', 'k:  # c\n  - a\nz: 1\n'],
  ['turns {} into a block map', '- {}\n', '[0].a', 1, '- a: 1\n'],
  ['adds to a flow list', 'k: [a, b]  # c\n', 'k[2]', 'c', 'k: [a, b, c]  # c\n'],
  ['adds to a flow map', 'k: { a: 1 }\n', 'k.b', 2, 'k: { a: 1, b: 2 }\n'],
  [
    'adds a line to a flow list of lines',
    'k: [\n  a,  # one\n  b,  # two\n]\n',
    'k[2]',
    'c',
    'k: [\n  a,  # one\n  b,  # two\n  c,\n]\n',
  ],
  [
    'removes a line from a flow list of lines',
    'k: [\n  a,  # one\n  b   # two\n]\n',
    'k[1]',
    undefined,
    'k: [\n  a,  # one\n]\n',
  ],
  ['removes from a flow list on one line', 'k: [a, b, c]\n', 'k[1]', undefined, 'k: [a, c]\n'],
  ['removes the last of a flow list', 'k: [a, b]\n', 'k[1]', undefined, 'k: [a]\n'],
  ['gives a flow key its first value', 'k: {a, b: 1}\n', 'k.a', 2, 'k: {a: 2, b: 1}\n'],
  [
    'keeps a literal block',
    'k: |  # c\n  a\n  b\nz: 1\n',
    'k',
    'a\nc\n',
    'k: |  # c\n  a\n  c\nz: 1\n',
  ],
  [
    'keeps a literal block and fits its chomping',
    'k: |\n  a\nz: 1\n',
    'k',
    'b',
    'k: |-\n  b\nz: 1\n',
  ],
  ['keeps a folded block', 'k: >\n  a\n  b\nz: 1\n', 'k', 'a c\n', 'k: >\n  a c\nz: 1\n'],
  ['shortens a block scalar to a number', 'k: |  # c\n  a\nz: 1\n', 'k', 1, 'k: 1  # c\nz: 1\n'],
  ['replaces a plain scalar of several lines', 'k: a\n  b\nz: 1\n', 'k', 'c', 'k: c\nz: 1\n'],
  [
    'uses a literal block for new text of several lines',
    'k: a\n',
    'k',
    'x\ny\n',
    'k: |\n  x\n  y\n',
  ],
  ['keeps explicit keys', '? a\n: 1\n', 'a', 2, '? a\n: 2\n'],
  ['gives an explicit key its value', '? a\n? b\n', 'a', 1, 'a: 1\n? b\n'],
  ['edits compact nested lists', '- - a\n  - b\n- c\n', '[0][1]', 'x', '- - a\n  - x\n- c\n'],
  ['keeps tags of the same kind', 'a: !secret x\n', 'a', 'z', 'a: !secret z\n'],
  ['drops a tag that would lie', 'a: !!str 1\n', 'a', 2, 'a: 2\n'],
  ['keeps anchors', 'a: &x 1\nb: *x\n', 'c', 2, 'a: &x 1\nb: *x\nc: 2\n'],
  [
    'gives an alias its own copy when it changes',
    'a: &x 1\nb: *x\nc: *x\n',
    'b',
    2,
    'a: &x 1\nb: 2\nc: *x\n',
  ],
  [
    'gives aliases their copies when the anchor changes',
    'a: &x 1\nb: *x\n',
    'a',
    2,
    'a: &x 2\nb: 1\n',
  ],
  [
    'gives aliases their copies when the anchor goes',
    'a: &x {k: 1}\nb: *x\n',
    'a',
    undefined,
    'b:\n  k: 1\n',
  ],
  [
    'edits through an alias in one place only',
    'a: &x\n  k: 1\nb: *x\n',
    'b.k',
    2,
    'a: &x\n  k: 1\nb:\n  k: 2\n',
  ],
  ['quotes keys that need it', 'a: 1\n', '["b: c"]', 2, 'a: 1\n"b: c": 2\n'],
  ['adds __proto__ as an ordinary key', 'a: 1\n', '__proto__', 2, 'a: 1\n__proto__: 2\n'],
  [
    'leaves digits alone that a number can not hold',
    'n: 123456789012345678901\na: 1\n',
    'a',
    2,
    'n: 123456789012345678901\na: 2\n',
  ],
  ['changes the root from map to list', '# top\na: 1\n# end\n', '', ['x'], '# top\n- x\n# end\n'],
  ['changes the root from scalar to map after a marker', '--- x\n', '', { a: 1 }, '---\na: 1\n'],
  [
    'shields blank lines from a block scalar above',
    'a: |-\n x\nb: 1\n   \n  # c\nz: 1\n',
    'b',
    undefined,
    'a: |-\n x\n\n# c\nz: 1\n',
  ],
];

describe('an edit', () => {
  test.each(examples)('%s', (_title, before, path, value, after) => {
    const result = setYaml(parseYaml(before), parsePath(path), value);
    expect(result).toMatchObject({ text: after, rewrites: 0 });
  });

  test('leaves anchor and aliases in place when all change alike', () => {
    const source = parseYaml('a: &x 1\nb: *x\n');
    expect(editYaml(source, { a: 2, b: 2 }).text).toBe('a: &x 2\nb: *x\n');
  });

  test('is none when only the order of keys differs', () => {
    const source = parseYaml('a: 1\nb: 2\n');
    expect(editYaml(source, { b: 2, a: 1 })).toMatchObject({ text: source.text, changedPaths: [] });
  });

  test('finds changed items by identity, others by position', () => {
    const source = parseYaml('- id: a # A\n  n: 1\n- id: b # B\n  n: 2\n- id: c # C\n  n: 3\n');
    const next = [
      { id: 'x', n: 0 },
      { id: 'b', n: 9 },
      { id: 'c', n: 3 },
    ];
    expect(editYaml(source, next).text).toContain('- id: b # B\n  n: 9\n- id: c # C\n  n: 3\n');
  });

  test('names what changed where it is now, and what is gone where it was', () => {
    const source = parseYaml('a: 1\nb: [x, y]\nc: 3\n');
    const { changedPaths } = editYaml(source, { a: 2, b: ['y'], d: 4 });
    expect(changedPaths.map(formatPath).sort()).toEqual(['a', 'b[0]', 'c', 'd']);
  });

  test('gives the result to go on from', () => {
    const first = setYaml(parseYaml('a: 1\n'), ['a'], 2);
    const second = setYaml(first.source, ['b'], 3);
    expect(second.text).toBe('a: 2\nb: 3\n');
    expect(second.source.value).toEqual({ a: 2, b: 3 });
  });

  test('refuses a result that could not be read back', () => {
    let deep: YamlValue = 1;
    for (let level = 0; level < 201; level += 1) deep = [deep];
    const source = parseYaml('a: 1\n');
    expect(() => setYaml(source, ['a'], deep)).toThrow(
      expect.objectContaining({ code: 'TOO_DEEP' }),
    );
  });

  test('stays linear in long lists', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `- id: ${i}\n  n: 1\n`).join('');
    const source = parseYaml(many);
    const next = (source.value as { n: number }[]).map((item) => ({ ...item, n: 2 })).slice(1);
    const started = performance.now();
    const result = editYaml(source, next);
    expect(result.rewrites).toBe(0);
    expect(result.changedPaths.length).toBe(5000);
    expect(result.text).toBe(many.slice(many.indexOf('- id: 1\n')).replaceAll('n: 1', 'n: 2'));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('printYaml', () => {
  test('writes block style with two spaces', () => {
    const value = { a: { b: [1, { c: 'x', d: [] }] }, e: 'x\ny\n', f: '', g: null, h: [[1]] };
    expect(printYaml(value)).toBe(
      'a:\n  b:\n    - 1\n    - c: x\n      d: []\ne: |\n  x\n  y\nf: ""\ng: null\nh:\n  - - 1\n',
    );
  });

  test.each([
    [-0, '-0.0\n'],
    [1e21, '1.0e+21\n'],
    [Number.NaN, '.nan\n'],
    [Number.NEGATIVE_INFINITY, '-.inf\n'],
    [2 ** 60, '1.152921504606847e+18\n'],
    ['1e3', '"1e3"\n'],
    ['\u0085', '"\\x85"\n'],
  ])('writes %s so that it reads back as itself', (value, text) => {
    expect(printYaml(value)).toBe(text);
    expect(parseYaml(text).value).toBe(value);
  });
});
