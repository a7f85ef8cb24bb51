/**
 * What callers pass to the store, checked before anything is tried. Misuse is a `TypeError`, which says
 * what would be right.
 */
import { fits } from '../format/quoted-text.js';
import { MAX_LABEL_BYTES } from '../format/wal-format.js';
import { parsePath, type YamlPath } from '../format/yaml/yaml-path.js';
import { checkAudit } from './audit-options.js';
import { checkInnerKeys, checkKeys, STORE_KEYS } from './check-keys.js';
import { publishPolicy } from './publish-options.js';
import { detectorSettings } from './restore-options.js';
import type { CheckpointStoreOptions } from './store-options.js';

/** A path as the document takes it. @throws CheckpointError `INVALID_PATH` */
export function toPath(path: string | YamlPath): YamlPath {
  return typeof path === 'string' ? parsePath(path) : [...path];
}

/** @throws TypeError for a label that a seal can't carry, and for a pin without a label */
export function checkLabel(label: unknown, pinned: unknown): void {
  if (pinned !== undefined && typeof pinned !== 'boolean') {
    throw new TypeError('pinned is true or false');
  }
  if (label === undefined) {
    if (pinned) throw new TypeError('a checkpoint that is pinned needs a label');
    return;
  }
  if (typeof label !== 'string' || !fits(label, MAX_LABEL_BYTES)) {
    throw new TypeError(`a label is a string of at most ${MAX_LABEL_BYTES} bytes of UTF-8`);
  }
}

/** @throws TypeError for what is no durability */
export function checkDurability(durability: unknown): void {
  if (durability !== 'logged' && durability !== 'committed') {
    throw new TypeError("durability is 'logged' or 'committed'");
  }
}

/** @throws TypeError for what can't be the number of a checkpoint */
export function checkSequence(sequence: unknown): void {
  if (!Number.isSafeInteger(sequence) || Number(sequence) < 0) {
    throw new TypeError('the number of a checkpoint is an integer from 0');
  }
}

/** @throws TypeError for options that can't be meant; `who` takes them */
export function checkStoreOptions(options: CheckpointStoreOptions, who: string): void {
  if (typeof options?.directory !== 'string' || options.directory === '') {
    throw new TypeError(`${who} needs a directory`);
  }
  checkKeys(options, STORE_KEYS, who);
  checkPolicies(options, who);
}

/** @throws TypeError for policies that can't be meant; `who` takes them */
export function checkPolicies(
  options: Omit<CheckpointStoreOptions, 'directory'>,
  who: string,
): void {
  checkInnerKeys(options, who);
  checkRetention(options);
  checkAudit(options);
  detectorSettings(options.restore, options.heartbeatMs);
  publishPolicy(options.publish);
  checkSyncMode(options);
}

function checkSyncMode({ io, fileSystem }: Omit<CheckpointStoreOptions, 'directory'>): void {
  if (io === undefined || typeof io === 'function') return;
  if (typeof io !== 'object' || !['threadPool', 'blocking', undefined].includes(io?.sync)) {
    throw new TypeError(
      "io is { sync: 'threadPool' | 'blocking' }, or a function that makes a port",
    );
  }
  if (io.sync !== undefined && fileSystem !== undefined) {
    throw new TypeError(
      'io.sync is for the file system of node; fileSystem has its own way to sync',
    );
  }
}

/** Limits under which something is kept. */
function checkRetention({
  maxCheckpoints = Number.POSITIVE_INFINITY,
  maxAgeHours = Number.POSITIVE_INFINITY,
}: {
  readonly maxCheckpoints?: number | undefined;
  readonly maxAgeHours?: number | undefined;
}): void {
  const isCount = Number.isSafeInteger(maxCheckpoints) || maxCheckpoints === Infinity;
  if (!isCount || maxCheckpoints < 1) {
    throw new TypeError('maxCheckpoints is an integer from 1, or Infinity to keep all');
  }
  if (typeof maxAgeHours !== 'number' || !(maxAgeHours > 0)) {
    throw new TypeError('maxAgeHours is a number above 0, or Infinity to keep any age');
  }
}
