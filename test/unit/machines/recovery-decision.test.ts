import { describe, expect, it } from 'vitest';
import type {
  CheckpointCondition,
  CheckpointRelation,
  WalVerdict,
} from '../../../src/io/checkpoint-io.js';
import {
  checkpointCases,
  decide,
  type ExternalEditPolicy,
  historyCases,
  walCases,
} from '../../../src/machines/recovery-decision.js';

const verdicts: WalVerdict[] = [
  'absent',
  'torn',
  'unsealed',
  'sealed',
  'damaged',
  'unsupportedVersion',
  'foreignTarget',
];
const relations: CheckpointRelation[] = [
  'preImage',
  'afterImage',
  'editedAfterImage',
  'newer',
  'missing',
  'other',
  'none',
];
const conditions: CheckpointCondition[] = [
  'missing',
  'sealed',
  'older',
  'edited',
  'unsealed',
  'damaged',
  'schemaInvalid',
  'unsupportedVersion',
];
const policies: ExternalEditPolicy[] = ['adopt', 'reject', 'restore'];

const walEvidence = verdicts.flatMap((verdict) =>
  relations.map((relation) => ({ verdict, relation })),
);
const checkpointEvidence = conditions.flatMap((condition) =>
  [true, false].flatMap((everPublished) =>
    policies.map((externalEdits) => ({ condition, everPublished, externalEdits })),
  ),
);

describe('the recovery tables', () => {
  it.each(walEvidence)('match exactly one log case: $verdict, $relation', (evidence) => {
    expect(walCases.filter(({ matches }) => matches(evidence))).toHaveLength(1);
  });

  it.each(checkpointEvidence)(
    'match exactly one checkpoint case: $condition, ever published $everPublished, $externalEdits',
    (evidence) => {
      expect(checkpointCases.filter(({ matches }) => matches(evidence))).toHaveLength(1);
    },
  );

  it.each([true, false])('match exactly one history case: entry verifies %s', (entryVerifies) => {
    expect(historyCases.filter(({ matches }) => matches({ entryVerifies }))).toHaveLength(1);
  });

  it('have no case that no evidence reaches', () => {
    for (const row of walCases) expect(walEvidence.some(row.matches), row.label).toBe(true);
    for (const row of checkpointCases) {
      expect(checkpointEvidence.some(row.matches), row.label).toBe(true);
    }
  });

  it('have unique labels', () => {
    const labels = [...walCases, ...checkpointCases, ...historyCases].map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
  });

  it('delete a log only if it promised nothing or its save is published', () => {
    const deleting = walEvidence.filter((evidence) =>
      ['discard', 'finish'].includes(decide(walCases, evidence).action),
    );
    for (const { verdict, relation } of deleting) {
      const promisedNothing = verdict === 'torn' || verdict === 'unsealed';
      const isPublished = relation === 'afterImage' || relation === 'editedAfterImage';
      expect(promisedNothing || (verdict === 'sealed' && isPublished)).toBe(true);
    }
  });

  it('never go on with a file that is damaged, missing after publication, or of a newer version', () => {
    for (const evidence of checkpointEvidence) {
      const { action } = decide(checkpointCases, evidence);
      if (['damaged', 'schemaInvalid', 'unsupportedVersion'].includes(evidence.condition)) {
        expect(['searchHistory', 'refuse']).toContain(action);
      }
      if (evidence.condition === 'missing' && evidence.everPublished) {
        expect(action).toBe('searchHistory');
      }
    }
  });
});
