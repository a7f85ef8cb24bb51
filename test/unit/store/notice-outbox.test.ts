import { describe, expect, it } from 'vitest';
import { createActor, createMachine, fromCallback } from 'xstate';
import { NoticeOutbox } from '../../../src/store/notice-outbox.js';

const notice = (sequence: number) => ({ type: 'checkpoint.committed' as const, sequence });

describe('the outbox of notices', () => {
  it('sends what an ended machine has not passed on, once, and what comes later directly', () => {
    const heard: unknown[] = [];
    const to = createActor(
      fromCallback(({ receive }) => receive((event) => heard.push(event))),
    ).start();
    // It passes nothing on.
    const machine = createActor(createMachine({})).start();
    const outbox = new NoticeOutbox(machine);
    outbox.send(to, notice(1));
    outbox.send(to, notice(2));
    expect(heard).toEqual([]);
    outbox.passed(1);
    machine.stop();
    outbox.flush();
    outbox.flush();
    expect(heard).toEqual([notice(2)]);
    outbox.send(to, notice(3));
    expect(heard).toEqual([notice(2), notice(3)]);
    to.stop();
  });
});
