/**
 * Options that don't exist are refused, as a misspelt one would change nothing in silence. Owns the names of
 * all options that stores and saves take; the compiler compares them with the types.
 */
import type { YamlLimits } from '../format/yaml/yaml-text.js';
import type { ArtifactsOptions } from './artifact-source.js';
import type { AuditOptions } from './audit-trail.js';
import type { CheckpointStoreOptions, SaveOptions } from './store-options.js';

type Keys<Options> = Readonly<Record<keyof Options, true>>;

/** Those of one save. */
export const SAVE_KEYS: Keys<SaveOptions> = {
  label: true,
  pinned: true,
  artifacts: true,
  durability: true,
  signal: true,
};

/** Those of each of many stores. */
export const SHARED_KEYS: Keys<Omit<CheckpointStoreOptions, 'directory' | 'io'>> = {
  file: true,
  schema: true,
  externalEdits: true,
  durability: true,
  publish: true,
  syncRetryLimit: true,
  maxCheckpoints: true,
  maxAgeHours: true,
  artifacts: true,
  limits: true,
  fileSystem: true,
  around: true,
  random: true,
  inspect: true,
  includeMessages: true,
  logger: true,
  inspector: true,
  audit: true,
  restore: true,
  heartbeatMs: true,
  clock: true,
};

/** Those of one store. */
export const STORE_KEYS: Keys<CheckpointStoreOptions> = {
  directory: true,
  io: true,
  ...SHARED_KEYS,
};

const AUDIT_KEYS: Keys<AuditOptions> = {
  sync: true,
  maxBytes: true,
  maxFiles: true,
  onEntry: true,
};

const ARTIFACTS_KEYS: Keys<ArtifactsOptions> = { root: true, find: true, onProgress: true };

const LIMITS_KEYS: Keys<YamlLimits> = {
  maxBytes: true,
  maxTokens: true,
  maxTotalTokens: true,
  maxDepth: true,
  maxAliases: true,
  maxAliasValues: true,
};

const IO_KEYS = { sync: true } as const;

const INSPECTOR_KEYS = { port: true, contents: true } as const;

/** For tests and the lab; not told to whoever looks for a name. */
const INTERNAL = new Set(['around', 'random']);

/**
 * Checks the names of a call's options.
 * @throws TypeError that names the one that is unknown, the call, and what may have been meant
 */
export function checkKeys(
  options: object,
  known: Readonly<Record<string, true>>,
  call: string,
): void {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const names = Object.keys(known).filter((name) => !INTERNAL.has(name));
    const nearest = names.find((name) => isNear(key, name));
    const advice = nearest === undefined ? `there are ${names.join(', ')}` : `is it ${nearest}?`;
    throw new TypeError(`${call} takes no option ${key}; ${advice}`);
  }
}

/** The options within a store's options; those of `restore` are checked with their values. */
export function checkInnerKeys(
  { audit, artifacts, limits, inspector, io }: Omit<CheckpointStoreOptions, 'directory'>,
  call: string,
): void {
  const inner = [
    ['audit', audit, AUDIT_KEYS],
    ['artifacts', artifacts, ARTIFACTS_KEYS],
    ['limits', limits, LIMITS_KEYS],
    ['inspector', inspector, INSPECTOR_KEYS],
    ['io', io, IO_KEYS],
  ] as const;
  for (const [name, value, known] of inner) {
    if (typeof value === 'object' && value !== null) checkKeys(value, known, `${name} of ${call}`);
  }
}

/** Another case, one the beginning of the other, or up to two letters wrong. */
function isNear(asked: string, name: string): boolean {
  const [one, other] = [asked.toLowerCase(), name.toLowerCase()];
  const isCut = asked.length >= 3 && (other.startsWith(one) || one.startsWith(other));
  return isCut || distance(one, other) <= Math.min(2, Math.floor(name.length / 3));
}

/** How many letters have to be put in, left out or replaced (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = (row[at] ?? 0) + (letter === to[at] ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
