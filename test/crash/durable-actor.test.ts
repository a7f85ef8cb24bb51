/** Durable actors are crashed at every transition, and again in the life after. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createActor, type Snapshot } from 'xstate';
import { DurableEntry } from '../../src/durable/durable-entry.js';
import { SAVED } from '../../src/durable/durable-part.js';
import { DurableRun } from '../../src/durable/durable-run.js';
import { type DurableFailure, exploreDurableActor } from '../../src/testing/durable-lab.js';
import { durableMachines } from '../helpers/durable-machines.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a durable actor that is crashed whenever something of it has become durable or has begun', () => {
  it.each(Object.entries(durableMachines))(
    'begins every effect, none too early or too late, and ends the same: %s',
    async (_, subject) => {
      const { crashes, failures, effects, end } = await exploreDurableActor(subject);
      expect(failures.slice(0, 3)).toEqual([]);
      expect(crashes).toBeGreaterThan(20);
      expect(effects.size).toBeGreaterThan(1);
      expect(end).toMatchObject({ status: 'done' });
    },
  );

  it.each(Object.entries(durableMachines))(
    'comes to what the same machine comes to without durability: %s',
    async (_, subject) => {
      const { end } = await exploreDurableActor(subject, { depth: 0 });
      const actor = createActor(subject.logic({ begin: () => {}, begun: [] }), {
        input: subject.input,
      });
      actor.start();
      for (let turn = 0; turn < 2_000 && actor.getSnapshot().status === 'active'; turn++) {
        subject.drive?.(actor as never, { begin: () => {}, begun: [] });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const { status, output, context } = actor.getSnapshot() as Snapshot<unknown> & {
        context: unknown;
      };
      expect({ status, output, context }).toEqual(
        JSON.parse(JSON.stringify(end), (_key, value: unknown) => value),
      );
    },
  );
});

describe('the lab finds', () => {
  const found = async (machine: string): Promise<DurableFailure['check'][]> => {
    const subject = durableMachines[machine];
    if (subject === undefined) throw new TypeError(machine);
    const { failures } = await exploreDurableActor(subject, { depth: 1 });
    return [...new Set(failures.map(({ check }) => check))];
  };
  type Extras = ReturnType<DurableEntry['extras']>;
  const without = (key: keyof NonNullable<Extras>) => {
    const { extras } = DurableEntry.prototype;
    vi.spyOn(DurableEntry.prototype, 'extras').mockImplementation(function (this: DurableEntry) {
      const { [key]: _, ...rest } = extras.call(this) ?? {};
      return rest;
    });
  };

  it('effects that do not wait for their snapshot', async () => {
    vi.spyOn(DurableRun.prototype, 'save').mockImplementation(function (this: DurableRun, entry) {
      this.saveSoon();
      void Promise.resolve().then(() => entry.self.send(SAVED));
    });
    expect(await found('reentering')).toContain('begins-when-durable');
  });

  it('messages and actions that are not remembered', async () => {
    without('outbox');
    expect(await found('pausing')).toContain('begins-at-least-once');
  });

  it('delayed events that are not remembered', async () => {
    without('timers');
    expect(await found('review')).toContain('ends-the-same');
  });

  it('keys that another life does not keep', async () => {
    without('children');
    expect(await found('reentering')).toContain('enters-as-often');
  });

  it('ends of children that their parents are not told of again', async () => {
    const { restore } = DurableEntry.prototype;
    vi.spyOn(DurableEntry.prototype, 'restore').mockImplementation(function (
      this: DurableEntry,
      ...args
    ) {
      const snapshot = restore.apply(this, args);
      for (const child of this.children.values()) child.settled = true;
      return snapshot;
    });
    expect(await found('review')).toContain('ends-the-same');
  });

  it('events of actors that were left behind', async () => {
    vi.spyOn(DurableRun.prototype, 'isRemoved').mockReturnValue(false);
    const subject = durableMachines.interrupted;
    const { end } = await exploreDurableActor(subject as never, { depth: 0 });
    expect(end).toMatchObject({ context: { result: 'round after 1' } });
  });
});
