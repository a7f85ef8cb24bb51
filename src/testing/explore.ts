/**
 * Stores in the lab: a scenario as a program for the explorer, with the checks of this package.
 */
import { type Decide, ruleOf } from '../io/fault-rules.js';
import { FaultyFileSystem } from '../io/faulty-file-system.js';
import type { FileSystem } from '../io/file-system.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { openCheckpointStore } from '../store.js';
import { durablySeen, type LabFiles } from './check-files.js';
import { checkRecovery, type Outcome, recover, type SettledChecks } from './check-recovery.js';
import { type Allowed, Expectation } from './expectation.js';
import {
  type ExploreOptions,
  type ExploreReport,
  exploreProgram,
  type Probe,
  type Program,
  unwatched,
} from './explore-program.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { fixedWorld } from './fixed-world.js';
import { LAB_DIRECTORY, LAB_FILE, prepare, runScenario, type Scenario } from './scenario.js';
import { syncsIn, Turns } from './turns.js';

/** What else a store's exploration can be told. */
export interface StoreExploreOptions extends ExploreOptions {
  /** Opens a store; a broken variant, where the checker is being checked. */
  readonly open?: typeof openCheckpointStore | undefined;
  /** Puts a file system of one's own, with faults for example, between the first run and its disk. */
  readonly over?: ((disk: SimulatedDisk) => FileSystem) | undefined;
  /** Operations of the first run that fail. Faults of its file system are the scenario's own. */
  readonly runFaults?: readonly PortFault[] | undefined;
  /** Operations of the first recovery that fail; those after it must then bring everything back. */
  readonly recoveryFaults?: readonly PortFault[] | undefined;
}

/** What of a store and its surroundings a scenario is run with. */
export type StoreSettings = Pick<
  StoreExploreOptions,
  'open' | 'over' | 'runFaults' | 'recoveryFaults'
>;

/** Takes a scenario through the lab. */
export function explore(scenario: Scenario, options: StoreExploreOptions): Promise<ExploreReport> {
  return exploreProgram(storeProgram(scenario, options), options);
}

/** A scenario as a program, which remembers from one recovery to the next what the first crash left. */
export function storeProgram(
  scenario: Scenario,
  settings: StoreSettings,
): Program<Allowed, Outcome> {
  const { open = openCheckpointStore, recoveryFaults = [] } = settings;
  const { externalEdits, faults: { recovery } = {} } = scenario;
  const settled: SettledChecks = new Map();
  let depth = 1;
  let origin: LabFiles | undefined;
  let lies = noticeLies(undefined);
  return {
    run: (disk, probe) => runStore(scenario, settings, disk, probe),
    recover: async (disk, { inspect: watch }, crashes) => {
      depth = crashes;
      // An actor that is inspected makes events of every step, whether or not anybody looks at them.
      const inspect = watch === unwatched ? undefined : watch;
      const place = { open, externalEdits, inspect, ...fixedWorld(`recovery ${depth}`) };
      // After a mere kill not all that the recovery sees is durable, and the rest may be lost with it.
      if (depth === 1) origin = durablySeen(disk.moment());
      if (depth !== 1) return await recover(disk, place);
      lies = noticeLies(recovery && ruleOf(recovery).start());
      const { decide } = lies;
      return await recover(disk, { ...place, faults: recoveryFaults, decide });
    },
    // The disk keeps who holds a lock apart from its files: only whether there is one matters to it.
    ignores: (path) => path === `${LAB_DIRECTORY}/.checkpoint.lock`,
    check: async ({ before, disk, found: outcome, promised }) => {
      // What a lying disk has lost, it has lost to the power failure that comes next.
      const hasLied = depth > 1 && lies.hasLied();
      const allowed: Allowed = hasLied ? { ...promised, lied: true } : promised;
      const further = depth > 1 ? { origin } : {};
      const tried = { before, disk, outcome, allowed, scenario, ...further };
      return await checkRecovery(tried, { open, externalEdits }, settled);
    },
  };
}

async function runStore(
  scenario: Scenario,
  { open = openCheckpointStore, over, runFaults = [] }: StoreSettings,
  disk: SimulatedDisk,
  probe: Probe<Allowed>,
): Promise<void> {
  const { externalEdits, maxCheckpoints, publish, faults: { run } = {} } = scenario;
  const expectation = new Expectation(externalEdits);
  const turns = new Turns();
  const { decide, hasLied } = noticeLies(run && ruleOf(run).start());
  const below = over?.(disk) ?? disk;
  const faulty = decide ? new FaultyFileSystem(below, decide, { disk }) : below;
  // Synced in turns of the event loop, so that a promise kept too early is seen as one.
  const fileSystem = syncsIn(turns, faulty);
  const place = { directory: LAB_DIRECTORY, file: LAB_FILE, ...fixedWorld('the run') };
  const world = {
    disk,
    expectation,
    turns,
    open: () =>
      open({
        ...place,
        fileSystem,
        externalEdits,
        maxCheckpoints,
        publish: publish && { ...publish, afterMs: Number.POSITIVE_INFINITY },
        restore: false,
        audit: false,
        maxAgeHours: Number.POSITIVE_INFINITY,
        inspect: probe.inspect,
        around: (io) => faultyIo(io, runFaults),
      }),
    outside: probe.outside,
  };
  prepare(scenario, world);
  probe.promises(() => {
    const asked = expectation.allowed();
    const known = maxCheckpoints === undefined ? asked : { ...asked, past: [] };
    const allowed = publish === undefined ? known : withoutUnpublished(known);
    return hasLied() ? { ...allowed, lied: true } : allowed;
  });
  await runScenario(scenario, world);
}

/** Of saves that wait in the log only the last one becomes a checkpoint. */
function withoutUnpublished({ newest, ...asked }: Allowed): Allowed {
  return { ...asked, past: [], ...(typeof newest === 'string' && { newest }) };
}

/** The same faults, and whether a sync has been confirmed among them that was not done. */
function noticeLies(inner: Decide | undefined): {
  readonly decide: Decide | undefined;
  readonly hasLied: () => boolean;
} {
  let hasLied = false;
  const decide: Decide | undefined =
    inner &&
    ((operation) => {
      const fault = inner(operation);
      hasLied ||= fault?.kind === 'lie';
      return fault;
    });
  return { decide, hasLied: () => hasLied };
}
