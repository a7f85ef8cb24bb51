import { describe, expect, it } from 'vitest';
import type { CheckpointEvidence, WalEvidence } from '../../../src/io/checkpoint-io.js';
import { fail, runRecovery, type Script } from '../../helpers/scripted-io.js';

const wal = (evidence: Partial<WalEvidence>): Script => ({
  checkWal: () => ({ present: true }),
  verifyWal: () => ({ verdict: 'sealed', relation: 'preImage', size: 1, sequence: 7, ...evidence }),
});

const checkpoint = (evidence: Partial<CheckpointEvidence>): Script => ({
  checkCheckpoint: () => ({
    condition: 'sealed',
    size: 1,
    highestSequence: 7,
    everPublished: true,
    sequence: 7,
    ...evidence,
  }),
});

const looking = ['checkingWal', 'readingWal', 'verifyingWal'];
const judging = ['checkingCheckpoint', 'removingLeftovers', 'ready'];
const applying = [
  'applyingWal.loadingWal',
  'applyingWal.writingCheckpoint',
  'applyingWal.syncingCheckpoint',
  'deletingWal',
];

/** Transient states (`deciding…`) are passed within one step and only show in the report's labels. */
const settled = (states: readonly string[]) =>
  states.filter((name) => !name.startsWith('deciding'));

describe('the recovery machine, by what the log is', () => {
  const verdicts: [string, Script, string[], string][] = [
    ['absent', {}, ['checkingWal', ...judging], 'wal-absent'],
    [
      'torn',
      wal({ verdict: 'torn', relation: 'none' }),
      [...looking, 'deletingWal', ...judging],
      'wal-never-promised',
    ],
    [
      'unsealed',
      wal({ verdict: 'unsealed', relation: 'none' }),
      [...looking, 'deletingWal', ...judging],
      'wal-never-promised',
    ],
    [
      'damaged',
      wal({ verdict: 'damaged', relation: 'none' }),
      [...looking, 'quarantiningWal', ...judging],
      'wal-damaged',
    ],
    [
      'of a future version',
      wal({ verdict: 'unsupportedVersion', relation: 'none' }),
      [...looking, 'quarantiningWal', ...judging],
      'wal-future-version',
    ],
    [
      'for another file',
      wal({ verdict: 'foreignTarget', relation: 'none' }),
      [...looking, 'quarantiningWal', ...judging],
      'wal-foreign',
    ],
    [
      'sealed over its pre-image',
      wal({ relation: 'preImage' }),
      [...looking, ...applying, ...judging],
      'wal-apply',
    ],
    [
      'sealed and the file is missing',
      wal({ relation: 'missing' }),
      [...looking, ...applying, ...judging],
      'wal-apply-missing',
    ],
    [
      'sealed and published',
      wal({ relation: 'afterImage' }),
      [...looking, 'finishingWal', 'deletingWal', ...judging],
      'wal-applied',
    ],
    [
      'sealed, published and edited',
      wal({ relation: 'editedAfterImage' }),
      [...looking, 'finishingWal', 'deletingWal', ...judging],
      'wal-applied-then-edited',
    ],
    [
      'older than the checkpoint',
      wal({ relation: 'newer' }),
      [...looking, 'quarantiningWal', ...judging],
      'wal-superseded',
    ],
    [
      'sealed over an unknown file',
      wal({ relation: 'other' }),
      [...looking, 'keepingConflict', ...applying, ...judging],
      'wal-conflict',
    ],
  ];

  it.each(verdicts)('when it is %s', (_, script, states, label) => {
    const run = runRecovery(script);
    expect(settled(run.states)).toEqual(states);
    expect(run.output?.report.outcome).toBe('ready');
    expect(run.output?.report.decisions.map((decision) => decision.label)).toEqual([
      label,
      'checkpoint-intact',
    ]);
  });

  it.each(verdicts)('deletes nothing before it is decided, when it is %s', (_, script) => {
    const { calls } = runRecovery(script);
    const verified = calls.indexOf('verifyWal');
    for (const destructive of ['deleteWal', 'quarantineWal', 'writeCheckpoint'] as const) {
      const at = calls.indexOf(destructive);
      if (at >= 0) expect(at).toBeGreaterThan(verified);
    }
  });
});

describe('the recovery machine, by what the checkpoint is', () => {
  const found: Script = {
    findInHistory: () => ({
      newest: { sequence: 6, file: 'checkpoints/6' },
      refused: [],
      entries: 3,
    }),
  };
  const restoring = ['checkingHistory', 'keepingCheckpoint', 'restoringFromHistory'];

  it('adopts a file that the store has never published', () => {
    const run = runRecovery(
      checkpoint({ condition: 'unsealed', everPublished: false, highestSequence: 0 }),
    );
    expect(settled(run.states)).toEqual([
      'checkingWal',
      'checkingCheckpoint',
      'adoptingCheckpoint',
      'removingLeftovers',
      'ready',
    ]);
    expect(run.output).toMatchObject({ highestSequence: 1, report: { sequence: 1, clean: true } });
  });

  it('starts a new store where there is nothing', () => {
    const run = runRecovery(
      checkpoint({ condition: 'missing', everPublished: false, highestSequence: 0 }),
    );
    expect(run.output?.report).toMatchObject({ outcome: 'ready', sequence: 0 });
  });

  it.each(['damaged', 'missing'] as const)('restores from history when it is %s', (condition) => {
    const run = runRecovery({ ...checkpoint({ condition }), ...found });
    expect(settled(run.states)).toEqual([
      'checkingWal',
      'checkingCheckpoint',
      ...restoring,
      'removingLeftovers',
      'ready',
    ]);
    expect(run.output).toMatchObject({
      highestSequence: 8,
      report: { outcome: 'ready', sequence: 8, clean: false },
    });
    expect(run.output?.report.lost).toEqual(['checkpoint 7: the newest one that verifies is 6']);
  });

  it('keeps the damaged file before anything is written over it', () => {
    const { calls } = runRecovery({ ...checkpoint({ condition: 'damaged' }), ...found });
    expect(calls.indexOf('keepCheckpoint')).toBeLessThan(calls.indexOf('writeIntent'));
  });

  it.each(['damaged', 'missing'] as const)(
    'refuses when it is %s and no history entry verifies, and changes nothing',
    (condition) => {
      const run = runRecovery(checkpoint({ condition }));
      expect(run.states.at(-1)).toBe('refused');
      expect(run.output?.error).toMatchObject({ code: 'REFUSED' });
      expect(run.calls).toEqual(['checkWal', 'checkCheckpoint', 'findInHistory']);
    },
  );

  it.each([
    ['adopt', 'ready', undefined],
    ['reject', 'refused', 'EDITED_OUTSIDE'],
    ['restore', 'ready', undefined],
  ] as const)('follows the policy %s for an edited file', (policy, last, code) => {
    const run = runRecovery({ ...checkpoint({ condition: 'edited' }), ...found }, policy);
    expect(run.states.at(-1)).toBe(last);
    expect(run.output?.error?.code).toBe(code);
    expect(run.calls.includes('writeIntent')).toBe(policy === 'restore');
    expect(run.calls.includes('adoptCheckpoint')).toBe(policy === 'adopt');
  });

  it.each([
    ['schemaInvalid', 'SCHEMA_INVALID'],
    ['unsupportedVersion', 'UNSUPPORTED_VERSION'],
  ] as const)('refuses a file that is %s without touching it', (condition, code) => {
    const run = runRecovery(checkpoint({ condition }));
    expect(run.output?.error?.code).toBe(code);
    expect(run.calls).toEqual(['checkWal', 'checkCheckpoint']);
  });
});

describe('the recovery machine, when an operation fails', () => {
  const paths: [string, Script][] = [
    ['checkWal', {}],
    ['readWal', wal({})],
    ['verifyWal', wal({})],
    ['quarantineWal', wal({ verdict: 'damaged', relation: 'none' })],
    ['finishWal', wal({ relation: 'afterImage' })],
    ['loadWal', wal({})],
    ['writeCheckpoint', wal({})],
    ['syncCheckpoint', wal({})],
    ['deleteWal', wal({})],
    ['checkCheckpoint', {}],
    ['findInHistory', checkpoint({ condition: 'damaged' })],
    ['keepCheckpoint', wal({ relation: 'other' })],
    ['adoptCheckpoint', checkpoint({ condition: 'edited' })],
    ['removeLeftovers', {}],
  ];

  it.each(paths)(
    'refuses with the code of a failed %s and goes no further',
    (operation, script) => {
      const run = runRecovery({ ...script, [operation]: () => fail('read') });
      expect(run.states.at(-1)).toBe('refused');
      expect(run.output?.error?.code).toBe('READ_FAILED');
      expect(run.calls.at(-1)).toBe(operation);
    },
  );

  it('refuses when the restore itself fails', () => {
    const run = runRecovery({
      ...checkpoint({ condition: 'damaged' }),
      findInHistory: () => ({ newest: { sequence: 6, file: 'f' }, refused: [], entries: 1 }),
      writeData: () => fail('full'),
    });
    expect(run.output?.error?.code).toBe('NO_SPACE');
    expect(run.states.at(-1)).toBe('refused');
  });
});
