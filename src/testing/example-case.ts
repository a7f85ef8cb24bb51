/**
 * A case that holds: one crash in the middle of a save, torn as disks tear. For who wants to see what a
 * case looks like, and what recovery does, while nothing is broken.
 */
import { type CrashImage, crashImages } from '../io/crash-images.js';
import { type DiskMoment, type PersistenceModel, SimulatedDisk } from '../io/simulated-disk.js';
import { CASE_VERSION, type CaseFile, toData } from './case-file.js';
import { Coverage } from './coverage.js';
import { storeProgram } from './explore.js';
import type { Scenario } from './scenario.js';

/** Which crash of which scenario. */
export interface ExampleCaseOptions {
  readonly scenario: Scenario;
  readonly model: PersistenceModel;
  readonly seed: number;
  /** The state of the write protocol in which the power fails; the last time that it is in it. */
  readonly state: string;
}

const IMAGES = 200;

/** Makes such a case; `undefined` where the scenario never comes to that state. */
export async function exampleCase(options: ExampleCaseOptions): Promise<CaseFile | undefined> {
  const { scenario, model, seed, state } = options;
  const disk = new SimulatedDisk({ model });
  let changes = 0;
  let current = 'start';
  let crash: { moment: DiskMoment; at: string } | undefined;
  const look = () => {
    const moment = disk.moment();
    const isBetter = moment.pending.length >= (crash?.moment.pending.length ?? 1);
    if (current === `write: "${state}"` && isBetter) {
      crash = { moment, at: `${current}, after ${changes} changes` };
    }
  };
  disk.onChange(() => {
    changes += 1;
    look();
  });
  await storeProgram(scenario, {}).run(disk, {
    inspect: (event) => {
      if (event.type === '@xstate.microstep') current = Coverage.stateOf(event) ?? current;
    },
    promises: () => {},
    outside: (act) => {
      act();
      changes += 1;
    },
  });
  if (crash === undefined) return undefined;
  const image = mostTorn([...crashImages(crash.moment, { limit: IMAGES, seed }).images]);
  if (image === undefined) return undefined;
  return {
    caseVersion: CASE_VERSION,
    scenario,
    model,
    seed,
    check: '',
    message: 'every check holds',
    trail: [{ at: crash.at, fates: image.fates, disk: toData(image.state) }],
  };
}

/** The image that shows most: as many torn writes as there are. */
function mostTorn(images: readonly CrashImage[]): CrashImage | undefined {
  const torn = ({ fates }: CrashImage) => fates.filter((fate) => fate.includes('torn')).length;
  return images.toSorted((left, right) => torn(right) - torn(left))[0];
}
