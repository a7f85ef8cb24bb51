/** Durable actors are crashed at every transition, and again in the life after. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createActor, type Snapshot } from 'xstate';
import { DurableEntry } from '../../src/durable/durable-entry.js';
import { SAVED } from '../../src/durable/durable-part.js';
import { DurableRun } from '../../src/durable/durable-run.js';
import type { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { openCheckpointStore } from '../../src/store.js';
import {
  type BegunEffect,
  type DurableFailure,
  type DurableSubject,
  exploreDurableActor,
  LabLife,
} from '../../src/testing/durable-lab.js';
import { exploreProgram, type Probe, type Program } from '../../src/testing/explore-program.js';
import type { Failure } from '../../src/testing/explore-report.js';
import { type DrawsFrom, fixedWorld } from '../../src/testing/fixed-world.js';
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
      expect(crashes).toBeGreaterThan(10);
      expect(effects.size).toBeGreaterThan(0);
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
      const plainly = subject.result?.(actor.getSnapshot()) ?? { status, output, context };
      expect(JSON.parse(JSON.stringify(plainly))).toEqual(JSON.parse(JSON.stringify(end)));
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

describe('a durable actor in a store whose disk loses power', () => {
  interface Begun {
    readonly begun: readonly BegunEffect[];
    readonly timeMs: number;
  }
  const directory = '/lab';
  const open = (disk: SimulatedDisk, who: DrawsFrom) =>
    openCheckpointStore({
      directory,
      fileSystem: disk,
      audit: false,
      restore: false,
      ...fixedWorld(who),
    });

  const programOf = (subject: DurableSubject): Program<Begun, Begun & { end: unknown }> => {
    const liveOn = async (
      disk: SimulatedDisk,
      who: DrawsFrom,
      from: Begun & { readonly number: number },
      options: { readonly probe?: Probe<Begun> } = {},
    ) => {
      const store = await open(disk, who);
      const life = new LabLife(subject, from, (name, key) => {
        const saved = store.state as unknown as { transitions: number };
        const number = Number(key.split('@')[1]);
        if (!(saved.transitions >= Math.floor(number)))
          throw new Error(`${name} ${key} began too early`);
      });
      const { probe } = options;
      probe?.promises(() => ({ begun: [...life.begun], timeMs: life.nowMs }));
      let moves = 0;
      store.subscribe(() => {
        moves += 1;
      });
      const end = await life.run(store, () => moves, probe && { inspect: probe.inspect });
      await store.close();
      return { end, begun: life.begun, timeMs: life.nowMs };
    };
    return {
      run: async (disk, probe) => {
        probe.outside(() => disk.settle());
        await liveOn(disk, 'the run', { begun: [], timeMs: 0, number: 0 }, { probe });
      },
      recover: (disk, _, depth) =>
        liveOn(disk, `recovery ${depth}`, { begun: [], timeMs: 0, number: depth }),
      check: ({ found, promised }) => {
        const failures: Failure[] = [];
        const names = (effects: readonly BegunEffect[]) =>
          [...new Set(effects.map(({ name }) => name))].sort().join();
        const all = names([...promised.begun, ...found.begun]);
        if (all !== expected.names) failures.push({ check: 'begins-at-least-once', message: all });
        const end = JSON.stringify(found.end);
        if (end !== expected.end) failures.push({ check: 'ends-the-same', message: end });
        return failures;
      },
    };
  };
  const expected = { names: '', end: '' };

  it.each(['posix-minimal', 'ordered'] as const)(
    'begins every effect and ends the same: %s',
    async (model) => {
      const subject = durableMachines.interrupted as DurableSubject;
      const { end, effects } = await exploreDurableActor(subject, { depth: 0 });
      Object.assign(expected, {
        names: [...effects.keys()].sort().join(),
        end: JSON.stringify(end),
      });
      const { failures, counts } = await exploreProgram(programOf(subject), {
        model,
        seed: 1,
        depth: 1,
        imagesPerMoment: [4],
        failuresMax: 3,
      });
      expect(failures.map(({ check, message, trail }) => [check, message, trail[0]?.at])).toEqual(
        [],
      );
      expect(counts.distinct).toBeGreaterThan(20);
    },
  );
});
