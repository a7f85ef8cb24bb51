import { expect, test } from 'vitest';
import { scanParts, scanSections } from '../../../../src/format/yaml/section-scan.js';
import {
  type Body,
  bytesBefore,
  countBefore,
  lengthBefore,
  partOfItem,
  replaceParts,
  textOf,
} from '../../../../src/format/yaml/section-tree.js';

const items = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => `- ${from + at}: ${'é words '.repeat(20)}\n`).join('');

/** Compares what is added up for many parts with what a walk through all of them gives. */
function check(body: Body): void {
  let [length, count] = [0, 0];
  const places = [0, 1, 127, 128, 300, 511, 640, body.parts.length - 1, body.parts.length];
  body.parts.forEach((part, at) => {
    if (places.includes(at)) {
      expect(lengthBefore(body, at)).toBe(length);
      expect(countBefore(body, at)).toBe(count);
      expect(partOfItem(body, count)).toEqual({ at, before: count });
      const text = textOf(body.parts.slice(0, at)) + textOf([part]).slice(0, 9);
      expect(bytesBefore(body, length + 9)).toBe(Buffer.byteLength(text));
    }
    [length, count] = [length + part.length, count + part.count];
  });
  expect([body.length, body.count]).toEqual([length, count]);
  expect(lengthBefore(body, body.parts.length)).toBe(length);
  expect(partOfItem(body, count)).toBeUndefined();
}

test('what stands before a part of many is the same after any parts were replaced', () => {
  let body = scanSections(items(0, 700))?.root;
  if (!body) throw new Error('not in sections');
  check(body);
  const last = () => (body?.parts.length ?? 0) - 1;
  const replacements: (() => [from: number, to: number, count: number])[] = [
    () => [300, 300, 1],
    () => [0, 0, 2],
    () => [last(), last(), 1],
    () => [127, 128, 3],
    () => [128, 127, 1],
    () => [10, 500, 1],
    () => [5, 5, 600],
    () => [last() + 1, last() + 1, 4],
    () => [200, 210, 0],
    () => [3, last() - 3, 1],
    () => [2, 2, 900],
  ];
  for (const next of replacements) {
    const [from, to, count] = next();
    const parts = count === 0 ? [] : scanParts(items(5000, count), body, false);
    body = replaceParts(body, from, to, parts ?? []);
    check(body);
  }
});
