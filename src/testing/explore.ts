/**
 * Stores in the lab: a scenario as a program for the explorer, with the checks of this package.
 */
import { type Decide, ruleOf } from '../io/fault-rules.js';
import { FaultyFileSystem } from '../io/faulty-file-system.js';
import type { FileSystem } from '../io/file-system.js';
import type { SimulatedDisk } from '../io/simulated-disk.js';
import { openCheckpointStore } from '../store.js';
import { durablySeen, evidenceIn, type LabFiles } from './check-files.js';
import {
  checkRecovery,
  type Outcome,
  openOptionsOf,
  recover,
  type SettledChecks,
} from './check-recovery.js';
import { type Allowed, Expectation } from './expectation.js';
import {
  type ExploreOptions,
  exploreKnowing,
  type FirstCrash,
  type Probe,
  type Program,
  unwatched,
} from './explore-program.js';
import type { ExploreReport } from './explore-report.js';
import { faultyIo, type PortFault } from './faulty-io.js';
import { fixedWorld } from './fixed-world.js';
import { RecoveryMemo } from './recovery-memo.js';
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
  return exploreStore(scenario, options, knownOutcomes());
}

/** The same, with what explorations with the same `open` have found out before. */
export function exploreStore(
  scenario: Scenario,
  options: StoreExploreOptions,
  { memo, settled }: KnownOutcomes,
): Promise<ExploreReport> {
  return exploreKnowing(programOf(scenario, options, settled), options, memo);
}

/** What explorations with the same `open` have found out of recoveries: for the next ones. */
export interface KnownOutcomes {
  readonly memo: RecoveryMemo<Outcome>;
  readonly settled: SettledChecks;
}

/** Nothing yet. */
export function knownOutcomes(): KnownOutcomes {
  return { memo: new RecoveryMemo(), settled: new Map() };
}

/** A scenario as a program. */
export function storeProgram(
  scenario: Scenario,
  settings: StoreSettings,
): Program<Allowed, Outcome> {
  return programOf(scenario, settings, new Map());
}

function programOf(
  scenario: Scenario,
  settings: StoreSettings,
  settled: SettledChecks,
): Program<Allowed, Outcome> {
  const { open = openCheckpointStore, recoveryFaults = [] } = settings;
  const { faults: { recovery } = {} } = scenario;
  const opening = openOptionsOf(scenario);
  const place = { open, ...opening };
  const openedWith = JSON.stringify(opening);
  const failing = JSON.stringify([recoveryFaults, recovery ?? null]);
  return {
    run: (disk, probe) => runStore(scenario, settings, disk, probe),
    recover: async (disk, { inspect: watch }, depth) => {
      // An actor that is inspected makes events of every step, whether or not anybody looks at them.
      const inspect = watch === unwatched ? undefined : watch;
      const world = { inspect, ...fixedWorld(`recovery ${depth}`) };
      if (depth !== 1) return await recover(disk, { ...place, ...world });
      const decide = recovery && ruleOf(recovery).start();
      return await recover(disk, { ...place, ...world, faults: recoveryFaults, decide });
    },
    // The disk keeps who holds a lock apart from its files: only whether there is one matters to it.
    ignores: (path) => path === `${LAB_DIRECTORY}/.checkpoint.lock`,
    decidedBy: (depth) => `${depth}|${openedWith}|${depth === 1 ? failing : ''}`,
    comparesWith: (first) => `${hasLied(first)}|${evidenceIn(evidenceOf(first))}`,
    check: async (recovered) => {
      const { first, promised, before, found: outcome } = recovered;
      // What a lying disk has lost, it has lost to the power failure that comes next.
      const allowed: Allowed = first && hasLied(first) ? { ...promised, lied: true } : promised;
      const origin = first && evidenceOf(first);
      const after = recovered.after ?? recovered.disk.visible();
      const tried = { before, origin, after, outcome, allowed, scenario };
      return await checkRecovery(tried, place, settled);
    },
  };
}

const evidence = new WeakMap<FirstCrash<Outcome>['left'], LabFiles>();

/** What the first crash left for good: what a mere kill leaves may be lost in the recovery. */
function evidenceOf({ left }: FirstCrash<Outcome>): LabFiles {
  const files = evidence.get(left) ?? durablySeen(left);
  evidence.set(left, files);
  return files;
}

function hasLied({ found }: FirstCrash<Outcome>): boolean {
  return found.hasLied === true;
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
        ...openOptionsOf(scenario),
        maxCheckpoints,
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
