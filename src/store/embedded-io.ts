/**
 * `fileCheckpointIo()`: what a machine that embeds a store gives it as `io`. Each actor made of the logic
 * is a store of its own, opened and closed with the checkpoint actor. Ruled by `docs/embedding.md`.
 */
import { createIoLogic } from '../io/io-actor.js';
import type { CheckpointIoLogic } from '../io/io-messages.js';
import { checkStoreOptions } from './check-arguments.js';
import { EmbeddedStore, type StorePlace } from './embedded-store.js';
import type { CheckpointStoreOptions } from './store-options.js';

/**
 * The content and the files of an embedded store, with the options of {@link openCheckpointStore}:
 * `input: { io: fileCheckpointIo({ directory: 'orchestration' }) }`. Policies (`externalEdits`, `restore`,
 * `heartbeatMs`, …) are taken from here. Does nothing before the checkpoint actor starts.
 *
 * May be used for one actor after another: the next waits until the one before has left the directory.
 * Timers are those of the actor system, so `clock` gives the wall clock only.
 * @throws TypeError for options that can't be meant
 */
export function fileCheckpointIo(options: CheckpointStoreOptions): CheckpointIoLogic {
  checkStoreOptions(options, 'fileCheckpointIo()');
  const place: StorePlace = { leaving: undefined };
  return createIoLogic((self) => {
    const machine = self._parent;
    if (machine === undefined) {
      throw new TypeError(
        'fileCheckpointIo() makes the io actor of a checkpointMachine; give it as input.io there',
      );
    }
    return new EmbeddedStore(options, machine, place);
  });
}
