/** The API reference: it builds without a complaint, and complains about what would be missing. */
import { expect, it } from 'vitest';
import { referenceComplaints } from '../helpers/reference.js';

it('finds every public export and member documented, every type exported, every link whole', async () => {
  expect(await referenceComplaints()).toEqual([]);
}, 60_000);
