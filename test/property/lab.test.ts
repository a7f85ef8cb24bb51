/**
 * Random scenarios in the crash lab, and random command sequences against a small reference model.
 * A failure prints the seed, the path and the shrunk scenario; `checkpoint-wal explore --scenario` runs
 * it again.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mount } from '../../src/io/crash-images.js';
import { describeState, SimulatedDisk } from '../../src/io/simulated-disk.js';
import { type CheckpointStore, openCheckpointStore } from '../../src/store.js';
import { drawDiskFaults } from '../../src/testing/disk-faults.js';
import { explore } from '../../src/testing/explore.js';
import type { ExploreReport } from '../../src/testing/explore-report.js';
import { recoveryFaults, runFaults } from '../../src/testing/faulty-io.js';
import type { SaveStep, Scenario, ScenarioStep, TogetherStep } from '../../src/testing/scenario.js';
import { syncsIn } from '../../src/testing/turns.js';

const { FC_RUNS = '1' } = process.env;
const runs = (count: number) => ({ numRuns: Math.ceil(count * Number(FC_RUNS)) });

const durability = fc.constantFrom('logged' as const, 'committed' as const);
const number = fc.integer({ min: 0, max: 999 });
const saveStep: fc.Arbitrary<SaveStep> = fc.oneof(
  fc.record({ do: fc.constant('save' as const), state: fc.record({ v: number }), durability }),
  fc.record({
    do: fc.constant('set' as const),
    path: fc.constantFrom('v', 'w', 'deep.er'),
    value: number,
    durability,
  }),
  fc.record({
    do: fc.constant('update' as const),
    path: fc.constantFrom('v', 'count'),
    add: number,
    durability,
  }),
  fc.record({
    do: fc.constant('saveText' as const),
    text: fc
      .tuple(number, fc.integer({ min: 0, max: 1500 }))
      .map(([v, length]) => `v: ${v} # ${'x'.repeat(length)}\n`),
    durability,
  }),
);
const call: fc.Arbitrary<TogetherStep> = fc.oneof(
  { weight: 6, arbitrary: saveStep },
  { weight: 2, arbitrary: saveStep.map((one) => ({ ...one, abort: true as const })) },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
);
const together = fc.record(
  {
    do: fc.constant('together' as const),
    steps: fc.array(call, { minLength: 2, maxLength: 5 }),
    schedule: fc.nat({ max: 9999 }),
  },
  { requiredKeys: ['do', 'steps'] },
);
const step: fc.Arbitrary<ScenarioStep> = fc.oneof(
  { weight: 5, arbitrary: saveStep },
  { weight: 2, arbitrary: together },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      text: number.map((v) => `v: ${v}\nedited: true\n`),
      how: fc.constantFrom('inPlace' as const, 'rename' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);
const scenario: fc.Arbitrary<Scenario> = fc.record({
  name: fc.constant('random'),
  file: fc.constantFrom('v: 0\n', '# mine\nv: 0 # zero\n'),
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
});
const model = fc.constantFrom('posix-minimal' as const, 'ordered' as const);
const seed = fc.integer({ min: 1, max: 1_000_000 });

/** A failure is told with each crash, what became of the disk, and how to come to it again. */
function expectNone(
  { failures }: ExploreReport,
  one: Scenario,
  persistence: string,
  number: number,
): void {
  const told = failures.flatMap(({ check, message, trail }) => [
    `${check}: ${message}`,
    ...trail.flatMap(({ at, fates }) => [`crash at ${at}`, ...fates.map((fate) => `  ${fate}`)]),
    `again: save this as case.json: ${JSON.stringify(one)}`,
    `then: checkpoint-wal explore --scenario case.json --model ${persistence} --seed ${number} --save failing.json`,
  ]);
  expect(told, told.join('\n')).toEqual([]);
}

describe('random scenarios', () => {
  it('keep every promise when the power fails at any moment, and again in the recovery', async () => {
    const property = fc.asyncProperty(scenario, model, seed, async (one, persistence, number) => {
      const report = await explore(one, {
        model: persistence,
        seed: number,
        depth: 2,
        imagesPerMoment: [6, 1],
        failuresMax: 1,
      });
      expectNone(report, one, persistence, number);
    });
    await fc.assert(property, runs(12));
  }, 240_000);

  it('keep every promise when operations fail, in the run or in the recovery', async () => {
    const property = fc.asyncProperty(
      scenario,
      model,
      seed,
      fc.constantFrom([], ...runFaults),
      fc.constantFrom([], ...recoveryFaults),
      async (one, persistence, number, inRun, inRecovery) => {
        const report = await explore(one, {
          model: persistence,
          seed: number,
          depth: 2,
          imagesPerMoment: [3, 1],
          failuresMax: 1,
          runFaults: inRun,
          recoveryFaults: inRecovery,
        });
        expectNone(report, one, persistence, number);
      },
    );
    await fc.assert(property, runs(15));
  }, 240_000);

  it('keep every promise when the file system fails, in the run or in the recovery', async () => {
    const property = fc.asyncProperty(
      scenario,
      model,
      seed,
      fc.option(seed, { nil: undefined }),
      fc.option(seed, { nil: undefined }),
      async (one, persistence, number, inRun, inRecovery) => {
        const faults = {
          ...(inRun !== undefined && { run: drawDiskFaults(inRun).toJSON() }),
          ...(inRecovery !== undefined && { recovery: drawDiskFaults(inRecovery).toJSON() }),
        };
        const failing = { ...one, faults };
        const report = await explore(failing, {
          model: persistence,
          seed: number,
          depth: 2,
          imagesPerMoment: [3, 1],
          failuresMax: 1,
        });
        expectNone(report, failing, persistence, number);
      },
    );
    await fc.assert(property, runs(15));
  }, 240_000);
});

/** What may be read, kept without files: the last acknowledged value, and those asked for after it. */
interface Model {
  value: number | undefined;
  candidates: number[];
}

/** Syncs of one disk, answered only when a command lets one of them go on. */
class HeldSyncs {
  readonly #waiting: (() => void)[] = [];
  #isHolding = false;
  readonly later = async <T>(act: () => T): Promise<Awaited<T>> => {
    if (this.#isHolding) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return await act();
  };
  hold(): void {
    this.#isHolding = true;
  }
  release(): void {
    this.#isHolding = false;
    for (const goOn of this.#waiting.splice(0)) goOn();
  }
  async letOneGoOn(which: number): Promise<void> {
    const [goOn] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    goOn?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Real {
  syncs: HeldSyncs;
  disk: SimulatedDisk;
  store: CheckpointStore<{ v: number }>;
  /** What was asked for on this store and is not answered yet. */
  asked: Promise<void>[];
}

async function openOn(disk: SimulatedDisk): Promise<Pick<Real, 'store' | 'syncs'>> {
  const syncs = new HeldSyncs();
  const fileSystem = syncsIn(syncs, disk);
  const store = await openCheckpointStore<{ v: number }>({
    directory: '/s',
    fileSystem,
    restore: false,
  });
  syncs.hold();
  return { store, syncs };
}

const check = (model: Model, { store, disk }: Real) => {
  const found = store.state?.v;
  if (found !== model.value && !(found !== undefined && model.candidates.includes(found))) {
    const files = describeState(disk.visible()).map(({ path }) => path);
    throw new Error(
      `found ${found}, the model allows ${model.value} or ${model.candidates}; on disk: ${files.join(', ')}`,
    );
  }
  model.value = found;
  model.candidates = [];
};

/** Asks for a save and does not wait for its answer; others come meanwhile. */
class Save implements fc.AsyncCommand<Model, Real> {
  readonly #value: number;
  readonly #aborts: boolean;
  constructor(value: number, aborts: boolean) {
    this.#value = value;
    this.#aborts = aborts;
  }
  check = () => true;
  async run(model: Model, { store, asked }: Real): Promise<void> {
    const value = this.#value;
    const controller = new AbortController();
    model.candidates.push(value);
    const saving = store.save({ v: value }, { signal: controller.signal });
    if (this.#aborts) controller.abort();
    asked.push(
      saving.then(
        () => {
          // A crash has settled what was asked for before it.
          const place = model.candidates.indexOf(value);
          if (place < 0) return;
          model.value = value;
          model.candidates.splice(0, place + 1);
        },
        () => {
          model.candidates = model.candidates.filter((one) => one !== value);
        },
      ),
    );
  }
  toString = () => `save ${this.#value}${this.#aborts ? ', aborted' : ''}`;
}

/** Pulls the plug on whatever is on its way, and starts again. */
class Crash implements fc.AsyncCommand<Model, Real> {
  readonly #keepPending: boolean;
  constructor(keepPending: boolean) {
    this.#keepPending = keepPending;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const image = this.#keepPending ? real.disk.visible() : real.disk.moment().durable;
    const promised = { value: model.value, candidates: [...model.candidates] };
    // What the old store still answers is nobody's business any more.
    model.candidates = [];
    real.asked = [];
    real.disk = mount(image, 'posix-minimal');
    Object.assign(real, await openOn(real.disk));
    Object.assign(model, promised);
    check(model, real);
  }
  toString = () => (this.#keepPending ? 'kill' : 'power failure');
}

/** One of the syncs that are on their way is done and answered. */
class Sync implements fc.AsyncCommand<Model, Real> {
  readonly #which: number;
  constructor(which: number) {
    this.#which = which;
  }
  check = () => true;
  run = (_: Model, { syncs }: Real): Promise<void> => syncs.letOneGoOn(this.#which);
  toString = () => `sync ${this.#which}`;
}

/** Waits for all answers, then closes the store and opens it again. */
class Reopen implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    real.syncs.release();
    await real.store.close();
    await Promise.all(real.asked);
    Object.assign(real, await openOn(real.disk));
    check(model, real);
  }
  toString = () => 'close and open again';
}

describe('random commands, between the syncs of other saves', () => {
  it('never find what the reference model does not allow', async () => {
    const commands = fc.commands(
      [
        fc.tuple(number, fc.boolean()).map(([value, aborts]) => new Save(value, aborts)),
        fc.nat({ max: 3 }).map((which) => new Sync(which)),
        fc.nat({ max: 3 }).map((which) => new Sync(which)),
        fc.nat({ max: 3 }).map((which) => new Sync(which)),
        fc.boolean().map((keepPending) => new Crash(keepPending)),
        fc.constant(new Reopen()),
      ],
      { maxCommands: 40 },
    );
    const property = fc.asyncProperty(commands, async (sequence) => {
      const disk = new SimulatedDisk();
      const model: Model = { value: undefined, candidates: [] };
      const real: Real = { disk, ...(await openOn(disk)), asked: [] };
      await fc.asyncModelRun(() => ({ model, real }), sequence);
      await new Crash(false).run(model, real);
    });
    await fc.assert(property, runs(120));
  }, 120_000);
});
