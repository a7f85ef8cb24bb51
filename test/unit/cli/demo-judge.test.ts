import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DemoRow, judgeRound, keepsComments } from '../../../src/cli/demo-judge.js';
import { DEMO_ORCHESTRATION } from '../../../src/cli/demo-orchestration.js';
import type { DemoRound } from '../../../src/cli/demo-plan.js';
import { parseYaml } from '../../../src/format/yaml/yaml-text.js';
import { inspectStore } from '../../../src/store/inspect-store.js';
import { openCheckpointStore } from '../../../src/store.js';
import { crashedStore, makeStore, PLAN, type WriteState } from '../../helpers/crashed-stores.js';

const file = (directory: string) => join(directory, 'ORCHESTRATION.yaml');

interface Tampering {
  /** Between the kill and the recovery. */
  readonly found?: (directory: string) => void;
  /** After the recovery. */
  readonly after?: (directory: string) => void;
  readonly killedBy?: string;
  readonly value?: string;
  readonly recovers?: boolean;
}

/** A real crash in `state`, judged as the demo judges it, with a hand in it. */
async function judge(state: WriteState, tampering: Tampering = {}): Promise<DemoRow> {
  const round: DemoRound = {
    killedIn: state,
    path: 'workflow.status',
    value: tampering.value ?? 'NEW',
  };
  const before = await inspectStore({ directory: await makeStore() });
  const directory = await crashedStore(state);
  tampering.found?.(directory);
  const found = await inspectStore({ directory });
  if (tampering.recovers !== false) {
    const store = await openCheckpointStore({ directory });
    await store.close();
  }
  tampering.after?.(directory);
  const after = await inspectStore({ directory });
  const bytes = readFileSync(file(directory));
  const killedBy = tampering.killedBy ?? 'SIGKILL';
  return judgeRound({
    round,
    killedBy,
    before,
    found,
    after,
    bytes,
    original: PLAN,
    recoveryMs: 1,
  });
}

describe('judgeRound', () => {
  it.each([
    ['writingData', 'old', 1],
    ['syncingWal', 'new', 2],
    ['writingCheckpoint', 'new', 2],
    ['syncingCheckpoint', 'new', 2],
    ['deletingWal', 'new', 2],
  ] as const)(
    'is content with a recovered kill in %s: %s state',
    async (state, outcome, sequence) => {
      const row = await judge(state);
      expect(row).toMatchObject({ problems: [], state: outcome, sequenceAfter: sequence });
      expect(row).toMatchObject({ fileIntact: true, commentsIntact: true, sequenceBefore: 1 });
    },
  );

  const broken: readonly [string, WriteState, Tampering, string][] = [
    ['a child that was not killed', 'writingData', { killedBy: 'exit code 71' }, 'was not killed'],
    [
      'a logged save whose log is gone',
      'writingCheckpoint',
      { found: (directory) => rmSync(join(directory, '.checkpoint.wal')) },
      'its log was logged, but is absent',
    ],
    [
      'one byte more in the file',
      'writingCheckpoint',
      { after: (directory) => appendFileSync(file(directory), ' ') },
      'the seal of the file does not verify',
    ],
    [
      'a file cut in half',
      'deletingWal',
      {
        after: (directory) => {
          const bytes = readFileSync(file(directory));
          writeFileSync(file(directory), bytes.subarray(0, bytes.length / 2));
        },
      },
      'the seal of the file does not verify',
    ],
    [
      'the old state where the new one was promised',
      'writingCheckpoint',
      {
        after: (directory) => {
          const entry = join(directory, 'checkpoints', '000000000001.ORCHESTRATION.yaml');
          rmSync(file(directory));
          copyFileSync(entry, file(directory));
        },
      },
      'the file holds the old state, not the new one',
    ],
    [
      'another value than was saved',
      'writingCheckpoint',
      { value: 'SOMETHING ELSE' },
      'the file holds the neither state',
    ],
    ['no recovery at all', 'syncingCheckpoint', { recovers: false }, 'the log is still there'],
  ];
  it.each(broken)('finds %s', async (_name, state, tampering, problem) => {
    expect((await judge(state, tampering)).problems.join('\n')).toContain(problem);
  });
});

describe('keepsComments', () => {
  it('accepts the same comments around other values', () => {
    const changed = DEMO_ORCHESTRATION.replace('status: PENDING    ', 'status: ACTIVE     ');
    expect(changed).not.toBe(DEMO_ORCHESTRATION);
    expect(keepsComments(DEMO_ORCHESTRATION, changed)).toBe(true);
  });

  it.each([
    ['a comment line removed', (text: string) => text.replace('  # Reading only.', '')],
    [
      'a comment line indented otherwise',
      (text: string) => text.replace('  # Reading', ' # Reading'),
    ],
    ['a trailing comment removed', (text: string) => text.replace('  # 3 nights', '')],
    ['a trailing comment changed', (text: string) => text.replace('# 3 nights', '# 4 nights')],
    ['a banner shortened', (text: string) => text.replace('# ===', '# ==')],
  ])('refuses %s', (_name, change) => {
    const changed = change(DEMO_ORCHESTRATION);
    expect(changed).not.toBe(DEMO_ORCHESTRATION);
    expect(keepsComments(DEMO_ORCHESTRATION, changed)).toBe(false);
  });
});

describe('the example orchestration', () => {
  it('parses, is of a realistic size, and holds comments of every kind', () => {
    const { value } = parseYaml(DEMO_ORCHESTRATION);
    expect(value).toMatchObject({ workflow: { status: 'PENDING' }, blockers: [] });
    const lines = DEMO_ORCHESTRATION.split('\n');
    expect(lines.length).toBeGreaterThan(80);
    expect(lines.filter((line) => /^\s*#/.test(line)).length).toBeGreaterThan(15);
    expect(lines.filter((line) => /\S\s+#/.test(line)).length).toBeGreaterThan(8);
  });
});
