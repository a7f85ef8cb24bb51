/**
 * Files of a store as the inspector shows them: what a name stands for, and what a content is in a few
 * words. Contents go in, sizes and hashes come out.
 */
import { sha256Hex } from '../format/bytes.js';
import { readSeal } from '../format/seal.js';
import { scanWal } from '../format/wal-scanner.js';
import type { DiskFile, FileView } from './run-model.js';

/** What a name in a store's directory stands for. `file` is the checkpoint's own. */
export function kindOfFile(name: string, file: string): DiskFile['kind'] {
  if (name === file) return 'checkpoint';
  if (name === '.checkpoint.wal') return 'wal';
  if (name === '.checkpoint.health') return 'health';
  if (name.startsWith('.checkpoint.lock')) return 'lock';
  if (name.endsWith('.tmp')) return 'temporary';
  if (name.startsWith('checkpoints/')) return 'history';
  if (name.startsWith('quarantine/')) return 'quarantine';
  return name === 'audit.jsonl' || name.startsWith('audit/') ? 'audit' : 'other';
}

/** One version of a file. */
export function viewOfFile(kind: DiskFile['kind'], content: Uint8Array): FileView {
  const facts = { size: content.length, sha256: sha256Hex(content) };
  if (kind === 'wal') return { ...facts, ...viewOfLog(content) };
  if (kind !== 'checkpoint' && kind !== 'history' && kind !== 'temporary') return facts;
  const reading = readSeal(content);
  switch (reading.kind) {
    case 'sealed':
      return { ...facts, sequence: reading.sequence, note: 'its seal verifies' };
    case 'mismatch':
      return { ...facts, note: 'its seal does not match' };
    default:
      return { ...facts, note: content.length === 0 ? 'empty' : 'no seal' };
  }
}

function viewOfLog(content: Uint8Array): Partial<FileView> {
  const scan = scanWal(content);
  const last = scan.kind === 'sealed' ? scan.saves.at(-1)?.intent.sequence : undefined;
  return { note: scan.kind, ...(last !== undefined && { sequence: last }) };
}
