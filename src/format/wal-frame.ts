/**
 * One frame of the log: header, payload, zero padding, and a checksum chained to the frame before.
 * Knows nothing of what payloads mean. Ruled by `docs/format.md`, "Frame".
 */
import { crc32 } from 'node:zlib';
import { alignUp, isZero, viewOf } from './bytes.js';
import { FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FRAME_MAGIC } from './wal-format.js';

const LENGTH_OFFSET = 8;
const CHECKSUM_OFFSET = 12;

/**
 * What stands at an offset. `end`: nothing, or only zeros up to the end of the log; `broken`: bytes
 * that don't verify, as after a torn write or damage; `impossible`: bytes that verify and still say
 * what no writer of this version writes.
 */
export type FrameReading =
  | {
      readonly kind: 'frame';
      readonly type: number;
      readonly payload: Uint8Array;
      /** The stored checksum: the seed of the next frame's. */
      readonly checksum: number;
      /** Where the next frame starts. */
      readonly end: number;
    }
  | { readonly kind: 'end' | 'broken' | 'impossible'; readonly reason: string };

/** A frame header as it stands, before anything of it is believed. */
export interface FrameOutline {
  readonly type: number;
  readonly payloadLength: number;
  readonly checksum: number;
  /** Where the frame would end, padding included; may lie beyond the log. */
  readonly end: number;
}

/** Bytes that a frame with this payload takes, padding included. */
export function frameBytes(payloadLength: number): number {
  return alignUp(FRAME_HEADER_BYTES + payloadLength, FRAME_ALIGNMENT);
}

/**
 * Writes one frame into `target` (zero-filled there) and returns its checksum, which seeds the next.
 * The payload may already stand in its place; then `payload` is that very part of `target`.
 */
export function writeFrame(
  target: Uint8Array,
  offset: number,
  type: number,
  payload: Uint8Array,
  seed: number,
): number {
  const frame = target.subarray(offset, offset + frameBytes(payload.length));
  const view = viewOf(frame);
  view.setUint32(0, FRAME_MAGIC, true);
  frame[4] = type;
  view.setUint32(LENGTH_OFFSET, payload.length, true);
  frame.set(payload, FRAME_HEADER_BYTES);
  const checksum = frameChecksum(frame, seed);
  view.setUint32(CHECKSUM_OFFSET, checksum, true);
  return checksum;
}

/** The checksum that a frame must carry: everything but the checksum itself, seeded by the predecessor's. */
function frameChecksum(frame: Uint8Array, seed: number): number {
  const overHeader = crc32(frame.subarray(0, CHECKSUM_OFFSET), seed);
  return crc32(frame.subarray(FRAME_HEADER_BYTES), overHeader);
}

/** Reads the frame header at `offset` without believing it; `undefined` where there can't be one. */
export function outlineFrame(bytes: Uint8Array, offset: number): FrameOutline | undefined {
  if (offset + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(offset, true) !== FRAME_MAGIC) return undefined;
  const payloadLength = view.getUint32(offset + LENGTH_OFFSET, true);
  return {
    type: view.getUint8(offset + 4),
    payloadLength,
    checksum: view.getUint32(offset + CHECKSUM_OFFSET, true),
    end: offset + frameBytes(payloadLength),
  };
}

/** Whether the frame with this outline lies within the log and carries the checksum that `seed` demands. */
export function frameVerifies(
  bytes: Uint8Array,
  offset: number,
  outline: FrameOutline,
  seed: number,
): boolean {
  if (outline.end > bytes.length) return false;
  return frameChecksum(bytes.subarray(offset, outline.end), seed) === outline.checksum;
}

/**
 * Reads and verifies the frame at `offset`. Never throws, never looks past the end of `bytes`.
 * @param longest payloads above this are not looked at: what stands here can't be that long.
 */
export function readFrame(
  bytes: Uint8Array,
  offset: number,
  seed: number,
  longest: number,
): FrameReading {
  if (offset >= bytes.length) return { kind: 'end', reason: 'the log ends' };
  const outline = outlineFrame(bytes, offset);
  if (outline === undefined) {
    // Checked only here, so that a log is searched for zeros once and not once a frame.
    if (isZero(bytes, offset)) return { kind: 'end', reason: 'only zeros follow' };
    const short = offset + FRAME_HEADER_BYTES > bytes.length;
    return broken(short ? 'the log ends in a frame header' : 'no frame starts');
  }
  if (outline.payloadLength > longest) {
    return broken(`a frame claims ${outline.payloadLength} bytes, at most ${longest} fit`);
  }
  if (outline.end > bytes.length) return broken('the log ends in a frame');
  if (!frameVerifies(bytes, offset, outline, seed)) {
    return broken("a frame's checksum does not match");
  }
  const payloadStart = offset + FRAME_HEADER_BYTES;
  const payloadEnd = payloadStart + outline.payloadLength;
  if (
    !isZero(bytes, offset + 5, offset + LENGTH_OFFSET) ||
    !isZero(bytes, payloadEnd, outline.end)
  ) {
    return {
      kind: 'impossible',
      reason: 'flags, reserved bytes or padding of a frame are not zero',
    };
  }
  const { type, checksum, end } = outline;
  return { kind: 'frame', type, payload: bytes.subarray(payloadStart, payloadEnd), checksum, end };
}

function broken(reason: string): FrameReading {
  return { kind: 'broken', reason };
}
