import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readSeal, removeSealLines, sealText } from '../../../src/format/seal.js';
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
    expect(readSeal(bytes)).toEqual({ kind: 'sealed', ...CLAIM, text });
    expect(readSeal(Buffer.from(bytes))).toEqual({ kind: 'sealed', ...CLAIM, text });
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
      expect(readSeal(sealed), name).toEqual({ kind: 'sealed', ...CLAIM, text: reading.text });
    }
  });
});
