/**
 * The root machine with the `io` actor that takes its port, or what makes one, as input: the public
 * `checkpointMachine`. Machines may not know of I/O, so the two are joined here.
 */
import { ioActor } from '../io/io-actor.js';
import { checkpointMachine } from '../machines/checkpoint-machine.js';

/**
 * The statechart of a store, to be invoked or spawned in a machine of your own:
 * `invoke: { src: checkpointMachine, input: { io: fileCheckpointIo({ directory }) } }`. Takes
 * {@link CheckpointRequest}s and tells {@link CheckpointNotice}s; see `docs/embedding.md`.
 *
 * Provided once: building a machine's configuration costs more than a save's computing.
 */
export const storeMachine = checkpointMachine.provide({ actors: { io: ioActor } });
