/**
 * A saved case once more: the same disks, the same faults in the first recovery, the same checks, with
 * this version of the store. What the first run did is not repeated, as its disks are in the case.
 */
import { mount } from '../io/crash-images.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { type CaseFile, fromData } from './case-file.js';
import type { Outcome } from './check-recovery.js';
import { type DetectorPromise, type DetectorScenario, detectorProgram } from './detector-lab.js';
import { storeProgram } from './explore.js';
import type { FirstCrash } from './explore-program.js';
import type { Failure } from './explore-report.js';

/** What the last recovery of a case came to. */
export interface ReplayedCase {
  /** The disk after the last recovery. */
  readonly disk: SimulatedDisk;
  /** What that recovery came to. */
  readonly outcome: Outcome;
  /** The checks that do not hold, now. */
  readonly failures: readonly Failure[];
}

/** The same of a run of the failure detector. */
async function replayDetector(
  { trail, model, allowed }: CaseFile,
  detector: DetectorScenario,
): Promise<ReplayedCase | undefined> {
  const program = detectorProgram(detector);
  let last: ReplayedCase | undefined;
  for (const [index, step] of trail.entries()) {
    const before = fromData(step.disk);
    const disk = mount(before, model);
    const found = await program.recover(disk, probe, index + 1);
    const promised = allowed as unknown as DetectorPromise;
    const failures = await program.check({ before, disk, found, promised });
    const outcome: Outcome =
      found.store === undefined
        ? { ready: false, error: found.error }
        : { ready: true, store: found.store };
    last = { disk, outcome, failures };
  }
  return last;
}

const probe = { inspect: () => {}, promises: () => {}, outside: (act: () => void) => act() };

/** Recovers each disk of a case in turn; `undefined` for a case without a crash. */
export async function replayCase(found: CaseFile): Promise<ReplayedCase | undefined> {
  if (found.detector !== undefined) return await replayDetector(found, found.detector);
  const { scenario, recoveryFaults, trail, model, allowed } = found;
  const program = storeProgram(scenario, { recoveryFaults });
  let first: FirstCrash<Outcome> | undefined;
  let last: ReplayedCase | undefined;
  for (const [index, step] of trail.entries()) {
    const before = fromData(step.disk);
    const disk = mount(before, model);
    const outcome = await program.recover(disk, probe, index + 1);
    const tried = {
      ...{ before, disk, found: outcome, promised: allowed ?? { values: [], sequence: 0 } },
      ...(first && { first }),
    };
    const failures = await program.check(tried);
    const left = { durable: before, pending: [], cached: new Map() };
    first ??= { left, found: outcome };
    const isTold = allowed !== undefined || !outcome.ready;
    last = { disk, outcome, failures: isTold ? failures : [] };
  }
  return last;
}
