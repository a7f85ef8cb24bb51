/**
 * Tracing through `node:diagnostics_channel`: what a store does and how long it takes, told to whoever
 * subscribes, in any part of the program. Where nobody does, nothing is made and nothing is called.
 * Payloads hold no content of a state or a file; they are documented in `docs/observability.md`.
 */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel';
import type { MaybePromise } from './file-system.js';
import { isPromiseLike } from './run.js';
import type { SyncKind } from './sync-watching-file-system.js';

/** What every payload holds at last. */
export interface TraceOutcome {
  /** It is over. Of what is done at once this is so at `end` already, else from `asyncStart` on. */
  isOver?: true;
  /** What it threw or rejected with, as it is: its message may quote what was read. */
  error?: unknown;
}

/** Payload of `checkpoint-wal:save`: one call of `save`, `saveText`, `set`, `delete` or `update`. */
export interface SaveTrace extends TraceOutcome {
  /** The method that was called. */
  readonly operation: 'save' | 'saveText' | 'set' | 'delete' | 'update';
  /** The store's directory, as it was given. */
  readonly directory: string;
  /** After which step the save is to be acknowledged; at the end, after which it was. */
  durability: 'logged' | 'committed';
  /** At the end: the number of the checkpoint that holds the save. */
  sequence?: number;
  /** At the end: what the round, with all the saves in it, wrote into the log. */
  bytes?: number;
}

/** Payload of `checkpoint-wal:sync`: one fsync of a file or a directory. */
export interface SyncTrace extends TraceOutcome {
  /** What was synced. */
  readonly kind: SyncKind;
  /** Absolute path. */
  readonly file: string;
}

/** Payload of `checkpoint-wal:recover`: from the call that opens a store until it is open or refused. */
export interface RecoverTrace extends TraceOutcome {
  /** The store's directory, as it was given. */
  readonly directory: string;
  /** The rest is there at the end, as far as recovery came. */
  outcome?: 'ready' | 'refused';
  /** Whether nothing was in flight and nothing was wrong. */
  clean?: boolean;
  /** The number that the store goes on from. */
  sequence?: number;
  /** The decisions, by the labels of `docs/recovery.md`, each with what was done. */
  decisions?: readonly { readonly label: string; readonly action: string }[];
}

/** Payload of `checkpoint-wal:restore`: one call of `restore`. */
export interface RestoreTrace extends TraceOutcome {
  /** The store's directory, as it was given. */
  readonly directory: string;
  /** Whether only what would change was asked for. */
  readonly dryRun: boolean;
  /** At the end: the checkpoint that was restored. */
  from?: number;
  /** At the end: the number that it has now. */
  sequence?: number;
}

/** The channels by name, with their payloads. */
export interface CheckpointTraces {
  /** One call that saves, from the call to its answer. */
  readonly 'checkpoint-wal:save': SaveTrace;
  /** One sync of a file or a directory. */
  readonly 'checkpoint-wal:sync': SyncTrace;
  /** Recovery at an open. */
  readonly 'checkpoint-wal:recover': RecoverTrace;
  /** One restore, by call or by the failure detector. */
  readonly 'checkpoint-wal:restore': RestoreTrace;
}

type Channel<Payload extends TraceOutcome> = TracingChannel<unknown, Payload>;

/** One channel for each kind of thing that takes time. */
export const traceChannels = {
  save: tracingChannel('checkpoint-wal:save') as Channel<SaveTrace>,
  sync: tracingChannel('checkpoint-wal:sync') as Channel<SyncTrace>,
  recover: tracingChannel('checkpoint-wal:recover') as Channel<RecoverTrace>,
  restore: tracingChannel('checkpoint-wal:restore') as Channel<RestoreTrace>,
} as const;

/** Whether anybody listens to any of the five events of a channel; node 20 can't be asked for all of them. */
export function isTraced<Payload extends TraceOutcome>(channel: Channel<Payload>): boolean {
  return (
    channel.start.hasSubscribers ||
    channel.end.hasSubscribers ||
    channel.asyncStart.hasSubscribers ||
    channel.asyncEnd.hasSubscribers ||
    channel.error.hasSubscribers
  );
}

/**
 * Does something and tells a channel, in the order that `TracingChannel` gives its events: `start` and
 * `end` around the call, `asyncStart` and `asyncEnd` around the moment at which its promise settles,
 * `error` before those. Something that is done at once has no asynchronous events.
 * @param finish completes the payload when it went well
 */
export function trace<Payload extends TraceOutcome, T>(
  channel: Channel<Payload>,
  payload: Payload,
  act: () => MaybePromise<T>,
  finish: (value: T) => void = () => {},
): MaybePromise<T> {
  return channel.start.runStores(payload, (): MaybePromise<T> => {
    try {
      const result = act();
      if (isPromiseLike(result)) return tellLater(channel, payload, result, finish);
      finish(result);
      payload.isOver = true;
      return result;
    } catch (error) {
      tellError(channel, payload, error);
      throw error;
    } finally {
      channel.end.publish(payload);
    }
  });
}

async function tellLater<Payload extends TraceOutcome, T>(
  channel: Channel<Payload>,
  payload: Payload,
  result: PromiseLike<T>,
  finish: (value: T) => void,
): Promise<T> {
  try {
    const value = await result;
    finish(value);
    payload.isOver = true;
    return value;
  } catch (error) {
    tellError(channel, payload, error);
    throw error;
  } finally {
    channel.asyncStart.publish(payload);
    channel.asyncEnd.publish(payload);
  }
}

function tellError<Payload extends TraceOutcome>(
  channel: Channel<Payload>,
  payload: Payload,
  error: unknown,
): void {
  payload.error = error;
  payload.isOver = true;
  channel.error.publish(payload);
}
