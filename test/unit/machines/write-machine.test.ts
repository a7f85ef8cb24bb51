import { describe, expect, it } from 'vitest';
import { createActor, fromCallback } from 'xstate';
import type { IoRequest } from '../../../src/io/io-messages.js';
import { writeMachine } from '../../../src/machines/write-machine.js';
import { fail, runWrite, type Script } from '../../helpers/scripted-io.js';

const steps = [
  'writingIntent',
  'writingData',
  'syncingWal',
  'writingCheckpoint',
  'syncingCheckpoint',
  'deletingWal',
];

describe('the write machine', () => {
  it('goes through the six states in order and commits', () => {
    const { states, output, calls, told } = runWrite({});
    expect(states).toEqual([...steps, 'committed']);
    expect(output).toEqual({ status: 'committed', sequence: 8 });
    expect(calls).toEqual([
      'writeIntent',
      'writeData',
      'syncWal',
      'writeCheckpoint',
      'syncCheckpoint',
      'deleteWal',
    ]);
    expect(told).toEqual(['round.logged', 'round.published']);
  });

  const beforeLogged = ['writeIntent', 'writeData', 'syncWal'] as const;
  for (const operation of beforeLogged) {
    for (const kind of ['write', 'full', 'short'] as const) {
      it(`takes the save back when ${operation} fails with ${kind}`, () => {
        const { states, output, told } = runWrite({ [operation]: () => fail(kind) });
        expect(states.slice(-2)).toEqual(['abandoning', 'failed']);
        expect(output).toMatchObject({ status: 'failed', published: false, logged: false });
        expect(told).toEqual([]);
      });
    }
  }

  for (const operation of ['writeCheckpoint', 'syncCheckpoint'] as const) {
    for (const kind of ['write', 'full', 'short'] as const) {
      it(`takes a logged save back when ${operation} fails with ${kind} and nobody was promised it`, () => {
        const { states, output } = runWrite({ [operation]: () => fail(kind) });
        expect(states.slice(-2)).toEqual(['abandoning', 'failed']);
        expect(output).toMatchObject({ status: 'failed', published: false, logged: true });
      });

      it(`halts and keeps the log when ${operation} fails with ${kind} after a promise`, () => {
        const run = runWrite({ [operation]: () => fail(kind) }, { promisedWhenLogged: true });
        expect(run.states.at(-1)).toBe('halted');
        expect(run.calls).not.toContain('abandonRound');
        expect(run.calls).not.toContain('deleteWal');
        expect(run.output).toMatchObject({ status: 'halted', logged: true });
      });
    }
  }

  it('answers a failed sync of the log with a fresh log', () => {
    const { states, output } = runWrite({
      syncWal: (_, count) => (count === 1 ? fail('sync') : undefined),
    });
    expect(states).toEqual([
      ...steps.slice(0, 3),
      'droppingWal',
      ...steps.slice(0, 3),
      ...steps.slice(3),
      'committed',
    ]);
    expect(output?.status).toBe('committed');
  });

  it('answers a failed sync of the temporary file with a fresh file', () => {
    const { states, output } = runWrite({
      syncCheckpoint: (_, count) => (count === 1 ? fail('sync') : {}),
    });
    expect(states).toEqual([
      ...steps.slice(0, 5),
      'droppingTemporary',
      ...steps.slice(3),
      'committed',
    ]);
    expect(output?.status).toBe('committed');
  });

  it.each([
    ['syncWal', 0, 1],
    ['syncWal', 2, 3],
    ['syncCheckpoint', 0, 1],
    ['syncCheckpoint', 2, 3],
  ] as const)('halts after %s failed with retry limit %i', (operation, limit, tries) => {
    const script: Script = { [operation]: () => fail('sync') };
    const { states, output, calls } = runWrite(script, { syncRetryLimit: limit });
    expect(states.at(-1)).toBe('halted');
    expect(calls.filter((name) => name === operation)).toHaveLength(tries);
    expect(output).toMatchObject({ status: 'halted', error: { code: 'SYNC_FAILED' } });
  });

  it.each(['syncWal', 'syncCheckpoint'] as const)(
    'halts at once when the directory can not be synced in %s',
    (operation) => {
      const { states, calls } = runWrite({ [operation]: () => fail('directorySync') });
      expect(states.at(-1)).toBe('halted');
      expect(calls.at(-1)).toBe(operation);
    },
  );

  it('says that the checkpoint is visible when only its directory could not be synced', () => {
    const { output } = runWrite({ syncCheckpoint: () => fail('published') });
    expect(output).toMatchObject({ status: 'halted', published: true, logged: true });
  });

  it.each(['writeIntent', 'syncCheckpoint'] as const)(
    'touches nothing more when the lock is lost in %s',
    (operation) => {
      const { states, calls } = runWrite({ [operation]: () => fail('lockLost') });
      expect(states.at(-1)).toBe('halted');
      expect(calls.at(-1)).toBe(operation);
    },
  );

  it('touches nothing when a log is in the way', () => {
    const { states, calls } = runWrite({ writeIntent: () => fail('unexplained') });
    expect(states).toEqual(['writingIntent', 'halted']);
    expect(calls).toEqual(['writeIntent']);
  });

  it('halts with a published save when the log can not be deleted', () => {
    const { states, output, told } = runWrite({ deleteWal: () => fail('write') });
    expect(states.at(-1)).toBe('halted');
    expect(output).toMatchObject({ status: 'halted', published: true, logged: true });
    expect(told).toEqual(['round.logged', 'round.published']);
  });

  it.each([
    ['dropWal', { syncWal: () => fail('sync') }],
    ['dropTemporary', { syncCheckpoint: () => fail('sync') }],
  ] as const)('halts with the first failure when %s fails too', (operation, script) => {
    const { states, output } = runWrite({ ...script, [operation]: () => fail('write') });
    expect(states.at(-1)).toBe('halted');
    expect(output).toMatchObject({ status: 'halted', error: { code: 'SYNC_FAILED' } });
  });

  it('halts with the first failure when the round can not be abandoned', () => {
    const { states, output } = runWrite({
      writeData: () => fail('full'),
      abandonRound: () => fail('write'),
    });
    expect(states.slice(-2)).toEqual(['abandoning', 'halted']);
    expect(output).toMatchObject({ status: 'halted', error: { code: 'NO_SPACE' } });
  });

  it('turns any thrown value into a coded failure', () => {
    const { output } = runWrite({
      writeData: () => {
        throw 'a string';
      },
    });
    expect(output).toMatchObject({ status: 'failed', error: { code: 'WRITE_FAILED' } });
  });
});

describe('a stale answer', () => {
  it('is ignored, whether it says done or failed', () => {
    const answers: ((event: object) => void)[] = [];
    const io = createActor(
      fromCallback(({ receive }) => {
        receive((event) => {
          const { id, operation, replyTo } = event as unknown as IoRequest;
          answers.push((answer) => replyTo.send({ id, type: `${operation}.done`, ...answer }));
        });
      }),
    ).start();
    const actor = createActor(writeMachine, {
      input: {
        io,
        sequence: 1,
        source: { kind: 'requests', requestIds: [1] },
        promisedWhenLogged: false,
        syncRetryLimit: 0,
      },
    }).start();
    const [answer] = answers;
    answer?.({ id: 99, output: { bytes: 1 } });
    answer?.({ id: 99, type: 'writeIntent.failed', failure: { kind: 'write' } });
    expect(actor.getSnapshot().value).toBe('writingIntent');
    answer?.({ output: { bytes: 1 } });
    expect(actor.getSnapshot().value).toBe('writingData');
  });
});
