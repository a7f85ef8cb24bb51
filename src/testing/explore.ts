/**
 * Stores in the lab: a scenario as a program for the explorer, with the checks of this package.
 */
import type { FileSystem } from '../io/file-system.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { openCheckpointStore } from '../store.js';
import { checkRecovery, type Outcome, recover, type SettledChecks } from './check-recovery.js';
import {
  type ExploreOptions,
  type ExploreReport,
  exploreProgram,
  type Program,
  unwatched,
} from './explore-program.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { fixedWorld } from './fixed-world.js';
import {
  type Allowed,
  Expectation,
  LAB_DIRECTORY,
  LAB_FILE,
  prepare,
  runScenario,
  type Scenario,
} from './scenario.js';
import { slowSyncs } from './slow-syncs.js';

/** What else a store's exploration can be told. */
export interface StoreExploreOptions extends ExploreOptions {
  /** Opens a store; a broken variant, where the checker is being checked. */
  readonly open?: typeof openCheckpointStore | undefined;
  /** Puts a file system of one's own, with faults for example, between the first run and its disk. */
  readonly over?: ((disk: SimulatedDisk) => FileSystem) | undefined;
  /** Operations of the first run that fail. */
  readonly runFaults?: readonly PortFault[] | undefined;
  /** Operations of the first recovery that fail; those after it must then bring everything back. */
  readonly recoveryFaults?: readonly PortFault[] | undefined;
}

type StoreSettings = Pick<StoreExploreOptions, 'open' | 'over' | 'runFaults' | 'recoveryFaults'>;

/** Takes a scenario through the lab. */
export function explore(scenario: Scenario, options: StoreExploreOptions): Promise<ExploreReport> {
  return exploreProgram(storeProgram(scenario, options), options);
}

/** A scenario as a program. */
export function storeProgram(
  scenario: Scenario,
  { open = openCheckpointStore, over, runFaults = [], recoveryFaults = [] }: StoreSettings,
): Program<Allowed, Outcome> {
  const { externalEdits } = scenario;
  const settled: SettledChecks = new Map();
  return {
    async run(disk, probe) {
      const expectation = new Expectation();
      // Synced in turns of the event loop, so that a promise kept too early is seen as one.
      const fileSystem = slowSyncs(over?.(disk) ?? disk);
      const place = { directory: LAB_DIRECTORY, file: LAB_FILE, ...fixedWorld('the run') };
      const world = {
        disk,
        expectation,
        open: () =>
          open({
            ...place,
            fileSystem,
            externalEdits,
            inspect: probe.inspect,
            around: (io) => faultyIo(io, runFaults),
          }),
        outside: probe.outside,
      };
      prepare(scenario, world);
      probe.promises(() => expectation.allowed());
      await runScenario(scenario, world);
    },
    recover: (disk, { inspect: watch }, depth) => {
      const faults = depth === 1 ? recoveryFaults : [];
      // An actor that is inspected makes events of every step, whether or not anybody looks at them.
      const inspect = watch === unwatched ? undefined : watch;
      const world = fixedWorld(`recovery ${depth}`);
      return recover(disk, { open, externalEdits, inspect, faults, ...world });
    },
    // The disk keeps who holds a lock apart from its files: only whether there is one matters to it.
    ignores: (path) => path === `${LAB_DIRECTORY}/.checkpoint.lock`,
    check: ({ before, disk, found, promised }) => {
      // A recovery that was made to fail has to be able to refuse; what it leaves is crashed next.
      if (!found.ready && isMadeToFail(found.error)) return [];
      if (!found.ready && externalEdits === 'reject' && isRejection(found.error)) return [];
      const outcome = { before, disk, outcome: found, allowed: promised };
      return checkRecovery(outcome, { open, externalEdits }, settled);
    },
  };
}

function isMadeToFail(error: unknown): boolean {
  return error instanceof Error && error.message.includes('was made to fail');
}

/** Under the policy `reject` an edited file is to be refused. */
function isRejection(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EDITED_OUTSIDE';
}
