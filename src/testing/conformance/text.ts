/**
 * Short words for a file's text, on any `FileSystem` and with nothing but its own operations.
 */
import type { FileSystem } from '../../io/file-system.js';

/** UTF-8. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Creates `path` with this text; fails if something is there. */
export function writeText(fs: FileSystem, path: string, text: string, mode = 0o644): void {
  const handle = fs.open(path, 'create', mode);
  const data = bytes(text);
  for (let at = 0; at < data.length; ) at += handle.write(data.subarray(at), at);
  handle.close();
}

/** The whole text of a file. */
export function readText(fs: FileSystem, path: string): string {
  const handle = fs.open(path, 'read');
  const content = new Uint8Array(handle.size());
  let length = 0;
  for (let read = -1; read !== 0 && length < content.length; length += read) {
    read = handle.read(content.subarray(length), length);
  }
  handle.close();
  return new TextDecoder().decode(content.subarray(0, length));
}
