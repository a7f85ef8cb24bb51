/**
 * Looking at a real folder: where a path leads, what a file is opened for, what lies in it. Part of the
 * recorder of `node-fs-tracer.ts`; changes nothing.
 */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TracedFiles } from './traced-writer.js';

/** A path with every symbolic link resolved, as far as it exists. */
export function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/** What is at a path; `undefined` if nothing is. */
export function statOf(path: string): fs.Stats | undefined {
  return fs.statSync(path, { throwIfNoEntry: false });
}

/** The flags that `open` takes as words, as bits. */
export function flagBits(flags: string | number): number {
  if (typeof flags === 'number') return flags;
  const { O_RDONLY, O_RDWR, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, O_SYNC } = fs.constants;
  const kind = flags[0] ?? 'r';
  let bits = kind === 'r' ? O_RDONLY : O_CREAT | O_WRONLY;
  if (kind === 'w') bits |= O_TRUNC;
  if (kind === 'a') bits |= O_APPEND;
  if (flags.includes('+')) bits = (bits & ~O_WRONLY) | O_RDWR;
  if (flags.includes('x')) bits |= O_EXCL;
  if (flags.includes('s')) bits |= O_SYNC;
  return bits;
}

/** Everything below a folder, with paths as the lab knows them. */
export function readFiles(root: string): TracedFiles {
  const files: { path: string; content?: Uint8Array }[] = [];
  const visit = (folder: string, prefix: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const [path, absolute] = [`${prefix}/${entry.name}`, join(folder, entry.name)];
      if (entry.isDirectory()) {
        files.push({ path });
        visit(absolute, path);
      } else if (entry.isFile()) {
        files.push({ path, content: Uint8Array.from(fs.readFileSync(absolute)) });
      }
    }
  };
  visit(root, '');
  return files;
}
