/**
 * Bytes as UTF-8 text, and where they stop being that: the platform's decoder says only that they do.
 * Follows the table of well-formed byte sequences of the Unicode standard (section 3.9, table 3-7).
 */
import { isUtf8 } from 'node:buffer';

/** Making one costs more than decoding a line. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of the bytes, a byte order mark included; `undefined` where they are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // fatal: invalid UTF-8 is the only way that decoding fails
  }
}

/**
 * The text of bytes that are valid UTF-8, decoded at the first use: whoever opens a store need not ask for
 * it. `undefined` where they are not valid. The bytes must not change any more.
 */
export function lazyUtf8(bytes: Uint8Array): (() => string) | undefined {
  if (!isUtf8(bytes)) return undefined;
  let text: string | undefined;
  return () => {
    text ??= decodeUtf8(bytes) ?? '';
    return text;
  };
}

/** How many bytes a text takes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) bytes += unit < 0x800 ? 1 : 2;
    // A pair is four bytes: 2 + 2 with its two units.
    if (unit >= 0xd800 && unit <= 0xdbff) at += 1;
  }
  return bytes;
}

/** Offset of the first byte that starts no well-formed UTF-8 sequence; the length where all are. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

/** Bytes of the well-formed sequence at `at`, 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0xff;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(bytes, at + 1, 1) ? 2 : 0;
  const second = bytes[at + 1] ?? 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    // E0 would be overlong below A0; ED would be half a surrogate pair above 9F.
    const fits = !(lead === 0xe0 && second < 0xa0) && !(lead === 0xed && second > 0x9f);
    return fits && continues(bytes, at + 1, 2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    // F0 would be overlong below 90; F4 would be above U+10FFFF from 90.
    const fits = !(lead === 0xf0 && second < 0x90) && !(lead === 0xf4 && second > 0x8f);
    return fits && continues(bytes, at + 1, 3) ? 4 : 0;
  }
  return 0;
}

function continues(bytes: Uint8Array, from: number, count: number): boolean {
  for (let index = from; index < from + count; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x80 || byte > 0xbf) return false;
  }
  return true;
}
