/**
 * The audit on disk: `audit.jsonl`, which is appended to, and its earlier files in `audit/`, each named
 * after the number of its first entry. Ruled by `docs/audit.md`.
 *
 * Invariants:
 * - lines are only appended, at a position that is known; what a failed write left there is overwritten;
 * - what a crash left after the last line that stands is copied to quarantine, durably, before it
 *   is cut off;
 * - a descriptor whose sync failed is never synced again: the lines since the last good sync go into
 *   a fresh file.
 *
 * Assumes that the store's lock is held from the first call to the last.
 */
import { CheckpointError } from '../errors.js';
import { type AuditHead, EMPTY_HEAD } from '../format/audit-entry.js';
import { firstNumber } from '../format/audit-lines.js';
import { sha256Hex } from '../format/bytes.js';
import {
  isNoAudit,
  isSameFile,
  nameFor,
  numberIn,
  readAuditTail,
  TAIL_BYTES,
} from './audit-tail.js';
import { closeQuietly, writeAll } from './file-content.js';
import type { FileHandle } from './file-system.js';
import {
  createFile,
  ensureOwnDirectory,
  linkOrNot,
  syncDirectory,
  syncFile,
  unlinkIfThere,
} from './files.js';
import { isMissing, writeError } from './io-error.js';
import { type Keeper, keepBytes, keepFile } from './quarantine-files.js';
import type { Steps } from './run.js';
import { ownershipOf, pathsOf } from './session.js';
import { AUDIT_NAME, join } from './store-paths.js';

/** How often lines are brought to a fresh file before a failing sync is told. */
const SYNC_ATTEMPTS = 2;

/** What was found when the audit was opened. */
export interface AuditOpening {
  readonly head: AuditHead;
  /** Lines near the end that were durable are damaged: no crash does that. They were left as they are. */
  readonly isDamaged?: true;
  /** What was there and is none of the chain, and where it was put. */
  readonly setAside?: {
    readonly file: string;
    readonly bytes: number;
    readonly sha256?: string;
    /** `torn-tail`: the end of a file, as a crash leaves it. `damaged`: a file without one good line near its end. */
    readonly reason: 'torn-tail' | 'damaged';
  };
}

/** A file that retention is about to remove. */
export interface AuditVictim {
  /** Relative to the store's directory. */
  readonly file: string;
  readonly bytes: number;
  /** Number and hash of its last entry; absent where that can't be read. */
  readonly through?: number;
  readonly hash?: string;
}

/** The files of one store's audit. */
export class AuditFile {
  readonly #keeper: Keeper;
  readonly #isSynced: boolean;
  #handle: FileHandle | undefined;
  /** The number of the first entry in the file that is written to. */
  #first = 1;
  /** Bytes that were written, and of them those that were synced. */
  #size = 0;
  #durable = 0;
  /** Whether the name of the file is not durable yet. */
  #isNew = false;
  /** Lines that a failure kept from being written, oldest first; and those that were not synced yet. */
  #unwritten: Uint8Array[] = [];
  #volatile: Uint8Array[] = [];
  /** Whether the file under the audit's name is one that is not written to any more. */
  #isLeftBehind = false;

  /** `isSynced`: whether anything is ever synced. */
  constructor(keeper: Keeper, isSynced: boolean) {
    this.#keeper = keeper;
    this.#isSynced = isSynced;
  }

  /** Bytes in the file that is written to. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of lines that a failure has kept from the file so far. */
  get unwrittenBytes(): number {
    return this.#unwritten.reduce((sum, { length }) => sum + length, 0);
  }

  /** Finds the end of the chain. @throws CheckpointError codes of I/O errors, `PATH_OUTSIDE_STORE` */
  *open(): Steps<AuditOpening> {
    const { fs } = this.#keeper;
    const { audit } = pathsOf(this.#keeper);
    const found = fs.statLink(audit);
    if (found === undefined) return this.#begin(this.#headOfEarlier());
    if (found.kind !== 'file') throw inTheWay(audit, found.kind);
    const newest = this.#numbers().at(-1);
    if (newest !== undefined && isSameFile(fs, audit, this.#pathFor(newest))) {
      // A crash between the two steps of putting a full file away: its second name goes.
      unlinkIfThere(fs, audit);
      return this.#begin(this.#headOfEarlier());
    }
    return yield* this.#goOn();
  }

  *#goOn(): Steps<AuditOpening> {
    const { fs } = this.#keeper;
    const { audit } = pathsOf(this.#keeper);
    const found = this.#tailOf(audit);
    if (found === undefined) return this.#begin(this.#headOfEarlier());
    const { tail, bytes, size } = found;
    if (isNoAudit(found)) {
      const { file } = yield* keepFile(this.#keeper, audit, AUDIT_NAME, 'audit-damaged');
      const setAside = { file, bytes: size, reason: 'damaged' as const };
      return { ...this.#begin(this.#headOfEarlier()), setAside };
    }
    const rest = bytes.subarray(tail.end);
    const good = size - rest.length;
    const handle = fs.open(audit, 'readWrite');
    this.#handle = handle;
    this.#first =
      good === 0
        ? this.#headOfEarlier().number + 1
        : (this.#firstOf(audit) ?? tail.last?.number ?? 1);
    this.#size = good;
    this.#durable = good;
    const opening = {
      head: tail.last ?? this.#headOfEarlier(),
      ...(tail.isDamaged && { isDamaged: true as const }),
    };
    if (rest.length === 0) return opening;
    const { file } = yield* keepBytes(this.#keeper, rest, AUDIT_NAME, 'audit-torn-tail');
    handle.truncate(good);
    if (this.#isSynced) yield* syncFile(handle, audit);
    const sha256 = sha256Hex(rest);
    return { ...opening, setAside: { file, bytes: rest.length, sha256, reason: 'torn-tail' } };
  }

  #tailOf(path: string) {
    return readAuditTail(this.#keeper.fs, path, this.#isSynced);
  }

  #begin(head: AuditHead): AuditOpening {
    this.#handle = undefined;
    this.#first = head.number + 1;
    this.#size = 0;
    this.#durable = 0;
    return { head };
  }

  /** Appends lines, in one call where the system takes them so; syncs nothing. What fails is tried again. */
  *append(lines: Uint8Array): Steps<void> {
    this.#unwritten.push(lines);
    yield* this.#writeOut();
  }

  *#writeOut(): Steps<void> {
    const { audit } = pathsOf(this.#keeper);
    for (let lines = this.#unwritten[0]; lines !== undefined; lines = this.#unwritten[0]) {
      if (this.#handle === undefined && this.#isLeftBehind) yield* this.#putAway();
      this.#handle ??= this.#create();
      writeAll(this.#handle, lines, this.#size, audit);
      this.#size += lines.length;
      this.#unwritten.shift();
      if (this.#isSynced) this.#volatile.push(lines);
    }
  }

  /** Makes all that was appended before durable. */
  *sync(): Steps<void> {
    for (let attempt = 1; ; attempt += 1) {
      yield* this.#writeOut();
      const handle = this.#handle;
      if (handle === undefined || this.#durable === this.#size) return;
      try {
        yield* this.#syncHandle(handle);
        return;
      } catch (error) {
        // What is not known to be durable goes into a file of its own, now or with the next sync.
        this.#abandon(handle);
        if (attempt === SYNC_ATTEMPTS) throw error;
      }
    }
  }

  *#syncHandle(handle: FileHandle): Steps<void> {
    const { audit, directory } = pathsOf(this.#keeper);
    const { length } = this.#volatile;
    const size = this.#size;
    yield* syncFile(handle, audit);
    if (this.#isNew) yield* syncDirectory(this.#keeper.fs, directory);
    this.#isNew = false;
    this.#durable = size;
    this.#volatile.splice(0, length);
  }

  /** After a failed sync: the file is used no more, and keeps what was durable in it. */
  #abandon(failed: FileHandle): void {
    try {
      failed.truncate(this.#durable);
    } catch {
      // Then lines stand in both files, and verifying says so.
    }
    closeQuietly(failed);
    this.#unwritten = [...this.#volatile, ...this.#unwritten];
    this.#volatile = [];
    this.#handle = undefined;
    this.#isLeftBehind = true;
  }

  /** Gives the file that is written to its name among the earlier ones; the next line begins a new one. */
  *rotate(next: number): Steps<{ readonly file: string; readonly bytes: number } | undefined> {
    if (this.#handle === undefined || this.#size === 0) return undefined;
    const bytes = this.#size;
    const file = `audit/${nameFor(this.#first)}`;
    closeQuietly(this.#handle);
    this.#handle = undefined;
    this.#isLeftBehind = true;
    yield* this.#putAway(next);
    return { file, bytes };
  }

  *#putAway(next = firstNumberIn(this.#unwritten) ?? this.#first): Steps<void> {
    const { fs } = this.#keeper;
    const { audit, auditFiles, directory } = pathsOf(this.#keeper);
    if (this.#durable === 0 && next === this.#first) {
      // Not one line of it was durable, and all are written again.
      unlinkIfThere(fs, audit);
      this.#isLeftBehind = false;
      this.#begin({ ...EMPTY_HEAD, number: next - 1 });
      return;
    }
    yield* ensureOwnDirectory(fs, auditFiles);
    const path = this.#freePath();
    // Both names for a while: no order in which a disk may write directories can lose the file.
    if (isSameFile(fs, audit, path) || linkOrNot(fs, audit, path)) {
      if (this.#isSynced) yield* syncDirectory(fs, auditFiles);
      unlinkIfThere(fs, audit);
    } else {
      try {
        fs.rename(audit, path);
      } catch (error) {
        throw writeError(error, path, 'naming');
      }
      if (this.#isSynced) yield* syncDirectory(fs, auditFiles);
    }
    if (this.#isSynced) yield* syncDirectory(fs, directory);
    this.#isLeftBehind = false;
    this.#begin({ ...EMPTY_HEAD, number: next - 1 });
  }

  #pathFor(number: number): string {
    return join(pathsOf(this.#keeper).auditFiles, nameFor(number));
  }

  /** Its own name; where that is taken by another file, the next that keeps the order. */
  #freePath(): string {
    const { fs } = this.#keeper;
    const { audit } = pathsOf(this.#keeper);
    for (let number = this.#first; ; number += 1) {
      const path = this.#pathFor(number);
      if (fs.statLink(path) === undefined || isSameFile(fs, audit, path)) return path;
    }
  }

  /**
   * Whether the file under the audit's name is still the one that is written to, and all of it. Where it
   * is gone, or was cut, what comes next goes into a file of its own. `next`: the number of the next line.
   * @throws CheckpointError where another file has taken its name: that one is not touched
   */
  *check(next: number): Steps<'gone' | 'cut' | undefined> {
    const { fs } = this.#keeper;
    const { audit } = pathsOf(this.#keeper);
    if (this.#handle === undefined) return undefined;
    const named = fs.statLink(audit);
    const own = this.#handle.stat();
    if (named === undefined) {
      closeQuietly(this.#handle);
      this.#begin({ ...EMPTY_HEAD, number: next - 1 });
      return 'gone';
    }
    if (named.inode !== own.inode || named.device !== own.device)
      throw inTheWay(audit, 'another file');
    if (named.size >= this.#size) return undefined;
    closeQuietly(this.#handle);
    this.#handle = undefined;
    this.#durable = Math.max(1, named.size);
    this.#isLeftBehind = true;
    yield* this.#putAway(next);
    return 'cut';
  }

  /** The oldest of the earlier files, where there are more than `maxFiles`. */
  victims(maxFiles: number): AuditVictim[] {
    const { fs } = this.#keeper;
    // What is no file was not put there by us.
    const numbers = this.#numbers().filter(
      (number) => fs.statLink(this.#pathFor(number))?.kind === 'file',
    );
    return numbers.slice(0, Math.max(0, numbers.length - maxFiles)).map((number) => {
      const path = this.#pathFor(number);
      const found = this.#tailOf(path);
      const last = found?.tail.last;
      return {
        file: `audit/${nameFor(number)}`,
        bytes: found?.size ?? 0,
        ...(last && { through: last.number, hash: last.hash }),
      };
    });
  }

  /** Removes a file for good: its victim's entry must be durable before. */
  remove({ file }: AuditVictim): void {
    unlinkIfThere(this.#keeper.fs, join(pathsOf(this.#keeper).directory, file));
  }

  close(): void {
    closeQuietly(this.#handle);
    this.#handle = undefined;
  }

  #create(): FileHandle {
    const { fs } = this.#keeper;
    const { audit, target } = pathsOf(this.#keeper);
    const stat = fs.stat(target);
    const ownership =
      stat === undefined
        ? ownershipOf(this.#keeper)
        : { mode: stat.mode, owner: { uid: stat.uid, gid: stat.gid } };
    this.#isNew = true;
    return createFile(fs, audit, ownership);
  }

  #firstOf(path: string): number | undefined {
    let handle: FileHandle | undefined;
    try {
      handle = this.#keeper.fs.open(path, 'read');
      const bytes = new Uint8Array(TAIL_BYTES);
      return firstNumber(bytes.subarray(0, handle.read(bytes, 0)));
    } finally {
      closeQuietly(handle);
    }
  }

  #headOfEarlier(): AuditHead {
    // The newest that has an entry: an empty or unreadable one tells nothing.
    for (const number of this.#numbers().reverse()) {
      const path = this.#pathFor(number);
      if (this.#keeper.fs.statLink(path)?.kind !== 'file') continue;
      const last = this.#tailOf(path)?.tail.last;
      if (last !== undefined) return last;
    }
    return EMPTY_HEAD;
  }

  /** The numbers that earlier files are named after, ascending. */
  #numbers(): number[] {
    const { fs } = this.#keeper;
    try {
      return fs.list(pathsOf(this.#keeper).auditFiles).flatMap(numberIn);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

function firstNumberIn([lines]: readonly Uint8Array[]): number | undefined {
  return lines && firstNumber(lines);
}

function inTheWay(path: string, kind: string): CheckpointError {
  return new CheckpointError(
    'PATH_OUTSIDE_STORE',
    `${path} is ${kind === 'another file' ? kind : `a ${kind}`}, not the store's own: put it away, or open the store with audit: false.`,
    { file: path },
  );
}
