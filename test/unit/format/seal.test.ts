import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  MAX_SEAL_BYTES,
  readSeal,
  removeSealLines,
  sealText,
  textDigestOf,
} from '../../../src/format/seal.js';
import { readLastSealLine, SEAL_TAIL_BYTES } from '../../../src/format/seal-line.js';
import { joinBytes, utf8 } from '../../helpers/wal-builder.js';

const CLAIM = { sequence: 42, epoch: 3 };
const TEXT = '# plan\nphases: []\n';

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function crcOf(claims: string): string {
  return crc32(claims).toString(16).padStart(8, '0');
}

function sealedText(text: string, claim = CLAIM): string {
  return textOf(sealText(text, claim));
}

describe('sealing', () => {
  it('appends one comment line with sequence, epoch, and the SHA-256 of all bytes before the line', () => {
    const sha256 = createHash('sha256').update(TEXT).digest('hex');
    const claims = '# checkpoint-wal: v1 sequence=42 epoch=3';
    expect(sealedText(TEXT)).toBe(`${TEXT}${claims} crc=${crcOf(claims)} sha256=${sha256}\n`);
  });

  it.each([
    ['a final newline', 'a: 1\n'],
    ['no final newline', 'a: 1'],
    ['CRLF', 'a: 1\r\nb: 2\r\n'],
    ['CRLF and no final newline', 'a: 1\r\nb: 2'],
    ['a lone carriage return at the end', 'a: 1\nb: 2\r'],
    ['a byte order mark', '\uFEFFa: 1\n'],
    ['only a newline', '\n'],
    ['only a carriage return', '\r'],
    ['characters of every width', 'a: é€😀\n'],
    ['blank lines at the end', 'a: 1\n\n\n'],
    ['a line that is a seal', `${sealedText('x: 1\n')}y: 2\n`],
    ['a seal as its last line', sealedText('x: 1\n')],
  ])('gives back a text with %s exactly', (_name, text) => {
    const bytes = sealText(text, CLAIM);
    expect(readSeal(bytes)).toEqual({ kind: 'sealed', ...CLAIM, text, artifacts: [] });
    expect(readSeal(Buffer.from(bytes))).toEqual({ kind: 'sealed', ...CLAIM, text, artifacts: [] });
  });

  it('ends the line as the text ends its lines, and says so where it added a newline', () => {
    expect(sealedText('a: 1\r\n')).toMatch(/^a: 1\r\n# [^\r\n]*\r\n$/);
    expect(sealedText('a: 1\r\nb')).toMatch(/b\r\n# [^\r\n]* newline=added [^\r\n]*\r\n$/);
    expect(sealedText('a: 1')).toMatch(/^a: 1\n# [^\r\n]* newline=added [^\r\n]*\n$/);
  });

  it('refuses what can not be sealed faithfully', () => {
    expect(() => sealText('', CLAIM)).toThrow(RangeError);
    expect(() => sealText('a: \uD800', CLAIM)).toThrow(TypeError);
    expect(() => sealText(5 as unknown as string, CLAIM)).toThrow(TypeError);
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 48 + 1]) {
      expect(() => sealText(TEXT, { sequence: wrong, epoch: 1 })).toThrow(RangeError);
      expect(() => sealText(TEXT, { sequence: 1, epoch: wrong })).toThrow(RangeError);
    }
    const largest = { sequence: 2 ** 48, epoch: 2 ** 48 };
    expect(readSeal(sealText(TEXT, largest))).toMatchObject({ kind: 'sealed', ...largest });
  });
});

describe('a file that was changed after it was sealed', () => {
  it('keeps the edit and loses the seal', () => {
    const edited = sealedText(TEXT).replace('[]', '[build]');
    expect(readSeal(utf8(edited))).toEqual({
      kind: 'mismatch',
      ...CLAIM,
      claimIntact: true,
      text: '# plan\nphases: [build]\n',
      artifacts: [],
      reason: 'the text before the seal was changed',
    });
  });

  it('keeps text that was appended after the seal', () => {
    const reading = readSeal(utf8(`${sealedText(TEXT)}appended: true\n`));
    expect(reading).toMatchObject({
      kind: 'mismatch',
      text: `${TEXT}appended: true\n`,
      reason: 'text follows the seal',
    });
  });

  it('loses every seal that it gathered and claims the largest sequence', () => {
    const other = sealedText('x: 1\n', { sequence: 50, epoch: 4 });
    const reading = readSeal(utf8(`${sealedText(TEXT)}${other}y: 2\n`));
    expect(reading).toMatchObject({ kind: 'mismatch', sequence: 50, epoch: 4 });
    expect(reading).toHaveProperty('text', `${TEXT}x: 1\ny: 2\n`);
  });

  it('loses the newline that was added with the seal, unless text follows', () => {
    const sealed = sealedText('a: 1');
    expect(readSeal(utf8(sealed.replace('1', '2')))).toHaveProperty('text', 'a: 2');
    expect(readSeal(utf8(`${sealed}b: 2`))).toHaveProperty('text', 'a: 1\nb: 2');
    const windows = sealedText('a: 1\r\nb: 1').replace('b: 1', 'b: 2');
    expect(readSeal(utf8(windows))).toHaveProperty('text', 'a: 1\r\nb: 2');
    expect(readSeal(utf8(windows.slice(0, -2)))).toHaveProperty('text', 'a: 1\r\nb: 2');
  });

  it('is not sealed without the last newline, and keeps its text', () => {
    const cut = sealText(TEXT, CLAIM).slice(0, -1);
    expect(readSeal(cut)).toMatchObject({ kind: 'mismatch', ...CLAIM, text: TEXT });
  });

  it.each([
    ['sequence=42', 'sequence=43'],
    ['epoch=3', 'epoch=2'],
    ['checkpoint-wal: v1', 'checkpoint-wal: v3'],
  ])('does not vouch for a changed claim (%s to %s)', (from, to) => {
    const reading = readSeal(utf8(sealedText(TEXT).replace(from, to)));
    expect(reading).toMatchObject({ kind: 'mismatch', claimIntact: false, text: TEXT });
  });

  it('prefers an intact claim to a larger one that was changed', () => {
    const changed = sealedText(TEXT).replace('sequence=42', 'sequence=99');
    const reading = readSeal(utf8(`${changed}${sealedText('x: 1\n').slice('x: 1\n'.length)}`));
    expect(reading).toMatchObject({ kind: 'mismatch', sequence: 42, claimIntact: true });
  });

  it('does not believe newline=added where no newline can have been added', () => {
    const line = sealedText('a').slice('a\n'.length);
    expect(readSeal(utf8(line)).kind).toBe('mismatch');
  });
});

describe('a file without a seal', () => {
  it.each([
    ['an empty file', '', undefined],
    ['plain text', TEXT, undefined],
    [
      'an indented seal, as in a block scalar',
      `note: |\n  ${sealedText(TEXT).slice(TEXT.length)}`,
      undefined,
    ],
    ['a sequence above 2^48', sealedText(TEXT).replace('=42', `=${2 ** 48 + 1}`), true],
    ['a digest that is cut off', sealedText(TEXT).slice(0, -9), true],
    ['a seal line cut off in its first word', `${TEXT}# checkpoint`, true],
    ['a comment that only begins alike', `${TEXT}# check`, undefined],
  ])('is unsealed and all text: %s', (_name, text, remnant) => {
    const expected = { kind: 'unsealed', text, ...(remnant ? { remnant } : {}) };
    expect(readSeal(utf8(text))).toEqual(expected);
  });

  it('is told from one that a later version sealed', () => {
    const text = `${TEXT}# checkpoint-wal: v2 anything=else crc=00000000 sha256=${'0'.repeat(64)}\n`;
    expect(readSeal(utf8(text)).kind).toBe('unsealed');
    const later = text.replace(
      'crc=00000000',
      `crc=${crcOf('# checkpoint-wal: v2 anything=else')}`,
    );
    expect(readSeal(utf8(later))).toEqual({ kind: 'unsupportedVersion', version: 2, text: later });
  });

  it.each([
    ['a stray continuation', [0x61, 0x80], 1],
    ['an overlong slash', [0xc0, 0xaf], 0],
    ['half a surrogate pair', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a character that is cut off', [0x61, 0xe2, 0x82], 1],
    ['an overlong three-byte form', [0xe0, 0x80, 0x80], 0],
    ['an overlong four-byte form', [0xf0, 0x80, 0x80, 0x80], 0],
  ])('is not text: %s', (_name, bytes, offset) => {
    expect(readSeal(Uint8Array.from(bytes))).toEqual({ kind: 'notText', offset });
    const after = joinBytes(utf8('é€😀'), Uint8Array.from(bytes));
    expect(readSeal(after)).toEqual({ kind: 'notText', offset: 9 + offset });
  });
});

const PLAN = { path: 'docs/plan "a".md', size: 12, sha256: 'ab'.repeat(32) };
const BUILD = { path: 'out/b.tar', size: 0, sha256: '01'.repeat(32) };
const FULL = {
  ...CLAIM,
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  label: 'after review',
  pinned: true,
  artifacts: [PLAN, BUILD],
};

describe('a seal with every field', () => {
  it('has them in a fixed order, under the checksums, with the artifacts before it', () => {
    const lines = [
      `# checkpoint-wal: artifact sha256=${PLAN.sha256} size=12 path="docs/plan \\"a\\".md"\n`,
      `# checkpoint-wal: artifact sha256=${BUILD.sha256} size=0 path="out/b.tar"\n`,
    ].join('');
    const claims =
      '# checkpoint-wal: v1 sequence=42 epoch=3 time=2026-01-02T03:04:05.006Z pinned label="after review" artifacts=2 newline=added';
    const sha256 = createHash('sha256').update(`a: 1\n${lines}`).digest('hex');
    const sealed = `a: 1\n${lines}${claims} crc=${crcOf(claims)} sha256=${sha256}\n`;
    expect(textOf(sealText('a: 1', FULL))).toBe(sealed);
    expect(readSeal(utf8(sealed))).toEqual({ kind: 'sealed', ...FULL, text: 'a: 1' });
  });

  it('keeps the line breaks of the text, also those of a text that ends without one', () => {
    for (const text of ['a: 1\r\n', 'a: 1\r\nb: 2', 'a: 1\r', 'a: 1', 'a: 1\n']) {
      expect(readSeal(sealText(text, FULL))).toEqual({ kind: 'sealed', ...FULL, text });
    }
    expect(textOf(sealText('a: 1\r\n', FULL)).split('\r\n')).toHaveLength(5);
  });

  it('gives a text back that itself ends in artifact lines', () => {
    const inner = textOf(sealText(TEXT, FULL));
    const text = inner.slice(0, inner.lastIndexOf('# checkpoint-wal: v1'));
    expect(readSeal(sealText(text, FULL))).toEqual({ kind: 'sealed', ...FULL, text });
  });

  it('carries any label on one line of visible characters', () => {
    const labels = [
      '',
      '"',
      '\\',
      'a\nb: 2',
      '\r',
      '\0',
      '\u2028x',
      '\u0085',
      '\uFEFF',
      '\x7F',
      '\uFFFF',
      '😀',
    ];
    for (const label of [...labels, '\u0001'.repeat(1024), 'é'.repeat(512)]) {
      const sealed = sealText(TEXT, { ...CLAIM, label });
      expect(readSeal(sealed)).toMatchObject({ kind: 'sealed', label, text: TEXT });
      expect(textOf(sealed).slice(TEXT.length)).toMatch(
        /^# [^\p{Cc}\p{Zl}\p{Zp}\uFEFF\uFFFF]*\n$/u,
      );
    }
  });

  it('refuses fields that it can not carry', () => {
    const wrong = [
      { label: 'x'.repeat(1025) },
      { label: '\uD800' },
      { label: 5 as unknown as string },
      { timeMs: -1 },
      { timeMs: 0.5 },
      { timeMs: Date.UTC(10_000, 0, 1) },
      { artifacts: [{ ...PLAN, path: '' }] },
      { artifacts: [{ ...PLAN, path: 'x'.repeat(1025) }] },
      { artifacts: [{ ...PLAN, path: '\uDC00' }] },
      { artifacts: [{ ...PLAN, size: -1 }] },
      { artifacts: [{ ...PLAN, size: 0.5 }] },
      { artifacts: [{ ...PLAN, sha256: 'AB'.repeat(32) }] },
      { artifacts: Array.from({ length: 1001 }, () => PLAN) },
    ];
    for (const fields of wrong) {
      expect(() => sealText(TEXT, { ...CLAIM, ...fields })).toThrow(/./);
    }
    const most = Array.from({ length: 1000 }, () => ({ ...PLAN, path: '\u0001'.repeat(1024) }));
    const bytes = sealText(TEXT, { ...FULL, label: '\u0001'.repeat(1024), artifacts: most });
    expect(bytes.length).toBeLessThanOrEqual(TEXT.length + MAX_SEAL_BYTES);
    expect(readSeal(bytes)).toHaveProperty('artifacts', most);
  });

  it('is read from the last bytes of a file alone, and only from a whole line', () => {
    const sealed = sealText(TEXT.repeat(2000), { ...FULL, label: '\u0001'.repeat(1024) });
    const tail = sealed.subarray(sealed.length - SEAL_TAIL_BYTES);
    expect(readLastSealLine(tail)?.line).toMatchObject({ ...CLAIM, artifactCount: 2 });
    expect(readLastSealLine(sealed.subarray(0, sealed.length - 1))).toBeUndefined();
    const line = textOf(sealText(TEXT, FULL)).slice(TEXT.length).split('\n')[2] ?? '';
    expect(readLastSealLine(utf8(`${'x'.repeat(SEAL_TAIL_BYTES)}${line}\n`))).toBeUndefined();
    expect(readLastSealLine(utf8(`${line}\n`))?.line.pinned).toBe(true);
  });

  it.each([
    ['a time that does not exist', 'time=2026-01-02T', 'time=2026-02-31T'],
    ['a label in another form of JSON', 'label="after', 'label="\\u0061fter'],
    ['an escaped half of a surrogate pair', 'label="after', 'label="\\ud800fter'],
    ['more artifacts than are allowed', 'artifacts=2', 'artifacts=1001'],
    ['fields in another order', 'pinned label="after review"', 'label="after review" pinned'],
  ])('is no seal with %s, even if its checksum matches', (_name, from, to) => {
    const [before = '', last = ''] = textOf(sealText(TEXT, FULL)).split(/(?=# checkpoint-wal: v1)/);
    const claims = (last.split(' crc=')[0] ?? '').replace(from, to);
    const forged = `${before}${claims} crc=${crcOf(claims)} ${last.slice(last.indexOf('sha256='))}`;
    expect(readSeal(utf8(forged))).toMatchObject({ kind: 'unsealed', remnant: true });
  });

  it('does not believe more artifacts than there are lines for', () => {
    const one = textOf(sealText(TEXT, { ...CLAIM, artifacts: [PLAN] }));
    const body = one.slice(0, one.lastIndexOf('# checkpoint-wal: v1'));
    const claims = '# checkpoint-wal: v1 sequence=42 epoch=3 artifacts=2';
    const sha256 = createHash('sha256').update(body).digest('hex');
    const forged = `${body}${claims} crc=${crcOf(claims)} sha256=${sha256}\n`;
    expect(readSeal(utf8(forged))).toMatchObject({ kind: 'mismatch', artifacts: [PLAN] });
  });
});

describe('artifact lines of a file that was changed', () => {
  const sealed = textOf(sealText('a: 1', FULL));

  it('leave with the seal, and are offered though nothing vouches for them', () => {
    const reading = readSeal(utf8(sealed.replace('a: 1', 'a: 2')));
    expect(reading).toEqual({
      kind: 'mismatch',
      ...FULL,
      claimIntact: true,
      text: 'a: 2',
      reason: 'the text before the seal was changed',
    });
  });

  it('never pile up, wherever text was added', () => {
    const added = `${sealed}b: 2\n${sealed}`;
    expect(readSeal(utf8(added))).toMatchObject({
      text: 'a: 1\nb: 2\na: 1',
      artifacts: [PLAN, BUILD],
    });
    expect(removeSealLines(added)).toBe('a: 1\nb: 2\na: 1');
    expect(removeSealLines(sealed)).toBe('a: 1');
  });

  it('are not taken for text where the seal line is lost', () => {
    const lost = sealed.slice(0, sealed.indexOf('# checkpoint-wal: v1'));
    expect(readSeal(utf8(lost))).toEqual({ kind: 'unsealed', text: 'a: 1\n', remnant: true });
    const cut = lost.slice(0, -9);
    expect(readSeal(utf8(cut))).toMatchObject({ kind: 'unsealed', remnant: true });
    expect(readSeal(utf8(`${TEXT}# checkpoint-wal: artif`))).toHaveProperty('remnant', true);
  });

  it('count once for each path, the later one', () => {
    const other = textOf(sealText('b: 1\n', { ...CLAIM, artifacts: [{ ...PLAN, size: 99 }] }));
    expect(readSeal(utf8(`${sealed}${other}c: 1\n`))).toHaveProperty('artifacts', [
      { ...PLAN, size: 99 },
      BUILD,
    ]);
  });
});

describe('removing seal lines', () => {
  it('gives the text back that was sealed', () => {
    for (const text of ['a: 1\n', 'a: 1', 'a: 1\r\n', 'a: 1\r\nb']) {
      expect(removeSealLines(sealedText(text))).toBe(text);
    }
  });

  it('leaves a text without a seal as it is', () => {
    expect(removeSealLines(TEXT)).toBe(TEXT);
    expect(removeSealLines('')).toBe('');
  });
});

describe('a large file', () => {
  it('is sealed and read in linear time', () => {
    const line = '# checkpoint-wal: v1 sequence=1 epoch=1\n';
    const text = line.repeat(10_000_000 / line.length);
    const started = performance.now();
    expect(readSeal(sealText(text, CLAIM))).toHaveProperty('text', text);
    expect(readSeal(utf8(text)).kind).toBe('unsealed');
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

const examples = new URL('../../../../shared/data/orchestrations/', import.meta.url);

describe.runIf(existsSync(examples))('every example file', () => {
  it('is unsealed as it is, and comes back byte for byte once it was sealed', () => {
    const files = readdirSync(examples, { recursive: true, encoding: 'utf8' });
    for (const name of files.filter((each) => /\.ya?ml$/.test(each))) {
      const reading = readSeal(readFileSync(new URL(name, examples)));
      if (reading.kind === 'notText' || !('text' in reading) || reading.text === '') continue;
      expect(reading.kind, name).toBe('unsealed');
      const sealed = sealText(reading.text, CLAIM);
      const { text } = reading;
      expect(readSeal(sealed), name).toEqual({ kind: 'sealed', ...CLAIM, text, artifacts: [] });
    }
  });
});

describe('the digest of the text of a reading', () => {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  const artifact = { path: 'a.txt', size: 1, sha256: digest('a') };

  it.each([
    ['whose seal covers nothing else', readSeal(sealText(TEXT, CLAIM)), TEXT],
    ['that ends without a line break', readSeal(sealText('a: 1', CLAIM)), 'a: 1'],
    ['that artifacts follow', readSeal(sealText(TEXT, { ...CLAIM, artifacts: [artifact] })), TEXT],
    ['without a seal', readSeal(utf8(TEXT)), TEXT],
    ['that was edited', readSeal(utf8(`b: 2\n${sealedText(TEXT)}`)), `b: 2\n${TEXT}`],
  ])('is that of its bytes: of one %s', (_, reading, text) => {
    expect(textDigestOf(reading)).toBe(digest(text));
  });

  it('is none of what is no text', () => {
    expect(textDigestOf(readSeal(Uint8Array.of(0xff)))).toBeUndefined();
  });
});
