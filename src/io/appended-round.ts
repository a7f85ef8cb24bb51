/**
 * The round of a save that is appended to a log: it has no image until it is published.
 */
import { fillSeal, type SealInput } from '../format/seal.js';
import type { RoundContent } from './checkpoint-io.js';
import type { AppendedSave } from './open-log.js';
import { sealedReading } from './round-image.js';
import type { Round } from './session.js';

/** The round of a save that goes behind the one of `before`. What it publishes is made when asked for. */
export function appendedRound(
  before: Round,
  appended: AppendedSave,
  sealed: SealInput,
  content: RoundContent,
): Round {
  const { sequence } = sealed;
  let image: Uint8Array | undefined;
  return {
    sequence,
    get image() {
      image ??= fillSeal(appended.end.image.copy());
      return image;
    },
    sealed: sealedReading(sealed, content),
    ending: appended.end.ending,
    version: content.version,
    ...(before.wal && { wal: before.wal }),
    appended,
    before,
    skips: true,
  };
}
