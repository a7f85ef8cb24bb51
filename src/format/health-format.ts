/**
 * The bytes of `.checkpoint.health`: what the failure detector remembers between runs. One line that
 * proves the rest, then JSON that a person can read. Ruled by `docs/format.md`, "The health file".
 */
import { crc32 } from 'node:zlib';
import { MAX_COUNTER } from './bytes.js';

/** What counts as a failure; see `docs/failure-detection.md`. */
export type FailureSignal =
  /** The program ended without closing the store, while it ran on this checkpoint. */
  | 'crashed'
  /** The checkpoint does not parse, verify or pass the schema. */
  | 'invalidCheckpoint'
  | 'saveFailed'
  | 'heartbeatMissed'
  /** The orchestrator says so itself. */
  | 'reported';

/** One failure, as it is remembered. */
export interface CountedFailure {
  /** What told of it. */
  readonly signal: FailureSignal;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The checkpoint that was current. */
  readonly sequence: number;
  /** SHA-256 of its text in hex; absent where there was none. */
  readonly digest?: string;
  /** What is known of it, in words; a long message is cut off. */
  readonly message: string;
}

/** A checkpoint that the failures led to; no automatic restore goes back to its text. */
export interface BadCheckpoint {
  /** Its sequence number. */
  readonly sequence: number;
  /** SHA-256 of its text, in hexadecimal: the same bytes are bad under another number too. */
  readonly digest: string;
  /** When it was marked, milliseconds since 1970. */
  readonly atMs: number;
  /** The failure that was one too many, in words. */
  readonly because: string;
}

/** Whether failures restore an earlier checkpoint, are only told, or only counted. */
export type RestoreMode = 'automatic' | 'manual' | 'off';

/** The rules by which failures are counted. */
export interface HealthPolicy {
  /** Whether the threshold restores, only tells, or does nothing. */
  readonly mode: RestoreMode;
  /** How many failures are one too many. */
  readonly threshold: number;
  /** Failures older than this many milliseconds do not count. */
  readonly windowMs: number;
  /** How many automatic restores are made before the detector stops. */
  readonly maxRestores: number;
}

/** The failure detector's settings. */
export interface DetectorSettings extends HealthPolicy {
  /** After this many milliseconds without a failure the store counts as healthy. */
  readonly healthyAfterMs: number;
  /** Whether a run that ends without closing the store counts as a failure. */
  readonly countCrashes: boolean;
  /** A heartbeat is expected at least this often; none is if absent. */
  readonly heartbeatMs?: number | undefined;
  /** Whether an automatic restore may bring back a checkpoint whose artifacts are not all intact. */
  readonly allowMissingArtifacts: boolean;
}

/** What the failure detector remembers between runs. */
export interface HealthMemory {
  /** A run that has begun and not ended: if the next run finds it, this one crashed. */
  readonly attempt?: { readonly sequence: number; readonly sinceMs: number };
  /** Oldest first. */
  readonly failures: readonly CountedFailure[];
  /** Automatic restores since the store was last healthy. */
  readonly restores: number;
  /** Checkpoints that are not restored again, oldest first. */
  readonly bad: readonly BadCheckpoint[];
  /** An automatic restore that was begun: from the text of this digest to that checkpoint. */
  readonly restoring?: { readonly digest?: string; readonly to: number };
  /** The rules that the failures were counted by, for who looks at the store from outside. */
  readonly policy?: HealthPolicy;
  /** No further automatic restore is made until a person says so. */
  readonly stopped?: { readonly atMs: number; readonly because: string };
}

/** More than this was not written by us. */
export const MAX_HEALTH_BYTES = 1_000_000;

/** A memory, or why the bytes are none. */
export type HealthReading =
  | { readonly kind: 'memory'; readonly memory: HealthMemory }
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'unsupportedVersion'; readonly version: number };

const HEADER = /^checkpoint-wal health v([1-9]\d{0,8}) crc=([0-9a-f]{8})$/;
const SIGNALS = new Set([
  'crashed',
  'invalidCheckpoint',
  'saveFailed',
  'heartbeatMissed',
  'reported',
]);

/** The bytes of a memory. */
export function encodeHealth(memory: HealthMemory): Uint8Array {
  const body = `${JSON.stringify(memory, null, 2)}\n`;
  return new TextEncoder().encode(`checkpoint-wal health v1 crc=${crcHex(1, body)}\n${body}`);
}

/** Reads what {@link encodeHealth} wrote. Never throws; anything else is damage. */
export function decodeHealth(bytes: Uint8Array): HealthReading {
  if (bytes.length > MAX_HEALTH_BYTES) return damaged(`it has ${bytes.length} bytes`);
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf('\n');
  const header = HEADER.exec(text.slice(0, Math.max(0, end)));
  if (header === null) return damaged('its first line is not that of a health file');
  const version = Number(header[1]);
  const body = text.slice(end + 1);
  // The checksum covers the version, so that a flipped bit is never taken for a later version.
  if (crcHex(version, body) !== header[2]) return damaged('its checksum does not match');
  if (version !== 1) return { kind: 'unsupportedVersion', version };
  try {
    const value: unknown = JSON.parse(body);
    return isMemory(value)
      ? { kind: 'memory', memory: value }
      : damaged('a field is not as it must be');
  } catch {
    return damaged('it is not JSON');
  }
}

function damaged(reason: string): HealthReading {
  return { kind: 'damaged', reason };
}

function crcHex(version: number, body: string): string {
  const checked = new TextEncoder().encode(`${version}\n${body}`);
  return crc32(checked).toString(16).padStart(8, '0');
}

function isMemory(value: unknown): value is HealthMemory {
  if (!isRecord(value)) return false;
  const { attempt, failures, restores, bad, restoring, policy, stopped } = value;
  return (
    isListOf(failures, isFailure) &&
    isListOf(bad, isBad) &&
    isCount(restores) &&
    (attempt === undefined ||
      (isRecord(attempt) && isCount(attempt.sequence) && isTime(attempt.sinceMs))) &&
    (restoring === undefined ||
      (isRecord(restoring) && isCount(restoring.to) && isOptionalText(restoring.digest))) &&
    (policy === undefined || isPolicy(policy)) &&
    (stopped === undefined ||
      (isRecord(stopped) && isTime(stopped.atMs) && typeof stopped.because === 'string'))
  );
}

const MODES = new Set(['automatic', 'manual', 'off']);

function isPolicy(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { mode, threshold, windowMs, maxRestores } = value;
  const isMode = typeof mode === 'string' && MODES.has(mode);
  return isMode && isCount(threshold) && isCount(maxRestores) && isTime(windowMs);
}

function isFailure(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { signal, atMs, sequence, digest, message } = value;
  const isKnown = typeof signal === 'string' && SIGNALS.has(signal);
  const isPlaced = isTime(atMs) && isCount(sequence) && isOptionalText(digest);
  return isKnown && isPlaced && typeof message === 'string';
}

function isBad(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { sequence, digest, atMs, because } = value;
  return (
    isCount(sequence) && typeof digest === 'string' && isTime(atMs) && typeof because === 'string'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_COUNTER;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
