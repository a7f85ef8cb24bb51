/**
 * Quarantine: where bytes go that recovery or a save can't explain. Nothing is ever removed from it,
 * and a kept file is durable before what it was kept from is replaced.
 */
import type { KeptFile } from './checkpoint-io.js';
import { type Ownership, readAgreed } from './file-content.js';
import {
  ensureOwnDirectory,
  linkOrNot,
  publishNew,
  syncDirectory,
  temporaryFor,
  unlinkIfThere,
} from './files.js';
import type { Steps } from './run.js';
import { ownershipOf, pathsOf, type Session } from './session.js';

/** What of a session quarantine needs. */
export type Keeper = Pick<Session, 'fs' | 'now' | 'random' | 'located' | 'current' | 'observed'>;

import { join, parentOf } from './store-paths.js';

/** Copies bytes into quarantine, durably. */
export function* keepBytes(
  session: Keeper,
  bytes: Uint8Array,
  name: string,
  reason: string,
  ownership: Ownership = ownershipOf(session),
): Steps<KeptFile> {
  const { fs, random } = session;
  const { quarantine } = pathsOf(session);
  yield* ensureOwnDirectory(fs, quarantine);
  const file = freeName(session, name, reason);
  const path = join(quarantine, file);
  yield* publishNew(fs, path, bytes, ownership, temporaryFor(path, random));
  return { file: `quarantine/${file}`, reason };
}

/**
 * Moves a file of the store into quarantine. Its new name is durable before its old one is removed,
 * so that no order in which a disk may write directories can lose both.
 */
export function* keepFile(
  session: Keeper,
  path: string,
  name: string,
  reason: string,
): Steps<KeptFile> {
  const { fs } = session;
  const { quarantine } = pathsOf(session);
  yield* ensureOwnDirectory(fs, quarantine);
  const file = freeName(session, name, reason);
  const kept = join(quarantine, file);
  if (linkOrNot(fs, path, kept)) yield* syncDirectory(fs, quarantine);
  else yield* copyFile(session, path, kept);
  unlinkIfThere(fs, path);
  yield* syncDirectory(fs, parentOf(path));
  return { file: `quarantine/${file}`, reason };
}

/** Where there are no hard links. */
function* copyFile(session: Keeper, path: string, copy: string): Steps<void> {
  const found = readAgreed(session.fs, path, Number.MAX_SAFE_INTEGER);
  if (found === undefined) return;
  const { bytes, ownership } = found;
  yield* publishNew(session.fs, copy, bytes, ownership, temporaryFor(copy, session.random));
}

/** A name not taken yet: when, why, what. */
function freeName({ fs, now, ...session }: Keeper, name: string, reason: string): string {
  const { quarantine } = session.located ?? { quarantine: '' };
  const when = new Date(now()).toISOString().replace(/[-:]/g, '').replace('.', '-');
  const label = reason.replace(/[^A-Za-z0-9-]+/g, '-').slice(0, 60);
  for (let count = 1; ; count += 1) {
    const file = `${when}-${label}${count === 1 ? '' : `-${count}`}-${name.replace(/^\.+/, '')}`;
    if (fs.statLink(join(quarantine, file)) === undefined) return file;
  }
}
