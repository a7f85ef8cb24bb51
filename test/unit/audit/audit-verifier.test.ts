import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AuditEntry, sealEntry } from '../../../src/format/audit-entry.js';
import { forge, recordedLines, verifyTexts } from '../../helpers/audit-records.js';

let lines: string[] = [];
beforeAll(async () => {
  lines = await recordedLines();
});

const verify = (changed: readonly string[], known = {}) =>
  verifyTexts([{ file: 'audit.jsonl', text: changed.map((line) => `${line}\n`).join('') }], known);

const headOf = (line = ''): { number: number; hash: string } => {
  const { number, hash } = JSON.parse(line) as AuditEntry;
  return { number, hash };
};

/** Any place in the record but its last entry: what comes after that one ties it. */
const place = () => fc.nat({ max: lines.length - 2 });

describe('verifying a record', () => {
  it('finds one that a store has written intact, and tells its head', () => {
    const verdict = verify(lines);
    expect(verdict).toMatchObject({ intact: true, brokenCount: 0, runs: 1, notes: [] });
    expect(verdict.entries).toBe(lines.length);
    expect(verdict.head).toEqual(headOf(lines.at(-1)));
  });

  it('names the line in which a character was changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: lines.length - 1 }), fc.nat(), (index, at) => {
        const line = lines[index] ?? '';
        const position = at % line.length;
        const other = line[position] === 'x' ? 'y' : 'x';
        const changed = `${line.slice(0, position)}${other}${line.slice(position + 1)}`;
        const { intact, broken } = verify(lines.with(index, changed));
        expect(intact).toBe(false);
        expect(broken).toMatchObject({ file: 'audit.jsonl', line: index + 1 });
      }),
    );
  });

  it('names the entry after one that was changed and hashed anew', () => {
    fc.assert(
      fc.property(place(), (index) => {
        const entry = JSON.parse(lines[index] ?? '') as AuditEntry;
        const head = { number: entry.number - 1, hash: entry.previous };
        const forged = sealEntry({ ...entry, event: 'nothing.happened' }, head);
        const { broken } = verify(lines.with(index, forged.line.trimEnd()));
        expect(broken).toMatchObject({
          kind: 'previous',
          line: index + 2,
          expected: forged.entry.hash,
          found: entry.hash,
        });
      }),
    );
  });

  it('names the place from which entries were taken out, repeated or put in another order', () => {
    fc.assert(
      fc.property(place(), (index) => {
        const without = verify(lines.toSpliced(index, 1)).broken;
        const twice = verify(lines.toSpliced(index, 0, lines[index] ?? '')).broken;
        const swapped = verify(
          lines.with(index, lines[index + 1] ?? '').with(index + 1, lines[index] ?? ''),
        ).broken;
        expect(without).toMatchObject(
          index === 0 ? { kind: 'start', line: 1 } : { kind: 'number', line: index + 1 },
        );
        expect(twice).toMatchObject({ kind: 'number', line: index + 2 });
        expect(swapped?.kind).toBe('number');
        expect(swapped?.line).toBe(index === 0 ? 2 : index + 1);
      }),
    );
  });

  it('can not see that the end was cut off, unless its head was written down', () => {
    const cut = lines.slice(0, -3);
    expect(verify(cut).intact).toBe(true);
    const head = headOf(lines.at(-1));
    expect(verify(cut, { heads: [head] }).broken).toMatchObject({
      kind: 'head',
      number: head.number,
      found: head.number - 3,
    });
    expect(verify(lines, { heads: [head, headOf(lines[4])] }).intact).toBe(true);
  });

  it('can not see that the whole was made anew, unless a head was written down before', () => {
    const forged = forge(lines, (entry, index) =>
      index === 5 ? { ...entry, process: '1@elsewhere' } : entry,
    );
    expect(verify(forged).intact).toBe(true);
    expect(verify(forged, { heads: [headOf(lines[3])] }).intact).toBe(true);
    expect(verify(forged, { heads: [headOf(lines[8])] }).broken).toMatchObject({
      kind: 'head',
      line: 9,
      found: headOf(forged[8]).hash,
    });
  });

  it('sees by a checkpoint on disk that its entry was made anew', () => {
    const saved = lines
      .map((line) => JSON.parse(line) as AuditEntry)
      .find(({ event, sequence }) => event === 'writeIntent.done' && sequence === 2);
    const sha256 = String(saved?.details.sha256);
    const checkpoints = new Map([[2, { sha256, file: 'checkpoints/2' }]]);
    expect(verify(lines, { checkpoints }).intact).toBe(true);
    const forged = forge(lines, (entry) =>
      entry.number === saved?.number
        ? { ...entry, details: { ...entry.details, sha256: 'f'.repeat(64) } }
        : entry,
    );
    expect(verify(forged, { checkpoints }).broken).toMatchObject({
      kind: 'checkpoint',
      file: 'checkpoints/2',
      expected: 'f'.repeat(64),
      found: sha256,
    });
  });

  it('takes a beginning that is missing from nobody but retention', () => {
    const rest = lines.slice(10);
    expect(verify(rest).broken).toMatchObject({ kind: 'start', line: 1, found: 11 });
    const pruned = (through: number, hash: string) => {
      const last = JSON.parse(lines.at(-1) ?? '') as AuditEntry;
      const details = { file: 'audit/000000000001.jsonl', through, hash };
      const facts = { ...last, machine: 'audit', event: 'audit.pruned', details };
      return sealEntry(facts, headOf(lines.at(-1))).line.trimEnd();
    };
    const removed = headOf(lines[9]);
    expect(verify([...rest, pruned(removed.number, removed.hash)]).intact).toBe(true);
    expect(verify([...rest, pruned(removed.number, 'b'.repeat(64))]).broken?.kind).toBe('start');
    expect(verify([...rest, pruned(9, removed.hash)]).broken?.kind).toBe('start');
  });

  it('proves nothing by a head of an entry that is not there any more', () => {
    const rest = lines.slice(10);
    const old = { number: 5, hash: 'f'.repeat(64) };
    expect(verify(rest, { heads: [old] })).toMatchObject({ headsProven: 0, headsUnproven: [5] });
    const tied = headOf(lines[9]);
    expect(verify(rest, { heads: [tied] })).toMatchObject({ headsProven: 1, headsUnproven: [] });
    const untied = { ...tied, hash: 'f'.repeat(64) };
    expect(verify(rest, { heads: [untied] })).toMatchObject({ headsUnproven: [10] });
  });

  it('compares every head that it is given, also two of one entry', () => {
    const right = headOf(lines[5]);
    const wrong = { ...right, hash: 'f'.repeat(64) };
    const verdict = verify(lines, { heads: [wrong, right, headOf(lines[7])] });
    expect(verdict).toMatchObject({
      intact: false,
      headsProven: 2,
      broken: { kind: 'head', line: 6 },
    });
  });

  it('asks of no checkpoint to be one that was never published', () => {
    const saved = lines.map((line) => JSON.parse(line) as AuditEntry);
    const published = saved.find(
      ({ event, sequence }) => event === 'syncCheckpoint.done' && sequence === 2,
    );
    const checkpoints = new Map([[2, { sha256: 'a'.repeat(64), file: 'checkpoints/2' }]]);
    expect(verify(lines, { checkpoints }).intact).toBe(false);
    const failed = forge(lines, (entry) =>
      entry.number === published?.number ? { ...entry, event: 'syncCheckpoint.failed' } : entry,
    );
    expect(verify(failed, { checkpoints }).intact).toBe(true);
    // What recovery publishes has its hash in the log alone.
    const recovered = forge(lines, (entry, index) =>
      index === lines.length - 1
        ? { ...entry, machine: 'recovery', event: 'syncCheckpoint.done', sequence: 2 }
        : entry,
    );
    expect(verify(recovered, { checkpoints }).intact).toBe(true);
  });

  it('says so where a run met a record that was damaged', () => {
    const opened = (details: AuditEntry['details']) =>
      verify(forge(lines, (entry, index) => (index === 0 ? { ...entry, details } : entry)));
    const torn = { file: 'quarantine/x', bytes: 5, reason: 'torn-tail' };
    expect(opened({ setAside: torn })).toMatchObject({ intact: true, hasFindings: false });
    const damaged = { ...torn, reason: 'damaged' };
    expect(opened({ setAside: damaged })).toMatchObject({ intact: true, hasFindings: true });
    expect(opened({ isDamaged: true })).toMatchObject({ intact: true, hasFindings: true });
  });

  it('takes an unfinished line at the very end for what a crash leaves, and nowhere else', () => {
    const text = lines.map((line) => `${line}\n`).join('');
    const torn = verifyTexts([{ file: 'audit.jsonl', text: text.slice(0, -30) }]);
    expect(torn).toMatchObject({ intact: true, notes: [expect.stringContaining('torn')] });
    const inside = verifyTexts([
      { file: 'audit/000000000001.jsonl', text: text.slice(0, -30) },
      { file: 'audit.jsonl', text: '' },
    ]);
    expect(inside.broken).toMatchObject({ kind: 'cut', file: 'audit/000000000001.jsonl' });
  });

  it('goes on after a broken link, and counts what else is broken', () => {
    const changed = lines.with(3, 'x').with(9, 'y').toSpliced(14, 1);
    expect(verify(changed)).toMatchObject({ brokenCount: 3, broken: { line: 4, kind: 'notJson' } });
  });

  it('finds nothing in nothing', () => {
    expect(verifyTexts([])).toMatchObject({ intact: true, entries: 0, head: { number: 0 } });
    expect(verifyTexts([], { heads: [headOf(lines[0])] }).broken?.kind).toBe('head');
  });
});
