/**
 * The port that a store runs on: the user's own, or the one on files with the options' defaults; and the
 * audit, which is opened as soon as the lock is held and closed before it is given up.
 */
import type { InspectionEvent } from 'xstate';
import type { CheckpointError } from '../errors.js';
import type { CheckpointIo } from '../io/checkpoint-io.js';
import type { FileLock } from '../io/file-system.js';
import type { IoPolicies } from '../io/io-messages.js';
import { run, wait } from '../io/run.js';
import { nameOf, resolvePaths } from '../io/store-paths.js';
import { auditTrailOf } from './audit-options.js';
import type { AuditTrail } from './audit-trail.js';
import { createFilePort, type FilePortSetting, ownPort } from './file-port.js';
import type { CheckpointStoreOptions } from './store-options.js';

/** What a store hands to the root machine that somebody else has made for it. */
export interface StoreEmbedding {
  /** The port as the machine is to use it. */
  readonly io: CheckpointIo;
  readonly port: StorePort;
  /** Told what the machine and those below it do; `undefined` where nobody listens. */
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
  readonly policies: IoPolicies;
}

/** A store's I/O, and what has to be waited for before anything is answered. */
export class StorePort {
  readonly io: CheckpointIo;
  readonly audit: AuditTrail | undefined;
  #lock: FileLock | undefined;

  /** `onFailure`: told when entries of the audit can't be written. */
  constructor(
    options: CheckpointStoreOptions,
    place: FilePortSetting,
    onFailure: (error: CheckpointError) => void,
  ) {
    this.audit = auditTrailOf(options, place.fs, onFailure);
    this.io = ownPort(options)?.(place.content) ?? this.#onFiles(options, place);
  }

  /** Gives an answer once its entries in the audit are where the policy wants them; see {@link AuditTrail.before}. */
  answer(answer: () => void, refuse?: (error: CheckpointError) => void): void {
    if (this.audit === undefined) answer();
    else this.audit.before(answer, refuse);
  }

  /** Gives an answer to a save that was logged; see {@link AuditTrail.beforeLogged}. */
  answerLogged(answer: () => void, refuse: (error: CheckpointError) => void): void {
    if (this.audit === undefined) answer();
    else this.audit.beforeLogged(answer, refuse);
  }

  /** The end: the last entry is written before the lock is free for somebody else. */
  leave(then: () => void): void {
    const release = () => {
      this.#lock?.release();
      this.#lock = undefined;
      then();
    };
    if (this.audit === undefined) release();
    else void this.audit.close().then(release);
  }

  #onFiles(options: CheckpointStoreOptions, place: FilePortSetting): CheckpointIo {
    const { audit } = this;
    const { fs } = place;
    const hooks = audit && {
      onEpoch: (epoch: number) => {
        audit.epoch = epoch;
      },
      // Given up when the last entry is written.
      unlock: (lock: FileLock) => {
        this.#lock = lock;
      },
    };
    const files = createFilePort(options, place, hooks);
    if (audit === undefined) return files;
    function* acquireLock(trail: AuditTrail) {
      const lock = yield* wait(files.acquireLock(undefined));
      yield* trail.open(resolvePaths(fs, lock.directory, nameOf(lock.target)));
      return lock;
    }
    const audited = { ...files, acquireLock: () => run(acquireLock(audit)) };
    // Where each save is published at once, its last entries are synced after it; see ADR 0020.
    if (options.publish === undefined || options.publish === 'every-save') return audited;
    return { ...audited, syncWal: () => run(audit.beside(() => files.syncWal(undefined))) };
  }
}
