/**
 * Reading the log for recovery: once where its checksums prove it, again before anything is decided
 * from what is missing or damaged in it. Ruled by `docs/recovery.md`.
 */
import { equalBytes } from '../format/bytes.js';
import type { WalScan } from '../format/wal-scan.js';
import { scanWal } from '../format/wal-scanner.js';
import { readAgreed, readWhole } from './file-content.js';
import { pathsOf, type Session } from './session.js';

/** A log may hold a whole image at its start and at its end; what is larger was not written by us. */
const WAL_FACTOR = 2;
/** What the saves between the two take, with room for zeros: above what any publish policy allows. */
const WAL_SAVES_MAX = 128 * 1024 * 1024;
/** The bytes of the log, `undefined` where there is none. @throws CheckpointError `READ_FAILED`, `TOO_LARGE` */
export function readLog(session: Session): Uint8Array | undefined {
  return readWhole(session.fs, pathsOf(session).wal, largestLog(session))?.bytes;
}

/**
 * Scans the log that was read. Whatever is not whole in it is believed only when a second read says the
 * same.
 * @throws CheckpointError `READ_FAILED`
 */
export function scanAgreed(session: Session): WalScan {
  const { fs, walBytes } = session;
  const { wal, targetName } = pathsOf(session);
  const scan = scanWal(walBytes, { target: targetName });
  const isWhole = scan.kind === 'sealed' && scan.tail.kind === 'clean';
  if (isWhole && scan.findings.length === 0) return scan;
  const bytes = readAgreed(fs, wal, largestLog(session), walBytes && { bytes: walBytes })?.bytes;
  const isSame = bytes !== undefined && walBytes !== undefined && equalBytes(bytes, walBytes);
  if (isSame) return scan;
  session.walBytes = bytes;
  return scanWal(bytes, { target: targetName });
}

function largestLog({ maxBytes }: Session): number {
  return maxBytes * WAL_FACTOR + WAL_SAVES_MAX;
}
