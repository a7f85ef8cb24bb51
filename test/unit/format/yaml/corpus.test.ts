/**
 * The editor on real orchestration files. They are not part of the project; without them beside the
 * checkout nothing runs here. `FC_RUNS` multiplies how many places of each file are tried.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '../../../../src/errors.js';
import { getAt } from '../../../../src/format/yaml/path-access.js';
import { editYaml, setYaml } from '../../../../src/format/yaml/yaml-edit.js';
import { formatPath, type YamlPath } from '../../../../src/format/yaml/yaml-path.js';
import { parseYaml, type YamlText } from '../../../../src/format/yaml/yaml-text.js';
import type { Node } from '../../../../src/format/yaml/yaml-tree.js';
import { isList, isMap, type YamlValue } from '../../../../src/format/yaml/yaml-value.js';
import { lineChanges, linesOf } from '../../../helpers/line-changes.js';

const DIRECTORY = '../shared/data/orchestrations';
const DAMAGED = '22.yaml';
const RUNS = Number(process.env.FC_RUNS ?? 1);

const names = existsSync(DIRECTORY)
  ? readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml'))
  : [];
const readable = names.filter((name) => name !== DAMAGED);
const load = (name: string) => readFileSync(`${DIRECTORY}/${name}`, 'utf8');

interface Place {
  readonly path: YamlPath;
  readonly value: YamlValue;
}

function* places(value: YamlValue, path: YamlPath = []): Generator<Place> {
  yield { path, value };
  if (isList(value)) for (const [i, item] of value.entries()) yield* places(item, [...path, i]);
  if (isMap(value)) {
    for (const key of Object.keys(value)) yield* places(value[key] ?? null, [...path, key]);
  }
}

/** Some items, evenly spread from an offset that differs by file. */
function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  if (count >= items.length) return [...items];
  const step = items.length / count;
  return Array.from({ length: count }, (_, i) => {
    return items[Math.floor(i * step + (((seed * 7919) % 1000) / 1000) * step)];
  }).filter((item) => item !== undefined);
}

const isScalar = (value: YamlValue) => !isList(value) && !isMap(value);
const isText = (line: string) => /\S/.test(line);

function changedScalar(value: YamlValue): YamlValue {
  if (typeof value === 'string') return value.endsWith('\n') ? `${value}more\n` : `${value}-x`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return 'set';
}

/** Whether a set of lines is part of a text's lines, in order. */
function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const line of whole) if (line === part[at]) at += 1;
  return at === part.length;
}

function nodeAt(source: YamlText, path: YamlPath): Node {
  let node = source.root;
  for (const step of path) {
    if (node.kind !== 'list' && node.kind !== 'map') throw new Error('no such node');
    const entry = node.entries.find((e, index) => step === (e.key ?? index));
    if (!entry) throw new Error('no such node');
    node = entry.node;
  }
  return node;
}

/** The text before the lines that hold a value, those lines, and the text after them. */
function aroundNode(source: YamlText, path: YamlPath): [string, string, string] {
  const { start, end } = nodeAt(source, path);
  const from = source.text.lastIndexOf('\n', start - 1) + 1;
  const lastAt = source.text[end - 1] === '\n' ? end - 1 : end;
  const to = (source.text.indexOf('\n', lastAt) + 1 || source.text.length + 1) - 1;
  return [source.text.slice(0, from), source.text.slice(from, to), source.text.slice(to)];
}

/** What stands before and after a value on its line. */
function splitAtValue(source: YamlText, path: YamlPath, own: string, from: number) {
  const { start, end } = nodeAt(source, path);
  return [own.slice(0, start - from), own.slice(end - from)] as const;
}

describe.runIf(names.length > 0)('editing real orchestration files', () => {
  test('names the line of the duplicate key in the damaged file', () => {
    const error = (() => {
      try {
        return parseYaml(load(DAMAGED), { file: DAMAGED });
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'DUPLICATE_KEY', details: { line: 142, file: DAMAGED } });
  });

  test.each(readable)('%s: saving an equal state changes no byte', (name) => {
    const source = parseYaml(load(name));
    const copy = JSON.parse(JSON.stringify(source.value)) as YamlValue;
    expect(editYaml(source, copy).text).toBe(source.text);
  });

  test.each(readable)('%s: changing a scalar touches only its own lines', (name) => {
    const source = parseYaml(load(name));
    const scalars = [...places(source.value)].filter(({ value }) => isScalar(value));
    for (const { path, value } of sample(scalars, 6 * RUNS, name.charCodeAt(1))) {
      const result = setYaml(source, path, changedScalar(value));
      const [head, own, tail] = aroundNode(source, path);
      const at = formatPath(path);
      expect(result.rewrites, at).toBe(0);
      expect(result.text.startsWith(head), at).toBe(true);
      expect(result.text.endsWith(tail), at).toBe(true);
      const now = result.text.slice(head.length, result.text.length - tail.length);
      expect(getAt(result.source.value, path), at).toEqual(changedScalar(value));
      if (linesOf(own).length > 1) continue;
      expect(linesOf(now).length, at).toBe(1);
      // The key, its alignment and the comment after the value are where they were.
      const [before, after] = splitAtValue(source, path, own, head.length);
      expect(now.startsWith(before) && now.endsWith(after), at).toBe(true);
    }
  });

  test.each(readable)('%s: adding an entry adds only its lines', (name) => {
    const source = parseYaml(load(name));
    const collections = [...places(source.value)].filter(({ value }) => !isScalar(value));
    for (const { path, value } of sample(collections, 4 * RUNS, name.charCodeAt(0))) {
      const next = isList(value)
        ? [...value, { id: 'new', note: 'added' }]
        : { ...(value as object), added: 'x' };
      const result = setYaml(source, path, next as YamlValue);
      const { removed, added } = lineChanges(source.text, result.text);
      expect(result.rewrites, formatPath(path)).toBe(0);
      const wasOneLine = removed.length === 1;
      if (!wasOneLine)
        expect({ path: formatPath(path), removed }).toEqual({
          path: formatPath(path),
          removed: [],
        });
      else expect(removed[0]).toMatch(/[[\]{}]/);
      expect(added.length, formatPath(path)).toBeLessThanOrEqual(3);
    }
  });

  test.each(readable)('%s: removing an entry removes only its lines', (name) => {
    const source = parseYaml(load(name));
    const all = [...places(source.value)].filter(({ path }) => path.length > 0);
    for (const { path } of sample(all, 6 * RUNS, name.charCodeAt(0))) {
      const result = setYaml(source, path, undefined);
      const { removed, added } = lineChanges(source.text, result.text);
      expect(result.rewrites, formatPath(path)).toBe(0);
      expect(getAt(result.source.value, path.slice(0, -1))).toBeDefined();
      // At most the line that the entry shares with its dash, its brackets or its key is written anew.
      expect(added.filter(isText).length, formatPath(path)).toBeLessThanOrEqual(1);
      if (added.length === 0) {
        expect(isSubsequence(linesOf(result.text), linesOf(source.text))).toBe(true);
      }
      expect(removed.length, formatPath(path)).toBeGreaterThan(0);
    }
  });
});
