/**
 * The ways in which broken variants are looked for. Each runs a store, of whatever build, through the
 * lab and stops at the first check that does not hold. Most are the lab as it is; the rest add one check
 * of their own, or start from damage instead of a scenario.
 */
import type { WalHeader } from '../../src/format/wal-format.js';
import type { scanWal } from '../../src/format/wal-scanner.js';
import type { WalEncoder } from '../../src/format/wal-writer.js';
import { SimulatedDisk } from '../../src/io/simulated-disk.js';
import type { CheckpointStore } from '../../src/store.js';
import {
  checkRecovery,
  type OpenSettings,
  recover,
  type SettledChecks,
} from '../../src/testing/check-recovery.js';
import type { Allowed } from '../../src/testing/expectation.js';
import { explore, type StoreExploreOptions, storeProgram } from '../../src/testing/explore.js';
import {
  type ExploreOptions,
  exploreProgram,
  type Failure,
} from '../../src/testing/explore-program.js';
import { LAB_FILE, type Scenario } from '../../src/testing/scenario.js';
import { slowSyncs } from '../../src/testing/slow-syncs.js';
import { variantScenarios as scenarios } from './lab-scenarios.js';
import type { Build } from './variant-build.js';
import { checkLateEdit, type StoreProgram } from './variant-checks.js';
import {
  type DamagedDisk,
  damagedCheckpoints,
  damagedLogs,
  evidence,
  fill,
  foreignLogs,
  read,
} from './variant-disks.js';
import { variantFaults as faults } from './variant-faults.js';
import { intentOf, joinBytes, testHeader, utf8 } from './wal-builder.js';

/** What a hunt came to. */
export interface Hunted {
  /** The first check that did not hold; absent if all held. */
  readonly failure?: Failure;
  /** Distinct states of the disk that were recovered and checked, up to the failure. */
  readonly states: number;
}

/** One way to look for a broken variant. */
export interface Hunt {
  /** Where it looks, in words. */
  readonly where: string;
  readonly run: (build: Build) => Promise<Hunted>;
}

/** A guard against a variant that loops, no more: no hunt takes a tenth of it. */
const TIME_MS = 20_000;
const base = { seed: 1, failuresMax: 1, timeMs: TIME_MS } as const;
const minimal = { ...base, model: 'posix-minimal', depth: 1, imagesPerMoment: [24] } as const;
const ordered = { ...minimal, model: 'ordered' } as const;
const killed = { ...minimal, depth: 2, imagesPerMoment: [1, 12] } as const;
const nested = { ...minimal, depth: 2, imagesPerMoment: [8, 6] } as const;

/** By name; the names stand in the table of `docs/testing.md`. */
export const hunts = {
  committed: inLab(scenarios.committed, minimal),
  'committed, in order': inLab(scenarios.committed, ordered),
  'committed, slow syncs': inLab(scenarios.committed, minimal, { over: slowSyncs }),
  logged: inLab(scenarios.logged, minimal, { over: slowSyncs }),
  'logged, crashed twice': inLab(scenarios.once, nested, { over: slowSyncs }),
  'first save': inLab(scenarios.first, minimal, { over: slowSyncs }),
  'waiting in the log': inLab(scenarios.waiting, minimal, { over: slowSyncs }),
  together: inLab(scenarios.together, minimal, { over: slowSyncs }),
  'outside edit': inLab(scenarios.edited, minimal),
  reopened: inLab(scenarios.reopened, minimal),
  'caller goes on changing the state': inLab(scenarios.failing, minimal, {
    wrap: mutating,
    over: (disk) => slowSyncs(faults.fullDisk(disk)),
  }),
  'sync of the log fails': inLab(scenarios.logged, minimal, { over: faults.failingLogSync }),
  'sync of the temporary file fails': inLab(scenarios.committed, minimal, {
    over: faults.failingTemporarySync,
  }),
  'disk full': inLab(scenarios.committed, minimal, { over: faults.fullDisk }),
  'short writes': inLab(scenarios.long, minimal, { over: faults.shortWrites }),
  history: inLab(scenarios.committed, minimal),
  readers: inLab(scenarios.committed, minimal),
  epochs: inLab(scenarios.reopened, minimal),
  'edit during a save': {
    where: 'two saves, an edit in the second, `posix-minimal`',
    run: duringASave,
  },
  'killed, then power failure': inLab(scenarios.logged, killed, { over: slowSyncs }),
  'damaged logs': onDisks('each seventh byte of a log damaged', damagedLogs),
  'foreign logs': onDisks('logs that this store never wrote', async () => foreignLogs()),
  'damaged checkpoints': onDisks('checkpoints edited, torn or lost', damagedCheckpoints),
  'crash while evidence is kept': { where: 'damage, then a power failure', run: keepsEvidence },
  'stale frames': { where: 'frames of one log behind the header of another', run: staleFrames },
} satisfies Record<string, Hunt>;

/** The name of a hunt. */
export type HuntName = keyof typeof hunts;

interface LabSettings {
  readonly over?: StoreExploreOptions['over'];
  /** Changes what callers do with the store. */
  readonly wrap?: (open: Build['open']) => Build['open'];
}

/** The lab as it is. */
function inLab(scenario: Scenario, options: ExploreOptions, settings: LabSettings = {}): Hunt {
  const { over, wrap = (open) => open } = settings;
  const deep = options.depth > 1 ? ', crashed twice' : '';
  return {
    where: `${scenario.name}, \`${options.model}\`${deep}`,
    run: async ({ open }) =>
      toHunted(await explore(scenario, { ...options, open: wrap(open), over })),
  };
}

function toHunted({
  failures: [failure],
  counts,
}: Awaited<ReturnType<typeof exploreProgram>>): Hunted {
  return { ...(failure && { failure }), states: counts.distinct };
}

/** An editor writes into the file while it is saved; its edit is replaced, and must be kept. */
async function duringASave({ open }: Build): Promise<Hunted> {
  const over = faults.lateEditor;
  const program = atTheEnd(storeProgram(scenarios.committed, { open, over }));
  return toHunted(await exploreProgram({ ...program, check: checkLateEdit }, minimal));
}

/** Looks only at what is left once the run is over. */
function atTheEnd(program: StoreProgram): StoreProgram {
  return {
    ...program,
    run: async (disk, probe) => {
      let promised: (() => Allowed) | undefined;
      const promises = (ask: () => Allowed) => {
        promised = ask;
      };
      await program.run(disk, { inspect: () => {}, outside: (act) => act(), promises });
      disk.settle();
      if (promised !== undefined) probe.promises(promised);
    },
  };
}

/** Callers that change their state as soon as they have asked for it to be saved. */
function mutating(open: Build['open']): Build['open'] {
  const opened = async (options: Parameters<Build['open']>[0]) => {
    const store = (await open<unknown>(options)) as CheckpointStore<unknown>;
    const save = store.save.bind(store);
    store.save = (state, how) => {
      const own = structuredClone(state) as { v?: unknown };
      const saved = save(own, how);
      own.v = 'changed after the call';
      return saved;
    };
    return store;
  };
  return opened as Build['open'];
}

/** The lab's checks on one disk after another. */
function onDisks(where: string, make: () => Promise<readonly DamagedDisk[]>): Hunt {
  return {
    where,
    run: async ({ open }) => {
      const settled: SettledChecks = new Map();
      let states = 0;
      for (const { name, state, allowed, externalEdits } of await make()) {
        states += 1;
        const disk = new SimulatedDisk({ state });
        const settings: OpenSettings = { open, externalEdits };
        const outcome = await recover(disk, { ...settings, inspect: undefined });
        const tried = { before: state, disk, outcome, allowed };
        const [failure] = await checkRecovery(tried, settings, settled);
        if (failure !== undefined) {
          return { failure: { ...failure, message: `${name}: ${failure.message}` }, states };
        }
      }
      return { states };
    },
  };
}

/** Power fails while a recovery keeps the evidence of damage; it must survive that too. */
async function keepsEvidence({ open }: Build): Promise<Hunted> {
  let states = 0;
  for (const { name, state, allowed, file } of await evidence()) {
    const text = new TextDecoder().decode(read(state, file));
    const steps = file === LAB_FILE ? [{ do: 'damage', text } as const] : [];
    const program = storeProgram({ name, steps }, { open });
    const run: StoreProgram['run'] = async (disk, probe) => {
      fill(disk, state);
      probe.promises(() => allowed);
    };
    const report = await exploreProgram({ ...program, run }, { ...nested, imagesPerMoment: [24] });
    states += report.counts.distinct;
    const { failure } = toHunted(report);
    if (failure !== undefined) return { failure, states };
  }
  return { states };
}

const ONE_SAVE = { sequence: 7, image: utf8('v: 1\n') };

/**
 * A new log over the blocks of an old one, written by the same build: its frames must not be taken for
 * the new log's. Whether a build keeps that is between its own writer and its own scanner.
 */
async function staleFrames({ load }: Build): Promise<Hunted> {
  const { WalEncoder: encoderClass } = await load('format/wal-writer.js');
  const { scanWal: scan } = (await load('format/wal-scanner.js')) as { scanWal: typeof scanWal };
  const Encoder = encoderClass as new (header: WalHeader) => WalEncoder;
  const encoder = new Encoder(testHeader(1));
  const { image } = ONE_SAVE;
  const old = joinBytes(
    encoder.header(),
    encoder.intent(intentOf(ONE_SAVE), image.length),
    encoder.data(image),
    encoder.seal(),
  );
  const fresh = new Encoder(testHeader(77)).header();
  const { kind } = scan(joinBytes(fresh, old.subarray(fresh.length)));
  if (kind !== 'sealed' && scan(old).kind === 'sealed') return { states: 1 };
  return {
    failure: { check: 'stale-frames-never-verify', message: `stale frames read as ${kind}` },
    states: 1,
  };
}
