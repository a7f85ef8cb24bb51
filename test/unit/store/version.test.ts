import { expect, test } from 'vitest';
import { applySplices } from '../../../src/format/yaml/splice.js';
import { printYaml } from '../../../src/format/yaml/yaml-edit.js';
import { Version } from '../../../src/store/version.js';

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
