/**
 * Checks that the lab does not make of every recovery, because they hold for some scenarios only: that
 * history is complete, that readers never see half a checkpoint, that epochs rise, that an edit made
 * during a save is kept. Each reads the disk, not the store.
 */
import { readSeal } from '../../src/format/seal.js';
import { parseYaml } from '../../src/format/yaml/yaml-text.js';
import { describeState } from '../../src/io/simulated-disk.js';
import type { Outcome } from '../../src/testing/check-recovery.js';
import type { Failure, Program } from '../../src/testing/explore-program.js';
import { type Allowed, canonical, type Scenario } from '../../src/testing/scenario.js';
import { read } from './variant-disks.js';
import { LATE_EDIT } from './variant-faults.js';

/** A store in the lab. */
export type StoreProgram = Program<Allowed, Outcome>;

/** One more check of a recovery. */
export type ExtraCheck = (
  recovered: Parameters<StoreProgram['check']>[0],
  seen: Seen,
) => readonly Failure[];

/** What a program was seen to promise. */
export interface Seen {
  /** Every state that was at some time the last one acknowledged, oldest first. */
  readonly acknowledged: readonly string[];
  readonly scenario: Scenario;
}

/** Every acknowledged state is still there: as the checkpoint, or as a history entry that verifies. */
export function checkHistory(
  { disk }: Parameters<ExtraCheck>[0],
  { acknowledged }: Seen,
): readonly Failure[] {
  const files = describeState(disk.visible()).filter(({ path }) =>
    /^\/lab\/(checkpoints\/\d+\.)?ORCHESTRATION\.yaml$/.test(path),
  );
  const states = new Set(
    files.flatMap(({ content }) => {
      const reading = readSeal(content ?? new Uint8Array(0));
      return 'text' in reading ? [canonical(parseYaml(reading.text).value)] : [];
    }),
  );
  const lost = acknowledged.find((one) => one !== '(none)' && !states.has(one));
  if (lost === undefined) return [];
  return [{ check: 'history-is-complete', message: `${lost} was acknowledged and is gone` }];
}

/** Whoever reads the file at any time, also before a recovery, finds all of some checkpoint. */
export function checkReaders(
  { before }: Parameters<ExtraCheck>[0],
  { scenario: { file } }: Seen,
): readonly Failure[] {
  const content = read(before, 'ORCHESTRATION.yaml');
  const { kind } = readSeal(content);
  if (kind === 'sealed' || new TextDecoder().decode(content) === file) return [];
  return [{ check: 'readers-find-a-whole-checkpoint', message: `the file on disk is ${kind}` }];
}

/** Each open writes under a higher epoch. */
export function checkEpochs({ disk }: Parameters<ExtraCheck>[0]): readonly Failure[] {
  const state = disk.visible();
  const epochOf = (name: string) => {
    const reading = readSeal(read(state, name));
    return reading.kind === 'sealed' ? reading.epoch : 0;
  };
  const earlier = epochOf('checkpoints/000000000002.ORCHESTRATION.yaml');
  const later = epochOf('ORCHESTRATION.yaml');
  if (later > earlier && earlier > 0) return [];
  return [{ check: 'epochs-rise', message: `epoch ${later} after ${earlier}` }];
}

/** An edit that slipped into a save is kept somewhere. */
export function checkLateEdit({ disk }: Parameters<ExtraCheck>[0]): readonly Failure[] {
  const isKept = describeState(disk.visible()).some(
    ({ content }) => content !== undefined && new TextDecoder().decode(content) === LATE_EDIT,
  );
  return isKept ? [] : [{ check: 'keeps-late-edits', message: 'the edit is gone' }];
}
