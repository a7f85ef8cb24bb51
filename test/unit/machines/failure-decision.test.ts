import { describe, expect, it } from 'vitest';
import type { DetectorSettings, HealthMemory } from '../../../src/format/health-format.js';
import { healthCases, healthEvidence } from '../../../src/machines/failure-decision.js';
import {
  changedBy,
  counting,
  FAILURES_MAX,
  HEALTHY,
  type HealthChange,
  isWorthKeeping,
} from '../../../src/machines/failure-memory.js';

const booleans = [true, false];
const evidence = (['automatic', 'manual', 'off'] as const).flatMap((mode) =>
  booleans.flatMap((stopped) =>
    booleans.flatMap((unfinished) =>
      booleans.flatMap((reached) =>
        booleans.map((restoresLeft) => ({ mode, stopped, unfinished, reached, restoresLeft })),
      ),
    ),
  ),
);

const settings: DetectorSettings = {
  mode: 'automatic',
  threshold: 2,
  windowMs: 1000,
  healthyAfterMs: 1000,
  maxRestores: 1,
  countCrashes: true,
  allowMissingArtifacts: false,
};
const at = (nowMs: number, digest = 'a', sequence = 1) => ({
  nowMs,
  current: { sequence, digest },
});

function memoryAfter(...changes: readonly (readonly [HealthChange, ReturnType<typeof at>])[]) {
  return changes.reduce((memory: HealthMemory, [change, when]) => {
    return changedBy(memory, change, when);
  }, HEALTHY);
}

const reported: HealthChange = { kind: 'failed', signal: 'reported', message: 'm' };

describe('the table of the failure detector', () => {
  it.each(evidence)(
    'matches exactly one case: $mode stopped $stopped unfinished $unfinished reached $reached left $restoresLeft',
    (facts) => {
      expect(healthCases.filter(({ matches }) => matches(facts))).toHaveLength(1);
    },
  );

  it.each(healthCases)('needs its row $label', ({ matches }) => {
    expect(evidence.some((facts) => matches(facts))).toBe(true);
  });

  it('never restores once it has stopped, nor by any mode but automatic', () => {
    const restoring = evidence.filter((facts) =>
      healthCases.some(({ matches, action }) => action === 'restore' && matches(facts)),
    );
    expect(restoring.every(({ mode, stopped }) => mode === 'automatic' && !stopped)).toBe(true);
    expect(restoring.every(({ unfinished, restoresLeft }) => unfinished || restoresLeft)).toBe(
      true,
    );
  });
});

describe('the memory of failures', () => {
  it('counts what lies within the window, its very edge included', () => {
    const memory = memoryAfter([reported, at(0)], [reported, at(500)]);
    expect(counting(memory, settings, at(1000))).toHaveLength(2);
    expect(counting(memory, settings, at(1001))).toHaveLength(1);
    expect(counting(memory, settings, at(-5000))).toHaveLength(2);
  });

  it('counts crashes on the present text only', () => {
    const opened: HealthChange = { kind: 'opened', countCrashes: true };
    const memory = memoryAfter([opened, at(0, 'a')], [opened, at(1, 'a')], [opened, at(2, 'b', 2)]);
    expect(memory.failures.map(({ digest }) => digest)).toEqual(['a', 'b']);
    expect(counting(memory, settings, at(3, 'b', 2))).toHaveLength(1);
  });

  it('does not count a run that ended well', () => {
    const memory = memoryAfter(
      [{ kind: 'opened', countCrashes: true }, at(0)],
      [{ kind: 'closed' }, at(1)],
    );
    expect(isWorthKeeping(memory)).toBe(false);
    expect(
      memoryAfter(
        [{ kind: 'opened', countCrashes: true }, at(0)],
        [{ kind: 'closed' }, at(1)],
        [{ kind: 'opened', countCrashes: true }, at(2)],
      ).failures,
    ).toEqual([]);
  });

  it('marks what failed as bad and counts the restore before it is made, once', () => {
    const begun: HealthChange = { kind: 'restoreBegun', to: 1 };
    const once = memoryAfter([reported, at(0, 'bad', 9)], [begun, at(1, 'bad', 9)]);
    expect(once).toMatchObject({ restores: 1, bad: [{ sequence: 9, digest: 'bad' }] });
    expect(healthEvidence(once, settings, at(2, 'bad', 9)).unfinished).toBe(true);
    expect(healthEvidence(once, settings, at(2, 'other', 10)).unfinished).toBe(false);
    expect(changedBy(once, begun, at(3, 'bad', 9)).restores).toBe(1);
  });

  it('knows at the next start whether a restore that was cut off was made', () => {
    const begun = memoryAfter(
      [reported, at(0, 'bad')],
      [{ kind: 'restoreBegun', to: 1 }, at(1, 'bad')],
    );
    const undone = changedBy(begun, { kind: 'opened', countCrashes: true }, at(2, 'bad'));
    expect(undone.restoring).toBeDefined();
    const done = changedBy(begun, { kind: 'opened', countCrashes: true }, at(2, 'good'));
    expect(done).toMatchObject({ failures: [], restores: 1 });
    expect(done.restoring).toBeUndefined();
  });

  it('forgets the present text among the bad ones when it proves healthy', () => {
    const begun = memoryAfter(
      [reported, at(0, 'bad')],
      [{ kind: 'restoreBegun', to: 1 }, at(1, 'bad')],
    );
    expect(changedBy(begun, { kind: 'healthy' }, at(2, 'good')).bad).toHaveLength(1);
    expect(changedBy(begun, { kind: 'healthy' }, at(2, 'bad')).bad).toEqual([]);
  });

  it('stays bounded, whatever happens and however long the messages are', () => {
    let memory = HEALTHY;
    for (let count = 0; count < 3 * FAILURES_MAX; count += 1) {
      const change: HealthChange = {
        kind: 'failed',
        signal: 'reported',
        message: 'x'.repeat(9999),
      };
      memory = changedBy(memory, change, at(count, `d${count}`, count));
      memory = changedBy(memory, { kind: 'restoreBegun', to: 1 }, at(count, `d${count}`, count));
    }
    expect(memory.failures).toHaveLength(FAILURES_MAX);
    expect(memory.bad).toHaveLength(100);
    expect(JSON.stringify(memory).length).toBeLessThan(200_000);
  });

  it('keeps nothing back from a reset but the run that is under way', () => {
    const memory = memoryAfter(
      [{ kind: 'opened', countCrashes: true }, at(0)],
      [reported, at(1)],
      [{ kind: 'restoreBegun', to: 1 }, at(1)],
      [{ kind: 'stopped', because: 'x' }, at(2)],
      [{ kind: 'reset' }, at(3)],
    );
    expect(memory).toEqual(HEALTHY);
  });
});
