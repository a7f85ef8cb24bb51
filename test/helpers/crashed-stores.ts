/**
 * Stores as a crash leaves them, on the real file system: while a save runs, the folder is copied at
 * the moment when the write machine enters a state. The copy is what a killed process would leave.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { InspectionEvent } from 'xstate';
import { openCheckpointStore } from '../../src/store.js';
import { freshFolder } from './temporary-folders.js';

export type WriteState =
  | 'writingData'
  | 'syncingWal'
  | 'writingCheckpoint'
  | 'syncingCheckpoint'
  | 'deletingWal';

/** The text of every store made here, at checkpoint 1. */
export const PLAN =
  '# plan\nworkflow:\n  status: ACTIVE   # now\nphases:\n  - id: 1\n    note: x\n';

/** A closed store with `PLAN` as checkpoint 1; 'status' set to each of `statuses` after it. */
export async function makeStore(statuses: readonly string[] = [], text = PLAN): Promise<string> {
  const directory = join(freshFolder(), 'state');
  const store = await openCheckpointStore({ directory, restore: false, audit: false });
  await store.saveText(text);
  for (const status of statuses) await store.set('workflow.status', status);
  await store.close();
  return directory;
}

/** A store whose save of checkpoint 2 (status NEW) was cut off on entering `state`. */
export async function crashedStore(state: WriteState, label = 'cut off'): Promise<string> {
  const directory = await makeStore();
  const image = join(freshFolder(), 'state');
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.microstep' || !('id' in event.actorRef)) return;
    if (event.actorRef.id !== 'write' || !('value' in event.snapshot)) return;
    if (event.snapshot.value === state) cpSync(directory, image, { recursive: true });
  };
  const store = await openCheckpointStore({ directory, restore: false, inspect });
  await store.set('workflow.status', 'NEW', { label });
  await store.close();
  return image;
}
