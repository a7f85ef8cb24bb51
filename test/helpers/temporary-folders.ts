/** Folders for tests on the real file system; all of a test file's are removed when it has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'checkpoint-wal-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A fresh, empty folder. */
export function freshFolder(): string {
  return mkdtempSync(join(root, 'folder-'));
}
