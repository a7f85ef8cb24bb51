/**
 * A session in the lab: scenarios, persistence models and seeds in turn, until all are done or the time
 * is over, with one coverage table for all of it.
 */
import type { PersistenceModel } from '../io/simulated-disk.js';
import { checkpointMachine } from '../machines/checkpoint-machine.js';
import { recoveryMachine } from '../machines/recovery-machine.js';
import { writeMachine } from '../machines/write-machine.js';
import { type CaseFile, toCaseFile } from './case-file.js';
import { Coverage, type CoverageRow } from './coverage.js';
import { explore, type StoreExploreOptions } from './explore.js';
import type { ExploreCounts } from './explore-program.js';
import type { Scenario } from './scenario.js';

/** What to do. */
export interface LabOptions extends Omit<StoreExploreOptions, 'model' | 'onProgress'> {
  readonly scenarios: readonly Scenario[];
  readonly models: readonly PersistenceModel[];
  /** How often to go through all scenarios, each time with another seed; until the time is over if absent. */
  readonly rounds?: number;
  readonly onProgress?: (progress: LabProgress) => void;
}

/** Where the lab is. */
export interface LabProgress {
  readonly counts: ExploreCounts;
  readonly scenario: string;
  readonly model: PersistenceModel;
  readonly elapsedMs: number;
}

/** What came of it. */
export interface LabReport {
  readonly counts: ExploreCounts;
  readonly cases: readonly CaseFile[];
  readonly coverage: readonly CoverageRow[];
  readonly elapsedMs: number;
  /** Runs of scenarios that were gone through, and of them those that took every image. */
  readonly runs: number;
  readonly exhaustiveRuns: number;
}

const none: ExploreCounts = { moments: 0, images: 0, distinct: 0, failures: 0 };

/** Runs the lab. */
export async function runLab(options: LabOptions): Promise<LabReport> {
  const { scenarios, models, seed, failuresMax, timeMs, signal, onProgress } = options;
  const now = options.now ?? (() => performance.now());
  const startedMs = now();
  const rounds = options.rounds ?? (timeMs === undefined ? 1 : Number.POSITIVE_INFINITY);
  const coverage = new Coverage();
  const cases: CaseFile[] = [];
  let counts = none;
  let runs = 0;
  let exhaustiveRuns = 0;
  const isOver = () =>
    signal?.aborted === true ||
    cases.length >= failuresMax ||
    (timeMs !== undefined && now() - startedMs > timeMs);
  for (let round = 0; round < rounds && !isOver(); round += 1) {
    for (const scenario of scenarios) {
      for (const model of models) {
        if (isOver()) break;
        const before = counts;
        const report = await explore(scenario, {
          ...options,
          model,
          // Far enough apart that the seeds of one run's moments don't meet those of another.
          seed: seed + round * 1_000_003,
          failuresMax: failuresMax - cases.length,
          timeMs: timeMs === undefined ? undefined : timeMs - (now() - startedMs),
          onProgress: (partial) =>
            onProgress?.({
              counts: sum(before, partial),
              scenario: scenario.name,
              model,
              elapsedMs: now() - startedMs,
            }),
        });
        counts = sum(before, report.counts);
        runs += 1;
        if (report.exhaustive) exhaustiveRuns += 1;
        coverage.add(report.coverage);
        cases.push(...report.failures.map((one) => toCaseFile(one, { scenario, model, seed })));
      }
    }
  }
  const machines = [checkpointMachine, recoveryMachine, writeMachine];
  const table = coverage.table(machines);
  return { counts, cases, coverage: table, elapsedMs: now() - startedMs, runs, exhaustiveRuns };
}

function sum(left: ExploreCounts, right: ExploreCounts): ExploreCounts {
  return {
    moments: left.moments + right.moments,
    images: left.images + right.images,
    distinct: left.distinct + right.distinct,
    failures: left.failures + right.failures,
  };
}
