/**
 * The audit under power failures and kills: what was acknowledged is on record, and the chain goes on.
 */
import { describe, expect, it } from 'vitest';
import { afterKill, crashImages, mount } from '../../src/io/crash-images.js';
import { RecordingFileSystem } from '../../src/io/recording-file-system.js';
import {
  type DiskMoment,
  type PersistenceModel,
  SimulatedDisk,
} from '../../src/io/simulated-disk.js';
import type { AuditOptions } from '../../src/store/audit-trail.js';
import type { PublishOptions } from '../../src/store/publish-options.js';
import { fixedWorld } from '../../src/testing/fixed-world.js';
import { auditTexts, entriesOf, verifyTexts } from '../helpers/audit-records.js';
import { open } from '../helpers/crash-memory.js';

const IMAGES = Number(process.env.LAB_IMAGES?.split(',')[0] ?? 2);
/** Every so many moments; all of them where the campaign asks for it. */
const STEP = Number(process.env.CRASH_STEP ?? 2);
const SEED = Number(process.env.FC_SEED) || 1;

/** A moment of a run, and what had been acknowledged by then: sequence numbers. */
interface Moment {
  readonly disk: DiskMoment;
  readonly acknowledged: readonly number[];
  readonly operation: string;
}

interface Scenario {
  readonly name: string;
  readonly audit: AuditOptions;
  /** Where saves wait in the log: then an entry may be missing that says so, if the power failed. */
  readonly publish?: PublishOptions;
}

const scenarios: readonly Scenario[] = [
  { name: 'saves in one file', audit: {} },
  { name: 'saves in a file that is put away each time', audit: { maxBytes: 500 } },
  { name: 'saves in such files, of which one is kept', audit: { maxBytes: 500, maxFiles: 1 } },
  { name: 'saves that wait in the log', audit: {}, publish: { afterSaves: 3 } },
];

/** Runs, and keeps the disk after each operation. */
async function momentsOf({ audit, publish }: Scenario, model: PersistenceModel): Promise<Moment[]> {
  const disk = new SimulatedDisk({ model });
  const acknowledged: number[] = [];
  const moments: Moment[] = [];
  const fileSystem = new RecordingFileSystem(disk, {
    after: ({ operation, path, index }) => {
      const told = `${index} ${operation} ${path}`;
      moments.push({ disk: disk.moment(), acknowledged: [...acknowledged], operation: told });
    },
  });
  const store = await open(fileSystem, {
    ...{ audit, restore: {}, ...fixedWorld('the run') },
    ...(publish && { publish }),
  });
  const durabilities = publish
    ? (['logged', 'logged', 'logged', 'logged', 'committed'] as const)
    : (['logged', 'committed', 'committed'] as const);
  for (const durability of durabilities) {
    acknowledged.push((await store.save({ v: durability }, { durability })).sequence);
  }
  await store.close();
  return moments;
}

/** The saves on record: at the power failure's earliest, those whose log was being synced; else those logged. */
const savesOn = (disk: SimulatedDisk, states: readonly string[]) =>
  new Set(
    entriesOf(auditTexts(disk))
      .filter(({ machine, to }) => machine === 'write' && states.includes(to))
      .map(({ sequence }) => sequence),
  );

const LOGGED = ['logged', 'writingCheckpoint'];

describe.each(scenarios)('$name', (scenario) => {
  it.each(['posix-minimal', 'ordered'] as const)(
    'are on record once acknowledged, whatever a power failure leaves (%s), and the chain goes on',
    async (model) => {
      const moments = await momentsOf(scenario, model);
      expect(moments.length).toBeGreaterThan(100);
      let images = 0;
      for (const [at, { disk: moment, acknowledged, operation }] of moments.entries()) {
        if (at % STEP !== SEED % STEP) continue;
        for (const { state, fates } of crashImages(moment, { limit: IMAGES, seed: SEED + at })
          .images) {
          images += 1;
          const where = `seed ${SEED + at}, after ${operation}\n${fates.join('\n')}`;
          const disk = mount(state, model);
          // What retention removed is not asked for.
          const gone = entriesOf(auditTexts(disk)).at(0)?.number !== 1 && scenario.audit.maxFiles;
          const recorded = savesOn(disk, scenario.publish ? ['syncingWal'] : LOGGED);
          const missing = gone ? [] : acknowledged.filter((sequence) => !recorded.has(sequence));
          expect(missing, `acknowledged without a record: ${where}`).toEqual([]);
          const store = await open(disk, { audit: scenario.audit });
          await store.save({ v: 99 });
          await store.close();
          const { broken } = verifyTexts(auditTexts(disk));
          expect(broken, where).toBeUndefined();
        }
      }
      expect(images).toBeGreaterThan(moments.length / STEP);
    },
  );

  it('go on after a kill at any operation', async () => {
    for (const { disk: moment, acknowledged, operation } of await momentsOf(scenario, 'ordered')) {
      const disk = afterKill(moment);
      const store = await open(disk, { audit: scenario.audit });
      const recorded = savesOn(disk, LOGGED);
      const isWhole = entriesOf(auditTexts(disk)).at(0)?.number === 1;
      const missing = isWhole ? acknowledged.filter((sequence) => !recorded.has(sequence)) : [];
      expect(missing, operation).toEqual([]);
      await store.close();
      expect(verifyTexts(auditTexts(disk)).broken, operation).toBeUndefined();
    }
  });
});
