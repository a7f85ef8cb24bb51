/**
 * A saved case once more: the same disks, the same faults in the first recovery, the same checks, with
 * this version of the store. What the first run did is not repeated, as its disks are in the case.
 */
import { mount } from '../io/crash-images.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { type CaseFile, fromData } from './case-file.js';
import type { Outcome } from './check-recovery.js';
import { storeProgram } from './explore.js';
import type { Failure } from './explore-program.js';

/** What the last recovery of a case came to. */
export interface ReplayedCase {
  readonly disk: SimulatedDisk;
  readonly outcome: Outcome;
  /** The checks that do not hold, now. */
  readonly failures: readonly Failure[];
}

/** Recovers each disk of a case in turn; `undefined` for a case without a crash. */
export async function replayCase(found: CaseFile): Promise<ReplayedCase | undefined> {
  const { scenario, recoveryFaults, trail, model, allowed } = found;
  const program = storeProgram(scenario, { recoveryFaults });
  const probe = { inspect: () => {}, promises: () => {}, outside: (act: () => void) => act() };
  let last: ReplayedCase | undefined;
  for (const [index, step] of trail.entries()) {
    const before = fromData(step.disk);
    const disk = mount(before, model);
    const outcome = await program.recover(disk, probe, index + 1);
    const tried = {
      before,
      disk,
      found: outcome,
      promised: allowed ?? { values: [], sequence: 0 },
    };
    const failures = await program.check(tried);
    const isTold = allowed !== undefined || !outcome.ready;
    last = { disk, outcome, failures: isTold ? failures : [] };
  }
  return last;
}
