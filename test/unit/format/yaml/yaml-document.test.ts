import { beforeEach, describe, expect, test } from 'vitest';
import { CheckpointError } from '../../../../src/errors.js';
import { scanSections } from '../../../../src/format/yaml/section-scan.js';
import { replaceParts } from '../../../../src/format/yaml/section-tree.js';
import { applySplices } from '../../../../src/format/yaml/splice.js';
import { YamlDocument } from '../../../../src/format/yaml/yaml-document.js';
import { editYaml, printYaml, setYaml } from '../../../../src/format/yaml/yaml-edit.js';
import type { YamlPath } from '../../../../src/format/yaml/yaml-path.js';
import {
  countTokens,
  maxTokensIn,
  parserWork,
  parseYaml,
} from '../../../../src/format/yaml/yaml-text.js';
import { cloneValue, type YamlValue } from '../../../../src/format/yaml/yaml-value.js';

const COUNT = 300;
const item = (index: number) => ({
  id: `task-${index}`,
  status: 'pending',
  attempts: index,
  due: null,
});
const items = Array.from({ length: COUNT }, (_, index) => item(index));
const listText = printYaml({ title: 'a', tasks: items, end: 1 });
const keysText = printYaml(Object.fromEntries(items.map((one) => [one.id, one])));

/** More than a window takes, and far less than the texts above. */
const WINDOW = 4096;

/** What a piece of work gives to the parser. */
function parsedBy(work: () => void) {
  const before = { ...parserWork };
  work();
  return { texts: parserWork.texts - before.texts, units: parserWork.units - before.units };
}

let list: YamlDocument;
let keys: YamlDocument;
beforeEach(() => {
  list = YamlDocument.of(listText);
  keys = YamlDocument.of(keysText);
});

describe('what is parsed', () => {
  test('nothing when a text is taken up', () => {
    expect(parsedBy(() => YamlDocument.of(listText))).toEqual({ texts: 0, units: 0 });
  });

  test.each<[string, YamlPath, YamlValue | undefined]>([
    ['a field of a list item', ['tasks', 150, 'status'], 'done'],
    ['the first item', ['tasks', 0, 'status'], 'done'],
    ['the last item', ['tasks', COUNT - 1, 'attempts'], 7],
    ['a key before the list', ['title'], 'b'],
    ['a key behind the list', ['end'], 2],
  ])('one window, once, where a scalar takes the place of another: %s', (_, path, next) => {
    const { texts, units } = parsedBy(() => list.set(path, next));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW);
  });

  test.each<[string, YamlPath, YamlValue | undefined]>([
    ['an item removed', ['tasks', 150], undefined],
    ['a new key', ['tasks', 150, 'note'], 'a'],
    ['a string that needs escapes', ['tasks', 150, 'status'], 'a\u0007'],
    ['a string in place of a number', ['tasks', 150, 'attempts'], '7'],
  ])('one window before and one after any other edit: %s', (_, path, next) => {
    const { texts, units } = parsedBy(() => list.set(path, next));
    expect(texts).toBe(2);
    expect(units).toBeLessThan(2 * WINDOW);
  });

  test('nothing for further edits at the same places', () => {
    const places = Array.from({ length: 10 }, (_, index) => index * 30);
    let document = list;
    const setAll = (status: string) => {
      for (const place of places)
        document = document.set(['tasks', place, 'status'], status).document;
    };
    expect(parsedBy(() => setAll('done')).texts).toBe(10);
    for (const status of ['failed', 'again', 'done']) {
      expect(parsedBy(() => setAll(status))).toEqual({ texts: 0, units: 0 });
    }
  });

  test('one window again where many others were edited meanwhile', () => {
    let document = list;
    for (let place = 0; place < 200; place += 5) {
      document = document.set(['tasks', place, 'status'], 'done').document;
    }
    expect(parsedBy(() => document.set(['tasks', 0, 'status'], 'failed')).texts).toBe(1);
  });

  test('the beginning of the text, once, where new text follows its habits', () => {
    const long = YamlDocument.of(
      printYaml({ tasks: Array.from({ length: 10 * COUNT }, (_, i) => item(i)) }),
    );
    let document = long;
    const append = (index: number) => {
      document = document.set(['tasks', index], { id: 'new' }).document;
    };
    expect(parsedBy(() => append(10 * COUNT)).units).toBeLessThan(64 * 1024 + 3 * WINDOW);
    // The one section that the sample ends in is read again.
    const { texts, units } = parsedBy(() => append(10 * COUNT + 1));
    expect(texts).toBeLessThanOrEqual(3);
    expect(units).toBeLessThan(3 * WINDOW);
  });

  test('as much of a text ten times as long', () => {
    const long = YamlDocument.of(
      printYaml({
        title: 'a',
        tasks: Array.from({ length: 10 * COUNT }, (_, i) => item(i)),
        end: 1,
      }),
    );
    const { texts, units } = parsedBy(() => long.set(['tasks', 1500, 'status'], 'done'));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW);
  });

  test('one window for an update of one field, once the state was read', () => {
    const next = cloneValue(keys.value) as Record<string, Record<string, YamlValue>>;
    (next['task-150'] ?? {}).status = 'done';
    const { texts, units } = parsedBy(() => keys.edit(next));
    expect(texts).toBe(1);
    expect(units).toBeLessThan(WINDOW);
  });

  describe('of a long item of a list', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, at) => `line ${at} of it`);
    const long = (id: number) => ({
      id,
      ...Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`field-${at}`, `about ${at}`])),
      lines: lines(60),
      steps: [{ name: 'first', log: lines(40) }, lines(40)],
      end: 1,
    });
    const text = printYaml({ phases: [0, 1, 2, 3, 4].map(long), end: 1 });
    test.each<[string, YamlPath, YamlValue | undefined, number, number]>([
      ['a field', ['field-33'], 7, 1, 150],
      ['the field behind its dash', ['id'], 9, 1, 144],
      ['a line of a list', ['lines', 30], 7, 1, 155],
      ['a line of a list in an item of a list', ['steps', 0, 'log', 20], 7, 1, 174],
      ['a line of a list that is an item itself', ['steps', 1, 20], 7, 1, 175],
      ['a removed field', ['field-33'], undefined, 2, 277],
      ['a removed line', ['lines', 30], undefined, 2, 288],
    ])(
      'a window of a few lines, and what comes of it where an entry goes: %s',
      (_, path, next, texts, units) => {
        const document = YamlDocument.of(text);
        const work = parsedBy(() => document.set(['phases', 2, ...path], next));
        expect(work).toEqual({ texts, units });
        const { document: after } = document.set(['phases', 2, ...path], next);
        expect(after.text).toBe(setYaml(parseYaml(text), ['phases', 2, ...path], next).text);
      },
    );

    test('by an update, once the state was read', () => {
      const document = YamlDocument.of(text);
      const next = cloneValue(document.value) as { phases: { steps: YamlValue[][] }[] };
      (next.phases[2]?.steps[1] ?? [])[20] = 7;
      const work = parsedBy(() => document.edit(next));
      expect(work).toEqual({ texts: 1, units: 175 });
      expect(document.edit(next).document.text).toBe(editYaml(parseYaml(text), next).text);
    });

    test('all of it, where the field behind its dash goes', () => {
      const document = YamlDocument.of(text);
      const { units } = parsedBy(() => document.set(['phases', 2, 'id'], undefined));
      expect(units).toBeLessThan(2.5 * printYaml([long(2)]).length);
      const path = ['phases', 2, 'id'];
      const { document: after } = document.set(path, undefined);
      expect(after.text).toBe(setYaml(parseYaml(text), path, undefined).text);
      const next = cloneValue(document.value) as { phases: { id?: number }[] };
      delete next.phases[2]?.id;
      const byValue = parsedBy(() => document.edit(next));
      expect(byValue.units).toBeLessThan(2.5 * printYaml([long(2)]).length);
      expect(document.edit(next).document.text).toBe(editYaml(parseYaml(text), next).text);
    });
  });

  test.each<[string, (at: number) => YamlValue]>([
    ['with an identity', item],
    ['without one', (at) => [`about ${at}`, 'pending', at]],
  ])('a window for each of several items, by an update: %s', (_, make) => {
    const all = Array.from({ length: COUNT }, (_, at) => make(at));
    const document = YamlDocument.of(printYaml({ tasks: all, end: 1 }));
    const next = cloneValue(document.value) as { tasks: YamlValue[] };
    for (const at of [3, 4, 150, COUNT - 1]) {
      const one = next.tasks[at];
      if (Array.isArray(one)) one[1] = 'done';
      else Object.assign(one ?? {}, { status: 'done' });
    }
    const { texts, units } = parsedBy(() => document.edit(next));
    expect(texts).toBeGreaterThanOrEqual(3);
    expect(texts).toBeLessThanOrEqual(4);
    expect(units).toBeLessThan(WINDOW);
    const whole = editYaml(parseYaml(document.text), next).text;
    expect(document.edit(next).document.text).toBe(whole);
    const longer = { ...next, tasks: [...next.tasks, make(COUNT)] };
    expect(document.edit(longer).document.text).toBe(
      editYaml(parseYaml(document.text), longer).text,
    );
  });

  test('an item without its neighbours, where it is changed by an update', () => {
    const long = (id: number) => ({
      id,
      lines: Array.from({ length: 150 }, (_, at) => `line ${at}`),
    });
    const document = YamlDocument.of(printYaml({ phases: [0, 1, 2, 3, 4].map(long), end: 1 }));
    const next = cloneValue(document.value) as { phases: { lines: string[] }[] };
    (next.phases[2] ?? { lines: [] }).lines[7] = 'other';
    const { texts, units } = parsedBy(() => document.edit(next));
    const item = printYaml([long(2)]).length;
    expect(texts).toBe(1);
    expect(units).toBeLessThan(item + 500);
  });

  test('nothing when the state is read after an edit of the whole text', () => {
    const text = `${listText}f: [\n  1\n]\n`.replace('title: a', 'title: &a a');
    const { document } = YamlDocument.of(text).set(['title'], 'b');
    expect(document.text).toContain('title: &a b');
    expect(parsedBy(() => document.value)).toEqual({ texts: 0, units: 0 });
    // What the edit read is known to the sections as well.
    const moved = list.edit({ more: 1, ...(list.value as Record<string, YamlValue>) }).document;
    expect(parsedBy(() => moved.value)).toEqual({ texts: 0, units: 0 });
    const { texts } = parsedBy(() => moved.set(['tasks', 150, 'status'], 'done').document.value);
    expect(texts).toBe(1);
  });

  test('nothing when the state is read after an edit of a text that was read', () => {
    void list.value;
    const { document } = list.set(['tasks', 150, 'status'], 'done');
    expect(parsedBy(() => document.value)).toEqual({ texts: 0, units: 0 });
  });

  test('only changed sections of a text that is edited by hand', () => {
    void list.value;
    const text = listText.replace('task-150\n', 'task-xxx\n');
    const { units } = parsedBy(() => YamlDocument.of(text, {}, list).value);
    expect(units).toBeLessThan(3 * WINDOW);
  });
});

describe('values', () => {
  test('share what did not change', () => {
    const before = list.value as { tasks: YamlValue[] };
    const after = list.set(['tasks', 150, 'status'], 'done').document.value as typeof before;
    const changed = after.tasks.flatMap((one, at) => (one === before.tasks[at] ? [] : [at]));
    expect(changed).toEqual([150]);
    expect(Object.isFrozen(after.tasks)).toBe(true);
  });

  test('are never the same object in two places, though their sections have the same text', () => {
    const text = `list:\n${'  - a: 1\n    b: 2\n'.repeat(400)}`;
    const known = YamlDocument.of(text);
    void known.value;
    const { list: again } = YamlDocument.of(`${text}end: 1\n`, {}, known).value as {
      list: YamlValue[];
    };
    expect(new Set(again).size).toBe(400);
  });
});

describe('edits', () => {
  test('tell what they replaced', () => {
    const { document, splices } = list.set(['tasks', 150, 'status'], 'done');
    const start = listText.indexOf('pending', listText.indexOf('task-150'));
    expect(splices).toEqual([{ start, end: start + 'pending'.length, text: 'done' }]);
    expect(document.length).toBe(listText.length - 3);
    expect(document.text).toBe(applySplices(listText, splices ?? []));
  });

  test('that change nothing give the same document', () => {
    expect(list.set(['tasks', 3, 'attempts'], 3).document).toBe(list);
    expect(list.edit(cloneValue(list.value)).document).toBe(list);
  });

  test('follow the quotes of the last string of a map that is in sections', () => {
    const lines = Array.from({ length: 200 }, (_, at) => `k${at}: ${at === 190 ? '"x"' : at}\n`);
    const text = lines.join('');
    const { document } = YamlDocument.of(text).set(['k3'], 'word');
    expect(document.text).toBe(setYaml(parseYaml(text), ['k3'], 'word').text);
    expect(document.text).toContain('k3: "word"\n');
  });

  test('follow the quotes of a later string, though a closer one looks different', () => {
    const lines = Array.from({ length: 200 }, (_, at) => `k${at}: ${at}\n`);
    lines[4] = "k4: 'near'\n";
    lines[190] = 'k190: "far"\n';
    const { document } = YamlDocument.of(lines.join('')).set(['k3'], 'word');
    expect(document.text).toBe(setYaml(parseYaml(lines.join('')), ['k3'], 'word').text);
    expect(document.text).toContain('k3: "word"\n');
  });

  test('follow the quotes of an earlier string where no later one is there', () => {
    const lines = Array.from({ length: 200 }, (_, at) => `k${at}: ${at === 4 ? '"x"' : at}\n`);
    const plain = 'p: a\nq: b\nr: c\n'.replaceAll(/^/gm, '  ');
    const text = `first:\n${plain}${lines.join('')}`;
    const { document } = YamlDocument.of(text).set(['k150'], 'word');
    expect(document.text).toBe(setYaml(parseYaml(text), ['k150'], 'word').text);
    expect(document.text).toContain('k150: "word"\n');
  });

  test('that remove any entry keep block scalars before it as they were', () => {
    const lines = Array.from({ length: 120 }, (_, at) =>
      at % 2 === 0 ? `k${at}: |+\n  text ${at}\n` : `k${at}: ${at}\n  \n   # deeper\n\n`,
    );
    const text = lines.join('');
    const source = parseYaml(text);
    for (let at = 0; at < 120; at += 1) {
      const { document } = YamlDocument.of(text).set([`k${at}`], undefined);
      expect(document.text).toBe(setYaml(source, [`k${at}`], undefined).text);
    }
  });

  test('add a key behind a long list, with the comments below it where they were', () => {
    const text = `${listText.replace('end: 1\n', '')}\n# the end\n`;
    const { document } = YamlDocument.of(text).set(['new'], 'y');
    expect(document.text).toBe(setYaml(parseYaml(text), ['new'], 'y').text);
  });

  test('at several places follow the habits that the text had before all of them', () => {
    const numbers = Array.from({ length: 100 }, (_, at) => `k${at}: ${at}\n`).join('');
    const text = `${numbers}q:\n${'  - "x"\n'.repeat(20)}z: 1\n`;
    const source = parseYaml(text);
    const next = { ...(source.value as Record<string, YamlValue>), k0: ['word'], q: 1 };
    const { document } = YamlDocument.of(text).edit(next);
    expect(document.text).toBe(editYaml(source, next).text);
    expect(document.text).toContain('- "word"\n');
  });

  test('at several places follow the last string that a map had before all of them', () => {
    const lines = Array.from({ length: 200 }, (_, at) => `k${at}: ${at}\n`);
    lines[150] = "k150: 'far'\n";
    lines[190] = 'k190: "last"\n';
    const source = parseYaml(lines.join(''));
    const next = { ...(source.value as Record<string, YamlValue>), k3: 'word', k190: 1 };
    const { document } = YamlDocument.of(lines.join('')).edit(next);
    expect(document.text).toBe(editYaml(source, next).text);
    expect(document.text).toContain('k3: "word"\n');
  });

  test('at several places at once', () => {
    const next = cloneValue(list.value) as { title: string; tasks: YamlValue[] };
    next.title = 'b';
    next.tasks.splice(100, 1);
    const { document, splices } = list.edit(next);
    expect(document.text).toBe(editYaml(parseYaml(listText), next).text);
    expect(applySplices(listText, splices ?? [])).toBe(document.text);
  });
});

describe('a text that is made to take time', () => {
  test.each<[string, string]>([
    ['one word of many ampersands', `k: ${'x&'.repeat(300_000)}\n`],
    ['many blank lines', `${'\n'.repeat(5_000_000)}a: 1\n`],
    ['many comments', `${'# c\n'.repeat(3_000_000)}a: 1\n`],
    ['a key of many words', `${'k '.repeat(10_000_000)}: 1\n`],
    ['a key of one word', `${'k'.repeat(10_000_000)}: 1\n`],
    ['many spaces', `a: ${' '.repeat(10_000_000)}\n`],
    ['deep nesting', Array.from({ length: 2000 }, (_, at) => `${' '.repeat(at)}k:\n`).join('')],
  ])('is looked through once: %s', (_, text) => {
    const start = performance.now();
    expect(typeof YamlDocument.of(text).isUnread).toBe('boolean');
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('what is wrong', () => {
  const codeAndLine = (work: () => unknown) => {
    try {
      work();
    } catch (error) {
      if (error instanceof CheckpointError) return [error.code, error.details.line];
    }
    return undefined;
  };

  test('is found where it stands in the whole text: a key twice, in two sections', () => {
    const text = `${keysText}task-0: 1\n`;
    expect(codeAndLine(() => YamlDocument.of(text).value)).toEqual([
      'DUPLICATE_KEY',
      text.split('\n').length - 1,
    ]);
  });

  test('is found where it stands in the whole text: a quote that is not closed', () => {
    const text = listText.replace('task-150\n', '"task-150\n');
    const line = listText.slice(0, listText.indexOf('task-150')).split('\n').length;
    const [code] = codeAndLine(() => parseYaml(text)) ?? [];
    const found = codeAndLine(() => YamlDocument.of(text).value);
    expect(found).toEqual(codeAndLine(() => parseYaml(text)));
    expect(code).toBe('INVALID_YAML');
    expect(Number(found?.[1])).toBeGreaterThanOrEqual(line);
  });

  test('is a text that grows beyond its limit', () => {
    const limits = { maxBytes: listText.length + 10 };
    const document = YamlDocument.of(listText, { limits });
    expect(document.set(['title'], 'b').document.text).toContain('title: b');
    expect(codeAndLine(() => document.set(['title'], 'b'.repeat(20)))?.[0]).toBe('TOO_LARGE');
  });

  describe('is a text of too many tokens', () => {
    const total = parseYaml(listText).tokens;
    // Sections are read one by one, and the mark of where a text ends is a token of each.
    const limits = { maxTotalTokens: total + 350, maxTokens: 2000 };
    const tooMany = `the text has more than ${limits.maxTotalTokens} tokens`;
    const longer = `${listText}more:\n${'  - 1\n'.repeat(400)}`;

    test('in all of its sections, though no single one has many', () => {
      expect(YamlDocument.of(listText, { limits }).value).toEqual(list.value);
      const document = YamlDocument.of(longer, { limits });
      expect(codeAndLine(() => document.value)?.[0]).toBe('TOO_LARGE');
      expect(() => document.value).toThrow(tooMany);
    });

    test('by sections that are known already', () => {
      const known = YamlDocument.of(longer);
      void known.value;
      expect(() => YamlDocument.of(longer, { limits }, known).value).toThrow(tooMany);
    });

    test('after an edit of a text that was read', () => {
      const document = YamlDocument.of(listText, { limits });
      void document.value;
      const many = Array.from({ length: 400 }, () => 1);
      expect(codeAndLine(() => document.set(['title'], many))?.[0]).toBe('TOO_LARGE');
      expect(document.set(['title'], [1]).document.length).toBeGreaterThan(0);
    });

    test('before all of it is read', () => {
      const many = `a:\n${'  - 1\n'.repeat(50_000)}`;
      const { units } = parsedBy(() => {
        expect(codeAndLine(() => YamlDocument.of(many, { limits }).value)?.[0]).toBe('TOO_LARGE');
      });
      expect(units).toBeLessThan(listText.length);
    });

    test('as a whole', () => {
      expect(codeAndLine(() => parseYaml(listText, { limits: { maxTotalTokens: 99 } }))?.[0]).toBe(
        'TOO_LARGE',
      );
    });

    test.each(['a: [x, "y"]\n', '- 1\n- 2\n', 'a: |\n  x\n', 'x', '{a: b}', '? a\n: b'])(
      'and there are never more of them than its length allows: %j',
      (text) => {
        expect(countTokens(text)).toBe(parseYaml(text).tokens);
        expect(countTokens(text)).toBeLessThanOrEqual(maxTokensIn(text.length));
      },
    );
  });

  test('is nesting beyond its limit, counted from the root', () => {
    const document = YamlDocument.of(listText, { limits: { maxDepth: 3 } });
    expect(document.set(['tasks', 150, 'status'], 1).document.text).toContain('status: 1');
    expect(codeAndLine(() => document.set(['tasks', 150, 'status'], [1]))?.[0]).toBe('TOO_DEEP');
    expect(
      codeAndLine(() => YamlDocument.of(listText, { limits: { maxDepth: 2 } }).value)?.[0],
    ).toBe('TOO_DEEP');
  });

  test('an index past the end is told with the length of the whole list', () => {
    expect(() => list.set(['tasks', COUNT + 5], 1)).toThrow(`the list has ${COUNT} entries`);
  });
});

describe('texts that depend on more than their sections', () => {
  const filler = Array.from({ length: 300 }, (_, at) => `k${at}: text ${at}\n`).join('');
  test.each<[string, string]>([
    ['an anchor', `a: &x 1\n${filler}b: *x\n`],
    ['CRLF', filler.replaceAll('\n', '\r\n')],
    ['a tab', `${filler}t:\tx\n`],
    ['a byte-order mark', `\ufeff${filler}`],
    ['a directive', `%YAML 1.2\n---\n${filler}`],
    ['an end marker', `${filler}...\n`],
    ['a question mark', `? q\n: 1\n${filler}`],
    ['no final line break', filler.slice(0, -1)],
    ['a closing bracket in the column of its key', `f: [\n  1\n]\n${filler}`],
    ['words with ampersands', `c: a && b &c\n# & d\n${filler}`],
    ['a marker before', `# c\n---\n${filler}`],
  ])('are edited all the same: %s', (_, text) => {
    const source = parseYaml(text);
    for (const [path, next] of [
      [['k5'], 'changed'],
      [['k299'], 3],
      [['added'], ['x']],
      [['k7'], undefined],
    ] as const) {
      const { document, splices } = YamlDocument.of(text).set(path, next as YamlValue);
      expect(document.text).toBe(setYaml(source, path, next as YamlValue).text);
      if (splices) expect(applySplices(text, splices)).toBe(document.text);
    }
  });

  test('an anchor that changes leaves what its aliases say, in whatever section they are', () => {
    const text = `a: &x 1\n${filler}b: *x\n`;
    const { document } = YamlDocument.of(text).set(['a'], 2);
    expect(document.text).toBe(`a: &x 2\n${filler}b: 1\n`);
    expect((document.value as { b: number }).b).toBe(1);
  });

  test('only words behind which no anchor can stand are taken for text', () => {
    const text = `c: a && b\n${filler}`;
    expect(parsedBy(() => YamlDocument.of(text).set(['k5'], 1)).units).toBeLessThan(WINDOW);
  });
});

test('more sections than a call can have arguments take the place of one', () => {
  const lines = Array.from(
    { length: 200_000 },
    (_, id) => `- ${id}: ${'some words '.repeat(15)}\n`,
  );
  const root = scanSections(lines.join(''))?.root;
  expect(root?.parts.length).toBeGreaterThan(150_000);
  const longer = root && replaceParts(root, 0, 0, root.parts);
  expect(longer?.count).toBe((root?.count ?? 0) * 2 - (root?.parts[0]?.count ?? 0));
  expect(longer?.parts).toHaveLength(2 * (root?.parts.length ?? 0) - 1);
});
