/**
 * Artifacts on disk, written so that under its name a file is always complete, and durable when the
 * promise resolves.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes the pieces into a temporary file, makes it durable, gives it its name, makes the name durable.
 * The temporary name is always the same: what a crash leaves of it, the next attempt overwrites.
 */
export async function writeDurably(path, pieces) {
  await makeDirectory(dirname(path));
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** A new directory is durable once its parent is synced; so is each parent that was made with it. */
async function makeDirectory(directory) {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
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
