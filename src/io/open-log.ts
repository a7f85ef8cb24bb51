/**
 * A log that saves are appended to: what the newest save in it has left, and how the next one is written
 * behind it. Used under a publish policy; where every save is published at once, a log holds one save and
 * ends. Ruled by `docs/protocol.md`, "Publishing later", and `docs/format.md`.
 */
import { alignUp } from '../format/bytes.js';
import { encodeSplices, type Splice } from '../format/image-splice.js';
import { PartedImage } from '../format/parted-image.js';
import { encodeText, endingOf, openSeal, type SealInput, type TextEnding } from '../format/seal.js';
import { MAX_SPLICED_WORK } from '../format/wal-format.js';
import type { WalEncoder } from '../format/wal-writer.js';
import type { RoundContent } from './checkpoint-io.js';
import { checkSize, writeAll } from './file-content.js';
import type { FileHandle } from './file-system.js';

/** Zeros are written ahead in steps of this many bytes, so that most saves change no metadata. */
export const LOG_ROOM_BYTES = 256 * 1024;

/** What the newest save of a log has left behind. */
export interface LogEnd {
  readonly image: PartedImage;
  /** How the text ends, which its seal depends on. */
  readonly ending: TextEnding;
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

/** A save that goes behind the others of a log. */
export interface AppendedSave {
  readonly encoding: 'whole' | 'splices';
  /** What the data frames hold. */
  readonly data: Uint8Array;
  readonly end: LogEnd;
}

/** The first save of a log that others may follow. */
export function firstSave(image: Uint8Array, ending: TextEnding, sealed: SealInput): AppendedSave {
  const textBytes = image.length - openSeal(ending, sealed).length;
  const end = { image: PartedImage.of(image), ending, textBytes, work: 0 };
  return { encoding: 'whole', data: image, end };
}

/**
 * The next save as an edit of the one before. Its image's digest is left open until it is published: it
 * would take a walk over all bytes.
 * @param edit what the content says that it replaces in the text before; else the two are compared
 */
export function nextSave(
  last: LogEnd,
  content: RoundContent,
  edit: readonly Splice[] | undefined,
  sealed: SealInput,
): AppendedSave {
  const { image: before, textBytes: length, work } = last;
  const { changed, ending } = changeAfter(last, content, edit);
  const tail = openSeal(ending, sealed);
  const splices = [...changed, { start: length, end: before.size, bytes: tail }];
  const image = before.splice(splices);
  const textBytes = image.size - tail.length;
  const sum = work + image.work;
  if (sum > MAX_SPLICED_WORK / 4) {
    const whole = PartedImage.of(image.bytes());
    const end = { image: whole, ending, textBytes, work: 0 };
    return { encoding: 'whole', data: whole.bytes(), end };
  }
  const end = { image, ending, textBytes, work: sum };
  return { encoding: 'splices', data: encodeSplices(splices), end };
}

function changeAfter(
  { image, textBytes, ending }: LogEnd,
  content: RoundContent,
  edit: readonly Splice[] | undefined,
): { readonly changed: readonly Splice[]; readonly ending: TextEnding } {
  if (edit !== undefined && keepsEnding(ending, textBytes, edit)) return { changed: edit, ending };
  const bytes = encodeText(content.text);
  return { changed: difference(image, textBytes, bytes), ending: endingOf(content.text) };
}

/** Whether a text ends after an edit as it did before: both bytes of its last line break are left alone. */
export function keepsEnding(
  { isWhole }: TextEnding,
  textBytes: number,
  splices: readonly Splice[],
): boolean {
  return isWhole && splices.every(({ end }) => end <= textBytes - 2);
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
