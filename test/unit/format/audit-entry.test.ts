import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuditFacts,
  EMPTY_HEAD,
  MAX_AUDIT_LINE,
  readAuditLine,
  sealEntry,
} from '../../../src/format/audit-entry.js';
import { firstLine, lastGoodLine } from '../../../src/format/audit-lines.js';

const facts: AuditFacts = {
  time: '2026-11-25T08:00:00.123Z',
  elapsedUs: 1500,
  machine: 'write',
  from: 'writingData',
  to: 'syncingWal',
  event: 'writeData.done',
  by: 'io',
  sequence: 12,
  epoch: 3,
  process: '4711@host',
  details: { bytes: 400, guard: 'isCurrent', a: { z: 1, b: [true, null, 'x'] } },
};

const bytes = (text: string) => new TextEncoder().encode(text);

describe('an entry of the audit', () => {
  it('has this very line: the format is pinned', () => {
    const { line } = sealEntry(facts, EMPTY_HEAD);
    expect(line).toBe(
      '{"number":1,"time":"2026-11-25T08:00:00.123Z","elapsedUs":1500,"machine":"write",' +
        '"from":"writingData","to":"syncingWal","event":"writeData.done","by":"io","sequence":12,' +
        '"epoch":3,"process":"4711@host","details":{"a":{"b":[true,null,"x"],"z":1},"bytes":400,' +
        `"guard":"isCurrent"},"previous":"${'0'.repeat(64)}",` +
        '"hash":"da1a208f7881970278854d6cc6672c948b324cc44473525b89d082ee37a4f060"}\n',
    );
  });

  it('has a hash that anybody can compute: SHA-256 of the line without its last member', () => {
    const { line, entry } = sealEntry(facts, EMPTY_HEAD);
    const canonical = line.trimEnd().replace(/,"hash":"[0-9a-f]*"\}$/, '}');
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(entry.hash);
  });

  it('reads back what was written, whatever the details are', () => {
    const details = fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => !/^\d+$/.test(name)),
      fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(details, fc.nat(), (random, number) => {
        const head = { number, hash: 'a'.repeat(64) };
        const { line, entry } = sealEntry({ ...facts, details: random }, head);
        expect(readAuditLine(line.slice(0, -1))).toEqual({ entry });
        expect(entry).toMatchObject({ number: number + 1, previous: head.hash });
      }),
    );
  });

  it('shows every change of one character', () => {
    const { line } = sealEntry(facts, EMPTY_HEAD);
    const text = line.slice(0, -1);
    for (let index = 0; index < text.length; index += 1) {
      const other = text[index] === '1' ? '2' : '1';
      const changed = `${text.slice(0, index)}${other}${text.slice(index + 1)}`;
      expect(readAuditLine(changed), changed).toHaveProperty('problem');
    }
  });

  it.each([
    ['notJson', (line: string) => line.slice(0, -20)],
    ['notJson', () => ''],
    ['notJson', () => '[]'],
    ['notCanonical', (line: string) => line.replace(',"time"', ', "time"')],
    ['notCanonical', (line: string) => line.replace('"bytes":400', '"bytes":400.0')],
    ['notCanonical', (line: string) => line.replace('{"number":1', '{"number":7,"number":1')],
    ['notCanonical', (line: string) => line.replace('"by":"io"', '"by":"i\\u006f"')],
    ['fields', (line: string) => line.replace('"by":"io",', '')],
    ['fields', (line: string) => line.replace('"by":"io"', '"by":7')],
    ['fields', (line: string) => line.replace('"by":"io"', '"by":"io","more":1')],
    ['fields', (line: string) => line.replace('"number":1', '"number":0')],
    ['hash', (line: string) => line.replace('"bytes":400', '"bytes":401')],
  ])('is refused as %s where it was changed so (case %#)', (kind, change) => {
    const line = sealEntry(facts, EMPTY_HEAD).line.slice(0, -1);
    expect(readAuditLine(change(line))).toMatchObject({ problem: { kind } });
  });

  it('loses its details where they would make the line too long, and says so', () => {
    const details = { text: '\u{1f600}'.repeat(MAX_AUDIT_LINE / 4) };
    const { line, entry } = sealEntry({ ...facts, details }, EMPTY_HEAD);
    expect(entry.details).toEqual({ tooLarge: true });
    expect(bytes(line).length).toBeLessThan(MAX_AUDIT_LINE);
  });
});

describe('the lines at the end of a file', () => {
  const one = sealEntry(facts, EMPTY_HEAD);
  const two = sealEntry(facts, one.entry);
  const both = bytes(one.line + two.line);

  it('end with the last one that is whole and reads well, whatever follows', () => {
    const tails = [[], [0], [0x0a], [0xff, 0xfe, 0x0a], [...bytes('{"number":3}\n')]];
    for (const tail of tails) {
      const found = lastGoodLine(new Uint8Array([...both, ...tail]));
      expect(found).toEqual({ entry: two.entry, end: both.length });
    }
  });

  it('are told at every length that a file can be cut to', () => {
    for (let length = 0; length < both.length; length += 1) {
      const found = lastGoodLine(both.subarray(0, length));
      const firstEnd = bytes(one.line).length;
      expect(found?.entry).toEqual(length >= firstEnd ? one.entry : undefined);
    }
  });

  it('begin with one that is whole, or with none', () => {
    expect(firstLine(both)).toEqual(one.entry);
    expect(firstLine(both.subarray(0, 50))).toBeUndefined();
    expect(firstLine(bytes('x\n'))).toBeUndefined();
  });
});
