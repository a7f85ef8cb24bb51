/**
 * What the failure detector remembers, in words. No decisions.
 */
import type { CountedFailure } from '../format/health-format.js';
import type { StoreInspection } from '../store/inspect-store.js';
import { count, timeAndAge } from './words.js';

/** One line for `status`; none where there is nothing to tell. */
export function detectorRows(detector: StoreInspection['detector']): (readonly [string, string])[] {
  if (detector === undefined) return [];
  if ('unreadable' in detector) {
    return [
      [
        'failures',
        `the memory can't be read (${detector.unreadable}); the next open sets it aside`,
      ],
    ];
  }
  const { failures, bad, restores, maxRestores } = detector.report;
  const rows: (readonly [string, string])[] = [];
  if (failures.length > 0)
    rows.push(['failures', `${detectorText(detector)}; ${lastOf(failures)}`]);
  if (restores > 0) rows.push(['restores', `${restores} of ${maxRestores} automatic ones made`]);
  if (bad.length > 0) {
    rows.push(['bad', `not restored again: ${bad.map(({ sequence }) => sequence).join(', ')}`]);
  }
  return rows;
}

/** How many failures count, and what follows. */
export function detectorText(detector: StoreInspection['detector']): string {
  if (detector === undefined || 'unreadable' in detector) return 'nothing is known of failures';
  const { failures, threshold, wouldRestore } = detector.report;
  const counted = `${count(failures.length, 'failure')} of ${threshold} ${failures.length === 1 ? 'counts' : 'count'}`;
  const target =
    wouldRestore === undefined
      ? 'nothing that it could go back to'
      : `checkpoint ${wouldRestore.sequence}`;
  switch (detector.decision.action) {
    case 'restore':
      return wouldRestore === undefined
        ? `${counted}; history holds ${target}`
        : `${counted}: the next start restores ${target}`;
    case 'tell':
      return `${counted}: a restore would bring back ${target}`;
    default:
      return counted;
  }
}

function lastOf(failures: readonly CountedFailure[]): string {
  const last = failures.at(-1);
  if (last === undefined) return 'none';
  return `last: ${last.message}, ${timeAndAge(last.atMs, Date.now())}`;
}
