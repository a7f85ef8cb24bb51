/**
 * What is known of a recovery stands for another one only where that one could not have done anything
 * else. Compared with running every recovery; and the rule is broken to see that the comparison notices.
 */
import { describe, expect, it } from 'vitest';
import { fingerprint, mount } from '../../../src/io/crash-images.js';
import type { DiskState } from '../../../src/io/disk-state.js';
import { SimulatedDisk } from '../../../src/io/simulated-disk.js';
import { type DetectorFound, detectorProgram } from '../../../src/testing/detector-lab.js';
import { detectorPlans } from '../../../src/testing/detector-plans.js';
import { digestOf } from '../../../src/testing/digest.js';
import { storeProgram } from '../../../src/testing/explore.js';
import { exploreKnowing, type Program } from '../../../src/testing/explore-program.js';
import { failurePlans } from '../../../src/testing/failure-plans.js';
import { RecoveryMemo } from '../../../src/testing/recovery-memo.js';
import { labScenarios } from '../../../src/testing/scenarios.js';

const options = {
  model: 'posix-minimal',
  seed: 1,
  depth: 2,
  imagesPerMoment: [4, 1],
  failuresMax: 1,
} as const;

/** Everything that was checked: the image, what was promised, what was found, and what was left. */
async function checked<Promised, Found>(
  program: Program<Promised, Found>,
  tell: (found: Found) => unknown,
  how: { readonly memo?: RecoveryMemo<Found>; readonly remembers?: boolean },
) {
  const outcomes: string[] = [];
  const check: typeof program.check = async (recovered) => {
    const failures = await program.check(recovered);
    const { before, after = recovered.disk.visible(), promised, found, depth } = recovered;
    const read = (content: Uint8Array, path: string) =>
      program.ignores?.(path) === true ? 'ignored' : digestOf(content);
    const disks = [before, after].map((state) => fingerprint(state, read));
    outcomes.push(JSON.stringify([depth, promised, ...disks, tell(found), failures]));
    return failures;
  };
  const { decidedBy, ...running } = program;
  const asked = how.remembers === false || decidedBy === undefined ? running : program;
  const { counts } = await exploreKnowing(
    { ...asked, check },
    options,
    how.memo ?? new RecoveryMemo(),
  );
  return { outcomes, counts };
}

const inStore = (found: Awaited<ReturnType<ReturnType<typeof storeProgram>['recover']>>) =>
  found.ready
    ? [found.store.sequence, found.store.text, found.store.recovery.decisions]
    : String(found.error);
const inDetector = ({ store, health, error }: DetectorFound) => [
  store?.sequence,
  store?.text,
  health,
  String(error),
];

const failing = failurePlans.filter(({ title }) => /in the recovery of a damaged/.test(title));
const stores = [
  ...labScenarios.slice(0, 3).map((scenario) => ({ scenario, options: {} })),
  ...failing.slice(0, 2),
  ...failing.slice(-2),
];

describe('a recovery that is known', () => {
  it('comes to what running it comes to, for every image, in one program after the other', async () => {
    const memo = new RecoveryMemo<Parameters<typeof inStore>[0]>();
    let [run, saved] = [0, 0];
    for (const { scenario, options: settings } of stores) {
      const every = await checked(storeProgram(scenario, settings), inStore, { remembers: false });
      const known = await checked(storeProgram(scenario, settings), inStore, { memo });
      expect(known.outcomes).toEqual(every.outcomes);
      expect({ ...known.counts, recovered: 0 }).toEqual({ ...every.counts, recovered: 0 });
      expect(every.counts.recovered).toBe(every.counts.distinct);
      run += known.counts.recovered;
      saved += every.counts.recovered - known.counts.recovered;
    }
    expect(saved).toBeGreaterThan(run / 3);
  }, 120_000);

  it('comes to the same with a failure detector', async () => {
    const memo = new RecoveryMemo<DetectorFound>();
    const short = detectorPlans.filter(
      ({ steps, runFaults }) => runFaults === undefined && steps.length <= 3,
    );
    for (const scenario of short.filter(({ name }) => !name.includes('turns')).slice(0, 2)) {
      const every = await checked(detectorProgram(scenario), inDetector, { remembers: false });
      const known = await checked(detectorProgram(scenario), inDetector, { memo });
      expect(known.outcomes).toEqual(every.outcomes);
      expect(known.counts.recovered).toBeLessThan(every.counts.recovered);
    }
  }, 120_000);
});

/** A disk with a file that recoveries read and one that they leave alone. */
function disk(read: string, left: string): DiskState {
  const made = new SimulatedDisk();
  for (const [path, text] of Object.entries({ '/left': left, '/read': read })) {
    made.open(path, 'create').write(new TextEncoder().encode(text), 0);
  }
  made.settle();
  return made.moment().durable;
}

/** Runs a recovery that looks into files in some way, and asks what is then known of another image. */
function askAfter(look: (mounted: SimulatedDisk) => void, first: DiskState, second: DiskState) {
  const memo = new RecoveryMemo<string>();
  const mounted = mount(first, 'ordered');
  look(mounted);
  memo.add('all', memo.sketcher.of(first, undefined), mounted, 'as it was');
  return memo.find('all', memo.sketcher.of(second, undefined), second);
}

const read = (mounted: SimulatedDisk) => {
  mounted.open('/read', 'read').read(new Uint8Array(9), 0);
};

describe('an image', () => {
  const first = disk('one', 'a');

  it('is known by the files that were read, and keeps its own bytes in the others', () => {
    const second = disk('one', 'another');
    const known = askAfter(read, first, second);
    expect(known?.found).toBe('as it was');
    expect(known && fingerprint(known.after, digestOf)).toBe(fingerprint(second, digestOf));
  });

  it('is not known where a file differs that was read', () => {
    expect(askAfter(read, first, disk('two', 'a'))).toBeUndefined();
  });

  it.each<[string, (mounted: SimulatedDisk) => void]>([
    ['was asked for its size', (mounted) => void mounted.open('/left', 'read').size()],
    ['was looked at through its handle', (mounted) => void mounted.open('/left', 'read').stat()],
    ['was looked at by name', (mounted) => void mounted.stat('/left')],
    ['was looked at as a name', (mounted) => void mounted.statLink('/left')],
    [
      'was written to',
      (mounted) => void mounted.open('/left', 'readWrite').write(new Uint8Array(1), 0),
    ],
    ['was cut', (mounted) => mounted.open('/left', 'readWrite').truncate(1)],
  ])('is not known where a file differs that %s', (_, look) => {
    expect(askAfter(look, first, disk('one', 'ab'))).toBeUndefined();
  });

  it('is not known by other names, or where two names lead to one file', () => {
    const named = mount(first, 'ordered');
    named.open('/further', 'create');
    expect(askAfter(read, first, named.visible())).toBeUndefined();
    const [apart, linked] = [
      mount(disk('one', 'one'), 'ordered'),
      mount(disk('one', 'x'), 'ordered'),
    ];
    linked.unlink('/left');
    linked.link('/read', '/left');
    expect(askAfter(read, apart.visible(), linked.visible())).toBeUndefined();
  });
});

/** A program whose recovery reads `/read`, of which a run leaves several images; what was checked. */
async function seenBy(settings: Partial<Program<string, string>>) {
  const checked: string[] = [];
  const program: Program<string, string> = {
    async run(disk, probe) {
      probe.promises(() => 'all');
      for (const name of ['/left', '/read']) {
        disk.open(name, 'create').write(new TextEncoder().encode(name), 0);
        disk.syncDirectory('/');
      }
    },
    async recover(disk) {
      if (disk.stat('/read') === undefined) return 'nothing';
      const bytes = new Uint8Array(9);
      const length = disk.open('/read', 'read').read(bytes, 0);
      return new TextDecoder().decode(bytes.subarray(0, length));
    },
    check({ before, found, first }) {
      if (first) checked.push([fingerprint(before, digestOf), found, first.found].join('|'));
      return [];
    },
    ...settings,
  };
  const { counts } = await exploreKnowing(program, { ...options, seed: 3 }, new RecoveryMemo());
  return { checked, counts };
}

describe('images after several crashes', () => {
  it('are checked once for each thing that their checks ask of the first crash', async () => {
    const once = await seenBy({});
    const each = await seenBy({ comparesWith: ({ found }) => found });
    expect(new Set(each.checked).size).toBe(each.checked.length);
    expect(each.counts.images).toBe(once.counts.images);
    expect(each.counts.distinct).toBeGreaterThan(once.counts.distinct);
    expect(each.checked).toEqual(expect.arrayContaining(once.checked));
  });

  it('show every recovery the same times', async () => {
    const times = new Set<string>();
    const recover: Program<string, string>['recover'] = async (disk) => {
      const { modifiedMs, changedMs } = disk.stat('/left') ?? {};
      if (modifiedMs !== undefined) times.add(`${modifiedMs}, ${changedMs}`);
      return '';
    };
    await seenBy({ recover });
    expect(times.size).toBe(1);
  });
});
