/**
 * What an embedded store tells: the answers to {@link CheckpointRequest}s, and news for the machine that
 * embeds it. Types only; `docs/embedding.md` has the table.
 */
import type { CheckpointError } from '../errors.js';
import type { YamlValue } from '../format/yaml/yaml-value.js';
import type { CheckpointRequest } from '../io/io-messages.js';
import type { HealthReport } from '../machines/health-report.js';
import type { RecoveryReport } from '../machines/recovery-report.js';
import type { CheckpointStoreEvent, CheckResult, Frozen } from './store-options.js';

/** What every answer carries: the `id` of the request, if it had one. */
export interface AnswerAddress {
  /** As in the request. */
  readonly id?: string | number;
}

/** What a store tells of an edit made outside. */
export type EditedOutside = Extract<CheckpointStoreEvent, { type: 'editedOutside' }>;

/** Events of an embedded store, for the `types.events` of the machine that embeds it. */
export type CheckpointNotice<State = YamlValue> =
  /** Recovery has ended well; what was asked for meanwhile is taken up now. */
  | {
      readonly type: 'checkpoint.ready';
      /** The recovered state, deeply frozen; `undefined` in a new store. */
      readonly state: Frozen<State> | undefined;
      /** Its text, without the seal. */
      readonly text?: string;
      readonly sequence: number;
      readonly recovery: RecoveryReport;
      /** Absolute path of the checkpoint file. */
      readonly file: string;
      /** What weakens the guarantees here. */
      readonly warnings: readonly string[];
    }
  /** The store could not be opened; the checkpoint actor is done. */
  | {
      readonly type: 'checkpoint.refused';
      readonly error: CheckpointError;
      readonly recovery?: RecoveryReport;
    }
  /** A save that was asked for with durability `logged` is; `checkpoint.committed` follows. */
  | ({ readonly type: 'checkpoint.logged'; readonly sequence: number } & AnswerAddress)
  | ({ readonly type: 'checkpoint.committed'; readonly sequence: number } & AnswerAddress)
  | ({
      readonly type: 'checkpoint.failed';
      readonly error: CheckpointError;
      /** What had been asked for. */
      readonly command: CheckpointRequest['type'];
    } & AnswerAddress)
  /** An earlier checkpoint is the state again, under a number of its own. */
  | ({
      readonly type: 'checkpoint.restored';
      readonly sequence: number;
      readonly from: number;
      readonly cause: 'requested' | 'automatic';
      readonly state: Frozen<State> | undefined;
    } & AnswerAddress)
  | ({ readonly type: 'checkpoint.checked' } & CheckResult & AnswerAddress)
  /** Everything that was saved before it was asked for is in the file. */
  | ({ readonly type: 'checkpoint.flushed'; readonly sequence: number } & AnswerAddress)
  /** How the failure detector came to rest: an answer, or news. */
  | ({ readonly type: 'checkpoint.health'; readonly report: HealthReport } & AnswerAddress)
  | ({ readonly type: 'checkpoint.editedOutside' } & Omit<EditedOutside, 'type'>)
  /** Entries of the audit can't be written; told once until they can again. */
  | { readonly type: 'checkpoint.auditFailed'; readonly error: CheckpointError }
  /** Nothing is saved any more until the store is opened anew. */
  | { readonly type: 'checkpoint.halted'; readonly error: CheckpointError }
  /** The lock is free. `error` says what of the last steps did not go well. */
  | ({ readonly type: 'checkpoint.closed'; readonly error?: CheckpointError } & AnswerAddress);
