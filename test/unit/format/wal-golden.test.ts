/**
 * The golden logs of format version 1: today's scanner reads each as it was first read, today's
 * encoder still writes the valid ones byte for byte. Golden files are append-only: their checksums are
 * kept in `SHA256SUMS`, so that changing one shows as a changed line there, and in review.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/format/bytes.js';
import { readSeal } from '../../../src/format/seal.js';
import { scanWal } from '../../../src/format/wal-scanner.js';
import { EVERY_FIELD, goldenLogs, scanGolden } from '../../helpers/wal-golden.js';

const folder = new URL('../../golden/wal-v1/', import.meta.url);
const sums = new URL('SHA256SUMS', folder);
const logs = goldenLogs();

const { GOLDEN_WRITE = '' } = process.env;
if (GOLDEN_WRITE === '1') {
  // Only ever adds: a file that is there stays as it is, whatever the builder makes of it now.
  for (const { name, bytes } of logs) {
    const file = new URL(`${name}.wal`, folder);
    if (existsSync(file)) continue;
    const scan = `${JSON.stringify(scanGolden(bytes), undefined, 2)}\n`;
    writeFileSync(file, bytes, { flag: 'wx' });
    writeFileSync(new URL(`${name}.json`, folder), scan, { flag: 'wx' });
    const lines = [`${name}.wal`, `${name}.json`].map(
      (each) => `${sha256Hex(readFileSync(new URL(each, folder)))}  ${each}\n`,
    );
    writeFileSync(sums, lines.join(''), { flag: 'a' });
  }
}

const recorded = readFileSync(sums, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('  '));

describe('the golden logs of format version 1', () => {
  it.each(recorded)('are unchanged (%s  %s)', (sum = '', name = '') => {
    expect(sha256Hex(readFileSync(new URL(name, folder)))).toBe(sum);
  });

  it('are all recorded, and all have a builder', () => {
    const present = readdirSync(folder).filter((name) => name !== 'SHA256SUMS');
    expect(present.sort()).toEqual(recorded.map(([, name]) => name).sort());
    expect(present).toEqual(logs.flatMap(({ name }) => [`${name}.json`, `${name}.wal`]).sort());
  });

  it.each(logs)('$name is read as it was first read', ({ name }) => {
    const expected: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    expect(scanGolden(readFileSync(new URL(`${name}.wal`, folder)))).toEqual(expected);
  });

  it('hold a checkpoint whose seal is read as it was written', () => {
    const scan = scanWal(readFileSync(new URL('sealed-with-every-field.wal', folder)));
    const image = scan.kind === 'sealed' ? scan.image : new Uint8Array(0);
    const text = 'phases: [] # none yet';
    expect(readSeal(image)).toEqual({ kind: 'sealed', ...EVERY_FIELD, text });
  });

  it.each(logs.filter(({ encoded }) => encoded))('$name is still written so', ({ name, bytes }) => {
    const golden = readFileSync(new URL(`${name}.wal`, folder));
    expect(Buffer.compare(golden, bytes)).toBe(0);
  });
});
