/**
 * From a store's options to its audit: defaults, checks, and the error of a save whose entries are not
 * durable.
 */
import { CheckpointError } from '../errors.js';
import type { FileSystem } from '../io/file-system.js';
import { ownIdentity } from '../io/process-identity.js';
import type { Durability } from '../machines/checkpoint-messages.js';
import { type AuditStatus, AuditTrail } from './audit-trail.js';
import type { CheckpointStoreOptions } from './store-options.js';

const POLICIES = new Set(['round', 'close', 'off']);

/** @throws TypeError for settings that can't be meant */
export function checkAudit({ audit }: Pick<CheckpointStoreOptions, 'audit'>): void {
  if (audit === undefined || audit === false) return;
  if (typeof audit !== 'object' || audit === null || Array.isArray(audit)) {
    throw new TypeError('audit is false, or an object of settings');
  }
  const { sync = 'round', maxBytes = 1, maxFiles = 0, onEntry } = audit;
  if (!POLICIES.has(sync)) throw new TypeError("audit.sync is 'round', 'close' or 'off'");
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new TypeError('audit.maxBytes is an integer from 1');
  }
  if (maxFiles !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(maxFiles) || maxFiles < 0)) {
    throw new TypeError('audit.maxFiles is an integer from 0, or Infinity to keep all');
  }
  if (onEntry !== undefined && typeof onEntry !== 'function') {
    throw new TypeError('audit.onEntry is a function');
  }
}

/** The audit of a store, unless it is to have none. */
export function auditTrailOf(
  { audit, clock, random, includeMessages, io }: CheckpointStoreOptions,
  fs: FileSystem,
  onFailure: (error: CheckpointError) => void,
): AuditTrail | undefined {
  if (audit === false) return undefined;
  // A port of one's own offers no files to write to: then there is an audit for who listens.
  if (io !== undefined && audit?.onEntry === undefined) return undefined;
  const now = () => (clock ?? Date).now();
  const ticks = clock === undefined ? () => performance.now() : now;
  const began = ticks();
  const { pid, host } = ownIdentity();
  const trail = new AuditTrail({
    ...audit,
    fs,
    now,
    random: random ?? ((length) => crypto.getRandomValues(new Uint8Array(length))),
    elapsedUs: () => (ticks() - began) * 1000,
    process: `${pid}@${host}`,
    includeMessages: includeMessages ?? false,
    onFailure,
  });
  if (io !== undefined) trail.openInMemory();
  return trail;
}

/** What was found of the record at open, or keeps it from being written, in words. */
export function warningsOf(audit: AuditStatus | undefined): string[] {
  if (audit === undefined) return [];
  const { setAside, isDamaged, problem } = audit;
  return [
    ...(setAside?.reason === 'damaged'
      ? [`The audit was no audit any more: it is in ${setAside.file}, and a new one was begun.`]
      : []),
    ...(setAside?.reason === 'torn-tail'
      ? [`The end of the audit was torn: ${setAside.bytes} bytes of it are in ${setAside.file}.`]
      : []),
    ...(isDamaged ? ['Entries of the audit are damaged: "audit verify" names them.'] : []),
    ...(problem ? [problem.message] : []),
  ];
}

/** A save that was promised to be audited before it is acknowledged, and is not. */
export function notAudited(
  { message, details, cause }: CheckpointError,
  sequence: number,
  durability: Durability,
): CheckpointError {
  const outcome = durability === 'committed' ? 'published' : 'unknown';
  const what = durability === 'committed' ? 'is published' : 'is logged';
  return new CheckpointError(
    'AUDIT_FAILED',
    `Checkpoint ${sequence} ${what}, but its entries in the audit are not durable. ${message}`,
    { ...details, sequence, outcome },
    { cause },
  );
}
