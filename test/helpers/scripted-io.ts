/**
 * A port that answers as told, and runs of single machines on it that report every state entered.
 * For tests of the statecharts alone: no files are involved.
 */
import { type AnyMachineSnapshot, assign, createActor, setup } from 'xstate';
import { CheckpointError } from '../../src/errors.js';
import type {
  CheckpointEvidence,
  CheckpointIo,
  IoOperations,
  OperationName,
} from '../../src/io/checkpoint-io.js';
import { createIoActor } from '../../src/io/io-actor.js';
import type { ExternalEditPolicy } from '../../src/machines/recovery-decision.js';
import { type RecoveryOutput, recoveryMachine } from '../../src/machines/recovery-machine.js';
import { type WriteOutput, writeMachine } from '../../src/machines/write-machine.js';

/** Answers of single operations; a function is called, so that it may throw. */
export type Script = {
  [Name in OperationName]?: (
    input: IoOperations[Name]['input'],
    count: number,
  ) => IoOperations[Name]['output'] | Promise<IoOperations[Name]['output']>;
};

const sealedCheckpoint: CheckpointEvidence = {
  condition: 'sealed',
  sequence: 7,
  epoch: 1,
  size: 100,
  highestSequence: 7,
  everPublished: true,
};

const defaults: { [Name in OperationName]: IoOperations[Name]['output'] } = {
  acquireLock: { directory: '/s', target: '/s/a.yaml', lock: 'memory', warnings: [] },
  releaseLock: undefined,
  checkWal: { present: false },
  readWal: { size: 1 },
  verifyWal: { verdict: 'sealed', relation: 'preImage', size: 1, sequence: 7 },
  quarantineWal: { kept: { file: 'quarantine/wal', reason: 'test' } },
  finishWal: undefined,
  loadWal: { sequence: 7 },
  checkCheckpoint: sealedCheckpoint,
  findInHistory: { refused: [], entries: 0 },
  keepCheckpoint: { kept: { file: 'quarantine/checkpoint', reason: 'test' } },
  adoptCheckpoint: { size: 1 },
  removeLeftovers: { removed: [] },
  readHealth: { nowMs: 1000, current: { sequence: 7, digest: 'd7' } },
  writeHealth: undefined,
  observeCheckpoint: { change: 'unchanged', sealed: true },
  writeIntent: { bytes: 1 },
  writeData: { bytes: 1 },
  syncWal: undefined,
  writeCheckpoint: { bytes: 1 },
  syncCheckpoint: {},
  deleteWal: undefined,
  dropWal: undefined,
  dropTemporary: undefined,
  abandonRound: undefined,
};

/** A port on which every operation succeeds unless the script says otherwise. */
export function scriptedIo(
  script: Script = {},
): CheckpointIo & { readonly calls: OperationName[] } {
  const calls: OperationName[] = [];
  const counts = new Map<OperationName, number>();
  const perform = (name: OperationName) => (input: unknown) => {
    calls.push(name);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const scripted = script[name] as ((input: unknown, count: number) => unknown) | undefined;
    return scripted === undefined ? defaults[name] : scripted(input, count);
  };
  const operations = Object.keys(defaults).map((name) => [name, perform(name as OperationName)]);
  return { ...(Object.fromEntries(operations) as CheckpointIo), calls };
}

/** Throws a failure of the given kind, as the file implementation would. */
export function fail(
  kind:
    | 'write'
    | 'full'
    | 'short'
    | 'sync'
    | 'directorySync'
    | 'lockLost'
    | 'unexplained'
    | 'read'
    | 'published',
): never {
  switch (kind) {
    case 'write':
      throw new CheckpointError('WRITE_FAILED', 'writing failed (EIO)');
    case 'full':
      throw new CheckpointError('NO_SPACE', 'no space left');
    case 'short':
      throw new CheckpointError('SHORT_WRITE', 'only 3 bytes could be written');
    case 'sync':
      throw new CheckpointError('SYNC_FAILED', 'sync failed (EIO)');
    case 'directorySync':
      throw new CheckpointError('SYNC_FAILED', 'sync failed (EIO)', { directory: true });
    case 'published':
      throw new CheckpointError('SYNC_FAILED', 'sync failed (EIO)', {
        directory: true,
        outcome: 'published',
      });
    case 'lockLost':
      throw new CheckpointError('LOCK_LOST', 'the lock was taken away');
    case 'unexplained':
      throw new CheckpointError('LOG_IN_THE_WAY', 'a log appeared');
    case 'read':
      throw new CheckpointError('READ_FAILED', 'reading failed (EIO)');
  }
}

/** `a.b` for nested states. */
export function nameOfState(value: AnyMachineSnapshot['value']): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([outer, inner]) => (inner === undefined ? outer : `${outer}.${nameOfState(inner)}`))
    .join('|');
}

/** States that one actor entered, in order, from the root's microsteps. */
export class StateRecorder {
  readonly #states = new Map<string, string[]>();

  /** Give this to `createActor` as `inspect`. */
  readonly inspect = (event: { type: string; actorRef: unknown; snapshot?: unknown }): void => {
    if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return;
    const snapshot = event.snapshot as Partial<AnyMachineSnapshot> | undefined;
    if (snapshot?.value === undefined) return;
    const { id } = event.actorRef as { id: string };
    const states = this.#states.get(id) ?? [];
    const name = nameOfState(snapshot.value);
    if (states.at(-1) !== name) states.push(name);
    this.#states.set(id, states);
  };

  of(actorId: string): readonly string[] {
    return this.#states.get(actorId) ?? [];
  }
}

interface Run<Output> {
  readonly states: readonly string[];
  readonly output: Output | undefined;
  readonly calls: readonly OperationName[];
  readonly told: readonly string[];
}

interface WriteSettings {
  readonly promisedWhenLogged?: boolean;
  readonly syncRetryLimit?: number;
}

/** Runs one round of the write machine on a scripted port. */
export function runWrite(script: Script, settings: WriteSettings = {}): Run<WriteOutput> {
  const told: string[] = [];
  const io = scriptedIo(script);
  const parent = setup({
    types: { context: {} as { output: WriteOutput | undefined } },
    actors: { write: writeMachine },
    actions: { note: ({ event }) => void told.push(event.type) },
  }).createMachine({
    context: { output: undefined },
    on: { 'round.*': { actions: 'note' } },
    initial: 'running',
    states: {
      running: {
        invoke: {
          id: 'write',
          src: 'write',
          input: {
            io: createActor(createIoActor(io)).start(),
            sequence: 8,
            source: { kind: 'requests', requestIds: [1] },
            promisedWhenLogged: settings.promisedWhenLogged ?? false,
            syncRetryLimit: settings.syncRetryLimit ?? 2,
          },
          onDone: { target: 'done', actions: assign({ output: ({ event }) => event.output }) },
        },
      },
      done: {},
    },
  });
  const recorder = new StateRecorder();
  const actor = createActor(parent, { inspect: recorder.inspect }).start();
  const { output } = actor.getSnapshot().context;
  return { states: recorder.of('write'), output, calls: io.calls, told };
}

/** Runs one recovery on a scripted port. */
export function runRecovery(
  script: Script,
  externalEdits: ExternalEditPolicy = 'adopt',
): Run<RecoveryOutput> {
  const io = scriptedIo(script);
  const recorder = new StateRecorder();
  const actor = createActor(recoveryMachine, {
    id: 'recovery',
    input: { io: createActor(createIoActor(io)).start(), externalEdits, syncRetryLimit: 2 },
    inspect: recorder.inspect,
  }).start();
  return {
    states: recorder.of('recovery'),
    output: actor.getSnapshot().output,
    calls: io.calls,
    told: [],
  };
}
