// Runs inside a folder into which the packed package was installed.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { openCheckpointStore } from 'checkpoint-wal';
import { exploreWriter, NodeFsTracer } from 'checkpoint-wal/testing';

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

// The lab judges a writer that is not ours, by its trace alone.
mkdirSync('traced');
writeFileSync('traced/file', 'old');
const tracer = new NodeFsTracer();
await tracer.install();
const { default: fs } = await import('node:fs');
const trace = await tracer.trace('traced', () => fs.writeFileSync('traced/file', 'new'));
tracer.uninstall();
const [old, next] = [Buffer.from('old'), Buffer.from('new')];
const report = await exploreWriter({ trace, file: '/file', old, next, crash: 'posix-minimal' });
assert.equal(report.atomic.holds, false);
assert.equal(report.atomic.first.found, 'empty');
console.log('lab: ok');
