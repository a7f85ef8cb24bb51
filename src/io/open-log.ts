/**
 * A log that saves are appended to: what the newest save in it has left, and how the next one is written
 * behind it. Used under a publish policy; where every save is published at once, a log holds one save and
 * ends. Ruled by `docs/protocol.md`, "Publishing later", and `docs/format.md`.
 */
import { alignUp } from '../format/bytes.js';
import { encodeSplices, type Splice } from '../format/image-splice.js';
import { PartedImage } from '../format/parted-image.js';
import { endingOf, openSeal, type SealInput } from '../format/seal.js';
import { MAX_SPLICED_WORK } from '../format/wal-format.js';
import type { WalEncoder } from '../format/wal-writer.js';
import { checkSize, writeAll } from './file-content.js';
import type { FileHandle } from './file-system.js';

/** Zeros are written ahead in steps of this many bytes, so that most saves change no metadata. */
export const LOG_ROOM_BYTES = 256 * 1024;

/** What the newest save of a log has left behind. */
export interface LogEnd {
  readonly image: PartedImage;
  /** Bytes of the image that are the user's text; its seal follows. */
  readonly textBytes: number;
  /** What the splices since the newest whole image have asked for. */
  readonly work: number;
}

/** A log that is open for writing. */
export interface OpenLog {
  readonly handle: FileHandle;
  readonly encoder: WalEncoder;
  /** Bytes that the file has, zeros written ahead included. */
  room: number;
  /** Where its saves end; `undefined` until the first one is durable, and where it takes only one. */
  end: LogEnd | undefined;
}

/** A text with what its seal says. */
export type SealedText = SealInput & { readonly text: string };

/** A save that goes behind the others of a log. */
export interface AppendedSave {
  readonly encoding: 'whole' | 'splices';
  /** What the data frames hold. */
  readonly data: Uint8Array;
  readonly end: LogEnd;
}

/** The first save of a log that others may follow. */
export function firstSave(image: Uint8Array, sealed: SealedText): AppendedSave {
  const tail = openSeal(endingOf(sealed.text), sealed).length;
  const end = { image: PartedImage.of(image), textBytes: image.length - tail, work: 0 };
  return { encoding: 'whole', data: image, end };
}

/**
 * The next save as an edit of the one before. Its image's digest is left open until it is published: it
 * would take a walk over all bytes.
 */
export function nextSave(
  { image: before, textBytes, work }: LogEnd,
  text: string,
  sealed: SealInput,
): AppendedSave {
  const bytes = new TextEncoder().encode(text);
  const tail = openSeal(endingOf(text), sealed);
  const changed = difference(before, textBytes, bytes);
  const splices = [...changed, { start: textBytes, end: before.size, bytes: tail }];
  const image = before.splice(splices);
  const sum = work + image.work;
  if (sum > MAX_SPLICED_WORK / 4) {
    const whole = PartedImage.of(image.bytes());
    const data = whole.bytes();
    return { encoding: 'whole', data, end: { image: whole, textBytes: bytes.length, work: 0 } };
  }
  const end = { image, textBytes: bytes.length, work: sum };
  return { encoding: 'splices', data: encodeSplices(splices), end };
}

/** Writes behind the log's saves. Where the room ends, zeros are written ahead for those to come. */
export function writeBehind(log: OpenLog, start: number, bytes: Uint8Array, path: string): void {
  const end = start + bytes.length;
  writeAll(log.handle, bytes, start, path);
  if (end <= log.room) return;
  const room = alignUp(end, LOG_ROOM_BYTES) + LOG_ROOM_BYTES;
  writeAll(log.handle, new Uint8Array(room - end), end, path);
  checkSize(log.handle, room, path);
  log.room = room;
}

/** The one splice that makes of a text's bytes, the first `length` of an image, what they are now. */
function difference(before: PartedImage, length: number, now: Uint8Array): Splice[] {
  const shorter = Math.min(length, now.length);
  const start = before.sharedStart(now.subarray(0, shorter));
  if (start === length && start === now.length) return [];
  const shared = before.sharedEnd(length, now.subarray(now.length - (shorter - start)));
  return [{ start, end: length - shared, bytes: now.subarray(start, now.length - shared) }];
}
