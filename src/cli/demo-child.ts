/**
 * The process that the demo kills: it opens the store, begins a real save (or a real recovery), and
 * stops dead on entering the state it was told, before that state's I/O. Started as
 * `node demo-child.js DIRECTORY STATE [PATH VALUE]`; VALUE is JSON.
 */
import { writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import type { InspectionEvent } from 'xstate';
import { openCheckpointStore } from '../store.js';
import { REACHED } from './demo-plan.js';

/** If whoever was to kill us is gone, nobody should find us in the list of processes tomorrow. */
const WAIT_MS_MAX = 20_000;
/** Exit codes that tell the parent what went otherwise than planned. */
const NOT_KILLED = 70;
const NEVER_REACHED = 71;

const [, , directory = '', state = '', path, value] = argv;

/**
 * Blocks this thread on entering the state. An inspector is called after a transition was taken and
 * before the I/O of the state it leads to is asked for; what comes first is told by the event that
 * starts the actor.
 */
function blockOnEntry(event: InspectionEvent): void {
  if (enteredState(event) !== state) return;
  writeSync(1, `${REACHED}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS_MAX);
  exit(NOT_KILLED);
}

function enteredState(event: InspectionEvent): string | undefined {
  const id = 'id' in event.actorRef ? event.actorRef.id : undefined;
  if (id === 'write' && event.type === '@xstate.event' && event.event.type === 'xstate.init') {
    return 'writingIntent';
  }
  if (event.type !== '@xstate.microstep' || !('value' in event.snapshot)) return undefined;
  const current: unknown = event.snapshot.value;
  if (id === 'write' && typeof current === 'string') return current;
  // Deep inside applying: the temporary file is written, and its rename is still to come.
  const isApplying =
    typeof current === 'object' &&
    current !== null &&
    'applyingWal' in current &&
    current.applyingWal === 'syncingCheckpoint';
  return id === 'recovery' && isApplying ? 'applyingWal' : undefined;
}

const store = await openCheckpointStore({ directory, restore: false, inspect: blockOnEntry });
if (path !== undefined && value !== undefined) await store.set(path, JSON.parse(value));
await store.close();
exit(NEVER_REACHED);
