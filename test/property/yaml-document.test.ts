/**
 * The promise of edits by sections: for any text, any value and any change, the result is byte for
 * byte what the editor of whole texts gives, its value is what the text says, and the splices lead
 * from one text to the other. `FC_RUNS` multiplies the number of runs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../src/errors.js';
import { setAt } from '../../src/format/yaml/path-access.js';
import { scanSections } from '../../src/format/yaml/section-scan.js';
import type { Body } from '../../src/format/yaml/section-tree.js';
import { applySplices } from '../../src/format/yaml/splice.js';
import { YamlDocument } from '../../src/format/yaml/yaml-document.js';
import { editYaml, setAllYaml, setYaml } from '../../src/format/yaml/yaml-edit.js';
import type { YamlPath } from '../../src/format/yaml/yaml-path.js';
import { parseYaml, type YamlText } from '../../src/format/yaml/yaml-text.js';
import { cloneValue, isList, isMap, type YamlValue } from '../../src/format/yaml/yaml-value.js';
import { type Json, layOut } from '../helpers/random-layout.js';

const RUNS = Number(process.env.FC_RUNS ?? 1);

type Outcome = { text: string } | { code: string; message: string };

function outcomeOf(work: () => string): Outcome {
  try {
    return { text: work() };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return { code: error.code, message: error.message };
  }
}

/** Applies one change both ways, compares them, and returns the document after it. */
function compare(
  document: YamlDocument,
  source: YamlText,
  whole: () => { text: string },
  inSections: (document: YamlDocument) => ReturnType<YamlDocument['set']>,
): YamlDocument {
  let after = document;
  const actual = outcomeOf(() => {
    const edit = inSections(document);
    after = edit.document;
    expect(after.length).toBe(after.text.length);
    if (edit.splices) expect(applySplices(source.text, edit.splices)).toBe(after.text);
    return after.text;
  });
  expect(actual).toEqual(outcomeOf(() => whole().text));
  return after;
}

const oddStrings = fc.constantFrom(
  ...['', ' ', 'yes', 'null', '1e3', '- a', 'a: b', '# x', ' lead', "it's", '"q"', 'two\nlines'],
  ...['clip\n', 'keep\n\n', '\n', '  indented\nblock', '{', '[x]', 'é🙂', '---', '...', '&a', '*a'],
  ...['!t', '|', 'a word and another, and more words', 'plain', 'x'.repeat(90), 'R & D', '%x'],
);
const scalars = fc.oneof(
  { weight: 4, arbitrary: oddStrings },
  fc.integer({ min: -5, max: 2000 }),
  fc.constantFrom<Json>(null, true, false, 1.5),
);
const keys = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('id', 'name', 'status', 'a', 'b', 'note', 'x y', '10') },
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom('__proto__', '1.0', '1', 'true', "it's", 'k: v', '"', 'é', '...', '- x'),
);
const { json: small } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(keys, tie('json'), { maxKeys: 4 }),
  ),
}));
/** Long enough for sections within sections. */
const { json: large } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: small },
    { weight: 2, arbitrary: fc.array(small, { minLength: 15, maxLength: 40, size: 'max' }) },
    {
      weight: 6,
      arbitrary: fc.dictionary(fc.oneof(keys, fc.stringMatching(/^[a-z]{3,5}$/)), tie('json'), {
        minKeys: 3,
        maxKeys: 9,
        size: 'max',
      }),
    },
  ),
}));

/** Short values of any kind, collections of a few scalars included. */
const tiny = fc.oneof(
  { weight: 3, arbitrary: scalars },
  { weight: 1, arbitrary: fc.array(scalars, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(keys, scalars, { maxKeys: 3 }) },
);
/** Lists whose items are long themselves: maps, lists, and long items within these. */
const { json: longItems } = fc.letrec<{ json: Json }>((tie) => {
  const inner = fc.oneof(
    { maxDepth: 2, depthIdentifier: 'items' },
    { weight: 12, arbitrary: tiny },
    { weight: 1, arbitrary: tie('json') },
  );
  const key = fc.oneof(
    { weight: 12, arbitrary: fc.stringMatching(/^[a-z]{2,4}$/) },
    { weight: 1, arbitrary: keys },
  );
  const map = fc.dictionary(key, inner, { minKeys: 6, maxKeys: 12, size: 'max' });
  const list = fc.array(inner, { minLength: 10, maxLength: 16, size: 'max' });
  const item = fc.oneof(
    { weight: 4, arbitrary: map },
    { weight: 2, arbitrary: list },
    { weight: 1, arbitrary: tiny },
  );
  return { json: fc.array(item, { minLength: 1, maxLength: 4, size: 'max' }) };
});
const longItemsAnywhere = fc.oneof(
  longItems,
  fc.record({ name: scalars, items: longItems, end: scalars }),
);

/** Two places change; one of them can't be written in the gentlest way, and so neither is the other. */
const oneOfSeveralIsCautious: [Json, number, Json[]] = [
  [
    {
      kow: {},
      jlel: [],
      mt: 'two\nlines',
      xpts: '\n',
      qawq: '\n',
      gix: ['- a', '---'],
      ga: { '10': 'é🙂', status: 1.5 },
      rxoz: [646, '!t'],
      snwl: {},
      zix: 'a word and another, and more words',
      qrk: '1e3',
    },
    [
      [400, 1543],
      'clip\n',
      '1e3',
      '"q"',
      { status: '# x' },
      { '10': '1e3' },
      [
        'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
        'two\nlines',
      ],
      741,
      {},
      '%x',
      '[x]',
      1.5,
      true,
      1.5,
    ],
  ],
  2008795681,
  ['{', ' ', [1.5, 'null']],
];

/** How often each kind of item in sections was met. */
type Kinds = Record<'map' | 'list' | 'below' | 'nested', number>;

function countKinds(text: string, kinds: Kinds): void {
  const visit = (body: Body, isInItem: boolean) => {
    for (const part of body.parts) {
      if (part.kind === 'leaf') continue;
      if (body.isList) {
        if (isInItem) kinds.nested += 1;
        if (!part.body.isCompact) kinds.below += 1;
        else kinds[part.body.isList ? 'list' : 'map'] += 1;
      }
      visit(part.body, isInItem || body.isList);
    }
  };
  const scanned = scanSections(text);
  if (scanned) visit(scanned.root, false);
}

/** A path into a value, by chance mostly an existing one, in the end maybe a new one. */
function pathIn(value: YamlValue, choose: (count: number) => number): YamlPath {
  const path: (string | number)[] = [];
  let here: YamlValue | undefined = value;
  while (isList(here) || isMap(here)) {
    const isEnd = path.length > 0 && choose(4) === 0;
    if (isEnd) break;
    const steps: (string | number)[] = isList(here) ? [...here.keys()] : Object.keys(here);
    const isNew = choose(8) === 0 || steps.length === 0;
    if (isNew) {
      path.push(isList(here) ? here.length + choose(2) * choose(2) : `new${choose(3)}`);
      break;
    }
    const step = steps[choose(steps.length)] ?? 0;
    path.push(step);
    here = isList(here) ? here[Number(step)] : here[step];
  }
  return path;
}

/** The value with one or two random changes, made in a private copy. */
function changed(value: YamlValue, news: readonly Json[], choose: (count: number) => number) {
  const draft = cloneValue(value, { carried: value });
  for (const item of news) {
    let here: YamlValue = draft;
    for (let depth = 0; depth < 6; depth += 1) {
      const steps: (string | number)[] = isList(here)
        ? [...here.keys()]
        : isMap(here)
          ? Object.keys(here)
          : [];
      const step = steps[choose(Math.max(1, steps.length))];
      const below = step === undefined ? undefined : (here as Record<string, YamlValue>)[step];
      const goesOn = (isList(below) || isMap(below)) && choose(4) > 0;
      if (goesOn && below !== undefined) {
        here = below;
        continue;
      }
      const fresh = cloneValue(item);
      if (isList(here)) {
        const at = Number(step ?? 0);
        const kind = choose(4);
        if (kind === 0) here.splice(at, 1);
        else if (kind === 1) here.splice(at, 0, fresh);
        else if (kind === 2) here.push(fresh);
        else here[at] = fresh;
      } else if (isMap(here)) {
        const kind = choose(4);
        if (kind === 0 && step !== undefined) delete here[step];
        else if (kind === 1) here[`added${choose(3)}`] = fresh;
        else if (step !== undefined && step !== '__proto__') here[step] = fresh;
      }
      break;
    }
  }
  return draft;
}

/** Several places set one after the other, none of them by removing an item of a list. */
function severalSets(
  value: YamlValue,
  news: readonly Json[],
  choose: (count: number) => number,
): { paths: YamlPath[]; next: YamlValue } {
  const paths: YamlPath[] = [];
  let next = value;
  for (let count = 2 + choose(4); count > 0; count -= 1) {
    const path = pathIn(next, choose);
    try {
      next = setAt(next, path, cloneValue(news[choose(news.length)] ?? null));
      paths.push(path);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
  }
  return { paths, next };
}

function chooser(seed: number) {
  let state = seed | 0;
  return (count: number) => {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    return ((state >>> 8) ^ (state >>> 20)) % count;
  };
}

function checkText(text: string, seed: number, news: readonly Json[], settings: { edits: number }) {
  let document = YamlDocument.of(text);
  let source: YamlText;
  try {
    source = parseYaml(text);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(outcomeOf(() => String(document.value))).toEqual({
      code: error.code,
      message: error.message,
    });
    return;
  }
  const choose = chooser(seed);
  if (choose(2) === 0) expect(document.value).toEqual(source.value);
  for (let round = 0; round < settings.edits; round += 1) {
    const item = news[round % news.length] ?? null;
    const base = source;
    if (choose(4) === 0) {
      const { paths, next } = severalSets(source.value, news, choose);
      document = compare(
        document,
        base,
        () => setAllYaml(base, paths, next),
        (one) => one.setAll(paths, next),
      );
    } else if (choose(3) > 0) {
      const path = pathIn(source.value, choose);
      const next = choose(5) === 0 ? undefined : cloneValue(item);
      document = compare(
        document,
        base,
        () => setYaml(base, path, next),
        (one) => one.set(path, next),
      );
    } else {
      const next = changed(source.value, choose(2) === 0 ? [item] : news.slice(0, 2), choose);
      document = compare(
        document,
        base,
        () => editYaml(base, next),
        (one) => one.edit(next),
      );
    }
    if (document.text !== source.text) source = parseYaml(document.text);
    if (choose(3) === 0) expect(document.value).toEqual(source.value);
  }
  expect(document.value).toEqual(source.value);
  expect(YamlDocument.of(document.text, {}, YamlDocument.of(text)).value).toEqual(source.value);
}

describe('an edit by sections equals the edit of the whole text', () => {
  test('for long values in any layout', () => {
    fc.assert(
      fc.property(
        large,
        fc.nat(),
        fc.array(small, { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        (value, seed, news, anchors) => {
          const { text } = layOut(value, seed, { anchors: anchors && seed % 7 === 0 });
          checkText(text, seed, news, { edits: 6 });
        },
      ),
      { numRuns: 25 * RUNS, endOnFailure: true, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);

  test('for long items of lists', () => {
    const kinds: Kinds = { map: 0, list: 0, below: 0, nested: 0 };
    fc.assert(
      fc.property(
        longItemsAnywhere,
        fc.nat(),
        fc.array(small, { minLength: 2, maxLength: 4 }),
        (value, seed, news) => {
          const isPrinted = seed % 3 === 0;
          const text = isPrinted
            ? editYaml(parseYaml('{}\n'), cloneValue(value)).text
            : layOut(value, seed, { anchors: false, tame: true }).text;
          countKinds(text, kinds);
          checkText(text, seed, news, { edits: 6 });
        },
      ),
      {
        numRuns: 25 * RUNS,
        endOnFailure: true,
        interruptAfterTimeLimit: 60_000,
        examples: [oneOfSeveralIsCautious],
      },
    );
    for (const kind of Object.values(kinds)) expect(kind).toBeGreaterThan(3);
  }, 120_000);

  test('for values as they are printed', () => {
    fc.assert(
      fc.property(
        large,
        fc.nat(),
        fc.array(small, { minLength: 2, maxLength: 4 }),
        (value, seed, news) => {
          const empty = parseYaml('{}\n');
          checkText(editYaml(empty, cloneValue(value)).text, seed, news, { edits: 6 });
        },
      ),
      { numRuns: 25 * RUNS, endOnFailure: true, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);

  test('for damaged texts', () => {
    fc.assert(
      fc.property(large, fc.nat(), fc.nat(), fc.nat(), (value, seed, from, piece) => {
        const { text } = layOut(value, seed, { anchors: false });
        const pieces = [
          '\n',
          ' ',
          '"',
          ':',
          '\n  x',
          '- ',
          '#',
          '\n---\n',
          '{',
          '  \n',
          '\n# c\n',
          '',
        ];
        const at = from % (text.length + 1);
        const damaged =
          text.slice(0, at) + (pieces[piece % pieces.length] ?? '') + text.slice(at + (piece % 3));
        checkText(damaged, seed, ['x', 1], { edits: 2 });
      }),
      { numRuns: 40 * RUNS, endOnFailure: true, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);

  // Not part of the project; without them beside the checkout nothing runs here.
  const folder = '../shared/data/orchestrations';
  const files = existsSync(folder)
    ? readdirSync(folder).filter((name) => name.endsWith('.yaml'))
    : [];
  test.each(files)(
    'for the real file %s',
    (name) => {
      const text = readFileSync(`${folder}/${name}`, 'utf8');
      for (let seed = 1; seed <= 2 * RUNS; seed += 1) {
        checkText(text, seed * 7919, ['done', null, { a: 1, b: ['x'] }, 3], { edits: 6 });
      }
    },
    120_000,
  );
});
