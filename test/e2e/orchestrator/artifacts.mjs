/**
 * Artifacts on disk, written so that under its name a file is always complete, and durable when the
 * promise resolves.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes the pieces into a temporary file, makes it durable, gives it its name, makes the name durable.
 * The temporary name is always the same: what a crash leaves of it, the next attempt overwrites.
 */
export async function writeDurably(root, path, pieces) {
  const target = join(root, path);
  const temporary = `${target}.tmp`;
  await mkdir(dirname(target), { recursive: true });
  const file = await open(temporary, 'w');
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, target);
  // A name is durable when its folder is synced; and so for the name of that folder, up to the root.
  for (let folder = dirname(target); folder.length >= root.length; folder = dirname(folder)) {
    await syncDirectory(folder);
  }
}

async function syncDirectory(path) {
  const directory = await open(path);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
