import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import type { DetectorSettings, HealthMemory } from '../../../src/format/health-format.js';
import { createIoActor } from '../../../src/io/io-actor.js';
import { checkpointMachine } from '../../../src/machines/checkpoint-machine.js';
import type {
  CheckpointEmitted,
  CheckpointInput,
} from '../../../src/machines/checkpoint-messages.js';
import { fail, type Script, StateRecorder, scriptedIo } from '../../helpers/scripted-io.js';

function start(script: Script = {}, input: CheckpointInput = {}) {
  const io = scriptedIo(script);
  const recorder = new StateRecorder();
  const emitted: CheckpointEmitted[] = [];
  const actor = createActor(checkpointMachine.provide({ actors: { io: createIoActor(io) } }), {
    id: 'checkpoint',
    input,
    inspect: recorder.inspect,
  });
  actor.on('*', (event) => void emitted.push(event));
  actor.start();
  const save = (requestId: number, durability: 'logged' | 'committed' = 'committed') =>
    actor.send({ type: 'save.requested', requestId, durability });
  return { actor, io, emitted, save, states: () => recorder.of('checkpoint') };
}

/** An operation that answers when the test says so. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<undefined>((resolve) => {
    open = () => resolve(undefined);
  });
  return { opened, open };
}

const answers = (emitted: readonly CheckpointEmitted[]) =>
  emitted
    .filter(({ type }) => type.startsWith('save.'))
    .map((event) => [event.type, 'requestIds' in event ? event.requestIds : []]);

describe('the root machine', () => {
  it('locks, recovers and is ready, in that order', () => {
    const { states, emitted, io } = start();
    expect(states()).toEqual(['locking', 'recovering', 'assessing', 'ready']);
    expect(io.calls[0]).toBe('acquireLock');
    expect(emitted).toMatchObject([{ type: 'checkpoint.ready', sequence: 7 }]);
  });

  it('is refused when the lock is held elsewhere, and looks at nothing', () => {
    const { states, emitted, io } = start({ acquireLock: () => fail('lockLost') });
    expect(states()).toEqual(['locking', 'refused']);
    expect(emitted).toMatchObject([{ type: 'checkpoint.refused' }]);
    expect(io.calls).toEqual(['acquireLock']);
  });

  it('gives the lock up when recovery refuses', () => {
    const { states, io, emitted } = start({ checkWal: () => fail('read') });
    expect(states()).toEqual(['locking', 'recovering', 'unlocking', 'refused']);
    expect(io.calls.at(-1)).toBe('releaseLock');
    expect(emitted).toMatchObject([
      { type: 'checkpoint.refused', error: { code: 'READ_FAILED' }, recovery: {} },
    ]);
  });

  it('acknowledges a save when its log is gone', () => {
    const { emitted, save, states } = start();
    save(1);
    expect(answers(emitted)).toEqual([
      ['save.logged', [1]],
      ['save.published', [1]],
      ['save.committed', [1]],
    ]);
    expect(states().slice(-3)).toEqual(['checkingForEdits', 'saving', 'ready']);
  });

  it('lets saves that arrive during a round go together into the next, and answers every one', async () => {
    const held = gate();
    const { emitted, save, io } = start({
      syncWal: (_, count) => (count === 1 ? held.opened : undefined),
    });
    save(1);
    save(2);
    save(3);
    held.open();
    await held.opened;
    await Promise.resolve();
    expect(answers(emitted).filter(([type]) => type === 'save.committed')).toEqual([
      ['save.committed', [1]],
      ['save.committed', [2, 3]],
    ]);
    expect(io.calls.filter((name) => name === 'writeIntent')).toHaveLength(2);
  });

  it('takes saves that are asked for together as one round, and refuses them together', async () => {
    const { emitted, actor, io } = start();
    const durability = 'committed' as const;
    const others = [2, 3].map((requestId) => ({ requestId, durability }));
    actor.send({ type: 'save.requested', requestId: 1, durability, others });
    expect(answers(emitted).at(-1)).toEqual(['save.committed', [1, 2, 3]]);
    expect(io.calls.filter((name) => name === 'writeIntent')).toHaveLength(1);
    const halting = start({ deleteWal: () => fail('write') });
    halting.save(1);
    const more = [{ requestId: 3, durability }];
    halting.actor.send({ type: 'save.requested', requestId: 2, durability, others: more });
    expect(answers(halting.emitted).at(-1)).toEqual(['save.failed', [2, 3]]);
  });

  it('keeps saves that arrive during recovery', async () => {
    const held = gate();
    const { emitted, save } = start({
      checkWal: () => held.opened.then(() => ({ present: false })),
    });
    save(1);
    held.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers(emitted).at(-1)).toEqual(['save.committed', [1]]);
  });

  it('gives each round the next sequence number; one that was taken back leaves its own free', () => {
    const sequences: number[] = [];
    const { save } = start({
      writeIntent: ({ sequence }, count) => {
        sequences.push(sequence);
        return count === 2 ? fail('full') : { bytes: 1 };
      },
    });
    save(1);
    save(2);
    save(3);
    expect(sequences).toEqual([8, 9, 9]);
  });

  it('says of a failed save that it was not saved, and takes the next', () => {
    const { emitted, save, states } = start({
      writeData: (_, count) => (count === 1 ? fail('full') : { bytes: 1 }),
    });
    save(1);
    expect(emitted.at(-1)).toMatchObject({
      type: 'save.failed',
      requestIds: [1],
      error: { code: 'NO_SPACE', details: { outcome: 'notSaved', sequence: 8 } },
    });
    save(2);
    expect(answers(emitted).at(-1)).toEqual(['save.committed', [2]]);
    expect(states().at(-1)).toBe('ready');
  });

  it('halts when going on could break a promise, and refuses what waits and what comes', async () => {
    const held = gate();
    const { emitted, save, states } = start({
      syncWal: () => held.opened.then(() => fail('directorySync')),
    });
    save(1);
    save(2);
    held.open();
    await new Promise((resolve) => setImmediate(resolve));
    save(3);
    expect(states().at(-1)).toBe('halted');
    expect(emitted.filter(({ type }) => type !== 'checkpoint.ready')).toMatchObject([
      {
        type: 'save.failed',
        requestIds: [1],
        error: { code: 'SYNC_FAILED', details: { outcome: 'unknown' } },
      },
      { type: 'checkpoint.halted', error: { code: 'SYNC_FAILED' } },
      { type: 'save.failed', requestIds: [2], error: { code: 'HALTED' } },
      { type: 'save.failed', requestIds: [3], error: { code: 'HALTED' } },
    ]);
  });

  it('can be closed when halted', () => {
    const { actor, save, emitted } = start({ deleteWal: () => fail('write') });
    save(1);
    expect(emitted).toContainEqual(
      expect.objectContaining({
        type: 'save.failed',
        error: expect.objectContaining({
          details: expect.objectContaining({ outcome: 'published' }),
        }),
      }),
    );
    actor.send({ type: 'close.requested' });
    expect(emitted.at(-1)).toEqual({ type: 'checkpoint.closed' });
    expect(actor.getSnapshot().status).toBe('done');
  });

  it('halts when the lock is lost, and writes nothing', () => {
    const { save, states, io } = start({ observeCheckpoint: () => fail('lockLost') });
    save(1);
    expect(states().at(-1)).toBe('halted');
    expect(io.calls).not.toContain('writeIntent');
  });

  it('fails the save but stays ready when the file can not be looked at', () => {
    const { save, states, emitted } = start({ observeCheckpoint: () => fail('read') });
    save(1);
    expect(states().at(-1)).toBe('ready');
    expect(emitted.at(-1)).toMatchObject({ type: 'save.failed', error: { code: 'READ_FAILED' } });
  });

  it('finishes what was accepted before it closes', async () => {
    const held = gate();
    const { actor, save, emitted } = start({ syncWal: () => held.opened });
    save(1);
    save(2);
    actor.send({ type: 'close.requested' });
    held.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers(emitted).filter(([type]) => type === 'save.committed')).toHaveLength(2);
    expect(emitted.at(-1)).toEqual({ type: 'checkpoint.closed' });
  });

  it('drops a waiting save that is aborted, but not one that a round has taken', async () => {
    const held = gate();
    const { actor, save, emitted } = start({ syncWal: () => held.opened });
    save(1);
    save(2);
    actor.send({ type: 'save.aborted', requestId: 1 });
    actor.send({ type: 'save.aborted', requestId: 2 });
    held.open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(emitted.filter(({ type }) => type === 'save.aborted')).toEqual([
      { type: 'save.aborted', requestId: 2 },
    ]);
    expect(answers(emitted).at(-1)).toEqual(['save.committed', [1]]);
  });

  it('throws at once without an io actor', () => {
    const actor = createActor(checkpointMachine, { input: {} });
    let failure: unknown;
    actor.subscribe({
      error: (error) => {
        failure = error;
      },
    });
    actor.start();
    expect(failure).toBeInstanceOf(TypeError);
  });
});

describe('the root machine, when the file was edited outside', () => {
  const edited: Script = { observeCheckpoint: () => ({ change: 'edited', size: 5 }) };

  it('adopts the edit under a number of its own, then saves', () => {
    const { save, states, emitted } = start(edited);
    save(1);
    expect(states().slice(-4)).toEqual(['checkingForEdits', 'adoptingEdit', 'saving', 'ready']);
    expect(emitted).toContainEqual({
      type: 'checkpoint.editedOutside',
      change: 'edited',
      action: 'adopted',
      sequence: 8,
    });
    expect(emitted.at(-1)).toMatchObject({ type: 'save.committed', sequence: 9 });
  });

  it('rejects the save and keeps the edit under policy reject', () => {
    const { save, states, emitted, io } = start(edited, { externalEdits: 'reject' });
    save(1);
    expect(states().at(-1)).toBe('ready');
    expect(emitted.at(-1)).toMatchObject({
      type: 'save.failed',
      error: { code: 'EDITED_OUTSIDE', details: { outcome: 'notSaved' } },
    });
    expect(io.calls).not.toContain('writeIntent');
  });

  it.each([
    ['restore', 'edited'],
    ['adopt', 'damaged'],
    ['adopt', 'missing'],
  ] as const)('sets the file aside under policy %s when it is %s, then saves', (policy, change) => {
    const { save, emitted, io } = start(
      { observeCheckpoint: () => ({ change }) },
      { externalEdits: policy },
    );
    save(1);
    expect(emitted).toContainEqual(
      expect.objectContaining({ type: 'checkpoint.editedOutside', change, action: 'setAside' }),
    );
    expect(io.calls.indexOf('keepCheckpoint')).toBeLessThan(io.calls.indexOf('writeIntent'));
  });

  it.each([
    ['adoptCheckpoint', edited],
    ['keepCheckpoint', { observeCheckpoint: () => ({ change: 'damaged' as const }) }],
  ] as const)('writes nothing when %s fails', (operation, script) => {
    const { save, states, io } = start({ ...script, [operation]: () => fail('write') });
    save(1);
    expect(states().at(-1)).toBe('ready');
    expect(io.calls).not.toContain('writeIntent');
  });

  it('tells of an edit that slipped in during the save', () => {
    const { save, emitted } = start({
      syncCheckpoint: () => ({ kept: { file: 'quarantine/late', reason: 'edited-during-save' } }),
    });
    save(1);
    expect(emitted).toContainEqual(
      expect.objectContaining({ action: 'setAside', keptAs: 'quarantine/late' }),
    );
  });
});

describe('the root machine with a failure detector', () => {
  const restore: DetectorSettings = {
    mode: 'automatic',
    threshold: 1,
    windowMs: 1000,
    healthyAfterMs: 1000,
    maxRestores: 3,
    countCrashes: true,
    allowMissingArtifacts: false,
  };
  const newest = { newest: { sequence: 6, file: 'f' }, refused: [], entries: 1 };
  const failed = { kind: 'failed', signal: 'reported', message: 'm' } as const;

  it('says that it is ready only when the attempt is counted durably', async () => {
    const held = gate();
    const { emitted, states } = start({ writeHealth: () => held.opened }, { restore });
    expect(states().at(-1)).toBe('assessing');
    expect(emitted).toEqual([]);
    held.open();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(states().at(-1)).toBe('ready');
    expect(emitted[0]).toMatchObject({ type: 'checkpoint.ready' });
  });

  it('restores on request of the detector, as a round of its own', () => {
    let memory: HealthMemory | undefined;
    const script: Script = {
      readHealth: () => ({
        ...(memory && { memory }),
        nowMs: 1,
        current: { sequence: 7, digest: 'd' },
      }),
      writeHealth: ({ memory: next }) => {
        memory = next;
        return undefined;
      },
      findInHistory: () => newest,
    };
    const { actor, emitted, io } = start(script, { restore });
    actor.send({ type: 'health.changed', change: failed, requestId: 1 });
    expect(emitted).toContainEqual(
      expect.objectContaining({ type: 'checkpoint.restored', from: 6, cause: 'automatic' }),
    );
    expect(emitted.at(-1)).toMatchObject({ type: 'health.answered', requestIds: [1] });
    expect(io.calls.filter((call) => call === 'syncWal')).toHaveLength(1);
  });

  it('makes no restore that the detector wants while the store closes', async () => {
    const held = gate();
    const script: Script = {
      // The attempt, the failure, and then the restore, which is counted before it is made.
      writeHealth: (_, count) => (count === 3 ? held.opened : undefined),
      findInHistory: () => newest,
    };
    const { actor, io, states } = start(script, { restore });
    actor.send({ type: 'health.changed', change: failed, requestId: 1 });
    actor.send({ type: 'close.requested' });
    expect(states().at(-1)).toBe('leaving');
    held.open();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(states().slice(-2)).toEqual(['closing', 'closed']);
    expect(io.calls).not.toContain('syncWal');
  });
});
