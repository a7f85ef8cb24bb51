/**
 * A session in the lab: scenarios, persistence models and seeds in turn, until all are done or the time
 * is over, with one coverage table for all of it.
 */
import type { PersistenceModel } from '../io/simulated-disk.js';
import { checkpointMachine } from '../machines/checkpoint-machine.js';
import { failureDetectorMachine } from '../machines/failure-detector-machine.js';
import { recoveryMachine } from '../machines/recovery-machine.js';
import { writeMachine } from '../machines/write-machine.js';
import { type CaseFile, toCaseFile } from './case-file.js';
import { Coverage, type CoverageRow } from './coverage.js';
import { type DetectorFound, type DetectorScenario, detectorProgram } from './detector-lab.js';
import { detectorPlans } from './detector-plans.js';
import { exploreStore, knownOutcomes, type StoreExploreOptions } from './explore.js';
import { exploreKnowing } from './explore-program.js';
import type { ExploreCounts, ExploreReport } from './explore-report.js';
import { drawPlans, type FailurePlan, failurePlans, uncrashed } from './failure-plans.js';
import { RecoveryMemo } from './recovery-memo.js';
import type { Scenario } from './scenario.js';

/** What to do. */
export interface LabOptions extends Omit<StoreExploreOptions, 'model' | 'onProgress'> {
  /** What is run, each under every model. */
  readonly scenarios: readonly Scenario[];
  /** What a power failure may do, one after the other. */
  readonly models: readonly PersistenceModel[];
  /**
   * Whether to go through the failures too, after each round of the scenarios, and through scenarios and
   * faults that are drawn by the round's seed; by default yes.
   */
  readonly withFailures?: boolean;
  /** How often to go through all scenarios, each time with another seed; until the time is over if absent. */
  readonly rounds?: number;
  /** Told of the counts as they grow. */
  readonly onProgress?: (progress: LabProgress) => void;
}

/** Where the lab is. */
export interface LabProgress {
  /** What was done by now. */
  readonly counts: ExploreCounts;
  /** Name of the scenario that is running. */
  readonly scenario: string;
  /** The model that it runs under. */
  readonly model: PersistenceModel;
  /** Milliseconds since the lab began. */
  readonly elapsedMs: number;
}

/** What came of it. */
export interface LabReport {
  /** What was done. */
  readonly counts: ExploreCounts;
  /** What did not hold, as cases that can be saved and replayed. */
  readonly cases: readonly CaseFile[];
  /** How often each transition was crashed at. */
  readonly coverage: readonly CoverageRow[];
  /** Transitions that were not crashed at, without being listed with a reason. */
  readonly uncovered: readonly string[];
  /** Whether the signal ended it. */
  readonly interrupted: boolean;
  /** Milliseconds that the whole took. */
  readonly elapsedMs: number;
  /** Runs of scenarios that were gone through, and of them those that took every image. */
  readonly runs: number;
  /** How many runs went through every image there is. */
  readonly exhaustiveRuns: number;
}

/** The statecharts whose transitions are counted. */
export const labMachines = [
  checkpointMachine,
  recoveryMachine,
  writeMachine,
  failureDetectorMachine,
];

/** Transitions of a coverage table that were never crashed at and are not listed with a reason. */
export function uncoveredWithoutReason(table: readonly CoverageRow[]): string[] {
  return table
    .filter(({ crashes }) => crashes === 0)
    .map(({ machine, transition }) => `${machine}: ${transition}`)
    .filter((name) => !uncrashed.some(({ transition }) => transition.test(name)));
}

const none: ExploreCounts = { moments: 0, images: 0, distinct: 0, recovered: 0, failures: 0 };

/** Runs the lab. */
export async function runLab(options: LabOptions): Promise<LabReport> {
  const session = new LabSession(options);
  const { timeMs, rounds = timeMs === undefined ? 1 : Number.POSITIVE_INFINITY } = options;
  for (let round = 0; round < rounds && !session.isOver(); round += 1) {
    // Far enough apart that the seeds of one round's moments don't meet those of another.
    const seed = options.seed + round * 1_000_003;
    for (const plan of plansOf(options, seed)) {
      for (const model of options.models) {
        if (!session.isOver()) await session.run(plan, model, seed);
      }
    }
  }
  return session.report();
}

type Plan = Pick<FailurePlan, 'scenario' | 'options'> | { readonly detector: DetectorScenario };

function plansOf({ scenarios, withFailures = true }: LabOptions, seed: number): Plan[] {
  const plain = scenarios.map((scenario): Plan => ({ scenario, options: {} }));
  const detectors = detectorPlans.map((detector) => ({ detector }));
  return withFailures ? [...plain, ...drawPlans(seed), ...detectors, ...failurePlans] : plain;
}

/** What a running lab has come to. */
class LabSession {
  readonly #options: LabOptions;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #coverage = new Coverage();
  readonly #cases: CaseFile[] = [];
  #counts = none;
  #runs = 0;
  #exhaustiveRuns = 0;
  #known = knownOutcomes();
  #detectorMemo = new RecoveryMemo<DetectorFound>();

  constructor(options: LabOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#startedMs = this.#now();
  }

  get #elapsedMs(): number {
    return this.#now() - this.#startedMs;
  }

  isOver(): boolean {
    const { signal, failuresMax, timeMs } = this.#options;
    const isLate = timeMs !== undefined && this.#elapsedMs > timeMs;
    return signal?.aborted === true || this.#cases.length >= failuresMax || isLate;
  }

  async run(plan: Plan, model: PersistenceModel, seed: number): Promise<void> {
    if (this.#known.memo.isFull) this.#known = knownOutcomes();
    if (this.#detectorMemo.isFull) this.#detectorMemo = new RecoveryMemo();
    if ('detector' in plan) await this.#runDetector(plan.detector, model, seed);
    else await this.#runStore(plan, model, seed);
  }

  /** A run of the failure detector; those with faults are many, and crashed once. */
  async #runDetector(
    detector: DetectorScenario,
    model: PersistenceModel,
    seed: number,
  ): Promise<void> {
    const scenario = { name: detector.name, steps: [] };
    const before = this.#counts;
    const scope = detector.runFaults === undefined ? {} : { depth: 1, imagesPerMoment: [2] };
    const options = { ...this.#options, ...scope, ...this.#limits(before, scenario, model) };
    const program = detectorProgram(detector);
    const report = await exploreKnowing(program, { ...options, model, seed }, this.#detectorMemo);
    this.#take(before, report, { scenario, detector, model, seed });
  }

  async #runStore(
    { scenario, options }: Pick<FailurePlan, 'scenario' | 'options'>,
    model: PersistenceModel,
    seed: number,
  ): Promise<void> {
    const before = this.#counts;
    const limits = this.#limits(before, scenario, model);
    const all = { ...this.#options, ...options, model, seed, ...limits };
    const report = await exploreStore(scenario, all, this.#known);
    const { runFaults, recoveryFaults } = { ...this.#options, ...options };
    const from = {
      scenario,
      model,
      seed,
      ...(runFaults && { runFaults }),
      ...(recoveryFaults && { recoveryFaults }),
    };
    this.#take(before, report, from);
  }

  #limits(before: ExploreCounts, { name }: { readonly name: string }, model: PersistenceModel) {
    const { timeMs, failuresMax, onProgress } = this.#options;
    return {
      failuresMax: failuresMax - this.#cases.length,
      timeMs: timeMs === undefined ? undefined : timeMs - this.#elapsedMs,
      onProgress: (partial: ExploreCounts) =>
        onProgress?.({
          counts: sum(before, partial),
          scenario: name,
          model,
          elapsedMs: this.#elapsedMs,
        }),
    };
  }

  #take(
    before: ExploreCounts,
    report: ExploreReport,
    from: Parameters<typeof toCaseFile>[1],
  ): void {
    this.#counts = sum(before, report.counts);
    this.#runs += 1;
    if (report.exhaustive) this.#exhaustiveRuns += 1;
    this.#coverage.add(report.coverage);
    this.#cases.push(...report.failures.map((one) => toCaseFile(one, from)));
  }

  report(): LabReport {
    const coverage = this.#coverage.table(labMachines);
    return {
      counts: this.#counts,
      cases: this.#cases,
      coverage,
      uncovered: uncoveredWithoutReason(coverage),
      interrupted: this.#options.signal?.aborted === true,
      elapsedMs: this.#elapsedMs,
      runs: this.#runs,
      exhaustiveRuns: this.#exhaustiveRuns,
    };
  }
}

function sum(left: ExploreCounts, right: ExploreCounts): ExploreCounts {
  return {
    moments: left.moments + right.moments,
    images: left.images + right.images,
    distinct: left.distinct + right.distinct,
    recovered: left.recovered + right.recovered,
    failures: left.failures + right.failures,
  };
}
