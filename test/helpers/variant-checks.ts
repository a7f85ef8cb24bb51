/**
 * The one check that the lab does not make of every recovery, because it is about an editor that only
 * one hunt lets in: that an edit made during a save is kept. Reads the disk, not the store.
 */
import { describeState } from '../../src/io/simulated-disk.js';
import type { Outcome } from '../../src/testing/check-recovery.js';
import type { Allowed } from '../../src/testing/expectation.js';
import type { Program } from '../../src/testing/explore-program.js';
import type { Failure } from '../../src/testing/explore-report.js';
import { LATE_EDIT } from './variant-faults.js';

/** A store in the lab. */
export type StoreProgram = Program<Allowed, Outcome>;

/** An edit that slipped into a save is kept somewhere. */
export function checkLateEdit({ disk }: Parameters<StoreProgram['check']>[0]): readonly Failure[] {
  const isKept = describeState(disk.visible()).some(
    ({ content }) => content !== undefined && new TextDecoder().decode(content) === LATE_EDIT,
  );
  return isKept ? [] : [{ check: 'keeps-late-edits', message: 'the edit is gone' }];
}
