/**
 * A text of which only scalars changed is read from the tree that was there before. Whatever the layout,
 * the places and the new texts are, that gives exactly what the parser gives, or leaves it to the parser.
 * `FC_RUNS` multiplies the number of runs.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rereadScalars } from '../../src/format/yaml/reread-scalars.js';
import { applySplices, type Splice } from '../../src/format/yaml/splice.js';
import { parseYaml, type YamlText } from '../../src/format/yaml/yaml-text.js';
import { isCollection, type Node, type ScalarNode } from '../../src/format/yaml/yaml-tree.js';
import { type Json, layOut } from '../helpers/random-layout.js';

const RUNS = Number(process.env.FC_RUNS ?? 1);

const words = fc.constantFrom(
  ...['a', 'done', '7', '-3', '1.50', '0x1f', 'true', 'null', '2026-02-17', '12:30', 'two words'],
  ...[
    'a:b',
    'a#b',
    "it's",
    'é',
    'http://x/y?z=1&b=2',
    'x, y',
    '[x]',
    '{',
    'a: b',
    'a #b',
    '- a',
    '',
  ],
  ...['...', '---', '-', '?', 'a:', ' lead', 'trail ', '"', "'", '\\', '\t', 'a\tb', '\n', 'a\n b'],
  ...[
    '&a',
    '*a',
    '!t',
    '|',
    '>',
    '%x',
    '@',
    '`',
    '\u00a0',
    '\u2028',
    '\u0085',
    '\u0000',
    '\ud800',
    '🙂',
  ],
);
const content = fc.oneof(words, fc.string(), fc.string({ unit: 'grapheme' }));
/** What is written in place of a scalar: mostly as that scalar is quoted, and not always valid. */
const spelling = fc.record({
  content,
  quote: fc.constantFrom('same', 'same', 'same', 'same', '', "'", '"'),
});
const scalars: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom('plain', 'two words', 'done', '', 'yes', "it's", 'two\nlines', 'a: b', '7'),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { states } = fc.letrec<{ states: Json }>((tie) => ({
  states: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('states'), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom('id', 'name', '__proto__', 'x y', '1'), tie('states'), {
      maxKeys: 4,
      noNullPrototype: true,
    }) as fc.Arbitrary<Json>,
  ),
}));

function scalarsOf(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return [node];
  return isCollection(node) ? node.entries.flatMap((entry) => scalarsOf(entry.node)) : [];
}

function spelled(node: ScalarNode, { content: text, quote }: { content: string; quote: string }) {
  const same = node.style === 'single' ? "'" : node.style === 'double' ? '"' : '';
  const mark = quote === 'same' ? same : quote;
  return mark + text + mark;
}

function splicesOf(source: YamlText, picks: readonly { at: number; text: Spelling }[]): Splice[] {
  const nodes = scalarsOf(source.root);
  const byStart = new Map<number, Splice>();
  for (const { at, text } of picks) {
    const node = nodes[at % Math.max(1, nodes.length)];
    if (!node) continue;
    byStart.set(node.start, { start: node.start, end: node.end, text: spelled(node, text) });
  }
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

type Spelling = { content: string; quote: string };
const picks = fc.array(fc.record({ at: fc.nat(), text: spelling }), { minLength: 1, maxLength: 4 });

/** The text read by the parser, or what it refuses it with. */
function parsed(text: string): YamlText | Error {
  try {
    return parseYaml(text);
  } catch (error) {
    return error as Error;
  }
}

function checkOne(text: string, chosen: readonly { at: number; text: Spelling }[]): boolean {
  const source = parsed(text);
  if (source instanceof Error)
    throw new Error(`The layout is not YAML: ${text}`, { cause: source });
  const splices = splicesOf(source, chosen);
  if (splices.length === 0) return false;
  const after = applySplices(source.body, splices);
  const reread = rereadScalars(source, splices, after);
  if (!reread) return false;
  expect(reread).toEqual(parsed(after));
  expect(Object.isFrozen(reread.value) || typeof reread.value !== 'object').toBe(true);
  return true;
}

describe('a text of which only scalars changed', () => {
  test('is read as the parser reads it, or left to the parser, in any layout', () => {
    let reread = 0;
    let all = 0;
    fc.assert(
      fc.property(states, fc.integer(), fc.boolean(), picks, (state, seed, anchors, chosen) => {
        all += 1;
        if (checkOne(layOut(state, seed, { anchors }).text, chosen)) reread += 1;
      }),
      { numRuns: 1500 * RUNS },
    );
    // A test that only ever leaves it to the parser would say nothing.
    expect(reread / all).toBeGreaterThan(0.1);
  });

  test('is read again and again from what was made of the tree before', () => {
    fc.assert(
      fc.property(
        states,
        fc.integer(),
        fc.array(picks, { maxLength: 6 }),
        (state, seed, rounds) => {
          let source = parseYaml(layOut(state, seed, { anchors: false }).text);
          for (const chosen of rounds) {
            const splices = splicesOf(source, chosen);
            if (splices.length === 0) return;
            const text = applySplices(source.body, splices);
            const next = rereadScalars(source, splices, text);
            if (!next) continue;
            expect(next).toEqual(parseYaml(text));
            source = next;
          }
        },
      ),
      { numRuns: 500 * RUNS },
    );
  });
});

describe('the parser is asked', () => {
  const source = parseYaml('a: one # c\nb: [x, "y"]\nc: |\n  text\nd: !t z\ne: two\n  lines\n');
  const at = (old: string, text: string): Splice[] => {
    const start = source.body.indexOf(old);
    return [{ start, end: start + old.length, text }];
  };

  test.each<[string, Splice[]]>([
    ['a comment that begins in the new text', at('one', 'one #')],
    ['a map that begins in the new text', at('one', 'k: v')],
    ['another style', at('one', '"one"')],
    ['an escape', at('"y"', '"\\x41"')],
    ['a comma in a flow list', at('x', 'x, z')],
    ['a block scalar', at('|\n  text\n', '|\n  other\n')],
    ['a scalar with a tag', at('z', 'y')],
    ['a scalar of several lines', at('two\n  lines', 'two')],
    ['a part of a scalar', at('ne', 'n')],
    ['a key', at('a', 'f')],
    ['a comment', at('# c', '# d')],
    ['an insertion', [{ start: 3, end: 3, text: 'x' }]],
    ['nothing', []],
  ])('%s', (_, splices) => {
    expect(rereadScalars(source, splices, applySplices(source.body, splices))).toBeUndefined();
  });

  test('a text near the limit of bytes', () => {
    const small = parseYaml('a: one\n', { limits: { maxBytes: 20 } });
    expect(rereadScalars(small, [{ start: 3, end: 6, text: 'two' }], 'a: two\n')).toBeUndefined();
  });

  test('a text with aliases, or with a byte-order mark', () => {
    for (const text of ['a: &x one\nb: *x\nc: two\n', '\ufeffa: one\nc: two\n']) {
      const odd = parseYaml(text);
      const start = odd.body.indexOf('two');
      const splices = [{ start, end: start + 3, text: 'abc' }];
      expect(rereadScalars(odd, splices, text.replace('two', 'abc'))).toBeUndefined();
    }
  });
});
