/**
 * The round of a save that is appended to a log: it has no image until it is published.
 */
import { fillSeal, type SealInput } from '../format/seal.js';
import type { RoundContent } from './checkpoint-io.js';
import type { AppendedSave } from './open-log.js';
import type { Round } from './session.js';

/** The round of a save that goes behind the one of `before`. What it publishes is made when asked for. */
export function appendedRound(
  before: Round,
  appended: AppendedSave,
  sealed: SealInput,
  content: RoundContent,
): Round {
  const { sequence, epoch, timeMs, label, pinned, artifacts = [] } = sealed;
  let image: Uint8Array | undefined;
  return {
    sequence,
    get image() {
      image ??= fillSeal(appended.end.image.copy());
      return image;
    },
    sealed: {
      kind: 'sealed',
      sequence,
      epoch,
      ...(timeMs !== undefined && { timeMs }),
      ...(label !== undefined && { label }),
      ...(pinned !== undefined && { pinned }),
      artifacts,
      get text() {
        return content.text;
      },
    },
    version: content.version,
    ...(before.wal && { wal: before.wal }),
    appended,
    before,
    skips: true,
  };
}
