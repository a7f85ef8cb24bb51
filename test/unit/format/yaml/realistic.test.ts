/**
 * The editor on files as people write them: every scalar changed, every collection added to, every
 * entry removed, several changes at once. What may differ is known from the lines that a value
 * stands on; everything else must stay byte for byte. `FC_RUNS` multiplies how many values are tried.
 */
import { describe, expect, test } from 'vitest';
import { editRoot } from '../../../../src/format/yaml/edit-node.js';
import { EditPlan } from '../../../../src/format/yaml/edit-plan.js';
import { commentsIn } from '../../../../src/format/yaml/find-comments.js';
import { getAt, setAt } from '../../../../src/format/yaml/path-access.js';
import { editYaml, setYaml, type YamlEdit } from '../../../../src/format/yaml/yaml-edit.js';
import { formatPath, type YamlPath } from '../../../../src/format/yaml/yaml-path.js';
import { styleOf } from '../../../../src/format/yaml/yaml-style.js';
import { parseYaml, type YamlText } from '../../../../src/format/yaml/yaml-text.js';
import { type Entry, isCollection, type Node } from '../../../../src/format/yaml/yaml-tree.js';
import { equalValues, isList, type YamlValue } from '../../../../src/format/yaml/yaml-value.js';
import { lineChanges, linesOf } from '../../../helpers/line-changes.js';
import { realisticTexts } from './realistic-texts.js';

const RUNS = Number(process.env.FC_RUNS ?? 1);

/** A value in a text: where it is, and the entry that holds it. */
interface Place {
  readonly path: YamlPath;
  readonly node: Node;
  readonly parent: Node | undefined;
  readonly entry: Entry | undefined;
}

/** All values of a text; not those behind aliases, which have no lines of their own. */
function* placesOf(
  node: Node,
  path: YamlPath = [],
  parent?: Node,
  entry?: Entry,
): Generator<Place> {
  yield { path, node, parent, entry };
  if (!isCollection(node)) return;
  for (const [index, inner] of node.entries.entries()) {
    yield* placesOf(inner.node, [...path, inner.key ?? index], node, inner);
  }
}

/** The first and the last line of a value, its key or dash included, from 0. */
function ownLines(source: YamlText, { node, entry }: Place): [number, number] {
  const end = Math.max(node.start, node.end);
  const lastAt = source.body[end - 1] === '\n' ? end - 1 : end;
  return [
    source.lines.indexOf(Math.min(node.start, entry?.start ?? node.start)),
    source.lines.indexOf(lastAt),
  ];
}

/** Asserts that a result says what it should, by an edit of the smallest parts only. */
function expectValue(result: YamlEdit, wanted: YamlValue, at: string): void {
  expect(equalValues(result.source.value, wanted), at).toBe(true);
  expect(result.rewrites, at).toBe(0);
}

/** The touched lines that hold something, as numbers of lines of the text before. */
function touchedLines(before: string, after: string): number[] {
  const { removed, at } = lineChanges(before, after);
  return removed.flatMap((line, index) => (line.trim() === '' ? [] : [at + index]));
}

/** A text without byte-order mark and with a final newline, so that only its lines are compared. */
const withFinalNewline = (text: string) => `${text.replace(/^\ufeff|\n$/g, '')}\n`;

const scalarChanges: readonly YamlValue[] = [
  'new',
  'a: b # c',
  'yes',
  '',
  'two\nlines\n',
  7,
  null,
  [],
  { p: ['q'] },
];
const additions: readonly YamlValue[] = [
  'new',
  { id: 'new', tags: ['t'] },
  ['p', ['q']],
  'two\nlines',
  { k: 'two\nlines\n' },
];

/** A few of the choices, other ones for every place; all of them in long runs. */
function some<T>(choices: readonly T[], index: number): T[] {
  return choices.filter((_, choice) => (choice + index) % choices.length < RUNS);
}

/** Values that other places use; changing them has to touch those, too. */
function usedAnchors(source: YamlText): (node: Node) => boolean {
  const targets = source.aliases.flatMap((alias) => (alias.kind === 'alias' ? [alias.target] : []));
  return (node) => targets.some(({ start, end }) => start <= node.end && node.start <= end);
}

/** All comments of a text, sorted. */
const comments = (text: string) =>
  commentsIn(text.replace(/^\ufeff/, ''))
    .map((comment) => comment.text)
    .sort();

describe.each(realisticTexts)('%s', (_title, text) => {
  const source = parseYaml(text);
  const places = [...placesOf(source.root)];
  const isShared = usedAnchors(source);

  test('any scalar changes on its own lines, on one line if it has one', () => {
    for (const [index, place] of places.entries()) {
      if (isCollection(place.node)) continue;
      const { path, node } = place;
      const [from, to] = ownLines(source, place);
      for (const next of some(scalarChanges, index)) {
        const at = `${formatPath(path)} = ${JSON.stringify(next)}`;
        const result = setYaml(source, path, next);
        expectValue(result, setAt(source.value, path, next), at);
        if (isShared(node)) continue;
        const outside = touchedLines(text, result.text).filter((line) => line < from || line > to);
        expect(outside, at).toEqual([]);
        const isOneLine = from === to && typeof next !== 'object' && !/\n/.test(String(next));
        if (isOneLine) expect(linesOf(result.text).length, at).toBe(linesOf(text).length);
      }
    }
  });

  test('any collection takes a new entry without touching a line', () => {
    for (const [index, { path, node }] of places.entries()) {
      if (!isCollection(node) || isShared(node) || node.entries.length === 0) continue;
      const step = node.kind === 'list' ? node.entries.length : 'added';
      for (const next of some(additions, index)) {
        const at = `${formatPath([...path, step])} = ${JSON.stringify(next)}`;
        const result = setYaml(source, [...path, step], next);
        expectValue(result, setAt(source.value, [...path, step], next), at);
        const { removed } = lineChanges(withFinalNewline(text), withFinalNewline(result.text));
        expect(removed.length, at).toBeLessThanOrEqual(node.isFlow ? 1 : 0);
      }
    }
  });

  test('any entry goes with its own lines only', () => {
    for (const place of places) {
      const { path, node, parent } = place;
      if (path.length === 0 || isShared(node)) continue;
      const result = setYaml(source, path, undefined);
      expectValue(result, setAt(source.value, path, undefined), formatPath(path));
      const isOnly = parent !== undefined && isCollection(parent) && parent.entries.length === 1;
      const holder = isOnly ? places.find((other) => other.node === parent) : place;
      const [from, to] = ownLines(source, holder ?? place);
      const lines = linesOf(withFinalNewline(text));
      const touched = touchedLines(withFinalNewline(text), withFinalNewline(result.text));
      const outside = touched.filter((line) => {
        // The comments right below an entry that are indented deeper belong to it.
        return line < from || (line > to && !/^\s*#/.test(lines[line] ?? ''));
      });
      expect(outside, formatPath(path)).toEqual([]);
    }
  });

  test('lists can be reordered without losing a line or a comment', () => {
    if (source.aliases.length > 0) return;
    for (const { path, node } of places) {
      if (node.kind !== 'list' || node.entries.length < 2 || !isList(node.value)) continue;
      const next = setAt(source.value, path, [...node.value.slice(1), ...node.value.slice(0, 1)]);
      const result = editYaml(source, next);
      expectValue(result, next, formatPath(path));
      expect(comments(result.text), formatPath(path)).toEqual(comments(text));
      const isCompact = !source.lines.isFirstOnLine(node.start);
      if (node.isFlow || isCompact) continue;
      const sorted = (of: string) => linesOf(withFinalNewline(of)).sort();
      expect(sorted(result.text.replace(/^\ufeff/, '')), formatPath(path)).toEqual(
        sorted(source.body),
      );
    }
  });

  test('even what is written anew as a whole keeps its comments', () => {
    for (const { path, node } of places) {
      if (!isCollection(node) || node.entries.length === 0 || source.aliases.length > 0) continue;
      const mode = {
        rewritten: new Set([formatPath(path)]),
        isQuoted: true,
        keepsFinalBreak: true,
      };
      const plan = new EditPlan(source, styleOf(source), mode);
      const step = node.kind === 'list' ? node.entries.length : 'added';
      const next = setAt(source.value, [...path, step], 'x');
      editRoot(plan, next);
      plan.keepComments();
      const result = plan.result();
      expect(equalValues(parseYaml(result).value, next), formatPath(path)).toBe(true);
      expect(comments(result), formatPath(path)).toEqual(comments(text));
    }
  });

  test('several changes at once are all made, and nothing else', () => {
    const scalars = places.filter(
      ({ path, node }) => !isCollection(node) && !isShared(node) && path.length > 0,
    );
    for (let step = 1; step <= 3; step += 1) {
      const chosen = scalars.filter((_, index) => index % step === 0);
      let next = source.value;
      for (const { path } of chosen) next = setAt(next, path, `changed ${formatPath(path)}`);
      const result = editYaml(source, next);
      expectValue(result, next, `every ${step}`);
      expect(equalValues(parseYaml(result.text).value, next)).toBe(true);
      for (const { path } of chosen) expect(getAt(result.source.value, path)).toMatch(/^changed/);
    }
  });
});

type Example = readonly [title: string, before: string, next: YamlValue, after: string];

/** What went wrong once, smallest form. */
const regressions: readonly Example[] = [
  [
    'a new block scalar leaves deeper comments below it alone',
    'a:\n  b: 1\n\n      # deep\nz: 1\n',
    { a: { b: 1, c: 'x\ny' }, z: 1 },
    'a:\n  b: 1\n  c: "x\\ny"\n\n      # deep\nz: 1\n',
  ],
  [
    'only the string that is in the way of a comment is quoted',
    'a:\n  b: 1\n\n      # deep\nz: 1\n',
    { a: { b: 1, c: 'x\ny' }, z: 'p\nq' },
    'a:\n  b: 1\n  c: "x\\ny"\n\n      # deep\nz: |-\n  p\n  q\n',
  ],
  [
    'a block scalar inside a new map leaves deeper comments below it alone',
    'a:\n  b: 1\n\n        # deep\nz: 1\n',
    { a: { b: { k: 'x\ny' } }, z: 1 },
    'a:\n  b:\n    k: "x\\ny"\n\n        # deep\nz: 1\n',
  ],
  [
    'an item that moves takes the comments right above it along',
    'k:\n  - a # a\n  - b\n  # about c\n  # more\n  - c\n',
    { k: ['c', 'a', 'b'] },
    'k:\n  # about c\n  # more\n  - c\n  - a # a\n  - b\n',
  ],
  [
    'a scalar of several lines leaves deeper comments below it alone',
    'a:\n  b: 1\n      # deep\nz: 1\n',
    { a: { b: 'x\ny' }, z: 1 },
    'a:\n  b: "x\\ny"\n      # deep\nz: 1\n',
  ],
  [
    'a root scalar keeps its comment when it gets more lines',
    'x # c\n# end\n',
    'a\nb\n',
    '| # c\n  a\n  b\n# end\n',
  ],
  [
    'a block scalar keeps its indentation',
    'a: |\n      x\n      y\n',
    { a: 'x\nz\n' },
    'a: |\n      x\n      z\n',
  ],
  [
    'a block scalar keeps spaces at the ends of its lines',
    'a: |\n  x  \n  y\n',
    { a: 'x  \nz\n' },
    'a: |\n  x  \n  z\n',
  ],
  [
    'a block scalar keeps its indentation indicator',
    'a: |2\n    x\n  y\n',
    { a: '  x\nz\n' },
    'a: |2\n    x\n  z\n',
  ],
  [
    'a block scalar keeps its final line breaks',
    'a: |+\n  x\n\n\nb: 1\n',
    { a: 'z\n\n\n', b: 1 },
    'a: |+\n  z\n\n\nb: 1\n',
  ],
  [
    'a folded scalar stays folded',
    'a: >\n  x\n\n\n  y\n    z\n',
    { a: 'x\n\nq\n  z\n' },
    'a: >\n  x\n\n\n  q\n    z\n',
  ],
  [
    'an alias used as a key becomes its text',
    'a: &x one\n*x : 1\n',
    { a: 'two', one: 1 },
    'a: &x two\none : 1\n',
  ],
  [
    'an anchor that becomes null leaves its alias alone',
    'a: &x one\nb: *x\n',
    { a: null, b: 'one' },
    'a: &x null\nb: one\n',
  ],
  [
    'a tag goes with the block scalar under it',
    'a: !v |  # c\n  x\n',
    { a: [1] },
    'a:  # c\n  - 1\n',
  ],
  [
    'an item that is renamed keeps its comment',
    '- {id: a}   # one\n- {id: b}   # two\n',
    [{ id: 'q' }, { id: 'b' }],
    '- {id: q}   # one\n- {id: b}   # two\n',
  ],
  [
    'an item that changes its kind keeps its comment',
    '- a # one\n- b\n',
    [[], 'b'],
    '- [] # one\n- b\n',
  ],
  [
    'an empty flow list keeps the comments in it',
    'k: [\n  # none yet\n]\n',
    { k: ['a'] },
    'k: [\n  # none yet\n  a\n]\n',
  ],
  ['lines change at an end without newline', 'a:\n- b\n- c', { a: ['b'], d: 1 }, 'a:\n- b\nd: 1'],
  [
    'items that swap take their comments along',
    '# top\n- id: 1 # one\n# two\n- id: 2\n  # in two\n',
    [{ id: 2 }, { id: 1 }],
    '# top\n# two\n- id: 2\n  # in two\n- id: 1 # one\n',
  ],
  [
    'an item that moves takes its blank line along',
    'k:\n  - a\n\n  - b # b\n\n  - c\nz: 1\n',
    { k: ['c', 'a', 'b'], z: 1 },
    'k:\n  - c\n\n  - a\n\n  - b # b\nz: 1\n',
  ],
  [
    'an item that moves and changes differs on one line',
    '- id: a\n  n:  1 # n\n- id: b\n- id: c\n',
    [{ id: 'b' }, { id: 'c' }, { id: 'a', n: 2 }],
    '- id: b\n- id: c\n- id: a\n  n:  2 # n\n',
  ],
  [
    'an item of a flow list of lines moves with its comment',
    'k: [\n  a, # one\n  b, # two\n]\n',
    { k: ['b', 'a'] },
    'k: [\n  b, # two\n  a, # one\n]\n',
  ],
  [
    'an empty list in front of a list that grows leaves its comment alone',
    '- - |- # why\n   a\n- b\n',
    [[], ['a', ''], 'b'],
    '- []\n- - |- # why\n   a\n  - ""\n- b\n',
  ],
  [
    'a list that grows in a list of its own is still told from a new one',
    '- - - a # why\n- b\n',
    [[], [['a', 'c']], 'b'],
    '- []\n- - - a # why\n    - c\n- b\n',
  ],
  [
    'a list that is added does not take over the comments of a removed neighbour',
    '- [a, b] # ab\n- [c, d] # cd\n',
    [['x'], ['c', 'd', 'e']],
    '- [x] # ab\n- [c, d, e] # cd\n',
  ],
  [
    'an item below a block scalar goes while the one after it moves with its blank line',
    '- |-\n    a\n- x\n  \n- |-\n b\n- y\n',
    ['a', 'y', 'b'],
    '- |-\n    a\n- y\n  \n- |-\n b\n',
  ],
  [
    'two items go from below a block scalar, and the comments between them stay comments',
    '- |-\n  a\n- x\n   # one\n# two\n- y\n  \n# three\n- z\n',
    ['a', 'z'],
    '- |-\n  a\n# two\n\n# three\n- z\n',
  ],
  [
    'values in columns stay in their column',
    'status:   ACTIVE   # s\nowner:    me\n',
    { status: 'DONE', owner: 'me' },
    'status:   DONE   # s\nowner:    me\n',
  ],
];

describe('an edit', () => {
  test.each(regressions)('%s', (_title, before, next, after) => {
    expect(editYaml(parseYaml(before), next)).toMatchObject({ text: after, rewrites: 0 });
  });

  test.each([
    ['- x # one\n- x # two\n', [0], '- x # two\n'],
    ['- x # one\n- x # two\n', [1], '- x # one\n'],
  ])('of %j removes the item at %j, not one like it', (before, path, after) => {
    expect(setYaml(parseYaml(before), path, undefined).text).toBe(after);
  });

  test('says what to do where a path leads through null', () => {
    const source = parseYaml('artifact: null\n');
    expect(() => setYaml(source, ['artifact', 'path'], 'x')).toThrow(
      expect.objectContaining({
        code: 'PATH_NOT_FOUND',
        message: expect.stringMatching(/artifact.*null.*Set artifact/),
      }),
    );
  });
});
