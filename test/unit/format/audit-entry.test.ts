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
import { firstNumber, readTailLines } from '../../../src/format/audit-lines.js';

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
  /** Five entries; the fourth says that the first two were durable. */
  const lines: string[] = [];
  let head = EMPTY_HEAD;
  for (const details of [{}, {}, {}, { durable: 2 }, {}] as const) {
    const sealed = sealEntry({ ...facts, details }, head);
    head = sealed.entry;
    lines.push(sealed.line);
  }
  const numbersIn = (text: string) => {
    const { last, end, ...rest } = readTailLines(bytes(text), true);
    return { last: last?.number, end, ...rest };
  };

  it('stand up to the last one that is whole, whatever follows', () => {
    const all = bytes(lines.join(''));
    for (const tail of [[], [0], [0x0a], [0xff, 0xfe, 0x0a], [...bytes('{"number":6}\n')]]) {
      const found = readTailLines(new Uint8Array([...all, ...tail]), true);
      expect(found).toMatchObject({ last: { number: 5 }, end: all.length, isDamaged: false });
    }
  });

  it('are told at every length that a file can be cut to', () => {
    const all = bytes(lines.join(''));
    for (let length = 0; length < all.length; length += 1) {
      const { last, end, isDamaged } = readTailLines(all.subarray(0, length), true);
      const whole = new TextDecoder().decode(all.subarray(0, length)).split('\n').length - 1;
      expect(last?.number ?? 0).toBe(whole);
      expect(end).toBe(bytes(lines.slice(0, whole).join('')).length);
      expect(isDamaged).toBe(false);
    }
  });

  it('end before the first damage that a crash can have done, also if whole ones follow', () => {
    expect(numbersIn(lines.with(2, 'x\n').join(''))).toMatchObject({
      last: 2,
      end: bytes(lines.slice(0, 2).join('')).length,
      isDamaged: false,
    });
    // One is missing: zeros that were never written look so.
    expect(numbersIn(lines.toSpliced(2, 1).join(''))).toMatchObject({ last: 2, isDamaged: false });
  });

  it('stand, damaged, where what is damaged was durable before', () => {
    const all = { last: 5, isDamaged: true };
    expect(numbersIn(lines.with(0, 'x\n').join(''))).toMatchObject(all);
    expect(numbersIn(lines.with(1, 'x\n').join(''))).toMatchObject(all);
    expect(numbersIn(lines.toSpliced(1, 1).join(''))).toMatchObject(all);
  });

  it('are enough if all before them was durable', () => {
    const from = (index: number) => bytes(`…rest of a line\n${lines.slice(index).join('')}`);
    expect(readTailLines(from(1), false)).toMatchObject({ isEnough: true, last: { number: 5 } });
    expect(readTailLines(from(3), false)).toMatchObject({ isEnough: false });
    expect(readTailLines(bytes('no end'), false)).toMatchObject({ isEnough: false });
  });

  it('begin with a number that also a later line knows', () => {
    expect(firstNumber(bytes(lines.join('')))).toBe(1);
    expect(firstNumber(bytes(lines.slice(2).join('')))).toBe(3);
    expect(firstNumber(bytes(lines.slice(2).with(0, 'x\n').join('')))).toBe(3);
    expect(firstNumber(bytes(lines.join('')).subarray(0, 50))).toBeUndefined();
    expect(firstNumber(bytes('x\n'))).toBeUndefined();
  });

  it('are read quickly and without harm where there are millions of none', () => {
    const tail = readTailLines(new Uint8Array(2_000_000).fill(0x0a), true);
    expect(tail).toMatchObject({ end: 0, isDamaged: false });
  });
});
