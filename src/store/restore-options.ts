/**
 * The failure detector's options: their defaults and their checks. What they mean:
 * `docs/failure-detection.md`.
 */
import type { DetectorSettings, HealthPolicy, RestoreMode } from '../format/health-format.js';
import { FAILURES_MAX } from '../machines/failure-memory.js';

/** When failures are one too many, and what follows. */
export interface RestoreOptions {
  /**
   * - `automatic` (default): the newest earlier checkpoint that verifies is restored
   * - `manual`: the store says what it would restore, and a person decides
   * - `off`: failures are counted and nothing else
   */
  readonly mode?: RestoreMode | undefined;
  /** How many failures are one too many, 1 to 100; 3 by default. */
  readonly threshold?: number | undefined;
  /** Failures older than this many milliseconds do not count; ten minutes by default. */
  readonly windowMs?: number | undefined;
  /** After so many milliseconds without a failure, all is well again; one minute by default. */
  readonly healthyAfterMs?: number | undefined;
  /** How many automatic restores are made before the detector stops, 0 to 100; 3 by default. */
  readonly maxRestores?: number | undefined;
  /**
   * Whether a run that ends without `close()` counts as a failure; true by default. `false` is for
   * tools that open the orchestrator's store beside it.
   */
  readonly countCrashes?: boolean | undefined;
  /** Whether an automatic restore may bring back a checkpoint whose artifacts are not all intact. */
  readonly allowMissingArtifacts?: boolean | undefined;
}

/** The rules where none are given. */
export const DEFAULT_POLICY: HealthPolicy = {
  mode: 'automatic',
  threshold: 3,
  windowMs: 600_000,
  maxRestores: 3,
};

const MODES: readonly unknown[] = ['automatic', 'manual', 'off'];
const KEYS = new Set([
  'mode',
  'threshold',
  'windowMs',
  'healthyAfterMs',
  'maxRestores',
  'countCrashes',
  'allowMissingArtifacts',
]);
const RESTORES_MAX = 100;
/** Timers can't be set further ahead than this; node fires them at once instead. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * The settings of a store's failure detector; `undefined` where there is to be none.
 * @throws TypeError that names the option that can't be meant, and what it may be
 */
export function detectorSettings(
  restore: RestoreOptions | false | undefined,
  heartbeatMs: number | undefined,
): DetectorSettings | undefined {
  if (heartbeatMs !== undefined) checkInteger('heartbeatMs', heartbeatMs, 1, TIMER_MAX_MS);
  if (restore === false) {
    if (heartbeatMs === undefined) return undefined;
    throw new TypeError('heartbeatMs needs the failure detector: leave out restore: false');
  }
  if (restore !== undefined && (typeof restore !== 'object' || restore === null)) {
    throw new TypeError('restore is an object of options, or false');
  }
  const options = restore ?? {};
  for (const key of Object.keys(options)) {
    if (!KEYS.has(key)) {
      throw new TypeError(`restore.${key} is no option; there are ${[...KEYS].join(', ')}`);
    }
  }
  const {
    mode = DEFAULT_POLICY.mode,
    threshold = DEFAULT_POLICY.threshold,
    windowMs = DEFAULT_POLICY.windowMs,
    healthyAfterMs = 60_000,
    maxRestores = DEFAULT_POLICY.maxRestores,
    countCrashes = true,
    allowMissingArtifacts = false,
  } = options;
  if (!MODES.includes(mode)) {
    throw new TypeError(`restore.mode is 'automatic', 'manual' or 'off', not ${show(mode)}`);
  }
  checkInteger('restore.threshold', threshold, 1, FAILURES_MAX);
  if (!(typeof windowMs === 'number' && windowMs > 0)) {
    throw new TypeError(`restore.windowMs is a number above 0, not ${show(windowMs)}`);
  }
  checkInteger('restore.healthyAfterMs', healthyAfterMs, 1, TIMER_MAX_MS);
  checkInteger('restore.maxRestores', maxRestores, 0, RESTORES_MAX);
  for (const [name, value] of Object.entries({ countCrashes, allowMissingArtifacts })) {
    if (typeof value !== 'boolean') throw new TypeError(`restore.${name} is true or false`);
  }
  return {
    mode,
    threshold,
    windowMs,
    healthyAfterMs,
    maxRestores,
    countCrashes,
    allowMissingArtifacts,
    ...(heartbeatMs !== undefined && { heartbeatMs }),
  };
}

function checkInteger(name: string, value: unknown, min: number, max: number): void {
  if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) return;
  throw new TypeError(`${name} is an integer from ${min} to ${max}, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
