/**
 * When logged saves are published, where they may wait: the policy, and what the root machine makes of it.
 * Pure. Ruled by `docs/protocol.md`, "Publishing later".
 */

/** Saves wait in the log until one of these is reached; see `docs/protocol.md`. */
export interface PublishPolicy {
  /** Milliseconds after the first of them; `Infinity`: no time, not even an idle one, publishes. */
  readonly afterMs: number;
  /** Bytes that the saves behind the first one take in the log. */
  readonly afterBytes: number;
  /** Number of rounds in the log. */
  readonly afterSaves: number;
}

/** What of it is in force where nothing is said. */
export const DEFAULT_PUBLISH: PublishPolicy = {
  afterMs: 1000,
  afterBytes: 8 * 1024 * 1024,
  afterSaves: 1000,
};

/** A log that reaches this is published whatever the policy: recovery reads no endless log. */
export const AFTER_BYTES_MAX = 64 * 1024 * 1024;

/** Milliseconds without a save, twice so many at most, after which the store counts as idle. */
export const IDLE_MS = 100;

/** What waits in the log to be published. */
export interface Resting {
  /** Rounds in the log. */
  readonly saves: number;
  /** Bytes of those behind the first. */
  readonly bytes: number;
  /** The write machine is in `logged`: nothing of a save is under way. */
  readonly isAtRest: boolean;
  /** The time has come. */
  readonly isDue: boolean;
  /** How many rounds there were when idleness was last looked for. */
  readonly savesAtTick: number;
}

/** What of a request decides. */
interface Asked {
  readonly kind: string;
  readonly durability?: string | undefined;
  readonly label?: string | undefined;
}

/** The part of the root machine's context that decides. */
export interface PublishContext {
  readonly publish: PublishPolicy | undefined;
  readonly resting: Resting | undefined;
  readonly round: readonly Asked[];
  readonly waiting: readonly Asked[];
  readonly closeRequested: boolean;
}

/**
 * Whether the round in hand may wait in the log. A save that somebody wants committed may not, nor one
 * with a label: history must have it under that.
 */
export function mayRest({ publish, resting, round, closeRequested }: PublishContext): boolean {
  if (publish === undefined || closeRequested || resting?.isDue) return false;
  if ((resting?.saves ?? 0) + 1 >= publish.afterSaves) return false;
  if ((resting?.bytes ?? 0) >= publish.afterBytes) return false;
  return round.every(
    (request) =>
      request.kind === 'save' && request.durability === 'logged' && request.label === undefined,
  );
}

/** Whether what rests is to be published now: its time has come, or something else waits for that. */
export function mustPublish({ resting, waiting, closeRequested }: PublishContext): boolean {
  if (resting?.isAtRest !== true) return false;
  const [next] = waiting;
  return resting.isDue || (next !== undefined ? next.kind !== 'save' : closeRequested);
}

/** Whether the next round goes behind what rests. */
export function mayAppend({ resting, waiting }: PublishContext): boolean {
  return resting?.isAtRest === true && waiting[0]?.kind === 'save';
}

/** One more round rests. */
export function restingAfter(resting: Resting | undefined, bytes: number): Resting {
  if (resting === undefined) {
    return { saves: 1, bytes: 0, isAtRest: true, isDue: false, savesAtTick: 0 };
  }
  return { ...resting, saves: resting.saves + 1, bytes: resting.bytes + bytes, isAtRest: true };
}
