/**
 * The promises of the YAML editor for any value, any layout and any change: the result says exactly
 * the next value, an equal value changes no byte, and lines that hold nothing that changed stay.
 * `FC_RUNS` multiplies the number of runs.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commentsIn } from '../../src/format/yaml/find-comments.js';
import { getAt, setAt } from '../../src/format/yaml/path-access.js';
import { editYaml, printYaml, setYaml } from '../../src/format/yaml/yaml-edit.js';
import { parseYaml } from '../../src/format/yaml/yaml-text.js';
import { cloneValue, equalValues, type YamlValue } from '../../src/format/yaml/yaml-value.js';
import { type Json, type LaidOutLine, layOut, type Path } from '../helpers/random-layout.js';

const RUNS = Number(process.env.FC_RUNS ?? 1);

const oddStrings = fc.constantFrom(
  ...['', ' ', 'yes', 'no', 'null', '~', 'true', '1e3', '0x10', '0o7', '12:30', '1_000', '.nan'],
  ...['- a', '-', '?', ': ', 'a: b', '# x', 'a # b', ' lead', 'trail ', 'tab\tin', "it's", '"q"'],
  ...[
    'two\nlines',
    'clip\n',
    'keep\n\n',
    '\n',
    '\nlead',
    '  indented\nblock',
    'a\n\n  b\nc',
    '{',
    '[x]',
  ],
  ...[
    'a, b',
    'é🙂',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u0000',
    '\u007f',
    '---',
    '...',
    '--- a',
    '%TAG',
  ],
  ...['&a', '*a', '!t', '|', '>', '@x', '`', '2026-02-17', '<<', '=', 'a:', ':a', 'x'.repeat(200)],
  ...['a word and another, and more words', 'con\rtrol', 'crlf\r\nline', 'trailing space \nline'],
);
const strings = fc.oneof(
  { weight: 3, arbitrary: oddStrings },
  fc.string(),
  fc.string({ unit: 'binary' }),
);
const numbers = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const keys = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('id', 'name', 'status', 'a', 'b', 'phases', 'note') },
  strings,
  fc.constantFrom('__proto__', 'constructor', 'toString', '1', 'true', 'x y'),
);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    strings,
    numbers,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 5 }),
    fc.dictionary(keys, tie('json'), { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Json>,
  ),
}));
const seeds = fc.integer();

const withoutLoneSurrogates = (value: Json) => !/\\ud[89a-f]/i.test(JSON.stringify(value));
const states = json.filter(withoutLoneSurrogates);

/** Reads a layout; one that can't be read is a mistake of the layout writer, and is shown. */
function read(text: string) {
  try {
    return parseYaml(text);
  } catch (cause) {
    throw new Error(`The layout is not YAML: ${JSON.stringify(text)}`, { cause });
  }
}

describe('editing any layout to any value', () => {
  test('reads back as exactly the next value, there and back', () => {
    fc.assert(
      fc.property(states, states, seeds, (before, after, seed) => {
        const source = read(layOut(before, seed, { anchors: true }).text);
        expect(equalValues(source.value, before)).toBe(true);
        const there = editYaml(source, after);
        expect(equalValues(parseYaml(there.text).value, after)).toBe(true);
        const back = editYaml(there.source, before);
        expect(equalValues(parseYaml(back.text).value, before)).toBe(true);
      }),
      { numRuns: 300 * RUNS },
    );
  });

  test('changes no byte for an equal value', () => {
    fc.assert(
      fc.property(states, seeds, (value, seed) => {
        const { text } = layOut(value, seed, { anchors: true });
        expect(editYaml(read(text), cloneValue(value)).text).toBe(text);
      }),
      { numRuns: 150 * RUNS },
    );
  });

  test('prints any value so that it reads back', () => {
    fc.assert(
      fc.property(states, (value) => {
        expect(equalValues(parseYaml(printYaml(value)).value, value)).toBe(true);
      }),
      { numRuns: 300 * RUNS },
    );
  });
});

/** A value whose scalars and items all differ, so that which of them changed is beyond doubt. */
function makeUnique(value: Json, next: () => number): Json {
  if (typeof value === 'string') return `${value.replace(/\s+$/, '')}_${next()}`;
  if (typeof value === 'number') return next();
  if (Array.isArray(value)) return [...value.map((item) => makeUnique(item, next)), `u${next()}`];
  if (typeof value !== 'object' || value === null) return `v${next()}`;
  const entries = Object.keys(value).map((key) => [key, makeUnique(value[key] ?? null, next)]);
  return Object.fromEntries([...entries, ['uniq', next()]]) as Json;
}

function* placesIn(value: Json, path: Path = []): Generator<{ path: Path; value: Json }> {
  yield { path, value };
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* placesIn(item, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) yield* placesIn(value[key] ?? null, [...path, key]);
  }
}

const isWithin = (outer: Path, inner: Path) => outer.every((step, index) => step === inner[index]);
const isCollection = (value: unknown) => typeof value === 'object' && value !== null;

/** The lines that an edit of `path` may touch: none that holds only other values. */
function missingLines(lines: readonly LaidOutLine[], path: Path, after: string): string[] {
  const result = after.replace(/^\ufeff/, '').split(/\r?\n/);
  let at = 0;
  const missing: string[] = [];
  for (const { text, owners } of lines) {
    if (owners.some((owner) => isWithin(path, owner))) continue;
    // Spaces on a blank line mean nothing, and may have to go where a block scalar ends above.
    const isBlank = text.trim() === '';
    const found = isBlank
      ? result.findIndex((line, index) => index >= at && line.trim() === '')
      : result.indexOf(text, at);
    if (found === -1) missing.push(text);
    else at = found + 1;
  }
  return missing;
}

const uniqueStates = states.filter(isCollection).map((value) => {
  let count = 0;
  const next = () => {
    count += 1;
    return count;
  };
  return makeUnique(value, next);
});

/** One change in the making; where it goes is picked by number. */
const changes = fc.record({
  kind: fc.constantFrom<'set' | 'add' | 'remove' | 'move'>('set', 'add', 'remove', 'move'),
  at: fc.nat(),
  to: fc.nat(),
  value: states,
});
type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

/** A value with one change made, or as it is where the change has no place. */
function changed(value: Json, { kind, at, to, value: next }: Change): Json {
  const all = [...placesIn(value)];
  const fitting = all.filter((place) => {
    if (kind === 'move') return Array.isArray(place.value) && place.value.length > 1;
    if (kind === 'add') return isCollection(place.value);
    return place.path.length > 0 && (kind === 'remove' || !isCollection(place.value));
  });
  const place = fitting[at % Math.max(1, fitting.length)];
  if (!place) return value;
  if (kind === 'set') return setAt(value, place.path, next) as Json;
  if (kind === 'remove') return setAt(value, place.path, undefined) as Json;
  if (!Array.isArray(place.value))
    return setAt(value, [...place.path, `added ${to}`], next) as Json;
  const items = [...place.value];
  const moved = kind === 'move' ? items.splice(to % items.length, 1) : [next];
  items.splice(at % (items.length + 1), 0, ...moved);
  return setAt(value, place.path, items) as Json;
}

/** The comments of a text that another text does not have as often. */
function missingComments(before: string, after: string): string[] {
  const kept = commentsIn(after).map(({ text }) => text);
  return commentsIn(before)
    .map(({ text }) => text)
    .filter((text) => {
      const at = kept.indexOf(text);
      if (at !== -1) kept.splice(at, 1);
      return at === -1;
    });
}

describe('several changes in any layout', () => {
  // Only anchors that are used may take a larger part along, now and then.
  test.each([
    { anchors: false, share: 0 },
    { anchors: true, share: 0.005 },
  ])('need no larger part written anew, at most $share with anchors: $anchors', (options) => {
    let [edits, rewrites] = [0, 0];
    fc.assert(
      fc.property(
        states.filter(isCollection),
        fc.array(changes, { minLength: 1, maxLength: 4 }),
        seeds,
        (before, list, seed) => {
          const { text } = layOut(before, seed, options);
          const source = read(text);
          const after = list.reduce(changed, before);
          const there = editYaml(source, after);
          const back = editYaml(there.source, before);
          expect(equalValues(parseYaml(there.text).value, after)).toBe(true);
          edits += 2;
          rewrites += there.rewrites + back.rewrites;
        },
      ),
      { numRuns: 200 * RUNS },
    );
    expect(edits).toBeGreaterThanOrEqual(400 * RUNS);
    expect(rewrites / edits).toBeLessThanOrEqual(options.share);
  });

  test('lose no comment where nothing is removed or replaced', () => {
    const additions = changes.map((change): Change => ({ ...change, kind: 'add' }));
    const moves = changes.map((change): Change => ({ ...change, kind: 'move' }));
    fc.assert(
      fc.property(
        uniqueStates,
        fc.oneof(
          fc.array(additions, { minLength: 1, maxLength: 3 }),
          fc.array(moves, { minLength: 1, maxLength: 1 }),
        ),
        seeds,
        (before, list, seed) => {
          const { text } = layOut(before, seed, { anchors: false });
          const after = list.reduce(changed, before);
          const result = editYaml(read(text), after).text;
          expect({ text, result, missing: missingComments(text, result) }).toEqual({
            ...{ text, result },
            missing: [],
          });
        },
      ),
      { numRuns: 200 * RUNS },
    );
  });
});

describe('one change in any layout', () => {
  const check = (
    text: string,
    lines: readonly LaidOutLine[],
    path: Path,
    next: YamlValue | undefined,
    held: Path = path,
  ) => {
    const source = read(text);
    const result = setYaml(source, path, next);
    const wanted = setAt(source.value, path, next);
    expect(equalValues(parseYaml(result.text).value, wanted)).toBe(true);
    const missing = missingLines(lines, held, result.text);
    expect({ text, path, result: result.text, rewrites: result.rewrites, missing }).toEqual({
      ...{ text, path, result: result.text },
      ...{ rewrites: 0, missing: [] },
    });
  };

  test('a changed scalar touches only the lines that hold it', () => {
    fc.assert(
      fc.property(
        uniqueStates,
        seeds,
        fc.nat(),
        fc.oneof(strings, numbers, fc.boolean(), fc.constant(null)),
        (state, seed, choice, next) => {
          fc.pre(withoutLoneSurrogates(next));
          const { text, lines } = layOut(state, seed, { anchors: false });
          const scalars = [...placesIn(state)].filter(({ value }) => !isCollection(value));
          const place = scalars[choice % scalars.length];
          if (place) check(text, lines, place.path, next);
        },
      ),
      { numRuns: 200 * RUNS },
    );
  });

  test('a removed entry takes only the lines that hold it', () => {
    fc.assert(
      fc.property(uniqueStates, seeds, fc.nat(), (state, seed, choice) => {
        const { text, lines } = layOut(state, seed, { anchors: false });
        const entries = [...placesIn(state)].filter(({ path }) => path.length > 0);
        const place = entries[choice % entries.length];
        if (!place) return;
        const parent = place.path.slice(0, -1);
        const isOnly = Object.keys(getAt(state, parent) ?? {}).length === 1;
        check(text, lines, place.path, undefined, isOnly ? parent : place.path);
      }),
      { numRuns: 300 * RUNS },
    );
  });

  test('an added entry touches no line but those of a flow collection', () => {
    fc.assert(
      fc.property(uniqueStates, seeds, fc.nat(), states, (state, seed, choice, added) => {
        const { text, lines } = layOut(state, seed, { anchors: false });
        const collections = [...placesIn(state)].filter(({ value }) => isCollection(value));
        const place = collections[choice % collections.length];
        if (!place || Object.keys(place.value ?? {}).length === 0) return;
        const last = Array.isArray(place.value)
          ? place.value.length - 1
          : Object.keys(place.value ?? {}).at(-1);
        const step = Array.isArray(place.value) ? place.value.length : 'added key';
        const lastPath = [...place.path, last ?? 0];
        const isFlow = lines.some(
          ({ owners, text: line }) =>
            owners.some((o) => o.length === place.path.length && isWithin(place.path, o)) &&
            /[[{]/.test(line),
        );
        check(text, lines, [...place.path, step], added, isFlow ? lastPath : [...place.path, step]);
      }),
      { numRuns: 300 * RUNS },
    );
  });
});
