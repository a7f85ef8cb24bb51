import { describe, expect, it } from 'vitest';
import { dumpWal } from '../../../src/format/wal-dump.js';
import { scanWal } from '../../../src/format/wal-scanner.js';
import { buildLog, joinBytes, THREE_SAVES } from '../../helpers/wal-builder.js';
import { forge } from '../../helpers/wal-forge.js';

const { bytes } = buildLog(THREE_SAVES);
const scan = scanWal(bytes);
const saves = scan.kind === 'sealed' ? scan.saves : [];

function outline(log: Uint8Array): string[] {
  return dumpWal(log).map((record) => `${record.type} ${record.checksum}`);
}

const SAVE = ['intent ok', 'data ok', 'seal ok', 'zeros none', 'seal ok'];

describe('a dump', () => {
  it('lists every record of a valid log, in order', () => {
    expect(outline(bytes)).toEqual(['header ok', ...SAVE, ...SAVE, ...SAVE]);
  });

  it('decodes what the records say', () => {
    const [header, intent, data, seal] = dumpWal(bytes);
    expect(header?.fields).toMatchObject({
      version: 1,
      epoch: 3,
      created: '2023-11-14T22:13:20.000Z',
    });
    expect(intent?.fields).toMatchObject({
      sequence: 7,
      target: 'ORCHESTRATION.yaml',
      label: 'start',
      encoding: 'whole',
      preImage: 'none',
    });
    expect(data?.fields).toEqual({ bytes: 46 });
    expect(seal?.fields).toMatchObject({ sequence: 7, intentOffset: 64, dataLength: 46 });
  });

  it('marks only the damaged record where a payload is damaged', () => {
    const bad = bytes.slice();
    bad[(saves[1]?.offset ?? 0) + 20] = 0xff;
    const expected = ['header ok', ...SAVE, 'intent bad', ...SAVE.slice(1), ...SAVE];
    expect(outline(bad)).toEqual(expected);
  });

  it('chains from the good copy of a seal where the other is damaged', () => {
    const bad = bytes.slice();
    bad[(saves[0]?.endOffset ?? 0) - 1] = 0xff;
    const expected = ['header ok', ...SAVE.slice(0, 4), 'seal bad', ...SAVE, ...SAVE];
    expect(outline(bad)).toEqual(expected);
  });

  it('finds the records behind a damaged header, and behind a damaged length', () => {
    expect(outline(bytes.slice().fill(0xee, 0, 64))).toEqual([
      'header bad',
      'intent unknown',
      ...SAVE.slice(1),
      ...SAVE,
      ...SAVE,
    ]);
    const bad = bytes.slice();
    bad[64 + 9] = 0x01;
    expect(outline(bad).slice(0, 4)).toEqual(['header ok', 'intent bad', 'data ok', 'seal ok']);
  });

  it('says where a seal lies in bytes that are no records', () => {
    const bad = bytes.slice();
    const sealAt = saves[0]?.sealOffset ?? 0;
    bad[sealAt] = 0;
    const record = dumpWal(bad).find((each) => each.offset === sealAt);
    expect(record).toMatchObject({ type: 'unknown', checksum: 'none' });
    expect(record?.problem).toContain('a seal lies within');
  });

  it('is of one record for a log of another version, and empty for an empty log', () => {
    const future = forge.header(bytes, { version: 9 });
    expect(dumpWal(future)).toEqual([
      expect.objectContaining({ type: 'header', length: bytes.length, fields: { version: 9 } }),
    ]);
    expect(dumpWal(new Uint8Array(0))).toEqual([]);
  });

  it('takes bounded time on overlapping frames that all claim to be long', () => {
    const hostile = new Uint8Array(4_000_000);
    const view = new DataView(hostile.buffer);
    for (let at = 64; at < hostile.length; at += 16) {
      view.setUint32(at, 0x464c57c3, true);
      view.setUint32(at + 4, 2, true);
      view.setUint32(at + 8, 65_529, true);
    }
    const started = performance.now();
    expect(dumpWal(joinBytes(bytes.subarray(0, 64), hostile)).length).toBeGreaterThan(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
