import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHealth,
  encodeHealth,
  type HealthMemory,
} from '../../../src/format/health-format.js';

const memory: HealthMemory = {
  attempt: { sequence: 7, sinceMs: 1_700_000_000_000 },
  failures: [{ signal: 'reported', atMs: 1, sequence: 7, digest: 'ab', message: 'agent – fell' }],
  restores: 1,
  bad: [{ sequence: 6, digest: 'cd', atMs: 2, because: 'crashed' }],
  restoring: { digest: 'ab', to: 5 },
  stopped: { atMs: 3, because: 'none left' },
};

describe('the health file', () => {
  it('is read as it was written', () => {
    expect(decodeHealth(encodeHealth(memory))).toEqual({ kind: 'memory', memory });
  });

  it('shows every flipped bit and every cut as damage', () => {
    const bytes = encodeHealth(memory);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [0, 3, 7]) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        expect(decodeHealth(damaged).kind, `byte ${at}`).toBe('damaged');
      }
      expect(decodeHealth(bytes.subarray(0, at)).kind, `cut at ${at}`).toBe('damaged');
    }
  });

  it('of a later version is told from damage', () => {
    const crc = crc32(new TextEncoder().encode('2\n{}\n')).toString(16).padStart(8, '0');
    const text = `checkpoint-wal health v2 crc=${crc}\n{}\n`;
    const read = (changed: string) => decodeHealth(new TextEncoder().encode(changed));
    expect(read(text)).toEqual({ kind: 'unsupportedVersion', version: 2 });
    expect(read(text.replace('v2', 'v3')).kind).toBe('damaged');
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeHealth(bytes).kind).toBe('damaged');
      }),
    );
  });

  it('is refused where a field is of another type, although the checksum matches', () => {
    for (const wrong of [
      { ...memory, failures: {} },
      { ...memory, restores: -1 },
      { ...memory, bad: [{}] },
      { ...memory, attempt: 1 },
      { ...memory, restoring: { to: 'x' } },
      { ...memory, stopped: null },
      { ...memory, failures: [{ ...memory.failures[0], signal: 'other' }] },
    ]) {
      const reading = decodeHealth(encodeHealth(wrong as unknown as HealthMemory));
      expect(reading, JSON.stringify(wrong)).toEqual({
        kind: 'damaged',
        reason: 'a field is not as it must be',
      });
    }
  });
});
