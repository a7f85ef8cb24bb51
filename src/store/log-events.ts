/**
 * What a store tells its logger: an object of facts as plain JSON, which every logger can print, and a
 * message. Errors are facts with a code and a message, under `error`.
 */
import { CheckpointError } from '../errors.js';
import type { CheckpointEmitted } from '../machines/checkpoint-messages.js';
import type { CheckpointLogger } from './store-options.js';

/** Logs what the root machine tells, as far as a person may want to know it. */
export function logEvent(logger: CheckpointLogger | undefined, event: CheckpointEmitted): void {
  if (logger === undefined) return;
  switch (event.type) {
    case 'checkpoint.ready':
      logRecovery(logger, event);
      return;
    case 'save.failed':
      logger.warn({ error: loggable(event.error) }, 'a save failed');
      return;
    case 'checkpoint.editedOutside':
      logger.warn({ ...event }, 'the checkpoint was edited outside');
      return;
    case 'checkpoint.restored': {
      const { type: _, ...facts } = event;
      logger.warn(facts, 'an earlier checkpoint was restored');
      return;
    }
    case 'health.answered': {
      const { report } = event;
      if (report.state !== 'healthy') logger.warn({ report }, `the store is ${report.state}`);
      return;
    }
    case 'health.failed':
      logger.error({ error: loggable(event.error) }, 'a failure was not counted');
      return;
    case 'checkpoint.halted':
      logger.error({ error: loggable(event.error) }, 'the store halted');
      return;
    case 'checkpoint.closed':
      if (event.error) logger.warn({ error: loggable(event.error) }, 'closing was not clean');
  }
}

function logRecovery(
  logger: CheckpointLogger,
  { recovery, sequence, lock }: Extract<CheckpointEmitted, { type: 'checkpoint.ready' }>,
): void {
  for (const warning of lock.warnings) logger.warn({ file: lock.target }, warning);
  const message = recovery.clean ? 'the store is open' : 'the store was recovered';
  logger.info({ sequence, decisions: recovery.decisions, lost: recovery.lost }, message);
}

/** Anything that was thrown, as plain data: JSON leaves out what an `Error` says. */
export function loggable(error: unknown): Record<string, unknown> {
  if (error instanceof CheckpointError) return error.toJSON();
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack } = error;
  const code = 'code' in error && { code: error.code };
  return { name, ...code, message, stack };
}
