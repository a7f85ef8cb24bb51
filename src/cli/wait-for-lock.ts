/**
 * `--wait SECONDS`, for the commands that take the lock: a store that somebody else has open is tried again
 * until they are through with it. Documented in `docs/cli.md`.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { CheckpointError } from '../errors.js';

const PAUSE_MS = 50;
/** Waiting for longer than this is told. */
const TELL_MS = 1000;
const SECONDS_MAX = 86_400;

/** The value of the option, as commands get it. */
export interface WaitOption {
  /** Seconds. */
  readonly wait?: number | undefined;
}

/** Adds the option to a command that takes the lock. */
export function addWaitOption(command: Command): Command {
  return command.option(
    '--wait <SECONDS>',
    'how long to wait for who has the store open (default: not at all)',
    (text: string) => {
      const seconds = Number(text);
      if (text.trim() !== '' && seconds >= 0 && seconds <= SECONDS_MAX) return seconds;
      throw new InvalidArgumentError(`Give a number of seconds, at most ${SECONDS_MAX}.`);
    },
  );
}

/**
 * Tries until the lock is free or the time is over. After a second `tell` is called, once, with what is
 * waited for.
 * @throws what `open` throws, `LOCKED` only when the time is over; the signal's reason
 */
export async function openWaiting<T>(
  open: () => Promise<T>,
  { wait = 0 }: WaitOption,
  signal: AbortSignal,
  tell: (waitingFor: string) => void,
): Promise<T> {
  const beganMs = performance.now();
  let isTold = false;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const isLocked = error instanceof CheckpointError && error.code === 'LOCKED';
      const waitedMs = performance.now() - beganMs;
      if (!isLocked || waitedMs >= wait * 1000) throw error;
      if (waitedMs >= TELL_MS && !isTold) {
        isTold = true;
        tell(`waiting for ${holderIn(error)}, which has the store open`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    signal.throwIfAborted();
  }
}

function holderIn({ details: { holder } }: CheckpointError): string {
  const isKnown = typeof holder === 'object' && holder !== null && 'pid' in holder;
  return isKnown ? `process ${holder.pid}` : 'another process';
}
