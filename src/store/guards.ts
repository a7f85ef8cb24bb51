/**
 * What stands between a store and code that is not its own: loggers and inspectors that throw must not
 * stop a save half-way. And a promise that is settled from outside.
 */
import { type InspectionEvent, toObserver } from 'xstate';
import { loggable } from './log-events.js';
import { createRedaction } from './redact-inspection.js';
import type { CheckpointLogger, CheckpointStoreOptions, StoreClock } from './store-options.js';

/** A promise and what settles it. */
export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A promise to be settled from outside. */
export function deferred(): Deferred {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}

/** A logger that throws must not stop a store half-way: what it throws is dropped. */
export function quietLogger(logger: CheckpointLogger | undefined): CheckpointLogger | undefined {
  if (logger === undefined) return undefined;
  const quiet =
    (level: keyof CheckpointLogger) =>
    (facts: object, message: string): void => {
      try {
        logger[level](facts, message);
      } catch {
        // There is nobody left to tell.
      }
    };
  return {
    debug: quiet('debug'),
    info: quiet('info'),
    warn: quiet('warn'),
    error: quiet('error'),
  };
}

const trusted = new WeakSet<(event: InspectionEvent) => void>();

/** Marks an inspector of this package that keeps no content: it sees the events themselves, which costs less. */
export function seesAll<T extends (event: InspectionEvent) => void>(inspect: T): T {
  trusted.add(inspect);
  return inspect;
}

/**
 * What is handed to the user's inspector: without what may quote a state, unless that is asked for. An
 * inspector that throws would wedge the machine's mailbox: its errors are logged instead.
 */
function guardInspector({ inspect, logger, includeMessages }: CheckpointStoreOptions) {
  const observer = toObserver(inspect ?? (() => {}));
  const isTrusted = typeof inspect === 'function' && trusted.has(inspect);
  const redact = isTrusted
    ? (event: InspectionEvent) => event
    : createRedaction({ includeMessages: includeMessages ?? false });
  return (event: InspectionEvent) => {
    try {
      observer.next?.(redact(event));
    } catch (error) {
      logger?.error({ error: loggable(error) }, 'the inspector threw');
    }
  };
}

/** What inspects a root actor: the user's inspector, the audit, both, or nothing. */
export function inspectorOf(
  options: CheckpointStoreOptions,
  audit: { readonly inspect: (event: InspectionEvent) => void } | undefined,
): ((event: InspectionEvent) => void) | undefined {
  const { inspect } = options;
  if (inspect === undefined) return audit?.inspect;
  const guarded = guardInspector(options);
  if (audit === undefined) return guarded;
  return (event) => {
    audit.inspect(event);
    guarded(event);
  };
}

/** Timers for the machines: the user's own, or ones that keep no process alive unless asked to. */
export function timersOf(clock: StoreClock | undefined, options: { keepAlive?: boolean } = {}) {
  const { setTimeout: set, clearTimeout: clear } = clock ?? {};
  if (clock !== undefined && set !== undefined && clear !== undefined) {
    return { setTimeout: set.bind(clock), clearTimeout: clear.bind(clock) };
  }
  return {
    setTimeout: (action: (...parameters: unknown[]) => void, afterMs: number) => {
      const timer = setTimeout(action, afterMs);
      return options.keepAlive === true ? timer : timer.unref();
    },
    clearTimeout: (id: ReturnType<typeof setTimeout>) => clearTimeout(id),
  };
}
