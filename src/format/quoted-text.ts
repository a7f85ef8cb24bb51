/**
 * Text on one line of a comment: a JSON string that holds visible characters only. Whatever a label or a
 * path holds, no reader of the file takes part of it for a line of its own. Ruled by `docs/format.md`.
 */
import { isWellFormed } from './bytes.js';

/**
 * JSON leaves these as they are. YAML allows no control characters, older YAML readers break lines at
 * some of the others, and people can't see them.
 */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Longest form of one byte of UTF-8: a control character becomes `\u001f`. */
const QUOTED_BYTES_PER_BYTE = 6;

/** Bytes that a text of at most `bytes` bytes takes when quoted, whatever it holds. */
export function quotedBytesMax(bytes: number): number {
  return bytes * QUOTED_BYTES_PER_BYTE + 2;
}

/** A JSON string, with everything that is no visible character escaped. There is one form of each text. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The text of a quoted form of at most `maxBytes` bytes of UTF-8. `undefined` where the form is not
 * exactly what {@link quote} writes: two forms of one text could hide a change.
 */
export function unquote(quoted: string, maxBytes: number): string | undefined {
  if (quoted.length > quotedBytesMax(maxBytes)) return undefined;
  let text: unknown;
  try {
    text = JSON.parse(quoted);
  } catch {
    return undefined; // not JSON: an ordinary line of somebody's
  }
  if (typeof text !== 'string' || !fits(text, maxBytes) || quote(text) !== quoted) return undefined;
  return text;
}

/** Whether a text can be quoted: UTF-8 can carry it, and it has at most `maxBytes` bytes. */
export function fits(text: string, maxBytes: number): boolean {
  return isWellFormed(text) && new TextEncoder().encode(text).length <= maxBytes;
}
