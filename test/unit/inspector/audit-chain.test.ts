/** Reading an audit as the inspector does: all that can be read, and what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { type AuditFacts, EMPTY_HEAD, sealEntry } from '../../../src/format/audit-entry.js';
import { AuditChain } from '../../../src/inspector/audit-chain.js';

const facts: AuditFacts = {
  time: '2026-01-01T00:00:00.000Z',
  elapsedUs: 1,
  machine: 'write',
  from: 'writingIntent',
  to: 'writingData',
  event: 'writeIntent.done',
  by: 'io',
  sequence: 1,
  epoch: 1,
  process: '1@host',
  details: {},
};

function linesOf(count: number): string[] {
  const lines: string[] = [];
  let head = EMPTY_HEAD;
  for (let number = 1; number <= count; number += 1) {
    const { entry, line } = sealEntry({ ...facts, elapsedUs: number }, head);
    lines.push(line.slice(0, -1));
    head = entry;
  }
  return lines;
}

function read(lines: readonly string[]) {
  const chain = new AuditChain();
  for (const line of lines) chain.take(line);
  return { numbers: chain.entries.map(({ number }) => number), verdict: chain.verdict };
}

describe('the chain of an audit', () => {
  it('is intact where every entry is tied to the one before', () => {
    expect(read(linesOf(3))).toMatchObject({ numbers: [1, 2, 3], verdict: { intact: true } });
  });

  it('may begin later, and says so', () => {
    const { numbers, verdict } = read(linesOf(4).slice(2));
    expect(numbers).toEqual([3, 4]);
    expect(verdict).toMatchObject({ intact: true });
    expect(verdict.message).toContain('from entry 3 on');
  });

  it('is broken by a line that is torn; the entries around it are kept', () => {
    const lines = linesOf(4).map((line, index) => (index === 1 ? line.slice(0, 40) : line));
    const { numbers, verdict } = read(lines);
    expect(numbers).toEqual([1, 3, 4]);
    expect(verdict.intact).toBe(false);
    expect(verdict.message).toMatch(/^line 2: the line is no JSON \(and 1 more\)$/);
  });

  it('is broken by an entry that was changed, left out, or moved', () => {
    const [one = '', two = '', three = ''] = linesOf(3);
    const changed = read([one, two.replace('"sequence":1', '"sequence":2'), three]).verdict;
    expect(changed.message).toMatch(/^line 2: entry 2: the entry was changed/);
    expect(read([one, three]).verdict.message).toBe('line 2: entry 3 where 2 should be');
    expect(read([one, three, two]).verdict.intact).toBe(false);
  });

  it('is broken by an entry of another chain under the right number', () => {
    const [one = ''] = linesOf(1);
    const other = sealEntry(facts, { number: 1, hash: 'f'.repeat(64) }).line.slice(0, -1);
    expect(read([one, other]).verdict.message).toBe(
      'line 2: entry 2 is not tied to the entry before it',
    );
  });
});
