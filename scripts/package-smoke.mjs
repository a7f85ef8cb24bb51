// Runs inside a folder into which the packed package was installed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openCheckpointStore } from 'checkpoint-wal';

const directory = 'library-state';
const store = await openCheckpointStore({ directory });
assert.equal(store.state, undefined);
await store.save({ workflow: { status: 'ACTIVE' } }, { label: 'first' });
await store.set('workflow.status', 'DONE');
await store.close();

const again = await openCheckpointStore({ directory });
assert.deepEqual(again.state, { workflow: { status: 'DONE' } });
assert.equal(again.sequence, 2);
assert.equal(again.recovery.clean, true);
await again.close();
assert.match(readFileSync(`${directory}/ORCHESTRATION.yaml`, 'utf8'), /sequence=2 /);
console.log('library: ok');
