/**
 * Folders for tests on the real file system; `setup-files.ts` removes all of a test file's when it has
 * ended. Test files may share a process, so nothing here is done once a module.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let root: string | undefined;

/** A fresh, empty folder. */
export function freshFolder(): string {
  root ??= mkdtempSync(join(tmpdir(), 'checkpoint-wal-test-'));
  return mkdtempSync(join(root, 'folder-'));
}

/** Removes all folders that were made since the last time. */
export function removeFolders(): void {
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
  root = undefined;
}
