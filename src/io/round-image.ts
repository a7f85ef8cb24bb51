/**
 * What a round publishes: the sealed bytes of its text. Of a long text they are made from those of the
 * checkpoint before it, where the content says what it replaced there: joining and encoding all of the text
 * takes ten times as long as copying it.
 */
import { applySplices } from '../format/image-splice.js';
import {
  endingOf,
  fillOpenSeal,
  openSeal,
  openText,
  type SealInput,
  type TextEnding,
} from '../format/seal.js';
import { claimOfLine } from '../format/seal-line.js';
import type { RoundContent } from './checkpoint-io.js';
import { keepsEnding } from './open-log.js';
import type { SealedReading, SeenCheckpoint } from './session.js';

/** Bytes of a checkpoint below which its text is encoded anew: that is faster than asking what changed. */
const LONG_BYTES = 16_384;

/** The bytes of a round, their SHA-256, and how its text ends. */
export interface RoundImage {
  readonly image: Uint8Array;
  readonly sha256: string;
  readonly ending: TextEnding;
}

/**
 * The sealed bytes of a content.
 * @param current the checkpoint before it, as it is on disk
 * @throws TypeError or RangeError as `sealText` does
 */
export function roundImage(
  current: SeenCheckpoint | undefined,
  content: RoundContent,
  seal: SealInput,
): RoundImage {
  return editedImage(current, content, seal) ?? encodedImage(content.text, seal);
}

function encodedImage(text: string, seal: SealInput): RoundImage {
  return sealed(openText(text, seal), endingOf(text));
}

function sealed(image: Uint8Array, ending: TextEnding): RoundImage {
  return { image, ending, sha256: fillOpenSeal(image) };
}

function editedImage(
  current: SeenCheckpoint | undefined,
  content: RoundContent,
  seal: SealInput,
): RoundImage | undefined {
  const { rendered, reading, bytes } = current ?? {};
  if (!bytes || bytes.length < LONG_BYTES || reading?.kind !== 'sealed' || !rendered) return;
  const { edit } = content;
  if (edit === undefined || edit.of !== rendered.version) return undefined;
  const { ending } = rendered;
  const before = { ...claimOfLine(reading), artifacts: reading.artifacts };
  const textBytes = bytes.length - openSeal(ending, before).length;
  if (!keepsEnding(ending, textBytes, edit.splices)) return undefined;
  const tail = { start: textBytes, end: bytes.length, bytes: openSeal(ending, seal) };
  return sealed(applySplices(bytes, 0, [...edit.splices, tail]), ending);
}

/** How a round's image reads. The text is made when somebody asks for it. */
export function sealedReading(seal: SealInput, content: RoundContent): SealedReading {
  const { artifacts = [] } = seal;
  return {
    kind: 'sealed',
    ...claimOfLine(seal),
    artifacts,
    get text() {
      return content.text;
    },
  };
}
