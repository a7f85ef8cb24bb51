/**
 * Random scenarios in the crash lab, and random command sequences against a small reference model.
 * A failure prints the seed, the path and the shrunk scenario; `checkpoint-wal explore --scenario` runs
 * it again.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mount } from '../../src/io/crash-images.js';
import { SimulatedDisk } from '../../src/io/simulated-disk.js';
import { type CheckpointStore, openCheckpointStore } from '../../src/store.js';
import { explore } from '../../src/testing/explore.js';
import type { ExploreReport } from '../../src/testing/explore-program.js';
import { recoveryFaults, runFaults } from '../../src/testing/faulty-io.js';
import type { SaveStep, Scenario, ScenarioStep } from '../../src/testing/scenario.js';

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
    do: fc.constant('saveText' as const),
    text: fc
      .tuple(number, fc.integer({ min: 0, max: 1500 }))
      .map(([v, length]) => `v: ${v} # ${'x'.repeat(length)}\n`),
    durability,
  }),
);
const step: fc.Arbitrary<ScenarioStep> = fc.oneof(
  { weight: 5, arbitrary: saveStep },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('together' as const),
      steps: fc.array(saveStep, { minLength: 2, maxLength: 4 }),
    }),
  },
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
});

/** What may be read, kept without files: the last acknowledged value, and those asked for after it. */
interface Model {
  value: number | undefined;
  candidates: Set<number>;
}

interface Real {
  disk: SimulatedDisk;
  store: CheckpointStore<{ v: number }>;
}

const openOn = (disk: SimulatedDisk) =>
  openCheckpointStore<{ v: number }>({ directory: '/s', fileSystem: disk });

const check = (model: Model, { store }: Real) => {
  const found = store.state?.v;
  if (found !== model.value && !(found !== undefined && model.candidates.has(found))) {
    throw new Error(`found ${found}, the model allows ${model.value} or ${[...model.candidates]}`);
  }
  model.value = found;
  model.candidates.clear();
};

class Save implements fc.AsyncCommand<Model, Real> {
  readonly #value: number;
  constructor(value: number) {
    this.#value = value;
  }
  check = () => true;
  async run(model: Model, { store }: Real): Promise<void> {
    await store.save({ v: this.#value });
    model.value = this.#value;
    model.candidates.clear();
  }
  toString = () => `save ${this.#value}`;
}

/** Asks for a save and pulls the plug inside it, at some change of the disk; then starts again. */
class SaveAndCrash implements fc.AsyncCommand<Model, Real> {
  readonly #value: number;
  readonly #after: number;
  readonly #keepPending: boolean;
  constructor(value: number, after: number, keepPending: boolean) {
    this.#value = value;
    this.#after = after;
    this.#keepPending = keepPending;
  }
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    let left = this.#after;
    let image = real.disk.moment().durable;
    let isTaken = false;
    real.disk.onChange(() => {
      if (isTaken || left-- > 0) return;
      isTaken = true;
      image = this.#keepPending ? real.disk.visible() : real.disk.moment().durable;
    });
    await real.store.save({ v: this.#value });
    real.disk.onChange(undefined);
    if (!isTaken) {
      image = real.disk.moment().durable;
      model.value = this.#value;
    } else {
      model.candidates.add(this.#value);
    }
    real.disk = mount(image, 'posix-minimal');
    real.store = await openOn(real.disk);
    check(model, real);
  }
  toString = () =>
    `save ${this.#value}, crash after ${this.#after} changes (${this.#keepPending ? 'kill' : 'power'})`;
}

class Reopen implements fc.AsyncCommand<Model, Real> {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    await real.store.close();
    real.store = await openOn(real.disk);
    check(model, real);
  }
  toString = () => 'reopen';
}

describe('random commands', () => {
  it('never find what the reference model does not allow', async () => {
    const commands = fc.commands(
      [
        number.map((value) => new Save(value)),
        fc
          .tuple(number, fc.nat({ max: 30 }), fc.boolean())
          .map(([value, after, keep]) => new SaveAndCrash(value, after, keep)),
        fc.constant(new Reopen()),
      ],
      { maxCommands: 12 },
    );
    const property = fc.asyncProperty(commands, async (sequence) => {
      const disk = new SimulatedDisk();
      const store = await openOn(disk);
      const model: Model = { value: undefined, candidates: new Set() };
      await fc.asyncModelRun(() => ({ model, real: { disk, store } }), sequence);
    });
    await fc.assert(property, runs(80));
  }, 120_000);
});
