import { describe, expect, it } from 'vitest';
import { readDrawings } from '../../../src/inspector/node-drawings.js';
import type { RunModel } from '../../../src/inspector/run-model.js';
import type { CaseFile } from '../../../src/testing/case-file.js';
import { caseRun } from '../../../src/testing/case-run.js';
import { exampleCase } from '../../../src/testing/example-case.js';
import { labScenarios } from '../../../src/testing/scenarios.js';

const [scenario] = labScenarios;

async function example(state = 'syncingCheckpoint'): Promise<CaseFile> {
  if (scenario === undefined) throw new Error('the lab has no scenarios');
  const found = await exampleCase({ scenario, model: 'ordered', seed: 3, state });
  if (found === undefined) throw new Error(`no crash in ${state}`);
  return found;
}

const show = (found: CaseFile): Promise<RunModel> =>
  caseRun(found, { machines: readDrawings(), title: 'a case' });

describe('a case of the lab as a run', () => {
  it('ends its first part in the state in which the power failed, and goes on with the recovery', async () => {
    const { entries, crashes } = await show(await example());
    const [crash] = crashes ?? [];
    const at = crash?.at ?? 0;
    expect(crashes).toHaveLength(1);
    expect(entries[at]).toMatchObject({ machine: 'write', to: 'syncingCheckpoint' });
    expect(entries[at + 1]).toMatchObject({ machine: 'checkpoint', from: '', to: 'locking' });
    expect(entries.slice(at).map(({ to }) => to)).toContain('applyingWal.loadingWal');
    expect(entries.at(-1)).toMatchObject({ machine: 'checkpoint', to: 'ready' });
  });

  it('has no entry of what the cut-off run would have done next', async () => {
    for (const state of ['syncingWal', 'syncingCheckpoint']) {
      const { entries, crashes } = await show(await example(state));
      expect(entries[crashes?.[0]?.at ?? 0]?.to, state).toBe(state);
    }
  });

  it('knows the disk after every entry: what is volatile, and what a power failure would leave', async () => {
    const { entries, disk = [] } = await show(await example());
    expect(disk.map(({ at }) => at)).toEqual(entries.map((_, index) => index));
    const fileAt = (at: number, kind: string) => disk[at]?.files.find((file) => file.kind === kind);
    const written = entries.findIndex(({ event }) => event === 'writeIntent.done');
    expect(fileAt(written, 'wal')?.volatile?.size).toBeGreaterThan(0);
    expect(fileAt(written, 'wal')?.durable?.note).not.toBe('sealed');
    const synced = entries.findIndex(({ event }) => event === 'syncWal.done');
    expect(fileAt(synced, 'wal')?.durable).toMatchObject({ note: 'sealed', sequence: 1 });
  });

  it('tells the image and the fates of what was pending, as the case has them', async () => {
    const found = await example();
    const { crashes } = await show(found);
    expect(crashes?.[0]?.fates).toEqual(found.trail[0]?.fates);
    expect(crashes?.[0]?.image.map(({ kind }) => kind)).toContain('wal');
  });

  it('holds the texts of all checkpoints that were on the disk, each once', async () => {
    const { checkpoints } = await show(await example());
    const numbers = checkpoints.map(({ sequence }) => sequence);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(checkpoints.every(({ text }) => text !== undefined)).toBe(true);
    expect(numbers.length).toBeGreaterThan(1);
  });

  it('says that every check holds, or which does not', async () => {
    const found = await example();
    expect((await show(found)).verdict).toMatchObject({ holds: true });
    // The same disk, of which more was promised.
    const promised = { values: ['{"v":99}'], sequence: 99 };
    const broken = { ...found, allowed: promised as unknown as NonNullable<CaseFile['allowed']> };
    const { verdict } = await show(broken);
    expect(verdict?.holds).toBe(false);
    expect(verdict?.message).toMatch(/^[a-z-]+: /);
  });

  it('comes out the same each time', async () => {
    const found = await example();
    expect(await show(found)).toEqual(await show(found));
  });

  it('follows each crash of several', async () => {
    const found = await example();
    const twice = { ...found, trail: [...found.trail, ...found.trail] };
    const { crashes, entries } = await show(twice);
    expect(crashes).toHaveLength(2);
    expect(entries.filter(({ to }) => to === 'locking')).toHaveLength(3);
  });
});
