/** What a version tells of the edit that made it: whoever writes only what changed relies on it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeSplices } from '../../../src/format/image-splice.js';
import { applySplices } from '../../../src/format/yaml/splice.js';
import { printYaml } from '../../../src/format/yaml/yaml-edit.js';
import { byteSplicesOf, Version } from '../../../src/store/version.js';

const text = printYaml({ tasks: Array.from({ length: 300 }, (_, id) => ({ id, status: 'new' })) });

test('a version made by an edit tells what it was made from and what was replaced', () => {
  const base = new Version(text, {});
  const version = base.set(['tasks', 7, 'status'], 'done');
  expect(version.base).toBe(base);
  expect(version.splices).toHaveLength(1);
  expect(version.length).toBe(text.length + 1);
  expect(version.text).toBe(applySplices(text, version.splices ?? []));
});

test('versions lead back to what they came from, until one is told to let go', () => {
  const base = new Version(text, {});
  const second = base.set(['tasks', 7, 'status'], 'done');
  const third = second.set(['tasks', 7, 'status'], 'failed');
  expect([second.base, third.base]).toEqual([base, second]);
  second.forgetBase();
  expect([second.base, second.splices, third.base]).toEqual([undefined, undefined, second]);
});

test('an edit that changes nothing gives the same version', () => {
  const base = new Version(text, {});
  expect(base.set(['tasks', 7, 'status'], 'new')).toBe(base);
});

test('a version without known edits tells nothing', () => {
  const version = new Version(text, {});
  expect([version.base, version.splices]).toEqual([undefined, undefined]);
});

/** The bytes of a version, made from those of its base by what it tells; the log takes no others either. */
function bytesFromBase(version: Version): Uint8Array {
  const base = encode(version.base?.text ?? '');
  const splices = version.base ? byteSplicesOf(version.base, version.splices ?? []) : [];
  expect(encodeSplices(splices).length).toBeGreaterThan(0);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const { start, end, bytes } of splices) {
    parts.push(base.subarray(done, start), bytes);
    done = end;
  }
  return new Uint8Array(Buffer.concat([...parts, base.subarray(done)]));
}

const encode = (joined: string) => new TextEncoder().encode(joined);

const word = fc.oneof(
  fc.constantFrom('done', 'é', '🙂', 'ключ', '漢字: 🙂', "it's", 'two\nlines 🙂\n', ''),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.nat(9),
);
const item = fc.record({ name: word, tags: fc.array(word, { maxLength: 3 }), note: word });

test('the splices lead from the text before to the text after, in units and in bytes', () => {
  const edits = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom('name', 'tags', 'note'), word, fc.nat(3)),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  const lists = fc.array(item, { minLength: 1, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(lists, edits, word, fc.boolean(), (items, changes, title, isCommented) => {
      const comment = isCommented ? '# ✓ 🙂\n---\n' : '';
      let version = new Version(comment + printYaml({ title, more: { items }, end: 'é' }), {});
      for (const [at, key, value, kind] of changes) {
        const index = at % items.length;
        const before = version;
        if (kind === 0) version = before.set(['more', 'items', index, key], value);
        else if (kind === 1) version = before.set(['title'], value);
        else if (kind === 2) version = before.set([`new ${key}`], value);
        else version = before.edit({ ...(before.value as object), end: value, title: 'é🙂' });
        if (version === before) continue;
        expect(version.base).toBe(before);
        expect(version.splices).toBeDefined();
        expect(applySplices(before.text, version.splices ?? [])).toBe(version.text);
        expect(bytesFromBase(version)).toEqual(encode(version.text));
        expect(version.length).toBe(version.text.length);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

test.each(['plain', 'of more bytes than units é 漢 🙂'])(
  'so do many splices of a text that is %s',
  (word) => {
    const base = new Version(text.replaceAll('new', word), {});
    const paths = Array.from({ length: 300 }, (_, id) => ['tasks', id, 'status']);
    const next = paths.map((_, id) => ({ id, status: id % 2 ? 'done' : `${word} ${id}` }));
    const version = base.setAll(paths, { tasks: next });
    expect(version.splices).toHaveLength(300);
    expect(bytesFromBase(version)).toEqual(encode(version.text));
  },
);
