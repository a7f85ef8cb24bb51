/**
 * Numbers of one open store: counted as things happen, in fixed memory, a few additions each. Knows
 * nothing of contents; decides nothing.
 */
import { CheckpointError, type CheckpointErrorCode } from '../errors.js';
import type { CheckpointIo } from '../io/checkpoint-io.js';
import { isPromiseLike } from '../io/run.js';
import type { CheckpointEmitted } from '../machines/checkpoint-messages.js';
import { type Latency, LatencyHistogram } from './latency-histogram.js';

/** Plain numbers since the store was opened; see `docs/observability.md`. */
export interface StoreStats {
  /** Calls that save, by how they ended. */
  readonly saves: {
    /** Calls of `save`, `saveText`, `set`, `delete` and `update`. */
    readonly requested: number;
    readonly acknowledged: number;
    /** Tried, and failed: the disk, a lost lock, a store that has halted. */
    readonly failed: number;
    /** Refused as they were: by the schema, the YAML reader, a policy, a closed store, an abort. */
    readonly rejected: number;
    /** Neither of those yet. */
    readonly waiting: number;
  };
  /** Rounds of the write protocol that were committed, and how many requests each has answered. */
  readonly rounds: {
    readonly committed: number;
    readonly meanSaves: number;
    readonly maxSaves: number;
  };
  /** Bytes that the protocol wrote, recovery included; history is linked, so it costs none. */
  readonly bytes: { readonly log: number; readonly checkpoint: number };
  /** Every fsync of a file or directory. */
  readonly syncs: Latency & { readonly failed: number };
  /** From the call that opened the store until it was open. */
  readonly recoveryMs: number;
  /** Edits made outside of the store that were noticed. */
  readonly outsideEdits: number;
  /** Checkpoints that were restored, by call or automatically. */
  readonly restores: number;
}

/** Codes of saves that were tried; all others refuse one as it is. */
const failures: ReadonlySet<CheckpointErrorCode> = new Set([
  'HALTED',
  'LOCK_LOST',
  'LOG_IN_THE_WAY',
  'NO_SPACE',
  'READ_FAILED',
  'SHORT_WRITE',
  'SYNC_FAILED',
  'WRITE_FAILED',
]);

/** Counts what happens in one store. */
export class StatsCounter {
  /** The newest two rounds: when one is acknowledged, the next may have begun. */
  #written: readonly { readonly sequence: number; bytes: number }[] = [];
  readonly #syncs = new LatencyHistogram();
  readonly #saves = { requested: 0, acknowledged: 0, failed: 0, rejected: 0 };
  readonly #rounds = { committed: 0, saves: 0, maxSaves: 0 };
  readonly #bytes = { log: 0, checkpoint: 0 };
  #failedSyncs = 0;
  #recoveryMs = 0;
  #outsideEdits = 0;
  #restores = 0;

  /** A save was asked for. */
  saveRequested(): void {
    this.#saves.requested += 1;
  }

  /** A save has been acknowledged. */
  saveAcknowledged(): void {
    this.#saves.acknowledged += 1;
  }

  /** A save's promise was rejected. */
  saveRefused(error: unknown): void {
    const isTried = error instanceof CheckpointError && failures.has(error.code);
    this.#saves[isTried ? 'failed' : 'rejected'] += 1;
  }

  /** A sync has ended. */
  synced(ms: number, isFailed: boolean): void {
    this.#syncs.add(ms);
    if (isFailed) this.#failedSyncs += 1;
  }

  /** The store is open. */
  recovered(ms: number): void {
    this.#recoveryMs = ms;
  }

  /** What the root machine tells. */
  take(event: CheckpointEmitted): void {
    switch (event.type) {
      case 'save.committed': {
        const { length } = event.requestIds;
        this.#rounds.committed += 1;
        this.#rounds.saves += length;
        this.#rounds.maxSaves = Math.max(this.#rounds.maxSaves, length);
        return;
      }
      case 'checkpoint.editedOutside':
        this.#outsideEdits += 1;
        return;
      case 'checkpoint.restored':
        this.#restores += 1;
    }
  }

  /** What a recent round has written to the log; `undefined` where that is not known any more. */
  bytesOfRound(sequence: number): number | undefined {
    return this.#written.find((round) => round.sequence === sequence)?.bytes;
  }

  /** The port, with the bytes counted that its operations say they wrote. */
  counting(io: CheckpointIo): CheckpointIo {
    const counted = <Input, Output extends { readonly bytes: number }>(
      operation: (input: Input) => Output | Promise<Output>,
      count: (bytes: number, input: Input) => void,
    ) => {
      return (input: Input): Output | Promise<Output> => {
        const output = operation(input);
        const take = ({ bytes }: Output) => count(bytes, input);
        if (!isPromiseLike(output)) take(output);
        else output.then(take, () => {});
        return output;
      };
    };
    const logged = (bytes: number) => {
      const [newest] = this.#written;
      if (newest !== undefined) newest.bytes += bytes;
      this.#bytes.log += bytes;
    };
    const overrides: Partial<Mutable<CheckpointIo>> = {
      writeIntent: counted(io.writeIntent, (bytes, { sequence }) => {
        this.#written = [{ sequence, bytes: 0 }, ...this.#written.slice(0, 1)];
        logged(bytes);
      }),
      writeData: counted(io.writeData, logged),
      writeCheckpoint: counted(io.writeCheckpoint, (bytes) => {
        this.#bytes.checkpoint += bytes;
      }),
    };
    // Operations are called without their port, so that an heir of it performs as it does.
    return Object.assign(Object.create(io) as CheckpointIo, overrides);
  }

  /** The numbers now. */
  stats(): StoreStats {
    const { requested, acknowledged, failed, rejected } = this.#saves;
    const { committed, saves, maxSaves } = this.#rounds;
    return {
      saves: { ...this.#saves, waiting: requested - acknowledged - failed - rejected },
      rounds: { committed, meanSaves: committed === 0 ? 0 : saves / committed, maxSaves },
      bytes: { ...this.#bytes },
      syncs: { ...this.#syncs.summary(), failed: this.#failedSyncs },
      recoveryMs: this.#recoveryMs,
      outsideEdits: this.#outsideEdits,
      restores: this.#restores,
    };
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
