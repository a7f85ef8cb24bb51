/**
 * The failure detector's memory as values: what each change makes of it, and how many failures count.
 * Pure: the same memory and change always give the same result. Ruled by `docs/failure-detection.md`.
 */
import type {
  BadCheckpoint,
  CountedFailure,
  DetectorSettings,
  FailureSignal,
  HealthMemory,
  HealthPolicy,
} from '../format/health-format.js';
import type { HealthEvidence } from '../io/checkpoint-io.js';

/** Something that changes what is remembered. */
export type HealthChange =
  /** A run begins. If one had begun before and not ended, that one crashed. */
  | { readonly kind: 'opened'; readonly countCrashes: boolean }
  /** A run could not begin: recovery refused the checkpoint. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'failed'; readonly signal: FailureSignal; readonly message: string }
  /** A save went well again. */
  | { readonly kind: 'saved' }
  /** The file is a checkpoint again. */
  | { readonly kind: 'repaired' }
  | { readonly kind: 'healthy' }
  /** A person says that all is forgotten. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'restoreBegun'; readonly to: number }
  | { readonly kind: 'restoreEnded'; readonly restored: boolean }
  /** A restore that somebody asked for: what it brought back is not bad any more. */
  | { readonly kind: 'restoredOnRequest' }
  | { readonly kind: 'stopped'; readonly because: string }
  | { readonly kind: 'closed' };

/** What a change meets: the time, and the checkpoint that is current. */
export type HealthCircumstances = Pick<HealthEvidence, 'nowMs' | 'current'>;

/** Nothing to remember. */
export const HEALTHY: HealthMemory = { failures: [], restores: 0, bad: [] };

/** More failures than this are never told apart; it bounds the file. */
export const FAILURES_MAX = 100;
/** So many bad checkpoints are remembered, the newest. */
const BAD_MAX = 100;
const MESSAGE_LENGTH_MAX = 500;

/** The memory after a change. */
export function changedBy(
  memory: HealthMemory,
  change: HealthChange,
  at: HealthCircumstances,
): HealthMemory {
  switch (change.kind) {
    case 'opened':
      return opened(memory, change.countCrashes, at);
    case 'refused': {
      // Whatever became of the run before, it was not on this checkpoint.
      const { attempt: _, ...rest } = memory;
      return failed(rest, 'invalidCheckpoint', change.message, at);
    }
    case 'failed':
      return failed(memory, change.signal, change.message, at);
    case 'saved':
      return without(memory, 'saveFailed');
    case 'repaired':
      return without(memory, 'invalidCheckpoint');
    case 'healthy': {
      const { restoring: _, stopped: __, ...rest } = memory;
      return { ...rest, failures: [], restores: 0, bad: notCurrent(memory.bad, at) };
    }
    case 'reset':
      return { ...HEALTHY, ...(memory.attempt && { attempt: memory.attempt }) };
    case 'restoreBegun':
      return restoreBegun(memory, change.to, at);
    case 'restoreEnded': {
      const { restoring: _, ...rest } = memory;
      return { ...rest, failures: [] };
    }
    case 'restoredOnRequest':
      return { ...memory, failures: [], bad: notCurrent(memory.bad, at) };
    case 'stopped': {
      const { attempt: _, restoring: __, ...rest } = memory;
      return { ...rest, stopped: { atMs: at.nowMs, because: change.because } };
    }
    case 'closed': {
      const { attempt: _, ...rest } = memory;
      return rest;
    }
  }
}

function opened(
  memory: HealthMemory,
  countCrashes: boolean,
  at: HealthCircumstances,
): HealthMemory {
  // What is no run of the orchestrator leaves to its next run what is noted of the last.
  const noted = countCrashes ? counted(memory, at) : memory;
  const { restoring, ...rest } = noted;
  // Begun and cut off. While the old text is current it has to be done again; else it was done, and
  // the failures that led to it are over.
  if (restoring === undefined || restoring.digest === at.current?.digest) return noted;
  return { ...rest, failures: [] };
}

/** The run before has crashed if it is still noted; the one that begins is noted in its place. */
function counted(memory: HealthMemory, at: HealthCircumstances): HealthMemory {
  const message = 'the program ended without closing the store';
  const crashed = memory.attempt ? failed(memory, 'crashed', message, at) : memory;
  const { attempt: _, ...rest } = crashed;
  if (memory.stopped !== undefined) return rest;
  return { ...rest, attempt: { sequence: at.current?.sequence ?? 0, sinceMs: at.nowMs } };
}

function failed(
  memory: HealthMemory,
  signal: FailureSignal,
  message: string,
  { nowMs, current }: HealthCircumstances,
): HealthMemory {
  const failure: CountedFailure = {
    signal,
    atMs: nowMs,
    sequence: current?.sequence ?? 0,
    ...(current && { digest: current.digest }),
    message: message.slice(0, MESSAGE_LENGTH_MAX),
  };
  return { ...memory, failures: [...memory.failures, failure].slice(-FAILURES_MAX) };
}

/** Counted and marked before it is made, so that a crash in it can't make it again for ever. */
function restoreBegun(memory: HealthMemory, to: number, at: HealthCircumstances): HealthMemory {
  const { current, nowMs } = at;
  const digest = current?.digest;
  const isResumed = memory.restoring !== undefined && memory.restoring.digest === digest;
  if (isResumed) return { ...memory, restoring: { ...memory.restoring, to } };
  const last = memory.failures.at(-1);
  const bad: readonly BadCheckpoint[] =
    current === undefined || digest === undefined
      ? memory.bad
      : [
          ...notCurrent(memory.bad, at),
          {
            sequence: current.sequence,
            digest,
            atMs: nowMs,
            because: last === undefined ? 'unknown' : `${last.signal}: ${last.message}`,
          },
        ].slice(-BAD_MAX);
  const restoring = { ...(digest !== undefined && { digest }), to };
  return { ...memory, restores: memory.restores + 1, bad, restoring };
}

function without(memory: HealthMemory, signal: FailureSignal): HealthMemory {
  const failures = memory.failures.filter((failure) => failure.signal !== signal);
  return failures.length === memory.failures.length ? memory : { ...memory, failures };
}

function notCurrent(
  bad: readonly BadCheckpoint[],
  { current }: HealthCircumstances,
): readonly BadCheckpoint[] {
  return bad.filter(({ digest }) => digest !== current?.digest);
}

/**
 * The failures that count now: within the window, and of the crashes only those on this very text.
 * A program that crashes and gets on, checkpoint by checkpoint, is in no crash loop.
 */
export function counting(
  { failures }: HealthMemory,
  { windowMs }: Pick<DetectorSettings, 'windowMs'>,
  { nowMs, current }: HealthCircumstances,
): CountedFailure[] {
  // A clock that was set back makes failures young, not old: they go on counting.
  const isRecent = ({ atMs }: CountedFailure) => nowMs - atMs <= windowMs;
  const isHere = ({ signal, digest }: CountedFailure) =>
    signal !== 'crashed' || digest === current?.digest;
  return failures.filter((failure) => isRecent(failure) && isHere(failure));
}

/** The rules among the settings, as they are remembered. */
export function policyOf({ mode, threshold, windowMs, maxRestores }: HealthPolicy): HealthPolicy {
  return { mode, threshold, windowMs, maxRestores };
}

/** Whether there is anything in it that the next run has to know. */
export function isWorthKeeping({
  attempt,
  failures,
  restores,
  bad,
  stopped,
}: HealthMemory): boolean {
  const isBlank = failures.length === 0 && restores === 0 && bad.length === 0;
  return attempt !== undefined || stopped !== undefined || !isBlank;
}
