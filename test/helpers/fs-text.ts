/**
 * Short words for tests that need a file to be there or its text: over any `FileSystem`, with nothing
 * but its own operations.
 */

import type { FileSystem } from '../../src/io/file-system.js';

/** Creates `path` with this text; fails if something is there. */
export function writeText(fs: FileSystem, path: string, text: string, mode = 0o644): void {
  const handle = fs.open(path, 'create', mode);
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) written += handle.write(bytes.subarray(written), written);
  handle.close();
}

/** The whole text of a file. */
export function readText(fs: FileSystem, path: string): string {
  const handle = fs.open(path, 'read');
  const bytes = new Uint8Array(handle.size());
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read) {
    read = handle.read(bytes.subarray(length), length);
  }
  handle.close();
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** The `code` of what `act` throws, `'ok'` if it returns. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    return typeof code === 'string' ? code : String(error);
  }
}
