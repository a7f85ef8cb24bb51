/**
 * Audits for tests: read from a file system, verified, and made by real stores.
 */
import {
  type AuditVerdict,
  AuditVerifier,
  type KnownFacts,
} from '../../src/audit/audit-verifier.js';
import { type AuditEntry, readAuditLine, sealEntry } from '../../src/format/audit-entry.js';
import type { FileSystem } from '../../src/io/file-system.js';
import { MemoryFileSystem } from '../../src/io/memory-file-system.js';
import { openCheckpointStore } from '../../src/store.js';
import { DIRECTORY } from './crash-memory.js';
import { readText } from './fs-text.js';

/** One file of an audit: its name relative to the store, and its text. */
export interface AuditText {
  readonly file: string;
  readonly text: string;
}

/** All files of the audit in the tests' store, oldest first. */
export function auditTexts(fs: FileSystem): AuditText[] {
  const earlier = fs.stat(`${DIRECTORY}/audit`)
    ? fs.list(`${DIRECTORY}/audit`).map((name) => `audit/${name}`)
    : [];
  return [...earlier, 'audit.jsonl']
    .filter((file) => fs.stat(`${DIRECTORY}/${file}`) !== undefined)
    .map((file) => ({ file, text: readText(fs, `${DIRECTORY}/${file}`) }));
}

/** Verifies files as the command does. */
export function verifyTexts(texts: readonly AuditText[], known: KnownFacts = {}): AuditVerdict {
  const verifier = new AuditVerifier(known);
  for (const [index, { file, text }] of texts.entries()) {
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const [at, line] of lines.entries()) verifier.take(line, file, at + 1);
    if (rest !== '') {
      verifier.takeUnended(rest, file, lines.length + 1, index === texts.length - 1);
    }
  }
  return verifier.finish();
}

/** The entries of these files that read well. */
export function entriesOf(texts: readonly AuditText[]): AuditEntry[] {
  return texts
    .flatMap(({ text }) => text.split('\n'))
    .flatMap((line) => {
      const reading = readAuditLine(line);
      return 'entry' in reading ? [reading.entry] : [];
    });
}

/** The lines of an audit that a real store has written: an open, some saves, a close. */
export async function recordedLines(saves = 3): Promise<string[]> {
  const fileSystem = new MemoryFileSystem();
  const store = await openCheckpointStore({ directory: DIRECTORY, fileSystem });
  for (let value = 1; value <= saves; value += 1) await store.save({ value });
  await store.close();
  return readText(fileSystem, `${DIRECTORY}/audit.jsonl`).trimEnd().split('\n');
}

/** The same chain with other facts from entry `from` on, every hash made anew. */
export function forge(
  lines: readonly string[],
  change: (entry: AuditEntry, index: number) => AuditEntry,
): string[] {
  let head = { number: 0, hash: '0'.repeat(64) };
  return lines.map((line, index) => {
    const { entry, line: forged } = sealEntry(change(JSON.parse(line), index), head);
    head = entry;
    return forged.trimEnd();
  });
}
